package gatewaydrain

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"callhome"
	"callhome/codec/aml"
	"callhome/deliver"
	"callhome/deliver/httpsend"
	"callhome/gateway"
	"callhome/gateway/book"
	"callhome/outbox"
	"callhome/outbox/spool"
	"callhome/receive"
	"callhome/resolve"
	"callhome/trustpoint"
)

func message(b *testing.B, n int) []byte {
	b.Helper()
	level, serial := callhome.LevelMajor, fmt.Sprintf("FOX%d", n%1000)
	m := &callhome.Message{
		MessageID: callhome.MessageID(fmt.Sprintf("M%d:%s:51AEAC68", n, serial)), GroupID: fmt.Sprintf("G%d:%s:51AEAC68", n, serial), Type: "syslog",
		Name: "n", Description: fmt.Sprintf("message %d", n), DeviceID: callhome.MakeDeviceID("ASR1001", serial), Severity: &level, Model: "ASR1001",
		Serial: serial, SystemName: "rtr-" + serial, SourceID: "ASR1000", ContactEmail: "a@b.example", CustomerID: "c", SiteID: "s", ContractID: "k",
		Group:       callhome.GroupSyslog,
		Attachments: []callhome.Attachment{{Name: "show logging", Type: "inline", Encoding: "plain", Text: strings.Repeat(fmt.Sprintf("*Mar 14 09:26:53: %%LINK-3-UPDOWN: Interface Gi0/%d\n", n%48), 110)}},
	}
	m.EventTime, _ = aml.ParseTime("2026-03-14 09:26:53 GMT+00:00")
	v, _ := aml.VariantFor("ios")
	doc, err := aml.Append(nil, m, v)
	if err != nil {
		b.Fatal(err)
	}
	return doc
}

func check(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// BenchmarkBacklog takes a backlog of 8 KiB messages of 1,000 devices and lets it drain to an HTTP server that reads and
// forgets. Reported: messages a second in and out, KiB of heap while they wait.
func BenchmarkBacklog(b *testing.B) {
	backlog := 100_000
	if n, err := strconv.Atoi(os.Getenv("BACKLOG")); err == nil {
		backlog = n
	}
	for range b.N {
		once(b, backlog)
	}
}

func once(b *testing.B, backlog int) {
	ctx, cancel := context.WithCancel(b.Context())
	var got atomic.Int64
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		got.Add(1)
		w.WriteHeader(http.StatusOK)
	}))
	defer upstream.Close()
	dir := b.TempDir()
	store, err := spool.Open(ctx, filepath.Join(dir, "outbox.db"), spool.Options{})
	check(b, err)
	limits := outbox.DefaultConfig()
	limits.MaxBytes = 10 << 30
	queue, err := outbox.Open(ctx, store, outbox.Options{Config: limits})
	check(b, err)
	cfg := gateway.DefaultConfig()
	cfg.Registration = gateway.RegistrationNone
	seen, err := book.Open(ctx, filepath.Join(dir, "book.db"), cfg.BookLimits())
	check(b, err)
	resolver, err := resolve.New(resolve.DefaultConfig(), resolve.Source{}, resolve.Options{})
	check(b, err)
	trust, err := trustpoint.Load(nil, nil, nil)
	check(b, err)
	web, err := httpsend.New(httpsend.DefaultConfig(), httpsend.Deps{Dial: resolver.DialContext, TLS: trust.Client})
	check(b, err)
	g, err := gateway.New(ctx, cfg, gateway.Options{Queue: queue, Book: seen, Sender: web, Dir: dir})
	check(b, err)
	courier, err := deliver.New(deliver.DefaultConfig(), deliver.Options{Queue: queue, Senders: map[callhome.Transport]deliver.Sender{callhome.TransportHTTP: g}})
	check(b, err)
	var parts sync.WaitGroup
	for _, run := range []func(context.Context) error{g.Run, g.RunBook, courier.Run} {
		parts.Go(func() { _ = run(ctx) })
	}
	defer func() {
		cancel()
		parts.Wait()
		_ = queue.Close()
		_ = seen.Close()
		_ = web.Close()
	}()

	begun := time.Now()
	var next atomic.Int64
	var senders sync.WaitGroup
	for range 64 {
		senders.Go(func() {
			for n := next.Add(1); n <= int64(backlog); n = next.Add(1) {
				sub := &receive.Submission{Body: message(b, int(n)), Transport: callhome.TransportHTTP, ReceivedAt: time.Now()}
				if _, err := g.Accept(ctx, sub); err != nil {
					b.Errorf("message %d: %v", n, err)
					return
				}
			}
		})
	}
	senders.Wait()
	b.ReportMetric(float64(backlog)/time.Since(begun).Seconds(), "taken/s")
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.HeapInuse>>10), "KiB-heap")

	cfg.Upstream = []gateway.Upstream{{URL: upstream.URL}}
	begun = time.Now()
	check(b, g.Reload(cfg))
	for got.Load() < int64(backlog) {
		if b.Failed() || time.Since(begun) > 20*time.Minute {
			b.Fatalf("%d of %d left", got.Load(), backlog)
		}
		time.Sleep(10 * time.Millisecond)
	}
	b.ReportMetric(float64(backlog)/time.Since(begun).Seconds(), "drained/s")
}
