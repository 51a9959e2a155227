package throttle

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"callhome"
	"callhome/agent/intake"
	"callhome/personality"
)

var start = time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)

func config(name personality.Name) Config {
	p, ok := personality.ByName(string(name))
	if !ok {
		panic(name)
	}
	c := DefaultConfig(p)
	return c
}

// down is a link that goes down; tests change what they are about.
func down(object string) Facts {
	return Facts{
		Source: callhome.SourceSyslog, Device: "core-1", Group: callhome.GroupSyslog, Level: callhome.LevelMinor, Type: "LINK_DOWN",
		State: callhome.StateRaise, Object: object, Text: "Interface " + object + ", changed state to down", Profiles: []callhome.ProfileName{"noc"},
	}
}

func up(object string) Facts {
	f := down(object)
	f.State, f.Text = callhome.StateClear, "Interface "+object+", changed state to up"
	return f
}

// plain is an event without state and object.
func plain(text string) Facts {
	return Facts{Source: callhome.SourceSyslog, Device: "core-1", Group: callhome.GroupSyslog, Level: callhome.LevelMinor, Mnemonic: "NOTRAPIP", Text: text}
}

// nameless is trouble whose object the text does not give away.
func nameless(text string) Facts {
	f := down("")
	f.Type, f.Text = "FAN_FAILURE", text
	return f
}

func TestChangingNumberIsARepeat(t *testing.T) {
	l := New(config(personality.IOS))
	told := 0
	for i := range 100 {
		if _, ok := l.Allow(start.Add(time.Duration(i)*time.Minute), nameless(fmt.Sprintf("temperature is %d", i))); ok {
			told++
		}
	}
	if told != maxTexts {
		t.Errorf("told %d times, want %d", told, maxTexts)
	}
}

type step struct {
	after time.Duration // since the start
	facts Facts
	want  callhome.Reason
	ok    bool
}

const (
	sent      = callhome.ReasonSent
	duplicate = callhome.ReasonDuplicate
	limited   = callhome.ReasonRateLimited
	flapping  = callhome.ReasonFlapping
)

func run(t *testing.T, l *Limiter, steps []step) {
	t.Helper()
	for i, s := range steps {
		if got, ok := l.Allow(start.Add(s.after), s.facts); got != s.want || ok != s.ok {
			t.Errorf("step %d at %v (%s %s %q): got %s %v, want %s %v", i, s.after, s.facts.State, s.facts.Type, s.facts.Object, got, ok, s.want, s.ok)
		}
	}
}

func TestRepeats(t *testing.T) {
	const day = 24 * time.Hour
	config1 := plain("Configured from console by vty0 (192.0.2.2)")
	config1.Group = callhome.GroupConfiguration
	other := down("Gi0/1")
	other.Device = "core-2"
	operator := down("Gi0/1")
	operator.Source = callhome.SourceOperator
	test := down("Gi0/1")
	test.Group = callhome.GroupTest
	scheduled := plain("")
	scheduled.Source, scheduled.Group = callhome.SourcePeriodic, callhome.GroupSnapshot
	for name, steps := range map[string][]step{
		"the same within a day": {{0, down("Gi0/1"), sent, true}, {time.Second, down("Gi0/1"), duplicate, false}, {day - 1, down("Gi0/1"), duplicate, false}},
		"the same a day later":  {{0, down("Gi0/1"), sent, true}, {day, down("Gi0/1"), sent, true}, {day + 1, down("Gi0/1"), duplicate, false}},
		"a second link":         {{0, down("Gi0/1"), sent, true}, {1, down("Gi0/2"), sent, true}},
		"another device":        {{0, down("Gi0/1"), sent, true}, {1, other, sent, true}},
		"down, up, down, up": {{0, down("Gi0/1"), sent, true}, {1, up("Gi0/1"), sent, true}, {2, down("Gi0/1"), sent, true}, {3, up("Gi0/1"), sent, true},
			{4, up("Gi0/1"), duplicate, false}},
		"the end of what was not heard to begin": {{0, up("Gi0/1"), sent, true}, {1, up("Gi0/1"), duplicate, false}},
		"trouble without an object, in other words": {{0, nameless("fan 1 failed"), sent, true}, {1, nameless("fan 2 failed"), sent, true},
			{2, nameless("fan 1 failed"), duplicate, false}, {3, nameless("fan 2 failed"), duplicate, false}, {day + 3, nameless("fan 1 failed"), sent, true}},
		"plain text, the same":            {{0, plain("a"), sent, true}, {1, plain("a"), duplicate, false}, {day, plain("a"), sent, true}},
		"plain text, another":             {{0, plain("a"), sent, true}, {1, plain("b"), sent, true}},
		"configuration by relays":         {{0, config1, sent, true}, {59 * time.Second, config1, duplicate, false}, {time.Minute, config1, sent, true}},
		"the operator is never held back": {{0, operator, sent, true}, {1, operator, sent, true}},
		"tests are never held back":       {{0, test, sent, true}, {1, test, sent, true}},
		"a schedule repeats":              {{0, scheduled, sent, true}, {1, scheduled, sent, true}},
		"a clock that is set back":        {{time.Hour, down("Gi0/1"), sent, true}, {0, down("Gi0/1"), duplicate, false}},
	} {
		t.Run(name, func(t *testing.T) { run(t, New(config(personality.IOS)), steps) })
	}
	t.Run("throttling off", func(t *testing.T) {
		c := config(personality.IOS)
		c.Duplicates = false
		run(t, New(c), []step{{0, down("Gi0/1"), sent, true}, {1, down("Gi0/1"), sent, true}})
	})
}

