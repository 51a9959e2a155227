package deliver_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"callhome"
	"callhome/deliver"
	"callhome/health"
	"callhome/outbox"
	"callhome/outbox/outboxtest"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	post = callhome.Destination{Transport: callhome.TransportHTTP, Address: "https://backend.example/callhome"}
	mail = callhome.Destination{Transport: callhome.TransportEmail, Address: "noc@ops.example"}
)

// hostile is a Sender that does what judge says, and remembers.
type hostile struct {
	mu    sync.Mutex // guards what follows
	judge func(ctx context.Context, e *callhome.Envelope, try int) error
	tries map[callhome.MessageID]int
	took  []callhome.MessageID // in the order of delivery
	times []time.Time          // of all tries
}

func (h *hostile) Send(ctx context.Context, e *callhome.Envelope) error {
	h.mu.Lock()
	if h.tries == nil {
		h.tries = map[callhome.MessageID]int{}
	}
	h.tries[e.MessageID]++
	h.times = append(h.times, time.Now())
	judge, try := h.judge, h.tries[e.MessageID]
	h.mu.Unlock()
	var err error
	if judge != nil {
		err = judge(ctx, e, try)
	}
	if err == nil {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.took = append(h.took, e.MessageID)
	}
	return err
}

func (h *hostile) become(judge func(ctx context.Context, e *callhome.Envelope, try int) error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.judge = judge
}

func (h *hostile) delivered() []callhome.MessageID {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]callhome.MessageID(nil), h.took...)
}

func (h *hostile) tried(id callhome.MessageID) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.tries[id]
}

func (h *hostile) all() []time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]time.Time(nil), h.times...)
}

// rig is a courier at work in a synctest bubble.
type rig struct {
	q       *outbox.Queue
	sender  *hostile
	health  *health.Registry
	metrics *prometheus.Registry
	log     *lines
	stop    func()
}

