package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"callhome"
	"callhome/outbox"
	"callhome/outbox/outboxtest"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

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
		check(t, r.Settle(t.Context(), lease(t, r.Queue, 1))) // without a word: from now on the store is read
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

func TestDamagedAlertIsRetired(t *testing.T) {
	for name, packed := range map[string][]byte{
		"not packed as it says": {1, 0x28, 0xb5, 0x2f, 0xfd, 0xff},
		"not JSON":              []byte("\x00{\"device\": 7"),
		"empty":                 {},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := open(t, nil)
				r.store.FailWrites(func(call int, b *outbox.Batch) error {
					if call == 1 {
						b.Alerts[0].Packed = packed
					}
					return nil
				})
				check(t, r.PutAlert(t.Context(), alert("a", "damaged")))
				check(t, r.PutAlert(t.Context(), alert("a", "after it")))
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				p, err := r.NextAlert(ctx)
				if err != nil || p.Alert.Text != "after it" {
					t.Fatalf("got %+v (%v), want the alert behind the damaged one", p, err)
				}
				lines, err := r.History(t.Context(), outbox.LedgerFilter{})
				if err != nil || len(lines) != 1 || lines[0].Status != outbox.StatusDead || lines[0].AlertID != "A1" || lines[0].Device != "a" ||
					!strings.HasPrefix(lines[0].Detail, "the stored alert cannot be read: ") {
					t.Errorf("history: %+v (%v), want a line for the dead alert", lines, err)
				}
				if s := r.health.Snapshot()[0]; !s.Well {
					t.Errorf("health: %+v, want well", s)
				}
				if d, err := r.Depth(t.Context()); err != nil || d.Alerts != 1 {
					t.Errorf("depth %+v (%v), want one alert", d, err)
				}
			})
		})
	}
}

// refuse fails transactions that retire alerts, as a statement that is broken for good does.
func refuse(_ int, b *outbox.Batch) error {
	if len(b.Retired) > 0 {
		return outboxtest.ErrBroken
	}
	return nil
}

func TestRetireThatFailsLeavesTheAlertInWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, nil)
		check(t, r.PutAlert(t.Context(), alert("a", "first")))
		p, err := r.NextAlert(t.Context())
		check(t, err)
		r.store.FailWrites(refuse)
		for range 2 {
			if err := r.Retire(t.Context(), p.Alert.ID, nil, nil); !errors.Is(err, outboxtest.ErrBroken) {
				t.Fatalf("retire: %v, want the store's refusal", err)
			}
		}
		check(t, r.Postpone(t.Context(), p.Alert.ID, time.Now().Add(time.Hour)))
		begun := time.Now()
		p, err = r.NextAlert(t.Context())
		check(t, err)
		if waited := time.Since(begun); waited != time.Hour {
			t.Errorf("handed out again after %v, want an hour", waited)
		}
		if err := r.Retire(t.Context(), p.Alert.ID, nil, nil); !errors.Is(err, outboxtest.ErrBroken) {
			t.Fatalf("retire: %v, want the store's refusal", err)
		}
		r.store.FailWrites(nil)
		check(t, r.Retire(t.Context(), p.Alert.ID, nil, nil))
	})
}

func TestRetireWithNobodyWaitingGivesTheAlertBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, nil)
		check(t, r.PutAlert(t.Context(), alert("a", "first")))
		p, err := r.NextAlert(t.Context())
		check(t, err)
		r.store.FailWrites(full)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := r.Retire(ctx, p.Alert.ID, nil, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("retire: %v, want the end of the wait", err)
		}
		r.store.FailWrites(refuse)
		next, err := r.NextAlert(t.Context())
		check(t, err)
		if next.Alert.ID != p.Alert.ID {
			t.Errorf("got %s, want %s again", next.Alert.ID, p.Alert.ID)
		}
		ended, stop := context.WithCancel(t.Context())
		stop()
		if err := r.Retire(ended, p.Alert.ID, nil, nil); err == nil {
			t.Fatal("retired")
		}
		_, err = r.NextAlert(t.Context())
		check(t, err)
	})
}