func TestRateLimit(t *testing.T) {
	for _, tt := range []struct {
		name  personality.Name
		limit int
	}{{personality.IOS, 1}, {personality.IOS, 20}, {personality.IOS, 60}, {personality.IOSXR, 5}} {
		t.Run(fmt.Sprint(tt.name, tt.limit), func(t *testing.T) {
			c := config(tt.name)
			c.RateLimit = tt.limit
			l := New(c)
			for i := range tt.limit {
				run(t, l, []step{{time.Duration(i) * time.Millisecond, plain(fmt.Sprint(i)), sent, true}})
			}
			over := plain("one too many")
			stranger := over
			stranger.Device, stranger.Stranger = "made-up", true
			test := over
			test.Group = callhome.GroupTest
			run(t, l, []step{
				{time.Second, over, limited, false},
				{time.Second, test, sent, true},
				{time.Second, stranger, sent, true},
				{time.Minute - 1, over, limited, false},
				{time.Minute, over, sent, true}, // the first of the window has left it
			})
		})
	}
	if got := config(personality.IOSXR).RateLimit; got != 5 {
		t.Errorf("IOS XR limits to %d a minute, want 5", got)
	}
	c := config(personality.IOS)
	c.RateLimit = 0
	l := New(c)
	for i := range 500 {
		run(t, l, []step{{0, plain(fmt.Sprint(i)), sent, true}})
	}
}

func TestStrangersShareOneCount(t *testing.T) {
	c := config(personality.Generic)
	c.RateLimit = 3
	l := New(c)
	for i := range 5 {
		f := plain("x")
		f.Device, f.Stranger = fmt.Sprint("host", i), true
		want, ok := sent, i < 3
		if !ok {
			want = limited
		}
		run(t, l, []step{{time.Duration(i), f, want, ok}})
	}
}

func TestThirtyInTwoHours(t *testing.T) {
	c := config(personality.NXOS)
	c.RateLimit = 0
	l := New(c)
	f := plain("port")
	f.Type = "SYSLOG_ALERT"
	for i := range 30 {
		run(t, l, []step{{time.Duration(i) * time.Minute, f, sent, true}})
	}
	fan := f
	fan.Type = "FAN_FAILURE"
	run(t, l, []step{
		{40 * time.Minute, f, duplicate, false},
		{40 * time.Minute, fan, sent, true}, // another type
		{2*time.Hour - 1, f, duplicate, false},
		{2 * time.Hour, f, sent, true}, // a new window
	})
	c.Duplicates = false
	l = New(c)
	for range 40 {
		run(t, l, []step{{0, f, sent, true}})
	}
}

