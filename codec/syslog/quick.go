package syslog

import (
	"bytes"
	"time"
)

// quick reads the shapes that most lines of IOS and of firewalls have, without the general scan of a prefix:
//
//	[n: ] [host: ] [n: ] [*|.] Jun 13 [2026 ]21:07:15[.454] [ZONE]: %FAC-n-NAME: text
//	Jun 13 2026 21:07:15 [host ]: %ASA-n-123456: text
//
// It answers false for any other line and for all that needs a closer look, and has then changed nothing. A test holds it
// against the general way.
func (p *Parser) quick(b []byte, received time.Time, l *Line) bool {
	var q quickLine
	i := q.head(b)
	if i < 0 {
		return false
	}
	var r reading
	n := quickStamp(b, i, &r)
	if n == 0 {
		return false
	}
	if i = q.zoneOrHost(p, b, n, &r); i < 0 {
		return false
	}
	var c core
	if i >= len(b) || b[i] != '%' || !scanCore(b, i, &c) || c.letters || !c.severity.Valid() || len(c.mnemonic) == 0 {
		return false
	}
	firewall := firewallFamily(c.facility)
	if hasPrefixAt(b, c.end, "%") || !firewall && (p.Pinned == NXOS || q.special(&c, &r)) || string(q.host) == "-" || string(q.host) == "0.0.0.0" {
		return false
	}
	if q.host != nil {
		l.Host, l.HostSource = q.host, HostFromHeader
	}
	q.numbers(l)
	l.mark(q.accuracy, &r) // before a year is inferred
	p.settle(&r, received, l)
	l.own(c.severity)
	l.CoreFacility, l.Mnemonic, l.Text = c.facility, c.mnemonic, b[c.end:]
	if firewall {
		l.firewall()
	} else {
		p.iosLine(l)
	}
	return true
}

// quickLine is what stands around the stamp.
type quickLine struct {
	first, second []byte
	host          []byte
	accuracy      byte
	behind        bool // the host stands behind the stamp
}

// head reads counter, host, sequence number and accuracy mark, and gives where the stamp begins; -1 when the line is of
// another shape.
func (q *quickLine) head(b []byte) int {
	i := digits(b, 0)
	if i > 0 {
		if !hasPrefixAt(b, i, ": ") {
			return -1
		}
		q.first, i = b[:i], i+2
	}
	if i < len(b) && class[b[i]]&(isAlpha|isDigit) != 0 && !quickMonth(b, i) {
		n := i
		for n < len(b) && (class[b[n]]&(isName|isDash) != 0 || b[n] == '.') {
			n++
		}
		if !hasPrefixAt(b, n, ": ") {
			return -1
		}
		if digits(b, i) == n {
			if q.second, i = b[i:n], n+2; q.first == nil {
				return -1
			}
		} else {
			q.host, i = b[i:n], n+2
			if n = digits(b, i); n > i {
				if !hasPrefixAt(b, n, ": ") {
					return -1
				}
				q.second, i = b[i:n], n+2
			}
		}
	}
	if i < len(b) && (b[i] == '*' || b[i] == '.') {
		q.accuracy = b[i]
		i++
	}
	return i
}

// quickMonth reports whether a month and a space stand at i.
func quickMonth(b []byte, i int) bool {
	if i+4 > len(b) || b[i+3] != ' ' {
		return false
	}
	month, _ := scanMonth(b[i:])
	return month > 0
}

// quickStamp reads `Jun 13 [2026 ]21:07:15[.454]` at i and gives the index behind it, 0 for another form.
func quickStamp(b []byte, i int, r *reading) int {
	if i+16 > len(b) || b[i+3] != ' ' || b[i+6] != ' ' {
		return 0
	}
	month, _ := scanMonth(b[i:])
	day := two(b, i+4)
	if b[i+4] == ' ' && digit(b[i+5]) {
		day = int(b[i+5] - '0')
	}
	if month <= 0 || day < 0 {
		return 0
	}
	r.month, r.day = month, day
	at := i + 7
	if b[at+2] != ':' {
		if at+14 > len(b) || digits(b[:at+4], at) != at+4 || b[at+4] != ' ' {
			return 0
		}
		if r.year = int(number(b[at : at+4])); r.year == 0 {
			return 0
		}
		at += 5
	}
	h, m, s := two(b, at), two(b, at+3), two(b, at+6)
	if h|m|s < 0 || b[at+2] != ':' || b[at+5] != ':' {
		return 0
	}
	r.hour, r.min, r.sec, r.ok = h, m, s, true
	at = scanFraction(b, at+8, r)
	r.text = b[i:at]
	return at
}

