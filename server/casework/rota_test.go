package casework

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func at(t *testing.T, s string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestOnCall(t *testing.T) {
	weekly := Rota{Name: "r", Zone: "Europe/Berlin", Layers: []Layer{{Members: []string{"ana", "bob", "eve"}, Start: "2026-03-02"}}} // a Monday
	daily := Rota{Name: "r", Zone: "Europe/Berlin", Layers: []Layer{{Members: []string{"ana", "bob"}, Every: "day", Start: "2026-03-28", Handover: "02:30"}}}
	nights := Rota{Name: "r", Zone: "UTC", Layers: []Layer{
		{Members: []string{"ana"}, Start: "2026-03-02"}, {Members: []string{"bob"}, Start: "2026-03-02", From: "22:00", To: "06:00", Days: []string{"fri"}},
	}}
	overrides := []Override{
		{ID: 1, Rota: "r", Person: "zoe", From: at(t, "2026-03-10T00:00:00Z"), Until: at(t, "2026-03-11T00:00:00Z")},
		{ID: 2, Rota: "r", Person: "max", From: at(t, "2026-03-10T12:00:00Z"), Until: at(t, "2026-03-10T13:00:00Z")},
		{ID: 3, Rota: "other", Person: "nobody", From: at(t, "2026-03-01T00:00:00Z"), Until: at(t, "2027-03-01T00:00:00Z")},
	}
	for _, c := range []struct {
		rota *Rota
		when string
		want string
	}{
		{&weekly, "2026-03-02T07:59:00Z", ""}, // 08:59 in Berlin: not begun
		{&weekly, "2026-03-02T08:00:00Z", "ana"},
		{&weekly, "2026-03-09T07:59:59Z", "ana"},
		{&weekly, "2026-03-09T08:00:00Z", "bob"},
		{&weekly, "2026-03-10T11:59:59Z", "zoe"},
		{&weekly, "2026-03-10T12:30:00Z", "max"},
		{&weekly, "2026-03-11T00:00:00Z", "bob"},
		{&weekly, "2026-03-23T08:00:00Z", "ana"},
		{&weekly, "2026-03-30T06:59:59Z", "ana"}, // summer time: 09:00 is 07:00 UTC now
		{&weekly, "2026-03-30T07:00:00Z", "bob"},
		{&daily, "2026-03-29T00:59:59Z", "ana"}, // 02:30 does not exist that night: the turn changes at 03:00, which is 01:00 UTC
		{&daily, "2026-03-29T01:00:00Z", "bob"},
		{&daily, "2026-03-30T00:29:59Z", "bob"},
		{&daily, "2026-03-30T00:30:00Z", "ana"},
		{&daily, "2026-10-25T00:29:59Z", "ana"}, // 02:30 comes twice: the first counts
		{&daily, "2026-10-25T00:30:00Z", "bob"},
		{&daily, "2026-10-25T01:30:00Z", "bob"},
		{&nights, "2026-03-06T21:59:00Z", "ana"},
		{&nights, "2026-03-06T22:00:00Z", "bob"},
		{&nights, "2026-03-07T05:59:00Z", "bob"}, // the night of Friday
		{&nights, "2026-03-07T06:00:00Z", "ana"},
		{&nights, "2026-03-07T23:00:00Z", "ana"},
	} {
		if got := c.rota.OnCall(at(t, c.when), overrides); got != c.want {
			t.Errorf("at %s: got %q, want %q", c.when, got, c.want)
		}
	}
}

// TestTurnsAreFair: in every zone, each turn of a daily rota is 22 to 26 hours and the members follow each other.
func TestTurnsAreFair(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Rota{Zone: rapid.SampledFrom([]string{"", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Kolkata"}).Draw(t, "zone")}
		r.Layers = []Layer{{
			Members: []string{"0", "1", "2"}, Every: "day", Start: "2020-01-01", Handover: rapid.SampledFrom([]string{"00:00", "02:15", "02:30", "09:00", "23:59"}).Draw(t, "handover"),
		}}
		now := time.Unix(rapid.Int64Range(1600000000, 1900000000).Draw(t, "now"), 0)
		who := r.OnCall(now, nil)
		for i := 1; ; i++ {
			next := r.OnCall(now.Add(time.Duration(i)*15*time.Minute), nil)
			if next == who {
				if i > 26*4 {
					t.Fatalf("a turn does not end")
				}
				continue
			}
			if (who[0]-'0'+1)%3 != next[0]-'0' {
				t.Fatalf("%s follows %s", next, who)
			}
			break
		}
	})
}

func TestRecurringMaintenance(t *testing.T) {
	r := Recurring{Site: []string{"LIS-*"}, Days: []string{"sat"}, At: "23:00", For: 4 * time.Hour, Zone: "Europe/Lisbon"}
	for when, want := range map[string]string{
		"2026-03-28T22:59:00Z": "", "2026-03-28T23:00:00Z": "2026-03-29T03:00:00Z", // the clock jumps in it: four hours are four hours
		"2026-03-29T02:59:00Z": "2026-03-29T03:00:00Z", "2026-03-29T03:00:00Z": "", "2026-03-29T23:30:00Z": "",
	} {
		got := r.until(&Subject{Site: "lis-2"}, at(t, when))
		if (want == "") != got.IsZero() || want != "" && !got.Equal(at(t, want)) {
			t.Errorf("at %s: until %v, want %s", when, got, want)
		}
	}
	if got := r.until(&Subject{Site: "OPO-1"}, at(t, "2026-03-28T23:30:00Z")); !got.IsZero() {
		t.Errorf("another site: %v", got)
	}
}
