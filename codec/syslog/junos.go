package syslog

import (
	"bytes"

	"callhome"
)

// minJunosTag is the shortest TAG that makes a line one of Junos without other evidence.
const minJunosTag = 6

// maxAlarmHead is how far into a text "Alarm set" and "Major alarm cleared" are looked for.
const maxAlarmHead = 24

// junosTag gives the length of a TAG at the start of t, closed by ": ": capitals, digits and at least one underscore.
func junosTag(t []byte) int {
	n := run(t, 0, isUpper|isDigit|isUnder)
	if n < minJunosTag || n >= len(t) || t[n] != ':' || n+1 < len(t) && t[n+1] != ' ' ||
		bytes.IndexByte(t[:n], '_') < 1 || class[t[0]]&isUpper == 0 {
		return 0
	}
	return n
}

// junos takes a line whose header and tag are read when its text or its program is one of Junos.
func (l *Line) junos() bool {
	if l.Program == nil {
		return l.junosCard()
	}
	if junosTag(l.Text) == 0 && !junosProcess(l.Program) && !engineHost(l.Host) &&
		!(string(l.Program) == "kernel" && bytes.HasPrefix(l.Text, []byte("tcp_auth_ok:"))) {
		return false
	}
	l.Dialect = Junos
	l.junosText()
	return true
}

// junosText reads TAG, node and alarm state out of the text; the TAG is no part of it any more.
func (l *Line) junosText() {
	if n := junosTag(l.Text); n > 0 {
		l.Mnemonic = l.Text[:n]
		l.Text = l.Text[skipSpaces(l.Text, n+1):]
	}
	switch head := l.Text[:min(len(l.Text), maxAlarmHead)]; {
	case bytes.Contains(head, []byte("larm set")):
		l.EventState = callhome.StateRaise
	case bytes.Contains(head, []byte("larm cleared")):
		l.EventState = callhome.StateClear
	}
	if i := bytes.Index(l.Text, []byte("(FPC Slot ")); i >= 0 {
		if n := bytes.IndexByte(l.Text[i:], ')'); n > 0 {
			l.Node = l.Text[i+1 : i+n]
		}
	}
	l.engine()
}

// junosCard takes what line cards log: their name, once or twice, then a process or a TAG, and the text.
func (l *Line) junosCard() bool {
	if bytes.HasPrefix(l.Text, []byte("(FPC Slot ")) {
		return l.junosSlot()
	}
	n := token(l.Text, 0)
	card := l.Text[:n]
	if len(card) < 4 || !junosProcess(card) || class[card[len(card)-1]]&isDigit == 0 {
		return false
	}
	t := l.Text[skipSpaces(l.Text, n):]
	if bytes.HasPrefix(t, card) && hasPrefixAt(t, n, " ") {
		t = t[skipSpaces(t, n):]
	}
	l.Dialect, l.Node, l.Program = Junos, card, card
	if k := tagEnd(t); k > 0 && t[k] == ':' && allClass(t[:k], isLower|isDigit|isDash) {
		l.Program, t = t[:k], t[skipColon(t, k):]
	}
	if k := run(t, 0, isUpper|isDigit|isUnder); k > 1 && k < len(t) && t[k] == ':' {
		l.Mnemonic, t = t[:k], t[skipColon(t, k):]
	}
	l.Text = t
	l.engine()
	return true
}

// junosSlot takes what a service card logs: (FPC Slot 0, PIC Slot 1) in front of the tag.
func (l *Line) junosSlot() bool {
	n := bytes.IndexByte(l.Text, ')')
	if n < 0 {
		return false
	}
	l.Dialect, l.Node, l.Text = Junos, l.Text[1:n], l.Text[skipSpaces(l.Text, n+1):]
	l.bsdTag()
	l.junosText()
	return true
}

// engineHost reports whether a host is named after its routing engine, re0.mx1 or re0-mx1, as Junos does with two.
func engineHost(h []byte) bool {
	return len(h) > 4 && h[0] == 'r' && h[1] == 'e' && digit(h[2]) && (h[3] == '.' || h[3] == '-')
}

// engine finds the routing engine in a host's name: in front, re0.mx1, where it is no part of the name, or at the end,
// mx1-re0 or mx1_re1.
func (l *Line) engine() {
	n := len(l.Host)
	if engineHost(l.Host) {
		if l.Node == nil {
			l.Node = l.Host[:3]
		}
		l.Host = l.Host[4:]
		return
	}
	if l.Node == nil && n > 4 && hasPrefixAt(l.Host, n-3, "re") && digit(l.Host[n-1]) &&
		(l.Host[n-4] == '-' || l.Host[n-4] == '_') {
		l.Node = l.Host[n-3:]
	}
}
