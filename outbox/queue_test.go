package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"callhome"
	"callhome/health"
	"callhome/outbox"
	"callhome/outbox/outboxtest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var post = callhome.Destination{Transport: callhome.TransportHTTP, Address: "https://backend.example/callhome"}

func alert(device, text string) callhome.Alert {
	return callhome.Alert{Event: callhome.Event{Device: device, Text: text}, Group: callhome.GroupSyslog, Profiles: []callhome.ProfileName{"noc"}}
}

func envelope(n int, device string) callhome.Envelope {
	return callhome.Envelope{
		MessageID: callhome.MessageID(fmt.Sprintf("M%d:QXA2613K0PZ:69B52A1D", n)), Device: device, Profile: "noc",
		Group: callhome.GroupSyslog, Destination: post, Body: []byte(fmt.Sprint("body ", n)),
	}
}

type rig struct {
	*outbox.Queue
	store   *outboxtest.Hostile
	health  *health.Registry
	metrics *prometheus.Registry
}

// open gives a queue on a hostile store in memory that obeys until it is told otherwise.
func open(t *testing.T, change func(*outbox.Config)) *rig {
	t.Helper()
	r := &rig{store: &outboxtest.Hostile{Store: outboxtest.NewMemory()}, health: health.New(), metrics: prometheus.NewRegistry()}
	cfg := outbox.DefaultConfig()
	if change != nil {
		change(&cfg)
	}
	var err error
	if r.Queue, err = outbox.Open(t.Context(), r.store, outbox.Options{Config: cfg, Health: r.health, Metrics: r.metrics}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.store.FailWrites(nil)
		r.store.FailReads(nil)
		if err := r.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return r
}

func full(int, *outbox.Batch) error { return outboxtest.ErrDiskFull }

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func lease(t *testing.T, q *outbox.Queue, n int) *outbox.Lease {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	l, err := q.Lease(ctx, outbox.Limits{Entries: n})
	check(t, err)
	return l
}

// nothingToLease waits a little in the bubble's time.
func nothingToLease(t *testing.T, q *outbox.Queue, d time.Duration, lim outbox.Limits) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	if l, err := q.Lease(ctx, lim); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("leased %+v (%v), want nothing", l, err)
	}
}

func TestCallersShareCommits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, nil)
		const sync5ms = 5 * time.Millisecond
		r.store.SlowDisk(sync5ms)
		begun := time.Now()
		check(t, r.PutAlert(t.Context(), alert("a", "alone")))
		if took := time.Since(begun); took != sync5ms {
			t.Errorf("a put on an idle queue took %v, want one sync", took)
		}
		var slowest atomic.Int64
		begun = time.Now()
		var wg sync.WaitGroup
		for i := range 400 {
			wg.Go(func() {
				if err := r.PutAlert(t.Context(), alert(fmt.Sprint(i), "together")); err != nil {
					t.Error(err)
				}
				slowest.Store(max(slowest.Load(), int64(time.Since(begun))))
			})
		}
		wg.Wait()
		if got := time.Duration(slowest.Load()); got > 3*sync5ms {
			t.Errorf("the slowest of 400 callers waited %v, want at most three syncs", got)
		}
		if n := len(r.store.Batches()); n > 4 {
			t.Errorf("401 alerts took %d transactions, want at most 4", n)
		}
	})
}

func TestDiskFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, nil)
		check(t, r.PutAlert(t.Context(), alert("a", "before")))
		check(t, r.Put(t.Context(), envelope(1, "a")))
		p, err := r.NextAlert(t.Context())
		check(t, err)
		l := lease(t, r.Queue, 1)
		l.Delivered(0)

		r.store.FailWrites(full)
		err = r.PutAlert(t.Context(), alert("b", "refused"))
		if callhome.KindOf(err) != callhome.KindUnavailable || errors.Is(err, outbox.ErrFull) || !strings.Contains(err.Error(), "disk is full") {
			t.Errorf("put: got %v, want unavailable and the reason", err)
		}
		if s := r.health.Snapshot()[0]; s.Well || !strings.Contains(s.Reason, "disk is full") {
			t.Errorf("health: %+v, want unwell", s)
		}
		fell := r.health.Snapshot()[0].Since
		results := make(chan error, 2)
		go func() { results <- r.Settle(context.Background(), l) }()
		go func() {
			results <- r.Retire(context.Background(), p.Alert.ID, []callhome.Envelope{envelope(2, "")}, nil)
		}()
		time.Sleep(10 * time.Minute)
		select {
		case err := <-results:
			t.Fatalf("a result was given up: %v", err)
		default:
		}
		nothingToLease(t, r.Queue, time.Minute, outbox.Limits{}) // the lane is not given out again
		if s := r.health.Snapshot()[0]; !s.Since.Equal(fell) {
			t.Errorf("health restarted its clock: %v, want %v", s.Since, fell)
		}

		r.store.FailWrites(nil)
		check(t, <-results)
		check(t, <-results)
		if !r.health.Well() {
			t.Errorf("health after there is room again: %+v", r.health.Snapshot())
		}
		check(t, r.PutAlert(t.Context(), alert("b", "taken")))
		if got := string(lease(t, r.Queue, 5).Entries[0].Envelope.Body); got != "body 2" {
			t.Errorf("next: got %q, want what was retired meanwhile", got)
		}
	})
}

func TestFailsTheThirdTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, nil)
		r.store.FailWrites(func(call int, _ *outbox.Batch) error {
			if call%3 == 0 {
				return outboxtest.ErrDiskFull
			}
			return nil
		})
		acked := 0
		for i := range 30 {
			if r.PutAlert(t.Context(), alert("a", fmt.Sprint(i))) == nil {
				acked++
			}
		}
		r.store.FailWrites(nil)
		d, err := r.Depth(t.Context())
		if err != nil || acked != 20 || d.Alerts != 20 {
			t.Errorf("acknowledged %d, stored %d (%v); want 20 of both", acked, d.Alerts, err)
		}
	})
}

func TestOneBadRequestHarmsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, nil)
		r.store.SlowDisk(time.Millisecond)
		r.store.FailWrites(func(_ int, b *outbox.Batch) error {
			for i := range b.Entries {
				if b.Entries[i].Envelope.Device == "bad" {
					return outboxtest.ErrBroken
				}
			}
			return nil
		})
		var good, bad atomic.Int64
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				device := "good"
				if i == 25 {
					device = "bad"
				}
				if err := r.Put(t.Context(), envelope(i, device)); err == nil {
					good.Add(1)
				} else if errors.Is(err, outboxtest.ErrBroken) && device == "bad" {
					bad.Add(1)
				}
			})
		}
		wg.Wait()
		if good.Load() != 49 || bad.Load() != 1 {
			t.Errorf("got %d stored and %d refused, want 49 and 1", good.Load(), bad.Load())
		}
	})
}

func TestQueueFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, func(c *outbox.Config) { c.MaxBytes = 16 << 20 })
		noise := make([]byte, 1<<20)
		for i := range noise {
			noise[i] = byte(i * i >> 3 * (i | 1) >> 7) // does not compress to nothing
		}
		e := envelope(1, "a")
		e.Body = noise
		var err error
		n := 0
		for ; err == nil && n < 10_000; n++ {
			err = r.Put(t.Context(), e)
		}
		if !errors.Is(err, outbox.ErrFull) || callhome.KindOf(err) != callhome.KindUnavailable {
			t.Fatalf("after %d puts: got %v, want ErrFull", n, err)
		}
		if !r.health.Well() {
			t.Error("a full queue is not a broken store")
		}
		d, err := r.Depth(t.Context())
		if check(t, err); d.EntryBytes > d.LimitBytes {
			t.Errorf("%d bytes stored, the limit is %d", d.EntryBytes, d.LimitBytes)
		}
		for {
			l := lease(t, r.Queue, 1000)
			for i := range l.Entries {
				l.Delivered(i)
			}
			check(t, r.Settle(t.Context(), l))
			if d, _ := r.Depth(t.Context()); d.Entries == 0 {
				break
			}
		}
		check(t, r.Put(t.Context(), e))
	})
}

func TestRecordDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, nil)
		drop := outbox.Outcome{Reason: callhome.ReasonRateLimited, Device: "a", Group: callhome.GroupSyslog, Profile: "noc"}
		r.RecordDropped(drop)
		cells := []outbox.Count{{Group: callhome.GroupSyslog, Status: outbox.StatusDropped, Reason: callhome.ReasonRateLimited, N: 1}}
		if diff := cmp.Diff(cells, r.Statistics().Counts); diff != "" {
			t.Errorf("counted at once (-want +got):\n%s", diff)
		}
		if n := len(r.store.Batches()); n != 0 {
			t.Errorf("a drop made %d transactions at once", n)
		}
		time.Sleep(2 * time.Second)
		lines, err := r.History(t.Context(), outbox.LedgerFilter{})
		if check(t, err); len(lines) != 1 || lines[0].Status != outbox.StatusDropped || lines[0].At.IsZero() {
			t.Errorf("after two seconds: %+v", lines)
		}
		// A storm: every drop is counted, the lines are bounded, and a full disk forgets no count.
		r.store.FailWrites(full)
		for range 10_000 {
			r.RecordDropped(drop)
		}
		time.Sleep(5 * time.Second)
		r.RecordDropped(drop)
		r.store.FailWrites(nil)
		time.Sleep(5 * time.Second)
		cells[0].N = 10_002
		if diff := cmp.Diff(cells, r.Statistics().Counts); diff != "" {
			t.Errorf("after a storm (-want +got):\n%s", diff)
		}
		lines, err = r.store.Ledger(t.Context(), outbox.LedgerFilter{Limit: 20_000})
		if check(t, err); len(lines) < 4000 || len(lines) > 4200 {
			t.Errorf("lines after a storm: got %d, want about 4096", len(lines))
		}
	})
}

func TestRecordedDropsSurviveClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := outboxtest.NewMemory()
		q, err := outbox.Open(t.Context(), store, outbox.Options{})
		check(t, err)
		q.RecordDropped(outbox.Outcome{Reason: callhome.ReasonDuplicate, Group: callhome.GroupSyslog})
		check(t, q.Close())
		if q, err = outbox.Open(t.Context(), store, outbox.Options{}); err != nil {
			t.Fatal(err)
		}
		defer q.Close()
		if c := q.Statistics().Counts; len(c) != 1 || c[0].N != 1 {
			t.Errorf("statistics after a restart: %+v", c)
		}
	})
}

func TestHistoryJoinsQueueAndLedger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, nil)
		check(t, r.PutAlert(t.Context(), alert("a", "x")))
		p, err := r.NextAlert(t.Context())
		check(t, err)
		check(t, r.Retire(t.Context(), p.Alert.ID, []callhome.Envelope{envelope(1, "wrong"), envelope(2, "")},
			[]outbox.Outcome{{Status: outbox.StatusDropped, Reason: callhome.ReasonPrivacy, Profile: "anonymous", Group: callhome.GroupSyslog, MessageID: "M3"}}))
		time.Sleep(time.Second)
		l := lease(t, r.Queue, 1)
		l.Delivered(0)
		check(t, r.Settle(t.Context(), l))
		sentAt := time.Now()
		lines, err := r.History(t.Context(), outbox.LedgerFilter{})
		check(t, err)
		want := []outbox.Outcome{
			{Status: outbox.StatusSent, Reason: callhome.ReasonSent, MessageID: envelope(1, "").MessageID, Profile: "noc", Destination: post, Attempts: 1},
			{Status: outbox.StatusDropped, Reason: callhome.ReasonPrivacy, MessageID: "M3", Profile: "anonymous"},
			{Status: outbox.StatusQueued, MessageID: envelope(2, "").MessageID, Profile: "noc", Destination: post},
		}
		for i := range want {
			want[i].AlertID, want[i].Device, want[i].Group = p.Alert.ID, "a", callhome.GroupSyslog
		}
		if diff := cmp.Diff(want, lines, cmpopts.IgnoreFields(outbox.Outcome{}, "ID", "At", "QueuedAt")); diff != "" {
			t.Errorf("history (-want +got):\n%s", diff)
		}
		of, err := r.History(t.Context(), outbox.LedgerFilter{MessageID: envelope(2, "").MessageID})
		if err != nil || len(of) != 1 || of[0].Status != outbox.StatusQueued {
			t.Errorf("of one message: %+v (%v)", of, err)
		}
		if got := r.Statistics().LastSentAt; !got.Equal(sentAt.UTC().Truncate(time.Microsecond)) {
			t.Errorf("last sent: got %v, want %v", got, sentAt)
		}
	})
}

// TestOnceAndInOrder puts and delivers side by side, so that leases find entries in memory, in the store, and partly in
// both: each entry is handed out once, in the order of its lane.
func TestOnceAndInOrder(t *testing.T) {
	r := open(t, nil)
	const devices, each = 4, 1500
	var all sync.WaitGroup
	for d := range devices {
		all.Go(func() {
			for n := range each {
				e := envelope(n, fmt.Sprint("device-", d))
				e.Body = fmt.Append(nil, n)
				if err := r.Put(t.Context(), e); err != nil {
					t.Error(err)
				}
			}
		})
	}
	var mu sync.Mutex
	next, left := map[string]int{}, devices*each
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for w := range 3 {
		all.Go(func() {
			for turn := 0; ; turn++ {
				l, err := r.Lease(ctx, outbox.Limits{Entries: 1 + (w+turn)%5})
				if err != nil {
					return
				}
				mu.Lock()
				for i := range l.Entries {
					if turn%17 == 0 && i == 1 {
						break // the rest stays as it was
					}
					if got := string(l.Entries[i].Envelope.Body); got != fmt.Sprint(next[l.Device]) {
						t.Errorf("%s: got %s, want %d", l.Device, got, next[l.Device])
						cancel()
					}
					next[l.Device]++
					left--
					l.Delivered(i)
				}
				if left == 0 {
					cancel()
				}
				mu.Unlock()
				if err := r.Settle(t.Context(), l); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if left != 0 {
		t.Errorf("%d entries were not handed out: %v", left, next)
	}
	if d, err := r.Depth(t.Context()); err != nil || d.Entries != 0 {
		t.Errorf("depth %+v (%v), want nothing", d, err)
	}
}
