package sqldb

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// suspectSuffix names the note that a running process leaves for the next Open.
const suspectSuffix = ".suspect"

var errTruncated = errors.New("the file is shorter than its header says")

// Aside tells of a damaged database that was set aside.
type Aside struct {
	Path   string // where it lies now, with -wal and -shm beside it
	Reason string
	At     time.Time
}

// String is a sentence for the log and for health.
func (a *Aside) String() string {
	return fmt.Sprintf("a damaged database was set aside as %s (%s)", a.Path, a.Reason)
}

// SetAside renames a database and its journal, so that a new one can take its place. The journal goes first: a new
// database must never meet the old one's.
func SetAside(path string, reason error) (*Aside, error) {
	now := time.Now().UTC()
	a := &Aside{Path: path + "." + now.Format("20060102T150405Z") + ".damaged", Reason: reason.Error(), At: now}
	for n := 2; exists(a.Path); n++ {
		a.Path = fmt.Sprintf("%s.%s-%d.damaged", path, now.Format("20060102T150405Z"), n)
	}
	for _, suffix := range []string{"-wal", "-shm", ""} {
		err := os.Rename(path+suffix, a.Path+suffix)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	if err := os.Remove(path + suspectSuffix); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return a, syncDir(filepath.Dir(path))
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Suspect notes that a query met damage, so that the next Open checks the whole file. Anything but damage is ignored.
func (db *DB) Suspect(damage error) {
	if IsDamaged(damage) {
		_ = os.WriteFile(db.Path+suspectSuffix, []byte(damage.Error()+"\n"), 0o600) // at worst the next query finds it again
	}
}

// suspicion checks a file that was noted as suspect. An error means that it is damaged.
func suspicion(ctx context.Context, path string) error {
	note, err := os.ReadFile(path + suspectSuffix)
	if err != nil {
		return nil //nolint:nilerr // no note, no suspicion
	}
	if err := checkFile(ctx, path); err != nil {
		return fmt.Errorf("%s: %w", strings.TrimSpace(string(note)), err)
	}
	_ = os.Remove(path + suspectSuffix) // if it stays, the next start checks again
	return nil
}

func checkFile(ctx context.Context, path string) error {
	db, err := sql.Open(driverName, Options{}.dsn(path, false))
	if err != nil {
		return err
	}
	defer db.Close()
	return check(ctx, db)
}

// Check reads the whole database and reports what is wrong with it; it takes about a second for each GiB.
func (db *DB) Check(ctx context.Context) error { return check(ctx, db.Read) }

func check(ctx context.Context, db *sql.DB) error {
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return errors.New(verdict)
	}
	return nil
}

// Offsets in the header of a database file (sqlite.org, "Database File Format", section 1.3).
const (
	headerSize      = 100
	offsetPageSize  = 16
	offsetPageCount = 28
)

// truncated finds a file that lost its end. With a journal beside it the end may be there, so it is not judged.
func truncated(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if wal, err := os.Stat(f.Name() + "-wal"); info.Size() == 0 || err == nil && wal.Size() > 0 {
		return nil
	}
	var header [headerSize]byte
	if _, err := io.ReadFull(f, header[:]); err != nil {
		return fmt.Errorf("%w (%d bytes)", errTruncated, info.Size())
	}
	page := int64(binary.BigEndian.Uint16(header[offsetPageSize:]))
	if page == 1 { // what the format writes for 65536
		page = 1 << 16
	}
	if want := page * int64(binary.BigEndian.Uint32(header[offsetPageCount:])); strings.HasPrefix(string(header[:]), "SQLite format 3\x00") && info.Size() < want {
		return fmt.Errorf("%w (%d bytes of %d)", errTruncated, info.Size(), want)
	}
	return nil
}
