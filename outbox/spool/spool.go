package spool

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"callhome"
	"callhome/health"
	"callhome/outbox"
	"callhome/sqldb"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

//go:embed queries.sql
var queryText string

// Store is an outbox.Store in a SQLite file.
type Store struct {
	db      *sqldb.DB
	locked  *os.File // holds the lock
	rescue  *Rescue
	conn    *sql.Conn            // the writing connection, used by Apply and Load only
	writes  map[string]*sql.Stmt // on conn
	reads   map[string]*sql.Stmt // on the read pool
	queries map[string]string
	mark    outbox.Mark // as stored; owned by Apply
	journal journal
}

var _ outbox.Store = (*Store)(nil)

// writing names the statements that are prepared on the writing connection; all others read.
var writing = []string{
	"begin", "commit", "rollback", "set_mark", "add_destination", "add_alert", "delay_alert", "delete_alert", "add_entry", "delete_entry", "fail_entry",
	"bury_entry", "revive_letter", "delete_letter", "add_line", "forget_lines", "add_statistic",
}

var reading = []string{
	"first_alert", "first_entries", "one_entry", "one_letter", "alert_devices_from_start", "alert_devices_after",
	"entry_devices_from_start", "entry_devices_after", "ledger_newest", "ledger_of_message", "oldest",
}

// Options are where a spool tells of damage; both may be nil.
type Options struct {
	Log    *slog.Logger
	Health *health.Registry
}

// Open opens the spool in a file, made if need be; one that another process works is a conflict. A damaged file is set aside and what can be read of it is saved; the
// log and the part "spool" of health tell so until the next start, and so does Rescued.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	migrations, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return nil, err
	}
	queries, err := sqldb.Queries(queryText)
	if err != nil {
		return nil, fmt.Errorf("queries.sql: %w", err)
	}
	locked, err := lock(path)
	if err != nil {
		return nil, err
	}
	db, err := sqldb.Open(ctx, path, sqldb.Options{Migrations: migrations})
	if err != nil {
		return nil, errors.Join(err, locked.Close())
	}
	s := &Store{db: db, locked: locked, journal: journal{path: db.Path + "-wal"}, queries: queries, writes: map[string]*sql.Stmt{}, reads: map[string]*sql.Stmt{}}
	if db.Aside != nil {
		s.rescue = salvage(ctx, s, db.Aside)
		o.Health.Part("spool").Unwell(s.rescue.String())
		if o.Log != nil {
			o.Log.Error(s.rescue.String(), "component", "spool")
		}
	}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// prepare readies the writing statements at once and the reading ones when they are first used, which keeps a start
// short: database/sql prepares them for each connection anyway.
func (s *Store) prepare(ctx context.Context) error {
	var err error
	if s.conn, err = s.db.Write.Conn(ctx); err != nil {
		return fmt.Errorf("open spool: %w", err)
	}
	for _, name := range writing {
		if s.writes[name], err = s.conn.PrepareContext(ctx, s.queries[name]); err != nil {
			return fmt.Errorf("open spool: prepare %s: %w", name, err)
		}
	}
	for _, name := range reading {
		if s.reads[name], err = s.db.Read.PrepareContext(ctx, s.queries[name]); err != nil {
			return fmt.Errorf("open spool: prepare %s: %w", name, err)
		}
	}
	return nil
}

// Close closes the file. Apply must not be under way.
func (s *Store) Close() error {
	var errs []error
	for _, stmts := range []map[string]*sql.Stmt{s.writes, s.reads} {
		for _, stmt := range stmts {
			if stmt != nil {
				errs = append(errs, stmt.Close())
			}
		}
	}
	if s.conn != nil {
		errs = append(errs, s.conn.Close())
	}
	return errors.Join(append(errs, s.db.Close(), s.locked.Close())...)
}

// Rest gives memory back that a busy time has left: the pages that the connections keep, and all but one of those that
// read. They come back as they are needed.
func (s *Store) Rest(ctx context.Context) {
	s.db.Rest()
	_, _ = s.conn.ExecContext(ctx, "PRAGMA shrink_memory") // a hint, between the statements of whatever is being written
}

