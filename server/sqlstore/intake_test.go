package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"callhome/callhometest"
	"callhome/server/account"
	"callhome/server/archive"
	"callhome/server/archive/journal"
)

// worker is an intake that is worked.
type worker interface {
	archive.Intake
	Work(ctx context.Context, limit int, prepare archive.Prepare, f func(*Tx, []archive.Arrival) error) (int, error)
	Close() error
}

func journalIntake(t *testing.T, s *Store, dir string) worker {
	t.Helper()
	at, err := s.Position(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(dir, journal.Options{From: at, NewID: s.NewID, Known: s.Known, Segment: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	return NewJournalIntake(s, j, at)
}

func arrivalOf(n int) *archive.Arrival {
	body := []byte(fmt.Sprintf("<message %d/>", n))
	return &archive.Arrival{
		ReceivedAt: time.Now(), Origin: archive.Origin{Peer: "192.0.2.1"}, Key: archive.KeyOfBody(body), Lane: archive.LaneOf(fmt.Sprint(n % 7)), Body: body,
	}
}

// record stores arrivals as the conductor does.
func record(ctx context.Context, tx *Tx, arrivals []archive.Arrival) error {
	for _, a := range arrivals {
		r := archive.Record{ID: a.ID, ReceivedAt: a.ReceivedAt, Origin: a.Origin, Description: string(a.Body), Severity: -1, Status: archive.StatusProcessed}
		if err := tx.Archive().Add(ctx, &r, a.Body); err != nil {
			return err
		}
	}
	return nil
}

// prepared leaves the body in Read.
func prepared(all []archive.Arrival) {
	for i := range all {
		all[i].Read = string(all[i].Body)
	}
}

var errOops = errors.New("oops")

func TestEveryArrivalIsWorkedOnce(t *testing.T) {
	t.Run("journal", func(t *testing.T) {
		dir := t.TempDir()
		s := openStore(t, filepath.Join(dir, "server.db"))
		w := journalIntake(t, s, filepath.Join(dir, "journal"))
		workedOnce(t, s, w, 1, func() worker {
			_ = w.Close()
			w = journalIntake(t, s, filepath.Join(dir, "journal"))
			return w
		})
	})
	t.Run("PeerTable", func(t *testing.T) {
		s := openStore(t, callhometest.Postgres(t))
		w := NewTableIntake(s)
		workedOnce(t, s, w, 4, func() worker { return w })
	})
}

// workedOnce puts arrivals while workers fail now and then, starts anew, and looks at what is in the archive.
func workedOnce(t *testing.T, s *Store, w worker, workers int, again func() worker) {
	t.Helper()
	const n = 400
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var tries, done atomic.Int64
	work := func(w worker, until int64) {
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for done.Load() < until && ctx.Err() == nil {
					short, stop := context.WithTimeout(ctx, time.Second)
					k, err := w.Work(short, 13, prepared, func(tx *Tx, a []archive.Arrival) error {
						for i := range a {
							if a[i].Read != string(a[i].Body) {
								t.Errorf("arrival %d was not prepared", a[i].ID)
							}
						}
						if err := record(ctx, tx, a); err != nil {
							return err
						}
						if tries.Add(1)%5 == 0 {
							return errOops
						}
						return nil
					})
					stop()
					if err != nil && !errors.Is(err, errOops) && !errors.Is(err, context.DeadlineExceeded) {
						t.Error(err)
						return
					}
					done.Add(int64(k))
				}
			})
		}
		wg.Wait()
	}
	putAll := func(from, to int) {
		var wg sync.WaitGroup
		for n := from; n < to; n++ {
			wg.Go(func() {
				for try := range 2 { // each is sent twice
					p, err := w.Put(ctx, arrivalOf(n))
					if err != nil || p.Duplicate != (try == 1) {
						t.Errorf("Put(%d) = %+v, %v", n, p, err)
					}
				}
			})
		}
		wg.Wait()
	}
	putAll(0, n/2)
	work(w, n/4)
	w = again()
	putAll(n/2, n)
	if b, err := w.Backlog(ctx); err != nil || b.Arrivals != n-done.Load() {
		t.Errorf("Backlog = %+v, %v; want %d", b, err, n-done.Load())
	}
	work(w, n)
	defer w.Close()
	for n := range 10 {
		if p, err := w.Put(ctx, arrivalOf(n)); err != nil || !p.Duplicate {
			t.Errorf("a repeat of what was worked gives %+v, %v", p, err)
		}
	}
	seen := map[string]int{}
	f := archive.Filter{Reach: account.Everywhere(), Page: account.Page{Limit: 100}}
	for {
		page, err := s.Read().Archive().List(ctx, f)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, r := range page {
			seen[r.Description]++
		}
		f.Page.After = page[len(page)-1].ID
	}
	if len(seen) != n {
		t.Errorf("%d messages are in the archive, want %d", len(seen), n)
	}
	for body, times := range seen {
		if times != 1 {
			t.Errorf("%s is there %d times", body, times)
		}
	}
}
