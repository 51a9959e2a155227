package periodic

import "time"

// maxSteps bounds the search for the next time: a year of days and some.
const maxSteps = 400

// Next is the first due time after t, in the zone of t. A wall clock time that daylight saving skips counts at the end of
// the gap; one that comes twice counts the first time.
func (s Schedule) Next(t time.Time) time.Time {
	if s.Kind == Interval || s.Kind == Hourly {
		return s.nextMinutes(t)
	}
	y, m, d := t.Date()
	for i := range maxSteps {
		day := time.Date(y, m, d+i-1, 12, 0, 0, 0, t.Location()) // from yesterday: a gap may push a time over midnight
		if due := s.on(day); s.falls(day) && due.After(t) {
			return due
		}
	}
	return time.Time{}
}

// nextMinutes walks in absolute time, so that hours which the clock repeats or skips do not matter: the minute of the hour
// is that of the wall clock, which zones shift by whole quarters.
func (s Schedule) nextMinutes(t time.Time) time.Time {
	period := 60
	if s.Kind == Interval {
		period = s.Every
	}
	start := t.Truncate(time.Minute)
	for i := 1; i <= 2*60; i++ {
		due := start.Add(time.Duration(i) * time.Minute)
		hour, minute, _ := due.Clock()
		if (hour*60+minute)%period == s.Minute%period {
			return due
		}
	}
	return time.Time{}
}

// falls reports whether a schedule is due on the given day at all.
func (s Schedule) falls(day time.Time) bool {
	switch s.Kind {
	case Weekly:
		return day.Weekday() == s.Weekday
	case Monthly:
		return day.Day() == min(s.Day, lastDay(day))
	}
	return true
}

// lastDay is the number of days in a month.
func lastDay(day time.Time) int {
	return time.Date(day.Year(), day.Month()+1, 0, 12, 0, 0, 0, time.UTC).Day()
}

// on is the due time on the given day.
func (s Schedule) on(day time.Time) time.Time {
	y, m, d := day.Date()
	due := time.Date(y, m, d, s.Hour, s.Minute, 0, 0, day.Location())
	if hour, minute, _ := due.Clock(); hour != s.Hour || minute != s.Minute {
		return endOfGap(due)
	}
	// A time that comes twice: the library may give either, the earlier is an offset's difference before.
	_, after := due.Zone()
	for _, back := range []time.Duration{30 * time.Minute, time.Hour, 2 * time.Hour} {
		earlier := due.Add(-back)
		_, before := earlier.Zone()
		if hour, minute, _ := earlier.Clock(); before-after == int(back/time.Second) && hour == s.Hour && minute == s.Minute {
			return earlier
		}
	}
	return due
}

// endOfGap finds the change of the clock around t.
func endOfGap(t time.Time) time.Time {
	low, high := t.Add(-3*time.Hour), t.Add(3*time.Hour)
	_, before := low.Zone()
	for high.Sub(low) > time.Minute {
		mid := low.Add(high.Sub(low) / 2).Truncate(time.Minute)
		if _, off := mid.Zone(); off == before {
			low = mid
		} else {
			high = mid
		}
	}
	return high.Truncate(time.Minute)
}
