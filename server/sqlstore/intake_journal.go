package sqlstore

import (
	"context"

	"callhome/server/archive"
	"callhome/server/archive/journal"
)

// Position is the place up to which the journal was worked.
func (s *Store) Position(ctx context.Context) (p journal.Position, err error) {
	_, err = found(s.Read().row(ctx, "archive_position").Scan(&p.Segment, &p.Offset))
	return p, err
}

// Known tells whether a message is in the archive, for [journal.Options].
func (s *Store) Known(ctx context.Context, k archive.Key) (id int64, known bool, err error) {
	known, err = found(s.Read().row(ctx, "archive_key", k[:]).Scan(&id))
	return id, known, err
}

// JournalIntake is the intake on SQLite: arrivals wait in a journal, and their effects are committed together with the
// place up to which it was worked. One goroutine may work at a time.
type JournalIntake struct {
	*journal.Journal
	store *Store
	at    journal.Position
}

// NewJournalIntake works a journal that was opened at Store.Position.
func NewJournalIntake(s *Store, j *journal.Journal, at journal.Position) *JournalIntake {
	return &JournalIntake{Journal: j, store: s, at: at}
}

// Work waits for arrivals, hands up to limit of them to f in one transaction, and tells how many. When f fails nothing
// of it has happened, and the same arrivals come again. Repeats are left out.
func (w *JournalIntake) Work(ctx context.Context, limit int, f func(*Tx, []archive.Arrival) error) (int, error) {
	b, err := w.Next(ctx, w.at, limit)
	if err != nil {
		return 0, err
	}
	err = w.store.InTx(ctx, func(tx *Tx) error {
		fresh := make([]archive.Arrival, 0, len(b.Arrivals))
		for _, a := range b.Arrivals {
			n, err := tx.exec(ctx, "archive_add_key", a.Key[:], a.ID)
			if err != nil {
				return err
			}
			if n > 0 {
				fresh = append(fresh, a)
			}
		}
		if err := f(tx, fresh); err != nil {
			return err
		}
		_, err := tx.exec(ctx, "archive_set_position", b.Next.Segment, b.Next.Offset)
		return err
	})
	if err != nil {
		return 0, err
	}
	w.at = b.Next
	w.Done(b)
	return len(b.Arrivals), nil
}
