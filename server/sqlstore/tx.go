package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"callhome/sqldb"
)

// Tx is a transaction, or with Store.Read a sight of what is committed. It is not safe for concurrent use within a
// transaction.
type Tx struct {
	store  *Store
	on     querier
	writes bool // within a transaction
	tally  tally

	published map[feedKey][]int64 // written to the feed at the end
}

// querier is what a statement runs on: a pool, a connection, a transaction.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

var errReadOnly = errors.New("a write outside a transaction; use Store.InTx")

// NewID makes an ID; see [Store.NewID].
func (t *Tx) NewID() int64 { return t.store.NewID() }

// Now is the time by the store's clock.
func (t *Tx) Now() time.Time { return t.store.now() }

// exec runs a named query and tells how many rows it changed.
func (t *Tx) exec(ctx context.Context, name string, args ...any) (int64, error) {
	result, err := t.run(ctx, name, args...)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return result.RowsAffected()
}

func (t *Tx) run(ctx context.Context, name string, args ...any) (sql.Result, error) {
	text, known := t.store.queries[name]
	switch {
	case !known:
		return nil, errNoQuery
	case !t.writes:
		return nil, errReadOnly
	case t.store.db.Engine == sqldb.PostgreSQL:
		return t.on.ExecContext(ctx, text, args...)
	}
	stmt, err := t.store.prepared(ctx, name, true)
	if err != nil {
		return nil, err
	}
	return stmt.ExecContext(ctx, args...)
}

var errNoQuery = errors.New("there is no query of this name")

// query runs a named query that gives rows.
func (t *Tx) query(ctx context.Context, name string, args ...any) (*sql.Rows, error) {
	text, known := t.store.queries[name]
	if !known {
		return nil, fmt.Errorf("%s: %w", name, errNoQuery)
	}
	if t.store.db.Engine == sqldb.PostgreSQL {
		return t.on.QueryContext(ctx, text, args...)
	}
	stmt, err := t.store.prepared(ctx, name, t.writes)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

// row runs a named query that gives one row; what is wrong with the query comes out of Scan.
func (t *Tx) row(ctx context.Context, name string, args ...any) *sql.Row {
	if t.store.db.Engine == sqldb.SQLite {
		if stmt, err := t.store.prepared(ctx, name, t.writes); err == nil {
			return stmt.QueryRowContext(ctx, args...)
		}
	}
	return t.on.QueryRowContext(ctx, t.store.queries[name], args...)
}

// ask runs a text that was put together, such as a listing's.
func (t *Tx) ask(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	return t.on.QueryContext(ctx, text, args...)
}

// put runs a text that was put together and changes rows.
func (t *Tx) put(ctx context.Context, text string, args ...any) (sql.Result, error) {
	if !t.writes {
		return nil, errReadOnly
	}
	return t.on.ExecContext(ctx, text, args...)
}

// collect reads all rows by one function for each.
func collect[T any](rows *sql.Rows, err error, scan func(scanner) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// scanner is a row, alone or among others.
type scanner interface{ Scan(...any) error }

// found turns "no row" into ok = false.
func found(err error) (ok bool, _ error) {
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// micros is a time as stored.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// fromMicros is a stored time, in UTC.
func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

// flag is a truth value as stored.
func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// jsonText is a structured value as stored.
func jsonText(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

// fromJSON reads a stored value; nothing stays nothing.
func fromJSON(text string, v any) error {
	if text == "" {
		return nil
	}
	return json.Unmarshal([]byte(text), v)
}
