package deliver_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"callhome"
	"callhome/deliver"
	"callhome/outbox"
	"callhome/outbox/spool"
)

const (
	outage        = 14 * 24 * time.Hour
	outageAlerts  = 20_000
	outages       = 5
	outageDevices = 40
)

// orderly is a receiver that checks the order of each device and counts each message once.
type orderly struct {
	t    *testing.T
	mu   sync.Mutex // guards what follows
	down bool
	next map[string]int
	took int
}

func (o *orderly) Send(_ context.Context, e *callhome.Envelope) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.down {
		return errors.New("connect: no route to host")
	}
	if want := fmt.Sprint(o.next[e.Device]); string(e.Body) != want {
		o.t.Errorf("device %s: got message %s, want %s", e.Device, e.Body, want)
	}
	o.next[e.Device]++
	o.took++
	return nil
}

func (o *orderly) set(down bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.down = down
}

// TestTwoWeeksWithoutNetwork cuts the network for 14 days while 20 000 alerts come in, five times in turn: all are
// delivered, in order, with the default max_age, and memory does not grow with the queue.
func TestTwoWeeksWithoutNetwork(t *testing.T) {
	rounds := outages
	if testing.Short() {
		rounds = 1
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		store, err := spool.Open(ctx, filepath.Join(t.TempDir(), "outbox.db"), spool.Options{})
		if err != nil {
			t.Fatal(err)
		}
		q, err := outbox.Open(ctx, store, outbox.Options{})
		if err != nil {
			t.Fatal(err)
		}
		receiver := &orderly{t: t, next: map[string]int{}}
		cfg := deliver.DefaultConfig()
		cfg.ProbeMax = 20 * time.Minute // the default would be 100 000 tries in vain, which take long to simulate
		c, err := deliver.New(cfg, deliver.Options{Queue: q, Senders: map[callhome.Transport]deliver.Sender{callhome.TransportHTTP: receiver}})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(func() { _ = c.Run(ctx) })
		for range 8 {
			wg.Go(func() { collect(ctx, q) })
		}
		put := map[string]int{}
		var highest uint64
		for round := range rounds {
			receiver.set(true)
			putAlerts(t, q, put)
			highest = max(highest, heapNow())
			if d, err := q.Depth(ctx); err != nil || d.Entries != outageAlerts {
				t.Fatalf("round %d: %d messages wait (%v), want %d", round, d.Entries, err, outageAlerts)
			}
			receiver.set(false)
			time.Sleep(cfg.ProbeMax + time.Minute)
			if d, err := q.Depth(ctx); err != nil || d.Entries != 0 || d.DeadLetters != 0 {
				t.Fatalf("round %d: soon after the network is back %d messages wait, %d dead letters (%v)", round, d.Entries, d.DeadLetters, err)
			}
		}
		if want := rounds * outageAlerts; receiver.took != want {
			t.Errorf("delivered: got %d, want %d", receiver.took, want)
		}
		if const64MiB := uint64(64 << 20); highest > const64MiB {
			t.Errorf("memory with %d messages waiting: %d MiB", outageAlerts, highest>>20)
		}
		t.Logf("heap with %d messages waiting: %d KiB", outageAlerts, highest>>10)
		cancel()
		wg.Wait()
		if err := q.Close(); err != nil {
			t.Error(err)
		}
	})
}

// putAlerts puts alerts evenly over the outage.
func putAlerts(t *testing.T, q *outbox.Queue, put map[string]int) {
	t.Helper()
	const steps = 100
	for range steps {
		alerts := make([]callhome.Alert, 0, outageAlerts/steps)
		for i := range outageAlerts / steps {
			device := fmt.Sprint("device-", i%outageDevices)
			alerts = append(alerts, callhome.Alert{
				Event: callhome.Event{Device: device, Text: fmt.Sprint(put[device])}, Group: callhome.GroupSyslog, Profiles: []callhome.ProfileName{"noc"},
			})
			put[device]++
		}
		if _, err := q.PutAlerts(t.Context(), alerts); err != nil {
			t.Fatal(err)
		}
		time.Sleep(outage / steps)
	}
}

func collect(ctx context.Context, q *outbox.Queue) {
	for {
		p, err := q.NextAlert(ctx)
		if err != nil {
			return
		}
		e := callhome.Envelope{
			MessageID: callhome.MakeMessageID("M", p.MessageNumber("noc"), "QXA2613K0PZ", p.AcceptedAt), Profile: "noc",
			Group: p.Alert.Group, Destination: post, Body: []byte(p.Alert.Text),
		}
		if err := q.Retire(ctx, p.Alert.ID, []callhome.Envelope{e}, nil); err != nil {
			return
		}
	}
}

func heapNow() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}
