package syslog

import (
	"bytes"
	"time"
)

// bareXR takes a line with an IOS XR node and no core.
func (p *Parser) bareXR(b []byte, received time.Time, l *Line) bool {
	i, seq := 0, int64(-1)
	if n := digits(b, 0); n > 0 && hasPrefixAt(b, n, ": ") {
		seq = number(b[:n])
		i = skipSpaces(b, n+1)
	}
	var host []byte
	node := scanNode(b[i:])
	if node == 0 {
		end := token(b, i)
		at := skipSpaces(b, end)
		if at >= len(b) {
			return false
		}
		if node = scanNode(b[at:]); node == 0 {
			return false
		}
		host, i = b[i:end], at
	}
	var x prefix
	name := b[i : i+node]
	i = skipSpaces(b, i+node+1)
	if i < len(b) && (b[i] == '*' || b[i] == '.') {
		x.accuracy = b[i]
		i++
	}
	if n := x.stamp(p, b, i); n > 0 {
		i = n
		x.times(p, received, l)
	}
	l.Dialect, l.Node, l.Seq = IOSXR, name, seq
	l.header(bytes.TrimSuffix(host, []byte(":")))
	l.Text = l.leadingTag(b[skipColon(b, i):])
	return true
}

// address6 reports whether an address of IPv6 that begins with two colons stands at i.
func address6(b []byte, i int) bool {
	return hasPrefixAt(b, i, "::") && i+2 < len(b) && class[b[i+2]]&(isDigit|isAlpha) != 0
}

// skipColon skips spaces, one colon and more spaces.
func skipColon(b []byte, i int) int {
	i = skipSpaces(b, i)
	if i < len(b) && b[i] == ':' && !address6(b, i) {
		i = skipSpaces(b, i+1)
	}
	return i
}

// leadingTag takes name[pid]: off the start of t.
func (l *Line) leadingTag(t []byte) []byte {
	end := token(t, 0)
	w := bytes.TrimSuffix(t[:end], []byte(":"))
	if !hasPID(w) {
		return t
	}
	l.tag(w)
	return t[skipColon(t, end):]
}

// bareAire takes what an AireOS controller sends without a core: a task before the stamp, or the lines of a trace. Older
// releases mark the core with a number sign.
func (p *Parser) bareAire(b []byte, received time.Time, l *Line) bool {
	host := token(b, 0)
	if host < 2 || b[host-1] != ':' || host+2 >= len(b) || allClass(b[:host-1], isDigit) {
		return false
	}
	rest := b[host+1:]
	if bytes.HasPrefix(rest, []byte("-Traceback")) {
		l.Dialect, l.Text = AireOS, rest
		l.header(b[:host-1])
		return true
	}
	if rest[0] != '*' {
		return false
	}
	var x prefix
	i := x.taskName(rest, 0)
	if i == 0 {
		return false
	}
	i = x.stamp(p, rest, skipSpaces(rest, i))
	if i == 0 {
		return false
	}
	x.times(p, received, l)
	l.header(b[:host-1])
	l.Text = rest[skipColon(rest, i):]
	var c core
	if len(l.Text) > 0 && l.Text[0] == '#' && scanCore(l.Text, 0, &c) {
		l.own(c.severity)
		l.CoreFacility, l.Mnemonic, l.Text = c.facility, c.mnemonic, l.Text[c.end:]
	}
	l.aire(&x)
	return true
}

// bareIOS takes debug output and the second lines of IOS messages, which have no core: a counter, or a stamp with an
// accuracy mark, closed by a colon. Both must stand where nothing but IOS puts them.
func (p *Parser) bareIOS(b []byte, received time.Time, l *Line) bool {
	var x prefix
	i := 0
	if n := digits(b, 0); n > 0 && n < 10 && hasPrefixAt(b, n, ": ") {
		x.nums[0], x.nn = b[:n], 1
		i = skipSpaces(b, n+1)
	}
	start := i
	if i < len(b) && (b[i] == '*' || b[i] == '.') {
		x.accuracy = b[i]
		i++
	}
	n := x.stamp(p, b, i)
	if n == 0 || n >= len(b) || b[n] != ':' && !hasPrefixAt(b, n, " :") {
		n = start
		x = prefix{nums: x.nums, nn: x.nn}
	} else {
		n = skipColon(b, n)
	}
	if x.stamps == 0 && (x.nn == 0 || l.PRI < 0) || x.nn == 0 && x.accuracy == 0 {
		return false
	}
	x.numbers(l)
	x.times(p, received, l)
	l.Dialect, l.Text = IOS, b[n:]
	return true
}

// xmlElement gives what stands between <name> and </name> in b.
func xmlElement(b []byte, name string) []byte {
	i := bytes.Index(b, []byte("<"+name+">"))
	if i < 0 {
		return nil
	}
	rest := b[i+len(name)+2:]
	n := bytes.Index(rest, []byte("</"+name+">"))
	if n < 0 {
		return nil
	}
	return rest[:n]
}

// iosXML takes the XML form of IOS, one element for each field.
func (l *Line) iosXML(b []byte) bool {
	if !bytes.HasPrefix(b, []byte("<ios-log-msg")) {
		return false
	}
	l.Dialect = IOS
	l.CoreFacility, l.Mnemonic = xmlElement(b, "facility"), xmlElement(b, "msg-id")
	if s := number(xmlElement(b, "severity")); s >= 0 && s <= 7 {
		l.own(Severity(s))
	}
	if n := number(xmlElement(b, "seq")); n >= 0 {
		l.Seq = n
	}
	if t := xmlElement(b, "args"); t != nil {
		l.Text = t
	}
	return true
}
