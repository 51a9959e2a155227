package syslog

import (
	"bytes"
	"time"
)

// maxTag is the longest tag taken: RFC 3164 says 32, practice knows paths.
const maxTag = 64

// parse3164 takes a line that begins with a stamp, RFC 3164's or a kin of RFC 3339's, and no core.
func (p *Parser) parse3164(b []byte, received time.Time, l *Line) bool {
	var r reading
	i := 0
	if len(b) > 1 && (b[0] == '*' || b[0] == '.') {
		l.Accuracy = b[0]
		i = 1
	}
	n := scanStamp(b[i:], &r)
	if n == 0 {
		l.Accuracy = 0
		return p.hostFirst(b, received, l)
	}
	i = p.zoneAfter(b, i+n, &r, 0)
	p.settle(&r, received, l)
	l.Dialect = RFC3164
	if r.yearFirst {
		l.Dialect = NXOS
	}
	if l.PRI < 0 && ownLog(&r, b, i) {
		l.Dialect = Unknown // a program's own log file: the time is plain, the rest is not syslog
		l.Text = bytes.TrimLeft(b[i:], ": \t")
		return true
	}
	i = skipColon(b, i)
	i = p.second(b, i, received, l)
	l.Text = b[i:]
	if p.wrapped5424(received, l) {
		return true
	}
	if l.segment() || l.payload() || l.mentions() {
		return true
	}
	l.hostAndTag()
	return true
}

// ownLog reports whether a stamp without PRI is of a log file of a program, not of syslog: a date in figures with a
// space in it and no host behind, or something glued to the stamp.
func ownLog(r *reading, b []byte, i int) bool {
	if i < len(b) && b[i] != ' ' && !hasPrefixAt(b, i, ": ") {
		return true
	}
	return r.flags.Has(FlagTimeForm) && !r.yearFirst && digit(r.text[0]) && !host3339(b, i)
}

// host3339 reports whether what follows a stamp with a space for the T looks like the host of a header.
func host3339(b []byte, i int) bool {
	if i >= len(b) || b[i] != ' ' {
		return false
	}
	i = skipSpaces(b, i)
	end := token(b, i)
	rest := b[skipSpaces(b, end):]
	n := token(rest, 0)
	return end > i && n > 0 && (rest[n-1] == ':' || hasPrefixAt(rest, 0, "%%"))
}

// second finds a second stamp: then the first stamp and the name behind it are a relay's. It gives where the device's
// own header goes on.
func (p *Parser) second(b []byte, i int, received time.Time, l *Line) int {
	var r reading
	at := i
	n := scanStamp(b[at:], &r)
	if n > 0 && r.flags.Has(FlagTimeForm) {
		return i
	}
	if n == 0 {
		end := token(b, i)
		at = skipSpaces(b, end)
		if at >= len(b) || end == i {
			return i
		}
		r = reading{}
		if n = scanStamp(b[at:], &r); n == 0 || r.flags.Has(FlagTimeForm) {
			return i
		}
		l.Relay.Host = bytes.TrimSuffix(b[i:end], []byte(":"))
	}
	l.Relay.Time = l.Time
	l.Flags = l.Flags&^(FlagYearInferred|FlagTZMissing|FlagTZUnknown) | FlagRelayed
	at = p.zoneAfter(b, at+n, &r, 0)
	p.settle(&r, received, l)
	return skipColon(b, at)
}

// wrapped5424 takes a message of RFC 5424 that a relay has put a host, or a host and a stamp, of its own in front of,
// without another PRI.
func (p *Parser) wrapped5424(received time.Time, l *Line) bool {
	t := l.Text
	end := token(t, 0)
	at := skipSpaces(t, end)
	if !hasPrefixAt(t, at, "1 ") || at+6 >= len(t) || digits(t, at+2) != at+6 || t[at+6] != '-' || !hostLike(t[:end]) {
		return false
	}
	outer := *l
	if !p.versioned(t[at:], received, l) {
		*l = outer
		return false
	}
	l.Relay.Time, l.Relay.Host = outer.Time, t[:end]
	l.Flags = l.Flags&^(outer.Flags&(FlagYearInferred|FlagTZMissing|FlagTZUnknown)) | FlagRelayed
	return true
}

