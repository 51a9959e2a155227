package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"callhome"

	_ "modernc.org/sqlite" // the driver
)

// driverName is how modernc.org/sqlite registers itself.
const driverName = "sqlite"

const (
	// busyMillis is how long a connection waits for a lock; within one process only checkpoints make anyone wait.
	busyMillis = 5000
	// DefaultPageSize suits rows of some KiB: fewer half-empty pages than the usual 4096.
	DefaultPageSize = 8192
	// DefaultCheckpointPages bounds the WAL to 8 MiB of such pages, and a checkpoint to some tens of milliseconds.
	DefaultCheckpointPages = 1024
	// DefaultReadConns are enough for a courier, some collectors and a portal page at once on a small machine.
	DefaultReadConns = 4
	// writeCacheKiB and readCacheKiB bound the page caches; SQLite takes them as they are needed.
	writeCacheKiB = 4096
	readCacheKiB  = 1024
)

// Options say how a database is opened. Zero numbers are replaced by the defaults.
type Options struct {
	Migrations      fs.FS // goose files NNNNN_name.sql at its root, in the words of the engine
	PageSize        int   // SQLite: bytes, a power of two from 512 to 65536; counts for a new file only
	CheckpointPages int   // SQLite
	ReadConns       int   // SQLite
	CacheKiB        int   // SQLite: most memory that the writing connection keeps pages in
	Conns           int   // PostgreSQL
}

// Engine is a kind of database.
type Engine string

// The engines.
const (
	SQLite     Engine = "sqlite"
	PostgreSQL Engine = "postgres"
)

// EngineOf is the engine that a data source name speaks of; whatever is not PostgreSQL's is the path of a SQLite file.
func EngineOf(dsn string) Engine {
	if strings.HasPrefix(dsn, "postgres:") || strings.HasPrefix(dsn, "postgresql:") {
		return PostgreSQL
	}
	return SQLite
}

// DB is an open database. On SQLite, Write has one connection, whose transactions take the write lock at their
// beginning, and Read has several, which cannot write and see what was committed. On PostgreSQL both are the same pool.
type DB struct {
	Engine Engine
	Write  *sql.DB
	Read   *sql.DB
	Path   string // of a SQLite file; "" on PostgreSQL
	Aside  *Aside // not nil when a damaged file was found and the database is new
}

// Open opens a database and brings it to the newest migration: a SQLite file by its path or "sqlite:PATH", or a
// PostgreSQL database by "postgres://user:password@host/name?…". Missing folders of a file are made with mode 0700; a
// damaged file is set aside and the database begins anew, which DB.Aside tells. A database that was migrated further
// than this program knows is refused with [callhome.KindConflict].
func Open(ctx context.Context, dsn string, o Options) (*DB, error) {
	if EngineOf(dsn) == PostgreSQL {
		return openPostgres(ctx, dsn, o)
	}
	path, err := pathOf(dsn)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := suspicion(ctx, path); err != nil {
		return openAnew(ctx, path, o, err)
	}
	db, err := openFile(ctx, path, o)
	if IsDamaged(err) {
		return openAnew(ctx, path, o, err)
	}
	return db, Classify(err)
}

func pathOf(dsn string) (string, error) {
	path := strings.TrimPrefix(dsn, "sqlite:")
	if path == "" {
		return "", callhome.Errorf(callhome.KindInvalid, "database: the path is empty")
	}
	return filepath.Abs(path)
}

// openAnew sets the damaged file aside and starts with an empty one.
func openAnew(ctx context.Context, path string, o Options, reason error) (*DB, error) {
	aside, err := SetAside(path, reason)
	if err != nil {
		return nil, fmt.Errorf("database %s is damaged (%w) and could not be set aside: %w", path, reason, err)
	}
	db, err := openFile(ctx, path, o)
	if err != nil {
		return nil, err
	}
	db.Aside = aside
	return db, nil
}

func openFile(ctx context.Context, path string, o Options) (*DB, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) // SQLite gives its journal the same mode
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := errors.Join(truncated(f), f.Close()); err != nil {
		return nil, err
	}
	db := &DB{Engine: SQLite, Path: path}
	if db.Write, err = sql.Open(driverName, o.dsn(path, true)); err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	db.Write.SetMaxOpenConns(1)
	db.Write.SetMaxIdleConns(1)
	if err := migrate(ctx, db.Write, o.Migrations); err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", path, err), db.Write.Close())
	}
	if db.Read, err = sql.Open(driverName, o.dsn(path, false)); err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", path, err), db.Write.Close())
	}
	conns := orDefault(o.ReadConns, DefaultReadConns)
	db.Read.SetMaxOpenConns(conns)
	db.Read.SetMaxIdleConns(conns)
	return db, nil
}

// dsn is the driver's name of the file with all pragmas.
func (o Options) dsn(path string, write bool) string {
	v := url.Values{}
	pragma := func(format string, args ...any) { v.Add("_pragma", fmt.Sprintf(format, args...)) }
	pragma("busy_timeout(%d)", busyMillis)
	if write {
		pragma("page_size(%d)", orDefault(o.PageSize, DefaultPageSize))
		v.Set("_journal_mode", "WAL") // the driver applies it after page_size, which it would fix
		v.Set("_synchronous", "FULL")
		checkpoint := orDefault(o.CheckpointPages, DefaultCheckpointPages)
		pragma("wal_autocheckpoint(%d)", checkpoint)
		pragma("journal_size_limit(%d)", checkpoint*orDefault(o.PageSize, DefaultPageSize))
		pragma("cache_size(-%d)", orDefault(o.CacheKiB, writeCacheKiB))
		v.Set("_txlock", "immediate")
	} else {
		pragma("cache_size(-%d)", readCacheKiB)
		v.Set("_query_only", "1")
	}
	pragma("foreign_keys(1)")
	v.Set("_dqs", "0")
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: v.Encode()}).String()
}

func orDefault(n, def int) int {
	if n == 0 {
		return def
	}
	return n
}

// Rest closes the reading connections of SQLite that nobody uses at this moment, and with them gives their memory back;
// new ones are opened as they are needed.
func (db *DB) Rest() {
	if db.Read == db.Write {
		return
	}
	db.Read.SetMaxIdleConns(0)
	db.Read.SetMaxIdleConns(db.Read.Stats().MaxOpenConnections)
}

// Close closes both pools; SQLite's WAL is folded into the file when the last connection goes.
func (db *DB) Close() error {
	if db.Read == db.Write {
		return db.Write.Close()
	}
	return errors.Join(db.Read.Close(), db.Write.Close())
}
