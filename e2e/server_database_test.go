package e2e

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"callhome/callhometest"
	"callhome/receive/httprecv"
)

// databaseCrashes are the crashes of a normal run; each costs a minute of waiting and recovery on a busy machine.
const databaseCrashes, databaseCrashesSoak = 1, 30

// TestE2EServerDatabaseCrash: PostgreSQL itself dies under load. The back end says so, refuses for the time being, recovers
// by itself, and nothing is lost or done twice.
func TestE2EServerDatabaseCrash(t *testing.T) {
	needE2E(t)
	crashes := databaseCrashes
	if os.Getenv(soakEnv) != "" {
		crashes = databaseCrashesSoak
	}
	pg := callhometest.NewPostgres(t)
	f := newFleet(t)
	f.pause = 20 * time.Millisecond // the outages are long, and the aim is no backlog
	f.register(pg.DSN)
	var urls []string
	var servers []*daemon
	for range 2 {
		s := newDaemon(t, "server", t.TempDir(), serverConfig+"\ndatabase: "+pg.DSN+"\n")
		s.start()
		servers, urls = append(servers, s), append(urls, s.URL)
	}
	for range crashes {
		loaded(f, urls, func() {
			time.Sleep(killMoment())
			pg.Crash()
			for _, s := range servers {
				refuses(t, f, s)
			}
			pg.Start()
			time.Sleep(killMoment())
		})
		for _, s := range servers {
			eventually(t, "the back end to be well again", func() error { return well(s) })
		}
	}
	f.finish(urls...)
	l := openLedger(t, pg.DSN)
	l.await(len(f.all()))
	for _, s := range servers {
		if !s.alive() {
			t.Error("a back end ended when its database did")
		}
		s.stop()
	}
	l.settle(f)
	t.Logf("%d crashes, %d messages answered, %d posts failed", crashes, len(f.all()), f.failed.Load())
}

// refuses sees that a back end without its database says so, and asks senders to come again.
func refuses(t *testing.T, f *fleet, s *daemon) {
	t.Helper()
	eventually(t, "the back end to tell of its database", func() error {
		return unwell(s, "database")
	})
	p, err := f.devices[0].make(kindFan, f.number.Add(1))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Post(s.URL+httprecv.PathDDCE, "text/xml", strings.NewReader(string(p.body)))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Errorf("without its database the back end answers %d, Retry-After %q", resp.StatusCode, resp.Header.Get("Retry-After"))
	}
}

// well and unwell look at what a back end says of itself.
func well(s *daemon) error {
	_, text, err := ask(s.metrics + "/healthz")
	if err != nil || !strings.HasPrefix(text, `{"well":true`) {
		return fmt.Errorf("/healthz answers %s, %w", text, err)
	}
	return nil
}

func unwell(s *daemon, word string) error {
	_, text, err := ask(s.metrics + "/healthz")
	if err != nil || !strings.HasPrefix(text, `{"well":false`) || !strings.Contains(text, word) {
		return fmt.Errorf("/healthz answers %s, %w", text, err)
	}
	return nil
}

// TestE2EServerWaitsForDatabase: a back end that starts before its database waits, says so, and can be stopped; what
// waiting does not mend ends it with a sentence.
func TestE2EServerWaitsForDatabase(t *testing.T) {
	needE2E(t)
	pg := callhometest.NewPostgres(t)
	pg.Crash()
	s := newDaemon(t, "server", t.TempDir(), serverConfig+"\ndatabase: "+pg.DSN+"\n")
	s.begin()
	eventually(t, "the back end to say what it waits for", func() error {
		return unwell(s, "waiting for the database")
	})
	if n := strings.Count(s.log.String(), "waiting for the database"); n != 1 {
		t.Errorf("the log tells %d times what is waited for, want once in a minute", n)
	}
	s.stop() // ends at once, with status 0
	s.begin()
	pg.Start()
	s.waitReady()
	s.stop()

	wrong := newDaemon(t, "server", t.TempDir(), serverConfig+"\ndatabase: "+strings.Replace(pg.DSN, "/callhome?", "/nonesuch?", 1)+"\n")
	wrong.begin()
	select {
	case <-wrong.exited:
		wrong.ended = true
	case <-time.After(patience):
		t.Fatal("it waits for a database that does not exist")
	}
	if log := wrong.log.String(); !strings.Contains(log, "nonesuch") || wrong.cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("it ended with %v and says %q", wrong.cmd.ProcessState, log)
	}
}
