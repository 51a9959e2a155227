package sqlstore

import (
	"context"
	"errors"

	"callhome/server/archive"
	"callhome/server/archive/journal"
)

// Position is the place up to which the journal was worked.
func (s *Store) Position(ctx context.Context) (p journal.Position, err error) {
	_, err = found(s.Read().row(ctx, "archive_position").Scan(&p.Segment, &p.Offset))
	return p, err
}

// Known tells whether a message is in the archive.
func (s *Store) Known(ctx context.Context, k archive.Key) (id int64, known bool, err error) {
	known, err = found(s.Read().row(ctx, "archive_key", k[:]).Scan(&id))
	return id, known, err
}

// JournalIntake is the intake on SQLite: arrivals wait in a journal, and their effects are committed together with the
// place up to which it was worked. One goroutine may work at a time; while its transaction runs, the next batch is read
// and prepared on another processor.
type JournalIntake struct {
	*journal.Journal
	store *Store
	at    journal.Position
	ahead chan fetched   // the next batch, being fetched; nil: nobody fetches
	again *journal.Batch // a batch whose transaction failed

	taken   int64 // by the journal when the latest batch was done
	pressed bool
}

// fetched is a batch that was read and prepared, or why it could not be.
type fetched struct {
	batch journal.Batch
	err   error
}

// NewJournalIntake works a journal that was opened at Store.Position.
func NewJournalIntake(s *Store, j *journal.Journal, at journal.Position) *JournalIntake {
	return &JournalIntake{Journal: j, store: s, at: at}
}

// Work waits for arrivals, hands up to limit of them to f in one transaction, and tells how many. When f fails nothing
// of it has happened, and the same arrivals come again. Repeats are left out.
func (w *JournalIntake) Work(ctx context.Context, limit int, prepare archive.Prepare, f func(*Tx, []archive.Arrival) error) (int, error) {
	b, err := w.next(ctx, limit, prepare)
	if err != nil {
		return 0, err
	}
	w.fetch(ctx, b.Next, limit, prepare)
	err = w.store.InTx(ctx, func(tx *Tx) error {
		fresh, err := w.fresh(ctx, tx, b.Arrivals)
		if err != nil {
			return err
		}
		if err := f(tx, fresh); err != nil {
			return err
		}
		_, err = tx.exec(ctx, "archive_set_position", b.Next.Segment, b.Next.Offset)
		return err
	})
	if err != nil {
		w.again = b
		return 0, err
	}
	w.at, w.again = b.Next, nil
	w.Done(*b)
	taken, room := w.Taken()
	w.pressed = room && taken-w.taken > int64(len(b.Arrivals))
	w.taken = taken
	return len(b.Arrivals), nil
}

// Pressed reports whether more came during the latest batch than was worked, and there is room for it: work does not keep
// up in any case, so the machine is best left to those who wait for an answer. It belongs to whoever calls Work.
func (w *JournalIntake) Pressed() bool { return w.pressed }

// fresh notes the keys of arrivals and gives those that are no repeats.
func (w *JournalIntake) fresh(ctx context.Context, tx *Tx, all []archive.Arrival) ([]archive.Arrival, error) {
	fresh := make([]archive.Arrival, 0, len(all))
	for i := range all {
		n, err := tx.exec(ctx, "archive_add_key", all[i].Key[:], all[i].ID)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			fresh = append(fresh, all[i])
		}
	}
	return fresh, nil
}

// next gives the batch to work: the one that failed before, or the one that was fetched, filled up with what has come
// since.
func (w *JournalIntake) next(ctx context.Context, limit int, prepare archive.Prepare) (*journal.Batch, error) {
	if w.again != nil {
		return w.again, nil
	}
	for {
		w.fetch(ctx, w.at, limit, prepare)
		var got fetched
		select {
		case got = <-w.ahead:
			w.ahead = nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if got.err != nil {
			if ctx.Err() == nil && (errors.Is(got.err, context.Canceled) || errors.Is(got.err, context.DeadlineExceeded)) {
				continue // it was fetched under a context that has ended meanwhile
			}
			return nil, got.err
		}
		return w.fill(ctx, &got.batch, limit, prepare)
	}
}

// fill adds what has come since a small batch was fetched: a larger one costs less for each message.
func (w *JournalIntake) fill(ctx context.Context, b *journal.Batch, limit int, prepare archive.Prepare) (*journal.Batch, error) {
	for len(b.Arrivals) < limit && w.Waiting(b.Next) {
		more, err := w.Next(ctx, b.Next, limit-len(b.Arrivals))
		if err != nil {
			return nil, err
		}
		prepare(more.Arrivals)
		b.Arrivals = append(b.Arrivals, more.Arrivals...)
		b.Next = more.Next
	}
	return b, nil
}

// fetch begins to read the batch at a position, unless one is being read already.
func (w *JournalIntake) fetch(ctx context.Context, from journal.Position, limit int, prepare archive.Prepare) {
	if w.ahead != nil {
		return
	}
	ahead := make(chan fetched, 1)
	w.ahead = ahead
	go func() {
		b, err := w.Next(ctx, from, limit)
		if err == nil {
			prepare(b.Arrivals)
		}
		ahead <- fetched{b, err}
	}()
}
