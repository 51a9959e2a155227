package ciscolog

import "bytes"

// letterSeverities are the letters that older senders write for a severity: fatal, alert, critical, error, warning,
// notice, informational, debug.
const letterSeverities = "FACEWNID"

// header is HEADER as the tolerant parser reads it.
type header struct {
	app, sub, name []byte
	severity       int8 // -1 when there is none
	flags          Flags
	end            int // index behind it
}

// parseHeader reads HEADER at the start of b, up to the first colon or space. A header without a severity digit or letter
// is believed only behind a time stamp.
func parseHeader(b []byte, stamped bool) (h header, ok bool) {
	h.end = len(b)
	if i := bytes.IndexAny(b, ": "); i >= 0 {
		h.end = i
	}
	token := b[:h.end]
	if len(token) == 0 {
		return h, false
	}
	if !h.split(token) {
		if !stamped {
			return h, false
		}
		h.guess(token)
	}
	if i := bytes.IndexByte(h.app, '-'); i >= 0 {
		h.sub = h.app[i+1:]
	}
	if !validName(h.app, MaxApp) || !validName(h.name, MaxName) {
		h.flags |= FlagHeaderForm
	}
	return h, true
}

// split cuts the header at its severity: the first digit, else the first letter, else a digit at the end.
func (h *header) split(token []byte) bool {
	if at := severityAt(token, "01234567"); at >= 0 {
		h.app, h.name, h.severity = token[:at-1], token[at+2:], int8(token[at]-'0')
		return true
	}
	if at := severityAt(token, letterSeverities); at >= 0 {
		h.app, h.name = token[:at-1], token[at+2:]
		h.severity = int8(bytes.IndexByte([]byte(letterSeverities), token[at]))
		h.flags |= FlagSeverity
		return true
	}
	if n := len(token); n > 2 && token[n-2] == '-' && token[n-1]-'0' < 8 {
		h.app, h.severity = token[:n-2], int8(token[n-1]-'0')
		return true
	}
	return false
}

// severityAt is the index of the first octet out of digits that has a dash on both sides; -1 when there is none.
func severityAt(token []byte, digits string) int {
	for i := 1; i+1 < len(token); i++ {
		if token[i-1] == '-' && token[i+1] == '-' && bytes.IndexByte([]byte(digits), token[i]) >= 0 {
			return i
		}
	}
	return -1
}

// guess cuts a header that has no usable severity: at one octet between dashes, else at its first two dashes.
func (h *header) guess(token []byte) {
	h.severity = -1
	h.flags |= FlagSeverity
	for i := 1; i+1 < len(token); i++ {
		if token[i-1] == '-' && token[i+1] == '-' {
			h.app, h.name = token[:i-1], token[i+2:]
			return
		}
	}
	app, rest, _ := bytes.Cut(token, []byte{'-'})
	h.app, h.name = app, rest
	if _, name, found := bytes.Cut(rest, []byte{'-'}); found {
		h.name = name
	}
}

// looseHeader puts the header into r.
func (r *Record) looseHeader(h *header) {
	r.App, r.Sub, r.Name, r.Severity = h.app, h.sub, h.name, h.severity
	r.Flags |= h.flags
}
