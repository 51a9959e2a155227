package spool

import (
	"context"
	"fmt"

	"callhome/outbox"
	"callhome/sqldb"
)

// Apply writes one transaction. What is not committed when the process dies is undone by SQLite at the next start; what
// is committed was synced.
func (s *Store) Apply(ctx context.Context, b *outbox.Batch) error {
	if _, err := s.writes["begin"].ExecContext(ctx); err != nil {
		return s.fault(fmt.Errorf("begin: %w", err))
	}
	err := s.write(ctx, b)
	if err == nil {
		if _, err = s.writes["commit"].ExecContext(ctx); err == nil {
			s.mark = b.Mark
			s.foldIfLong(ctx)
			return nil
		}
		err = fmt.Errorf("commit: %w", err)
	}
	_, _ = s.writes["rollback"].ExecContext(context.Background()) // SQLite may have undone it already
	if sqldb.IsFull(err) {
		s.foldForRoom(ctx)
	}
	return s.fault(err)
}

// step is one statement with its name for errors.
type step struct {
	ctx context.Context //nolint:containedctx // lives for one Apply
	s   *Store
	err error
}

// do runs a statement unless an earlier one failed, and gives the number of rows it changed.
func (st *step) do(name string, args ...any) int64 {
	if st.err != nil {
		return 0
	}
	result, err := st.s.writes[name].ExecContext(st.ctx, args...)
	if err != nil {
		st.err = fmt.Errorf("%s: %w", name, err)
		return 0
	}
	n, _ := result.RowsAffected() // the driver always knows
	return n
}

func (s *Store) write(ctx context.Context, b *outbox.Batch) error {
	st := &step{ctx: ctx, s: s}
	for _, r := range b.Roads {
		st.do("add_destination", int64(r.ID), string(r.Destination.Transport), r.Destination.Address)
	}
	for i := range b.Alerts {
		a := &b.Alerts[i]
		st.do("add_alert", a.ID, a.Device, int64(a.First), micros(a.AcceptedAt), a.Packed)
	}
	for _, d := range b.Delays {
		st.do("delay_alert", d.ID, micros(d.RetryAt))
	}
	for _, id := range b.Retired {
		st.do("delete_alert", id)
	}
	s.writeEntries(st, b)
	s.writeBooks(st, b)
	return st.err
}

func (s *Store) writeEntries(st *step, b *outbox.Batch) {
	for i := range b.Entries {
		e := &b.Entries[i]
		v := &e.Envelope
		st.do("add_entry", int64(e.ID), int64(e.Road), v.Device, string(v.MessageID), string(v.AlertID), string(v.Profile),
			string(v.Group), string(v.Format), v.From, v.ContentType, v.Truncated, v.Anonymous, e.Size, micros(e.QueuedAt), e.Packed)
	}
	for _, id := range b.Removed {
		st.do("delete_entry", int64(id))
	}
	for _, r := range b.Retrials {
		st.do("fail_entry", int64(r.ID), r.Attempts, micros(r.TriedAt), micros(r.RetryAt), r.LastError)
	}
	for _, d := range b.Buried {
		st.do("bury_entry", int64(d.ID), string(d.Reason), d.Attempts, micros(d.DiedAt), d.LastError)
		st.do("delete_entry", int64(d.ID))
	}
	for _, r := range b.Revived {
		st.do("revive_letter", int64(r.ID), int64(r.As), micros(r.QueuedAt))
		st.do("delete_letter", int64(r.ID))
	}
	for _, id := range b.Discarded {
		st.do("delete_letter", int64(id))
	}
}

func (s *Store) writeBooks(st *step, b *outbox.Batch) {
	for i := range b.Ledger {
		o := &b.Ledger[i]
		st.do("add_line", micros(o.At), string(o.Status), string(o.Reason), string(o.AlertID), string(o.MessageID), o.Device,
			string(o.Group), string(o.Profile), string(o.Destination.Transport), o.Destination.Address, o.Attempts,
			micros(o.QueuedAt), o.Detail)
	}
	if f := b.Forget; f != nil {
		f.Gone = int(st.do("forget_lines", micros(f.Before), f.Keep, f.Max))
	}
	for _, c := range b.Increments {
		st.do("add_statistic", string(c.Group), string(c.Transport), string(c.Status), string(c.Reason), c.N)
	}
	if m := &b.Mark; *m != s.mark {
		st.do("set_mark", markArgs(m)...)
	}
}

func markArgs(m *outbox.Mark) []any {
	return []any{m.LastAlert, int64(m.LastNumber), int64(m.LastEntry), int64(m.LastRoad), m.Alerts, m.AlertBytes,
		m.Entries, m.EntryBytes, m.DeadLetters, m.DeadBytes, micros(m.LastSentAt)}
}
