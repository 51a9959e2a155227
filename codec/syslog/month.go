package syslog

// weekday is what scanMonth answers for the name of a day.
const weekday = -1

// The shortest and the longest name in otherMonths, in octets.
const (
	shortestMonth = 3
	longestMonth  = 12
)

// otherMonths are month names beyond the three English letters: full names, and those that hosts with a localised C
// library write (French, German, Spanish, Portuguese, Italian, Dutch), in lower case without a dot.
var otherMonths = map[string]int{
	"january": 1, "february": 2, "march": 3, "april": 4, "june": 6, "july": 7, "august": 8, "sept": 9, "september": 9,
	"october": 10, "november": 11, "december": 12,
	"janv": 1, "janvier": 1, "févr": 2, "fév": 2, "février": 2, "mars": 3, "avr": 4, "avril": 4, "mai": 5, "juin": 6,
	"juil": 7, "juillet": 7, "août": 8, "aout": 8, "septembre": 9, "octobre": 10, "novembre": 11, "déc": 12, "décembre": 12,
	"jän": 1, "mär": 3, "märz": 3, "mrz": 3, "juni": 6, "juli": 7, "okt": 10, "oktober": 10, "dez": 12,
	"ene": 1, "abr": 4, "ago": 8, "dic": 12, "fev": 2, "set": 9, "out": 10, "gen": 1, "mag": 5, "giu": 6, "lug": 7, "ott": 10,
	"maa": 3, "maart": 3, "mei": 5,
}

// scanMonth reads a month's name at the start of b: the month and its length, weekday for a day's name, 0 for neither.
func scanMonth(b []byte) (month, n int) {
	if len(b) < 4 {
		return 0, 0
	}
	switch uint32(b[0]|0x20)<<16 | uint32(b[1]|0x20)<<8 | uint32(b[2]|0x20) {
	case 'j'<<16 | 'a'<<8 | 'n':
		month = 1
	case 'f'<<16 | 'e'<<8 | 'b':
		month = 2
	case 'm'<<16 | 'a'<<8 | 'r':
		month = 3
	case 'a'<<16 | 'p'<<8 | 'r':
		month = 4
	case 'm'<<16 | 'a'<<8 | 'y':
		month = 5
	case 'j'<<16 | 'u'<<8 | 'n':
		month = 6
	case 'j'<<16 | 'u'<<8 | 'l':
		month = 7
	case 'a'<<16 | 'u'<<8 | 'g':
		month = 8
	case 's'<<16 | 'e'<<8 | 'p':
		month = 9
	case 'o'<<16 | 'c'<<8 | 't':
		month = 10
	case 'n'<<16 | 'o'<<8 | 'v':
		month = 11
	case 'd'<<16 | 'e'<<8 | 'c':
		month = 12
	case 'm'<<16 | 'o'<<8 | 'n', 't'<<16 | 'u'<<8 | 'e', 'w'<<16 | 'e'<<8 | 'd', 't'<<16 | 'h'<<8 | 'u',
		'f'<<16 | 'r'<<8 | 'i', 's'<<16 | 'a'<<8 | 't', 's'<<16 | 'u'<<8 | 'n':
		month = weekday
	}
	if month != 0 && (b[3] == ' ' || month == weekday && b[3] == ',') {
		if b[3] == ',' {
			return month, 4
		}
		return month, 3
	}
	return scanOtherMonth(b)
}

// scanOtherMonth looks a longer or foreign name up.
func scanOtherMonth(b []byte) (month, n int) {
	var low [longestMonth]byte
	for n < len(b) && n < longestMonth && (class[b[n]]&isAlpha != 0 || b[n] >= 0x80) {
		low[n] = lower(b[n])
		n++
	}
	if n < shortestMonth || n < len(b) && b[n] != ' ' && b[n] != '.' {
		return 0, 0 // most words that come here are hosts
	}
	month, ok := otherMonths[string(low[:n])]
	if !ok {
		return 0, 0
	}
	if n < len(b) && b[n] == '.' {
		n++
	}
	return month, n
}

// scanUptime reads an uptime at the start of b: 00:01:46, 00:01:46.120, 1d02h, 3w4d, 1y22w, or two bare numbers. It must
// end at a colon or at the end. The length is 0 when there is none.
func scanUptime(b []byte) int {
	i := digits(b, 0)
	if i == 0 || i > 9 || i >= len(b) {
		return 0
	}
	n := 0
	switch b[i] {
	case ':':
		n = uptimeClock(b, i)
	case 'y', 'w', 'd', 'h':
		n = uptimeUnits(b, i)
	case ' ':
		if n = digits(b, i+1); n == i+1 {
			return 0
		}
	}
	if n == 0 || n < len(b) && b[n] != ':' {
		return 0
	}
	return n
}

func uptimeClock(b []byte, i int) int {
	if i < 2 || i+6 > len(b) || two(b, i+1) < 0 || b[i+3] != ':' || two(b, i+4) < 0 {
		return 0
	}
	n := i + 6
	if n+1 < len(b) && b[n] == '.' && digit(b[n+1]) {
		n = digits(b, n+1)
	}
	return n
}

func uptimeUnits(b []byte, i int) int {
	units := 0
	for i < len(b) && (b[i] == 'y' || b[i] == 'w' || b[i] == 'd' || b[i] == 'h' || b[i] == 'm' || b[i] == 's') {
		units++
		n := digits(b, i+1)
		if n == i+1 {
			i++
			break
		}
		i = n
	}
	if units < 2 || digit(b[i-1]) {
		return 0
	}
	return i
}
