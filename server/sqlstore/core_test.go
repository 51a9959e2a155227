package sqlstore

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"callhome"
	"callhome/callhometest"
	"callhome/server/account"
)

func onBoth(t *testing.T, f func(t *testing.T, dsn string)) {
	t.Run("sqlite", func(t *testing.T) { f(t, filepath.Join(t.TempDir(), "server.db")) })
	t.Run("PeerPostgres", func(t *testing.T) { f(t, callhometest.Postgres(t)) })
}

func openStore(t *testing.T, dsn string) *Store {
	t.Helper()
	s, err := Open(context.Background(), dsn, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// TestEveryQueryIsUnderstood lets each engine compile every query.
func TestEveryQueryIsUnderstood(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		s := openStore(t, dsn)
		for name, text := range s.queries {
			stmt, err := s.db.Read.PrepareContext(context.Background(), text)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			_ = stmt.Close()
		}
	})
}

func TestInTxIsAllOrNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		s, ctx := openStore(t, dsn), context.Background()
		oops := errors.New("oops")
		for _, want := range []error{oops, nil} {
			err := s.InTx(ctx, func(tx *Tx) error {
				tx.count("test", 1, "word", 2)
				tx.countAt("test", 2, "word", time.Now(), 3)
				if err := tx.flush(ctx); err != nil {
					return err
				}
				return want
			})
			if !errors.Is(err, want) {
				t.Errorf("InTx = %v, want %v", err, want)
			}
		}
		for _, c := range []struct {
			reach account.Reach
			since time.Time
			want  int64
		}{
			{account.Reach{All: true}, time.Time{}, 5},
			{account.Reach{Companies: []account.CompanyID{1}}, time.Time{}, 2},
			{account.Reach{Companies: []account.CompanyID{1, 2}}, time.Now().Add(-2 * time.Hour), 3},
			{account.Reach{}, time.Time{}, 0},
		} {
			got, err := s.Read().tallies(ctx, "test", c.reach, c.since)
			if err != nil || got["word"] != c.want {
				t.Errorf("tallies(%+v, %v) = %v, %v; want %d", c.reach, c.since, got, err, c.want)
			}
		}
	})
}

func TestNodes(t *testing.T) {
	dsn := callhometest.Postgres(t)
	var mu sync.Mutex
	seen := map[int]bool{}
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			s, err := Open(context.Background(), dsn, Options{})
			if err != nil {
				t.Error(err)
				return
			}
			t.Cleanup(func() { _ = s.Close() })
			mu.Lock()
			defer mu.Unlock()
			if seen[s.Node()] {
				t.Errorf("node %d was given twice", s.Node())
			}
			seen[s.Node()] = true
		})
	}
	wg.Wait()
	late, err := Open(context.Background(), dsn, Options{Now: func() time.Time { return time.Now().Add(2 * nodeLease) }})
	if err != nil {
		t.Fatal(err)
	}
	defer late.Close()
	if late.Node() != 0 {
		t.Errorf("after the others fell silent node %d was given, want 0", late.Node())
	}
}

func TestANumberGivenAwayIsNoticed(t *testing.T) {
	s := openStore(t, filepath.Join(t.TempDir(), "server.db"))
	if err := s.Beat(context.Background()); err != nil {
		t.Fatal(err)
	}
	s.leaveNode()
	if err := s.Beat(context.Background()); callhome.KindOf(err) != callhome.KindConflict {
		t.Errorf("Beat = %v, want a conflict", err)
	}
}

func TestIDsGrow(t *testing.T) {
	now := time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
	g := &ids{node: 7, now: func() time.Time { return now }}
	first := g.next()
	if first < idAt(now) || first >= idAt(now.Add(time.Millisecond)) {
		t.Errorf("ID %d is not of its moment", first)
	}
	last := first
	for i := range 3 << counterBits {
		if i == 100 {
			now = now.Add(-time.Hour) // a clock that is set back
		}
		id := g.next()
		if id <= last || id>>counterBits&(maxNodes-1) != 7 {
			t.Fatalf("ID %d follows %d", id, last)
		}
		last = id
	}
}

func TestListing(t *testing.T) {
	l := newListing("SELECT id FROM x")
	l.andText("a", "1")
	l.andText("b", "")
	l.andID("c", 0)
	l.and("d BETWEEN ? AND ?", 2, 3)
	l.reach("company_id", account.Reach{Companies: []account.CompanyID{4, 5}})
	l.page("id", account.Page{After: 6, Limit: 7})
	want := "SELECT id FROM x WHERE a = $1 AND d BETWEEN $2 AND $3 AND company_id IN ($4, $5) AND id < $6 ORDER BY id DESC LIMIT $7"
	if l.text() != want || len(l.args) != 7 {
		t.Errorf("got %s with %v", l.text(), l.args)
	}
	none := newListing("SELECT id FROM x")
	none.reach("company_id", account.Reach{})
	if !strings.Contains(none.text(), "1 = 0") {
		t.Errorf("without companies everything is seen: %s", none.text())
	}
}
