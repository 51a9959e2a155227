package agent

import (
	"context"
	"fmt"
	"net/netip"
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
	for _, m := range j.assembler.Flush(nil) {
		if len(m.Missing) == 0 {
			t.Errorf("joined over two ways: %q", m.Record.Text)
		}
	}
}
