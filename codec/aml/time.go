package aml

import (
	"strings"
	"time"

	"callhome"
)

// ParseTime reads every time form of call-home documents; ok is false for anything else:
//
//	2026-03-14 09:26:53 GMT+00:00   IOS, IOS XE, IOS XR, ASA, UCS
//	2026-03-14 09:26:53 GMT+0000    NX-OS; also UTC, Z, and no GMT before the offset
//	2026-03-14 09:26 GMT-07:00      seconds may be missing, or have up to nine decimals
//	2026-03-14T09:26:53             MML: local time of a zone that is not told
//
// Without an offset, or with the name of a zone other than GMT and UTC, NoZone is set and the clock reading kept.
func ParseTime(s string) (t callhome.Timestamp, ok bool) {
	c := clock{s: trim(s)}
	year, month, day := c.number(4, '-'), c.number(2, '-'), c.number(2, 0)
	if !c.sep("T ") {
		return t, false
	}
	hour, minute := c.number(2, ':'), c.number(2, 0)
	sec, nanos := 0, 0
	if strings.HasPrefix(c.s, ":") {
		c.s = c.s[1:]
		sec = c.number(2, 0)
		nanos = c.decimals()
	}
	if c.bad || month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || sec > 60 {
		return t, false
	}
	loc, known, ok := c.zone()
	if !ok {
		return t, false
	}
	v := time.Date(year, time.Month(month), day, hour, minute, sec, nanos, loc)
	if v.Day() != day && sec < 60 { // such as 31 February
		return t, false
	}
	return callhome.Timestamp{Time: v, NoZone: !known}, true
}

// clock is the rest of a time that is being read.
type clock struct {
	s   string
	bad bool
}

// number reads exactly n digits, and the byte after them unless it is 0.
func (c *clock) number(n int, after byte) int {
	if len(c.s) < n || after != 0 && (len(c.s) == n || c.s[n] != after) {
		c.bad = true
		return 0
	}
	v := 0
	for i := range n {
		d := c.s[i] - '0'
		if d > 9 {
			c.bad = true
			return 0
		}
		v = v*10 + int(d)
	}
	c.s = c.s[n:]
	if after != 0 {
		c.s = c.s[1:]
	}
	return v
}

// sep takes one of the bytes of set.
func (c *clock) sep(set string) bool {
	if c.bad || c.s == "" || strings.IndexByte(set, c.s[0]) < 0 {
		return false
	}
	c.s = c.s[1:]
	return true
}

// decimals reads a fraction of a second, in nanoseconds.
func (c *clock) decimals() int {
	if !strings.HasPrefix(c.s, ".") {
		return 0
	}
	c.s = c.s[1:]
	v, unit := 0, 100_000_000
	for c.s != "" && c.s[0] >= '0' && c.s[0] <= '9' {
		v += int(c.s[0]-'0') * unit
		unit /= 10
		c.s = c.s[1:]
	}
	return v
}

// zone reads the rest: nothing, GMT or UTC with or without an offset, an offset alone, Z, or the name of another zone.
func (c *clock) zone() (loc *time.Location, known, ok bool) {
	rest := trim(c.s)
	word := rest
	if i := strings.IndexAny(rest, "+-"); i >= 0 {
		word, rest = trim(rest[:i]), rest[i:]
	} else {
		rest = ""
	}
	switch {
	case word == "" && rest == "":
		return time.UTC, false, true
	case rest == "":
		known = strings.EqualFold(word, "GMT") || strings.EqualFold(word, "UTC") || word == "Z"
		return time.UTC, known, known || isZoneName(word)
	case word != "" && !strings.EqualFold(word, "GMT") && !strings.EqualFold(word, "UTC"):
		return nil, false, false
	}
	offset, ok := parseOffset(rest)
	if offset == 0 {
		return time.UTC, true, ok
	}
	return time.FixedZone("", offset), true, ok
}

// isZoneName accepts abbreviations such as CEST; they are not unique, so that they name no offset.
func isZoneName(s string) bool {
	if len(s) < 2 || len(s) > 5 {
		return false
	}
	for i := range len(s) {
		if s[i] < 'A' || s[i] > 'Z' {
			return false
		}
	}
	return true
}

// parseOffset reads +hh:mm, +hhmm or +hh in seconds.
func parseOffset(s string) (seconds int, ok bool) {
	c := clock{s: s[1:]}
	hours, minutes := c.number(2, 0), 0
	if c.s != "" {
		c.s = strings.TrimPrefix(c.s, ":")
		minutes = c.number(2, 0)
	}
	if c.bad || c.s != "" || hours > 14 || minutes > 59 {
		return 0, false
	}
	seconds = (hours*60 + minutes) * 60
	if s[0] == '-' {
		seconds = -seconds
	}
	return seconds, true
}

// appendTime writes the IOS form, or the NX-OS one without a colon in the offset. A time without a zone has no offset.
func appendTime(dst []byte, t callhome.Timestamp, colon bool) []byte {
	switch {
	case t.NoZone:
		return t.UTC().AppendFormat(dst, "2006-01-02 15:04:05")
	case colon:
		return t.AppendFormat(dst, "2006-01-02 15:04:05 GMT-07:00")
	}
	return t.AppendFormat(dst, "2006-01-02 15:04:05 GMT-0700")
}
