package aml

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

const replacement = "\uFFFD"

// escapeOf is what stands for a byte of element text; attributes escape line ends and quotes too.
func escapeOf(c byte, quoted bool) string {
	switch c {
	case '&':
		return "&amp;"
	case '<':
		return "&lt;"
	case '>':
		return "&gt;"
	case '\r':
		return "&#13;"
	}
	if quoted {
		switch c {
		case '"':
			return "&quot;"
		case '\n':
			return "&#10;"
		case '\t':
			return "&#9;"
		}
	}
	if c < ' ' && c != '\n' && c != '\t' {
		return replacement
	}
	return ""
}

// appendText writes element text, or the inside of a quoted attribute. What XML forbids becomes U+FFFD.
func appendText(dst []byte, s string, quoted bool) []byte {
	flushed := 0
	for i := 0; i < len(s); {
		for i < len(s) && plainText[s[i]] {
			i++
		}
		if i == len(s) {
			break
		}
		n, change := 1, ""
		if s[i] < utf8.RuneSelf {
			change = escapeOf(s[i], quoted)
		} else {
			n, change = checkRune(s[i:])
		}
		if change != "" {
			dst = append(append(dst, s[flushed:i]...), change...)
			flushed = i + n
		}
		i += n
	}
	return append(dst, s[flushed:]...)
}

// plainText are the bytes that stand for themselves in text and in attributes.
var plainText = func() (t [256]bool) {
	for c := range utf8.RuneSelf {
		t[c] = escapeOf(byte(c), true) == "" && escapeOf(byte(c), false) == ""
	}
	return t
}()

// checkRune measures the character that s begins with, outside ASCII; change stands for one that XML forbids.
func checkRune(s string) (n int, change string) {
	r, n := utf8.DecodeRuneInString(s)
	if r == utf8.RuneError && n == 1 || !legal(r) {
		return n, replacement
	}
	return n, ""
}

// cdataEnd is how ]]> is written inside a CDATA section: the section ends between its brackets and another begins.
const cdataEnd = "]]]]><![CDATA[>"

// appendCDATA writes device output as CDATA. Line ends become a line feed, what every XML reader makes of them.
func appendCDATA(dst []byte, s string) []byte {
	dst = append(dst, "<![CDATA["...)
	flushed := 0
	for i := skipOutput(s, 0); i < len(s); i = skipOutput(s, i) {
		n, change := cdataChange(s[i:])
		if change != "" {
			dst = append(append(dst, s[flushed:i]...), change...)
			flushed = i + n
		}
		i += n
	}
	return append(append(dst, s[flushed:]...), "]]>"...)
}

// skipOutput is the first index from i on that appendCDATA must look at: an illegal or wide byte, or ].
func skipOutput(s string, i int) int {
	for ; i+8 <= len(s); i += 8 {
		x := load8(s, i)
		if badWord(x)|^isNot(x, ']')&highs != 0 {
			break
		}
	}
	for i < len(s) && class[s[i]]&classCDATAStop == 0 && s[i] != ']' {
		i++
	}
	return i
}

// cdataChange measures what s begins with and says what stands for it; "" leaves it.
func cdataChange(s string) (n int, change string) {
	switch c := s[0]; {
	case c == ']':
		if strings.HasPrefix(s, "]]>") {
			return 3, cdataEnd
		}
		return 1, ""
	case c == '\r':
		if len(s) > 1 && s[1] == '\n' {
			return 2, "\n"
		}
		return 1, "\n"
	case c < ' ':
		return 1, replacement
	}
	return checkRune(s)
}

// cdataSize is the length of what appendCDATA writes.
func cdataSize(s string) int {
	size := len("<![CDATA[]]>") + len(s)
	for i := skipOutput(s, 0); i < len(s); i = skipOutput(s, i) {
		n, change := cdataChange(s[i:])
		if change != "" {
			size += len(change) - n
		}
		i += n
	}
	return size
}

// appendBase64 writes bytes as one line of base64.
func appendBase64(dst []byte, s string) []byte {
	return base64.StdEncoding.AppendEncode(dst, []byte(s))
}
