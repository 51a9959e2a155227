package syslog

import (
	"bytes"
	"time"
)

// YearRule chooses the year of a stamp that has none.
type YearRule uint8

// The rules.
const (
	YearNearest YearRule = iota // the year that brings the stamp nearest to the time of receipt
	YearPast                    // likewise, but at most a week ahead of it
)

// Parser holds what is known of the senders. The zero value knows nothing and is ready to use; a Parser may be used by
// several goroutines as long as its fields stand still.
type Parser struct {
	// Zone is where the clock of a stamp without a zone runs. nil leaves such a stamp without an offset.
	Zone *time.Location
	// Zones are offsets, in seconds east of UTC, of zone names that are unknown or ambiguous; they win over our table.
	Zones map[string]int
	// Pinned is the dialect of this sender. It settles what content leaves open between IOS, NX-OS and CiscoLog, and
	// between Junos and any host; a line that clearly is of another dialect stays with that, as one address may carry
	// several. With IOS an unmarked date means that the clock is synchronised.
	Pinned Dialect
	// Year chooses the year of a stamp without one.
	Year YearRule
}

// maxHeader is how far into a line a core is looked for: no header of any device is longer.
const maxHeader = 1024

// Parse reads one line, a datagram or a frame, into l. It never fails: what it cannot read stays in l.Text. received is
// the time of receipt, which year inference needs; with the zero time a stamp without a year gets no instant. l aliases
// raw.
func (p *Parser) Parse(raw []byte, received time.Time, l *Line) {
	l.clear(raw)
	b := trimEnd(raw)
	if v, n := plainPRI(b); n > 0 && b[n] != ' ' && b[n] != originalAddress[0] {
		l.setPRI(v)
		b = b[n:]
	} else {
		if hasPrefixAt(b, 0, bom) {
			b = b[len(bom):]
		}
		b = l.forwarder(l.pri(b[skipSpaces(b, 0):]))
	}
	l.Text = b
	if len(b) == 0 || p.short(b, received, l) || digit(b[0]) && p.versioned(b, received, l) {
		return
	}
	p.general(b, received, l)
}

// short tries the short ways through the most common shapes. They read what the general way would read, only sooner.
func (p *Parser) short(b []byte, received time.Time, l *Line) bool {
	return p.quick5424(b, received, l) || p.quick(b, received, l) || p.quick3164(b, received, l) || p.quickXR(b, received, l)
}

// originalAddress is what Kiwi Syslog Server puts in front of a message that it forwards.
const originalAddress = "Original Address="

// forwarder takes the sender's address off that a forwarder has put in front.
func (l *Line) forwarder(b []byte) []byte {
	if !hasPrefixAt(b, 0, originalAddress) {
		return b
	}
	end := token(b, len(originalAddress))
	l.Relay.Host = b[len(originalAddress):end]
	l.Flags |= FlagRelayed
	return b[skipSpaces(b, end):]
}

// general reads what the short ways have left, and keeps a relay's view of the host where the device gave none.
func (p *Parser) general(b []byte, received time.Time, l *Line) {
	inner := p.unwrap(b, received, l)
	if inner == nil {
		p.body(b, received, l)
	} else if len(inner) > 0 && !(digit(inner[0]) && p.versioned(inner, received, l)) {
		p.body(inner, received, l)
	}
	if p.Pinned == Junos && l.Dialect == RFC3164 && l.Vendor == "" {
		l.Dialect = Junos // a process of Junos that no table has, and no tag
		l.junosText()
	}
	if l.Host == nil && l.Relay.Host != nil {
		l.Host, l.HostSource = l.Relay.Host, HostFromRelay
	}
}

// bom is the byte order mark that RFC 5424 puts in front of UTF-8 text.
const bom = "\xef\xbb\xbf"

