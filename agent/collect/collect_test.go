package collect

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"callhome"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a device that answers from a table; what begins with "!" is an error.
type fake struct {
	answers map[string]string
	openErr error
	think   time.Duration

	mu       sync.Mutex // guards what follows
	opened   int
	open     int
	mostOpen int
	ran      []string
}

func (f *fake) Open(context.Context) (Session, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.opened++
	if f.openErr != nil {
		return nil, f.openErr
	}
	f.open++
	f.mostOpen = max(f.mostOpen, f.open)
	return fakeSession{f}, nil
}

type fakeSession struct{ f *fake }

func (s fakeSession) Close() error {
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	s.f.open--
	return nil
}

func (s fakeSession) Run(ctx context.Context, command string, out *Output) error {
	s.f.mu.Lock()
	s.f.ran = append(s.f.ran, command)
	answer, ok := s.f.answers[command]
	s.f.mu.Unlock()
	if s.f.think > 0 {
		select {
		case <-time.After(s.f.think):
		case <-ctx.Done():
			fmt.Fprint(out, "so far")
			return ctx.Err()
		}
	}
	switch {
	case !ok:
		fmt.Fprint(out, "% Invalid input")
		return fmt.Errorf("%w: invalid input", ErrRejected)
	case strings.HasPrefix(answer, "!lost"):
		fmt.Fprint(out, "half")
		return fmt.Errorf("hung up: %w", ErrSessionLost)
	case strings.HasPrefix(answer, "!"):
		return errors.New(answer[1:])
	}
	fmt.Fprint(out, answer)
	return nil
}

func newCollector(t *testing.T, cfg Config, o Options, devices ...Device) *Collector {
	t.Helper()
	c, err := New(cfg, o)
	if err != nil {
		t.Fatal(err)
	}
	c.SetDevices(devices)
	return c
}

func texts(as []callhome.Attachment) map[string]string {
	out := map[string]string{}
	for _, a := range as {
		out[a.Name] = a.Text
	}
	return out
}

