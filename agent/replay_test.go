package agent

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"callhome"

	"github.com/google/go-cmp/cmp"
)

// course is what devices log over some hours: troubles, repeats, a flapping link, a storm, and lines that nobody wants.
func course(start time.Time) (lines []string, pauses []time.Duration) {
	now := start
	say := func(pause time.Duration, host, text string) {
		now = now.Add(pause)
		pauses = append(pauses, pause)
		lines = append(lines, fmt.Sprintf("<187>%d: %s: %s UTC: %%%s", len(lines)+1, host, now.UTC().Format("Jan _2 2006 15:04:05.000"), text))
	}
	link := func(pause time.Duration, host string, n int, state string) {
		say(pause, host, fmt.Sprintf("LINK-3-UPDOWN: Interface GigabitEthernet0/%d, changed state to %s", n, state))
	}
	say(0, "core-1", "SYS-6-NOTHING: nobody wants to know")
	for range 4 { // repeats
		link(time.Second, "core-1", 1, "down")
	}
	link(time.Minute, "core-1", 1, "up")
	for range 8 { // flapping
		link(20*time.Second, "edge-rtr-7", 7, "down")
		link(20*time.Second, "edge-rtr-7", 7, "up")
	}
	for i := range 30 { // a storm
		link(100*time.Millisecond, "core-1", 100+i, "down")
	}
	say(10*time.Minute, "core-1", "PLATFORM_ENV-1-FAN: Faulty fan detected, tray P2")
	for i := range 3 { // maintenance
		link(3*time.Hour, "edge-rtr-7", 200+i, "down")
	}
	link(time.Second, "who-is-this", 1, "down")
	return lines, pauses
}

// TestReplayAgreesWithTheAgent lets an agent live through a course of events, replays its lines and compares.
func TestReplayAgreesWithTheAgent(t *testing.T) {
	cfg := testConfig()
	limit := 5
	cfg.CallHome.RateLimit = &limit
	sent, dropped := map[string]int{}, map[callhome.Reason]int64{}
	var lines []string
	bubble(t, cfg, func(w *world) {
		start := time.Now()
		cfg.Maintenance = []Maintenance{{From: start.Add(6 * time.Hour), To: start.Add(8 * time.Hour)}}
		if err := w.agent.Reload(cfg); err != nil {
			t.Fatal(err)
		}
		var pauses []time.Duration
		lines, pauses = course(start)
		for i, l := range lines {
			time.Sleep(pauses[i])
			w.take("192.0.2.99", l)
		}
		time.Sleep(3 * time.Hour)
		for _, e := range w.envelopes() {
			sent[fmt.Sprintf("%s %s %s", e.Profile, e.Device, e.Group)]++
		}
		st, err := w.agent.Statistics(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		dropped = maps.Clone(st.Dropped)
	})
	got, held := map[string]int{}, map[callhome.Reason]int64{}
	r, err := NewReplayer(cfg, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), func(o Replayed) {
		for _, p := range o.Profiles {
			if o.Sent() {
				got[fmt.Sprintf("%s %s %s", p, o.Device, o.Group)]++
			}
		}
		if !o.Sent() {
			held[o.Reason]++
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		r.Take([]byte(l))
	}
	r.Finish()
	if diff := cmp.Diff(sent, got); diff != "" {
		t.Errorf("messages (-agent +replay):\n%s", diff)
	}
	if diff := cmp.Diff(dropped, held); diff != "" {
		t.Errorf("held back (-agent +replay):\n%s", diff)
	}
	for _, reason := range []callhome.Reason{callhome.ReasonDuplicate, callhome.ReasonFlapping, callhome.ReasonRateLimited, callhome.ReasonMaintenance} {
		if held[reason] == 0 {
			t.Errorf("nothing was held back as %s: the course does not test it", reason)
		}
	}
}

func TestReplaysClock(t *testing.T) {
	base := time.Date(2026, 6, 20, 0, 0, 0, 0, time.UTC)
	r, err := NewReplayer(testConfig(), base, func(Replayed) {})
	if err != nil {
		t.Fatal(err)
	}
	at := func(day int, clock string) string {
		return fmt.Sprintf("<189>7: core-1: Jun %2d 2026 %s UTC: %%SYS-5-X: y", day, clock)
	}
	for _, c := range []struct{ line, want string }{
		{"no stamp at all", "2026-06-20 00:00:00"},
		{at(13, "10:00:00"), "2026-06-13 10:00:00"},
		{"no stamp at all", "2026-06-13 10:00:00"},
		{at(13, "09:59:00"), "2026-06-13 10:00:00"},                                    // from another device, a little late
		{strings.Replace(at(14, "10:00:00"), "Jun", "*Jun", 1), "2026-06-13 10:00:00"}, // its clock was never set
		{at(14, "10:00:00"), "2026-06-14 10:00:00"},
		{at(2, "10:00:00"), "2026-06-02 10:00:00"}, // another capture
		{"<189>Jun  3 04:05:06 core-1 sshd[7]: y", "2026-06-03 04:05:06"},
	} {
		r.Take([]byte(c.line))
		if got := r.Now().Format(time.DateTime); got != c.want {
			t.Errorf("after %q the clock is at %s, want %s", c.line, got, c.want)
		}
	}
}

func TestReplayJoinsParts(t *testing.T) {
	var got []Replayed
	r, err := NewReplayer(testConfig(), time.Date(2026, 6, 20, 0, 0, 0, 0, time.UTC), func(o Replayed) { got = append(got, o) })
	if err != nil {
		t.Fatal(err)
	}
	for n, text := range []string{"null reference", "at parse:18"} {
		r.Take(fmt.Appendf(nil, "<187>%d: edge-rtr-7: Jun 13 2026 21:07:15.454 +0000: %%EDGE-3-TRACE: %%[part=40.%d/3][pname.orig=edged]: %s", 39+n, n+1, text))
	}
	if len(got) != 0 {
		t.Fatalf("an incomplete message was told of: %v", got)
	}
	r.Finish()
	if len(got) != 1 || !strings.Contains(got[0].Text, "parts missing: [3] of 3") {
		t.Errorf("got %v, want one message that says what is missing", got)
	}
}
