package agent

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"callhome"
	"callhome/agent/collect"
	"callhome/agent/intake"
	"callhome/outbox"
	"callhome/outbox/outboxtest"
)

// lines that the tests send.
const (
	fanDown  = "<185>29: edge-rtr-7: %PLATFORM_ENV-1-FAN: Faulty fan detected, tray P2"
	linkDown = "<187>30: core-1: %LINK-3-UPDOWN: Interface GigabitEthernet0/1, changed state to down"
	linkUp   = "<187>31: core-1: %LINK-3-UPDOWN: Interface GigabitEthernet0/1, changed state to up"
	chatter  = "<190>32: edge-rtr-7: %SEC_LOGIN-6-LOGIN_SUCCESS: Login Success [user: ops] at vty0"
)

func level(l callhome.Level) *callhome.Level { return &l }

func testConfig() Config {
	zero := 0
	return Config{
		Device: Device{Hostname: "edge-rtr-7", Personality: "ios", Model: "QX9006", Serial: "QXA2613K0PZ"}, OwnNames: []string{"vm-1"},
		Devices: []NetworkDevice{{Device: Device{Hostname: "core-1", Personality: "ios", Model: "QX9010", Serial: "QXB1"}, Address: "192.0.2.7"}},
		CallHome: CallHome{
			Enabled: true, RateLimit: &zero, Contact: Contact{Email: "noc@ops.example"},
			Profiles: []callhome.Profile{
				{Name: "backend", Active: true, Format: callhome.FormatXML, HTTP: []string{"https://x.example/y"}, Subscribe: []callhome.Subscription{
					{Group: callhome.GroupEnvironment}, {Group: callhome.GroupSyslog, Severity: level(callhome.LevelMinor)},
				}},
				{Name: "pager", Active: true, Format: callhome.FormatShort, Email: []string{"oncall@ops.example"}, Subscribe: []callhome.Subscription{
					{Group: callhome.GroupEnvironment, Severity: level(callhome.LevelCritical)},
				}},
			},
		},
	}
}

// world is an agent on an outbox in memory.
type world struct {
	t     *testing.T
	agent *Agent
	queue *outbox.Queue
	stop  func()

	log notebook

	mu  sync.Mutex // guards ran
	ran []string   // commands
}

// notebook is a log that may be read while it is written.
type notebook struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (n *notebook) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.buf.Write(p)
}

func (n *notebook) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.buf.String()
}

// start runs an agent; its goroutines live in the caller's bubble, if there is one.
func start(t *testing.T, cfg Config) *world {
	t.Helper()
	return startOn(t, cfg, outboxtest.NewMemory(), nil)
}

