package syslog

import (
	"bytes"
	"time"
)

// Lengths of the fields, RFC 5424 section 6.
const (
	maxHost   = 255
	maxApp    = 48
	maxProcID = 128
	maxMsgID  = 32
)

// versioned takes a line that begins with a version: RFC 5424, or Meraki, which only looks like it. It answers false
// for a number that is none.
func (p *Parser) versioned(b []byte, received time.Time, l *Line) bool {
	n := digits(b, 0)
	if n > 3 || b[0] == '0' || n >= len(b) || b[n] != ' ' {
		return false
	}
	i := skipSpaces(b, n)
	switch {
	case i >= len(b):
		return false
	case b[i] == '-' && (i+1 == len(b) || b[i+1] == ' ') && l.PRI >= 0:
		l.Dialect = RFC5424
		p.fields(b, i+1, received, l)
		return true
	case !digit(b[i]):
		return false
	}
	if m := scanEpoch(b, i, l); m > 0 && (l.PRI >= 0 || l.Digits > 0) {
		l.meraki(b, m)
		return true
	}
	var r reading
	m := quickISO(b[i:], &r)
	if m == 0 {
		m = scanStamp(b[i:], &r)
	}
	if m == 0 || r.yearFirst || i+10 >= len(b) || b[i+4] != '-' || b[i+10]|0x20 != 't' {
		return false
	}
	if i+m < len(b) && b[i+m] != ' ' {
		return false
	}
	p.settle(&r, received, l)
	l.Dialect = RFC5424
	p.fields(b, i+m, received, l)
	return true
}

// fields reads host, program, process, message ID and what follows them from i on, where a space stands.
func (p *Parser) fields(b []byte, i int, received time.Time, l *Line) {
	first := skipSpaces(b, i)
	var at [4][]byte
	n, end := fourFields(b, first, &at, false)
	if !sdFollows(b, end) {
		if l.bsdTail(b[first:], at[0], at[1]) {
			return
		}
		n, end = fourFields(b, first, &at, true)
	}
	i = end
	l.header(field(at[0], maxHost, l))
	l.Program, l.PID = field(at[1], maxApp, l), field(at[2], maxProcID, l)
	l.MessageID = field(at[3], maxMsgID, l)
	if n < len(at) {
		l.Flags |= FlagHeaderForm
	}
	p.message(b[min(i, len(b)):], received, l)
}

// message reads structured data and text from b, which begins with the space in front of them.
func (p *Parser) message(b []byte, received time.Time, l *Line) {
	l.Mnemonic = l.MessageID
	l.Text = l.structured(b)
	l.makers()
	if len(l.Text) == 0 {
		return
	}
	if c := l.Text[0]; (c == 'C' || c == 'L' || c == '1' || c == 'd') && l.payload() {
		return
	}
	if bytes.IndexByte(l.Text[:min(len(l.Text), maxHeader)], '%') >= 0 { // asked here, as quoted needs a large frame
		p.quoted(received, l)
	}
}

// fourFields cuts up to four tokens off b from i on and gives how many there are and where they end. With early set it
// stops where structured data or UTF-8 text begins, as senders leave fields out.
func fourFields(b []byte, i int, at *[4][]byte, early bool) (n, end int) {
	*at = [4][]byte{}
	for ; n < len(at); n++ {
		start := skipSpaces(b, i)
		if start >= len(b) || early && n > 0 && (b[start] == '[' || b[start] >= 0x80) {
			break
		}
		i = token(b, start)
		at[n] = b[start:i]
	}
	return n, i
}

// makers recognises the message IDs of BIG-IP and the structured data of Junos.
func (l *Line) makers() {
	if n := len(l.MessageID); n == f5Digits+3 && l.MessageID[n-1] == ':' && l.MessageID[n-3] == ':' {
		l.Vendor, l.MessageID = VendorF5, l.MessageID[:f5Digits]
		l.Mnemonic = l.MessageID
	}
	if hasPrefixAt(l.ParamRegion, 0, "[junos@2636.") {
		l.Vendor = VendorJunos
		l.engine()
	}
}

