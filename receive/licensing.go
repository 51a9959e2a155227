package receive

import (
	"bytes"
	"regexp"
)

// Licensing agents of some devices post to the same address as Call Home does. Such a message asks for a licence, which
// nothing here gives: it is answered, counted, and neither kept nor forwarded, since it holds identity tokens. It is told
// from an alert about a licence (alert group "license") by its type alone; texts and attachments do not count.
const (
	maxTypes   = 8        // a message has two
	maxLooking = 64 << 10 // they stand within the first KiB
)

var (
	licensingType = regexp.MustCompile(`(?i)smart[ _-]?licens`)
	licensingJSON = regexp.MustCompile(`"(request_type|sl_request|smart_license[a-z_]*|license_request)\\?"\s*:`)
)

// IsLicensing reports whether a posted body is a message of a licensing agent.
func IsLicensing(body []byte) bool {
	head := body[:min(len(body), maxLooking)]
	if trimmed := bytes.TrimLeft(head, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '{' {
		return licensingJSON.Match(head)
	}
	for range maxTypes {
		text, rest, ok := nextType(head)
		if !ok {
			return false
		}
		if licensingType.Match(text) {
			return true
		}
		head = rest
	}
	return false
}

// nextType finds the next element called Type, in any namespace, outside comments and CDATA sections, and gives its text.
func nextType(b []byte) (text, rest []byte, ok bool) {
	for {
		i := bytes.IndexByte(b, '<')
		if i < 0 {
			return nil, nil, false
		}
		b = b[i:]
		for _, s := range [...][2]string{{"<!--", "-->"}, {"<![CDATA[", "]]>"}} {
			if bytes.HasPrefix(b, []byte(s[0])) {
				end := bytes.Index(b, []byte(s[1]))
				if end < 0 {
					return nil, nil, false
				}
				b = b[end:]
			}
		}
		end := bytes.IndexByte(b, '>')
		if end < 0 {
			return nil, nil, false
		}
		name, _, _ := bytes.Cut(bytes.TrimPrefix(b[:end], []byte("<")), []byte(" "))
		if colon := bytes.LastIndexByte(name, ':'); colon >= 0 && name[0] != '/' {
			name = name[colon+1:]
		}
		b = b[end+1:]
		if string(name) == "Type" {
			stop := bytes.IndexByte(b, '<')
			if stop < 0 {
				return nil, nil, false
			}
			return b[:stop], b[stop:], true
		}
	}
}
