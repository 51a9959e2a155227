package periodic

import (
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"callhome"
)

// Kind is the unit of a schedule.
type Kind string

// The kinds.
const (
	Interval Kind = "interval" // every so many minutes
	Hourly   Kind = "hourly"
	Daily    Kind = "daily"
	Weekly   Kind = "weekly"
	Monthly  Kind = "monthly"
)

// Schedule has every part filled in; see [Resolve].
type Schedule struct {
	Kind    Kind         `json:"kind"`
	Every   int          `json:"every,omitempty"` // minutes, Interval only
	Minute  int          `json:"minute"`          // 0..59; with Interval an offset from midnight, so that devices do not all send at once
	Hour    int          `json:"hour"`
	Weekday time.Weekday `json:"weekday"`
	Day     int          `json:"day"` // 1..31; the last day of a shorter month
}

// pairOffset is the distance of configuration from inventory when the device chooses both: IOS-XE shows the pair always
// 15 minutes apart on the same day (Cisco IOS XE configuration guide, CiscoTAC-1 profile).
const pairOffset = 15

var weekdays = []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}

// Validate checks the schedule of a subscription to group. The faults name the key below the subscription.
func Validate(group callhome.AlertGroup, p *callhome.Periodic) error {
	if p == nil {
		return nil
	}
	var errs []error
	fault := func(format string, args ...any) { errs = append(errs, fmt.Errorf("periodic"+format, args...)) }
	if !group.Periodic() {
		fault(": %s has no schedule; configuration, inventory, snapshot and telemetry have", group)
	}
	set := 0
	if p.Interval != 0 {
		set++
		if p.Interval < 1 || p.Interval > 60 {
			fault(".interval: %d is outside 1 to 60 minutes", p.Interval)
		}
		if group != callhome.GroupSnapshot {
			fault(".interval: minutes are for snapshot only, not for %s", group)
		}
	}
	if p.Hourly != nil {
		set++
		if group != callhome.GroupSnapshot && group != callhome.GroupTelemetry {
			fault(".hourly: is for snapshot and telemetry only, not for %s", group)
		}
		if m := p.Hourly.Minute; m != nil && (*m < 0 || *m > 59) {
			fault(".hourly.minute: %d is outside 0 to 59", *m)
		}
	}
	at := func(key, s string) {
		if _, _, err := parseAt(s); s != "" && err != nil {
			fault(".%s.at: %w", key, err)
		}
	}
	if p.Daily != nil {
		set++
		at("daily", p.Daily.At)
	}
	if p.Weekly != nil {
		set++
		at("weekly", p.Weekly.At)
		if p.Weekly.Day != "" && weekday(p.Weekly.Day) < 0 {
			fault(".weekly.day: %q is no day of the week (monday)", p.Weekly.Day)
		}
	}
	if p.Monthly != nil {
		set++
		at("monthly", p.Monthly.At)
		if p.Monthly.Day < 0 || p.Monthly.Day > 31 {
			fault(".monthly.day: %d is outside 1 to 31", p.Monthly.Day)
		}
	}
	if set != 1 {
		fault(": needs exactly one of interval, hourly, daily, weekly, monthly; it has %d", set)
	}
	return errors.Join(errs...)
}

// weekday reads a name or its first three letters; -1 if it is none.
func weekday(s string) int {
	s = strings.ToLower(s)
	return slices.IndexFunc(weekdays, func(w string) bool { return w == s || w[:3] == s })
}

// parseAt reads HH:MM.
func parseAt(s string) (hour, minute int, err error) {
	t, err := time.Parse("15:04", s)
	if err != nil {
		return 0, 0, fmt.Errorf("%q is no time of day (03:15)", s)
	}
	return t.Hour(), t.Minute(), nil
}

// Resolve fills in what p leaves open, from a hash of the serial number. It expects what [Validate] passed. All groups of
// a device share the hash, so that times follow each other; configuration comes 15 minutes after the rest.
func Resolve(group callhome.AlertGroup, p *callhome.Periodic, serial string) Schedule {
	h := fnv.New64a()
	_, _ = h.Write([]byte(serial))
	seed := spread(h.Sum64())
	draw := func(n uint64) int { // independent draws from one hash
		v := seed % n
		seed = spread(seed)
		return int(v)
	}
	minute, hour, wday, day := draw(60-pairOffset), draw(24), draw(7), 1+draw(28)
	if group == callhome.GroupConfiguration {
		minute += pairOffset
	}
	s := Schedule{Minute: minute, Hour: hour, Weekday: time.Weekday(wday), Day: day}
	at := func(t string) {
		if h, m, err := parseAt(t); err == nil {
			s.Hour, s.Minute = h, m
		}
	}
	switch {
	case p.Interval > 0:
		s.Kind, s.Every, s.Minute = Interval, p.Interval, minute%p.Interval
	case p.Hourly != nil:
		s.Kind = Hourly
		if p.Hourly.Minute != nil {
			s.Minute = *p.Hourly.Minute
		}
	case p.Daily != nil:
		s.Kind = Daily
		at(p.Daily.At)
	case p.Weekly != nil:
		s.Kind = Weekly
		at(p.Weekly.At)
		if d := weekday(p.Weekly.Day); d >= 0 {
			s.Weekday = time.Weekday(d)
		}
	case p.Monthly != nil:
		s.Kind = Monthly
		at(p.Monthly.At)
		if p.Monthly.Day > 0 {
			s.Day = p.Monthly.Day
		}
	}
	return s
}

// spread is the finisher of MurmurHash3: serial numbers that differ in one digit get unrelated times.
func spread(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}
