package syslog

import "time"

// Classes of octets, one bit each, so that every scanner asks one table.
const (
	isUpper = 1 << iota
	isLower
	isDigit
	isUnder
	isDash
	isPrint  // %x21-7E
	isSDName // what a name of structured data is made of
	isTag    // what the tag of a BSD line is made of, beyond letters and digits

	isAlpha = isUpper | isLower
	isName  = isAlpha | isDigit | isUnder
)

var class = func() (t [256]uint8) {
	for c := 0x21; c <= 0x7e; c++ {
		t[c] |= isPrint
		if c != '=' && c != ']' && c != '"' {
			t[c] |= isSDName
		}
	}
	for c := 'A'; c <= 'Z'; c++ {
		t[c] |= isUpper
		t[c|0x20] |= isLower
	}
	for c := '0'; c <= '9'; c++ {
		t[c] |= isDigit
	}
	t['_'] |= isUnder
	t['-'] |= isDash
	for _, c := range "_./-<>()#+@{}" {
		t[c] |= isTag
	}
	return t
}()

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}

func digit(c byte) bool { return c-'0' <= 9 }

// skipSpaces is the first index from i on that holds no space.
func skipSpaces(b []byte, i int) int {
	for i < len(b) && b[i] == ' ' {
		i++
	}
	return i
}

// trimSpaces takes the spaces off the end of b.
func trimSpaces(b []byte) []byte {
	for len(b) > 0 && b[len(b)-1] == ' ' {
		b = b[:len(b)-1]
	}
	return b
}

// run is the end of the octets from i on that are of the classes in mask.
func run(b []byte, i int, mask uint8) int {
	for i < len(b) && class[b[i]]&mask != 0 {
		i++
	}
	return i
}

// digits is the end of the digits from i on.
func digits(b []byte, i int) int {
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	return i
}

// number reads b, all digits, or answers -1 when it is empty, no number or above 2^62.
func number(b []byte) int64 {
	if len(b) == 0 || len(b) > 18 {
		return -1
	}
	n := int64(0)
	for _, c := range b {
		if !digit(c) {
			return -1
		}
		n = n*10 + int64(c-'0')
	}
	return n
}

// two reads two digits at i, -1 when they are none.
func two(b []byte, i int) int {
	if i+2 > len(b) {
		return -1
	}
	hi, lo := b[i]-'0', b[i+1]-'0'
	if hi > 9 || lo > 9 {
		return -1
	}
	return int(hi)*10 + int(lo)
}

// hasPrefixAt reports whether b holds s at i.
func hasPrefixAt(b []byte, i int, s string) bool {
	return i >= 0 && len(b)-i >= len(s) && string(b[i:i+len(s)]) == s
}

// anyClass reports whether an octet of b is of a class in mask.
func anyClass(b []byte, mask uint8) bool {
	for _, c := range b {
		if class[c]&mask != 0 {
			return true
		}
	}
	return false
}

// allClass reports whether b is not empty and all its octets are of classes in mask.
func allClass(b []byte, mask uint8) bool { return len(b) > 0 && run(b, 0, mask) == len(b) }

// quarter is the step of the offsets that are in use.
const quarter = 15 * 60

// zoneSpan covers every offset in use, -12:00 to +14:00, and those invented up to 15 hours.
const zoneSpan = 15 * 3600

// zones are the locations of all offsets in steps of a quarter of an hour: to print a time does not make one.
var zones = func() (t [2*zoneSpan/quarter + 1]*time.Location) {
	for i := range t {
		t[i] = time.FixedZone("", i*quarter-zoneSpan)
	}
	return t
}()

// fixedZone is the location of an offset in seconds east of UTC.
func fixedZone(offset int32) *time.Location {
	switch {
	case offset == 0:
		return time.UTC
	case offset%quarter == 0 && -zoneSpan <= offset && offset <= zoneSpan:
		return zones[(offset+zoneSpan)/quarter]
	}
	return time.FixedZone("", int(offset))
}
