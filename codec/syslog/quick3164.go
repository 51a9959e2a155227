package syslog

import (
	"bytes"
	"time"
)

// quick3164 reads the header of `Jun 13 21:07:15 host tag: text`, the tag with or without [pid], where nothing in it
// could mean anything else. It answers false for any other line, and has then changed nothing. A test holds it against
// the general way.
func (p *Parser) quick3164(b []byte, received time.Time, l *Line) bool {
	q := quickLine{first: -1, second: -1}
	if len(b) < len("Jun 13 21:07:15 h t:") || quickMonth(b, 0) == 0 || p.Pinned == Junos {
		return false
	}
	i := q.stamp(b, 0)
	if i < 0 || i >= len(b) || b[i] != ' ' {
		return false
	}
	end := quickName(b, i+1)
	if end == i+1 || end+1 >= len(b) || b[end] != ' ' || !quickTag(b, end+1) || !quickHost(b[i+1:end]) || p.noHost(b[i+1:end]) {
		return false
	}
	head := b[:min(len(b), maxHeader)]
	if bytes.IndexByte(head, '%') >= 0 || bytes.IndexByte(head[:min(len(head), maxRelayHeader)], '<') >= 0 || !q.settle(received) {
		return false // there may be a core, or a message that a relay wrapped
	}
	q.fillTime(p, l)
	l.Dialect = RFC3164
	l.header(b[i+1 : end])
	l.Text = b[end+1:]
	l.afterHost()
	return true
}

// quickTag reports whether a tag that a colon or a bracket closes begins at i.
func quickTag(b []byte, i int) bool {
	n := quickName(b, i)
	return n < len(b) && (b[n] == ':' || b[n] == '[') && class[b[i]]&isAlpha != 0
}

// noHost reports whether a word behind a stamp is something else than a host: a zone, a level, the category of ISE.
func (p *Parser) noHost(w []byte) bool {
	if _, _, known := p.zoneOf(w); known || levelWord(w) {
		return true
	}
	return hasPrefixAt(w, 0, "CISE_") || hasPrefixAt(w, 0, "CSCOacs_")
}