// sdFollows reports whether structured data, or its nil value, stands behind the four fields.
func sdFollows(b []byte, i int) bool {
	i = skipSpaces(b, i)
	return i < len(b) && (b[i] == '[' || b[i] == '-' && (i+1 == len(b) || b[i+1] == ' '))
}

// bsdTail reads what some senders write behind a stamp of RFC 5424 as if it were RFC 3164: a tag, or host and tag.
func (l *Line) bsdTail(b, first, second []byte) bool {
	switch {
	case len(first) > 0 && hasPID(bytes.TrimSuffix(first, []byte(":"))):
		l.Text = b
	case len(second) > 0 && (second[len(second)-1] == ':' || hasPID(second)):
		l.header(first)
		l.Text = b[skipSpaces(b, len(first)):]
	default:
		return false
	}
	l.Flags |= FlagHeaderForm
	l.bsdTag()
	l.vendorText()
	return true
}

// field is a header field without its nil value, flagged when it is too long.
func field(f []byte, limit int, l *Line) []byte {
	if len(f) == 0 || len(f) == 1 && f[0] == '-' {
		return nil
	}
	if len(f) > limit {
		l.Flags |= FlagFieldLength
	}
	return f
}

// structured takes structured data, or its nil value, off b, which begins with a space, and gives the text.
func (l *Line) structured(b []byte) []byte {
	i := skipSpaces(b, 0)
	if i >= len(b) {
		return nil
	}
	if b[i] == '-' && (i+1 == len(b) || b[i+1] == ' ') {
		i++
	} else if b[i] == '[' {
		n := l.scanSD(b[i:])
		if n == 0 {
			l.Flags |= FlagSDInvalid
			return b[i:]
		}
		l.ParamForm, l.ParamRegion = ParamsSD, b[i:i+n]
		i += n
	} else {
		l.Flags |= FlagHeaderForm
		return b[i:]
	}
	if i < len(b) && b[i] == ' ' {
		i++
	}
	if hasPrefixAt(b, i, bom) {
		i += len(bom)
	}
	return b[i:]
}

// quoted reads a core inside the text of RFC 5424, where IOS XE, XR and NX-OS keep it: at the start, or behind a header
// of its own.
func (p *Parser) quoted(received time.Time, l *Line) {
	t := l.Text[:min(len(l.Text), maxHeader)]
	var c core
	if !findCore(t, 0, &c) {
		return
	}
	if c.at > 0 {
		var x prefix
		pri, n, odd := scanPRI(t)
		if odd != 0 {
			return
		}
		if !x.scan(p, t[n:c.at]) || !x.plausible() || x.n > 0 && x.stamps == 0 && x.node == nil && x.nn == 0 && x.where == nil {
			return
		}
		if n > 0 { // the device's own PRI behind a relay's header
			l.Relay.PRI = l.PRI
			l.Flags |= FlagRelayed
			l.setPRI(pri)
		}
		if x.node != nil {
			l.Node = x.node
		}
		if x.nn > 0 && l.Seq < 0 {
			x.numbers(l)
		}
		if x.n > 0 && x.words[0].colon && !hasPID(x.words[0].text) {
			l.Relay.Host = l.Host // the device names itself: the header is a relay's
			l.Flags |= FlagRelayed
			l.header(x.words[0].text)
		}
		if l.Time.IsZero() {
			x.times(p, received, l)
		}
		l.Accuracy = x.accuracy
	}
	scanCore(l.Text, c.at, &c)
	l.own(c.severity)
	l.CoreFacility, l.Mnemonic, l.Text = c.facility, c.mnemonic, l.Text[c.end:]
	switch {
	case firewallFamily(c.facility):
		l.MessageID = c.mnemonic
	case ucsFamily(c.facility), fxosFamily(c.facility), bytes.HasPrefix(c.facility, []byte("LOG_")):
		l.brackets()
	}
}
