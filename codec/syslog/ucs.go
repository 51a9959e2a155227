package syslog

import (
	"bytes"

	"callhome"
)

// maxBrackets bounds the fields of one list; faults have four or five, audits eight.
const maxBrackets = 16

// brackets reads the [..][..] list in front of a UCS, FXOS or APIC text: code, state and the distinguished name. The
// list stays in the text.
func (l *Line) brackets() {
	end, fault := 0, false
	for n := 0; n < maxBrackets && end < len(l.Text) && l.Text[end] == '['; n++ {
		k := closing(l.Text[end:])
		if k < 0 {
			break
		}
		field := l.Text[end+1 : end+k]
		end += k + 1
		switch {
		case n == 0:
			fault = l.faultCode(field)
		case fault && n <= 4:
			l.faultState(field)
		}
		if l.Node == nil && n > 0 && distinguishedName(field) {
			l.Node = field
		}
	}
	if end > 0 {
		l.ParamForm, l.ParamRegion = ParamsBrackets, l.Text[:end]
	}
}

// closing is where the bracket that b begins with is closed, -1 when it is not. Names of objects hold brackets.
func closing(b []byte) int {
	depth := 0
	for i, c := range b {
		switch c {
		case '[':
			depth++
		case ']':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// faultCode takes F or E with digits for the message's number and reports whether it is a fault.
func (l *Line) faultCode(field []byte) bool {
	if len(field) < 3 || field[0] != 'F' && field[0] != 'E' || !allClass(field[1:], isDigit) {
		return false
	}
	l.MessageID = field
	if field[0] == 'F' {
		l.EventState = callhome.StateRaise
	}
	return field[0] == 'F'
}

// faultState reads a life cycle or severity word. Source: Cisco APIC Faults, Events, and System Messages Management
// Guide, "Fault Lifecycle"; Monitoring Cisco UCS Manager Using Syslog, "Fault Severities".
func (l *Line) faultState(field []byte) {
	switch string(field) {
	case "cleared", "soaking-clearing", "raised-clearing", "retaining":
		l.EventState = callhome.StateClear
	}
}

// distinguishedName reports whether a field names an object: a path without spaces.
func distinguishedName(field []byte) bool {
	return bytes.IndexByte(field, '/') > 0 && bytes.IndexByte(field, ' ') < 0
}
