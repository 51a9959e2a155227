package gateway

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Window is a time of day in which messages leave, in the gateway's local time. It may pass midnight; the day is that on
// which it begins.
type Window struct {
	From string   `yaml:"from" json:"from"`                     // HH:MM
	To   string   `yaml:"to" json:"to"`                         // HH:MM, exclusive; as From: the whole day
	Days []string `yaml:"days,omitempty" json:"days,omitempty"` // monday … sunday, or mon … sun; none: every day
}

var weekdays = []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}

// Validate reports what cannot be read.
func (w *Window) Validate() error {
	var errs []error
	for _, s := range []string{w.From, w.To} {
		if _, ok := clock(s); !ok {
			errs = append(errs, fmt.Errorf("%q is not a time such as 22:00", s))
		}
	}
	for _, d := range w.Days {
		if weekday(d) < 0 {
			errs = append(errs, fmt.Errorf("%q is not a day such as monday", d))
		}
	}
	return errors.Join(errs...)
}

// clock reads HH:MM as minutes.
func clock(s string) (int, bool) {
	t, err := time.Parse("15:04", s)
	return t.Hour()*60 + t.Minute(), err == nil
}

func weekday(s string) time.Weekday {
	return time.Weekday(slices.IndexFunc(weekdays, func(d string) bool {
		s = strings.ToLower(s)
		return s == d || s == d[:3]
	}))
}

// open reports whether the window is open at t.
func (w *Window) open(t time.Time) bool {
	from, _ := clock(w.From)
	to, _ := clock(w.To)
	now, day := t.Hour()*60+t.Minute(), t.Weekday()
	switch {
	case from < to:
		return now >= from && now < to && w.on(day)
	case now >= from:
		return w.on(day)
	default: // behind midnight, of the window that began yesterday
		return now < to && w.on((day+6)%7)
	}
}

func (w *Window) on(day time.Weekday) bool {
	return len(w.Days) == 0 || slices.ContainsFunc(w.Days, func(d string) bool { return weekday(d) == day })
}

// windowOpen reports whether messages that are not urgent may leave at t.
func windowOpen(windows []Window, t time.Time) bool {
	return len(windows) == 0 || slices.ContainsFunc(windows, func(w Window) bool { return w.open(t) })
}
