package spool

import (
	"context"
	"os"
	"time"

	"callhome/sqldb"
)

const (
	// journalMax is the size of the WAL beyond which Apply folds it into the database itself. SQLite's own checkpoints
	// cannot start the WAL anew while anybody reads, and under load somebody always does: it would grow without bound,
	// and on a small disk until nothing can be deleted any more.
	journalMax = 2 * sqldb.DefaultCheckpointPages * sqldb.DefaultPageSize
	// foldPause is the time between two attempts to win room on a full disk.
	foldPause = time.Second
)

// journal watches the WAL's size; Apply owns it.
type journal struct {
	path   string
	next   int64     // size at which to fold; moves on when a long reader keeps the WAL
	folded time.Time // last attempt on a full disk
}

// foldIfLong keeps the WAL short. It waits for readers, at most the busy timeout; new ones do not hinder it.
func (s *Store) foldIfLong(ctx context.Context) {
	size := s.journal.size()
	if size <= max(s.journal.next, journalMax) {
		return
	}
	s.fold(ctx)
	s.journal.next = 0
	if left := s.journal.size(); left > 0 {
		s.journal.next = left + journalMax
	}
}

// foldForRoom tries to win room on a full disk: what the WAL holds of pages that the database has already needs none
// there, and a folded WAL is cut to nothing.
func (s *Store) foldForRoom(ctx context.Context) {
	if time.Since(s.journal.folded) >= foldPause {
		s.journal.folded = time.Now()
		s.fold(ctx)
	}
}

func (s *Store) fold(ctx context.Context) {
	_, _ = s.conn.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)") // a failure leaves all as it was; the next write tells
}

func (j *journal) size() int64 {
	info, err := os.Stat(j.path)
	if err != nil {
		return 0
	}
	return info.Size()
}
