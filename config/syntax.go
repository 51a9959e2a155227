package config

import (
	"bytes"
	"fmt"
	"strings"

	"callhome"

	"go.yaml.in/yaml/v3"
)

// maxSought bounds the lines of a file whose first bad line is looked for by reading less and less of it: that takes a
// second at most. Of longer files the parser's own word counts.
const maxSought = 1000

// syntaxFault gives YAML's complaint a place. The parser names the line where the block around the fault began; what
// helps is the line that does not fit to those above it.
func syntaxFault(file string, b []byte, err error) error {
	msg := strings.TrimPrefix(err.Error(), "yaml: ")
	line, col := 1, 1
	if rest, ok := strings.CutPrefix(msg, "line "); ok {
		if _, err := fmt.Sscanf(rest, "%d:", &line); err == nil {
			_, msg, _ = strings.Cut(rest, ": ")
		}
	}
	if n := firstBadLine(b); n > 0 {
		line = n
	}
	if n, at := tabbedLine(b); n > 0 {
		line, col, msg = n, at, "a tab indents this line; use blanks"
	} else if bytes.Contains(b, []byte("${")) {
		msg += " (inside { } and [ ], \"${NAME}\" needs quotes)"
	}
	return &callhome.Error{Kind: callhome.KindInvalid, Path: fmt.Sprintf("%s:%d:%d", file, line, col), Msg: "is not YAML: " + msg}
}

// firstBadLine is the line behind the longest beginning of b that is YAML, 0 when b is too long to look.
func firstBadLine(b []byte) int {
	lines := bytes.SplitAfter(b, []byte("\n"))
	if len(lines) > maxSought {
		return 0
	}
	end := len(b)
	for n := len(lines); n > 0; n-- {
		end -= len(lines[n-1])
		if yaml.Unmarshal(b[:end], new(yaml.Node)) == nil {
			return n
		}
	}
	return 0
}

// tabbedLine finds the first line with a tab in its indentation, and the tab's column.
func tabbedLine(b []byte) (line, col int) {
	for l := range bytes.Lines(b) {
		line++
		indent := l[:len(l)-len(bytes.TrimLeft(l, " \t"))]
		if i := bytes.IndexByte(indent, '\t'); i >= 0 {
			return line, i + 1
		}
	}
	return 0, 0
}
