package aml

import (
	"strings"
	"unicode/utf8"
)

// instruction passes over <?...?>; of the XML declaration it checks version and encoding.
func (s *scanner) instruction() *fault {
	start := s.pos + 2
	i := start
	for i < len(s.src) && class[s.src[i]]&className != 0 {
		i++
	}
	switch {
	case i == len(s.src):
		return s.cut()
	case i == start || class[s.src[start]]&classNameStart == 0 || !validName(s.src[start:i]):
		return soft(start, "a name was expected after <?")
	}
	target := s.src[start:i]
	i = s.skipSpace(i)
	n := strings.Index(s.src[i:], "?>")
	if n < 0 {
		return s.cut()
	}
	content := s.src[i : i+n]
	s.pos = i + n + len("?>")
	if target != "xml" {
		return nil
	}
	if v := pseudoAttr("version", content); v != "" && v != "1.0" {
		return hard(start, "XML version "+clip(v)+" is not supported; send version 1.0")
	}
	return s.checkEncoding(start, pseudoAttr("encoding", content))
}

// checkEncoding refuses what recode has not made UTF-8.
func (s *scanner) checkEncoding(offset int, name string) *fault {
	enc, known := encodings[strings.ToLower(name)]
	if name == "" || known && (enc == nil || s.recoded) {
		return nil
	}
	return hard(offset, "encoding "+clip(name)+" is not supported; send UTF-8")
}

// pseudoAttr finds name="value" in an XML declaration; "" when it is not there.
func pseudoAttr(name, content string) string {
	for {
		_, rest, ok := strings.Cut(content, name+"=")
		if !ok || rest == "" {
			return ""
		}
		if quote := rest[0]; quote == '"' || quote == '\'' {
			value, _, ok := strings.Cut(rest[1:], rest[:1])
			if !ok {
				return ""
			}
			return value
		}
		content = rest[1:]
	}
}

// declaration reads what begins with <!: text reports a CDATA section, comments are passed over, a document type
// declaration is taken or refused.
func (s *scanner) declaration() (text bool, f *fault) {
	rest := s.src[s.pos:]
	switch {
	case strings.HasPrefix(rest, "<![CDATA["):
		return true, s.section(s.pos + len("<![CDATA["))
	case strings.HasPrefix(rest, "<!--"):
		return false, s.comment()
	case strings.HasPrefix("<![CDATA[", rest), strings.HasPrefix("<!--", rest), strings.HasPrefix("<!DOCTYPE", rest):
		return false, s.cut()
	case strings.HasPrefix(rest, "<!DOCTYPE"):
		return false, s.documentType()
	}
	return false, hard(s.pos, "a declaration other than a comment or a CDATA section is refused")
}

func (s *scanner) comment() *fault {
	start := s.pos + len("<!--")
	n := strings.Index(s.src[start:], "--")
	if n < 0 || start+n+2 == len(s.src) {
		return s.cut()
	}
	if s.src[start+n+2] != '>' {
		if !s.lenient {
			return soft(start+n, "-- stands inside a comment")
		}
		if n = strings.Index(s.src[start:], "-->"); n < 0 {
			return s.cut()
		}
		s.malformed = true
	}
	s.pos = start + n + len("-->")
	return nil
}

// mmlDoctype is the one document type that is taken. Its DTD is never read.
const mmlDoctype = "mml"

// documentType takes <!DOCTYPE mml SYSTEM "..."> ahead of the root element and refuses any other.
func (s *scanner) documentType() *fault {
	refused := hard(s.pos, "document type declarations and entities are refused; send the message without <!DOCTYPE")
	rest, ok := strings.CutPrefix(s.src[s.pos+len("<!DOCTYPE"):], " ")
	rest, isMML := strings.CutPrefix(strings.TrimLeft(rest, " \t\r\n"), mmlDoctype)
	if !ok || !isMML || s.elements > 0 || s.doctype != "" || rest == "" || class[rest[0]]&className != 0 {
		return refused
	}
	rest = strings.TrimLeft(rest, " \t\r\n")
	literals := 0
	if r, ok := strings.CutPrefix(rest, "SYSTEM"); ok {
		rest, literals = r, 1
	} else if r, ok := strings.CutPrefix(rest, "PUBLIC"); ok {
		rest, literals = r, 2
	}
	for range literals {
		if rest, ok = cutLiteral(rest); !ok {
			return refused
		}
	}
	rest = strings.TrimLeft(rest, " \t\r\n")
	if !strings.HasPrefix(rest, ">") {
		return refused
	}
	s.doctype = mmlDoctype
	s.pos = len(s.src) - len(rest) + 1
	return nil
}

// cutLiteral takes a quoted string off the front of s.
func cutLiteral(s string) (rest string, ok bool) {
	s = strings.TrimLeft(s, " \t\r\n")
	if s == "" || s[0] != '"' && s[0] != '\'' {
		return "", false
	}
	_, rest, ok = strings.Cut(s[1:], s[:1])
	return rest, ok
}

// encodings are the names that an XML declaration may give (IANA character sets). The value is what the bytes 0x80 to
// 0x9F stand for; nil where the bytes are UTF-8 as they are.
var encodings = map[string]*[32]rune{
	"utf-8": nil, "utf8": nil, "us-ascii": nil, "ascii": nil,
	"iso-8859-1": &latin1, "iso_8859-1": &latin1, "latin1": &latin1, "latin-1": &latin1, "l1": &latin1,
	"windows-1252": &windows1252, "cp1252": &windows1252,
}

var latin1 = func() (t [32]rune) {
	for i := range t {
		t[i] = rune(0x80 + i)
	}
	return t
}()

// windows1252 gives U+FFFD for its five unassigned bytes.
var windows1252 = [32]rune{
	0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0xFFFD, 0x017D, 0xFFFD,
	0xFFFD, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0xFFFD, 0x017E, 0x0178,
}

// recode makes UTF-8 of a document whose XML declaration names ISO-8859-1 or windows-1252; done reports that it has.
func recode(src string) (out string, done bool) {
	head := strings.TrimLeft(src, " \t\r\n")
	if !strings.HasPrefix(head, "<?xml") {
		return src, false
	}
	head, _, _ = strings.Cut(head, "?>")
	upper := encodings[strings.ToLower(pseudoAttr("encoding", head))]
	if upper == nil {
		return src, false
	}
	b := make([]byte, 0, len(src)+len(src)/8)
	for i := range len(src) {
		switch c := src[i]; {
		case c < utf8.RuneSelf:
			b = append(b, c)
		case c < 0xA0:
			b = utf8.AppendRune(b, upper[c-0x80])
		default:
			b = utf8.AppendRune(b, rune(c))
		}
	}
	return string(b), true
}

// utf16 reports whether a document begins like UTF-16 in either byte order, with or without a byte order mark.
func utf16(b []byte) bool {
	if len(b) < 2 {
		return false
	}
	switch [2]byte{b[0], b[1]} {
	case [2]byte{0xFE, 0xFF}, [2]byte{0xFF, 0xFE}, [2]byte{0, '<'}, [2]byte{'<', 0}:
		return true
	}
	return false
}