func TestEveryCommandHasItsResult(t *testing.T) {
	f := &fake{answers: map[string]string{"show version": "17.9", "show clock": "!no clock", "show module 3": "fine", "show long": strings.Repeat("x", 2000), "clear counters": "done"}}
	var records []Record
	reg := prometheus.NewRegistry()
	c := newCollector(t, Config{CommandBytes: 1024, Commands: []string{"clear  counters"}}, Options{Record: func(r Record) { records = append(records, r) }, Metrics: reg}, Device{Name: "core-1", Runner: f})
	got := c.Collect(t.Context(), Job{Device: "core-1", Params: map[string]string{"module": "3", "interface": "Gi0/1 | redirect x"}, Commands: Commands(
		"show version", "show clock", "show nonsense", "show module {module}", "show interface {interface}", "show slot {slot}", "reload", "show long", "clear counters",
	)})
	want := map[string]string{
		"show version": "17.9", "show clock": "[command failed: no clock]", "show nonsense": "% Invalid input", "show module 3": "fine",
		"show interface {interface}": `[command not run: the alert's interface "Gi0/1 | redirect x" is not a plain name]`,
		"show slot {slot}":           "[command not run: the alert names no slot]",
		"reload":                     `[command not run: command "reload" is not a show command; list it in collect.commands if it is harmless]`,
		"show long":                  strings.Repeat("x", 1024) + "\n[truncated: 976 bytes removed]", "clear counters": "done",
	}
	if diff := cmp.Diff(want, texts(got.Attachments(nil))); diff != "" {
		t.Errorf("attachments (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"show version", "show clock", "show nonsense", "show module 3", "show long", "clear counters"}, f.ran); diff != "" {
		t.Errorf("run on the device (-want +got):\n%s", diff)
	}
	ran := 0
	for _, r := range records {
		if r.Device != "core-1" || r.Start.IsZero() {
			t.Errorf("record %+v", r)
		}
		if r.Ran {
			ran++
		}
	}
	if len(records) != 9 || ran != 6 || f.opened != 1 || got.Failed() != 5 {
		t.Errorf("got %d records, %d of commands that ran, %d logins, %d failed", len(records), ran, f.opened, got.Failed())
	}
	if err := testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP callhome_collect_commands_total Commands for alerts, by outcome.
# TYPE callhome_collect_commands_total counter
callhome_collect_commands_total{outcome="denied"} 3
callhome_collect_commands_total{outcome="failed"} 1
callhome_collect_commands_total{outcome="ok"} 4
callhome_collect_commands_total{outcome="rejected"} 1
`), "callhome_collect_commands_total"); err != nil {
		t.Error(err)
	}
}

func TestProfilesShareOneCollection(t *testing.T) {
	f := &fake{answers: map[string]string{"show version": "v", "show inventory": "i", "show running-config": "r"}}
	c := newCollector(t, Config{}, Options{}, Device{Runner: f})
	basic, full := Commands("show version", "show  inventory"), Commands("show inventory", "show version", "show running-config")
	got := c.Collect(t.Context(), Job{Commands: Union(basic, full)})
	if len(f.ran) != 3 {
		t.Errorf("ran %q, want each command once", f.ran)
	}
	want := []callhome.Attachment{{Name: "show version", Text: "v"}, {Name: "show inventory", Text: "i"}}
	if diff := cmp.Diff(want, got.Attachments(basic)); diff != "" {
		t.Errorf("basic (-want +got):\n%s", diff)
	}
	if n := len(got.Attachments(full)); n != 3 {
		t.Errorf("full: got %d attachments", n)
	}
}

func TestLimitsOfTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{think: 40 * time.Second, answers: map[string]string{"show a": "a", "show b": "b", "show c": "c", "show d": "d"}}
		c := newCollector(t, Config{Budget: 100 * time.Second}, Options{}, Device{Runner: f})
		start := time.Now()
		got := texts(c.Collect(t.Context(), Job{Commands: Commands("show a", "show b", "show c", "show d")}).Attachments(nil))
		want := map[string]string{
			"show a": "a", "show b": "b",
			"show c": "so far\n[command failed: the time of 1m40s for all commands of one alert is used up (context deadline exceeded)]",
			"show d": "[command not run: the time of 1m40s for all commands of one alert is used up]",
		}
		if diff := cmp.Diff(want, got); diff != "" || time.Since(start) != 100*time.Second {
			t.Errorf("budget, after %s (-want +got):\n%s", time.Since(start), diff)
		}
		f.think = time.Hour
		got = texts(c.Collect(t.Context(), Job{Commands: Commands("show a")}).Attachments(nil))
		if want := "so far\n[command failed: no end of the output within 1m0s (context deadline exceeded)]"; got["show a"] != want {
			t.Errorf("one command: got %q, want %q", got["show a"], want)
		}
	})
}

func TestFewSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, other := &fake{think: time.Second, answers: map[string]string{"show a": "a"}}, &fake{think: time.Second, answers: map[string]string{"show a": "a"}}
		c := newCollector(t, Config{Sessions: 3}, Options{}, Device{Name: "one", Runner: one}, Device{Name: "other", Runner: other, Sessions: 5})
		start := time.Now()
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() { c.Collect(t.Context(), Job{Device: "one", Commands: Commands("show a")}) })
			all.Go(func() { c.Collect(t.Context(), Job{Device: "other", Commands: Commands("show a")}) })
		}
		all.Wait()
		if one.mostOpen != 1 || other.mostOpen > 3 || other.mostOpen < 2 || time.Since(start) > 14*time.Second {
			t.Errorf("got %d and %d sessions at once, %s", one.mostOpen, other.mostOpen, time.Since(start))
		}
		waiting, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		all.Go(func() { c.Collect(t.Context(), Job{Device: "one", Commands: Commands("show a")}) })
		synctest.Wait()
		got := c.Collect(waiting, Job{Device: "one", Commands: Commands("show a")})
		if got.Results[0].Err == nil || len(c.sessions) != 1 {
			t.Errorf("a wait that was given up: got %v, %d slots taken", got.Results[0].Err, len(c.sessions))
		}
		all.Wait()
	})
}

func TestLostSession(t *testing.T) {
	f := &fake{answers: map[string]string{"show a": "!lost", "show b": "b", "show c": "!lost", "show d": "d"}}
	c := newCollector(t, Config{}, Options{}, Device{Runner: f})
	got := texts(c.Collect(t.Context(), Job{Commands: Commands("show a", "show b", "show c", "show d")}).Attachments(nil))
	want := map[string]string{
		"show a": "half\n[command failed: hung up: session lost]", "show b": "b", "show c": "half\n[command failed: hung up: session lost]",
		"show d": "[command not run: the session was lost again; the rest of the commands was not run]",
	}
	if diff := cmp.Diff(want, got); diff != "" || f.opened != 2 || f.open != 0 {
		t.Errorf("%d logins, %d open (-want +got):\n%s", f.opened, f.open, diff)
	}
}

func TestLatch(t *testing.T) {
	store := FileLatches(filepath.Join(t.TempDir(), "latches.json"))
	f := &fake{openErr: fmt.Errorf("try: %w", &RefusedError{Where: "192.0.2.7:22", Err: errors.New("bad password")})}
	dev := Device{Name: "core-1", Runner: f, Settings: "one"}
	job := Job{Device: "core-1", Commands: Commands("show a", "show b")}
	c := newCollector(t, Config{}, Options{Latches: store}, dev)
	for range 3 {
		if got := c.Collect(t.Context(), job); got.Failed() != 2 {
			t.Errorf("got %d failed", got.Failed())
		}
	}
	restarted := newCollector(t, Config{}, Options{Latches: store}, dev)
	restarted.Collect(t.Context(), job)
	if f.opened != 1 {
		t.Errorf("got %d logins, want 1, over a restart too", f.opened)
	}
	if l := restarted.Latched(); len(l) != 1 || !strings.Contains(l[0].Reason, "192.0.2.7:22") {
		t.Errorf("latched: %+v", l)
	}
	if !restarted.Unlatch("core-1") || restarted.Unlatch("core-1") {
		t.Error("Unlatch must open the latch once")
	}
	restarted.Collect(t.Context(), job)
	dev.Settings = "two"
	restarted.SetDevices([]Device{dev})
	restarted.Collect(t.Context(), job)
	if f.opened != 3 {
		t.Errorf("got %d logins, want one more after each act", f.opened)
	}
	f.openErr = callhome.Errorf(callhome.KindUnavailable, "no route to host")
	restarted.Unlatch("core-1")
	restarted.Collect(t.Context(), job)
	restarted.Collect(t.Context(), job)
	if f.opened != 5 || len(restarted.Latched()) != 0 {
		t.Errorf("a device out of reach is tried again: got %d logins, latched %+v", f.opened, restarted.Latched())
	}
}

func TestUnknownDevice(t *testing.T) {
	c := newCollector(t, Config{}, Options{}, Device{Name: "bare"})
	for name, want := range map[string]string{"nobody": "not in the list of devices", "bare": "ssh block"} {
		got := c.Collect(t.Context(), Job{Device: name, Commands: Commands("show a")}).Attachments(nil)
		if len(got) != 1 || !strings.Contains(got[0].Text, want) {
			t.Errorf("%s: got %+v", name, got)
		}
	}
	if got := c.Collect(t.Context(), Job{Device: "bare"}); len(got.Results) != 0 {
		t.Errorf("no commands: got %+v", got)
	}
}

// TestDeviceOutOfReachIsToldOnce proves that a dial error fills neither the message nor the log.
func TestDeviceOutOfReachIsToldOnce(t *testing.T) {
	f := &fake{openErr: errors.New("dial tcp 192.0.2.7:22: connect: no route to host")}
	var log strings.Builder
	var records []Record
	c := newCollector(t, Config{}, Options{
		Log: slog.New(slog.NewTextHandler(&log, nil)), Record: func(r Record) { records = append(records, r) },
	}, Device{Name: "core-1", Runner: f})
	got := c.Collect(t.Context(), Job{Device: "core-1", Commands: Commands("show a", "show b", "show c")})
	full, brief := "[command not run: no session: dial tcp 192.0.2.7:22: connect: no route to host]", "[command not run: no session, see above]"
	if diff := cmp.Diff(map[string]string{"show a": full, "show b": brief, "show c": brief}, texts(got.Attachments(nil))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"show b": full, "show c": brief}, texts(got.Attachments(Commands("show b", "show c")))); diff != "" {
		t.Errorf("another profile (-want +got):\n%s", diff)
	}
	if got.Failed() != 3 || !errors.Is(got.Results[2].Err, f.openErr) {
		t.Errorf("%d failed, the last by %v", got.Failed(), got.Results[2].Err)
	}
	if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "level=WARN") || !strings.Contains(text, "device=core-1") || len(records) != 0 {
		t.Errorf("%d records; logged:\n%s", len(records), text)
	}
}

func TestContexts(t *testing.T) {
	f := &fake{answers: map[string]string{"changeto system": "", "changeto context a": "", "changeto context b": "!no such context", "show version": "v", "show xlate": "x"}}
	c := newCollector(t, Config{}, Options{}, Device{Runner: f, Contexts: []string{"a", "b", "c; reload"}})
	got := texts(c.Collect(t.Context(), Job{Commands: []Command{{Text: "show xlate", Scope: ScopeContext}, {Text: "show version"}}}).Attachments(nil))
	want := map[string]string{
		"show version": "v", "show xlate (context a)": "x", "show xlate (context b)": "[command not run: changeto context b: no such context]",
		"show xlate (context c; reload)": `[command not run: context "c; reload" is not a plain name]`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"changeto system", "show version", "changeto context a", "show xlate", "changeto context b"}, f.ran); diff != "" {
		t.Errorf("run (-want +got):\n%s", diff)
	}
}

func TestGate(t *testing.T) {
	gate := ShowOnly([]string{"ping 192.0.2.1", "show logging | include up|down"})
	for _, ok := range []string{
		"show version", "display version", "admin show platform", "SHOW clock", "show logging | include LINK", "show run | section bgp",
		"show access-list | include elements", "show configuration | display set | no-more", "ping  192.0.2.1", "show logging | include up|down",
		"show diagnostic result module all detail", "show running-config all",
	} {
		if err := gate(ok); err != nil {
			t.Errorf("%q: %v", ok, err)
		}
	}
	for _, bad := range []string{
		"", " ", "show", "reload", "configure terminal", "sh run", "admin reload", "show version\nreload", "show version\rreload", "show x\x00", "show ?",
		"show run | redirect tftp://192.0.2.1/x", "show run | append flash:x", "show run | tee flash:x", "show run | save x", "show run | file disk0:x",
		"show run > bootflash:x", "show version ; reload", "show x `reload`", "show $(reload)", "show x & reload", "show x |", "show x | ", "show x | email a",
		"show run | include a | bash", "show run | sed s/a/b/w", "show logging | include a|reload", "show tech-support file disk0:x", "ping 192.0.2.2",
		"show x\u2028y", "show " + strings.Repeat("x", 600), "showy thing", "admin",
	} {
		if err := gate(bad); err == nil {
			t.Errorf("%q passed", bad)
		}
	}
	if err := ListedOnly([]string{"uname -a"})("show version"); callhome.KindOf(err) != callhome.KindDenied {
		t.Errorf("a list of its own: got %v", err)
	}
}

func FuzzGate(f *testing.F) {
	f.Add("show run | include x")
	f.Add("show x\nreload")
	gate := ShowOnly(nil)
	f.Fuzz(func(t *testing.T, command string) {
		if gate(command) != nil {
			return
		}
		if strings.ContainsAny(command, "\r\n;`<>&$?\x00") || strings.Contains(command, "redirect ") && strings.Contains(command, "| redirect") {
			t.Errorf("%q passed", command)
		}
	})
}

