package ciscolog

import (
	"strings"
	"unicode/utf8"
)

// Display says how texts of a sender are shown to people. Nothing of it touches what is stored or forwarded.
type Display struct {
	// Windows1252 reads octets that are not UTF-8 as Windows-1252, for senders known to write it.
	Windows1252 bool
}

// Host is a host or tag value as it is shown: control characters replaced, a tab by eight spaces and others by question
// marks, and each run of octets that are not UTF-8 by U+FFFD.
func (d Display) Host(b []byte) string { return d.show(b, false) }

// Text is a message as it is shown: like Host, but line feeds stay, and what rsyslog writes for control characters
// (#012 is a line feed) is undone before.
func (d Display) Text(b []byte) string { return d.show(unoctal(b), true) }

func (d Display) show(b []byte, lines bool) string {
	var out strings.Builder
	out.Grow(len(b))
	invalid := false
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		bad := r == utf8.RuneError && size == 1
		switch {
		case bad && d.Windows1252:
			out.WriteRune(windows1252(b[0]))
		case bad && invalid:
			// one sign for the whole run
		case bad:
			out.WriteRune(utf8.RuneError)
		case r == '\t':
			out.WriteString(tabText)
		case r == '\n' && lines:
			out.WriteByte('\n')
		case r < ' ' || r >= 0x7f && r < 0xa0:
			out.WriteByte('?')
		default:
			out.Write(b[:size])
		}
		invalid = bad
		b = b[size:]
	}
	return out.String()
}

// octalLen is the length of rsyslog's escape of a control character: #012.
const octalLen = 4

// unoctal undoes rsyslog's escapes of control characters.
func unoctal(b []byte) []byte {
	var out []byte
	from := 0
	for i := 0; i+octalLen <= len(b); i++ {
		c, ok := octal(b[i : i+octalLen])
		if !ok {
			continue
		}
		out = append(append(out, b[from:i]...), c)
		i += octalLen - 1
		from = i + 1
	}
	if from == 0 {
		return b
	}
	return append(out, b[from:]...)
}

// octal reads one escape; ok only for control characters.
func octal(b []byte) (c byte, ok bool) {
	if b[0] != '#' || b[1]-'0' > 1 || b[2]-'0' > 7 || b[3]-'0' > 7 {
		return 0, false
	}
	c = (b[1]-'0')<<6 | (b[2]-'0')<<3 | (b[3] - '0')
	return c, c < ' ' || c == 0x7f
}

// windowsRunes are the characters of Windows-1252 from 0x80 to 0x9f; the rest of it is Latin-1. Zero is undefined.
var windowsRunes = [32]rune{
	'€', 0, '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', 0, 'Ž', 0,
	0, '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', 0, 'ž', 'Ÿ',
}

func windows1252(c byte) rune {
	if c >= 0xa0 {
		return rune(c)
	}
	if r := windowsRunes[c-0x80]; r != 0 {
		return r
	}
	return utf8.RuneError
}
