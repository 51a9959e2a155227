package syslog

import "time"

// unix gives the instant of the reading as UTC would have it, and false when there is no such date or time.
func (r *reading) unix() (sec int64, ok bool) {
	if r.hour > 23 || r.min > 59 || r.sec > 60 {
		return 0, false
	}
	days, ok := tableDays(r.year, r.month, r.day)
	if !ok {
		if r.year < 1 || r.month < 1 || r.month > 12 || r.day < 1 || r.day > daysIn(r.year, r.month) {
			return 0, false
		}
		days = daysFromCivil(r.year, r.month, r.day)
	}
	return days*86400 + int64(r.hour*3600+r.min*60+min(r.sec, 59)), true
}

// daysBefore counts the days of a common year before each month.
var daysBefore = [16]int16{1: 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334}

// tableDays counts the days from 1970-01-01 for a date up to 2099, while every fourth year has a leap day; false for
// any other and for no date.
func tableDays(year, month, day int) (days int64, ok bool) {
	if year < 1970 || year > 2099 || month < 1 || month > 12 || day < 1 || day > 28 && day > daysIn(year, month) {
		return 0, false
	}
	n := (year-1970)*365 + (year-1969)>>2 + int(daysBefore[month&15]) + day - 1
	if month > 2 && year&3 == 0 {
		n++
	}
	return int64(n), true
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// daysFromCivil counts the days from 1970-01-01 in the Gregorian calendar, with years that begin in March.
func daysFromCivil(y, m, d int) int64 {
	if m <= 2 {
		y--
		m += 12
	}
	era := y / 400
	yoe := y - era*400
	doy := (153*(m-3)+2)/5 + d - 1
	return int64(era)*146097 + int64(yoe*365+yoe/4-yoe/100+doy) - 719468
}

// yearOf is the Gregorian year of a Unix time in UTC: the inverse of daysFromCivil as far as the year goes.
func yearOf(sec int64) int {
	days := sec / 86400
	if sec%86400 < 0 {
		days--
	}
	days += 719468
	era := days / 146097
	doe := days - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	year := era*400 + yoe
	if doe-(365*yoe+yoe/4-yoe/100) >= 306 { // January and February belong to the year before
		year++
	}
	return int(year)
}

// settle gives a reading its year and zone and writes it into l.
func (p *Parser) settle(r *reading, received time.Time, l *Line) {
	l.Stamp.Text, l.Zone, l.Digits, l.HasZone, l.Offset = r.text, r.zone, r.digits, r.hasZone, r.offset
	l.NoYear, l.Time = r.year == 0, time.Time{}
	l.Flags |= r.flags
	var sec int64
	var ok bool
	if r.year == 0 {
		l.Flags |= FlagYearInferred
		sec, ok = p.inferYear(r, received)
	} else {
		sec, ok = r.unix()
	}
	if !ok {
		l.Flags |= FlagTimeInvalid
		return
	}
	nsec := r.nsec
	if r.sec == 60 {
		nsec = 999999999
		l.Flags |= FlagLeapSecond
	}
	switch {
	case r.hasZone:
		sec -= int64(r.offset)
	case p.Zone != nil && p.Zone != time.UTC:
		sec = p.localSeconds(r, l)
		fallthrough
	default:
		if len(r.zone) == 0 {
			l.Flags |= FlagTZMissing
		} else {
			l.Flags |= FlagTZUnknown
		}
	}
	l.Time = time.Unix(sec, int64(nsec)).UTC()
}

// localSeconds is the instant of a reading in the sender's configured zone.
func (p *Parser) localSeconds(r *reading, l *Line) int64 {
	t := time.Date(r.year, time.Month(r.month), r.day, r.hour, r.min, min(r.sec, 59), 0, p.Zone)
	_, off := t.Zone()
	l.Offset = int32(off)
	return t.Unix()
}

// halfYear is less than half of the shortest year, with a day to spare for offsets.
const halfYear = 181 * 86400

// maxAhead is how far YearPast lets a stamp run ahead of its receipt.
const maxAhead = 7 * 86400

// meanYear is the mean length of a Gregorian year in seconds.
const meanYear = 31556952

// inferYear chooses the year of a stamp that has none and gives its seconds as unix does. A 29 February looks for its
// leap year. Without a time of receipt there is no year.
func (p *Parser) inferYear(r *reading, received time.Time) (int64, bool) {
	if received.IsZero() {
		return 0, false
	}
	now := received.Unix()
	r.year = 1970 + int(now/meanYear) // right but for hours around New Year, and that does not matter here
	sec, ok := r.unix()
	if ok && sec-now < maxAhead && now-sec < halfYear {
		return sec, true // no other year is nearer
	}
	this, reach := yearOf(now), 1
	if r.month == 2 && r.day == 29 {
		reach = 8
	}
	var best, chosen int64 = -1, 0
	year := this
	for y := this - reach; y <= this+reach; y++ {
		r.year = y
		if sec, ok = r.unix(); !ok {
			continue
		}
		d := sec - int64(r.offset) - now
		if p.Year == YearPast && d > maxAhead {
			continue
		}
		if d < 0 {
			d = -d
		}
		if best < 0 || d < best {
			best, chosen, year = d, sec, y
		}
	}
	r.year = year
	return chosen, best >= 0
}
