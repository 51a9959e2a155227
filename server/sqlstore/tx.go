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
	store *Store
	tx    *sql.Tx // nil outside a transaction
	tally tally
}

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
	text, err := t.text(name)
	if err != nil {
		return nil, err
	}
	switch {
	case t.store.db.Engine == sqldb.SQLite && t.tx != nil:
		stmt, err := t.statement(ctx, name)
		if err != nil {
			return nil, err
		}
		return stmt.ExecContext(ctx, args...)
	case t.tx != nil:
		return t.tx.ExecContext(ctx, text, args...)
	}
	return t.store.db.Write.ExecContext(ctx, text, args...)
}

// query runs a named query that gives rows.
func (t *Tx) query(ctx context.Context, name string, args ...any) (*sql.Rows, error) {
	text, err := t.text(name)
	if err != nil {
		return nil, err
	}
	if t.store.db.Engine == sqldb.SQLite {
		stmt, err := t.statement(ctx, name)
		if err != nil {
			return nil, err
		}
		return stmt.QueryContext(ctx, args...)
	}
	return t.ask(ctx, text, args...)
}

// row runs a named query that gives one row; a query that does not exist is found by the test that prepares them all.
func (t *Tx) row(ctx context.Context, name string, args ...any) *sql.Row {
	if t.store.db.Engine == sqldb.SQLite {
		if stmt, err := t.statement(ctx, name); err == nil {
			return stmt.QueryRowContext(ctx, args...)
		}
	}
	if t.tx != nil {
		return t.tx.QueryRowContext(ctx, t.store.queries[name], args...)
	}
	return t.store.db.Read.QueryRowContext(ctx, t.store.queries[name], args...)
}

// ask runs a text that was put together, such as a listing's.
func (t *Tx) ask(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	if t.tx != nil {
		return t.tx.QueryContext(ctx, text, args...)
	}
	return t.store.db.Read.QueryContext(ctx, text, args...)
}

// put runs a text that was put together and changes rows.
func (t *Tx) put(ctx context.Context, text string, args ...any) (sql.Result, error) {
	if t.tx != nil {
		return t.tx.ExecContext(ctx, text, args...)
	}
	return t.store.db.Write.ExecContext(ctx, text, args...)
}

func (t *Tx) statement(ctx context.Context, name string) (*sql.Stmt, error) {
	stmt, err := t.store.prepared(ctx, name, t.tx != nil)
	if err != nil || t.tx == nil {
		return stmt, err
	}
	return t.tx.StmtContext(ctx, stmt), nil
}

func (t *Tx) text(name string) (string, error) {
	text, known := t.store.queries[name]
	if !known {
		return "", fmt.Errorf("there is no query %s", name)
	}
	return text, nil
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
