package book

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"callhome"
)

// Directions and states of bundles.
const (
	Out = "out"
	In  = "in"

	StateOpen      = "open"      // written; its receipt has not come
	StateConfirmed = "confirmed" // its receipt came
	StateMarked    = "marked"    // its messages were given out for good when it was written
	StateTaken     = "taken"     // an incoming one whose messages are all in the queue
)

// Bundle is a bundle that was written or taken.
type Bundle struct {
	ID        string    `json:"id"`
	Direction string    `json:"direction"`
	Peer      string    `json:"peer"`
	At        time.Time `json:"at"`
	Messages  int       `json:"messages"`
	Bytes     int64     `json:"bytes"`
	State     string    `json:"state"`
	SettledAt time.Time `json:"settled_at,omitzero"`
	Answer    []byte    `json:"-"` // the receipt that was given for an incoming one
}

// PutBundle enters a bundle, with the entries of the queue that are in it when it goes out. A bundle that is known only
// changes its state.
func (b *Book) PutBundle(ctx context.Context, u *Bundle, entries []int64) error {
	return b.inTx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, b.queries["put_bundle"], u.ID, u.Direction, u.Peer, micros(u.At), u.Messages, u.Bytes, u.State, micros(u.SettledAt), append([]byte{}, u.Answer...))
		if err != nil {
			return err
		}
		put, err := tx.PrepareContext(ctx, b.queries["put_bundled"])
		if err != nil {
			return err
		}
		defer put.Close()
		for _, e := range entries {
			if _, err := put.ExecContext(ctx, e, u.ID); err != nil {
				return err
			}
		}
		return nil
	})
}

// Bundle gives one bundle.
func (b *Book) Bundle(ctx context.Context, id string) (*Bundle, error) {
	u, err := scanBundle(b.db.Read.QueryRowContext(ctx, b.queries["bundle"], id))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, callhome.Errorf(callhome.KindNotFound, "bundle %s is not known here", id)
	}
	return u, b.fault(err)
}

func scanBundle(row scanner) (*Bundle, error) {
	var u Bundle
	var at, settled int64
	err := row.Scan(&u.ID, &u.Direction, &u.Peer, &at, &u.Messages, &u.Bytes, &u.State, &settled, &u.Answer)
	u.At, u.SettledAt = fromMicros(at), fromMicros(settled)
	return &u, err
}

// Bundles lists bundles, the newest first.
func (b *Book) Bundles(ctx context.Context, limit int) ([]Bundle, error) {
	rows, err := b.db.Read.QueryContext(ctx, b.queries["list_bundles"], limit)
	if err != nil {
		return nil, b.fault(err)
	}
	defer rows.Close()
	var out []Bundle
	for rows.Next() {
		u, err := scanBundle(rows)
		if err != nil {
			return nil, b.fault(err)
		}
		out = append(out, *u)
	}
	return out, b.fault(rows.Err())
}

func (b *Book) entryRows(ctx context.Context, query string, args ...any) ([]int64, error) {
	rows, err := b.db.Read.QueryContext(ctx, b.queries[query], args...)
	if err != nil {
		return nil, b.fault(err)
	}
	defer rows.Close()
	var out []int64
	for rows.Next() {
		var e int64
		if err := rows.Scan(&e); err != nil {
			return nil, b.fault(err)
		}
		out = append(out, e)
	}
	return out, b.fault(rows.Err())
}

// Bundled lists entries of the queue that are in an outgoing bundle, in order; after is exclusive.
func (b *Book) Bundled(ctx context.Context, after int64, limit int) ([]int64, error) {
	return b.entryRows(ctx, "bundled_after", after, limit)
}

// BundledIn lists the entries that are in one bundle and not settled.
func (b *Book) BundledIn(ctx context.Context, bundle string) ([]int64, error) {
	return b.entryRows(ctx, "bundled_in", bundle)
}

// Unbundle settles entries: they left the queue, or may go into another bundle.
func (b *Book) Unbundle(ctx context.Context, entries []int64) error {
	return b.inTx(ctx, func(tx *sql.Tx) error {
		for _, e := range entries {
			if _, err := tx.ExecContext(ctx, b.queries["unbundle"], e); err != nil {
				return err
			}
		}
		return nil
	})
}
