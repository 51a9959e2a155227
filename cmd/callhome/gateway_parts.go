package main

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"callhome"
	"callhome/config"
	"callhome/deliver"
	"callhome/deliver/httpsend"
	"callhome/enrol"
	"callhome/gateway"
	"callhome/gateway/book"
	"callhome/gateway/bundle"
	"callhome/health"
	"callhome/outbox"
	"callhome/outbox/spool"
	"callhome/receive"
	"callhome/receive/httprecv"
	"callhome/receive/mailbox"
	"callhome/receive/smtprecv"
	"callhome/resolve"
	"callhome/sqldb"
	"callhome/trustpoint"
)

// Names below the gateway's data_dir.
const (
	gatewayQueueFile = "outbox.db"
	gatewayBookFile  = "book.db"
	gatewayEnrolDir  = "enrol"
	gatewayKeysDir   = "bundle-keys"
	gatewayTLSDir    = "tls"
	gatewayWeakDir   = "tls-weak"
)

// site is a gateway and all that it is made of.
type site struct {
	log     *slog.Logger
	health  *health.Registry
	metrics *prometheus.Registry
	started *config.Gateway // what the blocks that need a restart go by
	digest  string          // of the configuration in use

	queue    *outbox.Queue
	book     *book.Book
	resolver *resolve.Resolver
	road     swap
	courier  *deliver.Courier
	gateway  *gateway.Gateway
	fair     *receive.Fair
	enrol    *enrol.Client // nil without an upstream that grants certificates
	devices  *httprecv.Server
	weak     *httprecv.Server
	mail     *smtprecv.Server
	mailbox  *mailbox.Poller

	httpMetrics *httpsend.Metrics

	mu  sync.Mutex // guards what follows
	cfg *config.Gateway
}

func (s *site) config() *config.Gateway {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cfg
}

func (s *site) path(name string) string { return filepath.Join(s.started.DataDir, name) }

