package plaintext

import (
	"strings"
	"unicode/utf8"
)

// appendText appends s so that it does no more to a terminal than print: ESC becomes "^[", other control characters
// likewise, C1 controls, bidirectional overrides and bytes that are not UTF-8 become U+FFFD. Tabs and newlines stay; a
// carriage return with the newline behind it, or alone, becomes one newline.
func appendText(dst []byte, s string) []byte {
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < 0x7f || c == '\n' || c == '\t' {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if !hidden(r, n) {
				i += n
				continue
			}
			dst = append(append(dst, s[start:i]...), "\uFFFD"...)
			i += n
			start = i
			continue
		}
		dst = append(dst, s[start:i]...)
		if c == '\r' {
			i += carriageReturns(s[i:])
			dst = append(dst, '\n')
		} else {
			dst = append(dst, '^', c^0x40)
			i++
		}
		start = i
	}
	return append(dst, s[start:]...)
}

// carriageReturns counts the bytes of one line end that begins with a carriage return.
func carriageReturns(s string) int {
	n := 1
	for n < len(s) && s[n] == '\r' {
		n++
	}
	if n < len(s) && s[n] == '\n' {
		return n + 1
	}
	return n
}

// hidden reports whether a rune would act on a terminal instead of showing.
func hidden(r rune, size int) bool {
	switch {
	case r == utf8.RuneError && size == 1:
		return true
	case r >= 0x80 && r <= 0x9f: // C1
		return true
	case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069: // bidirectional overrides and isolates
		return true
	}
	return r == 0x2028 || r == 0x2029 // line and paragraph separator
}

// oneLine is s cleaned, in one line, runs of blanks as one.
func oneLine(s string) string { return strings.Join(strings.Fields(string(appendText(nil, s))), " ") }

// cut shortens s to at most n characters, the last three "..." where it had to.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	mark := "..."[:min(3, max(n, 0))]
	keep := max(n-len(mark), 0)
	for i := range s {
		if keep == 0 {
			return s[:i] + mark
		}
		keep--
	}
	return s
}
