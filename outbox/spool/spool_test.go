package spool_test

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"callhome"
	"callhome/outbox"
	"callhome/outbox/outboxtest"
	"callhome/outbox/spool"
)

func openAt(t testing.TB, path string) *spool.Store {
	t.Helper()
	s, err := spool.Open(context.Background(), path, spool.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if s.Rescued() != nil {
		t.Fatalf("the spool is damaged: %v", s.Rescued())
	}
	return s
}

func TestConformance(t *testing.T) {
	path := ""
	outboxtest.Run(t,
		func(t testing.TB) outbox.Store {
			path = filepath.Join(t.TempDir(), "outbox.db")
			s := openAt(t, path)
			if _, err := s.Load(context.Background()); err != nil {
				t.Fatal(err)
			}
			return s
		},
		func(t testing.TB, s outbox.Store) outbox.Store {
			if err := s.(*spool.Store).Close(); err != nil {
				t.Fatal(err)
			}
			return openAt(t, path)
		})
}

func TestModel(t *testing.T) {
	path := ""
	outboxtest.Model(t,
		func(t testing.TB) outbox.Store {
			path = filepath.Join(t.TempDir(), "outbox.db")
			return openAt(t, path)
		},
		func(t testing.TB, _ outbox.Store) outbox.Store { return openAt(t, path) })
}

func TestOneProcessOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.db")
	s := openAt(t, path)
	_, err := spool.Open(context.Background(), path, spool.Options{})
	if callhome.KindOf(err) != callhome.KindConflict || !strings.Contains(err.Error(), "data_dir") {
		t.Errorf("a second opening: got %v, want a conflict with the remedy", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	openAt(t, path)
}

// TestRest puts and delivers while the store is told to rest again and again.
func TestRest(t *testing.T) {
	q := openQueue(t, filepath.Join(t.TempDir(), "outbox.db"))
	ctx, stop := context.WithCancel(t.Context())
	var resting sync.WaitGroup
	resting.Go(func() {
		for ctx.Err() == nil {
			q.Rest(ctx)
		}
	})
	fillQueue(t, q, 500)
	if err := drain(q, 4, 500); err != nil {
		t.Error(err)
	}
	stop()
	resting.Wait()
	if d, err := q.Depth(t.Context()); err != nil || d.Entries != 0 {
		t.Errorf("depth %+v (%v), want nothing", d, err)
	}
}
