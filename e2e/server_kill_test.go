package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"callhome/callhometest"
)

// serverKills are the kills of a normal run; soaking makes many more.
const serverKills, serverKillsSoak = 10, 500

// killAfter is the shortest and longest time under load before a kill.
const killAfterMin, killAfterMax = 5 * time.Millisecond, 400 * time.Millisecond

func killCount() int {
	if os.Getenv(soakEnv) != "" {
		return serverKillsSoak
	}
	return serverKills
}

func killMoment() time.Duration {
	return killAfterMin + time.Duration(rand.Int64N(int64(killAfterMax-killAfterMin)))
}

// loaded runs a load while f runs.
func loaded(fl *fleet, urls []string, f func()) {
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { fl.run(stop, urls...) })
	f()
	close(stop)
	wg.Wait()
}

// TestE2EServerKill: the back end on SQLite is killed at random moments while 1,000 devices post. Every message that was
// answered is in the archive once, and everything that follows from it happened once.
func TestE2EServerKill(t *testing.T) {
	needE2E(t)
	dir := t.TempDir()
	database := filepath.Join(dir, "data", "server.db")
	if err := os.MkdirAll(filepath.Dir(database), 0o700); err != nil {
		t.Fatal(err)
	}
	f := newFleet(t)
	f.register(database)
	s := newDaemon(t, "server", dir, serverConfig)
	s.start()
	urls := []string{s.URL}
	for range killCount() {
		loaded(f, urls, func() {
			time.Sleep(killMoment())
			s.kill()
		})
		s.start()
	}
	loaded(f, urls, func() { time.Sleep(killAfterMax) })
	f.finish(urls...)
	l := openLedger(t, database)
	l.await(len(f.all()))
	s.stop()
	l.settle(f)
	t.Logf("%d kills, %d messages answered, %d posts failed, %d service requests", killCount(), len(f.all()), f.failed.Load(), l.number("SELECT count(id) FROM cases"))
}

// TestE2EServerKillPostgres: three processes share one PostgreSQL, devices go to another when one does not answer, and one
// process at a time, now and then all of them, is killed.
func TestE2EServerKillPostgres(t *testing.T) {
	needE2E(t)
	dsn := callhometest.Postgres(t)
	f := newFleet(t)
	f.register(dsn)
	var servers []*daemon
	var urls []string
	for i := range 3 {
		s := newDaemon(t, "server", filepath.Join(t.TempDir(), fmt.Sprint(i)), serverConfig+"\ndatabase: "+dsn+"\n")
		s.start()
		servers, urls = append(servers, s), append(urls, s.URL)
	}
	for round := range killCount() {
		victims := []*daemon{servers[rand.IntN(len(servers))]}
		if round%5 == 4 {
			victims = servers
		}
		loaded(f, urls, func() {
			time.Sleep(killMoment())
			for _, s := range victims {
				s.kill()
			}
			time.Sleep(killMoment()) // the others go on
			for _, s := range victims {
				s.begin()
			}
			for _, s := range victims {
				s.waitReady()
			}
		})
	}
	f.finish(urls...)
	l := openLedger(t, dsn)
	l.await(len(f.all()))
	for _, s := range servers {
		s.stop()
	}
	l.settle(f)
	t.Logf("%d rounds of kills, %d messages answered, %d posts failed, %d service requests", killCount(), len(f.all()), f.failed.Load(), l.number("SELECT count(id) FROM cases"))
}
