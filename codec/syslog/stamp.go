package syslog

// reading is a time stamp taken apart, before a year or zone is given to it.
type reading struct {
	year                   int // 0: none; below 0: written, but no year
	month, day, hour, min  int
	sec                    int
	nsec                   int32
	digits                 uint8
	offset                 int32
	hasZone, yearFirst, ok bool
	flags                  Flags
	text, zone             []byte
}

// scanStamp reads a date and time of any form at the start of b and says how long it is; 0 when there is none. A zone
// belongs to the length only in RFC 3339 stamps; see zoneAfter.
func scanStamp(b []byte, r *reading) int {
	if len(b) < len("Jun 3 1:02:03") {
		return 0
	}
	switch c := class[b[0]]; {
	case c&isDigit != 0:
		if class[b[1]]&isDigit == 0 || class[b[2]]&isDigit == 0 || class[b[3]]&isDigit == 0 {
			return scanDayFirst(b, r)
		}
		switch b[4] {
		case ' ':
			return scanYearFirst(b, r)
		case '-', '/':
			return scanISO(b, r)
		}
		return 0
	case c&isAlpha != 0 || b[0] >= 0x80:
		return scanBSD(b, r)
	}
	return 0
}

// scanBSD reads `Jun 13 21:07:15` with all that follows or precedes it in practice: a weekday in front, the year before
// or after the time, an unpadded day, full and foreign month names, a 12-hour clock.
func scanBSD(b []byte, r *reading) int {
	month, i := scanMonth(b)
	if month == 0 {
		return 0
	}
	if month == weekday {
		i = skipSpaces(b, i)
		n := 0
		r.flags |= FlagTimeForm
		if month, n = scanMonth(b[i:]); month <= 0 {
			return 0
		}
		i += n
	}
	if i >= len(b) || b[i] != ' ' {
		return 0
	}
	i = skipSpaces(b, i+1)
	n := digits(b, i)
	if n == i || n-i > 2 || n >= len(b) || b[n] != ' ' && b[n] != ',' {
		return 0
	}
	r.month, r.day = month, int(number(b[i:n]))
	if b[n] == ',' {
		n++
	}
	i = skipSpaces(b, n)
	if i+5 < len(b) && b[i+4] == ' ' && digits(b, i) == i+4 {
		r.year = int(number(b[i : i+4]))
		i = skipSpaces(b, i+4)
	}
	n = scanClock(b, i, r)
	if n == 0 {
		return 0
	}
	if r.year == 0 {
		n = yearAfter(b, n, r)
	}
	r.text, r.ok = b[:n], true
	return n
}

// yearAfter reads a year that follows the time, as Junos and Comware write it.
func yearAfter(b []byte, i int, r *reading) int {
	if i+5 > len(b) || b[i] != ' ' || b[i+1] != '2' && b[i+1] != '1' || digits(b, i+1) != i+5 {
		return i
	}
	y := int(number(b[i+1 : i+5]))
	if y < 1970 || y > 2099 || i+5 < len(b) && b[i+5] != ' ' && !closed(b, i+5) {
		return i
	}
	r.year = y
	return i + 5
}

// closed reports whether a colon at i ends what stands before it: an address of IPv6 goes on behind it.
func closed(b []byte, i int) bool {
	return i < len(b) && b[i] == ':' && (i+1 == len(b) || b[i+1] == ' ')
}

// scanYearFirst reads `2026 Jun 13 21:07:15.454`.
func scanYearFirst(b []byte, r *reading) int {
	n := scanBSD(b[5:], r)
	if n == 0 || r.year != 0 {
		return 0
	}
	r.year, r.yearFirst, r.text = int(number(b[:4])), true, b[:5+n]
	return 5 + n
}

// scanDayFirst reads `13 Jun 2026 21:07:15`.
func scanDayFirst(b []byte, r *reading) int {
	n := digits(b, 0)
	if n > 2 || b[n] != ' ' {
		return 0
	}
	day := int(number(b[:n]))
	month, m := scanMonth(b[n+1:])
	i := n + 1 + m
	if month <= 0 || i+6 > len(b) || b[i] != ' ' || digits(b, i+1) != i+5 || b[i+5] != ' ' {
		return 0
	}
	r.month, r.day, r.year = month, day, int(number(b[i+1:i+5]))
	r.flags |= FlagTimeForm
	if n = scanClock(b, i+6, r); n == 0 {
		return 0
	}
	r.text, r.ok = b[:n], true
	return n
}

