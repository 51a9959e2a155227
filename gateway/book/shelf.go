package book

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"callhome"
)

// Shelved is a message that was refused and whose bytes are kept.
type Shelved struct {
	ID        int64     `json:"id"`
	At        time.Time `json:"at"`
	Source    string    `json:"source,omitempty"`
	Transport string    `json:"transport"`
	Reason    string    `json:"reason"` // malformed, unsupported, loop
	Detail    string    `json:"detail,omitempty"`
	Size      int       `json:"size"`
	Body      []byte    `json:"body,omitempty"` // as received; lists leave it out
}

// Shelve keeps a refused message, and takes the oldest off where there is no room. It gives the message's number, 0 when
// it is larger than the whole shelf.
func (b *Book) Shelve(ctx context.Context, s *Shelved) (id int64, err error) {
	l := b.limits.Load()
	if int64(len(s.Body)) > l.Shelf || l.Shelved < 1 {
		return 0, nil
	}
	err = b.inTx(ctx, func(tx *sql.Tx) error {
		row := tx.QueryRowContext(ctx, b.queries["shelve"], micros(s.At), s.Source, s.Transport, s.Reason, s.Detail, len(s.Body), s.Body)
		if err := row.Scan(&id); err != nil {
			return err
		}
		for {
			var n, bytes int64
			if err := tx.QueryRowContext(ctx, b.queries["shelf_size"]).Scan(&n, &bytes); err != nil {
				return err
			}
			if n <= l.Shelved && bytes <= l.Shelf {
				return nil
			}
			if _, err := tx.ExecContext(ctx, b.queries["shelf_oldest"]); err != nil {
				return err
			}
		}
	})
	return id, err
}

// ShelfSize is how many messages are on the shelf, and their bytes.
func (b *Book) ShelfSize(ctx context.Context) (n, bytes int64, err error) {
	err = b.db.Read.QueryRowContext(ctx, b.queries["shelf_size"]).Scan(&n, &bytes)
	return n, bytes, b.fault(err)
}

// Shelf lists what is kept, the oldest first, without bodies; after is exclusive.
func (b *Book) Shelf(ctx context.Context, after int64, limit int) ([]Shelved, error) {
	rows, err := b.db.Read.QueryContext(ctx, b.queries["list_shelf"], after, limit)
	if err != nil {
		return nil, b.fault(err)
	}
	defer rows.Close()
	var out []Shelved
	for rows.Next() {
		var s Shelved
		var at int64
		if err := rows.Scan(&s.ID, &at, &s.Source, &s.Transport, &s.Reason, &s.Detail, &s.Size); err != nil {
			return nil, b.fault(err)
		}
		s.At = fromMicros(at)
		out = append(out, s)
	}
	return out, b.fault(rows.Err())
}

// Shelved gives one kept message with its body.
func (b *Book) Shelved(ctx context.Context, id int64) (*Shelved, error) {
	var s Shelved
	var at int64
	err := b.db.Read.QueryRowContext(ctx, b.queries["shelved"], id).Scan(&s.ID, &at, &s.Source, &s.Transport, &s.Reason, &s.Detail, &s.Size, &s.Body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, callhome.Errorf(callhome.KindNotFound, "there is nothing with number %d on the shelf; see `callhome gateway shelf list`", id)
	}
	s.At = fromMicros(at)
	return &s, b.fault(err)
}

// Unshelve deletes one kept message.
func (b *Book) Unshelve(ctx context.Context, id int64) error {
	res, err := b.db.Write.ExecContext(ctx, b.queries["unshelve"], id)
	if err != nil {
		return b.fault(err)
	}
	if n, _ := res.RowsAffected(); n == 0 {
		return callhome.Errorf(callhome.KindNotFound, "there is nothing with number %d on the shelf; see `callhome gateway shelf list`", id)
	}
	return nil
}
