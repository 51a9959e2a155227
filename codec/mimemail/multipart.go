package mimemail

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"mime"
	"strings"
)

// appendContent writes the content's header fields and the content: the body alone, with its HTML as an alternative
// (RFC 2046 section 5.1.4), and with files after it (section 5.1.3).
func appendContent(dst []byte, kind string, m *Mail) []byte {
	if len(m.Files) == 0 {
		return appendText(dst, kind, m)
	}
	line := boundary(m, "mixed")
	dst = appendField(dst, "Content-Type", `multipart/mixed; boundary="`+line+`"`)
	dst = append(dst, "\r\n--"+line+"\r\n"...)
	dst = appendText(dst, kind, m)
	for _, f := range m.Files {
		dst = append(dst, "\r\n--"+line+"\r\n"...) // the line end before it belongs to it, not to the part
		dst = appendFile(dst, &f)
	}
	return append(dst, "\r\n--"+line+"--\r\n"...)
}

func appendText(dst []byte, kind string, m *Mail) []byte {
	if m.HTML == nil {
		dst = appendField(dst, "Content-Type", kind+"; charset=utf-8")
		return appendBody(dst, m.Body)
	}
	line := boundary(m, "alternative")
	dst = appendField(dst, "Content-Type", `multipart/alternative; boundary="`+line+`"`)
	for _, part := range []struct {
		kind string
		body []byte
	}{{kind, m.Body}, {"text/html", m.HTML}} {
		dst = append(dst, "\r\n--"+line+"\r\n"...)
		dst = appendField(dst, "Content-Type", part.kind+"; charset=utf-8")
		dst = appendBody(dst, part.body)
	}
	return append(dst, "\r\n--"+line+"--\r\n"...)
}

func appendFile(dst []byte, f *File) []byte {
	kind := f.Type
	if kind == "" {
		kind = TypeText + "; charset=utf-8"
	}
	name := strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, r) {
			return '-'
		}
		return r
	}, plain(f.Name))
	dst = appendField(dst, "Content-Type", kind)
	dst = appendField(dst, "Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	return appendBody(dst, f.Body)
}

// boundary is a line that stands in no part; the same mail has the same ones.
func boundary(m *Mail, role string) string {
	for n := 0; ; n++ {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d\x00%s\x00%s", role, n, m.MessageID, m.Body))
		line := "=_callhome_" + hex.EncodeToString(sum[:12]) // "=_" stands in no quoted-printable text
		if !inside(m, line) {
			return line
		}
	}
}

func inside(m *Mail, line string) bool {
	found := bytes.Contains(m.Body, []byte(line)) || bytes.Contains(m.HTML, []byte(line))
	for _, f := range m.Files {
		found = found || bytes.Contains(f.Body, []byte(line))
	}
	return found
}
