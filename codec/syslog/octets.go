package syslog

import (
	"encoding/binary"
	"math/bits"
)

// Eight octets are looked at in one step. Each constant holds one octet eight times.
const (
	eachOne    = 0x0101010101010101
	eachHigh   = 0x8080808080808080
	eachSpace  = ' ' * eachOne
	eachQuote  = '"' * eachOne
	eachEscape = '\\' * eachOne
)

// zeros marks the octets of x that are zero with their highest bit. Behind the first mark others may be wrong.
func zeros(x uint64) uint64 { return (x - eachOne) &^ x & eachHigh }

// token is the end of the run of octets that are no space.
func token(b []byte, i int) int {
	for ; i+8 <= len(b); i += 8 {
		if m := zeros(binary.LittleEndian.Uint64(b[i:]) ^ eachSpace); m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
	}
	for i < len(b) && b[i] != ' ' {
		i++
	}
	return i
}

// fewDigits reads the digits at i: their value and how many they are. It answers 0 of them where eight octets do not tell:
// eight digits or more, or fewer than eight octets left.
func fewDigits(b []byte, i int) (value int32, n int) {
	const (
		eachZero  = '0' * eachOne
		above9    = (0x80 - 10) * eachOne
		everyPair = 0x000000ff000000ff
	)
	if i+8 > len(b) {
		return 0, 0
	}
	x := binary.LittleEndian.Uint64(b[i:]) ^ eachZero
	other := (x + above9 | x) & eachHigh // its lowest mark is right, and only that counts
	if n = bits.TrailingZeros64(other) >> 3; n == 0 || n == 8 {
		return 0, 0
	}
	x <<= 64 - 8*n      // zeros in front
	x = x*10 + (x >> 8) // pairs
	x = (x&everyPair*(100+1000000<<32) + x>>16&everyPair*(1+10000<<32)) >> 32
	return int32(x), n
}

// fourSpaces finds the first four spaces from i on; false where the last eight octets of b would have to be searched.
func fourSpaces(b []byte, i int, at *[4]int) bool {
	const low7 = eachHigh - eachOne
	for n := 0; i+8 <= len(b); i += 8 {
		x := binary.LittleEndian.Uint64(b[i:]) ^ eachSpace
		for m := ^(x&^eachHigh + low7 | x | low7); m != 0; m &= m - 1 { // every mark is right, unlike those of zeros
			at[n] = i + bits.TrailingZeros64(m)>>3
			if n++; n == len(at) {
				return true
			}
		}
	}
	return false
}

// quoteEnd is where the quote that closes a value stands, or the end of b; an octet behind a backslash closes nothing.
func quoteEnd(b []byte, i int) int {
	for i < len(b) {
		for i+8 <= len(b) {
			x := binary.LittleEndian.Uint64(b[i:])
			if m := zeros(x^eachQuote) | zeros(x^eachEscape); m != 0 {
				i += bits.TrailingZeros64(m) >> 3
				break
			}
			i += 8
		}
		switch {
		case i >= len(b):
			return len(b)
		case b[i] == '"':
			return i
		case b[i] == '\\':
			i++
		}
		i++
	}
	return len(b)
}

// The forms of a clock and of a date as eight octets, and where their digits are.
const (
	clockForm  = "00:00:00"
	monthForm  = "0000-00-"
	minuteForm = "00T00:00"
)

// eightOf reads eight octets as a number, the first one lowest.
func eightOf(s string) uint64 {
	n := uint64(0)
	for i := len(clockForm) - 1; i >= 0; i-- {
		n = n<<8 | uint64(s[i])
	}
	return n
}

// form is a text of eight octets in which each zero stands for a digit and anything else for itself.
type form struct {
	text  uint64
	fixed uint64 // every bit of the octets that stand for themselves
}

func formOf(s string) form {
	f := form{text: eightOf(s)}
	for i := range len(s) {
		if s[i] != '0' {
			f.fixed |= 0xff << (8 * i)
		}
	}
	return f
}

var clockShape, monthShape, minuteShape = formOf(clockForm), formOf(monthForm), formOf(minuteForm)

// match gives the digits' values, one to an octet, when the eight octets at i are of the form.
func (f *form) match(b []byte, i int) (digits uint64, ok bool) {
	const low, six = 0x0f * eachOne, 6 * eachOne
	d := binary.LittleEndian.Uint64(b[i:]) ^ f.text
	return d, (d|(d&low+six))&^low == 0 && d&f.fixed == 0
}

// pair is the number that the two digits from octet n on make.
func pair(digits uint64, n int) int {
	return int(digits>>(8*n)&15)*10 + int(digits>>(8*n+8)&15)
}
