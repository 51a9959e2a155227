package spool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"callhome/outbox"
)

// FirstAlert implements outbox.Store.
func (s *Store) FirstAlert(ctx context.Context, device string) (*outbox.AlertRow, error) {
	a, err := alertOf(s.reads["first_alert"].QueryRowContext(ctx, device))
	return a, s.fault(err)
}

// FirstEntries implements outbox.Store.
func (s *Store) FirstEntries(ctx context.Context, road outbox.RoadID, device string, limit, maxBytes int) ([]outbox.Entry, error) {
	rows, err := s.reads["first_entries"].QueryContext(ctx, int64(road), device, limit)
	if err != nil {
		return nil, s.fault(err)
	}
	defer rows.Close()
	var out []outbox.Entry
	bytes := 0
	for bytes < maxBytes && rows.Next() {
		e := outbox.Entry{Status: outbox.StatusQueued}
		if err := scanEntry(rows, &e, &e.Packed); err != nil {
			return nil, s.fault(err)
		}
		bytes += e.Stored
		out = append(out, e)
	}
	return out, s.fault(rows.Err())
}

type scanner interface{ Scan(dest ...any) error }

// scanEntry reads the columns that all queries of entries have, and then more.
func scanEntry(row scanner, e *outbox.Entry, more ...any) error {
	v := &e.Envelope
	var queued, tried, retry int64
	into := []any{&e.ID, &e.Road, &v.Destination.Transport, &v.Destination.Address, &v.Device, &v.MessageID, &v.AlertID,
		&v.Profile, &v.Group, &v.Format, &v.From, &v.ContentType, &v.Truncated, &v.Anonymous,
		&e.Size, &e.Stored, &queued, &e.Attempts, &tried, &retry, &e.LastError}
	if err := row.Scan(append(into, more...)...); err != nil {
		return err
	}
	e.QueuedAt, e.TriedAt, e.RetryAt = fromMicros(queued), fromMicros(tried), fromMicros(retry)
	return nil
}

// scanFate is scanEntry with the reason and time of a dead letter.
func scanFate(row scanner, e *outbox.Entry, more ...any) error {
	var died int64
	err := scanEntry(row, e, append([]any{&e.Reason, &died}, more...)...)
	e.DiedAt = fromMicros(died)
	return err
}

// Devices implements outbox.Store.
func (s *Store) Devices(ctx context.Context, road outbox.RoadID, after *string, limit int) ([]string, error) {
	name, args := "entry_devices", []any{limit, int64(road)}
	if road == 0 {
		name, args = "alert_devices", args[:1]
	}
	if after == nil {
		name += "_from_start"
	} else {
		name += "_after"
		args = append(args, *after)
	}
	rows, err := s.reads[name].QueryContext(ctx, args...)
	if err != nil {
		return nil, s.fault(err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var device string
		if err := rows.Scan(&device); err != nil {
			return nil, s.fault(err)
		}
		out = append(out, device)
	}
	return out, s.fault(rows.Err())
}

// Entry implements outbox.Store.
func (s *Store) Entry(ctx context.Context, id outbox.EntryID) (*outbox.Entry, error) {
	for _, q := range []struct {
		name   string
		status outbox.Status
	}{{"one_entry", outbox.StatusQueued}, {"one_letter", outbox.StatusDead}} {
		e := outbox.Entry{Status: q.status}
		err := scanFate(s.reads[q.name].QueryRowContext(ctx, int64(id)), &e, &e.Packed)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		return &e, s.fault(err)
	}
	return nil, nil //nolint:nilnil // outbox.Store: nil if there is none
}

// List implements outbox.Store.
func (s *Store) List(ctx context.Context, f outbox.Filter) ([]outbox.Entry, error) {
	name, table := "list_entries", "entry"
	switch f.Status {
	case "", outbox.StatusQueued:
		f.Status = outbox.StatusQueued
	case outbox.StatusDead:
		name, table = "list_letters", "dead_letter"
	default:
		return nil, errUnknownStatus
	}
	where, args := conditions(table, f)
	rows, err := s.db.Read.QueryContext(ctx, s.queries[name]+where, args...)
	if err != nil {
		return nil, s.fault(err)
	}
	defer rows.Close()
	var out []outbox.Entry
	for rows.Next() {
		e := outbox.Entry{Status: f.Status}
		if err := scanFate(rows, &e); err != nil {
			return nil, s.fault(err)
		}
		out = append(out, e)
	}
	return out, s.fault(rows.Err())
}

// conditions turns a filter into the rest of a list query. Only names of ours go into the text.
func conditions(table string, f outbox.Filter) (string, []any) {
	var text strings.Builder
	var args []any
	and := func(column, op string, value any) {
		args = append(args, value)
		fmt.Fprintf(&text, " AND %s.%s %s $%d", table, column, op, len(args))
	}
	if f.MessageID != "" {
		and("message_id", "=", string(f.MessageID))
	}
	if f.Device != nil {
		and("device", "=", *f.Device)
	}
	if f.Destination != nil {
		args = append(args, string(f.Destination.Transport), f.Destination.Address)
		fmt.Fprintf(&text, " AND %s.road = (SELECT id FROM destination WHERE transport = $%d AND address = $%d)", table, len(args)-1, len(args))
	}
	order := "ASC"
	switch {
	case f.Newest && f.After != 0:
		and("id", "<", int64(f.After))
	case !f.Newest:
		and("id", ">", int64(f.After))
	}
	if f.Newest {
		order = "DESC"
	}
	args = append(args, f.Limit)
	fmt.Fprintf(&text, " ORDER BY %s.id %s LIMIT $%d", table, order, len(args))
	return text.String(), args
}

// Ledger implements outbox.Store.
func (s *Store) Ledger(ctx context.Context, f outbox.LedgerFilter) ([]outbox.Outcome, error) {
	if f.Before == 0 {
		f.Before = math.MaxInt64
	}
	name, args := "ledger_newest", []any{f.Before, f.Limit}
	if f.MessageID != "" {
		name, args = "ledger_of_message", append(args, string(f.MessageID))
	}
	rows, err := s.reads[name].QueryContext(ctx, args...)
	if err != nil {
		return nil, s.fault(err)
	}
	defer rows.Close()
	var out []outbox.Outcome
	for rows.Next() {
		var o outbox.Outcome
		var at, queued int64
		if err := rows.Scan(lineOf(&o, &at, &queued)...); err != nil {
			return nil, s.fault(err)
		}
		o.At, o.QueuedAt = fromMicros(at), fromMicros(queued)
		out = append(out, o)
	}
	return out, s.fault(rows.Err())
}

// Oldest implements outbox.Store.
func (s *Store) Oldest(ctx context.Context) (at time.Time, err error) {
	var n int64
	err = s.reads["oldest"].QueryRowContext(ctx).Scan(&n)
	return fromMicros(n), s.fault(err)
}
