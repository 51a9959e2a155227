package aml

import (
	"strings"
	"unicode/utf8"
)

// charData reads text up to the next tag.
func (s *scanner) charData() *fault {
	raw := s.src[s.pos:]
	if n := strings.IndexByte(raw, '<'); n >= 0 {
		raw = raw[:n]
	}
	text, f := s.decodeText(s.pos, raw, false)
	s.text, s.cdata, s.at = text, false, s.pos
	s.pos += len(raw)
	return f
}

// section reads a CDATA section whose content begins at start.
func (s *scanner) section(start int) *fault {
	n := strings.Index(s.src[start:], "]]>")
	if n < 0 {
		return hard(len(s.src), "the document ends inside a CDATA section; it was cut off on the way")
	}
	raw := s.src[start : start+n]
	s.text, s.cdata, s.at, s.pos = raw, true, start, start+n+len("]]>")
	i := skipCDATA(raw, 0)
	if i == len(raw) {
		return nil
	}
	var b strings.Builder
	flushed := 0
	for i < len(raw) {
		n, change, f := s.special(start, raw, i)
		if f != nil {
			return f
		}
		if change != "" {
			if flushed == 0 {
				b.Grow(len(raw))
			}
			b.WriteString(raw[flushed:i])
			b.WriteString(change)
			flushed = i + n
		}
		i = skipCDATA(raw, i+n)
	}
	if flushed > 0 {
		b.WriteString(raw[flushed:])
		s.text = b.String()
	}
	return nil
}

// attrValue reads the inside of a quoted value.
func (s *scanner) attrValue(offset int, raw string) (string, *fault) {
	if n := strings.IndexByte(raw, '<'); n >= 0 {
		return "", soft(offset+n, "< stands in an attribute value")
	}
	return s.decodeText(offset, raw, true)
}

// decodeText puts references and line ends right; what needs neither is given as it is.
func (s *scanner) decodeText(offset int, raw string, quoted bool) (string, *fault) {
	i := skipText(raw, 0)
	if i == len(raw) {
		return raw, nil
	}
	b := s.scratch[:0]
	flushed := 0
	for i < len(raw) {
		n, change := 1, ""
		var f *fault
		switch raw[i] {
		case ']':
			if !quoted && strings.HasPrefix(raw[i:], "]]>") {
				f = soft(offset+i, "]]> stands outside a CDATA section")
				if s.lenient {
					f, s.malformed = nil, true
				}
			}
		case '&':
			n, change, f = s.reference(offset, raw, i)
		default:
			n, change, f = s.special(offset, raw, i)
		}
		if f != nil {
			return "", f
		}
		if change != "" {
			b = append(append(b, raw[flushed:i]...), change...)
			flushed = i + n
		}
		i = skipText(raw, i+n)
	}
	text := raw
	if flushed > 0 {
		text = string(append(b, raw[flushed:]...))
	}
	s.keep(b)
	return text, nil
}

// keep holds on to a scratch buffer for the next text, unless it has grown out of measure.
func (s *scanner) keep(b []byte) {
	const most = 64 << 10
	if cap(b) <= most {
		s.scratch = b[:0]
	}
}

// special judges a byte outside ASCII or a control character at i: how long it is, and what stands for it if anything.
func (s *scanner) special(offset int, raw string, i int) (n int, change string, f *fault) {
	if raw[i] == '\r' {
		if i+1 < len(raw) && raw[i+1] == '\n' {
			return 2, "\n", nil
		}
		return 1, "\n", nil
	}
	r, n := utf8.DecodeRuneInString(raw[i:])
	if (r != utf8.RuneError || n > 1) && legal(r) {
		return n, "", nil
	}
	if s.lenient {
		s.badChars = true
		return n, "\uFFFD", nil
	}
	if n == 1 && raw[i] >= utf8.RuneSelf {
		return 0, "", soft(offset+i, "a byte is not UTF-8")
	}
	return 0, "", soft(offset+i, "a control character stands in the text")
}

// reference reads the character or predefined entity whose & stands at i.
func (s *scanner) reference(offset int, raw string, i int) (n int, change string, f *fault) {
	ref := raw[i:]
	for _, e := range entities {
		if strings.HasPrefix(ref, e.ref) {
			return len(e.ref), e.text, nil
		}
	}
	if strings.HasPrefix(ref, "&#") {
		if r, n := charReference(ref); n > 0 {
			return s.referred(offset+i, r, n)
		}
	} else if name := entityName(ref); name != "" {
		return 0, "", hard(offset+i, "entity &"+clip(name)+"; is not one of the five that XML predefines; entities are refused")
	}
	if s.lenient {
		s.malformed = true
		return 1, "", nil
	}
	return 0, "", soft(offset+i, "& begins no reference that XML knows; write &amp;")
}

// referred judges the character that a reference names. Surrogates become U+FFFD.
func (s *scanner) referred(offset int, r rune, n int) (int, string, *fault) {
	switch {
	case legal(r):
		return n, string(r), nil
	case r >= 0xD800 && r < 0xE000:
		return n, "\uFFFD", nil
	case s.lenient:
		s.badChars = true
		return n, "\uFFFD", nil
	}
	return 0, "", soft(offset, "a reference names a character that XML does not allow")
}

// entities are the predefined ones (XML 1.0 section 4.6).
var entities = [...]struct{ ref, text string }{
	{"&lt;", "<"}, {"&gt;", ">"}, {"&amp;", "&"}, {"&quot;", `"`}, {"&apos;", "'"},
}

// charReference reads &#65; or &#x41;; n is 0 when ref is no such thing or names no code point.
func charReference(ref string) (r rune, n int) {
	i, base := 2, rune(10)
	if strings.HasPrefix(ref, "&#x") {
		i, base = 3, 16
	}
	first := i
	for ; i < len(ref) && ref[i] != ';'; i++ {
		d := digit(ref[i])
		if d >= base {
			return 0, 0
		}
		if r = r*base + d; r > utf8.MaxRune {
			return 0, 0
		}
	}
	if i == first || i == len(ref) {
		return 0, 0
	}
	return r, i + 1
}

// digit is the value of a hexadecimal digit, 99 for any other byte.
func digit(c byte) rune {
	switch {
	case '0' <= c && c <= '9':
		return rune(c - '0')
	case 'a' <= c && c <= 'f':
		return rune(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return rune(c-'A') + 10
	}
	return 99
}

// entityName is the name in &name;, or "".
func entityName(ref string) string {
	i := 1
	for i < len(ref) && class[ref[i]]&className != 0 {
		i++
	}
	if i == 1 || i == len(ref) || ref[i] != ';' || class[ref[1]]&classNameStart == 0 {
		return ""
	}
	return ref[1:i]
}
