package sqlstore

import (
	"context"
	"time"

	"callhome/server/ingest"
)

// Ingest is the store of blocks that wait.
func (t *Tx) Ingest() ingest.Store { return ingestStore{t} }

type ingestStore struct{ *Tx }

// AddBlock implements [ingest.Store].
func (s ingestStore) AddBlock(ctx context.Context, w ingest.Waiting) error {
	_, err := s.exec(ctx, "ingest_add_block", w.Group, w.Number, flag(w.IsLast), w.ID, micros(w.At))
	return err
}

// Blocks implements [ingest.Store].
func (s ingestStore) Blocks(ctx context.Context, group string) ([]ingest.Waiting, error) {
	rows, err := s.query(ctx, "ingest_blocks", group)
	return collect(rows, err, func(r scanner) (ingest.Waiting, error) {
		w := ingest.Waiting{Group: group}
		var came, last int64
		err := r.Scan(&w.Number, &last, &w.ID, &came)
		w.IsLast, w.At = last != 0, fromMicros(came)
		return w, err
	})
}

// DropBlocks implements [ingest.Store].
func (s ingestStore) DropBlocks(ctx context.Context, group string) error {
	_, err := s.exec(ctx, "ingest_drop_blocks", group)
	return err
}

// OverdueBlocks implements [ingest.Store].
func (s ingestStore) OverdueBlocks(ctx context.Context, before time.Time, limit int) ([]string, error) {
	rows, err := s.query(ctx, "ingest_overdue", micros(before), limit)
	return collect(rows, err, func(r scanner) (g string, err error) { return g, r.Scan(&g) })
}
