package ciscolog

import (
	"bytes"
	"time"
)

// Sizes of a time stamp in the field.
const (
	maxZoneText = 32 // longer, and what follows the clock is no zone
	maxFraction = 9  // digits of a second that are believed
	minMonth    = 3  // letters of the shortest month name
)

// stamp is a time stamp as the tolerant parser finds it at the right end of a prefix.
type stamp struct {
	start      int // index in the prefix; its length when there is no stamp
	text, zone []byte
	mark       byte // accuracy prefix, 0 without one
	year       int  // -1 without one
	month, day int
	hour       int
	minute     int
	second     int
	nsec       int
	digits     int // of the fraction
	pm         byte
	noClock    bool
	invalid    bool
	flags      Flags
}

// findStamp reads the time stamp that ends the prefix, in any of the forms senders use.
func findStamp(prefix []byte) (st stamp, ok bool) {
	st.start, st.year = len(prefix), -1
	if bytes.HasSuffix(prefix, noClockText) {
		st.start -= len(noClockText)
		st.text, st.noClock = prefix[st.start:], true
		return st, true
	}
	clock := lastClock(prefix)
	if clock < 0 || !st.readClock(prefix[clock:]) {
		return stamp{start: len(prefix)}, false
	}
	st.start = st.readDate(prefix, clock)
	st.text = prefix[st.start:]
	return st, true
}

// lastClock is the index of the last hh:mm:ss in the prefix, -1 when there is none near enough to its end.
func lastClock(prefix []byte) int {
	const far = maxZoneText + len("hh:mm:ss AM.123456789  ") // nothing of a stamp reaches further behind the clock
	for i := len(prefix) - 1; i >= max(0, len(prefix)-far); i-- {
		if !isDigit(prefix[i]) || clockLen(prefix[i:]) == 0 {
			continue
		}
		if i > 0 && isDigit(prefix[i-1]) && clockLen(prefix[i-1:]) > 0 {
			i--
		}
		return i
	}
	return -1
}

// readClock reads clock, fraction, AM or PM and zone.
func (st *stamp) readClock(b []byte) bool {
	n := clockLen(b)
	at := n - len("mm:ss")
	st.minute, st.second = two(b[at:at+2]), two(b[at+3:at+5])
	hour, _ := number(b[:at-1])
	st.hour = int(hour)
	if at == len("h:") {
		st.flags |= FlagTimeForm
	}
	b = st.readFraction(b[n:])
	if half := trim(b); len(half) >= 2 && half[1]|0x20 == 'm' && (half[0]|0x20 == 'a' || half[0]|0x20 == 'p') &&
		(len(half) == 2 || !isAlpha(half[2])) {
		st.pm = half[0] | 0x20
		st.flags |= FlagTimeForm
		b = st.readFraction(half[2:])
	}
	if len(b) > 0 && b[0] != ' ' || spaces(b) > 1 {
		st.flags |= FlagTimeForm
	}
	st.zone = trim(b)
	return len(st.zone) <= maxZoneText && !bytes.Contains(st.zone, delim)
}

// readFraction reads a point or comma and the digits behind it.
func (st *stamp) readFraction(b []byte) []byte {
	if len(b) < 2 || b[0] != '.' && b[0] != ',' || !isDigit(b[1]) {
		return b
	}
	n := digits(b[1:])
	if n > maxFraction || b[0] == ',' {
		st.flags |= FlagTimeForm
	}
	st.digits = min(n, maxFraction)
	st.nsec = 0
	for i := range maxFraction {
		st.nsec *= 10
		if i < n {
			st.nsec += int(b[1+i] - '0')
		}
	}
	return b[1+n:]
}

// readDate reads the date before the clock, from right to left, and gives where the stamp begins. Without a date there
// the stamp begins behind the delimiter before the clock, and is invalid.
func (st *stamp) readDate(prefix []byte, clock int) int {
	word, at := wordBefore(prefix, clock)
	if len(word) == 4 && allOf(word, classDigit) {
		st.year = two(word[:2])*100 + two(word[2:])
		st.looseGap(prefix[at+4:clock], 1)
		clock = at
		word, at = wordBefore(prefix, clock)
	}
	month, start := wordBefore(prefix, at)
	if len(word) < 1 || len(word) > 2 || !allOf(word, classDigit) || len(lettersEnd(month)) < minMonth {
		st.invalid = true
		return fieldStart(prefix[:clock])
	}
	st.looseGap(prefix[at+len(word):clock], 1)
	day, _ := number(word)
	st.day = int(day)
	if word[0] == '0' {
		st.flags |= FlagTimeForm
	}
	st.looseGap(prefix[start+len(month):at], 3-len(word))
	return st.readMonth(month, start)
}