func TestFlapping(t *testing.T) {
	l := New(config(personality.IOS))
	minute := func(n int) time.Duration { return time.Duration(n) * time.Minute }
	var steps []step
	for i := range 4 {
		steps = append(steps, step{minute(2 * i), down("Gi0/1"), sent, true}, step{minute(2*i + 1), up("Gi0/1"), sent, true})
	}
	steps = append(steps,
		step{minute(8), down("Gi0/1"), flapping, true}, // told once, as flapping
		step{minute(9), up("Gi0/1"), flapping, false},
		step{minute(9), down("Gi0/2"), sent, true}, // the other link is not hidden
		step{minute(10), down("Gi0/1"), flapping, false},
		step{minute(19), down("Gi0/1"), flapping, false}, // no change: the pause runs from minute 10
	)
	run(t, l, steps)
	if d := l.Digests(start.Add(minute(20) - 1)); len(d) != 0 {
		t.Fatalf("told before it settled: %+v", d)
	}
	d := l.Digests(start.Add(minute(20)))
	if len(d) != 1 || !d[0].Settled || d[0].State != callhome.StateRaise || d[0].Items[0].Object != "Gi0/1" || len(d[0].Profiles) != 1 {
		t.Fatalf("got %+v, want one that says Gi0/1 has settled, down", d)
	}
	if got, want := d[0].Summary(), "LINK_DOWN Gi0/1 has settled after 7 changes: the trouble lasts"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	run(t, l, []step{{minute(21), down("Gi0/1"), duplicate, false}, {minute(22), up("Gi0/1"), sent, true}, {minute(23), down("Gi0/1"), sent, true}})
	if d := l.Digests(start.Add(minute(60))); len(d) != 0 {
		t.Errorf("told twice: %+v", d)
	}
}

func TestSlowFlappingIsNone(t *testing.T) {
	l := New(config(personality.IOS))
	for i := range 20 {
		at := time.Duration(i) * 3 * time.Minute
		run(t, l, []step{{at, down("Gi0/1"), sent, true}, {at + time.Minute, up("Gi0/1"), sent, true}})
	}
}

func TestStormIsToldAsOneDigest(t *testing.T) {
	c := config(personality.IOS)
	c.RateLimit = 2
	l := New(c)
	for i := range 100 {
		want, ok := limited, false
		if i < 2 {
			want, ok = sent, true
		}
		run(t, l, []step{{time.Duration(i) * time.Millisecond, down(fmt.Sprint("Gi0/", i)), want, ok}})
	}
	run(t, l, []step{
		{2 * time.Second, up("Gi0/50"), limited, false}, // nobody knows that it was down
		{2 * time.Second, up("Gi0/1"), limited, false},
	})
	if d := l.Digests(start.Add(30 * time.Second)); len(d) != 0 {
		t.Fatalf("a digest before the minute is over: %+v", d)
	}
	d := l.Digests(start.Add(time.Minute + time.Second))
	if len(d) != 1 {
		t.Fatalf("got %d digests, want 1", len(d))
	}
	if got := d[0]; got.Count != 100 || len(got.Items) != maxItems || got.More != 50-1 || got.Level != callhome.LevelMinor || got.Device != "core-1" {
		t.Errorf("count %d, items %d, more %d, level %s, device %q", got.Count, len(got.Items), got.More, got.Level, got.Device)
	}
	if diff := cmp.Diff([]callhome.ProfileName{"noc"}, d[0].Profiles); diff != "" {
		t.Errorf("profiles (-want +got):\n%s", diff)
	}
	if first := d[0].Items[0]; first.Object != "Gi0/50" || first.Count != 2 || first.State != callhome.StateClear {
		t.Errorf("first item %+v, want Gi0/50 twice, cleared", first)
	}
	if d := l.Digests(start.Add(5 * time.Minute)); len(d) != 0 {
		t.Errorf("told twice: %+v", d)
	}
	// What was held back and is still down is told as soon as there is room.
	run(t, l, []step{{3 * time.Minute, down("Gi0/60"), sent, true}, {3*time.Minute + 1, up("Gi0/60"), sent, true}})
}

func TestTold(t *testing.T) {
	c := config(personality.IOS)
	c.RateLimit = 1
	l := New(c)
	run(t, l, []step{{0, down("Gi0/1"), sent, true}, {1, down("Gi0/2"), limited, false}})
	for object, want := range map[string]int{"Gi0/1": 1, "Gi0/2": 0, "Gi0/3": 0} {
		if got := l.Told(up(object)); len(got) != want {
			t.Errorf("%s: told %v, want %d profiles", object, got, want)
		}
	}
	if got := l.Told(down("Gi0/1")); got != nil {
		t.Errorf("a beginning follows %v", got)
	}
	run(t, l, []step{{time.Hour, up("Gi0/1"), sent, true}})
	if got := l.Told(up("Gi0/1")); got != nil {
		t.Errorf("after the end: told %v", got)
	}
}

