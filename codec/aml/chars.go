package aml

import "unicode/utf8"

// Classes of bytes.
const (
	classNameStart = 1 << iota // may begin a name
	className                  // may go on in a name
	classColon
	classSpace
	classTextStop  // character data: to be looked at
	classCDATAStop // CDATA: to be looked at
)

var class = classTable()

func classTable() (t [256]uint8) {
	for c := range t {
		b := byte(c)
		switch {
		case b >= utf8.RuneSelf:
			t[c] |= classNameStart | className | classTextStop | classCDATAStop
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', b == '_':
			t[c] |= classNameStart | className
		case b == ':':
			t[c] |= classNameStart | className | classColon
		case '0' <= b && b <= '9', b == '-', b == '.':
			t[c] |= className
		case b == ' ', b == '\t', b == '\n', b == '\r':
			t[c] |= classSpace
		}
		if b < ' ' && b != '\t' && b != '\n' {
			t[c] |= classTextStop | classCDATAStop
		}
	}
	t['&'] |= classTextStop
	t[']'] |= classTextStop
	return t
}

// Eight bytes are judged at once: ones repeats a byte, highs has the top bit of each. The sums below do not carry from
// byte to byte as long as all eight are ASCII; where one is not, the word counts as a hit anyway.
const (
	ones  = 0x0101010101010101
	highs = 0x80 * ones
)

// load8 reads eight bytes at i, the first lowest; the compiler makes one load of it.
func load8(s string, i int) uint64 {
	b := s[i : i+8]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

// isNot sets the top bit of each byte of x that is not c.
func isNot(x uint64, c byte) uint64 { return (x ^ ones*uint64(c)) + 0x7F*ones }

// badWord is not zero when a byte of x is outside ASCII or a control character other than tab and line feed.
func badWord(x uint64) uint64 {
	control := ^(x + 0x60*ones)
	return (x | control&isNot(x, '\n')&isNot(x, '\t')) & highs
}

// skipText is the first index from i on of a byte that character data or an attribute value must be looked at for, or
// the length of s.
func skipText(s string, i int) int {
	for ; i+8 <= len(s); i += 8 {
		x := load8(s, i)
		if badWord(x)|^(isNot(x, '&')&isNot(x, ']'))&highs != 0 {
			break
		}
	}
	for i < len(s) && class[s[i]]&classTextStop == 0 {
		i++
	}
	return i
}

// skipCDATA is skipText for the inside of a CDATA section, where only illegal bytes, bytes outside ASCII and carriage
// returns matter.
func skipCDATA(s string, i int) int {
	for ; i+8 <= len(s); i += 8 {
		if badWord(load8(s, i)) != 0 {
			break
		}
	}
	for i < len(s) && class[s[i]]&classCDATAStop == 0 {
		i++
	}
	return i
}

// legal reports whether r may stand in a document (XML 1.0 section 2.2, Char).
func legal(r rune) bool {
	switch {
	case r < 0x20:
		return r == '\t' || r == '\n' || r == '\r'
	case r < 0xD800:
		return true
	}
	return r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= utf8.MaxRune
}

// nameStartRanges are the characters outside ASCII that may begin a name (XML 1.0 fifth edition, section 2.3).
var nameStartRanges = [...][2]rune{
	{0xC0, 0xD6}, {0xD8, 0xF6}, {0xF8, 0x2FF}, {0x370, 0x37D}, {0x37F, 0x1FFF}, {0x200C, 0x200D}, {0x2070, 0x218F},
	{0x2C00, 0x2FEF}, {0x3001, 0xD7FF}, {0xF900, 0xFDCF}, {0xFDF0, 0xFFFD}, {0x10000, 0xEFFFF},
}

// nameMoreRanges are those that may only go on in one.
var nameMoreRanges = [...][2]rune{{0xB7, 0xB7}, {0x300, 0x36F}, {0x203F, 0x2040}}

func inRanges(ranges [][2]rune, r rune) bool {
	for _, p := range ranges {
		if r >= p[0] && r <= p[1] {
			return true
		}
	}
	return false
}

// validName judges a name that has bytes outside ASCII; its ASCII bytes are name bytes already.
func validName(name string) bool {
	if !utf8.ValidString(name) {
		return false
	}
	for i, r := range name {
		if r < utf8.RuneSelf || inRanges(nameStartRanges[:], r) {
			continue
		}
		if i == 0 || !inRanges(nameMoreRanges[:], r) {
			return false
		}
	}
	return true
}

// isBlank reports whether s holds nothing but white space of XML.
func isBlank(s string) bool {
	for i := range len(s) {
		if class[s[i]]&classSpace == 0 {
			return false
		}
	}
	return true
}

// trim cuts white space of XML off both ends.
func trim(s string) string {
	for len(s) > 0 && class[s[0]]&classSpace != 0 {
		s = s[1:]
	}
	for len(s) > 0 && class[s[len(s)-1]]&classSpace != 0 {
		s = s[:len(s)-1]
	}
	return s
}
