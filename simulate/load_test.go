package simulate_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"callhome"
	"callhome/codec/aml"
	"callhome/codec/syslog"
	"callhome/simulate"

	"github.com/google/go-cmp/cmp"
)

// slow is a way in simulated time: answers take a while, and every tenth message is refused.
type slow struct {
	took time.Duration
	mu   *sync.Mutex // guards seen
	seen map[uint64]int
}

func (s *slow) Send(ctx context.Context, _ *simulate.Device, n uint64, _ *rand.Rand) error {
	s.mu.Lock()
	s.seen[n]++
	nth := len(s.seen)
	s.mu.Unlock()
	select {
	case <-ctx.Done():
		return errors.New("stopped")
	case <-time.After(s.took):
	}
	if nth%10 == 0 {
		return errors.New("status 503")
	}
	return nil
}

func (s *slow) Close() error { return nil }

func run(t *testing.T, ctx context.Context, l simulate.Load, took time.Duration) (*simulate.Report, map[uint64]int) {
	t.Helper()
	way := &slow{took: took, mu: new(sync.Mutex), seen: map[uint64]int{}}
	l.Open = func() (simulate.Way, error) { return way, nil }
	r, err := l.Run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return r, way.seen
}

func TestLoadKeepsItsRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ticks := 0
		r, seen := run(t, t.Context(), simulate.Load{Devices: 10, Rate: 50, For: 10 * time.Second, Tick: func(int64, int64) { ticks++ }}, 100*time.Millisecond)
		if r.Sent < 495 || r.Sent > 505 || r.Lost != r.Sent/10 || r.Acknowledged+r.Lost != r.Sent || len(seen) != r.Sent {
			t.Errorf("got %d sent, %d acknowledged, %d lost, %d numbers; want about 500, a tenth of them lost", r.Sent, r.Acknowledged, r.Lost, len(seen))
		}
		if r.Latency.P50 < 98 || r.Latency.P50 > 102 || r.Latency.Max < 100 || r.Latency.Max > 101 {
			t.Errorf("got latencies %+v, want 100 ms", r.Latency)
		}
		if r.Rate < 44 || r.Rate > 46 || ticks != 5 {
			t.Errorf("got %v/s and %d ticks, want 45/s and 5", r.Rate, ticks)
		}
		for n, times := range seen {
			if times != 1 {
				t.Errorf("the number %d was used %d times", n, times)
			}
		}
	})
}

// A receiver that is too slow shows in the latency, which counts from when a message was due.
func TestLatencyCountsFromWhenAMessageWasDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := run(t, t.Context(), simulate.Load{Devices: 1, Rate: 10, For: 10 * time.Second}, 200*time.Millisecond)
		if r.Latency.Max < 4000 || r.Sent != 50 {
			t.Errorf("got %d sent and at most %v ms, want 50 and about 5 s", r.Sent, r.Latency.Max)
		}
	})
}

func TestInterruptedLoadReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		r, _ := run(t, ctx, simulate.Load{Devices: 4, For: time.Hour}, time.Minute)
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("it ended after %v, want 1s and 2s of grace", took)
		}
		if r.Sent != 4 || r.Reasons["stopped"] != 4 {
			t.Errorf("got %d sent, %v", r.Sent, r.Reasons)
		}
	})
}

func TestLoadRefuses(t *testing.T) {
	for _, l := range []simulate.Load{
		{Devices: 0, For: time.Second}, {Devices: 1 << 20, For: time.Second}, {Devices: 1, Rate: -1, For: time.Second},
		{Devices: 1, Rate: 1e9, For: time.Second}, {Devices: 1}, {Devices: 1, For: 10000 * time.Hour},
	} {
		if _, err := l.Run(t.Context()); err == nil {
			t.Errorf("%+v was not refused", l)
		}
	}
	want := errors.New("no")
	l := simulate.Load{Devices: 1, For: time.Second, Open: func() (simulate.Way, error) { return nil, want }}
	if _, err := l.Run(t.Context()); !errors.Is(err, want) {
		t.Errorf("got %v, want the reason why no way could be opened", err)
	}
}

