package book

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"sync/atomic"
	"time"

	"callhome"
	"callhome/sqldb"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

//go:embed queries.sql
var queryText string

// Limits bound what is remembered.
type Limits struct {
	Window  time.Duration // how long a message is known
	Seen    int64         // messages known at most; beyond it the oldest are forgotten early
	Devices int64         // devices at most
	Shelf   int64         // bytes on the shelf
	Shelved int64         // messages on the shelf
}

// DefaultLimits know 45 days of a busy site: five million messages take some 300 MB.
func DefaultLimits() Limits {
	return Limits{Window: 45 * 24 * time.Hour, Seen: 5_000_000, Devices: 200_000, Shelf: 64 << 20, Shelved: 10_000}
}

// Book is the file. It is safe for concurrent use.
type Book struct {
	db      *sqldb.DB
	queries map[string]string
	seen    *sql.Stmt            // the one read of every message
	writes  map[string]*sql.Stmt // the statements of Write
	limits  atomic.Pointer[Limits]
	id      string
}

// Open opens the book in a file, made if need be.
func Open(ctx context.Context, path string, limits Limits) (*Book, error) {
	migrations, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return nil, err
	}
	queries, err := sqldb.Queries(queryText)
	if err != nil {
		return nil, fmt.Errorf("queries.sql: %w", err)
	}
	db, err := sqldb.Open(ctx, path, sqldb.Options{Migrations: migrations})
	if err != nil {
		return nil, fmt.Errorf("open book: %w", err)
	}
	b := &Book{db: db, queries: queries}
	b.SetLimits(limits)
	if err := b.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open book: %w", err), db.Close())
	}
	return b, nil
}

func (b *Book) start(ctx context.Context) (err error) {
	if b.seen, err = b.db.Read.PrepareContext(ctx, b.queries["seen"]); err != nil {
		return err
	}
	b.writes = map[string]*sql.Stmt{}
	for _, name := range writing {
		if b.writes[name], err = b.db.Write.PrepareContext(ctx, b.queries[name]); err != nil {
			return fmt.Errorf("prepare %s: %w", name, err)
		}
	}
	const idFact = "gateway_id"
	if b.id, err = b.fact(ctx, idFact); err != nil || b.id != "" {
		return err
	}
	raw := make([]byte, 8) // enough that no two gateways of the world share one
	_, _ = rand.Read(raw)
	b.id = hex.EncodeToString(raw)
	_, err = b.db.Write.ExecContext(ctx, b.queries["put_fact"], idFact, b.id)
	return err
}

// Aside tells of a damaged book that was set aside when this one was opened; nil in ordinary times.
func (b *Book) Aside() *sqldb.Aside { return b.db.Aside }

// SetLimits changes the limits; what is beyond them goes with the next writes.
func (b *Book) SetLimits(l Limits) { b.limits.Store(&l) }

// ID is the number that this gateway made for itself when its book was new.
func (b *Book) ID() string { return b.id }

// Close closes the file.
func (b *Book) Close() error {
	errs := []error{b.seen.Close()}
	for _, stmt := range b.writes {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(append(errs, b.db.Close())...)
}

func (b *Book) fact(ctx context.Context, name string) (string, error) {
	var v string
	err := b.db.Read.QueryRowContext(ctx, b.queries["fact"], name).Scan(&v)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return v, b.fault(err)
}

// fault gives an error its kind, and remembers damage for the next start.
func (b *Book) fault(err error) error {
	if err == nil {
		return nil
	}
	b.db.Suspect(err)
	return sqldb.Classify(err)
}

// Key names one message of one device.
type Key [16]byte

// KeyOf makes the key of a message. part tells the blocks of one message apart, "" for one of a single block.
func KeyOf(device string, id callhome.MessageID, part string) Key {
	h := sha256.New()
	for _, s := range []string{device, string(id), part} {
		fmt.Fprintf(h, "%d:%s", len(s), s)
	}
	return Key(h.Sum(nil)[:16])
}

// String is the key in hexadecimal; ParseKey reads it.
func (k Key) String() string { return hex.EncodeToString(k[:]) }

// ParseKey reads what String writes.
func ParseKey(s string) (k Key, ok bool) {
	raw, err := hex.DecodeString(s)
	if err != nil || len(raw) != len(k) {
		return k, false
	}
	return Key(raw), true
}

// Seen reports whether a message was noted within the window before now.
func (b *Book) Seen(ctx context.Context, k Key, now time.Time) (bool, error) {
	var at int64
	err := b.seen.QueryRowContext(ctx, k[:]).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look a message up: %w", b.fault(err))
	}
	return fromMicros(at).After(now.Add(-b.limits.Load().Window)), nil
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
