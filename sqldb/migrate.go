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

// migrate brings the schema to the newest version. SQLite's user_version repeats goose's, so that a start with nothing
// to do costs one read instead of goose's own look-ups.
func migrate(ctx context.Context, db *sql.DB, migrations fs.FS) error {
	if migrations == nil {
		return nil
	}
	newest, err := newestVersion(migrations)
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
	case version == newest:
		return nil
	case version > newest:
		return callhome.Errorf(callhome.KindConflict, "its schema has version %d, this program knows %d; install the newer program again", version, newest)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, migrations, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if _, err := db.ExecContext(ctx, "PRAGMA user_version = "+strconv.FormatInt(newest, 10)); err != nil {
		return fmt.Errorf("migrate: note version %d: %w", newest, err)
	}
	return nil
}

// newestVersion is the highest number among the migration files.
func newestVersion(migrations fs.FS) (int64, error) {
	names, err := fs.Glob(migrations, "*.sql")
	if err != nil {
		return 0, err
	}
	var newest int64
	for _, name := range names {
		digits, _, _ := strings.Cut(name, "_")
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("migration %s: its name does not begin with a number and _", name)
		}
		newest = max(newest, n)
	}
	return newest, nil
}