// TestClockThatWasAhead is a host that failed once while its clock stood years ahead: what it stored then does not make
// anything wait for years.
func TestClockThatWasAhead(t *testing.T) {
	const years = 4 * 365 * 24 * time.Hour
	t.Run("entry", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := open(t, nil)
			r.store.FailWrites(func(_ int, b *outbox.Batch) error {
				for i := range b.Retrials {
					b.Retrials[i].TriedAt = b.Retrials[i].TriedAt.Add(years)
					b.Retrials[i].RetryAt = b.Retrials[i].RetryAt.Add(years)
				}
				return nil
			})
			check(t, r.Put(t.Context(), envelope(1, "a")))
			l := lease(t, r.Queue, 1)
			l.RetryAt(0, time.Now().Add(30*time.Second), errors.New("down"))
			check(t, r.Settle(t.Context(), l))
			begun := time.Now()
			lease(t, r.Queue, 1)
			if waited := time.Since(begun); waited != 30*time.Second {
				t.Errorf("leased after %v, want 30s", waited)
			}
		})
	})
	for name, change := range map[string]func(*outbox.Batch){
		"alert accepted and postponed": func(b *outbox.Batch) {
			for i := range b.Alerts {
				b.Alerts[i].AcceptedAt = b.Alerts[i].AcceptedAt.Add(years)
			}
			for i := range b.Delays {
				b.Delays[i].RetryAt = b.Delays[i].RetryAt.Add(years)
			}
		},
		"alert postponed": func(b *outbox.Batch) {
			for i := range b.Delays {
				b.Delays[i].RetryAt = b.Delays[i].RetryAt.Add(years)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := open(t, nil)
				r.store.FailWrites(func(_ int, b *outbox.Batch) error { change(b); return nil })
				check(t, r.PutAlert(t.Context(), alert("a", "")))
				p, err := r.NextAlert(t.Context())
				check(t, err)
				check(t, r.Postpone(t.Context(), p.Alert.ID, time.Now().Add(30*time.Second)))
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				_, err = r.NextAlert(ctx)
				check(t, err)
			})
		})
	}
	t.Run("max age", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := open(t, nil)
			r.store.FailWrites(func(_ int, b *outbox.Batch) error {
				for i := range b.Entries {
					if n := b.Entries[i].ID; n == 1 || n == 3 {
						b.Entries[i].QueuedAt = b.Entries[i].QueuedAt.Add(years)
					}
				}
				return nil
			})
			check(t, r.Put(t.Context(), envelope(1, "a"), envelope(2, "a"), envelope(3, "b"), envelope(4, "c")))
			time.Sleep(time.Hour)
			n, err := r.Expire(t.Context(), time.Now().Add(-time.Minute))
			if err != nil || n != 2 {
				t.Errorf("expired %d (%v), want the two whose age is known", n, err)
			}
		})
	})
}

func TestExpireDropsAnonymousEntries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, nil)
		anonymous := envelope(1, "a")
		anonymous.Anonymous = true
		check(t, r.Put(t.Context(), anonymous, envelope(2, "a")))
		time.Sleep(time.Hour)
		n, err := r.Expire(t.Context(), time.Now().Add(-time.Minute))
		if err != nil || n != 2 {
			t.Errorf("expired %d (%v), want both", n, err)
		}
		dead, err := r.List(t.Context(), outbox.Filter{Status: outbox.StatusDead})
		if err != nil || len(dead) != 1 || dead[0].Envelope.MessageID != envelope(2, "").MessageID {
			t.Errorf("dead letters: %+v (%v), want the one that names its device", dead, err)
		}
		lines, err := r.History(t.Context(), outbox.LedgerFilter{MessageID: anonymous.MessageID})
		if err != nil || len(lines) != 1 || lines[0].Status != outbox.StatusDropped || lines[0].Reason != callhome.ReasonExpired {
			t.Errorf("history: %+v (%v), want dropped, expired", lines, err)
		}
	})
}

func TestSettleShowsNoPassword(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, nil)
		e := envelope(1, "a")
		e.Destination.Address = "https://ops:hunter2@backend.example/callhome"
		check(t, r.Put(t.Context(), e))
		l := lease(t, r.Queue, 1)
		l.Delivered(0)
		r.store.FailWrites(func(int, *outbox.Batch) error { return outboxtest.ErrBroken })
		if err := r.Settle(t.Context(), l); !errors.Is(err, outboxtest.ErrBroken) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("settle: %v, want the store's fault and no password", err)
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
