package personality

import (
	"bytes"
	"strings"
)

// Hint is an object hint of a row, ready for use.
type Hint struct {
	parts [2][]mark
}

// mark is one alternative.
type mark struct {
	kind  markKind
	text  []byte
	until []byte
}

type markKind uint8

const (
	markAfter  markKind = iota // the token after text
	markUntil                  // all after text up to until
	markRest                   // all after text
	markBefore                 // the token before text
	markFirst                  // the first token
	markNode                   // the part of the device named in the header
)

// ParseHint reads the form that the package comment describes. More than two parts are not understood and left out.
func ParseHint(s string) Hint {
	var h Hint
	if s == "" {
		return h
	}
	for i, part := range strings.SplitN(s, "&", len(h.parts)) {
		for _, alt := range strings.Split(part, "|") {
			h.parts[i] = append(h.parts[i], parseMark(alt))
		}
	}
	return h
}

func parseMark(s string) mark {
	switch {
	case s == "^":
		return mark{kind: markFirst}
	case s == "@node":
		return mark{kind: markNode}
	case strings.HasPrefix(s, ">"):
		return mark{kind: markRest, text: []byte(s[1:])}
	case strings.HasPrefix(s, "<"):
		return mark{kind: markBefore, text: []byte(s[1:])}
	}
	if text, until, ok := strings.Cut(s, "~"); ok {
		return mark{kind: markUntil, text: []byte(text), until: []byte(until)}
	}
	return mark{text: []byte(s)}
}

// Find cuts the object out of a text, or else out of the parameters in front of it; node is the part of the device that
// the header names. What is not found is nil. The parts alias their source.
func (h *Hint) Find(text, params, node []byte) (object [2][]byte) {
	for i := range h.parts {
		for j := range h.parts[i] {
			m := &h.parts[i][j]
			if m.kind == markNode {
				object[i] = node
			} else if object[i] = m.find(text); object[i] == nil && len(params) > 0 {
				object[i] = m.find(params)
			}
			if object[i] != nil {
				break
			}
		}
	}
	return object
}

func (m *mark) find(text []byte) []byte {
	switch m.kind {
	case markFirst:
		return token(text)
	case markBefore:
		i := bytes.Index(text, m.text)
		if i < 0 {
			return nil
		}
		return lastToken(text[:i])
	}
	i := bytes.Index(text, m.text)
	if i < 0 {
		return nil
	}
	rest := text[i+len(m.text):]
	switch m.kind {
	case markRest:
		return trim(rest)
	case markUntil:
		j := bytes.Index(rest, m.until)
		if j < 0 {
			return nil
		}
		return trim(rest[:j])
	}
	return token(rest)
}

// ends are the bytes that end a token.
func ends(c byte) bool {
	return c <= ' ' || c == ',' || c == ';' || c == '(' || c == ')' || c == '[' || c == ']' || c == '"' || c == '\'' || c == '<' || c == '>'
}

// token is the first token of b; colons and full stops at its end are no part of it.
func token(b []byte) []byte {
	for len(b) > 0 && b[0] == ' ' {
		b = b[1:]
	}
	n := 0
	for n < len(b) && !ends(b[n]) {
		n++
	}
	return trim(b[:n])
}

func lastToken(b []byte) []byte {
	b = trim(b)
	n := len(b)
	for n > 0 && !ends(b[n-1]) {
		n--
	}
	return trim(b[n:])
}

func blank(c byte) bool {
	return c == ' ' || c == ':' || c == '.' || c == '\r' || c == '\n' || c == '\t'
}

// trim takes blanks, colons and full stops off both ends; nothing is nil.
func trim(b []byte) []byte {
	for len(b) > 0 && blank(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && blank(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	if len(b) == 0 {
		return nil
	}
	return b
}
