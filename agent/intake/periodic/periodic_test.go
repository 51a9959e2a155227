package periodic

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"callhome"
	"callhome/agent/intake"
)

func minute(m int) *int { return &m }

func TestValidate(t *testing.T) {
	tests := []struct {
		group callhome.AlertGroup
		p     callhome.Periodic
		want  string // part of the fault; "" means valid
	}{
		{callhome.GroupSnapshot, callhome.Periodic{Interval: 30}, ""},
		{callhome.GroupSnapshot, callhome.Periodic{Interval: 61}, "1 to 60"},
		{callhome.GroupSnapshot, callhome.Periodic{Interval: -1}, "1 to 60"},
		{callhome.GroupTelemetry, callhome.Periodic{Interval: 30}, "snapshot only"},
		{callhome.GroupTelemetry, callhome.Periodic{Hourly: &callhome.Hourly{}}, ""},
		{callhome.GroupInventory, callhome.Periodic{Hourly: &callhome.Hourly{}}, "snapshot and telemetry only"},
		{callhome.GroupSnapshot, callhome.Periodic{Hourly: &callhome.Hourly{Minute: minute(60)}}, "0 to 59"},
		{callhome.GroupConfiguration, callhome.Periodic{Daily: &callhome.Daily{At: "23:59"}}, ""},
		{callhome.GroupConfiguration, callhome.Periodic{Daily: &callhome.Daily{At: "24:00"}}, "time of day"},
		{callhome.GroupConfiguration, callhome.Periodic{Weekly: &callhome.Weekly{Day: "Mon"}}, ""},
		{callhome.GroupConfiguration, callhome.Periodic{Weekly: &callhome.Weekly{Day: "moonday"}}, "day of the week"},
		{callhome.GroupInventory, callhome.Periodic{Monthly: &callhome.Monthly{Day: 31}}, ""},
		{callhome.GroupInventory, callhome.Periodic{Monthly: &callhome.Monthly{Day: 32}}, "1 to 31"},
		{callhome.GroupInventory, callhome.Periodic{}, "exactly one"},
		{callhome.GroupInventory, callhome.Periodic{Daily: &callhome.Daily{}, Weekly: &callhome.Weekly{}}, "exactly one"},
		{callhome.GroupSyslog, callhome.Periodic{Daily: &callhome.Daily{}}, "has no schedule"},
	}
	for _, tt := range tests {
		err := Validate(tt.group, &tt.p)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %+v: got %v, want %q", tt.group, tt.p, err, tt.want)
		}
	}
	if err := Validate(callhome.GroupSyslog, nil); err != nil {
		t.Errorf("no schedule: %v", err)
	}
}

func TestOpenPartsAreStableAndSpread(t *testing.T) {
	days, hours, minutes := map[int]int{}, map[int]int{}, map[int]int{}
	p := &callhome.Periodic{Monthly: &callhome.Monthly{}}
	const fleet = 10000
	for i := range fleet {
		serial := fmt.Sprintf("FOX%08d", i)
		inv, conf := Resolve(callhome.GroupInventory, p, serial), Resolve(callhome.GroupConfiguration, p, serial)
		if again := Resolve(callhome.GroupInventory, p, serial); again != inv {
			t.Fatalf("%s: got %+v, then %+v", serial, inv, again)
		}
		if conf.Day != inv.Day || conf.Hour != inv.Hour || conf.Minute != inv.Minute+15 || conf.Minute > 59 {
			t.Fatalf("%s: inventory %+v, configuration %+v are no pair", serial, inv, conf)
		}
		days[inv.Day]++
		hours[inv.Hour]++
		minutes[inv.Minute]++
	}
	for name, c := range map[string]map[int]int{"day": days, "hour": hours, "minute": minutes} {
		fair := fleet / len(c)
		for v, n := range c {
			if n < fair/2 || n > fair*2 {
				t.Errorf("%s %d: got %d devices, a fair share is %d", name, v, n, fair)
			}
		}
	}
	if len(days) != 28 || len(hours) != 24 || len(minutes) != 45 {
		t.Errorf("got %d days, %d hours, %d minutes", len(days), len(hours), len(minutes))
	}
}

func TestGivenPartsAreKept(t *testing.T) {
	got := Resolve(callhome.GroupConfiguration, &callhome.Periodic{Weekly: &callhome.Weekly{Day: "Friday", At: "03:15"}}, "A")
	if got.Kind != Weekly || got.Weekday != time.Friday || got.Hour != 3 || got.Minute != 15 {
		t.Errorf("got %+v", got)
	}
}

