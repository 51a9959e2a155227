package registry

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestLearn(t *testing.T) {
	start := time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)
	at := func(hours ...float64) (out []time.Time) {
		for _, h := range hours {
			out = append(out, start.Add(time.Duration(h*float64(time.Hour))))
		}
		return out
	}
	for _, c := range []struct {
		name string
		at   []time.Time
		want time.Duration
	}{
		{"two tell nothing", at(0, 24), 0},
		{"daily", at(0, 24, 48), day},
		{"daily over daylight saving", at(0, 24, 47), day},
		{"daily with one on request", at(0, 24, 31, 48), day},
		{"hourly", at(0, 1, 2), time.Hour},
		{"every 30 minutes", at(0, 0.5, 1), 30 * time.Minute},
		{"every 45 minutes, late once", at(0, 0.75, 1.52), 46 * time.Minute},
		{"weekly", at(0, 168, 337), 7 * day},
		{"monthly", at(0, 31*24, 59*24), 365 * day / 12},
		{"at random", at(0, 3, 50), 0},
		{"a burst", at(0, 0.001, 0.002), 0},
		{"every three days is no schedule of devices", at(0, 72, 144), 0},
	} {
		if got := learn(c.at); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

// TestLearnFindsWhatDevicesDo learns every period from arrivals that are a little late.
func TestLearnFindsWhatDevicesDo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(knownPeriods).Draw(t, "period")
		s := &Schedule{}
		for n := range 4 {
			late := time.Duration(rapid.Int64Range(0, int64(p.tolerance)/3).Draw(t, "late"))
			s.Heard(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(n)*p.length + late))
		}
		if (s.Period - p.length).Abs() > p.length/10 {
			t.Fatalf("learned %s of %s from %v", s.Period, p.length, s.Arrivals)
		}
		if s.DueAt.Before(s.LastAt.Add(2*s.Period)) || len(s.Arrivals) > arrivalsKept {
			t.Fatalf("due at %s after %s", s.DueAt, s.LastAt)
		}
	})
}

func TestHeard(t *testing.T) {
	s := &Schedule{}
	start := time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)
	s.Heard(start)
	s.Heard(start.Add(-time.Hour)) // from a backlog
	if len(s.Arrivals) != 1 || !s.LastAt.Equal(start) || !s.DueAt.IsZero() {
		t.Errorf("after a message out of order: %+v", s)
	}
	s.Tell(30 * time.Minute)
	if want := start.Add(time.Hour + 3*time.Minute); !s.DueAt.Equal(want) {
		t.Errorf("due at %s, want %s", s.DueAt, want)
	}
	s.RaisedAt = start.Add(2 * time.Hour)
	if !s.Heard(start.Add(3*time.Hour)) || !s.RaisedAt.IsZero() || s.Period != 30*time.Minute {
		t.Errorf("after it spoke: %+v", s)
	}
	s.Tell(0)
	if !s.DueAt.IsZero() {
		t.Errorf("without a schedule it is due at %s", s.DueAt)
	}
}
