package aml

import (
	"bytes"
	"slices"
)

// maxSession is how far into a document its session header is looked for: real ones end within 2 KiB.
const maxSession = 64 << 10

// Vias lists what the session header's path says about the way that a document took, the first station first. It is
// empty for a document without such a header, such as MML.
func Vias(doc []byte) []string {
	p := findPath(doc)
	out := make([]string, 0, len(p.vias))
	for _, v := range p.vias {
		out = append(out, unescapeText(doc[v[0]:v[1]]))
	}
	return out
}

// InsertVia writes doc with one more station at the end of its session's path behind dst, in the prefix that the
// document uses there; nothing else is changed. ok is false, and dst comes back as it was, when the document has no such
// path. via is text without control characters.
func InsertVia(dst, doc []byte, via string) (out []byte, ok bool) {
	p := findPath(doc)
	if !p.found {
		return dst, false
	}
	dst = slices.Grow(dst, len(doc)+len(via)+64)
	dst = append(dst, doc[:p.end]...)
	if p.empty { // <x:Path/> becomes <x:Path>…</x:Path>
		dst = append(bytes.TrimRight(dst, "/ \t\r\n"), '>')
	}
	dst = appendTag(dst, "<", p.prefix, "Via")
	dst = appendEscaped(dst, via)
	dst = appendTag(dst, "</", p.prefix, "Via")
	if p.empty {
		dst = appendTag(dst, "</", p.prefix, "Path")
		return append(dst, doc[p.end+1:]...), true
	}
	return append(dst, doc[p.end:]...), true
}

func appendTag(dst []byte, open string, prefix []byte, name string) []byte {
	dst = append(dst, open...)
	dst = append(dst, prefix...)
	dst = append(dst, name...)
	return append(dst, '>')
}

var escapes = map[byte]string{'&': "&amp;", '<': "&lt;", '>': "&gt;"}

func appendEscaped(dst []byte, s string) []byte {
	for i := range len(s) {
		if e, ok := escapes[s[i]]; ok {
			dst = append(dst, e...)
		} else {
			dst = append(dst, s[i])
		}
	}
	return dst
}

func unescapeText(b []byte) string {
	b = bytes.TrimSpace(b)
	if bytes.IndexByte(b, '&') < 0 {
		return string(b)
	}
	for c, e := range escapes {
		if c != '&' {
			b = bytes.ReplaceAll(b, []byte(e), []byte{c})
		}
	}
	return string(bytes.ReplaceAll(b, []byte("&amp;"), []byte("&")))
}

// path is where the session's path stands in a document.
type path struct {
	found  bool
	empty  bool   // written as one tag; end is then the place of its ">"
	end    int    // of the closing tag's "<"
	prefix []byte // with its colon
	vias   [][2]int
}

// findPath walks over the tags of the session header. It needs no more of XML than where tags, comments and sections
// begin and end: what is out of form there has no path.
func findPath(doc []byte) (p path) {
	doc = doc[:min(len(doc), maxSession)]
	via := -1
	inSession, inPath := false, false
	for i := 0; ; {
		t, ok := nextTag(doc, i)
		if !ok {
			return path{}
		}
		i = t.after
		switch name := string(t.local); {
		case name == "Body":
			return path{}
		case name == "Session" && !t.closing:
			inSession = true
		case name == "Session":
			return path{}
		case name == "Path" && inSession && t.selfClosing:
			return path{found: true, empty: true, end: t.after - 1, prefix: t.prefix}
		case name == "Path" && inSession && !t.closing:
			inPath = true
		case name == "Path" && inPath:
			p.found, p.end, p.prefix = true, t.start, t.prefix
			return p
		case name == "Via" && inPath && !t.closing && !t.selfClosing:
			via = t.after
		case name == "Via" && inPath && t.closing && via >= 0:
			p.vias = append(p.vias, [2]int{via, t.start})
			via = -1
		}
	}
}

// tag is one tag of a document.
type tag struct {
	start, after         int // of "<", and behind ">"
	prefix, local        []byte
	closing, selfClosing bool
}

// nextTag finds the next tag from i on, past comments, sections and instructions.
func nextTag(doc []byte, i int) (t tag, ok bool) {
	for {
		n := bytes.IndexByte(doc[i:], '<')
		if n < 0 {
			return t, false
		}
		i += n
		skipped := false
		for _, s := range [...][2]string{{"<!--", "-->"}, {"<![CDATA[", "]]>"}, {"<?", "?>"}, {"<!", ">"}} {
			if bytes.HasPrefix(doc[i:], []byte(s[0])) {
				end := bytes.Index(doc[i+len(s[0]):], []byte(s[1]))
				if end < 0 {
					return t, false
				}
				i += len(s[0]) + end + len(s[1])
				skipped = true
				break
			}
		}
		if !skipped {
			return readTag(doc, i)
		}
	}
}

func readTag(doc []byte, start int) (t tag, ok bool) {
	i := start + 1
	if i < len(doc) && doc[i] == '/' {
		t.closing = true
		i++
	}
	name := i
	for i < len(doc) && !bytes.ContainsRune([]byte(" \t\r\n/>"), rune(doc[i])) {
		i++
	}
	full := doc[name:i]
	if colon := bytes.LastIndexByte(full, ':'); colon >= 0 {
		t.prefix, t.local = full[:colon+1], full[colon+1:]
	} else {
		t.local = full
	}
	quote := byte(0)
	for ; i < len(doc); i++ {
		switch c := doc[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			t.start, t.after, t.selfClosing = start, i+1, doc[i-1] == '/' && !t.closing
			return t, true
		}
	}
	return t, false
}