// hostFirst takes `host Jun 13 21:07:15 …`: a name in front of the stamp, as some senders and stored files have it.
func (p *Parser) hostFirst(b []byte, received time.Time, l *Line) bool {
	end := token(b, 0)
	at := skipSpaces(b, end)
	if end == 0 || end > maxHost || at >= len(b) || !hostLike(bytes.TrimSuffix(b[:end], []byte(":"))) {
		return false
	}
	var r reading
	var unit []byte
	n := scanStamp(b[at:], &r)
	if n == 0 {
		// a console server names one of its ports between host and stamp
		next := token(b, at)
		unit, at = b[at:next], skipSpaces(b, next)
		if at < len(b) {
			n = scanStamp(b[at:], &r)
		}
		if n == 0 || !allClass(unit, isName) {
			return false
		}
	}
	at = p.zoneAfter(b, at+n, &r, 0)
	p.settle(&r, received, l)
	l.Dialect = RFC3164
	if r.yearFirst {
		l.Dialect = NXOS
	}
	if unit != nil {
		l.Dialect, l.Node = Unknown, unit
	}
	l.Flags |= FlagHeaderForm
	l.header(bytes.TrimSuffix(b[:end], []byte(":")))
	l.Text = b[skipColon(b, at):]
	if !l.mentions() {
		l.bsdTag()
		l.vendorText()
	}
	return true
}

// hostLike reports whether w could name a host: letters, digits and what names and addresses are made of.
func hostLike(w []byte) bool {
	if len(w) == 0 || len(w) > maxHost || w[0] == '-' && len(w) > 1 {
		return false
	}
	for _, c := range w {
		if class[c]&(isName|isDash) == 0 && c != '.' && c != ':' && c != '/' && c != ',' && c != '[' && c != ']' &&
			c != '(' && c != ')' && c != '@' && c != '%' && c != '#' && c < 0x80 {
			return false
		}
	}
	return true
}

// hostAndTag reads host and tag at the start of the text. The host is missing when the first token is a tag.
func (l *Line) hostAndTag() {
	if l.filer() {
		return
	}
	t := l.Text
	end := token(t, 0)
	rest := skipSpaces(t, end)
	if k := bytes.IndexByte(t[:end], '\t'); k > 0 {
		end, rest = k, k+1 // columns, as Windows agents send them
	}
	w := t[:end]
	if len(w) > 2 && levelWord(w) && bytes.IndexByte(w, '.') > 0 {
		l.Text = t[rest:] // facility.level in front of the host
		l.hostAndTag()
		return
	}
	if l.levelAndTag(w, t[rest:]) {
		return
	}
	if hasPrefixAt(t, end, " : ") {
		rest = skipColon(t, end) // `host : text`
		l.header(w)
		l.Text = t[rest:]
		l.afterHost()
		return
	}
	if k := bytes.IndexByte(w, ':'); k > 0 && dotted(w[:k]) && allClass(w[k+1:], isDigit) {
		w = w[:k] // an address and a port
	}
	if colon := bytes.HasSuffix(w, []byte(":")); colon || tagEnd(w) > 0 || !hostLike(w) || bytes.HasPrefix(w, []byte("1,")) {
		if colon && closedHost(w[:end-1], t[rest:]) {
			l.header(w[:end-1])
			l.Text = t[rest:]
			l.afterHost()
			return
		}
		l.bsdTag()
		l.vendorText()
		return
	}
	if rest >= len(t) {
		return // a single word is text
	}
	if string(w) == "last" && bytes.HasPrefix(t[rest:], []byte("message repeated")) {
		l.repeated()
		return
	}
	l.slot(w)
	l.Text = t[rest:]
	l.afterHost()
}

// levelAndTag takes `info vpxd[45715] text`: a level, a tag and no host.
func (l *Line) levelAndTag(w, rest []byte) bool {
	s := severityOfWord(w)
	if !s.Valid() || len(rest) == 0 || tagEnd(rest[:token(rest, 0)]) == 0 {
		return false
	}
	if l.Severity == NoSeverity {
		l.own(s)
	}
	l.Text = rest
	l.bsdTag()
	l.vendorText()
	return true
}

// slot sets the host; BIG-IP writes slot1/name for one of its blades.
func (l *Line) slot(w []byte) {
	if i := bytes.IndexByte(w, '/'); i > 4 && i+1 < len(w) && bytes.HasPrefix(w, []byte("slot")) && allClass(w[4:i], isDigit) {
		l.Node, w = w[:i], w[i+1:]
	}
	l.header(w)
}

// closedHost reports whether w, which a colon closes, is a host and no tag: an address, or a name with a tag or a
// payload behind it.
func closedHost(w, rest []byte) bool {
	if hasPID(w) || !hostLike(w) {
		return false
	}
	if bytes.HasPrefix(rest, []byte("CEF:")) || bytes.HasPrefix(rest, []byte("LEEF:")) || dotted(w) {
		return true
	}
	next := rest[:token(rest, 0)]
	n := tagEnd(next)
	return n > 0 && (next[n] == '[' || bytes.IndexByte(w, '.') > 0 && junosTag(rest) == 0)
}

