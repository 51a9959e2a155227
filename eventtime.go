package callhome

import (
	"fmt"
	"strings"
	"time"
)

// Layouts of Call Home event times, as the call-home chapters of the platforms' configuration guides print them.
const (
	gmtLayout        = "2006-01-02 15:04:05 GMT-07:00" // XML of IOS and IOS XE, mail subjects
	gmtCompactLayout = "2006-01-02 15:04:05 GMT-0700"  // XML of NX-OS
	gmtMinuteLayout  = "2006-01-02 15:04 GMT-07:00"    // long text of IOS
	readingLayout    = "2006-01-02T15:04:05"           // full text of NX-OS and MDS, MML: the device's clock, no zone
)

// AppendGMT appends "2026-03-14 09:26:53 GMT+00:00", without the zone when there was none.
func (t Timestamp) AppendGMT(dst []byte) []byte { return t.appendLayout(dst, gmtLayout) }

// AppendGMTCompact is AppendGMT with an offset without colon: "2026-03-14 09:26:53 GMT+0000".
func (t Timestamp) AppendGMTCompact(dst []byte) []byte { return t.appendLayout(dst, gmtCompactLayout) }

// AppendGMTMinute is AppendGMT without seconds: "2026-03-14 09:26 GMT+00:00".
func (t Timestamp) AppendGMTMinute(dst []byte) []byte { return t.appendLayout(dst, gmtMinuteLayout) }

// AppendReading appends "2026-03-14T09:26:53": what the device's clock showed, whatever its zone.
func (t Timestamp) AppendReading(dst []byte) []byte { return t.AppendFormat(dst, readingLayout) }

func (t Timestamp) appendLayout(dst []byte, layout string) []byte {
	if t.NoZone {
		layout, _, _ = strings.Cut(layout, " GMT")
		return t.UTC().AppendFormat(dst, layout)
	}
	return t.AppendFormat(dst, layout)
}

// ParseEventTime reads every form a Call Home message writes its times in: a date, then blanks or "T", a clock reading
// with or without seconds and fraction, then nothing, "Z", an offset, or GMT or UTC with or without one. The name of
// any other zone is not believed: the reading then counts as one without zone.
func ParseEventTime(s string) (Timestamp, error) {
	in := strings.TrimSpace(s)
	if len(in) < len("2006-01-02T15:04") || in[10] != 'T' && in[10] != 't' && in[10] != ' ' {
		return Timestamp{}, eventTimeError(s)
	}
	clock := strings.TrimLeft(in[11:], " ")
	end := strings.IndexFunc(clock, func(r rune) bool { return r != ':' && r != '.' && (r < '0' || r > '9') })
	zone := ""
	if end >= 0 {
		clock, zone = clock[:end], strings.TrimSpace(clock[end:])
	}
	reading, err := parseReading(in[:10], clock)
	if err != nil {
		return Timestamp{}, eventTimeError(s)
	}
	loc, known, err := parseZone(zone)
	switch {
	case err != nil:
		return Timestamp{}, eventTimeError(s)
	case !known:
		return Timestamp{Time: reading, NoZone: true}, nil
	case loc == time.UTC:
		return Timestamp{Time: reading}, nil
	}
	y, m, d := reading.Date()
	return Timestamp{Time: time.Date(y, m, d, reading.Hour(), reading.Minute(), reading.Second(), reading.Nanosecond(), loc)}, nil
}

func eventTimeError(s string) error {
	if len(s) > 64 {
		s = s[:64]
	}
	return Errorf(KindInvalid, "time %q is not of the form 2026-03-14 09:26:53 GMT+00:00 (seconds and zone may be missing)", s)
}

func parseReading(date, clock string) (time.Time, error) {
	if strings.Count(clock, ":") == 1 {
		return time.Parse("2006-01-02 15:04", date+" "+clock)
	}
	return time.Parse("2006-01-02 15:04:05", date+" "+clock) // a fraction is read without being in the layout
}

// parseZone reads what stands behind the clock reading; known is false when it gives no offset.
func parseZone(zone string) (loc *time.Location, known bool, err error) {
	upper := strings.ToUpper(zone)
	switch upper {
	case "":
		return nil, false, nil
	case "Z", "GMT", "UTC":
		return time.UTC, true, nil
	}
	offset := strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(upper, "GMT"), "UTC"))
	if offset == "" || offset[0] != '+' && offset[0] != '-' {
		return nil, false, zoneWord(upper)
	}
	seconds, err := parseOffset(offset)
	if err != nil || seconds == 0 {
		return time.UTC, err == nil, err
	}
	return time.FixedZone("", seconds), true, nil
}

// zoneWord refuses what is not even the name of a zone.
func zoneWord(s string) error {
	if len(s) > 5 || strings.IndexFunc(s, func(r rune) bool { return r < 'A' || r > 'Z' }) >= 0 {
		return fmt.Errorf("%q is no zone", s)
	}
	return nil
}

// parseOffset reads +HH:MM, +HHMM or +HH in seconds.
func parseOffset(s string) (int, error) {
	digits := strings.Replace(s[1:], ":", "", 1)
	if len(digits) == 2 {
		digits += "00"
	}
	at, err := time.Parse("1504", digits)
	if err != nil || len(digits) != 4 {
		return 0, fmt.Errorf("%q is no offset", s)
	}
	seconds := at.Hour()*3600 + at.Minute()*60
	if s[0] == '-' {
		return -seconds, nil
	}
	return seconds, nil
}
