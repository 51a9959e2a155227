package sqlstore_test

import (
	"context"
	"path/filepath"
	"testing"

	"callhome/callhometest"
	"callhome/server/sqlstore"
	"callhome/server/storetest"
)

// suites hold every room's Store to its promises, on both engines.
var suites = []struct {
	room string
	run  func(t *testing.T, open func(testing.TB) *sqlstore.Store)
}{
	{"account", storetest.Account},
	{"registry", storetest.Registry},
	// in the order of the rooms
	{"inventory", storetest.Inventory},
	{"confighistory", storetest.ConfigHistory},
	{"analysis", storetest.Analysis},
	{"advisory", storetest.Advisory},
	{"casework", storetest.Casework},
	{"archive", storetest.Archive},
	{"notify", storetest.Notify},
}

func openSQLite(t testing.TB) *sqlstore.Store {
	t.Helper()
	return open(t, filepath.Join(t.TempDir(), "server.db"))
}

func openPostgres(t testing.TB) *sqlstore.Store {
	t.Helper()
	return open(t, callhometest.Postgres(t))
}

func open(t testing.TB, dsn string) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.Open(context.Background(), dsn, sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestSQLite(t *testing.T) {
	for _, s := range suites {
		t.Run(s.room, func(t *testing.T) { s.run(t, openSQLite) })
	}
}

func TestPeerPostgres(t *testing.T) {
	callhometest.Postgres(t) // keeps the server running between the suites
	for _, s := range suites {
		t.Run(s.room, func(t *testing.T) { s.run(t, openPostgres) })
	}
}

func BenchmarkInventory(b *testing.B) { storetest.BenchmarkInventory(b, openSQLite) }
