package sqldb_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"callhome"
	"callhome/sqldb"

	"github.com/google/go-cmp/cmp"
)

const firstMigration = `-- +goose Up
CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
-- +goose Down
DROP TABLE note;
`

const secondMigration = `-- +goose Up
ALTER TABLE note ADD COLUMN author TEXT NOT NULL DEFAULT '';
-- +goose Down
ALTER TABLE note DROP COLUMN author;
`

func migrations(texts ...string) fstest.MapFS {
	m := fstest.MapFS{}
	for i, text := range texts {
		m[fmt.Sprintf("%05d_step.sql", i+1)] = &fstest.MapFile{Data: []byte(text)}
	}
	return m
}

func open(t testing.TB, path string, texts ...string) *sqldb.DB {
	t.Helper()
	db, err := sqldb.Open(context.Background(), path, sqldb.Options{Migrations: migrations(texts...)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func fill(t testing.TB, db *sqldb.DB, n int) {
	t.Helper()
	tx, err := db.Write.Begin()
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if _, err := tx.Exec("INSERT INTO note (body) VALUES (?)", fmt.Sprintf("%d %s", i, strings.Repeat("x", 500))); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

func rows(t testing.TB, db *sqldb.DB) int {
	t.Helper()
	var n int
	if err := db.Read.QueryRow("SELECT count(id) FROM note").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestOpenSetsPragmasOnEveryConnection(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "down", "a b?#%.db")
	db := open(t, path, firstMigration)
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "page_size": "8192", "foreign_keys": "1", "busy_timeout": "5000"} {
		var got string
		if err := db.Write.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s of the writing connection: got %q (%v), want %q", pragma, got, err, want)
		}
	}
	conns := db.Read.Stats().MaxOpenConnections
	for range conns {
		c, err := db.Read.Conn(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		var only string
		if err := c.QueryRowContext(context.Background(), "PRAGMA query_only").Scan(&only); err != nil || only != "1" {
			t.Errorf("query_only of a reading connection: got %q (%v), want 1", only, err)
		}
	}
	for _, name := range []string{path, path + "-wal"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("mode of %s: got %v, want 0600", filepath.Base(name), info.Mode().Perm())
		}
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode of the folder: got %v, want 0700", info.Mode())
	}
}

func TestReadPoolSeesCommitsAndCannotWrite(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "x.db"), firstMigration)
	fill(t, db, 3)
	if got := rows(t, db); got != 3 {
		t.Errorf("rows seen by a reader: got %d, want 3", got)
	}
	if _, err := db.Read.Exec("DELETE FROM note"); err == nil {
		t.Error("the read pool can write")
	}
}

func TestMigrations(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	db := open(t, path, firstMigration)
	fill(t, db, 2)
	db.Close()
	db = open(t, path, firstMigration, secondMigration)
	if _, err := db.Write.Exec("UPDATE note SET author = 'rita'"); err != nil {
		t.Errorf("the second migration did not run: %v", err)
	}
	if got := rows(t, db); got != 2 {
		t.Errorf("rows after the migration: got %d, want 2", got)
	}
	db.Close()
	_, err := sqldb.Open(context.Background(), path, sqldb.Options{Migrations: migrations(firstMigration)})
	if callhome.KindOf(err) != callhome.KindConflict || !strings.Contains(fmt.Sprint(err), "newer program") {
		t.Errorf("an older program: got %v, want a conflict that names the remedy", err)
	}
	_, err = sqldb.Open(context.Background(), filepath.Join(t.TempDir(), "y.db"), sqldb.Options{Migrations: migrations("-- +goose Up\nCREATE TABEL x;")})
	if err == nil {
		t.Error("a broken migration was taken")
	}
}

func TestRefusedNames(t *testing.T) {
	for _, dsn := range []string{"", "sqlite:"} {
		if _, err := sqldb.Open(context.Background(), dsn, sqldb.Options{}); callhome.KindOf(err) != callhome.KindInvalid {
			t.Errorf("Open(%q): got %v, want an invalid error", dsn, err)
		}
	}
}

func TestDamagedFileIsSetAside(t *testing.T) {
	tests := []struct {
		name   string
		damage func(t *testing.T, path string)
	}{
		{"not a database", func(t *testing.T, path string) {
			overwrite(t, path, 0, []byte("this is a shopping list, not a database"))
		}},
		{"truncated", func(t *testing.T, path string) {
			if err := os.Truncate(path, 8192*3); err != nil {
				t.Fatal(err)
			}
		}},
		{"a few bytes", func(t *testing.T, path string) {
			if err := os.Truncate(path, 50); err != nil {
				t.Fatal(err)
			}
		}},
		{"schema page", func(t *testing.T, path string) { overwrite(t, path, 100, []byte(strings.Repeat("\xff", 4000))) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.db")
			db := open(t, path, firstMigration)
			fill(t, db, 500)
			db.Close()
			tt.damage(t, path)
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			db = open(t, path, firstMigration)
			if db.Aside == nil {
				t.Fatal("nothing was said of the damage")
			}
			if got := rows(t, db); got != 0 {
				t.Errorf("rows of the new database: got %d, want 0", got)
			}
			after, err := os.ReadFile(db.Aside.Path)
			if err != nil || !cmp.Equal(before, after) {
				t.Errorf("the damaged file was changed or lost (%v)", err)
			}
			if !strings.Contains(db.Aside.String(), db.Aside.Path) || db.Aside.Reason == "" {
				t.Errorf("the sentence does not say where and why: %s", db.Aside)
			}
			fill(t, db, 1)
			db.Close()
			if db = open(t, path, firstMigration); db.Aside != nil || rows(t, db) != 1 {
				t.Errorf("the new database: aside %v, %d rows, want none and 1", db.Aside, rows(t, db))
			}
		})
	}
}