// TestPosting has a receiver that acknowledges, refuses, lies and redirects in turn.
func TestPosting(t *testing.T) {
	var mu sync.Mutex
	ids, dialects := map[callhome.MessageID]int{}, map[string]bool{}
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	defer elsewhere.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		m, err := aml.Decode(body, aml.Options{})
		if err != nil {
			t.Errorf("a message cannot be read: %v", err)
			return
		}
		mu.Lock()
		ids[m.MessageID]++
		dialects[m.Dialect] = true
		n := len(ids)
		mu.Unlock()
		switch n % 5 {
		case 1:
			w.WriteHeader(http.StatusServiceUnavailable)
		case 2:
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		case 3:
			_, _ = w.Write(aml.AppendAck(nil, "M1:other:12345678", aml.ResultAccepted))
		default:
			_, _ = w.Write(aml.AppendAck(nil, m.MessageID, aml.ResultAccepted))
		}
	}))
	defer server.Close()
	open, err := simulate.Posting(server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	l := simulate.Load{Devices: 8, Rate: 200, For: 500 * time.Millisecond, Open: open}
	r, err := l.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Sent < 20 || len(ids) != r.Sent {
		t.Errorf("%d messages were sent with %d different IDs", r.Sent, len(ids))
	}
	for _, reason := range []string{"status 503", "status 307", "another message was acknowledged"} {
		if n := r.Reasons[reason]; n < r.Sent/5-1 || n > r.Sent/5+1 {
			t.Errorf("%d of %d were lost as %q, want a fifth", n, r.Sent, reason)
		}
	}
	if len(dialects) < 3 {
		t.Errorf("got the dialects %v, want those of several platforms", dialects)
	}
	server.Close()
	if r, err = l.Run(t.Context()); err != nil || r.Acknowledged != 0 || r.Lost != r.Sent || r.Reasons["connection refused"] != r.Lost {
		t.Errorf("with nobody there: got %+v, %v, want all lost as refused", r, err)
	}
}

func TestLoggingByTCP(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 10000)
	var readers sync.WaitGroup
	accepted := make(chan struct{})
	go func() {
		defer close(accepted)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			readers.Go(func() {
				defer conn.Close()
				for s := bufio.NewScanner(conn); s.Scan(); {
					lines <- s.Text()
				}
			})
		}
	}()
	open, err := simulate.Logging("tcp://" + listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	l := simulate.Load{Devices: 16, Rate: 500, For: 200 * time.Millisecond, Open: open, Blind: true}
	r, err := l.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	<-accepted
	readers.Wait()
	close(lines)
	n, seen := 0, map[string]bool{}
	for text := range lines {
		n++
		var line syslog.Line
		(&syslog.Parser{}).Parse([]byte(text), time.Now(), &line)
		if _, id, _ := strings.Cut(text, "[sim="); line.Dialect == syslog.Unknown || seen[id] {
			t.Errorf("%q is no log line, or its number was used before", text)
		} else {
			seen[id] = true
		}
	}
	if n == 0 || n != r.Acknowledged || r.Lost != 0 || !r.Blind {
		t.Errorf("%d lines arrived; the report says %+v", n, r)
	}
}

func TestTargets(t *testing.T) {
	for _, target := range []string{"ftp://x", "https://", "x.example", ""} {
		if _, err := simulate.Posting(target, nil); err == nil {
			t.Errorf("posting to %q was not refused", target)
		}
	}
	for _, target := range []string{"tls://x:1", "x.example", "", "udp://x"} {
		if _, err := simulate.Logging(target); err == nil {
			t.Errorf("logging to %q was not refused", target)
		}
	}
	for target, want := range map[string]bool{
		"http://127.0.0.1:80/x": true, "https://[::1]:8443/y": true, "http://localhost:1": true, "127.9.9.9:514": true, "udp://[::1]:514": true,
		"http://192.0.2.1/": false, "http://localhost.example/": false, "192.0.2.7:514": false, "backend:514": false, "http://127.0.0.1@x.example/": false,
		"https://127.0.0.1.example/": false, "": false,
	} {
		if got := simulate.Loopback(target); got != want {
			t.Errorf("Loopback(%q) = %v, want %v", target, got, want)
		}
	}
}

func TestReportPrints(t *testing.T) {
	var b strings.Builder
	r := simulate.Report{Devices: 8, Seconds: 10, Sent: 100, Acknowledged: 98, Lost: 2, Reasons: map[string]int{"status 503": 2}, RateAsked: 10, Rate: 9.8,
		Latency: simulate.Latency{P50: 1.5, P90: 2.25, P99: 30, Max: 1234.5}}
	if err := r.Print(&b); err != nil {
		t.Fatal(err)
	}
	want := "8 devices in 10.0 s: 100 sent, 98 acknowledged, 2 lost\n  lost:      2  status 503\n" +
		"rate 9.8/s (asked for 10/s); latency p50 1.5 ms, p90 2.25 ms, p99 30 ms, max 1234.5 ms\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if err := r.Print(broken{}); err == nil {
		t.Error("an error of writing was swallowed")
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, fmt.Errorf("broken") }