// scanISO reads RFC 3339 and its kin: a space or an underscore for the T, slashes, one-digit months, a comma before the
// fraction, no offset. An offset is taken along.
func scanISO(b []byte, r *reading) int {
	sep := b[4]
	if class[b[5]]&isAlpha != 0 {
		return scanNamedISO(b, r)
	}
	m := digits(b, 5)
	if m == 5 || m > 7 || m >= len(b) || b[m] != sep {
		return 0
	}
	d := digits(b, m+1)
	if d == m+1 || d > m+3 || d >= len(b) || b[d] != 'T' && b[d] != 't' && b[d] != ' ' && b[d] != '_' {
		return 0
	}
	r.year, r.month, r.day = int(number(b[:4])), int(number(b[5:m])), int(number(b[m+1:d]))
	if r.year == 0 {
		r.year = -1
	}
	i := d + 1
	if b[d] == ' ' {
		i = skipSpaces(b, i)
	}
	n := scanClock(b, i, r)
	if n == 0 {
		return 0
	}
	if b[d] != 'T' || sep != '-' || m != 7 || d != 10 {
		r.flags |= FlagTimeForm
	}
	r.text, r.ok = b[:n], true
	return n + isoZone(b[n:], r)
}

// scanNamedISO reads `2026-Jun-13 21:07:15`, the day padded with a space or a zero.
func scanNamedISO(b []byte, r *reading) int {
	if len(b) < len("2026-Jun-13 21:07:15") || b[8] != '-' {
		return 0
	}
	var name [4]byte
	copy(name[:3], b[5:8])
	name[3] = ' '
	month, _ := scanMonth(name[:])
	i := skipSpaces(b, 9)
	d := digits(b, i)
	if month <= 0 || d == i || d > i+2 || d >= len(b) || b[d] != ' ' && b[d] != 'T' {
		return 0
	}
	r.year, r.month, r.day = int(number(b[:4])), month, int(number(b[i:d]))
	n := scanClock(b, d+1, r)
	if n == 0 {
		return 0
	}
	r.flags |= FlagTimeForm
	r.text, r.ok = b[:n], true
	return n
}

// isoZone reads Z or an offset directly behind a stamp.
func isoZone(b []byte, r *reading) int {
	if len(b) == 0 {
		return 0
	}
	if b[0] == 'Z' || b[0] == 'z' {
		r.hasZone, r.zone = true, b[:1]
		return 1
	}
	off, n := scanOffset(b)
	if n > 0 {
		r.hasZone, r.offset, r.zone = true, off, b[:n]
	}
	return n
}

// scanClock reads hh:mm:ss with a fraction at i and gives the index behind it, 0 when there is none. Values out of
// range are kept and flagged later.
func scanClock(b []byte, i int, r *reading) int {
	if i+7 > len(b) {
		return 0
	}
	h := two(b, i)
	if h < 0 || b[i+2] != ':' {
		if !digit(b[i]) || b[i+1] != ':' {
			return 0
		}
		h, i = int(b[i]-'0'), i-1
	}
	if i+8 > len(b) || b[i+5] != ':' {
		return 0
	}
	m, s := two(b, i+3), two(b, i+6)
	if m < 0 || s < 0 {
		return 0
	}
	r.hour, r.min, r.sec = h, m, s
	i += 8
	if n := scanMeridiem(b, i, r); n > i {
		return scanFraction(b, n, r)
	}
	return scanMeridiem(b, scanFraction(b, i, r), r)
}

// scanMeridiem turns a 12-hour clock: Unified CM puts AM or PM between the seconds and their fraction, others behind it.
func scanMeridiem(b []byte, i int, r *reading) int {
	if i+3 > len(b) || b[i] != ' ' || b[i+1]|0x20 != 'a' && b[i+1]|0x20 != 'p' || b[i+2]|0x20 != 'm' {
		return i
	}
	if i+3 < len(b) && b[i+3] != '.' && b[i+3] != ' ' && b[i+3] != ':' || r.hour == 0 || r.hour > 12 {
		return i
	}
	r.hour %= 12
	if b[i+1]|0x20 == 'p' {
		r.hour += 12
	}
	r.flags |= FlagTimeForm
	return i + 3
}

// pow10 scales a fraction of n digits to nanoseconds.
var pow10 = [10]int32{1e9, 1e8, 1e7, 1e6, 1e5, 1e4, 1e3, 100, 10, 1}

// scanFraction reads a fraction behind the seconds into r. Huawei appends a second one.
func scanFraction(b []byte, i int, r *reading) int {
	nsec, digs, end := plainFraction(b, i)
	if end == i {
		return i
	}
	r.nsec, r.digits = nsec, digs
	if end+1 < len(b) && b[end] == '.' && digit(b[end+1]) {
		r.flags |= FlagTimeForm
		end = digits(b, end+1)
	}
	return end
}

// plainFraction reads a fraction of any length at i, keeps nine digits of it and gives the index behind it; that is i when there
// is none.
func plainFraction(b []byte, i int) (nsec int32, digs uint8, end int) {
	if i+1 >= len(b) || b[i] != '.' && b[i] != ',' || !digit(b[i+1]) {
		return 0, 0, i
	}
	i++
	start := i
	n, few := fewDigits(b, i)
	i += few
	for few == 0 && i < len(b) && b[i]-'0' <= 9 {
		if i-start < 9 {
			n = n*10 + int32(b[i]-'0')
		}
		i++
	}
	digs = uint8(min(i-start, 9))
	return n * pow10[digs], digs, i
}
