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
	"slices"
	"strings"
	"sync"
	"time"

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
	"callhome/secrets"
	"callhome/server"
	"callhome/server/account"
	"callhome/server/advisory"
	"callhome/server/analysis"
	"callhome/server/api"
	"callhome/server/archive"
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
			if err != nil && c.Context().Err() != nil { // asked to stop while it waited
				return nil
			}
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
	known     *sqlstore.Known // nil on PostgreSQL
	outbox    *outbox.Queue
	courier   *deliver.Courier
	resolver  *resolve.Resolver
	trust     *trustpoint.Set
	registrar *registry.Registrar
	issuer    *registry.Issuer
	clients   *trustpoint.CA
	announcer *notify.Announcer
	desk      *casework.Desk
	liaison   *casework.Liaison
	engine    *analysis.Engine
	server    *server.Server
	api       *api.API
	posts     *httprecv.Server
	mails     *smtprecv.Server
	web       []net.Listener // of portal and API
	watch     net.Listener   // of metrics and health; served from the first moment on
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
	if m := cfg.Metrics; m != nil {
		if b.watch, err = listen(ctx, "metrics.listen", m.Listen); err != nil {
			return nil, err
		}
		go func() { _ = serveHTTP(ctx, b.watch, observability(b.metrics, b.health)) }() // until ctx ends, or close
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
	if b.store, err = b.awaitStore(ctx, dsn); err != nil {
		return err
	}
	if aside := b.store.Aside(); aside != nil {
		b.health.Part("database").Unwell(aside.String())
		b.log.Error(aside.String())
	}
	return nil
}

const (
	// databaseTry is how often a database server that does not answer is asked again at the start.
	databaseTry = 2 * time.Second
	// databaseTell is how often the log says that it is waited for.
	databaseTell = time.Minute
)