// buildSite makes the parts of a gateway; nothing runs or listens yet.
func buildSite(ctx context.Context, file string, cfg *config.Gateway, log *slog.Logger) (_ *site, err error) {
	s := &site{log: log, health: health.New(), metrics: prometheus.NewRegistry(), started: cfg, cfg: cfg, digest: digestOf(file)}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	s.metrics.MustRegister(s.health)
	if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil { //nolint:gosec // G703: the operator says where
		return nil, fmt.Errorf("data_dir: %w", err)
	}
	for _, step := range []func(context.Context) error{s.openQueue, s.openEnrolment, s.openUpstream, s.openGateway, s.openListeners} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// digestOf is the SHA-256 of a configuration file, by which a back end sees drift; "" when it cannot be read.
func digestOf(file string) string {
	b, err := os.ReadFile(file) //nolint:gosec // G703: the operator says which
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// openQueue opens outbox and book. Damage that only the first reading meets was noted, and opening again sets it aside.
func (s *site) openQueue(ctx context.Context) error {
	try := func() error {
		store, err := spool.Open(ctx, s.path(gatewayQueueFile), spool.Options{Log: s.log, Health: s.health})
		if err != nil {
			return err
		}
		s.queue, err = outbox.Open(ctx, store, outbox.Options{Config: s.cfg.Queue, Log: s.log, Health: s.health, Metrics: s.metrics})
		return err
	}
	err := try()
	if sqldb.IsDamaged(err) {
		s.log.Error("the outbox is damaged and is opened again, to save what can be read", "err", err)
		err = try()
	}
	if err != nil {
		return err
	}
	s.book, err = book.Open(ctx, s.path(gatewayBookFile), s.cfg.BookLimits())
	return err
}

// openEnrolment prepares joining a back end at register_at, or at the first upstream.
func (s *site) openEnrolment(context.Context) error {
	var err error
	if s.resolver, err = resolve.New(s.cfg.Resolver, s.cfg.Source, resolve.Options{Log: s.log}); err != nil {
		return err
	}
	at := registrar(s.cfg)
	u, err := url.Parse(at)
	if err != nil || u.Scheme != "https" {
		return nil //nolint:nilerr // without an https address there is nobody to register with
	}
	trust, err := s.clientTrust(s.cfg, u.Hostname())
	if err != nil {
		return err
	}
	name := s.cfg.Name
	if name == "" {
		name, _ = os.Hostname()
	}
	host, _ := os.Hostname()
	s.enrol, err = enrol.Open(enrol.Options{
		URL: at, Dir: s.path(gatewayEnrolDir), Kind: enrol.KindGateway, Name: name, TLS: trust, Dial: s.resolver.DialContext, Log: s.log,
		Identity: enrol.Identity{Hostname: host, Version: version},
	})
	return err
}

// registrar is the address of the back end to register with, "" without one.
func registrar(cfg *config.Gateway) string {
	if cfg.RegisterAt == "" && len(cfg.Upstream) > 0 {
		return cfg.Upstream[0].URL
	}
	return cfg.RegisterAt
}

// clientTrust is whom a registration trusts: what the first upstream does.
func (s *site) clientTrust(cfg *config.Gateway, host string) (*tls.Config, error) {
	points, web := upstreamTrust(cfg, "")
	set, err := trustpoint.Load(points, nil, time.Now)
	if err != nil {
		return nil, err
	}
	opts := trustpoint.ClientOptions{ServerName: host}
	if len(web.Endpoints) > 0 {
		opts.TrustPoints, opts.AnyName = web.Endpoints[0].TrustPoints, web.Endpoints[0].AnyName
	}
	return set.Client(opts)
}

// upstreamTrust turns the upstreams of a configuration into trust points and endpoints of the sender. enrolled is the
// file with the certificate that a back end granted, "" without one.
func upstreamTrust(cfg *config.Gateway, enrolled string) (trustpoint.Config, httpsend.Options) {
	points, web := cfg.TrustPoints, cfg.HTTP.HTTP
	points = points[:len(points):len(points)]
	web.Endpoints = web.Endpoints[:len(web.Endpoints):len(web.Endpoints)]
	if enrolled != "" {
		points = append(points, trustpoint.PointConfig{Name: "enrolled", CertFile: enrolled, KeyFile: enrolled})
	}
	own := make([]httpsend.Endpoint, 0, len(cfg.Upstream))
	for i := range cfg.Upstream {
		u := &cfg.Upstream[i]
		e := httpsend.Endpoint{URL: u.URL, Token: u.Token, Direct: u.Direct, Trust: httpsend.Trust{AnyName: u.AnyName}}
		if u.CAFile != "" || len(u.Pins) > 0 {
			name := fmt.Sprintf("upstream-%d", i+1)
			points = append(points, trustpoint.PointConfig{Name: name, CAFile: u.CAFile, Pins: u.Pins})
			e.TrustPoints = []string{name}
		}
		switch {
		case u.CertFile != "":
			e.Certificate = fmt.Sprintf("upstream-%d-identity", i+1)
			points = append(points, trustpoint.PointConfig{Name: e.Certificate, CertFile: u.CertFile, KeyFile: u.KeyFile})
		case enrolled != "":
			e.Certificate = "enrolled"
		}
		own = append(own, e)
	}
	web.Endpoints = append(own, web.Endpoints...)
	return points, web
}

// sender makes what posts to the upstreams of a configuration.
func (s *site) sender(cfg *config.Gateway) (*httpsend.Sender, error) {
	enrolled := ""
	if s.enrol != nil && s.enrol.Certificate() != nil {
		enrolled = s.enrol.IdentityFile()
	}
	points, web := upstreamTrust(cfg, enrolled)
	set, err := trustpoint.Load(points, nil, time.Now)
	if err != nil {
		return nil, err
	}
	return httpsend.New(httpsend.Config{Proxy: cfg.HTTP.Proxy, HTTP: web}, httpsend.Deps{
		Dial: s.resolver.DialContext, TLS: set.Client, Log: s.log, Metrics: s.httpMetrics,
	})
}

func (s *site) openUpstream(context.Context) error {
	s.httpMetrics = httpsend.NewMetrics(s.metrics)
	s.road.log = s.log
	web, err := s.sender(s.cfg)
	if err != nil {
		return err
	}
	s.road.replace(web)
	return nil
}

func (s *site) openGateway(ctx context.Context) error {
	keys, err := bundle.OpenKeys(s.path(gatewayKeysDir))
	if err != nil {
		return err
	}
	s.gateway, err = gateway.New(ctx, s.cfg.Config, gateway.Options{
		Queue: s.queue, Book: s.book, Sender: &s.road, Keys: keys, Dir: s.started.DataDir, SendTimeout: s.cfg.Retry.SendTimeout,
		Registered: func() bool { return s.enrol != nil && s.enrol.State().Registered },
		Log:        s.log, Health: s.health, Metrics: s.metrics,
	})
	if err != nil {
		return err
	}
	s.courier, err = deliver.New(s.cfg.Retry, deliver.Options{
		Queue: s.queue, Log: s.log, Health: s.health, Metrics: s.metrics,
		Senders: map[callhome.Transport]deliver.Sender{callhome.TransportHTTP: s.gateway},
	})
	return err
}

// openListeners opens what messages come by.
func (s *site) openListeners(ctx context.Context) error {
	s.fair = receive.NewFair(s.cfg.Sources, s.gateway, time.Now)
	metrics := receive.NewMetrics(s.metrics)
	hosts := s.hosts()
	identity, err := trustpoint.LoadServer(s.cfg.TLS, s.path(gatewayTLSDir), hosts, time.Now)
	if err != nil {
		return err
	}
	opts := httprecv.Options{
		TLS: identity.TLS, Insecure: s.cfg.Insecure, Metrics: metrics, Log: s.log,
		Licensing: func() { s.gateway.Licensing(callhome.TransportHTTP) },
	}
	if s.devices, err = listenHTTP(ctx, s.cfg.HTTPServer, s.fair, opts, s.cfg.Listen.Devices); err != nil {
		return err
	}
	if len(s.cfg.Listen.Legacy) > 0 {
		old, err := trustpoint.LoadWeak(s.cfg.TLS, s.path(gatewayWeakDir), hosts, time.Now)
		if err != nil {
			return err
		}
		opts.TLS, opts.Weak = old.TLS, true
		if s.weak, err = listenHTTP(ctx, s.cfg.HTTPServer, s.fair, opts, s.cfg.Listen.Legacy); err != nil {
			return err
		}
		s.log.Warn("a weak listener is open: it speaks TLS 1.0 with broken ciphers", "listener", "weak", "addresses", s.cfg.Listen.Legacy)
	}
	if len(s.cfg.Listen.SMTP) > 0 {
		if s.mail, err = smtprecv.New(s.cfg.SMTPServer, s.fair, smtprecv.Options{TLS: identity.TLS, Metrics: metrics, Log: s.log}); err != nil {
			return err
		}
		for _, l := range s.cfg.Listen.SMTP {
			if err := s.mail.Listen(ctx, l); err != nil {
				return err
			}
		}
	}
	if s.cfg.Mailbox.Enabled() {
		s.mailbox, err = mailbox.New(s.cfg.Mailbox, s.fair, mailbox.Options{Dial: s.resolver.DialContext, Metrics: metrics, Log: s.log, Health: s.health})
	}
	return err
}

// listenHTTP opens addresses, nil without any.
func listenHTTP(ctx context.Context, cfg httprecv.Config, sink receive.Sink, o httprecv.Options, addresses []string) (*httprecv.Server, error) {
	if len(addresses) == 0 {
		return nil, nil //nolint:nilnil // no listener is a value here
	}
	srv, err := httprecv.New(cfg, sink, o)
	if err != nil {
		return nil, err
	}
	for _, l := range addresses {
		if err := srv.Listen(ctx, l); err != nil {
			return nil, err
		}
	}
	return srv, nil
}

// hosts are the names and addresses that a certificate of our own is for.
func (s *site) hosts() []string {
	hosts := []string{"localhost", "127.0.0.1", "::1"}
	if h, err := os.Hostname(); err == nil && h != "" {
		hosts = append([]string{h}, hosts...)
	}
	for _, l := range append(append([]string{}, s.cfg.Listen.Devices...), s.cfg.Listen.Legacy...) {
		if u, err := url.Parse(l); err == nil {
			if ip := net.ParseIP(u.Hostname()); ip == nil || !ip.IsUnspecified() {
				hosts = append(hosts, u.Hostname())
			}
		}
	}
	return unique(hosts)
}

func unique(list []string) []string {
	seen := map[string]bool{}
	out := list[:0:0]
	for _, s := range list {
		if s != "" && !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

// close lets go of what buildSite opened, in the order in which it may end.
func (s *site) close() {
	var errs []error
	if s.queue != nil {
		errs = append(errs, s.queue.Close())
	}
	s.road.close()
	if s.book != nil {
		errs = append(errs, s.book.Close())
	}
	if err := errors.Join(errs...); err != nil {
		s.log.Error("the gateway could not close its files", "err", err)
	}
}