func TestNext(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := func(s string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04:05", s, berlin)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	daily := Schedule{Kind: Daily, Hour: 2, Minute: 30}
	tests := []struct {
		name string
		s    Schedule
		from time.Time
		want string
	}{
		{"later today", Schedule{Kind: Daily, Hour: 9}, at("2026-03-14 08:59:59"), "2026-03-14T09:00:00+01:00"},
		{"the very moment is over", Schedule{Kind: Daily, Hour: 9}, at("2026-03-14 09:00:00"), "2026-03-15T09:00:00+01:00"},
		{"weekly", Schedule{Kind: Weekly, Weekday: time.Monday, Hour: 3, Minute: 15}, at("2026-03-16 03:15:00"), "2026-03-23T03:15:00+01:00"},
		{"monthly, last of February", Schedule{Kind: Monthly, Day: 31, Hour: 9}, at("2026-02-01 00:00:00"), "2026-02-28T09:00:00+01:00"},
		{"monthly, leap year", Schedule{Kind: Monthly, Day: 30, Hour: 9}, at("2028-02-01 00:00:00"), "2028-02-29T09:00:00+01:00"},
		{"monthly, over the year", Schedule{Kind: Monthly, Day: 1, Hour: 0}, at("2026-12-01 00:00:00"), "2027-01-01T00:00:00+01:00"},
		{"hourly", Schedule{Kind: Hourly, Minute: 5}, at("2026-03-14 08:05:00"), "2026-03-14T09:05:00+01:00"},
		{"interval", Schedule{Kind: Interval, Every: 30, Minute: 7}, at("2026-03-14 08:07:01"), "2026-03-14T08:37:00+01:00"},
		{"every minute", Schedule{Kind: Interval, Every: 1}, at("2026-03-14 08:07:01"), "2026-03-14T08:08:00+01:00"},
		{"skipped by the clock", daily, at("2026-03-29 00:00:00"), "2026-03-29T03:00:00+02:00"},
		{"after the skipped one", daily, at("2026-03-29 03:00:00"), "2026-03-30T02:30:00+02:00"},
		{"repeated by the clock, first", daily, at("2026-10-25 00:00:00"), "2026-10-25T02:30:00+02:00"},
		{"repeated by the clock, not twice", daily, at("2026-10-25 00:00:00").Add(151 * time.Minute), "2026-10-26T02:30:00+01:00"},
		{"hourly in the repeated hour", Schedule{Kind: Hourly, Minute: 30}, time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC).In(berlin), "2026-10-25T02:30:00+01:00"},
	}
	for _, tt := range tests {
		if got := tt.s.Next(tt.from).Format(time.RFC3339); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

// Over ten years in many zones, every schedule fires once in each of its periods.
func TestFiresOncePerDay(t *testing.T) {
	for _, zone := range []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Asia/Kathmandu", "Africa/Cairo"} {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		for hour := range 24 {
			s := Schedule{Kind: Daily, Hour: hour, Minute: 15}
			start := time.Date(2024, 1, 1, 0, 0, 0, 0, loc)
			n := 0
			for at := s.Next(start); at.Year() < 2027; at = s.Next(at) {
				n++
			}
			if want := 366 + 365 + 365; n != want {
				t.Errorf("%s at %02d:15: got %d times in three years, want %d", zone, hour, n, want)
			}
		}
	}
}

func TestRunAndMissed(t *testing.T) {
	state := intake.State(filepath.Join(t.TempDir(), "periodic.json"))
	job := Job{Device: "core-1", Group: callhome.GroupInventory, Profile: "noc", Schedule: Schedule{Kind: Daily, Hour: 9}}
	session := func(t *testing.T, wait, work time.Duration, fail int) []Due {
		var got []Due
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(wait)
			r, err := New(Options{Store: state})
			if err != nil {
				t.Fatal(err)
			}
			r.SetJobs([]Job{job})
			ctx, cancel := context.WithTimeout(t.Context(), work)
			defer cancel()
			err = r.Run(ctx, func(_ context.Context, d Due) error {
				if fail > 0 {
					fail--
					return errors.New("disk full")
				}
				got = append(got, d)
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
		return got
	}
	// The bubble's clock starts at midnight UTC on 2000-01-01.
	if got := session(t, 0, 10*time.Hour, 2); len(got) != 1 || got[0].Missed || !got[0].At.Equal(time.Date(2000, 1, 1, 9, 0, 0, 0, time.UTC)) {
		t.Errorf("first day: got %+v", got)
	}
	if got := session(t, 12*time.Hour, 20*time.Hour, 0); len(got) != 0 {
		t.Errorf("the same day after a restart: got %+v", got)
	}
	if got := session(t, 5*24*time.Hour, time.Hour, 0); len(got) != 1 || !got[0].Missed {
		t.Errorf("five days later: got %+v, want one missed time", got)
	}
	job.Schedule.Hour = 20
	if got := session(t, 9*24*time.Hour, time.Hour, 0); len(got) != 0 {
		t.Errorf("a new schedule has missed nothing: got %+v", got)
	}
}

// counted is a Store that keeps how many jobs had run at each save.
type counted struct {
	emitted int
	saved   []int
}

func (*counted) Load(any) error   { return nil }
func (c *counted) Save(any) error { c.saved = append(c.saved, c.emitted); return nil }

// TestStateIsSavedOnTheWay proves that a kill among thousands of due jobs repeats few of them.
func TestStateIsSavedOnTheWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &counted{}
		r, err := New(Options{Store: store})
		if err != nil {
			t.Fatal(err)
		}
		jobs := make([]Job, 2500)
		for i := range jobs {
			jobs[i] = Job{Device: fmt.Sprint(i), Group: callhome.GroupSnapshot, Schedule: Resolve(callhome.GroupSnapshot, &callhome.Periodic{Interval: 60}, "FOX1")}
		}
		r.SetJobs(jobs)
		ctx, stop := context.WithTimeout(t.Context(), 90*time.Minute)
		defer stop()
		if err := r.Run(ctx, func(context.Context, Due) error { store.emitted++; return nil }); err != nil {
			t.Fatal(err)
		}
		last := 0
		for _, n := range store.saved {
			if n-last > 100 {
				t.Errorf("between two saves %d jobs ran, want at most 100", n-last)
			}
			last = n
		}
		if last != store.emitted || last < len(jobs) {
			t.Errorf("%d of %d runs were saved", last, store.emitted)
		}
	})
}
