package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"callhome"

	"github.com/pressly/goose/v3"
)

// migrate brings the schema of a SQLite file to the newest version. Its user_version counts the migrations that were
// applied, so that a start with nothing to do costs one read instead of goose's own look-ups.
func migrate(ctx context.Context, db *sql.DB, migrations fs.FS) error {
	if migrations == nil {
		return nil
	}
	known, err := countMigrations(migrations)
	if err != nil {
		return err
	}
	var version, tables int64
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	// Reading the schema also finds a damaged one.
	if err := db.QueryRowContext(ctx, "SELECT count(name) FROM sqlite_schema").Scan(&tables); err != nil {
		return err
	}
	switch {
	case version == known:
		return nil
	case version > known:
		return newerSchema(version, known)
	}
	if err := applyMigrations(ctx, goose.DialectSQLite3, db, migrations); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, "PRAGMA user_version = "+strconv.FormatInt(known, 10)); err != nil {
		return fmt.Errorf("migrate: note version %d: %w", known, err)
	}
	return nil
}

func newerSchema(version, known int64) error {
	return callhome.Errorf(callhome.KindConflict, "its schema has version %d, this program knows %d; install the newer program again", version, known)
}

// applyMigrations applies what is missing. Each room numbers its own migrations, so a lower number may come later.
func applyMigrations(ctx context.Context, dialect goose.Dialect, db *sql.DB, migrations fs.FS) error {
	provider, err := goose.NewProvider(dialect, db, migrations, goose.WithDisableGlobalRegistry(true), goose.WithAllowOutofOrder(true))
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// countMigrations counts the migration files, after a look at their names.
func countMigrations(migrations fs.FS) (int64, error) {
	names, err := fs.Glob(migrations, "*.sql")
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		digits, _, _ := strings.Cut(name, "_")
		if _, err := strconv.ParseInt(digits, 10, 64); err != nil {
			return 0, fmt.Errorf("migration %s: its name does not begin with a number and _", name)
		}
	}
	return int64(len(names)), nil
}