// dotted reports whether w is an IPv4 address.
func dotted(w []byte) bool {
	dots := 0
	for i, c := range w {
		switch {
		case c == '.' && i > 0 && w[i-1] != '.':
			dots++
		case !digit(c):
			return false
		}
	}
	return dots == 3
}

// afterHost reads level words, tag and vendor shapes behind the host.
func (l *Line) afterHost() {
	if l.segment() || l.payload() || l.cloud() {
		return
	}
	t := l.Text
	end := token(t, 0)
	if w := t[:end]; severityOfWord(w).Valid() && end+1 < len(t) && class[t[end+1]]&isAlpha != 0 {
		if next := t[end+1:]; tagEnd(next[:token(next, 0)]) > 0 {
			l.Text = next
		}
	}
	if bytes.HasPrefix(l.Text, []byte("last message repeated")) {
		l.repeated()
		return
	}
	if l.controller() || l.filer() || l.angled() {
		return
	}
	if n := procurveNumber(l.Text); n > 0 {
		l.MessageID, l.Vendor = l.Text[:n], VendorProCurve
		l.Text = l.Text[skipSpaces(l.Text, n):]
	}
	l.bsdTag()
	l.vendorText()
}

// cloud takes a Meraki line that a relay put its own header in front of.
func (l *Line) cloud() bool {
	t := l.Text
	if !bytes.HasPrefix(t, []byte("1 ")) {
		return false
	}
	outer, host := l.Time, l.Host
	n := scanEpoch(t, 2, l)
	if n == 0 {
		return false
	}
	l.Relay.Time, l.Relay.Host = outer, host
	l.Flags = l.Flags&^(FlagYearInferred|FlagTZMissing) | FlagRelayed
	l.meraki(t, n)
	return true
}

// tagEnd gives the length of the name in a tag `name[pid]:`, `name[pid]` or `name:` that begins w, 0 when there is none.
func tagEnd(w []byte) int {
	n := run(w, 0, isName|isTag)
	if n == 0 || n > maxTag || n >= len(w) {
		return 0
	}
	switch w[n] {
	case ':':
		if allClass(w[:n], isDigit) || hasPrefixAt(w, n, "://") || hasPrefixAt(w, n, "::") {
			return 0
		}
		return n
	case '[':
		if k := bytes.IndexByte(w[n:], ']'); k > 1 && (n+k+1 == len(w) || w[n+k+1] == ':' || w[n+k+1] == ' ') {
			return n
		}
	}
	return 0
}

// bsdTag takes the tag off the text.
func (l *Line) bsdTag() {
	t := l.Text
	n := run(t, 0, isName|isTag)
	if n >= len(t) {
		return
	}
	if t[n] == ' ' && n > 1 && n <= maxTag && hasPrefixAt(t, skipSpaces(t, n), ": ") {
		l.Program, l.Text = t[:n], t[skipColon(t, n):]
		return
	}
	if n = tagEnd(t); n == 0 {
		return
	}
	l.Program = t[:n]
	i := n
	if t[i] == '[' {
		k := bytes.IndexByte(t[i:], ']')
		l.PID = t[i+1 : i+k]
		i += k + 1
	}
	if i < len(t) && t[i] == ':' {
		i++
	}
	if i < len(t) && t[i] == ' ' {
		i++
	}
	l.Text = t[i:]
	if bytes.HasPrefix(l.Text, []byte("message repeated ")) {
		l.repeated()
	}
}

// mentions takes the lines that a syslog daemon writes of itself without a tag.
func (l *Line) mentions() bool {
	if bytes.HasPrefix(l.Text, []byte("last message repeated ")) {
		l.repeated()
		return true
	}
	return l.aixForwarded()
}

// aixForwarded takes the host out of `Message forwarded from host: `, which syslogd of AIX puts behind the stamp.
func (l *Line) aixForwarded() bool {
	rest, ok := bytes.CutPrefix(l.Text, []byte("Message forwarded from "))
	if !ok {
		return false
	}
	end := token(rest, 0)
	host := bytes.TrimSuffix(rest[:end], []byte(":"))
	if len(host) == end || !hostLike(host) {
		return false
	}
	l.header(host)
	l.Text = rest[skipSpaces(rest, end):]
	l.afterHost()
	return true
}

// repeated flags "last message repeated n times"; n is the Counter.
func (l *Line) repeated() {
	l.Flags |= FlagRepeated
	if i := bytes.Index(l.Text, []byte("repeated ")); i >= 0 {
		i += len("repeated ")
		l.Counter = number(l.Text[i:digits(l.Text, i)])
	}
}