// Rescued tells what was set aside and saved when the spool was opened, nil in ordinary times.
func (s *Store) Rescued() *Rescue { return s.rescue }

// Check reads the whole file and reports damage.
func (s *Store) Check(ctx context.Context) error { return s.fault(s.db.Check(ctx)) }

// fault gives an error its kind, and remembers damage for the next start.
func (s *Store) fault(err error) error {
	if err == nil {
		return nil
	}
	s.db.Suspect(err)
	return sqldb.Classify(err)
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

// Load reads the mark, the destinations in use and the statistics, and forgets destinations not in use.
func (s *Store) Load(ctx context.Context) (outbox.Loaded, error) {
	var l outbox.Loaded
	// On a full disk they are forgotten another time: what is queued must be delivered now.
	if _, err := s.conn.ExecContext(ctx, s.queries["forget_destinations"]); err != nil && !sqldb.IsFull(err) {
		return l, s.fault(err)
	}
	mark, err := readMark(ctx, s.conn, s.queries["load_mark"])
	if err != nil {
		return l, s.fault(err)
	}
	s.mark, l.Mark = mark, mark
	if l.Roads, err = s.loadRoads(ctx); err != nil {
		return l, s.fault(err)
	}
	l.Counts, err = s.loadCounts(ctx)
	return l, s.fault(err)
}

type queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// readMark reads the only row of mark; the zero Mark if there is none yet.
func readMark(ctx context.Context, db queryer, query string) (m outbox.Mark, err error) {
	var sent int64
	err = db.QueryRowContext(ctx, query).Scan(&m.LastAlert, &m.LastNumber, &m.LastEntry, &m.LastRoad,
		&m.Alerts, &m.AlertBytes, &m.Entries, &m.EntryBytes, &m.DeadLetters, &m.DeadBytes, &sent)
	if errors.Is(err, sql.ErrNoRows) {
		return outbox.Mark{}, nil
	}
	m.LastSentAt = fromMicros(sent)
	return m, err
}

func (s *Store) loadRoads(ctx context.Context) (roads []outbox.Road, err error) {
	rows, err := s.conn.QueryContext(ctx, s.queries["load_destinations"])
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var r outbox.Road
		if err := rows.Scan(&r.ID, &r.Destination.Transport, &r.Destination.Address); err != nil {
			return nil, err
		}
		roads = append(roads, r)
	}
	return roads, rows.Err()
}

func (s *Store) loadCounts(ctx context.Context) (counts []outbox.Count, err error) {
	rows, err := s.conn.QueryContext(ctx, s.queries["load_statistics"])
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var c outbox.Count
		if err := rows.Scan(&c.Group, &c.Transport, &c.Status, &c.Reason, &c.N); err != nil {
			return nil, err
		}
		counts = append(counts, c)
	}
	return counts, rows.Err()
}

// alertOf reads a row of alert.
func alertOf(row *sql.Row) (*outbox.AlertRow, error) {
	var a outbox.AlertRow
	var accepted, retry int64
	err := row.Scan(&a.ID, &a.Device, &a.First, &accepted, &retry, &a.Packed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // outbox.Store: nil if there is none
	}
	if err != nil {
		return nil, err
	}
	a.AcceptedAt, a.RetryAt = fromMicros(accepted), fromMicros(retry)
	return &a, nil
}

// lineOf are the places of a ledger row's columns.
func lineOf(o *outbox.Outcome, at, queued *int64) []any {
	return []any{&o.ID, at, &o.Status, &o.Reason, &o.AlertID, &o.MessageID, &o.Device, &o.Group, &o.Profile,
		&o.Destination.Transport, &o.Destination.Address, &o.Attempts, queued, &o.Detail}
}

var errUnknownStatus = callhome.Errorf(callhome.KindInvalid, "status must be queued or dead")