func TestExpandRefusesWhatIsNoName(t *testing.T) {
	for value, ok := range map[string]bool{
		"3": true, "GigabitEthernet0/0/1": true, "2001:db8::1": true, "TenGigE0/0/0/1.100": true,
		"": false, "3 detail": false, "3|x": false, "-x": false, "3\nreload": false, "{module}": false, strings.Repeat("x", 65): false, "ü": false,
	} {
		got, err := Expand("show module {module}", map[string]string{"module": value})
		if (err == nil) != ok || ok && got != "show module "+value {
			t.Errorf("%q: got %q, %v", value, got, err)
		}
	}
}

func TestConfig(t *testing.T) {
	if diff := cmp.Diff(DefaultConfig(), Config{}.withDefaults(), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("zero is not the default:\n%s", diff)
	}
	err := Config{CommandTimeout: time.Hour, CommandBytes: 5, Budget: -1, Sessions: -1, SessionsPerDevice: 6, Commands: []string{"a\nb"}}.Validate()
	for _, key := range []string{"command_timeout", "command_bytes", "budget", "sessions", "sessions_per_device", "commands[0]"} {
		if err == nil || !strings.Contains(err.Error(), "collect."+key+":") {
			t.Errorf("no fault named %s in %v", key, err)
		}
	}
}
