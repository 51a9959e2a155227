package sqldb_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"callhome"
	"callhome/callhometest"
	"callhome/sqldb"
)

var twoMigrations = fstest.MapFS{
	"00001_a.sql":   {Data: []byte("-- +goose Up\nCREATE TABLE a (id BIGINT PRIMARY KEY, n BIGINT NOT NULL);\n")},
	"00300_far.sql": {Data: []byte("-- +goose Up\nCREATE TABLE b (id BIGINT PRIMARY KEY);\n")},
}

func TestPeerPostgres(t *testing.T) {
	dsn := callhometest.Postgres(t)
	ctx := context.Background()
	var wg sync.WaitGroup
	for range 4 { // several servers start at the same moment
		wg.Go(func() {
			db, err := sqldb.Open(ctx, dsn, sqldb.Options{Migrations: twoMigrations})
			if err != nil {
				t.Error(err)
				return
			}
			_ = db.Close()
		})
	}
	wg.Wait()

	later := fstest.MapFS{"00002_between.sql": {Data: []byte("-- +goose Up\nCREATE TABLE c (id BIGINT PRIMARY KEY);\n")}}
	for name, file := range twoMigrations {
		later[name] = file
	}
	db, err := sqldb.Open(ctx, dsn, sqldb.Options{Migrations: later})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Write.ExecContext(ctx, "INSERT INTO c (id) VALUES (1)"); err != nil {
		t.Errorf("a migration with a lower number than the last was not applied: %v", err)
	}
	if _, err := sqldb.Open(ctx, dsn, sqldb.Options{Migrations: twoMigrations}); callhome.KindOf(err) != callhome.KindConflict {
		t.Errorf("a newer schema gives %v, want a conflict", err)
	}
	var mode string
	if err := db.Write.QueryRowContext(ctx, "SHOW synchronous_commit").Scan(&mode); err != nil || mode != "on" {
		t.Errorf("synchronous_commit = %q, %v", mode, err)
	}
	if _, err := db.Write.ExecContext(ctx, "INSERT INTO c (id) VALUES (1)"); !sqldb.IsDuplicate(err) {
		t.Errorf("a repeated key gives %v", err)
	}
	conflict(t, db.Write)
}

// conflict brings two serializable transactions into each other's way.
func conflict(t *testing.T, db *sql.DB) {
	t.Helper()
	ctx := context.Background()
	if _, err := db.ExecContext(ctx, "INSERT INTO a (id, n) VALUES (1, 0)"); err != nil {
		t.Fatal(err)
	}
	var txs [2]*sql.Tx
	for i := range txs {
		tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelSerializable})
		if err != nil {
			t.Fatal(err)
		}
		txs[i] = tx
		var n int
		if err := tx.QueryRowContext(ctx, "SELECT n FROM a WHERE id = 1").Scan(&n); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := txs[0].ExecContext(ctx, "UPDATE a SET n = n + 1 WHERE id = 1"); err != nil {
		t.Fatal(err)
	}
	if err := txs[0].Commit(); err != nil {
		t.Fatal(err)
	}
	_, err := txs[1].ExecContext(ctx, "UPDATE a SET n = n + 1 WHERE id = 1")
	if !sqldb.IsConflict(err) || callhome.KindOf(sqldb.Classify(err)) != callhome.KindUnavailable {
		t.Errorf("the second of two conflicting transactions gives %v", err)
	}
	_ = txs[1].Rollback()
}

func TestPostgresAddresses(t *testing.T) {
	_, err := sqldb.Open(context.Background(), "postgres://rita:hunter2@127.0.0.1:1/db?connect_timeout=2", sqldb.Options{Migrations: twoMigrations})
	if callhome.KindOf(err) != callhome.KindUnavailable || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("an unreachable server gives %v", err)
	}
	_, err = sqldb.Open(context.Background(), "postgres://rita:hunter2@host:port/db", sqldb.Options{})
	var e *callhome.Error
	if !errors.As(err, &e) || e.Kind != callhome.KindInvalid || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a wrong address gives %v", err)
	}
}
