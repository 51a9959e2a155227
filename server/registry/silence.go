package registry

import (
	"slices"
	"time"

	"callhome"
)

// Learning a schedule from what a device sends.
const (
	// arrivalsKept are remembered for each device and group: enough that one message on request between scheduled ones
	// does not hide their period.
	arrivalsKept = 6
	// missesAllowed: so many periods without a message are silence.
	missesAllowed = 2
	// shortest and longest interval that a snapshot or telemetry schedule counted in minutes can have.
	shortestPeriod = 5 * time.Minute
	longestMinutes = time.Hour
	// graceMin is added to two periods: delivery retries and slow commands are not silence.
	graceMin = 2 * time.Minute
)

// period is a schedule that devices know, with how far from it a message may come: a month has 28 to 31 days.
type period struct{ length, tolerance time.Duration }

const day = 24 * time.Hour

var knownPeriods = []period{
	{time.Hour, 6 * time.Minute},
	{day, 2 * time.Hour}, // daylight saving, retries
	{7 * day, 3 * time.Hour},
	{365 * day / 12, 65 * time.Hour},
}

// Schedule is when a device's messages of one group are due, as far as it is known.
type Schedule struct {
	Device   ID                  `json:"device"`
	Group    callhome.AlertGroup `json:"group"`
	Period   time.Duration       `json:"period,omitempty"` // 0: not known yet
	Told     bool                `json:"told,omitempty"`   // the device's agent said so; else it was learned
	LastAt   time.Time           `json:"last_at"`
	DueAt    time.Time           `json:"due_at,omitzero"`    // silent from here on; zero where the period is not known
	RaisedAt time.Time           `json:"raised_at,omitzero"` // when its silence was raised; zero while it is not
	Arrivals []time.Time         `json:"-"`                  // the latest, oldest first
}

// Heard notes a scheduled message at t. It reports whether this ends a silence that was raised.
func (s *Schedule) Heard(t time.Time) (ended bool) {
	if !t.After(s.LastAt) { // a gateway's backlog, out of order; or the same message again
		return false
	}
	ended = !s.RaisedAt.IsZero()
	s.LastAt, s.RaisedAt = t, time.Time{}
	s.Arrivals = append(s.Arrivals, t)
	if n := len(s.Arrivals); n > arrivalsKept {
		s.Arrivals = slices.Clone(s.Arrivals[n-arrivalsKept:])
	}
	if !s.Told {
		if learned := learn(s.Arrivals); learned != 0 {
			s.Period = learned
		}
	}
	s.due()
	return ended
}

// Tell sets the period that the device's own agent knows; 0 takes the schedule away.
func (s *Schedule) Tell(period time.Duration) {
	s.Period, s.Told = period, period > 0
	s.due()
}

func (s *Schedule) due() {
	s.DueAt = time.Time{}
	if s.Period > 0 && !s.LastAt.IsZero() {
		s.DueAt = s.LastAt.Add(missesAllowed*s.Period + max(graceMin, s.Period/10))
	}
}

// learn is the period of the latest arrivals: the shortest one that the last three of some chain keep to. 0 when none.
func learn(arrivals []time.Time) time.Duration {
	n := len(arrivals)
	if n < 3 {
		return 0
	}
	last := arrivals[n-1]
	if p := minutes(last.Sub(arrivals[n-2]), arrivals[n-2].Sub(arrivals[n-3])); p != 0 {
		return p
	}
	for _, p := range knownPeriods {
		before := near(arrivals[:n-1], last.Add(-p.length), p.tolerance)
		if before >= 0 && near(arrivals[:before], arrivals[before].Add(-p.length), p.tolerance) >= 0 {
			return p.length
		}
	}
	return 0
}

// minutes is the interval in whole minutes when two intervals agree and are short.
func minutes(a, b time.Duration) time.Duration {
	if a < shortestPeriod || a > longestMinutes || (a-b).Abs() > max(time.Minute, a/10) {
		return 0
	}
	return ((a + b) / 2).Round(time.Minute)
}

// near is the index of the arrival within tolerance of t, -1 when there is none.
func near(arrivals []time.Time, t time.Time, tolerance time.Duration) int {
	for i := len(arrivals) - 1; i >= 0; i-- {
		if arrivals[i].Sub(t).Abs() <= tolerance {
			return i
		}
	}
	return -1
}

// Silence tells of a device that should have spoken and did not.
type Silence struct {
	Device Device              `json:"device"`
	Group  callhome.AlertGroup `json:"group,omitempty"`  // whose schedule was missed; none: nothing at all was heard
	Period time.Duration       `json:"period,omitempty"` // of that schedule
	LastAt time.Time           `json:"last_at"`
	DueAt  time.Time           `json:"due_at"` // since when it counts as silent
}
