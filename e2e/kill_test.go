package e2e

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"callhome"
)

const (
	// killRounds are the rounds of a normal run; soaking runs many more.
	killRounds, killRoundsSoak = 20, 1000
	// soakEnv asks for the long versions.
	soakEnv = "CALLHOME_SOAK"
)

// TestE2EKill: the agent is killed at random moments under load, with alerts still arriving. Every alert that was
// acknowledged as durable is delivered, and what is delivered twice carries the same message ID.
func TestE2EKill(t *testing.T) {
	needE2E(t)
	rounds := killRounds
	if os.Getenv(soakEnv) != "" {
		rounds = killRoundsSoak
	}
	s := newSink(t)
	listen := freePort(t, "127.0.0.1")
	a := startAgent(t, t.TempDir(), agentConfig(t, s, "udp://"+listen))
	acknowledged := map[string]bool{}
	for round := range rounds {
		stop := make(chan struct{})
		var senders sync.WaitGroup
		var mu sync.Mutex
		for w := range 2 {
			senders.Go(func() {
				for i := 0; ; i++ {
					select {
					case <-stop:
						return
					default:
					}
					text := fmt.Sprintf("kill %d.%d.%d.", round, w, i)
					if _, err := a.tryRun("test", text, "--profile", "backend"); err == nil {
						mu.Lock()
						acknowledged[text] = true
						mu.Unlock()
					}
				}
			})
		}
		senders.Go(func() { flood(stop, listen) })
		time.Sleep(time.Duration(100+rand.IntN(400)) * time.Millisecond)
		a.kill()
		close(stop)
		senders.Wait()
		a.start()
	}
	eventually(t, "the queue to empty", func() error {
		if out, err := a.tryRun("queue", "list", "--json"); err != nil || strings.TrimSpace(out) != "[]" && strings.TrimSpace(out) != "null" {
			return errors.Join(errors.New("entries are left"), err)
		}
		return nil
	})
	check := func() error { return missing(acknowledged, s.arrivals()) }
	eventually(t, "every acknowledged alert", check)
	if len(acknowledged) < rounds {
		t.Errorf("only %d alerts were acknowledged in %d rounds: there was no load", len(acknowledged), rounds)
	}
	ids := map[string]callhome.MessageID{}
	for _, x := range s.arrivals() {
		if x.message == nil {
			continue
		}
		if !strings.HasPrefix(x.message.Description, "kill ") {
			continue
		}
		if first, twice := ids[x.message.Description]; twice && first != x.id {
			t.Errorf("%q arrived as %s and as %s", x.message.Description, first, x.id)
		}
		ids[x.message.Description] = x.id
	}
	t.Logf("%d kills, %d alerts acknowledged, %d arrivals", rounds, len(acknowledged), len(s.arrivals()))
}

func missing(want map[string]bool, arrivals []arrival) error {
	have := map[string]bool{}
	for _, x := range arrivals {
		if x.message != nil {
			have[x.message.Description] = true
		}
	}
	var lost []string
	for text := range want {
		if !have[text] {
			lost = append(lost, text)
		}
	}
	if len(lost) > 0 {
		return fmt.Errorf("%d of %d are missing: %v", len(lost), len(want), lost[:min(5, len(lost))])
	}
	return nil
}

// flood sends lines that profiles want, until stop.
func flood(stop <-chan struct{}, addr string) {
	conn, err := net.Dial("udp", addr)
	if err != nil {
		return
	}
	defer conn.Close()
	for i := 0; ; i++ {
		select {
		case <-stop:
			return
		default:
		}
		_, _ = fmt.Fprintf(conn, "<186>%d: edge-rtr-7: Jun 13 2026 21:07:15.454 UTC: %%SYS-2-FLOOD%d: number %d", i, i%7, i)
		time.Sleep(2 * time.Millisecond)
	}
}
