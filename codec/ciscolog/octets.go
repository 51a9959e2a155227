package ciscolog

import (
	"encoding/binary"
	"unicode/utf8"
)

// Classes of octets, Managed Services Guide chapter 6.
const (
	className  uint8 = 1 << iota // APPNAME and MSGNAME: 0-9 A-Z _
	classKey                     // part of a tag's key: 0-9 A-Z a-z _
	classLoose                   // what real senders put in keys beside that: space . : / -
	classAddr                    // IPv6 and hardware addresses: 0-9 A-F a-f : .
	classAlpha                   // A-Z a-z
	classDigit                   // 0-9
)

// classes gives the classes of each octet.
var classes = func() (t [256]uint8) {
	add := func(class uint8, set string) {
		for _, c := range []byte(set) {
			t[c] |= class
		}
	}
	const upper, lower, digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz", "0123456789"
	add(className, digits+upper+"_")
	add(classKey, digits+upper+lower+"_")
	add(classLoose, digits+upper+lower+"_ .:/-")
	add(classAddr, digits+"ABCDEFabcdef:.")
	add(classAlpha, upper+lower)
	add(classDigit, digits)
	return t
}()

func isDigit(c byte) bool { return c-'0' < 10 }
func isAlpha(c byte) bool { return classes[c]&classAlpha != 0 }

// allOf tells whether b has only octets of a class. It is true of nothing at all.
func allOf(b []byte, class uint8) bool {
	for _, c := range b {
		if classes[c]&class == 0 {
			return false
		}
	}
	return true
}

// lower is c in lower case, if it is an ASCII letter.
func lower(c byte) byte {
	if c-'A' < 26 {
		return c + 'a' - 'A'
	}
	return c
}

// plainLen is the length of the longest beginning of b out of octets 32 to 126.
func plainLen(b []byte) int {
	const (
		ones = 0x0101010101010101
		high = 0x8080808080808080
	)
	i := 0
	for ; i+8 <= len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		// Any octet that is above 127, below 32 or 127 leaves a high bit; a false alarm only costs the slow loop.
		if (w|(w-ones*' ')|(w+ones))&high != 0 {
			break
		}
	}
	for i < len(b) && b[i]-' ' < 0x7f-' ' {
		i++
	}
	return i
}

// fault is what is wrong with an octet of free text.
type fault uint8

const (
	faultNone fault = iota
	faultControl
	faultUTF8
)

// checkText finds the first octet of b that is a control character or not UTF-8.
func checkText(b []byte) (fault, int) {
	for i := 0; i < len(b); {
		i += plainLen(b[i:])
		if i == len(b) {
			break
		}
		if b[i] < utf8.RuneSelf {
			return faultControl, i
		}
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			return faultUTF8, i
		}
		i += size
	}
	return faultNone, 0
}

// textFlags gives control's flag if b has a control character, and FlagUTF8 if it has octets that are not UTF-8.
func textFlags(b []byte, control Flags) Flags {
	var flags Flags
	for {
		what, at := checkText(b)
		switch what {
		case faultNone:
			return flags
		case faultControl:
			flags |= control
		case faultUTF8:
			flags |= FlagUTF8
		}
		if flags == control|FlagUTF8 {
			return flags
		}
		b = b[at+1:]
	}
}

// number reads decimal digits. ok is false for anything else and beyond 64 bits.
func number(b []byte) (n uint64, ok bool) {
	if len(b) == 0 {
		return 0, false
	}
	for _, c := range b {
		d := uint64(c - '0')
		if d > 9 || n > (1<<64-1-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, true
}

// strictNumber is number without leading zeros and at most max.
func strictNumber(b []byte, limit uint64) (uint64, bool) {
	if len(b) > 1 && b[0] == '0' {
		return 0, false
	}
	n, ok := number(b)
	return n, ok && n <= limit
}

// two reads two digits; -1 for anything else.
func two(b []byte) int {
	if len(b) != 2 || !isDigit(b[0]) || !isDigit(b[1]) {
		return -1
	}
	return int(b[0]-'0')*10 + int(b[1]-'0')
}

// trim takes spaces off both ends.
func trim(b []byte) []byte {
	for len(b) > 0 && b[0] == ' ' {
		b = b[1:]
	}
	return trimRight(b)
}

func trimRight(b []byte) []byte {
	for len(b) > 0 && b[len(b)-1] == ' ' {
		b = b[:len(b)-1]
	}
	return b
}

// spaces is how many spaces b begins with.
func spaces(b []byte) int {
	n := 0
	for n < len(b) && b[n] == ' ' {
		n++
	}
	return n
}