func overwrite(t *testing.T, path string, at int64, with []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(with, at); err != nil {
		t.Fatal(err)
	}
}

func TestSuspectIsCheckedAndSalvaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	db := open(t, path, firstMigration)
	fill(t, db, 2000)
	db.Close()
	overwrite(t, path, 8192*40, []byte(strings.Repeat("\xa5", 8192*2))) // two pages in the middle of the table

	db = open(t, path, firstMigration)
	if db.Aside != nil {
		t.Fatal("a start reads the whole file; it would take too long on a large one")
	}
	_, err := db.Write.Exec("UPDATE note SET body = body || 'y'")
	if !sqldb.IsDamaged(err) || callhome.KindOf(sqldb.Classify(err)) != callhome.KindUnavailable {
		t.Fatalf("a query across the damage: got %v, want damage", err)
	}
	if err := db.Check(context.Background()); err == nil {
		t.Error("Check finds nothing")
	}
	db.Suspect(errors.New("not damage"))
	if _, err := os.Stat(path + ".suspect"); err == nil {
		t.Error("an ordinary error made the file suspect")
	}
	db.Suspect(err)
	db.Close()

	db = open(t, path, firstMigration)
	if db.Aside == nil {
		t.Fatal("the suspect file was not set aside")
	}
	copied, err := sqldb.Salvage(context.Background(), db.Aside.Path, db, "note")
	if err == nil {
		t.Error("salvage says that it read everything")
	}
	if n := copied["note"]; n < 1900 || n >= 2000 || int64(rows(t, db)) != n {
		t.Errorf("salvaged: got %d rows (%d in the table), want nearly 2000", n, rows(t, db))
	}
}

func TestSalvageOfTruncatedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	db := open(t, path, firstMigration)
	fill(t, db, 2000)
	db.Close()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, info.Size()/2); err != nil {
		t.Fatal(err)
	}
	db = open(t, path, firstMigration)
	if db.Aside == nil {
		t.Fatal("the truncated file was not set aside")
	}
	copied, err := sqldb.Salvage(context.Background(), db.Aside.Path, db, "note")
	if err == nil {
		t.Error("salvage says that it read everything")
	}
	if n := copied["note"]; n < 800 || n >= 1200 || int64(rows(t, db)) != n {
		t.Errorf("salvaged: got %d rows (%d in the table), want about half of 2000", n, rows(t, db))
	}
}

func TestSuspectButSound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	db := open(t, path, firstMigration)
	fill(t, db, 10)
	db.Close()
	if err := os.WriteFile(path+".suspect", []byte("somebody thought so"), 0o600); err != nil {
		t.Fatal(err)
	}
	db = open(t, path, firstMigration)
	if db.Aside != nil || rows(t, db) != 10 {
		t.Errorf("a sound database was set aside: %v", db.Aside)
	}
	if _, err := os.Stat(path + ".suspect"); err == nil {
		t.Error("the suspicion stays")
	}
}

func TestIsFull(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "x.db"), firstMigration)
	fill(t, db, 1)
	if _, err := db.Write.Exec("PRAGMA max_page_count = 10"); err != nil {
		t.Fatal(err)
	}
	_, err := db.Write.Exec("INSERT INTO note (body) VALUES (zeroblob(1000000) || '')")
	if !sqldb.IsFull(err) {
		t.Fatalf("got %v, want a full disk", err)
	}
	if got := sqldb.Classify(err); callhome.KindOf(got) != callhome.KindUnavailable || !errors.Is(got, err) {
		t.Errorf("class: got %v, want unavailable", got)
	}
	if _, err := db.Write.Exec("PRAGMA max_page_count = 1000000"); err != nil {
		t.Fatal(err)
	}
	fill(t, db, 1)
	if _, err := db.Write.Exec("INSERT INTO note (id, body) VALUES (1, 'again')"); sqldb.IsFull(err) || callhome.KindOf(sqldb.Classify(err)) != callhome.KindInternal {
		t.Errorf("a broken constraint: got %v, want an internal error", err)
	}
}

func TestQueries(t *testing.T) {
	got, err := sqldb.Queries("-- what this file is\n\n-- name: one\n-- why\nSELECT 1;\n-- name: two\nSELECT 2\n  FROM x;\n")
	want := map[string]string{"one": "SELECT 1", "two": "SELECT 2\n  FROM x"}
	if err != nil || !cmp.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	for _, bad := range []string{"SELECT 1;", "-- name:\nSELECT 1", "-- name: a\n-- name: b\nSELECT 1", "-- name: a\nSELECT 1\n-- name: a\nSELECT 2"} {
		if _, err := sqldb.Queries(bad); err == nil {
			t.Errorf("Queries(%q): got no error", bad)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	b.Run("new", func(b *testing.B) {
		dir := b.TempDir()
		for i := range b.N {
			db, err := sqldb.Open(context.Background(), filepath.Join(dir, fmt.Sprint(i)), sqldb.Options{Migrations: migrations(firstMigration)})
			if err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			db.Close()
			b.StartTimer()
		}
	})
	b.Run("again", func(b *testing.B) {
		path := filepath.Join(b.TempDir(), "x")
		for range b.N {
			db, err := sqldb.Open(context.Background(), path, sqldb.Options{Migrations: migrations(firstMigration)})
			if err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			db.Close()
			b.StartTimer()
		}
	})
}
