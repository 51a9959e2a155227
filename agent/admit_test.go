package agent

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"callhome"
	"callhome/agent/throttle"
	"callhome/outbox"
	"callhome/outbox/outboxtest"
)

// An alert for which nothing is collected is accepted together with its messages, in one transaction.
func TestAnAlertWithoutCommandsIsOneTransaction(t *testing.T) {
	cfg := testConfig()
	cfg.CallHome.Profiles = cfg.CallHome.Profiles[len(cfg.CallHome.Profiles)-1:] // short text, which has no place for output
	synctest.Test(t, func(t *testing.T) {
		store := &outboxtest.Hostile{Store: outboxtest.NewMemory()}
		var alerts, entries, writes int
		store.FailWrites(func(_ int, b *outbox.Batch) error {
			alerts, entries, writes = alerts+len(b.Alerts), entries+len(b.Entries), writes+1
			return nil
		})
		w := startOn(t, cfg, store, nil)
		defer w.stop()
		synctest.Wait()
		w.take("192.0.2.7", fanDown)
		got := w.envelopes()
		if len(got) != 1 || alerts != 0 || entries != 1 || writes != 1 || got[0].AlertID == "" || got[0].MessageID == "" {
			t.Errorf("got %s; %d alerts and %d entries stored by %d transactions, want one entry by one", bodies(got), alerts, entries, writes)
		}
	})
}

// An alert that needs no commands does not overtake one of its device that does, wherever that one is at that moment.
func TestNoAlertOvertakesAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &outboxtest.Hostile{Store: outboxtest.NewMemory()}
		w := startOn(t, testConfig(), store, nil)
		defer w.stop()
		synctest.Wait()
		put := func(text string, commands []string) {
			now := time.Now()
			a := callhome.Alert{
				Event: callhome.Event{Source: callhome.SourceAgent, Device: "core-1", Text: text, Time: now, ReceivedAt: now, Severity: -1},
				Group: callhome.GroupSyslog, Level: callhome.LevelMajor, Commands: commands, Profiles: []callhome.ProfileName{"backend"},
			}
			if err := w.agent.admitAlert(t.Context(), admission{alert: a, facts: throttle.FactsOf(&a)}, false); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		store.FailWrites(func(int, *outbox.Batch) error { return outboxtest.ErrDiskFull })
		put("first", []string{"show clock"}) // on its way into the outbox
		put("second", []string{})            // of another batch
		store.FailWrites(nil)
		time.Sleep(time.Minute)
		put("third", []string{"show clock"})
		put("fourth", []string{})
		got := w.envelopes()
		if len(got) != 4 {
			t.Fatalf("got %d messages", len(got))
		}
		for i, want := range []string{"first", "second", "third", "fourth"} {
			if !strings.Contains(string(got[i].Body), "Description>"+want+"<") {
				t.Errorf("message %d is not %q: %s", i, want, got[i].Body)
			}
		}
	})
}

// Where all subscriptions have patterns, lines without their phrases are not even judged; but what ends trouble that was
// told is, of a device, of a stranger, and after a restart.
func TestTheEndIsToldThoughNoPatternFitsIt(t *testing.T) {
	cfg := testConfig()
	level := callhome.LevelNormal
	cfg.CallHome.Profiles = []callhome.Profile{{Name: "noc", Active: true, Format: callhome.FormatShort, Email: []string{"noc@ops.example"},
		Subscribe: []callhome.Subscription{{Group: callhome.GroupSyslog, Severity: &level, Pattern: "changed state to down"}}}}
	for name, peer := range map[string]string{"a device": "192.0.2.7", "a stranger": "192.0.2.99"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, state := outboxtest.NewMemory(), &memory{}
				line := linkDown
				if name == "a stranger" {
					line = strings.Replace(line, "core-1", "sw-9", 1)
				}
				up := strings.Replace(line, "to down", "to up", 1)
				w := startOn(t, cfg, store, state)
				synctest.Wait()
				if !w.agent.plan.Load().table.Untouched([]byte(up)) {
					t.Fatal("the table looks at more than phrases; the test shows nothing")
				}
				w.take(peer, up) // ends nothing
				w.take(peer, line)
				if got := len(w.envelopes()); got != 1 {
					t.Fatalf("got %d messages, want the beginning", got)
				}
				w.stop()
				w = startOn(t, cfg, store, state)
				defer w.stop()
				time.Sleep(time.Minute)
				w.take(peer, up)
				if got := w.envelopes(); len(got) != 2 || !strings.Contains(string(got[1].Body), "to up") {
					t.Errorf("got %s, want the end too", bodies(got))
				}
			})
		})
	}
}
