package mimemail

import (
	"bytes"
	"encoding/base64"
)

// appendBody writes the transfer encoding, the empty line and the body. What is plain enough goes as it is, text with
// some other bytes as quoted-printable, the rest as base64; RFC 2045 section 6.
func appendBody(dst, body []byte) []byte {
	switch form := survey(body); {
	case form.plain:
		dst = append(dst, "Content-Transfer-Encoding: 7bit\r\n\r\n"...)
		return appendPlain(dst, body)
	case form.special*6 < len(body): // beyond that base64 is the shorter one
		dst = append(dst, "Content-Transfer-Encoding: quoted-printable\r\n\r\n"...)
		return appendQuoted(dst, body)
	}
	dst = append(dst, "Content-Transfer-Encoding: base64\r\n\r\n"...)
	return appendBase64(dst, body)
}

type surveyed struct {
	plain   bool // every mail server leaves it as it is
	special int  // bytes that quoted-printable writes as three
}

// survey looks over a body once. Plain is ASCII in lines of at most hardLine, without control characters, without a
// carriage return that stands alone, and without lines that mail stores or SMTP treat as their own.
func survey(body []byte) surveyed {
	s := surveyed{plain: true}
	start := 0
	for i, c := range body {
		if easy[c] || c == ' ' {
			continue
		}
		switch {
		case c == '\n':
			s.plain = s.plain && plainLine(body[start:i])
			start = i + 1
		case c == '\r' && i+1 < len(body) && body[i+1] == '\n', c == '\t':
		case c < ' ' || c >= 0x7f:
			s.plain = false
			s.special++
		case c == '=':
			s.special++
		}
	}
	s.plain = s.plain && plainLine(body[start:])
	return s
}

func plainLine(line []byte) bool {
	return len(line) <= hardLine && !bytes.HasPrefix(line, []byte("From ")) && !bytes.HasPrefix(line, []byte("."))
}

// appendPlain writes body with every line end as CRLF.
func appendPlain(dst, body []byte) []byte {
	for len(body) > 0 {
		i := bytes.IndexByte(body, '\n')
		if i < 0 {
			dst = append(dst, body...)
			break
		}
		dst = append(append(dst, bytes.TrimSuffix(body[:i], []byte("\r"))...), "\r\n"...)
		body = body[i+1:]
	}
	return closeLine(dst)
}

// closeLine ends the last line: SMTP does it anyway, and a digest over the mail should not depend on the way.
func closeLine(dst []byte) []byte {
	if !bytes.HasSuffix(dst, []byte("\r\n")) {
		dst = append(dst, "\r\n"...)
	}
	return dst
}

const (
	quotedLine = 76 // longest line of quoted-printable and base64, RFC 2045 sections 6.7 and 6.8
	upperHex   = "0123456789ABCDEF"
)

// appendQuoted writes quoted-printable text: line ends become CRLF, carriage returns without a newline, blanks at the
// end of a line, leading dots and leading "From " are written as codes.
func appendQuoted(dst, body []byte) []byte {
	column := 0
	for i := 0; i < len(body); i++ {
		if column > 0 && column < quotedLine-1 {
			n := easyRun(body[i:min(len(body), i+quotedLine-1-column)], body[i:])
			dst = append(dst, body[i:i+n]...)
			column += n
			if i += n; i == len(body) {
				break
			}
		}
		c := body[i]
		if n := lineEnd(body[i:]); n > 0 {
			dst = append(dst, "\r\n"...)
			column = 0
			i += n - 1
			continue
		}
		last := i+1 == len(body) || lineEnd(body[i+1:]) > 0
		width := 1
		if quotes(body, i, last) {
			width = 3
		}
		if column+width > quotedLine-1 && !(last && column+width <= quotedLine) {
			dst = append(dst, "=\r\n"...)
			column = 0
			if c == '.' || bytes.HasPrefix(body[i:], []byte("From ")) { // the soft break made it a first character
				width = 3
			}
		}
		if width == 3 {
			dst = append(dst, '=', upperHex[c>>4], upperHex[c&15])
		} else {
			dst = append(dst, c)
		}
		column += width
	}
	return closeLine(dst)
}

// easy are the bytes that stand for themselves wherever they are in a line, but at its start.
var easy = func() (t [256]bool) {
	for c := byte('!'); c < 0x7f; c++ {
		t[c] = c != '='
	}
	return t
}()

// easyRun is how many bytes that part, the start of body, begins with stand for themselves: those that are easy, and
// blanks before such.
func easyRun(part, body []byte) int {
	for i, c := range part {
		if !easy[c] && (c != ' ' || i+1 == len(body) || !easy[body[i+1]]) {
			return i
		}
	}
	return len(part)
}

// lineEnd is the length of the line end at the start of b, 0 when there is none.
func lineEnd(b []byte) int {
	switch {
	case len(b) > 0 && b[0] == '\n':
		return 1
	case len(b) > 1 && b[0] == '\r' && b[1] == '\n':
		return 2
	}
	return 0
}

// quotes reports whether byte i must be written as a code; last says that it ends its line.
func quotes(body []byte, i int, last bool) bool {
	c := body[i]
	first := i == 0 || body[i-1] == '\n'
	switch {
	case c == '=' || c >= 0x7f || c < ' ' && c != '\t':
		return true
	case c == ' ' || c == '\t':
		return last
	case c == '.':
		return first
	case c == 'F':
		return first && bytes.HasPrefix(body[i:], []byte("From "))
	}
	return false
}

func appendBase64(dst, body []byte) []byte {
	const perLine = quotedLine / 4 * 3
	for len(body) > 0 {
		n := min(perLine, len(body))
		dst = base64.StdEncoding.AppendEncode(dst, body[:n])
		dst = append(dst, "\r\n"...)
		body = body[n:]
	}
	return dst
}