// lines is a log that a test reads.
type lines struct {
	mu   sync.Mutex // guards text
	text strings.Builder
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// start opens a queue on a store and sets a courier going until the test ends.
func start(t *testing.T, store outbox.Store, change func(*deliver.Config)) *rig {
	t.Helper()
	r := &rig{sender: &hostile{}, health: health.New(), metrics: prometheus.NewRegistry(), log: &lines{}}
	var err error
	if r.q, err = outbox.Open(t.Context(), store, outbox.Options{Health: r.health}); err != nil {
		t.Fatal(err)
	}
	cfg := deliver.DefaultConfig()
	if change != nil {
		change(&cfg)
	}
	c, err := deliver.New(cfg, deliver.Options{
		Queue: r.q, Health: r.health, Metrics: r.metrics, Log: slog.New(slog.NewTextHandler(r.log, nil)),
		Senders: map[callhome.Transport]deliver.Sender{callhome.TransportHTTP: r.sender, callhome.TransportEmail: r.sender},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		if err := r.q.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	t.Cleanup(r.stop)
	return r
}

func message(n int, device string, dest callhome.Destination) callhome.Envelope {
	return callhome.Envelope{
		MessageID: callhome.MessageID(fmt.Sprintf("M%d:QXA2613K0PZ:69B52A1D", n)), Device: device, Profile: "noc",
		Group: callhome.GroupEnvironment, Destination: dest, Body: []byte(fmt.Sprint("body ", n)),
	}
}

func (r *rig) put(t *testing.T, envelopes ...callhome.Envelope) {
	t.Helper()
	if err := r.q.Put(context.Background(), envelopes...); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) depth(t *testing.T) outbox.Depth {
	t.Helper()
	d, err := r.q.Depth(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func ids(ns ...int) (out []callhome.MessageID) {
	for _, n := range ns {
		out = append(out, message(n, "", post).MessageID)
	}
	return out
}

func TestOrderIsKeptWhenOneFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, outboxtest.NewMemory(), nil)
		r.sender.become(func(_ context.Context, e *callhome.Envelope, try int) error {
			if e.MessageID == ids(2)[0] && try <= 2 {
				return errors.New("connection reset")
			}
			return nil
		})
		r.put(t, message(1, "a", post), message(2, "a", post), message(3, "a", post), message(4, "b", post))
		synctest.Wait()
		if got, want := r.depth(t).Entries, int64(2); got != want {
			t.Errorf("waiting after the first failure: got %d, want %d (another device does not wait)", got, want)
		}
		time.Sleep(time.Minute)
		var a []callhome.MessageID
		for _, id := range r.sender.delivered() {
			if id != ids(4)[0] {
				a = append(a, id)
			}
		}
		if diff := cmp.Diff(ids(1, 2, 3), a); diff != "" {
			t.Errorf("order of a (-want +got):\n%s", diff)
		}
		lines, err := r.q.History(context.Background(), outbox.LedgerFilter{MessageID: ids(2)[0]})
		if err != nil || len(lines) != 1 || lines[0].Attempts != 3 || lines[0].Status != outbox.StatusSent {
			t.Errorf("history of the second: %+v (%v), want sent after three tries", lines, err)
		}
	})
}

func TestVerdicts(t *testing.T) {
	anonymous := message(1, "a", post)
	anonymous.Anonymous = true
	tests := []struct {
		name     string
		envelope callhome.Envelope
		err      error
		after    time.Duration // how long to watch
		tries    int
		want     outbox.Outcome
	}{
		{"refused for good", message(1, "a", post), deliver.Permanent(errors.New("550 no such user")), time.Hour, 1,
			outbox.Outcome{Status: outbox.StatusDead, Attempts: 1, Detail: "550 no such user"}},
		{"too old", message(1, "a", post), errors.New("timeout"), 16 * 24 * time.Hour, 0,
			outbox.Outcome{Status: outbox.StatusDead, Reason: callhome.ReasonExpired, Detail: "timeout"}},
		{"anonymous", anonymous, errors.New("timeout"), time.Hour, 3,
			outbox.Outcome{Status: outbox.StatusDropped, Reason: callhome.ReasonExpired, Attempts: 3, Detail: "timeout"}},
		{"anonymous refused", anonymous, deliver.Permanent(errors.New("410")), time.Hour, 1,
			outbox.Outcome{Status: outbox.StatusDropped, Reason: callhome.ReasonExpired, Attempts: 1, Detail: "410"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := start(t, outboxtest.NewMemory(), nil)
				r.sender.become(func(context.Context, *callhome.Envelope, int) error { return tt.err })
				r.put(t, tt.envelope, message(2, "a", mail))
				time.Sleep(tt.after)
				tries := r.sender.tried(tt.envelope.MessageID)
				if tt.tries != 0 && tries != tt.tries || tries == 0 {
					t.Errorf("tries: got %d, want %d", tries, tt.tries)
				}
				lines, err := r.q.History(context.Background(), outbox.LedgerFilter{MessageID: tt.envelope.MessageID})
				if err != nil || len(lines) != 1 {
					t.Fatalf("history: %+v (%v), want one line", lines, err)
				}
				got := outbox.Outcome{Status: lines[0].Status, Reason: lines[0].Reason, Attempts: lines[0].Attempts, Detail: lines[0].Detail}
				if tt.tries == 0 {
					got.Attempts = 0
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("outcome (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, outboxtest.NewMemory(), nil)
		r.sender.become(func(_ context.Context, _ *callhome.Envelope, try int) error {
			if try == 1 {
				return fmt.Errorf("post: %w", deliver.RetryAfter(17*time.Minute, errors.New("503")))
			}
			return nil
		})
		begun := time.Now()
		r.put(t, message(1, "a", post))
		time.Sleep(time.Hour)
		times := r.sender.all()
		if len(times) != 2 || times[1].Sub(begun) < 17*time.Minute || times[1].Sub(begun) > 17*time.Minute+time.Second {
			t.Errorf("tries at %v, want the second after 17 minutes", times)
		}
	})
}

// TestDeadDestination has 2 000 devices waiting for a destination that is down, beside one that works.
func TestDeadDestination(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, outboxtest.NewMemory(), nil)
		down := errors.New("connection refused")
		r.sender.become(func(_ context.Context, e *callhome.Envelope, _ int) error {
			if e.Destination == post {
				return down
			}
			return nil
		})
		const devices = 2000
		for d := range devices {
			r.put(t, message(d, fmt.Sprintf("device-%04d", d), post))
		}
		begun := time.Now()
		time.Sleep(time.Hour)
		if n := len(r.sender.all()); n < 30 || n > 200 {
			t.Errorf("tries in an hour of %d waiting devices: got %d, want about one a minute", devices, n)
		}
		r.put(t, message(devices, "device-0000", mail))
		synctest.Wait()
		if got := r.sender.delivered(); len(got) != 1 {
			t.Errorf("the other destination waits too: %d delivered, want 1", len(got))
		}
		states := r.health.Snapshot()
		if len(states) == 0 || states[0].Well || !strings.Contains(states[0].Reason, "connection refused") || states[0].Since.Sub(begun) > time.Minute {
			t.Errorf("health: %+v, want the destination unwell since the beginning", states)
		}
		r.sender.become(nil)
		time.Sleep(2 * time.Minute)
		if d := r.depth(t); d.Entries != 0 {
			t.Errorf("two minutes after it came back %d messages still wait", d.Entries)
		}
		if !r.health.Well() || len(r.health.Snapshot()) != 1 {
			t.Errorf("health after it came back: %+v", r.health.Snapshot())
		}
		want := "# HELP callhome_deliver_unreachable_destinations Destinations that take no messages at present.\n" +
			"# TYPE callhome_deliver_unreachable_destinations gauge\ncallhome_deliver_unreachable_destinations 0\n"
		if err := testutil.GatherAndCompare(r.metrics, strings.NewReader(want), "callhome_deliver_unreachable_destinations"); err != nil {
			t.Error(err)
		}
	})
}

func TestOutageIsToldWithoutThePassword(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, outboxtest.NewMemory(), nil)
		secret := callhome.Destination{Transport: callhome.TransportHTTP, Address: "https://ops:hunter2@backend.example/callhome"}
		r.sender.become(func(context.Context, *callhome.Envelope, int) error { return errors.New("connection refused") })
		r.put(t, message(1, "a", secret))
		time.Sleep(time.Hour)
		if told := fmt.Sprint(r.health.Snapshot()); strings.Contains(told, "hunter2") || !strings.Contains(told, "backend.example") {
			t.Errorf("health: %s, want the destination without its password", told)
		}
		r.sender.become(nil)
		time.Sleep(time.Hour)
		log := r.log.String()
		if strings.Contains(log, "hunter2") {
			t.Errorf("the log shows the password:\n%s", log)
		}
		if !strings.Contains(log, `level=INFO msg="the destination is reachable again"`) || !strings.Contains(log, "outage=1h") {
			t.Errorf("the log does not tell of the end of the outage and its length:\n%s", log)
		}
	})
}

func TestPoisonedMessageHoldsNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, outboxtest.NewMemory(), nil)
		r.sender.become(func(_ context.Context, e *callhome.Envelope, _ int) error {
			if e.Device == "poisoned" {
				return errors.New("500 internal error")
			}
			return nil
		})
		r.put(t, message(0, "poisoned", post))
		for n := 1; n <= 100; n++ {
			time.Sleep(time.Minute)
			r.put(t, message(n, fmt.Sprint("device-", n%7), post))
		}
		synctest.Wait()
		if got := len(r.sender.delivered()); got != 100 {
			t.Errorf("delivered: got %d of 100", got)
		}
	})
}

func TestSlowDestinationHoldsNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, outboxtest.NewMemory(), func(c *deliver.Config) { c.Workers, c.PerDestination = 6, 4 })
		var mu sync.Mutex
		now, most := 0, 0
		r.sender.become(func(ctx context.Context, e *callhome.Envelope, _ int) error {
			if e.Destination == mail {
				return nil
			}
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			<-ctx.Done() // hangs until its time is over
			mu.Lock()
			now--
			mu.Unlock()
			return ctx.Err()
		})
		for n := range 50 {
			r.put(t, message(n, fmt.Sprint("device-", n), post))
		}
		for n := 50; n < 100; n++ {
			r.put(t, message(n, fmt.Sprint("device-", n), mail))
		}
		time.Sleep(time.Second)
		if got := len(r.sender.delivered()); got != 50 {
			t.Errorf("by mail: got %d of 50 while the other destination hangs", got)
		}
		mu.Lock()
		defer mu.Unlock()
		if most != 4 {
			t.Errorf("sends at a time to one destination: got %d, want 4", most)
		}
	})
}

func TestStopRecordsWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := outboxtest.NewMemory()
		r := start(t, store, nil)
		r.sender.become(func(context.Context, *callhome.Envelope, int) error {
			time.Sleep(2 * time.Second) // the receiver takes its time
			return nil
		})
		r.put(t, message(1, "a", post), message(2, "a", post))
		time.Sleep(time.Second)
		r.stop()
		if diff := cmp.Diff(ids(1), r.sender.delivered()); diff != "" {
			t.Errorf("delivered (-want +got):\n%s", diff)
		}
		r = start(t, store, nil)
		time.Sleep(time.Second)
		if diff := cmp.Diff(ids(2), r.sender.delivered()); diff != "" {
			t.Errorf("after the restart only the second is left (-want +got):\n%s", diff)
		}
	})
}

func TestStopCutsOffWhatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := outboxtest.NewMemory()
		r := start(t, store, nil)
		r.sender.become(func(ctx context.Context, _ *callhome.Envelope, _ int) error { <-ctx.Done(); return ctx.Err() })
		r.put(t, message(1, "a", post))
		time.Sleep(time.Second)
		begun := time.Now()
		r.stop()
		if took := time.Since(begun); took > 10*time.Second {
			t.Errorf("stopping took %v", took)
		}
		r = start(t, store, nil)
		entries, err := r.q.List(context.Background(), outbox.Filter{})
		if err != nil || len(entries) > 0 && entries[0].Attempts != 0 {
			t.Errorf("being cut off counts as a failure: %+v (%v)", entries, err)
		}
		time.Sleep(time.Second)
		if got := len(r.sender.delivered()); got != 1 {
			t.Errorf("delivered after the restart: got %d, want 1", got)
		}
	})
}

func TestOutboxClosedUnderneath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, err := outbox.Open(t.Context(), outboxtest.NewMemory(), outbox.Options{})
		if err != nil {
			t.Fatal(err)
		}
		c, err := deliver.New(deliver.DefaultConfig(), deliver.Options{Queue: q})
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error)
		go func() { done <- c.Run(context.Background()) }()
		synctest.Wait()
		if err := q.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-done; !errors.Is(err, outbox.ErrClosed) {
			t.Errorf("got %v, want ErrClosed", err)
		}
	})
}

func TestNoSenderForTransport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, outboxtest.NewMemory(), nil)
		r.put(t, message(1, "a", callhome.Destination{Transport: "pigeon", Address: "loft 3"}))
		time.Sleep(time.Minute)
		entries, err := r.q.List(context.Background(), outbox.Filter{})
		if err != nil || len(entries) != 1 || !strings.Contains(entries[0].LastError, "pigeon") {
			t.Errorf("got %+v (%v), want it to wait and to say why", entries, err)
		}
	})
}

// TestExpireBehindTheHead lets messages grow old that were never tried, because one before them fails.
func TestExpireBehindTheHead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, outboxtest.NewMemory(), func(c *deliver.Config) { c.MaxAge = 10 * time.Hour })
		r.sender.become(func(context.Context, *callhome.Envelope, int) error { return errors.New("down") })
		for n := range 300 {
			r.put(t, message(n, "a", post))
		}
		time.Sleep(9 * time.Hour)
		if d := r.depth(t); d.Entries != 300 {
			t.Errorf("before max_age: %d wait, want 300", d.Entries)
		}
		time.Sleep(6 * time.Hour)
		if d := r.depth(t); d.Entries != 0 || d.DeadLetters != 300 {
			t.Errorf("after max_age: %d wait and %d are dead letters, want 0 and 300", d.Entries, d.DeadLetters)
		}
	})
}