// fieldStart is the index behind the last delimiter of b.
func fieldStart(b []byte) int {
	if i := bytes.LastIndex(b, delim); i >= 0 {
		return i + len(delim)
	}
	return 0
}

// looseGap remarks a gap that is not as many spaces as it should be.
func (st *stamp) looseGap(gap []byte, want int) {
	if len(gap) != want {
		st.flags |= FlagTimeForm
	}
}

// readMonth reads the word with the month's name, and the accuracy prefix or junk in front of it.
func (st *stamp) readMonth(word []byte, start int) int {
	name := lettersEnd(word)
	st.month = looseMonth(name)
	if st.month == 0 {
		st.invalid = true
	} else if strictMonth(name) == 0 {
		st.flags |= FlagTimeForm
	}
	mark := word[:len(word)-len(name)]
	if len(mark) == 1 && (mark[0] == '*' || mark[0] == '.') {
		st.mark = mark[0]
	} else if len(mark) > 0 {
		st.flags |= FlagTimeForm
	}
	return start
}

// wordBefore is the word that ends before index end, spaces aside, and where it begins. A colon ends a word too.
func wordBefore(b []byte, end int) (word []byte, start int) {
	b = trimRight(b[:end])
	start = bytes.LastIndexAny(b, " :") + 1
	return b[start:], start
}

// lettersEnd is the letters that b ends in.
func lettersEnd(b []byte) []byte {
	i := len(b)
	for i > 0 && isAlpha(b[i-1]) {
		i--
	}
	return b[i:]
}

// looseMonth is 1 to 12 for an English month's name of three letters or more in any case, else 0.
func looseMonth(b []byte) int {
	if len(b) < minMonth {
		return 0
	}
	for i, name := range months {
		if len(b) <= len(name) && bytes.EqualFold(b, []byte(name)[:len(b)]) {
			return i + 1
		}
	}
	return 0
}

// looseStamp puts a stamp into r: its instant, or the time of receipt where it is none.
func (r *Record) looseStamp(st *stamp, received time.Time, o *Options) {
	r.Stamp = st.text
	r.Flags |= st.flags
	if st.mark != 0 {
		r.accuracyMark(st.mark)
	}
	if st.noClock {
		r.Accuracy, r.TimeSource = AccuracyNoClock, TimeFromReceipt
		return
	}
	civil, flags := st.civil(received)
	r.Flags |= flags
	if flags.Has(FlagTimeInvalid) {
		r.Zone, r.TimeSource = st.zone, TimeFromReceipt
		return
	}
	r.Precision = time.Second
	for range st.digits {
		r.Precision /= 10
	}
	r.Flags |= r.place(civil, st.zone, o)
}

// civil gives date and clock as if they were UTC.
func (st *stamp) civil(received time.Time) (time.Time, Flags) {
	var flags Flags
	st.twelveHours()
	if st.second == 60 {
		st.second, st.nsec = 59, 999*int(time.Millisecond)
		flags |= FlagLeapSecond
	}
	if st.text == nil || st.invalid || st.hour > 23 || st.minute > 59 || st.second > 59 || st.day < 1 {
		return time.Time{}, FlagTimeInvalid
	}
	if st.year < 0 {
		flags |= FlagYearInferred
		if st.year = st.nearestYear(received); st.year < 0 {
			return time.Time{}, FlagTimeInvalid
		}
	}
	if st.day > lastDay(st.month, st.year) {
		return time.Time{}, FlagTimeInvalid
	}
	return st.in(st.year), flags
}

// in is the date and clock in a year.
func (st *stamp) in(year int) time.Time {
	return time.Date(year, time.Month(st.month), st.day, st.hour, st.minute, st.second, st.nsec, time.UTC)
}

// twelveHours turns a clock with AM or PM into one without. An hour above 12 is left as it is.
func (st *stamp) twelveHours() {
	switch {
	case st.pm == 'p' && st.hour < 12:
		st.hour += 12
	case st.pm == 'a' && st.hour == 12:
		st.hour = 0
	}
}

// nearestYear is the year that puts the stamp nearest to the time of receipt, -1 if the day is in none of the years near
// it.
func (st *stamp) nearestYear(received time.Time) int {
	best, distance := -1, time.Duration(0)
	now := received.UTC()
	for year := now.Year() - 1; year <= now.Year()+1; year++ {
		if st.day > lastDay(st.month, year) {
			continue
		}
		d := now.Sub(st.in(year)).Abs()
		if best < 0 || d < distance {
			best, distance = year, d
		}
	}
	return best
}
