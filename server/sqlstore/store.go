package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"
	"time"

	"callhome/sqldb"
)

//go:embed queries/*.sql
var queryFiles embed.FS

//go:embed migrations/sqlite/*.sql migrations/postgres/*.sql
var migrationFiles embed.FS

const (
	// conflictTries bounds how often a transaction is begun again because others were in its way.
	conflictTries = 20
	// conflictPause is the pause before the second try; it doubles up to conflictPauseMax.
	conflictPause    = 2 * time.Millisecond
	conflictPauseMax = 250 * time.Millisecond
	// checkpointPages lets SQLite's journal grow to 32 MiB: batches of large messages, fewer checkpoints.
	checkpointPages = 4096
	// cacheKiB holds the pages that indexes of millions of messages are written to again and again.
	cacheKiB = 64 << 10
	// readConns serve people and listings beside the workers.
	readConns = 6
)

// Options say how a Store works. Zero fields are replaced by defaults.
type Options struct {
	Now  func() time.Time
	Name string // of this process, among several on one database: host name and process ID
}

// Store is the back end's database.
type Store struct {
	db      *sqldb.DB
	queries map[string]string
	now     func() time.Time
	ids     *ids
	node    int

	// SQLite: the writing connection, and who has it. Statements are prepared on it and used within its transaction.
	conn   *sql.Conn
	writer chan struct{}

	mu    sync.Mutex // guards what follows
	write map[string]*sql.Stmt
	read  map[string]*sql.Stmt
}

// Open opens the database, brings it to the newest schema and takes a node number for this process. See [sqldb.Open].
func Open(ctx context.Context, dsn string, o Options) (*Store, error) {
	engine := sqldb.EngineOf(dsn)
	migrations, err := fs.Sub(migrationFiles, "migrations/"+string(engine))
	if err != nil {
		return nil, err
	}
	queries, err := loadQueries(engine)
	if err != nil {
		return nil, err
	}
	db, err := sqldb.Open(ctx, dsn, sqldb.Options{Migrations: migrations, CheckpointPages: checkpointPages, ReadConns: readConns, CacheKiB: cacheKiB})
	if err != nil {
		return nil, err
	}
	s := &Store{db: db, queries: queries, now: o.Now, write: map[string]*sql.Stmt{}, read: map[string]*sql.Stmt{}}
	if s.now == nil {
		s.now = time.Now
	}
	if db.Engine == sqldb.SQLite {
		s.writer = make(chan struct{}, 1)
		if s.conn, err = db.Write.Conn(ctx); err != nil {
			return nil, errors.Join(sqldb.Classify(err), db.Close())
		}
	}
	if s.node, err = s.takeNode(ctx, o.Name); err != nil {
		return nil, errors.Join(sqldb.Classify(err), db.Close())
	}
	s.ids = &ids{node: s.node, now: s.now}
	return s, nil
}

// loadQueries reads the queries of an engine: all files, then its overrides.
func loadQueries(engine sqldb.Engine) (map[string]string, error) {
	files, err := fs.Glob(queryFiles, "queries/*.sql")
	if err != nil {
		return nil, err
	}
	queries := map[string]string{}
	for _, override := range []bool{false, true} {
		for _, file := range files {
			_, of, special := strings.Cut(strings.TrimSuffix(path.Base(file), ".sql"), ".")
			if special != override || special && of != string(engine) {
				continue
			}
			if err := addQueries(queries, file, override); err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
		}
	}
	return queries, nil
}

// addQueries adds the queries of a file; one of a single engine may replace others.
func addQueries(queries map[string]string, file string, override bool) error {
	text, err := queryFiles.ReadFile(file)
	if err != nil {
		return err
	}
	named, err := sqldb.Queries(string(text))
	if err != nil {
		return err
	}
	for name, query := range named {
		if _, known := queries[name]; known && !override {
			return fmt.Errorf("query %s stands in another file too", name)
		}
		queries[name] = query
	}
	return nil
}

// Engine is the kind of database.
func (s *Store) Engine() sqldb.Engine { return s.db.Engine }

// Path is the SQLite file, "" on PostgreSQL.
func (s *Store) Path() string { return s.db.Path }

// Aside tells of a damaged file that was set aside; nil when there was none.
func (s *Store) Aside() *sqldb.Aside { return s.db.Aside }

// Node is the number of this process among those on the database.
func (s *Store) Node() int { return s.node }

// NewID makes an ID: greater than all that this process made before, and nearly in the order of time among processes.
func (s *Store) NewID() int64 { return s.ids.next() }

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return sqldb.Classify(s.db.Read.PingContext(ctx)) }

// Close gives the node number back and closes the database.
func (s *Store) Close() error {
	s.leaveNode()
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, stmts := range []map[string]*sql.Stmt{s.write, s.read} {
		for _, stmt := range stmts {
			errs = append(errs, stmt.Close())
		}
	}
	if s.conn != nil {
		errs = append(errs, s.conn.Close())
	}
	return errors.Join(append(errs, s.db.Close())...)
}

// InTx runs f in one transaction: all of its effects happen, or none. When another transaction was in the way, f runs
// again, so it must have no effect outside the transaction. An error of f undoes everything and comes back.
func (s *Store) InTx(ctx context.Context, f func(*Tx) error) error {
	pause := conflictPause
	for try := 1; ; try++ {
		err := s.once(ctx, f)
		if err == nil || !sqldb.IsConflict(err) || try == conflictTries {
			return sqldb.Classify(err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		pause = min(2*pause, conflictPauseMax)
	}
}

func (s *Store) once(ctx context.Context, f func(*Tx) error) error {
	t, tx, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer func() {
		_ = tx.Rollback() // after Commit it does nothing
		if s.writer != nil {
			<-s.writer
		}
	}()
	if err := f(t); err != nil {
		s.db.Suspect(err)
		return err
	}
	if err := t.flush(ctx); err != nil {
		return err
	}
	if err := t.flushFeed(ctx); err != nil {
		return err
	}
	return tx.Commit()
}

// begin begins a transaction, on SQLite when nobody else is in one.
func (s *Store) begin(ctx context.Context) (*Tx, *sql.Tx, error) {
	if s.writer == nil {
		tx, err := s.db.Write.BeginTx(ctx, nil)
		return &Tx{store: s, on: tx, writes: true}, tx, err
	}
	select {
	case s.writer <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	tx, err := s.conn.BeginTx(ctx, nil)
	if err != nil {
		<-s.writer
		return nil, nil, err
	}
	return &Tx{store: s, on: s.conn, writes: true}, tx, nil
}

// Read gives a Tx whose statements stand each for itself, see what was committed, and do not write.
func (s *Store) Read() *Tx { return &Tx{store: s, on: s.db.Read} }

// prepared gives SQLite's statement of a query, prepared once: it would otherwise be compiled at every use. PostgreSQL's
// driver remembers statements by itself.
func (s *Store) prepared(ctx context.Context, name string, write bool) (*sql.Stmt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	stmts := s.read
	prepare := s.db.Read.PrepareContext
	if write {
		stmts, prepare = s.write, s.conn.PrepareContext
	}
	if stmt := stmts[name]; stmt != nil {
		return stmt, nil
	}
	stmt, err := prepare(context.WithoutCancel(ctx), s.queries[name]) // it outlives this caller
	if err != nil {
		return nil, fmt.Errorf("prepare %s: %w", name, err)
	}
	stmts[name] = stmt
	return stmt, nil
}
