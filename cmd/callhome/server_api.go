package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"callhome/server"
	"callhome/server/account"
	"callhome/server/api"
	"callhome/server/casework"
	"callhome/server/registry"
	"callhome/server/sqlstore"
)

// apiBackend is the database as the API sees it.
type apiBackend struct{ *sqlstore.Store }

func (b apiBackend) Read() api.Views { return b.Store.Read() }

func (b apiBackend) Change(ctx context.Context, f func(api.Views) error) error {
	return b.InTx(ctx, func(tx *sqlstore.Tx) error { return f(tx) })
}

// newAPI makes the REST face. What its changes ask to be told goes by the conductor, in the same transaction.
func (b *backend) newAPI(ctx context.Context) *api.API {
	o := api.Options{
		Backend: apiBackend{b.store}, Registrar: b.registrar, Desk: b.desk, Announcer: b.announcer, Rules: b.engine, Hunt: b.server.StartHunt, Import: b.importAdvisories,
		Log: b.log, Metrics: api.NewMetrics(b.metrics),
		Tell: func(ctx context.Context, v api.Views, n []registry.Notice) error {
			return b.server.TellNotices(ctx, v.(server.Rooms), n)
		},
		Announce: func(ctx context.Context, v api.Views, h []casework.Happening) error {
			return b.server.TellHappenings(ctx, v.(server.Rooms), h)
		},
	}
	if p := b.provider(ctx); p != nil { // a nil pointer would be a Provider, too
		o.Provider = p
	}
	return api.New(o)
}

// importAdvisories imports an uploaded file, by way of a file of its own: what reads advisories reads files.
func (b *backend) importAdvisories(ctx context.Context, name string, text []byte, by account.Principal) (out api.AdvisoryImport, err error) {
	dir, err := os.MkdirTemp(b.path(), "upload-")
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	file := filepath.Join(dir, "advisory"+extension(name))
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return out, err
	}
	came, err := b.server.ImportAdvisories(ctx, []string{file}, by)
	for i := range came.Faults { // callers know their own name for the file
		came.Faults[i] = strings.ReplaceAll(came.Faults[i], file, name)
	}
	return api.AdvisoryImport{Notices: came.Notices, Same: came.Same, Affected: came.Affected, Faults: came.Faults}, err
}

// extension is that of a name that a caller gave: nothing of it but one of two words reaches the file system.
func extension(name string) string {
	if filepath.Ext(name) == ".csv" {
		return ".csv"
	}
	return ".json"
}

// serveWeb serves a listener of the portal and the API until ctx ends; streams are given the time that requests have.
func (b *backend) serveWeb(ctx context.Context, ln net.Listener, h http.Handler) error {
	srv := api.Server(h, b.log)
	stop := context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
		defer cancel()
		if srv.Shutdown(grace) != nil {
			_ = srv.Close()
		}
	})
	defer stop()
	if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
