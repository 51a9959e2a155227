package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"callhome"
	"callhome/agent/intake"
	"callhome/outbox"
	"callhome/outbox/outboxtest"
)

// memory is a State that a test keeps.
type memory struct{ text []byte }

// Load implements State.
func (m *memory) Load(v any) error {
	if m.text == nil {
		return nil
	}
	return json.Unmarshal(m.text, v)
}

// Save implements State.
func (m *memory) Save(v any) (err error) {
	m.text, err = json.Marshal(v)
	return err
}

var errFull = callhome.Errorf(callhome.KindUnavailable, "no space left on device")

// stopsAlerts refuses transactions that bring alerts.
func stopsAlerts(_ int, b *outbox.Batch) error {
	if len(b.Alerts) > 0 {
		return errFull
	}
	return nil
}

func fromFile() *intake.Origin {
	return &intake.Origin{Source: callhome.SourceLogfile, ReceivedAt: time.Now()}
}

// A line that was judged but not stored comes again after a restart, and must not be taken for a repeat of itself.
func TestWhatWasNotStoredIsNoRepeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, state := outboxtest.NewMemory(), &memory{}
		full := &outboxtest.Hostile{Store: store}
		full.FailWrites(stopsAlerts)
		w := startOn(t, testConfig(), full, state)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := w.agent.Take(ctx, []byte(linkDown), fromFile()); err == nil {
			t.Fatal("Take returned nil for a line that is not safe")
		}
		w.stop()

		w = startOn(t, testConfig(), store, state)
		defer w.stop()
		if err := w.agent.Take(t.Context(), []byte(linkDown), fromFile()); err != nil {
			t.Fatal(err)
		}
		if got := len(w.envelopes()); got != 1 {
			t.Errorf("got %d messages for the line that came again, want 1", got)
		}
	})
}

// While the outbox is full, lines of files wait where they are; what nobody keeps is dropped, and its repeat is news.
func TestAFullOutbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := &outboxtest.Hostile{Store: outboxtest.NewMemory()}
		full.FailWrites(func(_ int, b *outbox.Batch) error {
			if len(b.Alerts) > 0 {
				return fmt.Errorf("%w", outbox.ErrFull)
			}
			return nil
		})
		w := startOn(t, testConfig(), full, nil)
		defer w.stop()
		w.take("192.0.2.7", linkDown)
		synctest.Wait()
		taken := make(chan error, 1)
		go func() { taken <- w.agent.Take(t.Context(), []byte(fanDown), fromFile()) }()
		time.Sleep(time.Minute)
		select {
		case err := <-taken:
			t.Fatalf("a line of a file did not wait: %v", err)
		default:
		}
		st, err := w.agent.Statistics(t.Context())
		if err != nil || st.Dropped[callhome.ReasonQueueFull] != 1 {
			t.Errorf("dropped because the queue is full: got %d, %v, want the one that nobody keeps", st.Dropped[callhome.ReasonQueueFull], err)
		}
		full.FailWrites(nil)
		if err := <-taken; err != nil {
			t.Fatal(err)
		}
		w.take("192.0.2.7", linkDown)
		got := strings.Split(to(w.envelopes()), ", ")
		slices.Sort(got) // devices wait for each other in no order
		if want := []string{"backend core-1", "backend edge-rtr-7", "pager edge-rtr-7"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// One alert that the store refuses for its content takes no other with it.
func TestOneRefusedAlertAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &outboxtest.Hostile{Store: outboxtest.NewMemory()}
		store.FailWrites(func(_ int, b *outbox.Batch) error {
			for _, a := range b.Alerts {
				if a.Device == "bad" {
					return callhome.Errorf(callhome.KindInternal, "refused")
				}
			}
			return nil
		})
		q, err := outbox.Open(t.Context(), store, outbox.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer q.Close()
		a, err := New(testConfig(), Parts{Outbox: q})
		if err != nil {
			t.Fatal(err)
		}
		b, alerts := &batch{}, []callhome.Alert(nil)
		for _, device := range []string{"core-1", "bad", ""} {
			alerts = append(alerts, callhome.Alert{Event: callhome.Event{Device: device}, Profiles: []callhome.ProfileName{"backend"}})
			b.admissions = append(b.admissions, admission{alert: alerts[len(alerts)-1]})
		}
		b.prepared = q.Prepare(alerts, nil)
		a.store(t.Context(), b)
		if d, err := q.Depth(t.Context()); err != nil || d.Alerts != 2 {
			t.Errorf("got %d alerts, %v, want the two good ones", d.Alerts, err)
		}
	})
}

// What the agent itself holds when it is told to stop is stored: digests and messages whose parts did not all come.
func TestStoppingStoresWhatIsHeld(t *testing.T) {
	cfg := testConfig()
	limit := 1
	cfg.CallHome.RateLimit = &limit
	synctest.Test(t, func(t *testing.T) {
		store := outboxtest.NewMemory()
		full := &outboxtest.Hostile{Store: store}
		w := startOn(t, cfg, full, nil)
		w.take("192.0.2.7", linkDown)
		w.take("192.0.2.7", strings.Replace(linkDown, "0/1", "0/2", 1))
		synctest.Wait()
		full.FailWrites(stopsAlerts)
		time.Sleep(2 * time.Minute) // the digest came due on a full disk
		synctest.Wait()
		full.FailWrites(nil)
		w.stop()

		w = startOn(t, cfg, store, nil)
		defer w.stop()
		if got := w.envelopes(); len(got) != 2 || !strings.Contains(string(got[1].Body), "1 messages were held back") {
			t.Errorf("got %s, want the message and the digest", bodies(got))
		}
	})
}

// A profile that is gone when its alert's turn comes is told of in the history.
func TestAProfileThatWasRemovedMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := outboxtest.NewMemory()
		q, err := outbox.Open(t.Context(), store, outbox.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := q.PutAlert(t.Context(), callhome.Alert{Group: callhome.GroupSyslog, Profiles: []callhome.ProfileName{"former"}}); err != nil {
			t.Fatal(err)
		}
		if err := q.Close(); err != nil {
			t.Fatal(err)
		}
		w := startOn(t, testConfig(), store, nil)
		defer w.stop()
		synctest.Wait()
		lines, err := w.queue.History(t.Context(), outbox.LedgerFilter{})
		if err != nil || len(lines) != 1 || lines[0].Profile != "former" || lines[0].Reason != callhome.ReasonProfileInactive {
			t.Errorf("got %+v, %v, want one line that says why profile former got nothing", lines, err)
		}
	})
}

// A link whose recovery fell into a maintenance window and that goes down again is not hidden as a repeat; that it came
// up is told even then, as nobody else would say so.
func TestTroubleThatBeginsAnewAfterMaintenance(t *testing.T) {
	bubble(t, testConfig(), func(w *world) {
		w.take("192.0.2.7", linkDown)
		cfg := testConfig()
		cfg.Maintenance = []Maintenance{{From: time.Now(), To: time.Now().Add(time.Minute)}}
		if err := w.agent.Reload(cfg); err != nil {
			t.Fatal(err)
		}
		w.take("192.0.2.7", linkUp)
		time.Sleep(2 * time.Minute)
		w.take("192.0.2.7", linkDown)
		if got := len(w.envelopes()); got != 3 {
			t.Errorf("got %d messages, want 3: down, up, down", got)
		}
	})
}