// awaitStore opens the database, and waits for a PostgreSQL server that does not answer yet: after a power failure
// machines start in any order. What waiting does not mend ends it.
func (b *backend) awaitStore(ctx context.Context, dsn string) (*sqlstore.Store, error) {
	part := b.health.Part("database")
	var told time.Time
	for {
		s, err := sqlstore.Open(ctx, dsn, sqlstore.Options{})
		if err == nil {
			part.Well()
			return s, nil
		}
		if callhome.KindOf(err) != callhome.KindUnavailable || sqldb.EngineOf(dsn) != sqldb.PostgreSQL {
			return nil, err
		}
		part.Unwell("waiting for the database: " + err.Error())
		if time.Since(told) >= databaseTell {
			told = time.Now()
			b.log.Warn("waiting for the database; nothing is taken until it answers", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(databaseTry):
		}
	}
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
	kept, err := trustpoint.OpenStore(b.path(trustDir), func(string) string { return "" })
	if err != nil {
		return err
	}
	if b.trust, err = trustpoint.Load(b.cfg.TrustPoints, kept, time.Now); err != nil {
		return err
	}
	if b.resolver, err = resolve.New(b.cfg.Resolver, b.cfg.Source, resolve.Options{Log: b.log}); err != nil {
		return err
	}
	mail, err := smtpsend.New(smtpsend.Config{Servers: b.cfg.MailServers, SMTP: b.cfg.SMTP}, smtpsend.Deps{
		Dial: b.resolver.DialContext, TLS: b.trust.Client, Log: b.log, Metrics: smtpsend.NewMetrics(b.metrics),
	})
	if err != nil {
		return err
	}
	web, err := httpsend.New(b.cfg.HTTP, httpsend.Deps{Dial: b.resolver.DialContext, TLS: b.trust.Client, Log: b.log, Metrics: httpsend.NewMetrics(b.metrics)})
	if err != nil {
		return err
	}
	b.courier, err = deliver.New(b.cfg.Retry, deliver.Options{
		Queue: b.outbox, Log: b.log, Health: b.health, Metrics: b.metrics,
		Senders: map[callhome.Transport]deliver.Sender{callhome.TransportEmail: mail, callhome.TransportHTTP: web},
	})
	return err
}

// openRooms makes the rooms and their conductor.
func (b *backend) openRooms(ctx context.Context) (err error) {
	if b.engine, err = b.rules(); err != nil {
		return err
	}
	if b.clients, err = trustpoint.OpenCA(b.path(clientCADir), clientCAName, time.Now); err != nil {
		return err
	}
	b.registrar = &registry.Registrar{Policy: b.cfg.Registration}
	b.issuer = &registry.Issuer{Registrar: b.registrar, Signer: b.clients, InTx: func(ctx context.Context, f func(registry.Ledger) error) error {
		return b.store.InTx(ctx, func(tx *sqlstore.Tx) error { return f(tx) })
	}}
	b.desk, b.announcer = casework.New(b.cfg.Casework), notify.New(b.cfg.Notify)
	intake, workers, err := b.openIntake(ctx)
	if err != nil {
		return err
	}
	conductor := b.cfg.Config
	conductor.KeepInbox = b.cfg.Notify.KeepInbox
	b.server, err = server.New(server.Options{
		Config: conductor, Database: database{b.store}, Intake: intake, Workers: workers, Rules: b.engine, Desk: b.desk, Registrar: b.registrar,
		Announcer: b.announcer, Post: b.postProbe, Log: b.log, Health: b.health, Metrics: b.metrics,
	})
	if err != nil {
		return err
	}
	b.api = b.newAPI(ctx)
	return b.openTickets()
}

// rules are the shipped packs and those of the operator, which take the place of shipped ones by their name.
func (b *backend) rules() (*analysis.Engine, error) {
	cfg := b.cfg.Rules
	var packs []*analysis.Pack
	if cfg.Dir != "" {
		trusted, err := analysis.ParsePublicKeys("rules.keys", []byte(strings.Join(cfg.Keys, "\n")))
		if err != nil {
			return nil, err
		}
		own, err := analysis.LoadDir(cfg.Dir, trusted, cfg.AllowUnsigned)
		if err != nil {
			return nil, err
		}
		packs = own
	}
	if !cfg.WithoutOwn {
		packs = analysis.WithShipped(packs...)
	}
	engine, err := analysis.New(packs...)
	if err != nil {
		return nil, err
	}
	return engine.WithVersions(advisory.InRange), nil
}

// openIntake opens the journal beside SQLite, or the table on PostgreSQL.
func (b *backend) openIntake(ctx context.Context) (server.Intake, int, error) {
	if b.store.Engine() == sqldb.PostgreSQL {
		t := sqlstore.NewTableIntake(b.store)
		b.intake = t
		return tableIntake{t}, max(2, runtime.GOMAXPROCS(0)), nil
	}
	at, err := b.store.Position(ctx)
	if err != nil {
		return nil, 0, err
	}
	b.known = sqlstore.NewKnown(b.store, b.log)
	j, err := journal.Open(b.path(journalDir), journal.Options{From: at, NewID: b.store.NewID, Known: b.known.Key, Log: b.log, Health: b.health})
	if err != nil {
		return nil, 0, err
	}
	b.intake = j
	return journalIntake{sqlstore.NewJournalIntake(b.store, j, at)}, 1, nil
}

// listen opens the listeners.
func (b *backend) listen(ctx context.Context) (err error) {
	if b.identity, err = trustpoint.LoadServer(b.cfg.TLS, b.path(tlsDir), listenHosts(b.cfg.Listen.Devices, b.cfg.Listen.Portal), time.Now); err != nil {
		return err
	}
	devices := b.deviceTLS()
	received := receive.NewMetrics(b.metrics)
	if b.posts, err = httprecv.New(b.cfg.HTTPServer, b.server, httprecv.Options{
		TLS: devices, Insecure: b.cfg.Insecure, Other: enrol.Handler(b.issuer, b.log), Metrics: received, Log: b.log,
	}); err != nil {
		return err
	}
	for _, at := range b.cfg.Listen.Devices {
		if err := b.posts.Listen(ctx, at); err != nil {
			return err
		}
	}
	if b.mails, err = smtprecv.New(b.cfg.SMTPServer, b.server, smtprecv.Options{TLS: b.identity.TLS, Metrics: received, Log: b.log}); err != nil {
		return err
	}
	for _, at := range b.cfg.Listen.SMTP {
		if err := b.mails.Listen(ctx, at); err != nil {
			return err
		}
	}
	for i, at := range b.cfg.Listen.Portal {
		ln, err := b.listenWeb(ctx, fmt.Sprintf("listen.portal[%d]", i), at)
		if err != nil {
			return err
		}
		b.web = append(b.web, ln)
	}
	return nil
}

// deviceTLS verifies the certificates that agents and gateways show, ours and the operator's, and refuses revoked ones.
// Devices show none, and need none.
func (b *backend) deviceTLS() *tls.Config {
	cfg := b.identity.TLS.Clone()
	if cfg.ClientCAs == nil {
		cfg.ClientCAs = x509.NewCertPool()
	}
	cfg.ClientCAs.AddCert(b.clients.Cert)
	if cfg.ClientAuth == tls.NoClientCert {
		cfg.ClientAuth = tls.VerifyClientCertIfGiven
	}
	cfg.VerifyConnection = func(cs tls.ConnectionState) error {
		if len(cs.VerifiedChains) == 0 {
			return nil
		}
		ctx, cancel := context.WithTimeout(context.Background(), headerTimeout)
		defer cancel()
		revoked, err := b.registrar.Revoked(ctx, b.store.Read().Registry(), trustpoint.Fingerprint(cs.PeerCertificates[0]))
		if err == nil && revoked {
			err = callhome.Errorf(callhome.KindDenied, "the client certificate was revoked")
		}
		return err
	}
	return cfg
}

// listenWeb opens a listener of the portal.
func (b *backend) listenWeb(ctx context.Context, key, raw string) (net.Listener, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, err
	}
	ln, err := listen(ctx, key, u.Host)
	if err != nil || u.Scheme == "http" {
		return ln, err
	}
	return tls.NewListener(ln, b.identity.TLS), nil
}

