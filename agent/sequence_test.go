package agent

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"callhome"
	"callhome/agent/intake"
	"callhome/codec/syslog"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
)

func iosLine(counter int, host string) string {
	return fmt.Sprintf("<189>%d: %s: Jun 13 2026 21:07:15.454 UTC: %%SYS-5-CONFIG_I: Configured from console", counter, host)
}

func TestGapsInTheNumbersOfLines(t *testing.T) {
	bubble(t, testConfig(), func(w *world) {
		at := time.Now().Add(time.Second)
		// A configured device: 305 and 306 are lost, 309 is overtaken, and the device starts again.
		for _, n := range []int{303, 304, 307, 308, 310, 309, 311, 2, 3} {
			w.take("192.0.2.7", iosLine(n, "core-1"))
		}
		// A stranger numbers everything that it logs, sent or not.
		for _, n := range []string{"000101", "000102", "000110"} {
			w.take("192.0.2.99", fmt.Sprintf("<189>%s: lab-9: Jun 13 2026 21:07:15.454 UTC: %%SYS-5-CONFIG_I: x", n))
		}
		// Two processes of one host count apart; the third does not say which process it is.
		for _, l := range []string{"5 a", "70 b", "6 a", "71 b", "9 a", "72 b"} {
			n, process, _ := strings.Cut(l, " ")
			w.take("192.0.2.50", fmt.Sprintf("<187>%s: gw-1: Jun 13 2026 21:07:15.454 +0000: %%TOLL-3-DEBUG: %%[pname.orig=%s]: x", n, process))
		}
		// Not numbers of messages.
		for _, n := range []int{1, 9, 100} {
			w.take("192.0.2.60", fmt.Sprintf(`<165>1 2026-06-13T21:07:15Z h app %d ID - text`, n))
		}
		want := []Sequence{
			{Device: "core-1", Missed: 3, Late: 1, Gaps: 2, Restarts: 1},
			{Device: "gw-1", Missed: 2, Gaps: 1},
			{Device: "lab-9", Missed: 7, Hinted: 7, Gaps: 1},
		}
		st, err := w.agent.Statistics(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for i := range st.Sequences {
			if s := &st.Sequences[i]; s.Last.IsZero() || s.Last.After(at) {
				t.Errorf("%s: last %v", s.Device, s.Last)
			} else {
				s.Last = time.Time{}
			}
		}
		if diff := cmp.Diff(want, st.Sequences); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		reg := prometheus.NewRegistry()
		if err := w.agent.metrics.register(reg, w.agent); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]float64{"missed": 12, "hinted": 7, "late": 1, "restarts": 1} {
			if got := metric(t, reg, "callhome_agent_sequence_"+name+"_total"); got != want {
				t.Errorf("%s: got %v, want %v", name, got, want)
			}
		}
		// One notice for all of it, and none while nothing else happens.
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if got := strings.Count(w.log.String(), "numbers of lines are missing"); got != 1 || !strings.Contains(w.log.String(), "lines=11 devices=3 device=lab-9") {
			t.Errorf("%d notices:\n%s", got, w.log.String())
		}
		w.take("192.0.2.7", iosLine(30, "core-1"))
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if got := strings.Count(w.log.String(), "numbers of lines are missing"); got != 1 {
			t.Errorf("%d notices within a minute", got)
		}
		cfg := testConfig()
		cfg.CallHome.Contact.Name = "Somebody Else"
		if err := w.agent.Reload(cfg); err != nil {
			t.Fatal(err)
		}
		w.take("192.0.2.7", iosLine(31, "core-1")) // the next, also after a reload
		time.Sleep(time.Minute)
		synctest.Wait()
		if !strings.Contains(w.log.String(), "lines=26 devices=1 device=core-1") {
			t.Errorf("no notice of the last gap:\n%s", w.log.String())
		}
	})
}

// metric reads one counter.
func metric(t *testing.T, reg *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Errorf("no metric %s", name)
	return 0
}

// nobody is a configuration without devices.
var nobody = newDeviceIndex(Device{Hostname: "own"}, nil, nil)

func TestSequencesAreBounded(t *testing.T) {
	s := newSequences()
	o := &intake.Origin{Source: callhome.SourceSyslog, ReceivedAt: time.Now(), Peer: netip.MustParseAddrPort("192.0.2.1:514")}
	var l syslog.Line
	for i := range 2 * maxDisturbed {
		for _, n := range []int{1, 5} {
			strangerParser.Parse([]byte(iosLine(n, fmt.Sprintf("host-%d", i))), o.ReceivedAt, &l)
			s.observe(nil, o, &l)
		}
	}
	if n := len(s.list(nobody)); n != maxDisturbed || len(s.devices) != maxDisturbed {
		t.Errorf("%d devices are remembered", n)
	}
	if s.missed.Load() != 2*maxDisturbed*3 {
		t.Errorf("%d lines missed", s.missed.Load())
	}
}

func TestLinesWithoutAHostAreKeptByTheirAddress(t *testing.T) {
	s := newSequences()
	var l syslog.Line
	for _, n := range []int{1, 2, 5} {
		for _, peer := range []string{"192.0.2.1:514", "[2001:db8::1]:514"} {
			o := &intake.Origin{ReceivedAt: time.Now(), Peer: netip.MustParseAddrPort(peer)}
			strangerParser.Parse(fmt.Appendf(nil, "<189>%d: Jun 13 2026 21:07:15.454 UTC: %%SYS-5-CONFIG_I: x", n), o.ReceivedAt, &l)
			s.observe(nil, o, &l)
		}
	}
	got := s.list(nobody)
	if len(got) != 2 || got[0].Device != "192.0.2.1" || got[1].Device != "2001:db8::1" || got[0].Missed != 2 || got[1].Missed != 2 {
		t.Errorf("got %+v", got)
	}
}

func TestObserveAllocatesNothing(t *testing.T) {
	s := newSequences()
	o := &intake.Origin{ReceivedAt: time.Now(), Peer: netip.MustParseAddrPort("192.0.2.1:514")}
	var l syslog.Line
	strangerParser.Parse([]byte(iosLine(1, "core-1")), o.ReceivedAt, &l)
	if n := testing.AllocsPerRun(100, func() { l.Counter += 2; s.observe(nil, o, &l) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkObserve(b *testing.B) {
	for name, t := range map[string]*target{"stranger": nil, "device": nobody.own} {
		b.Run(name, func(b *testing.B) { benchObserve(b, t) })
	}
}

func benchObserve(b *testing.B, t *target) {
	s := newSequences()
	o := &intake.Origin{ReceivedAt: time.Now(), Peer: netip.MustParseAddrPort("192.0.2.1:514")}
	var l syslog.Line
	strangerParser.Parse([]byte(iosLine(1, "core-1")), o.ReceivedAt, &l)
	for b.Loop() {
		l.Counter = (l.Counter + 1) % (1 << 32)
		s.observe(t, o, &l)
	}
}
