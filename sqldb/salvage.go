package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// salvageQuery opens a file without writing. writable_schema lets SQLite read one that lost its end, of which it refuses
// everything otherwise (btree.c, lockBtree); it must come before any pragma that reads the schema.
const salvageQuery = "_pragma=writable_schema(1)&_query_only=1"

// Salvage copies what can still be read of a database that was set aside into db: for each table the rows from the
// beginning until the first unreadable one, then from the end backwards. Rows that are there already stay. It gives the
// number of rows copied for each table; an error tells of tables that could not be read to the end, what was copied is
// kept nevertheless.
func Salvage(ctx context.Context, aside string, db *DB, tables ...string) (map[string]int64, error) {
	old, err := sql.Open(driverName, (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: aside}).EscapedPath(), RawQuery: salvageQuery}).String())
	if err != nil {
		return nil, err
	}
	defer old.Close()
	old.SetMaxOpenConns(1)
	copied := map[string]int64{}
	var faults []error
	for _, table := range tables {
		n, err := salvageTable(ctx, old, db.Write, table)
		copied[table] = n
		if err != nil {
			faults = append(faults, fmt.Errorf("salvage %s: %w", table, err))
		}
	}
	return copied, errors.Join(faults...)
}

func salvageTable(ctx context.Context, old, fresh *sql.DB, table string) (int64, error) {
	columns, err := columnsOf(ctx, fresh, table)
	if err != nil {
		return 0, err
	}
	n, upErr := copyRows(ctx, old, fresh, table, columns, "ASC")
	if upErr == nil {
		return n, nil
	}
	more, downErr := copyRows(ctx, old, fresh, table, columns, "DESC")
	return n + more, errors.Join(upErr, downErr)
}

func columnsOf(ctx context.Context, db *sql.DB, table string) ([]string, error) {
	rows, err := db.QueryContext(ctx, "SELECT name FROM pragma_table_info($1)", table)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var columns []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		columns = append(columns, name)
	}
	if len(columns) == 0 {
		return nil, errors.Join(rows.Err(), fmt.Errorf("there is no table %s", table))
	}
	return columns, rows.Err()
}

// copyRows copies rows in the order of the table until one cannot be read.
func copyRows(ctx context.Context, old, fresh *sql.DB, table string, columns []string, order string) (int64, error) {
	list := `"` + strings.Join(columns, `", "`) + `"`
	marks := strings.TrimSuffix(strings.Repeat("?, ", len(columns)), ", ")
	tx, err := fresh.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	put, err := tx.PrepareContext(ctx, fmt.Sprintf(`INSERT OR IGNORE INTO "%s" (%s) VALUES (%s)`, table, list, marks))
	if err != nil {
		return 0, err
	}
	defer put.Close()
	rows, err := old.QueryContext(ctx, fmt.Sprintf(`SELECT %s FROM "%s" ORDER BY 1 %s`, list, table, order))
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	var n int64
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return n, errors.Join(err, tx.Commit())
		}
		result, err := put.ExecContext(ctx, values...)
		if err != nil {
			continue // a mangled row that the schema refuses
		}
		added, _ := result.RowsAffected()
		n += added
	}
	return n, errors.Join(rows.Err(), tx.Commit())
}