func TestRestart(t *testing.T) {
	c := config(personality.IOS)
	c.RateLimit = 3
	before := New(c)
	run(t, before, []step{{0, down("Gi0/1"), sent, true}, {1, down("Gi0/2"), sent, true}, {2, plain("x"), sent, true}, {3, down("Gi0/3"), limited, false}})
	raw, err := json.Marshal(before.Snapshot())
	if err != nil {
		t.Fatal(err)
	}
	var s Snapshot
	if err := json.Unmarshal(raw, &s); err != nil {
		t.Fatal(err)
	}
	after := New(c)
	if err := after.Restore(s, start.Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(raw), mustJSON(t, after.Snapshot())); diff != "" {
		t.Fatalf("a snapshot does not survive (-want +got):\n%s", diff)
	}
	run(t, after, []step{
		{time.Second, down("Gi0/1"), duplicate, false}, // does not repeat
		{time.Second, up("Gi0/1"), limited, false},     // does not forget the rate
		{2 * time.Minute, up("Gi0/2"), sent, true},
	})
	if d := after.Digests(start.Add(2 * time.Minute)); len(d) != 1 || d[0].Count != 2 {
		t.Errorf("what was held back before and after the restart: %+v", d)
	}
	if err := after.Restore(Snapshot{Version: 99}, start); err == nil {
		t.Error("a snapshot of another version is taken")
	}
	if err := after.Restore(Snapshot{}, start); err != nil {
		t.Errorf("an empty snapshot: %v", err)
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestMemoryIsBounded(t *testing.T) {
	c := config(personality.NXOS)
	c.RateLimit = 1
	l := New(c)
	for i := range 2 * maxTroubles {
		f := down(fmt.Sprint(i))
		f.Device = fmt.Sprint("d", i)
		l.Allow(start, f)
		l.Allow(start, down(fmt.Sprint(i)))
	}
	if n := len(l.troubles.at); n > maxTroubles {
		t.Errorf("%d troubles, at most %d", n, maxTroubles)
	}
	if n := len(l.buckets.at); n > maxBuckets {
		t.Errorf("%d buckets, at most %d", n, maxBuckets)
	}
	if n := len(l.windows.at); n > maxWindows {
		t.Errorf("%d windows, at most %d", n, maxWindows)
	}
	if n := len(l.held.at); n > maxHeld {
		t.Errorf("%d devices held back, at most %d", n, maxHeld)
	}
}

func TestConfigValidate(t *testing.T) {
	good := config(personality.IOS)
	if err := good.Validate(); err != nil {
		t.Fatalf("the default: %v", err)
	}
	for name, breakIt := range map[string]func(*Config){
		"negative rate":   func(c *Config) { c.RateLimit = -1 },
		"rate too high":   func(c *Config) { c.RateLimit = 61 },
		"flap count of 1": func(c *Config) { c.FlapCount = 1 },
		"no flap window":  func(c *Config) { c.FlapWindow = 0 },
	} {
		c := good
		breakIt(&c)
		if err := c.Validate(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	c := good
	c.RateLimit = 0
	if err := c.Validate(); err != nil {
		t.Errorf("no limit: %v", err)
	}
}

func TestFactsOf(t *testing.T) {
	a := callhome.Alert{
		Event: callhome.Event{Raw: []byte("<189>29: *Mar  1 00:00:46.411: %SYS-5-CONFIG_I: Configured from console"), Mnemonic: "CONFIG_I"},
		Group: callhome.GroupConfiguration, Personality: "ios",
	}
	if got, want := FactsOf(&a).Text, "Configured from console"; got != want {
		t.Errorf("text %q, want %q", got, want)
	}
	b := a
	b.Raw = []byte("<189>30: *Mar  1 00:00:59.001: %SYS-5-CONFIG_I: Configured from console")
	fa, fb := FactsOf(&a), FactsOf(&b)
	if fa.key() != fb.key() {
		t.Error("the time stamp makes a repeat look new")
	}
	if fa.Personality == nil || fa.Personality.Name != personality.IOS {
		t.Error("the personality is lost")
	}
	c := callhome.Alert{Event: callhome.Event{Raw: []byte("<34>Oct 11 22:14:15 h1 sshd[9]: Failed password"), Program: "sshd"}}
	if got := FactsOf(&c).Text; got != "Failed password" {
		t.Errorf("text %q, want that after the program", got)
	}
}

func TestWhatIsTakenBackIsTold(t *testing.T) {
	l := New(config(personality.IOS))
	at := start
	allow := func(f Facts) bool {
		at = at.Add(time.Second)
		_, ok := l.Allow(at, f)
		return ok
	}
	if !allow(down("Gi0/1")) || allow(down("Gi0/1")) {
		t.Fatal("the first is told, its repeat is not")
	}
	l.Retract(down("Gi0/1"))
	if !allow(down("Gi0/1")) {
		t.Error("what was taken back is held back as a repeat")
	}
	l.Retract(down("Gi0/2")) // never heard of
	for range defaultFlapCount {
		allow(up("Gi0/1"))
		allow(down("Gi0/1"))
	}
	if allow(up("Gi0/1")) {
		t.Fatal("the link must flap by now")
	}
	l.Retract(down("Gi0/1"))
	if !allow(down("Gi0/1")) {
		t.Error("the message that tells of flapping was taken back, and nothing more is told")
	}
}

func TestWhatIsHeardWithoutTelling(t *testing.T) {
	l := New(config(personality.IOS))
	l.Allow(start, down("Gi0/1"))
	l.Hear(start.Add(time.Minute), up("Gi0/1"))
	if to := l.Told(up("Gi0/1")); to != nil {
		t.Errorf("told of a trouble that is over: %v", to)
	}
	if _, ok := l.Allow(start.Add(2*time.Minute), down("Gi0/1")); !ok {
		t.Error("the link went down anew and is held back as a repeat")
	}
	l.Hear(start.Add(3*time.Minute), down("Gi0/1"))
	if reason, ok := l.Allow(start.Add(4*time.Minute), down("Gi0/1")); ok || reason != callhome.ReasonDuplicate {
		t.Errorf("hearing what is known changes nothing: got %s, %v, want duplicate", reason, ok)
	}
}

// A full memory must fit into the file that keeps it over a restart.
func TestAFullMemoryFitsItsFile(t *testing.T) {
	l := New(config(personality.IOS))
	l.cfg.RateLimit = 1
	for i := range maxTroubles {
		f := down(fmt.Sprintf("TenGigabitEthernet0/0/%d", i))
		f.Device = fmt.Sprintf("access-switch-%05d.site.example", i%maxHeld)
		f.Text = strings.Repeat("x", maxText)
		l.Allow(start, f)
	}
	state := intake.State(filepath.Join(t.TempDir(), "throttle.json"))
	if err := state.Save(l.Snapshot()); err != nil {
		t.Fatal(err)
	}
	var s Snapshot
	if err := state.Load(&s); err != nil || len(s.Troubles) != maxTroubles {
		t.Errorf("got %d troubles, %v, want %d", len(s.Troubles), err, maxTroubles)
	}
}

// A quick look never misses what Told knows, over restarts too.
func TestMayEnd(t *testing.T) {
	now := time.Date(2026, 6, 13, 12, 0, 0, 0, time.UTC)
	l := New(DefaultConfig(nil))
	f := Facts{Source: callhome.SourceSyslog, Device: "core-1", Group: callhome.GroupSyslog, Type: "LINK_DOWN", State: callhome.StateRaise, Object: "Gi0/1", Profiles: []callhome.ProfileName{"noc"}}
	if l.MayEnd("core-1", "LINK_DOWN") {
		t.Error("nothing was heard of")
	}
	l.Allow(now, f)
	again := New(DefaultConfig(nil))
	if err := again.Restore(l.Snapshot(), now); err != nil {
		t.Fatal(err)
	}
	for name, l := range map[string]*Limiter{"at once": l, "after a restart": again} {
		if !l.MayEnd("core-1", "LINK_DOWN") || l.MayEnd("core-2", "LINK_DOWN") || l.MayEnd("core-1", "FAN_FAILURE") {
			t.Errorf("%s: want LINK_DOWN on core-1 alone", name)
		}
	}
	for i := range 3 * maxTroubles {
		f.Device = fmt.Sprintf("d%d", i)
		l.Allow(now, f)
	}
	if n := len(l.places); n > 2*maxTroubles {
		t.Errorf("%d places are kept, want at most %d", n, 2*maxTroubles)
	}
	if !l.MayEnd(f.Device, "LINK_DOWN") {
		t.Error("the latest was forgotten")
	}
}
