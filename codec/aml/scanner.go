package aml

import "strings"

// token is what the scanner stands on.
type token uint8

const (
	tokenEnd   token = iota // an end tag, or the second half of <x/>
	tokenStart              // a start tag: name, attrs
	tokenText               // character data or a CDATA section: text, cdata
	tokenEOF                // the end of the document with no element open
)

// attr is one attribute; prefix is "" where the name has none.
type attr struct{ prefix, local, value string }

// scanner walks over a document. The fields of the current token hold until next is called again.
type scanner struct {
	src      string
	pos      int
	lenient  bool // repair what devices are known to print
	recoded  bool // src was ISO-8859-1 or windows-1252 and is UTF-8 now
	elements int
	open     []string // qualified names of the open elements
	doctype  string   // the name in the document type declaration

	name    string // qualified name of a start or end tag
	colon   int    // where its prefix ends, -1 without one
	attrs   []attr
	at      int // where a text begins in src
	text    string
	cdata   bool
	closing bool // the start tag was <x/>: its end comes next
	layout  bool // set by who calls next: a line feed alone before a tag is not wanted here

	badChars  bool   // lenient: characters were replaced
	malformed bool   // lenient: markup was repaired
	scratch   []byte // text with references, while it is put together
}

// fault is where and why a document is refused. A hard one is not worth a lenient scan.
type fault struct {
	offset int
	reason string
	hard   bool
}

func (f *fault) Error() string { return f.reason }

func soft(offset int, reason string) *fault { return &fault{offset: offset, reason: reason} }
func hard(offset int, reason string) *fault {
	return &fault{offset: offset, reason: reason, hard: true}
}

func (s *scanner) reset(src string, lenient, recoded bool) {
	clear(s.open[:cap(s.open)])
	clear(s.attrs[:cap(s.attrs)])
	*s = scanner{
		src: src, lenient: lenient, recoded: recoded,
		open: s.open[:0], attrs: s.attrs[:0], scratch: s.scratch[:0],
	}
}

func (s *scanner) prefix() string { return s.name[:max(s.colon, 0)] }
func (s *scanner) local() string  { return s.name[s.colon+1:] }

// next goes to the next token. Comments and processing instructions are passed over.
func (s *scanner) next() (token, *fault) {
	if s.closing {
		s.closing = false
		s.open = s.open[:len(s.open)-1]
		return tokenEnd, nil
	}
	for s.pos < len(s.src) {
		if s.src[s.pos] != '<' {
			if s.layout && s.src[s.pos] == '\n' && s.pos+1 < len(s.src) && s.src[s.pos+1] == '<' {
				s.pos++
				continue
			}
			return tokenText, s.charData()
		}
		if s.pos+1 == len(s.src) {
			return tokenEOF, s.cut()
		}
		switch s.src[s.pos+1] {
		case '/':
			return tokenEnd, s.endTag()
		case '?':
			if f := s.instruction(); f != nil {
				return tokenEOF, f
			}
		case '!':
			text, f := s.declaration()
			if text || f != nil {
				return tokenText, f
			}
		default:
			return tokenStart, s.startTag()
		}
	}
	if len(s.open) > 0 {
		return tokenEOF, s.cut()
	}
	return tokenEOF, nil
}

// cut is the fault of a document that ends too early.
func (s *scanner) cut() *fault {
	if len(s.open) > 0 {
		return hard(len(s.src), "the document ends inside <"+s.open[len(s.open)-1]+">; it was cut off on the way")
	}
	return hard(len(s.src), "the document ends inside a tag; it was cut off on the way")
}

// readName reads a qualified name at i; colon is the place of its colon in the name, -1 when no prefix ends there.
func (s *scanner) readName(i int) (end, colon int, f *fault) {
	start, colons := i, 0
	colon = -1
	var seen byte
	for {
		for i < len(s.src) && class[s.src[i]]&(className|classColon) == className {
			seen |= s.src[i]
			i++
		}
		if i == len(s.src) || s.src[i] != ':' {
			break
		}
		colons, colon = colons+1, i-start
		i++
	}
	switch {
	case i == len(s.src):
		return 0, 0, s.cut()
	case i == start, class[s.src[start]]&classNameStart == 0, colons > 1, seen >= 0x80 && !validName(s.src[start:i]):
		return 0, 0, soft(start, "a name was expected here")
	case i-start > maxNameBytes:
		return 0, 0, hard(start, "a name is longer than the limit of 256 bytes")
	}
	if colon == 0 || colon == i-start-1 {
		colon = -1
	}
	return i, colon, nil
}

