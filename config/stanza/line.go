package stanza

import (
	"strings"

	"callhome/personality"
)

// line is one line of a running configuration, taken apart.
type line struct {
	number int // from 1
	indent int
	text   string // without indentation
	off    bool   // began with "no", or ended with "disable" on IOS XR
	words  []string
	starts []int // where each word begins in text
	end    int   // where the last word ends in text
}

// maxWords bounds a line; the longest text of any platform, a command of 600 characters on NX-OS, has 300 words at most.
const maxWords = 512

// splitLine takes a line apart. Blanks inside double quotes belong to the word.
func splitLine(number int, raw string, platform personality.Name) line {
	raw = strings.TrimRight(raw, " \t\r")
	text := strings.TrimLeft(raw, " \t")
	l := line{number: number, indent: len(raw) - len(text), text: text}
	for at := 0; at < len(text) && len(l.words) < maxWords; {
		if text[at] == ' ' || text[at] == '\t' {
			at++
			continue
		}
		word, end := nextWord(text, at)
		l.words, l.starts, l.end = append(l.words, word), append(l.starts, at), end
		at = end
	}
	if len(l.words) > 0 && strings.EqualFold(l.words[0], "no") {
		l.off, l.words, l.starts = true, l.words[1:], l.starts[1:]
	}
	if n := len(l.words) - 1; platform == personality.IOSXR && n > 0 && strings.EqualFold(l.words[n], "disable") {
		l.off, l.end, l.words, l.starts = true, l.starts[n], l.words[:n], l.starts[:n]
	}
	return l
}

// nextWord is the word that begins at a byte, its quotes taken off, and where it ends. A quote that is never closed
// reaches to the end of the line.
func nextWord(text string, at int) (word string, end int) {
	if text[at] == '"' {
		if n := strings.IndexByte(text[at+1:], '"'); n >= 0 {
			return text[at+1 : at+1+n], at + n + 2
		}
		return text[at+1:], len(text)
	}
	end = at
	for end < len(text) && text[end] != ' ' && text[end] != '\t' {
		end++
	}
	return text[at:end], end
}

// begins reports whether words begin with those of a command, whatever their case.
func begins(words, command []string) bool {
	if len(words) < len(command) {
		return false
	}
	for i, w := range command {
		if !strings.EqualFold(words[i], w) {
			return false
		}
	}
	return true
}

// args are what stands behind a command of n words.
func (l *line) args(n int) args {
	a := args{line: l, off: l.off, words: l.words[n:]}
	switch len(a.words) {
	case 0:
	case 1:
		a.rest = a.words[0]
	default:
		a.rest = strings.TrimSpace(l.text[l.starts[n]:l.end])
		if strings.Count(a.rest, `"`) == 2 && strings.HasPrefix(a.rest, `"`) && strings.HasSuffix(a.rest, `"`) {
			a.rest = a.rest[1 : len(a.rest)-1]
		}
	}
	a.rest = strings.TrimSpace(a.rest)
	return a
}

// args are the arguments of a command.
type args struct {
	line    *line
	off     bool     // the command is taken back
	words   []string // quotes taken off
	rest    string   // all of them as they stand
	profile *draft   // of the profile's mode; nil outside
}

// is reports whether the arguments are exactly these words.
func (a args) is(words ...string) bool { return len(a.words) == len(words) && begins(a.words, words) }

// word is the n-th argument in lower case, "" where there is none.
func (a args) word(n int) string {
	if n >= len(a.words) {
		return ""
	}
	return strings.ToLower(a.words[n])
}
