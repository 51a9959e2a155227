package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"time"

	"callhome"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

const (
	// DefaultConns serve the workers, the writers of what arrives and some people at once.
	DefaultConns = 16
	// connLife makes a pool follow a database that moved to another server.
	connLife = 30 * time.Minute
	// connectTimeout bounds one try to reach the server, unless its address says otherwise.
	connectTimeout = 10 * time.Second
	// migrateTries bound the wait for others who make the same first table at the same moment.
	migrateTries = 5
)

// openPostgres connects and migrates.
func openPostgres(ctx context.Context, dsn string, o Options) (*DB, error) {
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, callhome.Errorf(callhome.KindInvalid, "database: %s is not an address of PostgreSQL; write postgres://user:password@host/name", maskDSN(dsn))
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = connectTimeout
	}
	if _, set := cfg.RuntimeParams["synchronous_commit"]; !set {
		cfg.RuntimeParams["synchronous_commit"] = "on"
	}
	if _, set := cfg.RuntimeParams["application_name"]; !set {
		cfg.RuntimeParams["application_name"] = "callhome"
	}
	pool := stdlib.OpenDB(*cfg)
	conns := orDefault(o.Conns, DefaultConns)
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	pool.SetConnMaxLifetime(connLife)
	if err := migratePostgres(ctx, pool, o.Migrations); err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", maskDSN(dsn), Classify(err)), pool.Close())
	}
	return &DB{Engine: PostgreSQL, Write: pool, Read: pool}, nil
}

// maskDSN is a data source name without its password.
func maskDSN(dsn string) string {
	u, err := url.Parse(dsn)
	if err != nil {
		return "postgres://…"
	}
	return u.Redacted()
}

// migratePostgres brings the schema to the newest version. Several servers may start at once: the row of
// schema_guard lets one migrate while the others wait. An ordinary row lock does it on every engine that speaks
// PostgreSQL's language; advisory locks are not known to all of them.
func migratePostgres(ctx context.Context, db *sql.DB, migrations fs.FS) error {
	if migrations == nil {
		return db.PingContext(ctx)
	}
	known, err := countMigrations(migrations)
	if err != nil {
		return err
	}
	if err := makeGuard(ctx, db); err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	var applied int64
	if err := tx.QueryRowContext(ctx, "SELECT applied FROM schema_guard WHERE id = 1 FOR UPDATE").Scan(&applied); err != nil {
		return err
	}
	switch {
	case applied == known:
		return nil
	case applied > known:
		return newerSchema(applied, known)
	}
	if err := applyMigrations(ctx, goose.DialectPostgres, db, migrations); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE schema_guard SET applied = $1 WHERE id = 1", known); err != nil {
		return err
	}
	return tx.Commit()
}

// makeGuard makes the table of the guard. Two servers that do so at once disturb each other even with IF NOT EXISTS.
func makeGuard(ctx context.Context, db *sql.DB) (err error) {
	for range migrateTries {
		if _, err = db.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS schema_guard (id BIGINT PRIMARY KEY, applied BIGINT NOT NULL)"); err == nil {
			_, err = db.ExecContext(ctx, "INSERT INTO schema_guard (id, applied) VALUES (1, 0) ON CONFLICT (id) DO NOTHING")
		}
		if err == nil || isUnreachable(err) || ctx.Err() != nil {
			return err
		}
	}
	return err
}
