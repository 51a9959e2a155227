package book

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Batch is what one transaction writes.
type Batch struct {
	Seen      []Seen
	Sightings []Sighting
	Results   []Result
	Counts    map[Count]int64 // increments
	CleanAt   time.Time       // nothing that happened before is missing once this batch is written; zero: not known
}

// Seen is a message that was taken.
type Seen struct {
	Key Key
	At  time.Time
}

// Count names a counter.
type Count struct {
	Kind string `json:"kind"`
	Word string `json:"word"`
}

// writing are the statements that Write prepares once.
var writing = []string{
	"add_seen", "device", "put_device", "count", "put_fact", "forget_seen_before", "forget_seen_oldest", "count_devices", "forget_devices_oldest",
}

// forgetAtOnce bounds what one transaction forgets, so that no message waits for housekeeping.
const forgetAtOnce = 2000

const cleanFact = "clean_at"

// Write writes a batch: all of it or nothing.
func (b *Book) Write(ctx context.Context, batch *Batch) error {
	err := b.inTx(ctx, func(tx *sql.Tx) error {
		w := &writer{tx: tx, b: b}
		for _, s := range batch.Seen {
			w.exec(ctx, "add_seen", s.Key[:], micros(s.At))
		}
		if w.err == nil {
			w.devices(ctx, batch)
		}
		for _, c := range sortedCounts(batch.Counts) {
			w.exec(ctx, "count", c.Kind, c.Word, batch.Counts[c])
		}
		if !batch.CleanAt.IsZero() {
			w.exec(ctx, "put_fact", cleanFact, batch.CleanAt.UTC().Format(time.RFC3339Nano))
		}
		return w.err
	})
	if err != nil {
		return fmt.Errorf("write the book: %w", err)
	}
	return nil
}

// writer runs statements in one transaction until the first error.
type writer struct {
	tx  *sql.Tx
	b   *Book
	err error
}

func (w *writer) exec(ctx context.Context, name string, args ...any) (rows int64) {
	if w.err != nil {
		return 0
	}
	res, err := w.tx.StmtContext(ctx, w.b.writes[name]).ExecContext(ctx, args...)
	if err != nil {
		w.err = err
		return 0
	}
	rows, _ = res.RowsAffected()
	return rows
}

// devices brings sightings and results into the list. A device is read and written once, however often it is in the batch.
func (w *writer) devices(ctx context.Context, batch *Batch) {
	known := map[string]*Device{}
	load := func(key string) *Device {
		d, ok := known[key]
		if !ok {
			d, w.err = w.device(ctx, key)
			known[key] = d
		}
		return d
	}
	for i := range batch.Sightings {
		if d := load(batch.Sightings[i].Key); w.err == nil {
			d.sight(&batch.Sightings[i])
		}
	}
	for _, r := range batch.Results {
		if d := load(r.Key); w.err == nil && d.Total > 0 {
			d.Result, d.ResultAt = r.Result, r.At
		}
	}
	for key, d := range known {
		if w.err != nil || d.Total == 0 { // a result of a device that was forgotten
			continue
		}
		rhythm, err := json.Marshal(d.rhythm)
		if err != nil {
			w.err = err
			return
		}
		w.exec(ctx, "put_device", key, d.Hostname, d.Serial, d.Product, d.Source, d.Transport, micros(d.FirstSeen), micros(d.LastSeen),
			d.Total, d.LastType, d.Result, micros(d.ResultAt), string(rhythm), int64(d.Period/time.Second))
	}
}

// device is a device as stored, a new one with Total 0 where there is none.
func (w *writer) device(ctx context.Context, key string) (*Device, error) {
	d, err := scanDevice(w.tx.StmtContext(ctx, w.b.writes["device"]).QueryRowContext(ctx, key), key)
	if errors.Is(err, sql.ErrNoRows) {
		return &Device{Key: key, rhythm: map[string]rhythm{}}, nil
	}
	return d, err
}

func sortedCounts(counts map[Count]int64) []Count {
	out := make([]Count, 0, len(counts))
	for c := range counts {
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b Count) int { return strings.Compare(a.Kind+"\x00"+a.Word, b.Kind+"\x00"+b.Word) })
	return out
}

// Tidy forgets what is older or more than the limits allow: at most some thousand rows at once. It reports whether there
// is more to forget.
func (b *Book) Tidy(ctx context.Context, now time.Time) (more bool, err error) {
	l := b.limits.Load()
	var seen, devices int64
	if err := b.db.Read.QueryRowContext(ctx, b.queries["count_seen"]).Scan(&seen); err != nil {
		return false, b.fault(err)
	}
	if err := b.db.Read.QueryRowContext(ctx, b.queries["count_devices"]).Scan(&devices); err != nil {
		return false, b.fault(err)
	}
	err = b.inTx(ctx, func(tx *sql.Tx) error {
		w := &writer{tx: tx, b: b}
		gone := w.exec(ctx, "forget_seen_before", micros(now.Add(-l.Window)), forgetAtOnce)
		more = gone == forgetAtOnce
		if over := seen - gone - l.Seen; over > 0 {
			w.exec(ctx, "forget_seen_oldest", min(over, forgetAtOnce))
			more = more || over > forgetAtOnce
		}
		if over := devices - l.Devices; over > 0 {
			w.exec(ctx, "forget_devices_oldest", min(over, forgetAtOnce))
			more = more || over > forgetAtOnce
		}
		return w.err
	})
	return more, err
}

// CleanAt is up to when nothing is missing; zero in a new book.
func (b *Book) CleanAt(ctx context.Context) (time.Time, error) {
	v, err := b.fact(ctx, cleanFact)
	if err != nil || v == "" {
		return time.Time{}, err
	}
	return time.Parse(time.RFC3339Nano, v)
}

// Counts gives all counters.
func (b *Book) Counts(ctx context.Context) (map[Count]int64, error) {
	rows, err := b.db.Read.QueryContext(ctx, b.queries["list_counts"])
	if err != nil {
		return nil, b.fault(err)
	}
	defer rows.Close()
	out := map[Count]int64{}
	for rows.Next() {
		var c Count
		var n int64
		if err := rows.Scan(&c.Kind, &c.Word, &n); err != nil {
			return nil, b.fault(err)
		}
		out[c] = n
	}
	return out, b.fault(rows.Err())
}

func (b *Book) inTx(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := b.db.Write.BeginTx(ctx, nil)
	if err != nil {
		return b.fault(err)
	}
	if err := f(tx); err != nil {
		_ = tx.Rollback() // what went wrong first counts
		return b.fault(err)
	}
	return b.fault(tx.Commit())
}
