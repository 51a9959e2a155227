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
	"github.com/prometheus/client_golang/prometheus/testutil"
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

func TestHoldAndResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, nil)
		for i := range 5 {
			check(t, r.Put(t.Context(), envelope(i, fmt.Sprint(i))))
		}
		r.Hold(post, time.Now().Add(time.Hour))
		nothingToLease(t, r.Queue, 3570*time.Second, outbox.Limits{})
		l := lease(t, r.Queue, 9) // waits the last half minute
		nothingToLease(t, r.Queue, time.Hour, outbox.Limits{})
		l.RetryAt(0, time.Now().Add(24*time.Hour), errors.New("still down"))
		check(t, r.Settle(t.Context(), l))
		probe := lease(t, r.Queue, 9)
		probe.Delivered(0)
		r.Resume(post)
		check(t, r.Settle(t.Context(), probe))
		seen := map[string]bool{}
		for range 4 {
			seen[lease(t, r.Queue, 9).Device] = true
		}
		if len(seen) != 4 || !seen[l.Device] {
			t.Errorf("after Resume: leased %v, want all four, %q among them though its retry time is tomorrow", seen, l.Device)
		}
	})
}

func TestUnreadableStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, nil)
		check(t, r.Put(t.Context(), envelope(1, "a")))
		check(t, r.PutAlert(t.Context(), alert("a", "x")))
		r.store.FailReads(outboxtest.ErrDiskFull)
		got := make(chan string, 2)
		go func() {
			l, err := r.Lease(context.Background(), outbox.Limits{})
			if err == nil {
				l.Delivered(0)
				err = r.Settle(context.Background(), l)
			}
			got <- fmt.Sprint("lease ", err)
		}()
		go func() {
			_, err := r.NextAlert(context.Background())
			got <- fmt.Sprint("alert ", err)
		}()
		time.Sleep(time.Hour)
		if r.health.Well() {
			t.Error("health is well while nothing can be read")
		}
		r.store.FailReads(nil)
		for range 2 {
			if s := <-got; !strings.HasSuffix(s, "<nil>") {
				t.Errorf("after recovery: %s", s)
			}
		}
		if !r.health.Well() {
			t.Errorf("health after recovery: %+v", r.health.Snapshot())
		}
	})
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, nil)
		results := make(chan error, 2)
		go func() { _, err := r.Lease(context.Background(), outbox.Limits{}); results <- err }()
		go func() { _, err := r.NextAlert(context.Background()); results <- err }()
		synctest.Wait()
		check(t, r.Close())
		for range 2 {
			if err := <-results; !errors.Is(err, outbox.ErrClosed) {
				t.Errorf("who waits gets %v, want ErrClosed", err)
			}
		}
		if err := r.PutAlert(t.Context(), alert("a", "late")); !errors.Is(err, outbox.ErrClosed) || callhome.KindOf(err) != callhome.KindUnavailable {
			t.Errorf("put after close: got %v, want ErrClosed", err)
		}
		check(t, r.Close())
	})
}

func TestCloseWhileTheDiskIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, nil)
		check(t, r.Put(t.Context(), envelope(1, "a")))
		l := lease(t, r.Queue, 1)
		l.Delivered(0)
		r.store.FailWrites(full)
		result := make(chan error, 1)
		go func() { result <- r.Settle(context.Background(), l) }()
		time.Sleep(time.Minute)
		check(t, r.Close())
		if err := <-result; !errors.Is(err, outbox.ErrClosed) {
			t.Errorf("settle: got %v, want ErrClosed", err)
		}
		r.store.FailWrites(nil)
		q, err := outbox.Open(t.Context(), r.store, outbox.Options{})
		check(t, err)
		defer q.Close()
		if again := lease(t, q, 1); again.Entries[0].Envelope.MessageID != l.Entries[0].Envelope.MessageID {
			t.Errorf("after the restart: got %s, want the same message again", again.Entries[0].Envelope.MessageID)
		}
	})
}

func TestCallerGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, nil)
		r.store.SlowDisk(time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := r.PutAlert(ctx, alert("a", "x")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the deadline", err)
		}
		time.Sleep(2 * time.Minute)
		if d, err := r.Depth(t.Context()); err != nil || d.Alerts != 1 {
			t.Errorf("alerts: got %d (%v), want the one whose caller gave up", d.Alerts, err)
		}
	})
}

// TestMoreLanesThanRemembered has more devices than a road keeps in memory.
func TestMoreLanesThanRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, nil)
		const devices = 5000
		var batch []callhome.Envelope
		for n := range devices {
			batch = append(batch, envelope(n, fmt.Sprint("device-", n)))
		}
		check(t, r.Put(t.Context(), batch...))
		seen := map[string]bool{}
		var leases []*outbox.Lease
		for range devices {
			l := lease(t, r.Queue, 3)
			if seen[l.Device] {
				t.Fatalf("%s was leased twice", l.Device)
			}
			seen[l.Device] = true
			leases = append(leases, l)
		}
		nothingToLease(t, r.Queue, time.Second, outbox.Limits{})
		check(t, r.Settle(t.Context(), leases[7]))
		if l := lease(t, r.Queue, 3); l.Device != leases[7].Device {
			t.Errorf("got %s, want what was given back, %s", l.Device, leases[7].Device)
		}
	})
}

func TestDamagedBodyBecomesADeadLetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, nil)
		r.store.FailWrites(func(_ int, b *outbox.Batch) error {
			for i := range b.Entries {
				if b.Entries[i].Envelope.MessageID == envelope(2, "").MessageID {
					b.Entries[i].Packed = []byte{1, 0x28, 0xb5, 0x2f, 0xfd, 0xff} // says zstd, is none
				}
			}
			return nil
		})
		check(t, r.Put(t.Context(), envelope(1, "a"), envelope(2, "a"), envelope(3, "a")))
		for _, want := range []string{"body 1", "body 3"} {
			l := lease(t, r.Queue, 9)
			if len(l.Entries) != 1 || string(l.Entries[0].Envelope.Body) != want {
				t.Fatalf("got %d entries, the first %q, want %q alone", len(l.Entries), l.Entries[0].Envelope.Body, want)
			}
			l.Delivered(0)
			check(t, r.Settle(t.Context(), l))
		}
		dead, err := r.List(t.Context(), outbox.Filter{Status: outbox.StatusDead})
		if err != nil || len(dead) != 1 || !strings.Contains(dead[0].LastError, "cannot be read") {
			t.Errorf("dead letters: %+v (%v)", dead, err)
		}
	})
}

func TestTidyKeepsTheLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, func(c *outbox.Config) { c.LedgerKeep, c.DeadKeep, c.DeadMaxAge = 50, 10, 48*time.Hour })
		for n := range 30 {
			check(t, r.Put(t.Context(), envelope(n, "a")))
		}
		l := lease(t, r.Queue, 30)
		for i := range l.Entries {
			l.Dead(i, "", errors.New("no"))
		}
		check(t, r.Settle(t.Context(), l))
		for range 3000 {
			r.RecordDropped(outbox.Outcome{Reason: callhome.ReasonDuplicate})
		}
		time.Sleep(time.Hour)
		lines, err := r.store.Ledger(t.Context(), outbox.LedgerFilter{Limit: 5000})
		if check(t, err); len(lines) != 50 {
			t.Errorf("ledger: got %d lines, want 50", len(lines))
		}
		dead, err := r.List(t.Context(), outbox.Filter{Status: outbox.StatusDead})
		if check(t, err); len(dead) != 10 || dead[0].Envelope.MessageID != envelope(20, "").MessageID {
			t.Errorf("dead letters: got %d, the oldest %s; want the ten newest", len(dead), dead[0].Envelope.MessageID)
		}
		time.Sleep(48 * time.Hour)
		if d, err := r.Depth(t.Context()); err != nil || d.DeadLetters != 0 || d.DeadBytes != 0 {
			t.Errorf("after two days: %+v (%v), want no dead letters", d, err)
		}
	})
}

func TestShowAndUnknownEntries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, nil)
		e := envelope(1, "a")
		e.Body = []byte(strings.Repeat("show version\n", 1000))
		check(t, r.Put(t.Context(), e))
		got, err := r.Show(t.Context(), 1)
		if check(t, err); string(got.Envelope.Body) != string(e.Body) || got.Size != len(e.Body) || got.Stored >= got.Size/10 {
			t.Errorf("got %d bytes, size %d, stored %d", len(got.Envelope.Body), got.Size, got.Stored)
		}
		if _, err := r.Show(t.Context(), 9); callhome.KindOf(err) != callhome.KindNotFound {
			t.Errorf("show: got %v, want not found", err)
		}
		if err := r.Drop(t.Context(), 9, ""); callhome.KindOf(err) != callhome.KindNotFound {
			t.Errorf("drop: got %v, want not found", err)
		}
		for _, id := range []callhome.AlertID{"A1", "", "B1", "A99999999999999999999"} {
			if err := r.Retire(t.Context(), id, nil, nil); callhome.KindOf(err) != callhome.KindConflict {
				t.Errorf("retire %q: got %v, want a conflict", id, err)
			}
		}
	})
}

func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, nil)
		check(t, r.PutAlert(t.Context(), alert("a", "x")))
		check(t, r.Put(t.Context(), envelope(1, "a"), envelope(2, "a")))
		l := lease(t, r.Queue, 1)
		l.Delivered(0)
		check(t, r.Settle(t.Context(), l))
		want := `
# HELP callhome_outbox_messages What waits in the outbox: alerts, entries, dead letters.
# TYPE callhome_outbox_messages gauge
callhome_outbox_messages{state="alert"} 1
callhome_outbox_messages{state="dead_letter"} 0
callhome_outbox_messages{state="entry"} 1
# HELP callhome_outbox_outcomes_total What became of messages, since the store was made.
# TYPE callhome_outbox_outcomes_total counter
callhome_outbox_outcomes_total{alert_group="syslog",reason="sent",status="sent",transport="http"} 1
# HELP callhome_outbox_entries_accepted_total Envelopes made durable.
# TYPE callhome_outbox_entries_accepted_total counter
callhome_outbox_entries_accepted_total 2
`
		if err := testutil.GatherAndCompare(r.metrics, strings.NewReader(want), "callhome_outbox_messages", "callhome_outbox_outcomes_total", "callhome_outbox_entries_accepted_total"); err != nil {
			t.Error(err)
		}
	})
}

func TestValidateNamesEveryFault(t *testing.T) {
	good := outbox.DefaultConfig()
	if err := good.Validate(); err != nil {
		t.Errorf("the defaults: %v", err)
	}
	bad := outbox.Config{MaxBytes: 1}
	err := bad.Validate()
	for _, key := range []string{"queue.max_bytes", "queue.ledger_keep", "queue.ledger_max_age", "queue.dead_keep", "queue.dead_max_age"} {
		if err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s is not named in %v", key, err)
		}
	}
}
