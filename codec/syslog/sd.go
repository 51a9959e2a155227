package syslog

import (
	"encoding/binary"
	"math/bits"

	"callhome"
)

// scanSD gives the length of the structured data at the start of b, 0 when it is out of form.
func (l *Line) scanSD(b []byte) int {
	i := 0
	for i < len(b) && b[i] == '[' {
		id := i + 1
		i = sdName(b, id)
		if i == id {
			return 0
		}
		standard := standardElement(b[id:i])
		for i < len(b) && b[i] == ' ' {
			i = skipSpaces(b, i)
			if i < len(b) && b[i] == ']' {
				break // a space before the bracket is out of form, but harmless
			}
			eq, end := sdParam(b, i)
			if end == 0 {
				return 0
			}
			if standard != nil {
				standard(l, b[i:eq], unquoted(b[eq+1:end]))
			}
			i = end
		}
		if i >= len(b) || b[i] != ']' {
			return 0
		}
		i++
	}
	if i < len(b) && b[i] != ' ' && b[i] < 0x80 && class[b[i]]&isPrint == 0 {
		return 0
	}
	return i
}

// sdName is the end of a name of structured data that begins at i.
func sdName(b []byte, i int) int {
	for i < len(b) && class[b[i]]&isSDName != 0 {
		i++
	}
	return i
}

// sdParam gives where the equals sign of a name="value" that begins at i stands and where it ends; end is 0 when there
// is none.
func sdParam(b []byte, i int) (eq, end int) {
	eq = sdName(b, i)
	value := eq + 2
	if eq == i || value > len(b) || b[eq] != '=' {
		return 0, 0
	}
	if b[eq+1] != '"' {
		return eq, bareParam(b, eq+1)
	}
	n := value
	for n+8 <= len(b) { // most values have no backslash
		x := binary.LittleEndian.Uint64(b[n:])
		quote, escape := zeros(x^eachQuote), zeros(x^eachEscape)
		if quote != 0 && (quote&-quote-1)&escape == 0 {
			return eq, n + bits.TrailingZeros64(quote)>>3 + 1
		}
		if escape != 0 {
			break
		}
		n += 8
	}
	if n = quoteEnd(b, n); n < len(b) {
		return eq, n + 1
	}
	return 0, 0
}

// bareParam is the end of a value that should have quotes and has none.
func bareParam(b []byte, i int) int {
	n := i
	for n < len(b) && class[b[n]]&isPrint != 0 && b[n] != ']' && b[n] != '"' {
		n++
	}
	if n == i {
		return 0
	}
	return n
}

// unquoted takes the quotes off a value that sdParam has found.
func unquoted(value []byte) []byte {
	if n := len(value); n > 1 && value[0] == '"' {
		return value[1 : n-1]
	}
	return value
}

// standardElement gives what reads the parameters of an element of RFC 5424 section 7 or of RFC 5674; nil for any other.
func standardElement(id []byte) func(l *Line, name, value []byte) {
	if len(id) == 0 || id[0] != 't' && id[0] != 'm' && id[0] != 'a' {
		return nil
	}
	switch string(id) {
	case "timeQuality":
		return (*Line).timeQuality
	case "meta":
		return (*Line).meta
	case "alarm":
		return (*Line).alarm
	}
	return nil
}

// timeQuality reads what RFC 5424 section 7.1 says of the clock.
func (l *Line) timeQuality(name, value []byte) {
	if string(name) != "isSynced" || len(value) == 0 {
		return
	}
	switch value[0] {
	case '1':
		l.Clock = ClockSynchronised
	case '0':
		l.Clock = ClockUnsynchronised
	}
}

// meta reads the number of RFC 5424 section 7.3.1.
func (l *Line) meta(name, value []byte) {
	if string(name) == "sequenceId" {
		l.Seq = number(value)
	}
}

// alarm reads the state of RFC 5674 section 3.
func (l *Line) alarm(name, value []byte) {
	if string(name) != "perceivedSeverity" || len(value) == 0 {
		return
	}
	l.EventState = callhome.StateRaise
	if string(value) == "cleared" {
		l.EventState = callhome.StateClear
	}
}