// zoneOrHost reads a zone, or a host, and the colon behind it, and gives where the core begins; -1 for anything else.
func (q *quickLine) zoneOrHost(p *Parser, b []byte, i int, r *reading) int {
	if hasPrefixAt(b, i, ": ") {
		return i + 2
	}
	if i >= len(b) || b[i] != ' ' {
		return -1
	}
	i++
	n := i
	for n < len(b) && (class[b[n]]&(isName|isDash) != 0 || b[n] == '.') {
		n++
	}
	if n == i {
		return -1
	}
	w := b[i:n]
	switch {
	case hasPrefixAt(b, n, ": %"):
		off, exact, known := p.zoneOf(w)
		if !known {
			return -1
		}
		r.zone, r.offset, r.hasZone = w, off, exact
		return n + 2
	case hasPrefixAt(b, n, " : %") && q.host == nil && q.first == nil:
		if _, _, known := p.zoneOf(w); known {
			return -1
		}
		q.host, q.behind = w, true
		return n + 3
	}
	return -1
}

// numbers gives l its sequence number and counter as the general way does.
func (q *quickLine) numbers(l *Line) {
	switch {
	case q.second != nil && q.first != nil:
		l.Counter, l.Seq = number(q.first), number(q.second)
	case q.second != nil:
		if q.second[0] == '0' && len(q.second) > 1 {
			l.Seq = number(q.second)
		} else {
			l.Counter = number(q.second)
		}
	case q.first != nil:
		if q.first[0] == '0' && len(q.first) > 1 {
			l.Seq = number(q.first)
		} else {
			l.Counter = number(q.first)
		}
	}
}

// special reports whether a line that is of no firewall needs the general way: an agent in place of a zone, another
// family, or the full dress that CiscoLog has too.
func (q *quickLine) special(c *core, r *reading) bool {
	return q.behind || specialFacility(c.facility) || q.host != nil && r.year != 0 && r.digits == 3 && len(r.zone) > 0
}

// specialFacility reports whether a facility belongs to a family that the general way knows better.
func specialFacility(fac []byte) bool {
	switch fac[0] {
	case 'U', 'C':
		return callManager(fac) || ucsFamily(fac) || overlay(fac) > 0
	case 'I', 'M':
		return callManager(fac)
	case 'F':
		return fxosFamily(fac)
	case 'L':
		return bytes.HasPrefix(fac, []byte("LOG_"))
	case 'V':
		return bytes.HasPrefix(fac, []byte("Viptela"))
	}
	return string(fac) == "ACLLOG"
}

// quickISO reads the one form of RFC 3339 that nearly all lines have, 2026-06-13T21:07:15 with or without a fraction and
// Z or an offset behind it, and gives its length; 0 for any other.
func quickISO(b []byte, r *reading) int {
	if len(b) < len("2026-06-13T21:07:15Z") || b[4] != '-' || b[7] != '-' || b[10] != 'T' || b[13] != ':' || b[16] != ':' {
		return 0
	}
	century, year, month, day := two(b, 0), two(b, 2), two(b, 5), two(b, 8)
	h, m, s := two(b, 11), two(b, 14), two(b, 17)
	if century|year|month|day|h|m|s < 0 || century == 0 {
		return 0
	}
	r.year, r.month, r.day, r.hour, r.min, r.sec = century*100+year, month, day, h, m, s
	n := scanFraction(b, 19, r)
	r.text, r.ok = b[:n], true
	return n + isoZone(b[n:], r)
}
