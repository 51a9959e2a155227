package ciscolog

import (
	"bytes"
	"time"
)

// stampLayout is the strict TIMESTAMP up to its zone: 0 stands for a digit, A for any octet of a field with a rule of
// its own.
const stampLayout = "AAA AA 0000 AA:AA:AA.000 "

// months are the names of MONTH; the guide's list leaves out August, which is legal.
var months = [...]string{
	"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
	"December",
}

// daysIn is the number of days of each month in a year without a leap day.
var daysIn = [...]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

// lastDay is the last day of a month from 1 to 12.
func lastDay(month, year int) int {
	if month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		return 29
	}
	return daysIn[month-1]
}

// strictMonth is 1 to 12 for one of the twelve short names, else 0.
func strictMonth(b []byte) int {
	for i, name := range months {
		if string(b) == name[:3] {
			return i + 1
		}
	}
	return 0
}

// strictStamp reads TIMESTAMP.
func (r *Record) strictStamp(b []byte, o *Options) (Rule, int) {
	r.Stamp = b
	if bytes.Equal(b, noClockText) {
		r.Accuracy, r.TimeSource = AccuracyNoClock, TimeFromReceipt
		return "", 0
	}
	off := 0
	if len(b) > 0 {
		off = r.accuracyMark(b[0])
	}
	t := b[off:]
	if !hasLayout(t) {
		return RuleTimestamp, 0
	}
	date, rule, at := strictDate(t)
	if rule != "" {
		return rule, off + at
	}
	zone := t[len(stampLayout):]
	if !validZone(zone) {
		return RuleTimezone, off + len(stampLayout)
	}
	r.Precision = time.Millisecond
	r.Flags |= r.place(date, zone, o)
	return "", 0
}

// accuracyMark takes the accuracy prefix, if c is one, and gives its length.
func (r *Record) accuracyMark(c byte) int {
	switch c {
	case '*':
		r.Accuracy = AccuracyUnsynchronised
	case '.':
		r.Accuracy = AccuracyWasSynchronised
	default:
		return 0
	}
	return 1
}

// hasLayout tells whether t is a stamp by its shape.
func hasLayout(t []byte) bool {
	if len(t) < len(stampLayout) {
		return false
	}
	for i := range len(stampLayout) {
		c := t[i]
		switch stampLayout[i] {
		case 'A', c:
		case '0':
			if !isDigit(c) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// strictDate reads date and clock of a stamp that has the layout, and gives them as if they were UTC.
func strictDate(t []byte) (date time.Time, rule Rule, at int) {
	month, year := strictMonth(t[:3]), two(t[7:9])*100+two(t[9:11])
	if month == 0 {
		return date, RuleMonth, 0
	}
	day := two(t[4:6])
	if t[4] == ' ' && isDigit(t[5]) {
		day = int(t[5] - '0')
	} else if t[4] == '0' {
		day = 0
	}
	if day < 1 || day > lastDay(month, year) {
		return date, RuleDay, 4
	}
	hour, minute, second := two(t[12:14]), two(t[15:17]), two(t[18:20])
	switch {
	case hour < 0 || hour > 23:
		return date, RuleHour, 12
	case minute < 0 || minute > 59:
		return date, RuleMinutes, 15
	case second < 0 || second > 59:
		return date, RuleSeconds, 18
	}
	ms := int(t[21]-'0')*100 + two(t[22:24])
	return time.Date(year, time.Month(month), day, hour, minute, second, ms*int(time.Millisecond), time.UTC), "", 0
}

// validZone tells whether b can be a strict TIMEZONE.
func validZone(b []byte) bool {
	if len(b) == 0 || len(b) > MaxZone || plainLen(b) < len(b) || b[0] == ' ' || b[len(b)-1] == ' ' {
		return false
	}
	if b[0] != '+' && b[0] != '-' {
		return true
	}
	_, ok := strictOffset(b)
	return ok
}

// strictOffset reads +hhmm or -hhmm as seconds east of UTC.
func strictOffset(b []byte) (seconds int, ok bool) {
	if len(b) != 5 || b[0] != '+' && b[0] != '-' {
		return 0, false
	}
	hours, minutes := two(b[1:3]), two(b[3:5])
	if hours < 0 || hours > 23 || minutes < 0 || minutes > 59 {
		return 0, false
	}
	seconds = hours*3600 + minutes*60
	if b[0] == '-' {
		seconds = -seconds
	}
	return seconds, true
}
