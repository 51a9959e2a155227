package syslog

import (
	"bytes"
	"time"
)

// segment takes an ISE or ACS message: category, message number, total and index of the segment, and in the first one
// date, sequence number, code, level and class. Source: Cisco ISE Syslogs guide, "Remote Syslog Message Format".
func (l *Line) segment() bool {
	t := l.Text
	if !bytes.HasPrefix(t, []byte("CISE_")) && !bytes.HasPrefix(t, []byte("CSCOacs_")) {
		return false
	}
	end := token(t, 0)
	l.Dialect = ISE
	l.Program = bytes.TrimSuffix(t[:end], []byte(":"))
	i := skipSpaces(t, end)
	l.Text = t[i:]
	var num [3]int64
	var at [3][]byte
	body := 0 // what is joined begins one space behind the index
	for n := range num {
		end = digits(t, i)
		if num[n] = number(t[i:end]); num[n] < 0 || end < len(t) && t[end] != ' ' {
			l.leadingLevel()
			return true
		}
		at[n], i = t[i:end], skipSpaces(t, end)
		body = len(t) - min(end+1, len(t))
	}
	l.Segment = Segment{Group: at[0], Total: int(min(num[1], maxSegments+1)), Index: int(min(num[2], maxSegments+1)), body: body}
	if num[1] > 1 {
		l.Flags |= FlagSegmented
	}
	l.Text = t[i:]
	l.ParamForm, l.ParamRegion = ParamsComma, l.Text
	l.iseEvent(t, i)
	return true
}

// iseEvent reads date, sequence number, code and level at i. The date has year and zone, so it stands for the header's.
func (l *Line) iseEvent(t []byte, i int) {
	var r reading
	n := scanStamp(t[i:], &r)
	if n == 0 || r.year == 0 {
		return
	}
	i += n
	if !r.hasZone {
		start := skipSpaces(t, i)
		if m := isoZone(t[start:], &r); m > 0 {
			i = start + m
		}
	}
	if r.hasZone {
		r.flags &^= FlagTimeForm
		l.Flags &^= FlagYearInferred | FlagTZMissing | FlagTZUnknown
		new(Parser).settle(&r, time.Time{}, l)
	}
	var f [3][]byte
	for k := range f {
		i = skipSpaces(t, i)
		end := token(t, i)
		f[k], i = t[i:end], end
	}
	if number(f[0]) < 0 || number(f[1]) < 0 {
		return
	}
	l.Seq, l.MessageID = number(f[0]), f[1]
	l.own(severityOfWord(f[2]))
	l.Text = t[skipSpaces(t, i):]
	if k := bytes.Index(l.Text, []byte(", ")); k >= 0 {
		l.ParamRegion = l.Text[k+2:]
	} else {
		l.ParamForm, l.ParamRegion = ParamsNone, nil
	}
}

// leadingLevel reads the level word of CISE_Alarm, closed by a colon.
func (l *Line) leadingLevel() {
	end := token(l.Text, 0)
	if end > 1 && l.Text[end-1] == ':' {
		l.own(severityOfWord(l.Text[:end-1]))
	}
}