// startOn is start with a store and a memory of throttling that outlive the agent.
func startOn(t *testing.T, cfg Config, store outbox.Store, state State) *world {
	t.Helper()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	q, err := outbox.Open(t.Context(), store, outbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, queue: q}
	c, err := collect.New(collect.Config{}, collect.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w.agent, err = New(cfg, Parts{Outbox: q, Collector: c, Devices: func(cfg Config) []collect.Device {
		out := []collect.Device{{Name: cfg.Device.Hostname, Runner: w}}
		for _, d := range cfg.Devices {
			out = append(out, collect.Device{Name: d.Hostname, Runner: w})
		}
		return out
	}, ThrottleState: state, PseudonymKey: bytes.Repeat([]byte{7}, 32), Log: slog.New(slog.NewTextHandler(&w.log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.agent.Run(ctx) }()
	w.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := q.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// Open makes the world the runner of its devices: it answers every command.
func (w *world) Open(context.Context) (collect.Session, error) { return w, nil }

// Close ends nothing.
func (w *world) Close() error { return nil }

// Run answers with the command's name.
func (w *world) Run(_ context.Context, command string, out *collect.Output) error {
	w.mu.Lock()
	w.ran = append(w.ran, command)
	w.mu.Unlock()
	_, err := fmt.Fprintf(out, "output of %s\n", command)
	return err
}

// take hands a line over as if it came from a peer.
func (w *world) take(peer, line string) {
	w.t.Helper()
	o := &intake.Origin{Source: callhome.SourceSyslog, ReceivedAt: time.Now(), Peer: netip.AddrPortFrom(netip.MustParseAddr(peer), 514)}
	if err := w.agent.Take(w.t.Context(), []byte(line), o); err != nil {
		w.t.Fatal(err)
	}
}

// envelopes waits until the agent rests and lists what is queued, with bodies.
func (w *world) envelopes() []callhome.Envelope {
	w.t.Helper()
	synctest.Wait()
	entries, err := w.queue.List(w.t.Context(), outbox.Filter{})
	if err != nil {
		w.t.Fatal(err)
	}
	var out []callhome.Envelope
	for _, e := range entries {
		full, err := w.queue.Show(w.t.Context(), e.ID)
		if err != nil {
			w.t.Fatal(err)
		}
		out = append(out, full.Envelope)
	}
	return out
}

// to lists "profile device" of envelopes.
func to(envelopes []callhome.Envelope) string {
	var out []string
	for _, e := range envelopes {
		out = append(out, fmt.Sprintf("%s %s", e.Profile, e.Device))
	}
	return strings.Join(out, ", ")
}

// bubble runs f with an agent in a bubble of its own time.
func bubble(t *testing.T, cfg Config, f func(*world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := start(t, cfg)
		defer w.stop()
		w.t = t
		f(w)
	})
}

func TestWhoseLineItIs(t *testing.T) {
	for _, c := range []struct{ name, peer, line, want string }{
		{"the own host, by its name", "192.0.2.99", fanDown, "backend edge-rtr-7, pager edge-rtr-7"},
		{"the own host, over loopback without a name", "127.0.0.1", strings.Replace(fanDown, "edge-rtr-7: ", "", 1), "backend edge-rtr-7, pager edge-rtr-7"},
		{"the own host, under the name the system gives it", "127.0.0.1", strings.Replace(fanDown, "edge-rtr-7", "vm-1", 1), "backend edge-rtr-7, pager edge-rtr-7"},
		{"a stranger, through a relay on this host", "127.0.0.1", strings.Replace(fanDown, "edge-rtr-7", "other", 1), "backend other, pager other"},
		{"a device, by its address", "192.0.2.7", strings.Replace(fanDown, "edge-rtr-7", "whatever", 1), "backend core-1, pager core-1"},
		{"a device, by its name through a relay", "192.0.2.50", strings.Replace(fanDown, "edge-rtr-7", "CORE-1.ops.example", 1), "backend core-1, pager core-1"},
		{"a stranger, by the name its lines carry", "192.0.2.50", strings.Replace(fanDown, "edge-rtr-7", "sw-9", 1), "backend sw-9, pager sw-9"},
		{"nobody wants it", "192.0.2.7", chatter, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, testConfig(), func(w *world) {
				w.take(c.peer, c.line)
				if got := to(w.envelopes()); got != c.want {
					t.Errorf("got %q, want %q", got, c.want)
				}
			})
		})
	}
}

func TestStrangersAreListedAndServedAsGeneric(t *testing.T) {
	bubble(t, testConfig(), func(w *world) {
		w.take("192.0.2.50", strings.Replace(fanDown, "edge-rtr-7", "sw-9", 1))
		got := w.envelopes()
		if len(got) == 0 || !strings.Contains(string(got[0].Body), "<ch:Name>sw-9</ch:Name>") || strings.Contains(string(got[0].Body), "QXA2613K0PZ") {
			t.Errorf("a stranger's message must carry its own name and not our serial: %s", bodies(got))
		}
		if s := w.agent.Status().Strangers; len(s) != 1 || s[0].Name != "sw-9" {
			t.Errorf("strangers: got %+v, want sw-9", s)
		}
		if len(w.ran) != 0 {
			t.Errorf("commands were run for a stranger: %v", w.ran)
		}
	})
}

func TestOneCollectionForAllProfiles(t *testing.T) {
	cfg := testConfig()
	cfg.CallHome.Profiles[1].Format = callhome.FormatFull
	cfg.CallHome.Profiles[1].LongTextDialect = "A"
	bubble(t, cfg, func(w *world) {
		w.take("192.0.2.7", fanDown)
		got := w.envelopes()
		if len(got) != 2 || !strings.Contains(string(got[0].Body), "output of show environment") || !strings.Contains(string(got[1].Body), "output of show environment") {
			t.Errorf("both profiles want the output: %s", bodies(got))
		}
		n := 0
		for _, c := range w.ran {
			if c == "show environment" {
				n++
			}
		}
		if n != 1 {
			t.Errorf("show environment ran %d times, want once", n)
		}
	})
}

func TestTheEndIsToldToWhoWasToldOfTheBeginning(t *testing.T) {
	cfg := testConfig()
	// The pager hears of link troubles by a pattern which the end of the trouble does not match.
	cfg.CallHome.Profiles[1].Subscribe = []callhome.Subscription{{Group: callhome.GroupSyslog, Pattern: "changed state to down"}}
	bubble(t, cfg, func(w *world) {
		w.take("192.0.2.7", linkDown)
		w.take("192.0.2.7", linkUp)
		if got, want := to(w.envelopes()), "backend core-1, pager core-1, backend core-1, pager core-1"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		w.take("192.0.2.7", strings.Replace(linkUp, "0/1", "0/2", 1))
		if got, want := to(w.envelopes()[4:]), "backend core-1"; got != want {
			t.Errorf("the end of what nobody was told of: got %q, want %q", got, want)
		}
	})
}

func TestRepeatsAreHeldBackAndCounted(t *testing.T) {
	bubble(t, testConfig(), func(w *world) {
		for range 5 {
			w.take("192.0.2.7", linkDown)
		}
		w.take("192.0.2.7", strings.Replace(linkDown, "0/1", "0/2", 1)) // the second link that goes down is not hidden
		if got := len(w.envelopes()); got != 2 {
			t.Errorf("got %d messages, want 2: one for each link", got)
		}
		st, err := w.agent.Statistics(w.t.Context())
		if err != nil || st.Dropped[callhome.ReasonDuplicate] != 4 {
			t.Errorf("dropped as duplicate: got %d, %v, want 4", st.Dropped[callhome.ReasonDuplicate], err)
		}
	})
}

func TestAStormIsToldAsADigest(t *testing.T) {
	cfg := testConfig()
	limit := 3
	cfg.CallHome.RateLimit = &limit
	bubble(t, cfg, func(w *world) {
		for i := range 20 {
			w.take("192.0.2.7", strings.Replace(linkDown, "0/1", fmt.Sprintf("0/%d", i), 1))
		}
		if got := len(w.envelopes()); got != limit {
			t.Fatalf("got %d messages, want %d", got, limit)
		}
		time.Sleep(2 * time.Minute)
		got := w.envelopes()
		if len(got) != limit+1 || !strings.Contains(string(got[limit].Body), "17") {
			t.Errorf("a digest must tell of 17 messages held back: got %d messages", len(got))
		}
	})
}

func TestPartsFireOnce(t *testing.T) {
	part := func(n int, text string) string {
		return fmt.Sprintf("<187>%d: edge-rtr-7: Jun 13 2026 21:07:15.454 +0000: %%EDGE-3-TRACE: %%[part=40.%d/3][pname.orig=edged]: %s", 39+n, n, text)
	}
	bubble(t, testConfig(), func(w *world) {
		w.take("192.0.2.99", part(1, "null reference"))
		w.take("192.0.2.99", part(3, "at main:4"))
		if got := w.envelopes(); len(got) != 0 {
			t.Fatalf("an incomplete message fired: %s", bodies(got))
		}
		w.take("192.0.2.99", part(2, "at parse:18"))
		got := w.envelopes()
		if len(got) != 1 || !strings.Contains(string(got[0].Body), "null reference\nat parse:18\nat main:4") {
			t.Errorf("got %s, want one message with the whole text", bodies(got))
		}
	})
	bubble(t, testConfig(), func(w *world) {
		w.take("192.0.2.99", part(1, "null reference"))
		time.Sleep(time.Minute)
		got := w.envelopes()
		if len(got) != 1 || !strings.Contains(string(got[0].Body), "parts missing: [2 3] of 3") {
			t.Errorf("got %s, want the part that came and what is missing", bodies(got))
		}
	})
}

func TestMaintenanceAndDisabled(t *testing.T) {
	cfg := testConfig()
	bubble(t, cfg, func(w *world) {
		cfg := testConfig()
		cfg.Maintenance = []Maintenance{{From: time.Now().Add(-time.Hour), To: time.Now().Add(time.Hour), Devices: []string{"core-1"}}}
		if err := w.agent.Reload(cfg); err != nil {
			t.Fatal(err)
		}
		w.take("192.0.2.7", linkDown)
		w.take("192.0.2.99", fanDown)
		if got, want := to(w.envelopes()), "backend edge-rtr-7, pager edge-rtr-7"; got != want {
			t.Errorf("got %q, want %q: the device is in maintenance, the own host is not", got, want)
		}
		time.Sleep(2 * time.Hour)
		w.take("192.0.2.7", linkDown)
		if got := len(w.envelopes()); got != 3 {
			t.Errorf("after the window: got %d messages, want 3", got)
		}
	})
}

func TestReloadKeepsAGoodPlanOnABadOne(t *testing.T) {
	bubble(t, testConfig(), func(w *world) {
		bad := testConfig()
		bad.CallHome.Profiles[0].Subscribe[0].Pattern = "("
		if err := w.agent.Reload(bad); callhome.KindOf(err) != callhome.KindInvalid {
			t.Errorf("got %v, want invalid", err)
		}
		w.take("192.0.2.7", fanDown)
		if got := len(w.envelopes()); got != 2 {
			t.Errorf("got %d messages by the old plan, want 2", got)
		}
	})
}

func TestOperatorsOrders(t *testing.T) {
	bubble(t, testConfig(), func(w *world) {
		ctx := w.t.Context()
		if _, err := w.agent.Test(ctx, TestOrder{Profile: "BACKEND", Text: "hello"}); err != nil {
			t.Error(err)
		}
		if _, err := w.agent.Send(ctx, SendOrder{Group: callhome.GroupInventory, Profile: "CiscoTAC-1"}); err != nil {
			t.Errorf("an inactive profile may be sent to: %v", err)
		}
		if _, err := w.agent.Send(ctx, SendOrder{Commands: "show version; show clock", Email: "me@ops.example", ServiceRequest: "SR-1", Device: "core-1"}); err != nil {
			t.Error(err)
		}
		if _, err := w.agent.Request(ctx, RequestOrder{Service: "output-analysis", Command: "show version", Profile: "backend", CCOID: "rita"}); err != nil {
			t.Error(err)
		}
		for name, err := range map[string]error{
			"unknown profile":     second(w.agent.Test(ctx, TestOrder{Profile: "nobody"})),
			"no profile":          second(w.agent.Test(ctx, TestOrder{})),
			"unknown device":      second(w.agent.Send(ctx, SendOrder{Group: callhome.GroupInventory, Device: "x"})),
			"group not on demand": second(w.agent.Send(ctx, SendOrder{Group: callhome.GroupSyslog})),
			"nowhere to":          second(w.agent.Send(ctx, SendOrder{Commands: "show version"})),
			"not a web address":   second(w.agent.Send(ctx, SendOrder{Commands: "show version", HTTP: "ftp://x.example"})),
			"not a mail address":  second(w.agent.Send(ctx, SendOrder{Commands: "show version", Email: "nobody"})),
			"unknown service":     second(w.agent.Request(ctx, RequestOrder{Service: "coffee"})),
		} {
			if err == nil {
				t.Errorf("%s: want an error", name)
			}
		}
		got := w.envelopes()
		if want := "backend edge-rtr-7, on-demand core-1, backend edge-rtr-7"; !strings.Contains(to(got)+", ", "on-demand core-1") || len(got) < 3 {
			t.Errorf("got %q, want at least %q", to(got), want)
		}
		ids := map[callhome.MessageID]bool{}
		for _, e := range got {
			if ids[e.MessageID] {
				t.Errorf("message ID %s is used twice", e.MessageID)
			}
			ids[e.MessageID] = true
		}
	})
}

func second[T any](_ T, err error) error { return err }

// A line that nobody wants costs no memory.
func TestNothingIsAllocatedForUnwantedLines(t *testing.T) {
	w := start(t, testConfig())
	defer w.stop()
	o := &intake.Origin{Source: callhome.SourceSyslog, ReceivedAt: time.Now(), Peer: netip.MustParseAddrPort("192.0.2.7:514")}
	for _, line := range []string{
		chatter,
		"<166>Jun 13 2026 21:07:15: %ASA-6-302014: Teardown TCP connection 77 for outside:192.0.2.9/443 to inside:198.51.100.7/50000 duration 0:00:30 bytes 512 TCP FINs",
		"<165>1 2026-06-13T21:07:15.454321Z h1 app 4711 ID47 - an ordinary message",
		"<30>Jun 13 21:07:15 h1 systemd[1]: Started session-4.scope",
		"<189>core-1: 2026 Jun 13 21:07:15 UTC: %ETHPORT-5-IF_UP: Interface Ethernet1/33 is up in mode trunk",
	} {
		raw := []byte(line)
		if n := testing.AllocsPerRun(200, func() { _ = w.agent.Take(context.Background(), raw, o) }); n != 0 {
			t.Errorf("%.1f allocations for %s", n, line)
		}
	}
}

func BenchmarkTakeUnwanted(b *testing.B) {
	cfg := testConfig()
	for i := range 1000 {
		cfg.CallHome.Profiles[0].Subscribe = append(cfg.CallHome.Profiles[0].Subscribe, callhome.Subscription{
			Group: callhome.GroupSyslog, Severity: level(callhome.LevelDebugging), Pattern: fmt.Sprintf("%%FAC%d-[0-4]-", i),
		})
	}
	a, err := New(cfg, Parts{})
	if err != nil {
		b.Fatal(err)
	}
	o := &intake.Origin{Source: callhome.SourceSyslog, ReceivedAt: time.Now(), Peer: netip.MustParseAddrPort("192.0.2.7:514")}
	raw := []byte("<189>29: core-1: *Jun 13 21:07:15.454: %SYS-5-CONFIG_I: Configured from console by vty0 (192.0.2.2)")
	b.ReportAllocs()
	for b.Loop() {
		_ = a.Take(context.Background(), raw, o)
	}
}

// bodies joins what envelopes carry.
func bodies(envelopes []callhome.Envelope) string {
	var out []string
	for _, e := range envelopes {
		out = append(out, string(e.Body))
	}
	return strings.Join(out, "\n----\n")
}

func TestPagersReadWords(t *testing.T) {
	cfg := testConfig()
	cfg.CallHome.Profiles[1].Subscribe = []callhome.Subscription{{Group: callhome.GroupSyslog, Severity: level(callhome.LevelMinor)}}
	bubble(t, cfg, func(w *world) {
		for line, want := range map[string]string{
			"<3>Nov 22 00:27:58 edge-rtr-7 kernel: EXT4-fs error (device sda1): checksum invalid": "EXT4-fs error (device sda1): checksum invalid",
			linkDown: "Interface GigabitEthernet0/1, changed state to down",
			linkUp:   "Cleared: Interface GigabitEthernet0/1, changed state to up",
			"<186>41: edge-rtr-7: Jun 13 2026 21:07:15.454 UTC : %UC_RTMT-2-RTMT_ALERT: %[AlertName=CPUPegging][AlertDetail= Load is 97 %][AppID=Cisco AMC Service][ClusterID=][NodeID=edge-rtr-7]: RTMT Alert": "CPUPegging: Load is 97 %",
		} {
			before := len(w.envelopes())
			if line == linkUp {
				w.take("192.0.2.7", linkDown)
			}
			w.take("192.0.2.7", line)
			if got := bodies(w.envelopes()[before:]); !strings.Contains(got, "): "+want) {
				t.Errorf("%s: a pager must read %q: got %s", line, want, got)
			}
			time.Sleep(48 * time.Hour) // repeats are told again
		}
	})
}

func TestAClosedProfileGetsNothingMore(t *testing.T) {
	bubble(t, testConfig(), func(w *world) {
		p := w.agent.plan.Load()
		alert := callhome.Alert{Profiles: []callhome.ProfileName{"backend"}}
		if got := p.closed("backend", &alert); got != "" {
			t.Errorf("an active profile: got %q", got)
		}
		cfg := testConfig()
		cfg.CallHome.Profiles[0].Active = false
		if err := w.agent.Reload(cfg); err != nil {
			t.Fatal(err)
		}
		p = w.agent.plan.Load()
		if got := p.closed("backend", &alert); got != callhome.ReasonProfileInactive {
			t.Errorf("a profile switched off: got %q", got)
		}
		alert.Source = callhome.SourceOperator
		if got := p.closed("backend", &alert); got != "" {
			t.Errorf("an operator's order goes to an inactive profile: got %q", got)
		}
	})
}
