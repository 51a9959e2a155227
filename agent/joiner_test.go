package agent

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"callhome"
	"callhome/agent/intake"
	"callhome/codec/syslog"
	"callhome/outbox"
	"callhome/outbox/outboxtest"
)

func partOf3(n int) []byte {
	return fmt.Appendf(nil, "<187>%d: edge-rtr-7: Jun 13 2026 21:07:15.454 +0000: %%EDGE-3-TRACE: %%[part=40.%d/3][pname.orig=edged]: text %d", 39+n, n, n)
}

func TestPartsOfAFileWaitUntilTheirMessageIsDurable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &outboxtest.Hostile{Store: outboxtest.NewMemory()}
		w := startOn(t, testConfig(), store, nil)
		defer w.stop()
		o := func() *intake.Origin {
			return &intake.Origin{Source: callhome.SourceLogfile, Name: "/var/log/edge", ReceivedAt: time.Now()}
		}
		for n := 1; n < 3; n++ {
			if err := w.agent.Take(t.Context(), partOf3(n), o()); err != nil {
				t.Fatal(err)
			}
		}
		store.FailWrites(func(int, *outbox.Batch) error { return outboxtest.ErrDiskFull })
		taken := make(chan error, 1)
		go func() { taken <- w.agent.Take(t.Context(), partOf3(3), o()) }()
		time.Sleep(time.Minute)
		select {
		case err := <-taken:
			t.Fatalf("taken (%v) while the disk was full", err)
		default:
		}
		store.FailWrites(nil)
		if err := <-taken; err != nil {
			t.Fatal(err)
		}
		if got := len(w.envelopes()); got != 1 {
			t.Errorf("got %d messages, want one", got)
		}
		if n := w.agent.stats.eventsOf(callhome.SourceLogfile); n != 1 {
			t.Errorf("%d events of files are counted, want 1", n)
		}
	})
}

func TestAJoinedMessageHasTheOriginOfItsParts(t *testing.T) {
	at := time.Date(2026, 6, 13, 21, 7, 16, 0, time.UTC)
	for _, o := range []intake.Origin{
		{Source: callhome.SourceSyslog, Transport: "udp", Peer: netip.MustParseAddrPort("192.0.2.7:0")},
		{Source: callhome.SourceSyslog, Transport: "tls", Peer: netip.MustParseAddrPort("[2001:db8::7]:0"), Secure: true},
		{Source: callhome.SourceLogfile},
		{Source: callhome.SourceJournald},
	} {
		got := originBy(wayOf(&o))
		if diff := cmp.Diff(o, *got, cmpopts.EquateComparable(netip.AddrPort{})); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", o, diff)
		}
	}
	if got := originBy("no way"); got.Peer.IsValid() || got.Secure {
		t.Errorf("got %+v", got)
	}
	// A stranger by UDP cannot complete what a sender with a certificate began.
	j := newJoiner(nil)
	for n, secure := range []bool{true, true, false} {
		o := &intake.Origin{Source: callhome.SourceSyslog, Transport: "udp", Secure: secure, Peer: netip.MustParseAddrPort("192.0.2.7:514"), ReceivedAt: at}
		var l syslog.Line
		strangerParser.Parse(partOf3(n+1), at, &l)
		if ok, err := j.take(context.Background(), o, &l); !ok || err != nil {
			t.Fatalf("part %d: %v, %v", n+1, ok, err)
		}
	}
	for _, m := range j.pieces.parts.Flush(nil) {
		if len(m.Missing) == 0 {
			t.Errorf("joined over two ways: %q", m.Record.Text)
		}
	}
}

// segmentOf3 is a segment, from 0, of message m of an ISE node whose disk is full.
func segmentOf3(m, n int) string {
	text := [3]string{
		"2026-06-13 23:07:15.454 +02:00 0042 60115 FATAL System-Management: Node is out of disk, A=1,", " B=2, C", "=3",
	}[n]
	return fmt.Sprintf("<176>Jun 13 21:07:15 ise-1 CISE_System_Diagnostics %010d 3 %d %s", m, n, text)
}

// TestPartsAndSegmentsInterleaved has parts of CiscoLog and segments of ISE come mixed, lost and late.
func TestPartsAndSegmentsInterleaved(t *testing.T) {
	cfg := testConfig()
	bubble(t, cfg, func(w *world) {
		texts := func() (out []string) {
			synctest.Wait()
			for _, e := range w.envelopes() {
				if e.Profile == "backend" {
					out = append(out, string(e.Body))
				}
			}
			slices.Sort(out) // two devices are worked on side by side
			return out
		}
		has := func(texts []string, want string) bool {
			return slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(s, want) })
		}
		take := func(lines ...string) {
			for _, l := range lines {
				w.take("192.0.2.31", l)
			}
		}
		take(segmentOf3(1, 2), string(partOf3(1)), segmentOf3(2, 0), segmentOf3(1, 0), string(partOf3(3)), segmentOf3(1, 2))
		if got := texts(); len(got) != 0 {
			t.Fatalf("told before a message was whole: %q", got)
		}
		take(segmentOf3(1, 1), string(partOf3(2)))
		got := texts()
		if len(got) != 2 || !has(got, "A=1, B=2, C=3") || !has(got, "text 1\ntext 2\ntext 3") {
			t.Fatalf("got %d messages: %q", len(got), got)
		}
		time.Sleep(time.Minute) // segments 1 and 2 of the second message are lost
		got = texts()
		if len(got) != 3 || !has(got, "A=1,\n[segments missing: [1 2] of 0 to 2]") {
			t.Fatalf("got %d messages: %q", len(got), got)
		}
		take(segmentOf3(2, 2)) // late: told by itself, not swallowed
		time.Sleep(time.Minute)
		st, err := w.agent.Statistics(t.Context())
		if err != nil || st.Joined != 4 || st.Incomplete != 2 {
			t.Errorf("joined %d, incomplete %d, %v", st.Joined, st.Incomplete, err)
		}
	})
}

func TestASegmentThatDiffersStandsByItself(t *testing.T) {
	z := newPuzzle()
	var l syslog.Line
	for text, want := range map[string]bool{"=3": true, "another": false} {
		strangerParser.Parse([]byte(segmentOf3(1, 2)), time.Now(), &l)
		z.add("", &l, time.Now())
		line := strings.TrimSuffix(segmentOf3(1, 2), "=3") + text
		strangerParser.Parse([]byte(line), time.Now(), &l)
		if _, ok := z.add("", &l, time.Now()); ok != want {
			t.Errorf("%q kept: %v", text, ok)
		}
	}
}
