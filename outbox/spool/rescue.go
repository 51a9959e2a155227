package spool

import (
	"context"
	"errors"
	"fmt"
	"time"

	"callhome/outbox"
	"callhome/sqldb"
)

// rescued are the tables that are saved from a damaged file, the indispensable first.
var rescued = []string{"mark", "destination", "alert", "entry", "dead_letter", "statistic", "ledger"}

// Rescue tells of a damaged spool that was set aside at start.
type Rescue struct {
	Aside  *sqldb.Aside
	Rows   map[string]int64 // saved, by table
	Faults error            // tables that could not be read to the end; their readable rows are saved
}

// String is a sentence for the log and for health.
func (r *Rescue) String() string {
	text := fmt.Sprintf("%s; %d alerts, %d queued messages and %d dead letters were saved", r.Aside, r.Rows["alert"], r.Rows["entry"], r.Rows["dead_letter"])
	if r.Faults != nil {
		text += fmt.Sprintf("; some rows could not be read: %v", r.Faults)
	}
	return text
}

// salvage saves what it can. It does not fail: an empty spool that works is better than none.
func salvage(ctx context.Context, s *Store, aside *sqldb.Aside) *Rescue {
	r := &Rescue{Aside: aside}
	r.Rows, r.Faults = sqldb.Salvage(ctx, aside.Path, s.db, rescued...)
	if err := s.recount(ctx, time.Now()); err != nil {
		r.Faults = errors.Join(r.Faults, fmt.Errorf("recount: %w", err))
	}
	return r
}

// maxReserved is more message numbers than one alert reserves.
const maxReserved = 1 << 10

// recount makes the mark fit the rows that were saved. If the mark was not saved, message numbers go on from the time in
// seconds, which is beyond any that was given out.
func (s *Store) recount(ctx context.Context, now time.Time) error {
	saved, err := readMark(ctx, s.db.Write, s.queries["load_mark"])
	if err != nil {
		return err
	}
	var m outbox.Mark
	err = s.db.Write.QueryRowContext(ctx, s.queries["recount"]).Scan(&m.LastAlert, &m.LastNumber, &m.LastEntry, &m.LastRoad,
		&m.Alerts, &m.AlertBytes, &m.Entries, &m.EntryBytes, &m.DeadLetters, &m.DeadBytes)
	if err != nil {
		return err
	}
	if saved.LastNumber == 0 {
		saved.LastNumber = uint64(now.Unix())
		saved.LastAlert, saved.LastEntry = now.Unix(), outbox.EntryID(now.Unix())
	}
	m.LastAlert, m.LastEntry, m.LastRoad = max(m.LastAlert, saved.LastAlert), max(m.LastEntry, saved.LastEntry), max(m.LastRoad, saved.LastRoad)
	m.LastNumber, m.LastSentAt = max(m.LastNumber+maxReserved, saved.LastNumber), saved.LastSentAt
	tx, err := s.db.Write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	if _, err := tx.ExecContext(ctx, s.queries["set_mark"], markArgs(&m)...); err != nil {
		return err
	}
	for _, name := range []string{"delete_queued_statistics", "recount_queued_statistics"} {
		if _, err := tx.ExecContext(ctx, s.queries[name]); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return tx.Commit()
}
