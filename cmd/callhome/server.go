package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"callhome"
	"callhome/config"
	"callhome/control"
	"callhome/deliver"
	"callhome/deliver/httpsend"
	"callhome/deliver/smtpsend"
	"callhome/enrol"
	"callhome/health"
	"callhome/outbox"
	"callhome/outbox/spool"
	"callhome/receive"
	"callhome/receive/httprecv"
	"callhome/receive/smtprecv"
	"callhome/resolve"
	"callhome/server"
	"callhome/server/analysis"
	"callhome/server/archive/journal"
	"callhome/server/casework"
	"callhome/server/notify"
	"callhome/server/registry"
	"callhome/server/sqlstore"
	"callhome/sqldb"
	"callhome/trustpoint"
)

// Files below the back end's data_dir.
const (
	databaseFile = "server.db"
	journalDir   = "journal"
	clientCADir  = "clients"
)

// clientCAName is what the authority of agents' and gateways' certificates is called.
const clientCAName = "Callhome agents and gateways"

func (a *app) server() *cobra.Command {
	var file, level string
	c := &cobra.Command{
		Use: "server --config FILE", Short: "Run the back end: take messages, know the devices, open service requests", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			log, err := newLog(a.stderr, level)
			if err != nil {
				return usageError{err}
			}
			if file == "" {
				return usageError{errors.New("callhome server needs --config FILE")}
			}
			cfg, err := config.LoadServer(file)
			if err != nil {
				return err
			}
			b, err := newBackend(c.Context(), cfg, log)
			if err != nil {
				return err
			}
			defer b.close()
			return b.run(c.Context())
		},
	}
	c.Flags().StringVar(&file, "config", "", "configuration file")
	c.Flags().StringVar(&level, "log-level", "info", "debug, info, warn or error")
	return c
}

// backend is one running back end with all its parts.
type backend struct {
	cfg     *config.Server
	log     *slog.Logger
	health  *health.Registry
	metrics *prometheus.Registry

	store     *sqlstore.Store
	intake    interface{ Close() error }
	outbox    *outbox.Queue
	courier   *deliver.Courier
	resolver  *resolve.Resolver
	trust     *trustpoint.Set
	registrar *registry.Registrar
	issuer    *registry.Issuer
	clients   *trustpoint.CA
	announcer *notify.Announcer
	desk      *casework.Desk
	server    *server.Server
	posts     *httprecv.Server
	mails     *smtprecv.Server
	web       []net.Listener // of portal and API
	identity  *trustpoint.ServerIdentity
}

// newBackend makes the parts of a back end and opens its listeners; nothing runs yet.
func newBackend(ctx context.Context, cfg *config.Server, log *slog.Logger) (_ *backend, err error) {
	b := &backend{cfg: cfg, log: log, health: health.New(), metrics: prometheus.NewRegistry()}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	b.metrics.MustRegister(b.health)
	if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("data_dir: %w", err)
	}
	for _, step := range []func(context.Context) error{b.openStore, b.openRoad, b.openRooms, b.listen} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (b *backend) path(elem ...string) string {
	return filepath.Join(append([]string{b.cfg.DataDir}, elem...)...)
}

func (b *backend) openStore(ctx context.Context) (err error) {
	dsn := b.cfg.Database
	if dsn == config.DatabaseSQLite {
		dsn = b.path(databaseFile)
	}
	if b.store, err = sqlstore.Open(ctx, dsn, sqlstore.Options{}); err != nil {
		return err
	}
	if aside := b.store.Aside(); aside != nil {
		b.health.Part("database").Unwell(aside.String())
		b.log.Error(aside.String())
	}
	return nil
}

// openRoad makes what brings mails and ticket systems their messages.
func (b *backend) openRoad(ctx context.Context) error {
	store, err := spool.Open(ctx, b.path(outboxFile), spool.Options{Log: b.log, Health: b.health})
	if err != nil {
		return err
	}
	if b.outbox, err = outbox.Open(ctx, store, outbox.Options{Config: b.cfg.Queue, Log: b.log, Health: b.health, Metrics: b.metrics}); err != nil {
		return err
	}
	if b.trust, err = openTrust(b.cfg.TrustPoints, b.path(trustDir)); err != nil {
		return err
	}
	if b.resolver, err = resolve.New(b.cfg.Resolver, b.cfg.Source, resolve.Options{Log: b.log}); err != nil {
		return err
	}
	mail, err := smtpsend.New(smtpsend.Config{Servers: b.cfg.MailServers, SMTP: b.cfg.SMTP}, smtpsend.Deps{
		Trust: b.trust, Dial: b.resolver.DialContext, Log: b.log, Metrics: smtpsend.NewMetrics(b.metrics),
	})
	if err != nil {
		return err
	}
	web, err := httpsend.New(b.cfg.HTTP, httpsend.Options{Trust: b.trust, Dial: b.resolver.DialContext, Log: b.log, Metrics: httpsend.NewMetrics(b.metrics)})
	if err != nil {
		return err
	}
	b.courier, err = deliver.New(b.cfg.Retry, deliver.Options{
		Queue: b.outbox, Log: b.log, Health: b.health, Metrics: b.metrics,
		Senders: map[callhome.Transport]deliver.Sender{callhome.TransportEmail: mail, callhome.TransportHTTP: web},
	})
	return err
}
