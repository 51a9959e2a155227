package spool_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"callhome"
	"callhome/outbox"
	"callhome/outbox/spool"
)

// body is 8 KiB of something like the output of show commands.
func body(seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	var b bytes.Buffer
	for b.Len() < 8<<10 {
		fmt.Fprintf(&b, "GigabitEthernet0/%d/%d is up, line protocol is up, %d packets input, %d bytes, %d no buffer\n",
			r.IntN(4), r.IntN(48), r.Uint32(), r.Uint64(), r.IntN(100))
	}
	return b.Bytes()[:8<<10]
}

var bodies = func() (out [64][]byte) {
	for i := range out {
		out[i] = body(uint64(i))
	}
	return out
}()

var benchDest = callhome.Destination{Transport: callhome.TransportHTTP, Address: "https://backend.example/callhome"}

func envelope(i int) callhome.Envelope {
	return callhome.Envelope{
		MessageID: callhome.MessageID(fmt.Sprintf("M%d:QXA2613K0PZ:69B52A1D", i)), Device: fmt.Sprintf("router-%d", i%200), Profile: "noc",
		Group: callhome.GroupSyslog, Format: callhome.FormatXML, Destination: benchDest, ContentType: "text/xml", Body: bodies[i%len(bodies)],
	}
}

func alert(i int) callhome.Alert {
	return callhome.Alert{
		Event: callhome.Event{Device: fmt.Sprintf("router-%d", i%200), Text: string(bodies[i%len(bodies)]), ReceivedAt: time.Unix(int64(i), 0)},
		Group: callhome.GroupSyslog, Profiles: []callhome.ProfileName{"noc"},
	}
}

func openQueue(t testing.TB, path string) *outbox.Queue {
	t.Helper()
	_, q, err := openPlain(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close() })
	return q
}

func openPlain(path string) (*spool.Store, *outbox.Queue, error) {
	s, err := spool.Open(context.Background(), path, spool.Options{})
	if err != nil {
		return nil, nil, err
	}
	cfg := outbox.DefaultConfig()
	cfg.MaxBytes = 64 << 30
	q, err := outbox.Open(context.Background(), s, outbox.Options{Config: cfg})
	return s, q, err
}

// many runs f b.N times on so many goroutines.
func many(b *testing.B, callers int, f func(i int) error) {
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for range callers {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				if err := f(int(i)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msgs/s")
}

func BenchmarkPut(b *testing.B) {
	for _, callers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("envelope/%d", callers), func(b *testing.B) {
			q := openQueue(b, filepath.Join(b.TempDir(), "outbox.db"))
			many(b, callers, func(i int) error { return q.Put(context.Background(), envelope(i)) })
		})
		b.Run(fmt.Sprintf("alert/%d", callers), func(b *testing.B) {
			q := openQueue(b, filepath.Join(b.TempDir(), "outbox.db"))
			many(b, callers, func(i int) error { return q.PutAlert(context.Background(), alert(i)) })
		})
	}
}

// drain leases and settles until n entries are delivered.
func drain(q *outbox.Queue, workers, n int) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var left atomic.Int64
	left.Store(int64(n))
	errs := make(chan error, workers)
	for range workers {
		go func() {
			for {
				l, err := q.Lease(ctx, outbox.Limits{})
				if err != nil {
					if ctx.Err() != nil {
						err = nil
					}
					errs <- err
					return
				}
				for i := range l.Entries {
					l.Delivered(i)
				}
				if err := q.Settle(context.Background(), l); err != nil {
					errs <- err
					return
				}
				if left.Add(-int64(len(l.Entries))) <= 0 {
					cancel()
				}
			}
		}()
	}
	var err error
	for range workers {
		err = errors.Join(err, <-errs)
	}
	return err
}

// BenchmarkThrough is put, lease and delivered with a sender that does nothing.
func BenchmarkThrough(b *testing.B) {
	for _, backlog := range []int{0, 10_000, 100_000} {
		if backlog > 10_000 && testing.Short() {
			continue
		}
		b.Run(fmt.Sprintf("queued=%d", backlog), func(b *testing.B) {
			q := openQueue(b, filepath.Join(b.TempDir(), "outbox.db"))
			fillQueue(b, q, backlog)
			done := make(chan error, 1)
			b.ResetTimer()
			go func() { done <- drain(q, 8, b.N) }()
			many(b, 32, func(i int) error { return q.Put(context.Background(), envelope(i)) })
			if err := <-done; err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msgs/s")
		})
	}
}

func fillQueue(b testing.TB, q *outbox.Queue, n int) {
	b.Helper()
	var wg sync.WaitGroup
	for c := range 8 {
		wg.Go(func() {
			var batch []callhome.Envelope
			for i := c; i < n; i += 8 {
				if batch = append(batch, envelope(i)); len(batch) == 100 || i+8 >= n {
					if err := q.Put(context.Background(), batch...); err != nil {
						b.Error(err)
					}
					batch = batch[:0]
				}
			}
		})
	}
	wg.Wait()
}

// BenchmarkAlertThrough is the whole life of an alert: put, collected by nothing, retired with one envelope, delivered.
func BenchmarkAlertThrough(b *testing.B) {
	q := openQueue(b, filepath.Join(b.TempDir(), "outbox.db"))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for range 16 {
		go func() {
			for {
				p, err := q.NextAlert(ctx)
				if err != nil {
					return
				}
				e := envelope(int(p.MessageNumber("noc")))
				if err := q.Retire(ctx, p.Alert.ID, []callhome.Envelope{e}, nil); err != nil {
					return
				}
			}
		}()
	}
	done := make(chan error, 1)
	b.ResetTimer()
	go func() { done <- drain(q, 8, b.N) }()
	many(b, 32, func(i int) error { return q.PutAlert(context.Background(), alert(i)) })
	if err := <-done; err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msgs/s")
}

// TestFootprint holds memory and disk to what a long queue may cost: nothing in memory for an entry, less than half of
// the payload on disk.
func TestFootprint(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.db")
	q := openQueue(t, path)
	const n = 5_000
	fillQueue(t, q, n)
	small := heap()
	fillQueue(t, q, n)
	large := heap()
	disk := int64(0)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if info, err := os.Stat(path + suffix); err == nil {
			disk += info.Size()
		}
	}
	ratio := float64(disk) / float64(2*n*8<<10)
	t.Logf("heap with %d messages %d KiB, with %d %d KiB; disk %.2f of the payload", n, small>>10, 2*n, large>>10, ratio)
	if large > small+small/5+1<<20 {
		t.Errorf("memory grew from %d to %d KiB while the queue doubled", small>>10, large>>10)
	}
	if ratio > 0.6 {
		t.Errorf("disk: got %.2f of the payload, want at most 0.6", ratio)
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// BenchmarkStart opens a spool with 10,000 messages queued.
func BenchmarkStart(b *testing.B) {
	path := filepath.Join(b.TempDir(), "outbox.db")
	_, q, err := openPlain(path)
	if err != nil {
		b.Fatal(err)
	}
	fillQueue(b, q, 10_000)
	if err := q.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		_, q, err := openPlain(path)
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := q.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