// listenHosts are the names that a certificate of our own is made for.
func listenHosts(addresses ...[]string) []string {
	hosts := []string{"localhost", "127.0.0.1", "::1"}
	if name, err := os.Hostname(); err == nil {
		hosts = append(hosts, name)
	}
	for _, raw := range slices.Concat(addresses...) {
		u, err := url.Parse(raw)
		if err != nil {
			continue
		}
		if ip := net.ParseIP(u.Hostname()); u.Hostname() != "" && (ip == nil || !ip.IsUnspecified()) && !slices.Contains(hosts, u.Hostname()) {
			hosts = append(hosts, u.Hostname())
		}
	}
	return hosts
}

// run runs everything until ctx ends or a part fails.
func (b *backend) run(ctx context.Context) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	orders := &control.Server{Path: b.cfg.Control, Log: b.log}
	b.serve(orders)
	if err := orders.Listen(ctx); err != nil {
		return err
	}
	// Listeners end first, then the work: what was asked in the last moment is still answered.
	work, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	var doors, parts sync.WaitGroup
	begin := func(ctx context.Context, group *sync.WaitGroup, f func(context.Context) error) {
		group.Go(func() {
			if err := f(ctx); err != nil && ctx.Err() == nil {
				fail(err)
			}
		})
	}
	start := func(f func(context.Context) error) { begin(ctx, &doors, f) }
	behind := func(f func(context.Context) error) { begin(work, &parts, f) }
	for _, ln := range b.web {
		start(func(ctx context.Context) error { return b.serveWeb(ctx, ln, b.webHandler()) })
	}
	for _, f := range []func(context.Context) error{b.server.Run, b.courier.Run, b.postman().Run, b.liaison.Run, b.beat} {
		behind(f)
	}
	start(orders.Run)
	start(b.api.Run)
	if len(b.cfg.Listen.Devices) > 0 {
		start(b.posts.Run)
	}
	if len(b.cfg.Listen.SMTP) > 0 {
		start(b.mails.Run)
	}
	if b.known != nil {
		behind(b.known.Run)
	}
	b.health.SetReady(true)
	for _, w := range b.cfg.Warnings {
		b.log.Warn(w.Error())
	}
	b.log.Info("callhome server is ready", "devices", strings.Join(b.posts.URLs(), " "), "database", string(b.store.Engine()), "control", b.cfg.Control, "version", version)
	if b.identity.Fingerprint != "" {
		b.log.Info("the certificate is of our own authority; devices trust it after a look at its print", "fingerprint_sha256", b.identity.Fingerprint, "file", b.path(tlsDir, "ca.crt"))
	}
	<-ctx.Done()
	b.health.SetReady(false)
	doors.Wait()
	stopWork()
	parts.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	b.log.Info("callhome server has stopped")
	return nil
}