// body tries the dialects in their order on the text behind PRI.
func (p *Parser) body(b []byte, received time.Time, l *Line) {
	head := b
	if len(head) > maxHeader {
		head = head[:maxHeader]
	}
	percent := bytes.IndexByte(head, '%')
	var c core
	if percent >= 0 && findCore(head, percent, &c) {
		if len(head) < len(b) {
			scanCore(b, c.at, &c)
		}
		if p.parseCisco(b, &c, received, l) {
			return
		}
	}
	if percent >= 0 && p.oddCiscoLog(head, received, l) {
		return
	}
	b = b[skipColon(b, 0):] // NX-OS without an origin
	if len(b) == 0 {
		return
	}
	if class[b[0]]&isAlpha != 0 {
		if month, _ := scanMonth(b); month != 0 && p.parse3164(b, received, l) {
			return
		}
	}
	switch {
	case p.bareXR(b, received, l), p.bareAire(b, received, l), p.bareIOS(b, received, l), l.iosXML(b):
	case p.parse3164(b, received, l):
	default:
		l.headless(b)
	}
}

// trimEnd takes the trailers off that datagrams and file lines may end in.
func trimEnd(b []byte) []byte {
	for len(b) > 0 && (b[len(b)-1] == '\n' || b[len(b)-1] == '\r' || b[len(b)-1] == 0) {
		b = b[:len(b)-1]
	}
	return b
}

// maxPRI is the longest run of digits between angles that is taken for a broken PRI and not for text.
const maxPRI = 10

// scanPRI reads <n> at the start of b: its length, 0 when there is none, and its value, -1 out of 0..191.
func scanPRI(b []byte) (value, n int, flags Flags) {
	if len(b) < 2 || b[0] != '<' {
		return -1, 0, 0
	}
	end := digits(b, 1)
	if end >= len(b) || b[end] != '>' || end-1 > maxPRI {
		return -1, 0, 0
	}
	value = int(number(b[1:end]))
	switch {
	case end == 1, end > 4 && b[1] != '0', value > 191:
		return -1, end + 1, FlagPRIForm
	case b[1] == '0' && end > 2:
		flags = FlagPRIForm
	}
	return value, end + 1, flags
}

// pri takes PRI off and gives what is behind it.
func (l *Line) pri(b []byte) []byte {
	v, n, flags := scanPRI(b)
	if n == 0 {
		return b
	}
	l.Flags |= flags
	if v >= 0 {
		l.setPRI(v)
	}
	return b[skipSpaces(b, n):]
}

// setPRI takes PRI apart.
func (l *Line) setPRI(v int) {
	l.PRI, l.Facility = int16(v), int8(v>>3)
	l.PRISeverity = Severity(v & 7)
	l.Severity = l.PRISeverity
}

// plainPRI reads a PRI of two or three digits, as scanPRI does, that something follows; its length is 0 for any other.
func plainPRI(b []byte) (value, n int) {
	if len(b) < len("<191>x") || b[0] != '<' || b[1] == '0' || !digit(b[1]) || !digit(b[2]) {
		return 0, 0
	}
	value = int(b[1]-'0')*10 + int(b[2]-'0')
	switch {
	case b[3] == '>':
		return value, len("<34>")
	case !digit(b[3]) || b[4] != '>':
		return 0, 0
	}
	if value = value*10 + int(b[3]-'0'); value > 191 {
		return 0, 0
	}
	return value, len("<191>")
}

// maxRelayHeader is how far from the start a second PRI is looked for.
const maxRelayHeader = 96

// unwrap finds a second PRI: the message as the device sent it, wrapped by a relay. What stands in front becomes relay
// data. It answers nil when there is none.
func (p *Parser) unwrap(b []byte, received time.Time, l *Line) []byte {
	at := bytes.IndexByte(b[:min(len(b), maxRelayHeader)], '<')
	if at < 0 || at > 0 && b[at-1] != ' ' {
		return nil
	}
	v, n, flags := scanPRI(b[at:])
	if v < 0 || n == 0 || flags != 0 {
		return nil
	}
	var x prefix
	if !x.scan(p, b[:at]) || x.n > 2 || x.nn > 0 || x.stamps > 1 || x.n > 0 && x.stamps == 0 {
		return nil
	}
	l.Relay.PRI = l.PRI
	if x.last.ok {
		var t Line
		p.settle(&x.last, received, &t)
		l.Relay.Time = t.Time
	}
	if x.n > 0 {
		l.Relay.Host = x.words[0].text
	}
	if x.n > 1 {
		l.Relay.Tag = x.words[1].text
	}
	l.Flags |= FlagRelayed
	rest := l.pri(b[at:])
	l.Text = rest
	return rest
}