func (s *scanner) skipSpace(i int) int {
	for i < len(s.src) && class[s.src[i]]&classSpace != 0 {
		i++
	}
	return i
}

func (s *scanner) startTag() *fault {
	start := s.pos + 1
	i, colon, f := s.readName(start)
	if f != nil {
		return f
	}
	s.name, s.colon, s.attrs = s.src[start:i], colon, s.attrs[:0]
	if s.elements++; s.elements > maxElements {
		return hard(start, "the document has more than 100,000 elements")
	}
	if len(s.open) >= maxDepth {
		return hard(start, "elements are nested more than 64 deep")
	}
	for {
		i = s.skipSpace(i)
		if i == len(s.src) {
			return s.cut()
		}
		switch s.src[i] {
		case '>':
			s.pos, s.open = i+1, append(s.open, s.name)
			return nil
		case '/':
			if i+1 == len(s.src) {
				return s.cut()
			}
			if s.src[i+1] != '>' {
				return soft(i, "> was expected after / in a tag")
			}
			s.pos, s.open, s.closing = i+2, append(s.open, s.name), true
			return nil
		}
		if i, f = s.attribute(start, i); f != nil {
			return f
		}
	}
}

// attribute reads one attribute at i of the tag whose name begins at tag, and gives the place behind it.
func (s *scanner) attribute(tag, i int) (int, *fault) {
	end, colon, f := s.readName(i)
	if f != nil {
		return 0, f
	}
	name := s.src[i:end]
	at := s.skipSpace(end)
	if at == len(s.src) {
		return 0, s.cut()
	}
	if s.src[at] != '=' {
		if s.lenient && len(s.attrs) == 0 { // a blank inside the element's name, such as ch:Call Home
			s.name, s.malformed = s.src[tag:end], true
			return end, nil
		}
		return 0, soft(i, "attribute "+name+" has no value")
	}
	at = s.skipSpace(at + 1)
	if at == len(s.src) {
		return 0, s.cut()
	}
	quote := s.src[at]
	if quote != '"' && quote != '\'' {
		return 0, soft(at, "the value of attribute "+name+" is not in quotes")
	}
	n := strings.IndexByte(s.src[at+1:], quote)
	switch {
	case n < 0:
		return 0, s.cut()
	case n > maxAttrBytes:
		return 0, hard(at, "attribute "+name+" is longer than the limit of 64 KiB")
	case len(s.attrs) >= maxAttributes:
		return 0, hard(at, "an element has more than 64 attributes")
	}
	value, f := s.attrValue(at+1, s.src[at+1:at+1+n])
	if f != nil {
		return 0, f
	}
	s.attrs = append(s.attrs, attr{prefix: name[:max(colon, 0)], local: name[colon+1:], value: value})
	return at + n + 2, nil
}

func (s *scanner) endTag() *fault {
	start := s.pos + 2
	if len(s.open) == 0 {
		return soft(s.pos, "an end tag stands where no element is open")
	}
	top := s.open[len(s.open)-1]
	if end := start + len(top); end < len(s.src) && s.src[end] == '>' && s.src[start:end] == top {
		s.pos, s.open = end+1, s.open[:len(s.open)-1]
		return nil
	}
	n := strings.IndexByte(s.src[start:], '>')
	if n < 0 {
		return s.cut()
	}
	name := s.src[start : start+n]
	for len(name) > 0 && class[name[len(name)-1]]&classSpace != 0 {
		name = name[:len(name)-1]
	}
	if name != top {
		if !s.lenient || squeeze(name) != squeeze(top) {
			return soft(s.pos, "<"+top+"> is closed by </"+clip(name)+">")
		}
		s.malformed = true
	}
	s.pos, s.open = start+n+1, s.open[:len(s.open)-1]
	return nil
}

// squeeze takes the blanks out of an illegal name.
func squeeze(name string) string {
	if strings.IndexByte(name, ' ') < 0 {
		return name
	}
	return strings.ReplaceAll(name, " ", "")
}

// clip shortens what an error quotes.
func clip(s string) string {
	const quoted = 64
	if len(s) > quoted {
		return strings.ToValidUTF8(s[:quoted], "") + "..."
	}
	return s
}