// beat says that this process works on the database. Whoever was taken for dead ends, and is started again by its
// supervisor with a new number.
func (b *backend) beat(ctx context.Context) error {
	part := b.health.Part("database")
	tick := time.NewTicker(sqlstore.NodeBeat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		switch err := b.store.Beat(ctx); {
		case err == nil:
			part.Well()
		case callhome.KindOf(err) == callhome.KindConflict:
			return err
		case ctx.Err() == nil:
			part.Unwell(err.Error())
		}
	}
}

// postman brings notices to the outbox.
func (b *backend) postman() *notify.Postman {
	p := notify.NewPostman(b.cfg.Notify)
	p.Outbox, p.Log, p.Diagnostics = b.outbox, b.log, diagnostics{b}
	p.Mask = func(text []byte) []byte { return []byte(secrets.Mask(string(text))) }
	p.InTx = func(ctx context.Context, f func(notify.Store) error) error {
		return b.store.InTx(ctx, func(tx *sqlstore.Tx) error { return f(tx.Notify()) })
	}
	return p
}

// serve registers what a running back end answers.
func (b *backend) serve(orders *control.Server) {
	accounts := &desk{
		store: b.store, office: &account.Office{}, registrar: b.registrar, conductor: b.server,
		notices: func(ctx context.Context, t *sqlstore.Tx, n []registry.Notice) error {
			return b.server.TellNotices(ctx, t, n)
		},
	}
	accounts.serve(orders)
}

// webHandler answers the portal's listener.
func (b *backend) webHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /tickets/{name}", b.ticketHandler)
	mux.Handle(api.Prefix+"/", b.api)
	mux.Handle("/", b.health.Handler())
	return mux
}

// close ends what was opened.
func (b *backend) close() {
	if b.intake != nil {
		_ = b.intake.Close()
	}
	if b.outbox != nil {
		_ = b.outbox.Close()
	}
	if b.store != nil {
		_ = b.store.Close()
	}
	for _, ln := range b.web {
		_ = ln.Close()
	}
	if b.watch != nil {
		_ = b.watch.Close()
	}
}

// database is the store as the conductor sees it.
type database struct{ *sqlstore.Store }

func (d database) InTx(ctx context.Context, f func(server.Rooms) error) error {
	return d.Store.InTx(ctx, func(tx *sqlstore.Tx) error { return f(tx) })
}

func (d database) Read() server.Rooms { return d.Store.Read() }

// journalIntake and tableIntake are the intakes as the conductor sees them.
type journalIntake struct{ *sqlstore.JournalIntake }

func (w journalIntake) Work(ctx context.Context, limit int, prepare archive.Prepare, f func(server.Rooms, []archive.Arrival) error) (int, error) {
	return w.JournalIntake.Work(ctx, limit, prepare, func(tx *sqlstore.Tx, a []archive.Arrival) error { return f(tx, a) })
}

type tableIntake struct{ *sqlstore.TableIntake }

// Pressed is never: who takes and who works need not be the same machine.
func (w tableIntake) Pressed() bool { return false }

func (w tableIntake) Work(ctx context.Context, limit int, prepare archive.Prepare, f func(server.Rooms, []archive.Arrival) error) (int, error) {
	return w.TableIntake.Work(ctx, limit, prepare, func(tx *sqlstore.Tx, a []archive.Arrival) error { return f(tx, a) })
}
