package httprecv

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"callhome"
	"callhome/receive"
)

// Options are what a Server needs besides its configuration.
type Options struct {
	TLS      *tls.Config  // for https listeners
	Insecure bool         // allows http listeners beyond loopback
	Other    http.Handler // answers every path that is not the device endpoint's, within the same limits; nil: 404
	Weak     bool         // TLS speaks old versions and ciphers: log, metrics and submissions say so
	Metrics  *receive.Metrics
	Log      *slog.Logger
	Now      func() time.Time

	Licensing func() // called for each message of a licensing agent, which is answered and not taken; may be nil
}

// Server takes posted messages for a sink. It is an http.Handler, and runs listeners of its own.
type Server struct {
	cfg      Config
	sink     receive.Sink
	tls      *tls.Config
	insecure bool
	other    http.Handler
	weak     bool
	licence  func()
	metrics  *receive.Metrics
	log      *slog.Logger
	now      func() time.Time
	flight   budget

	mu        sync.Mutex // guards what follows
	listeners []listener
}

type listener struct {
	net.Listener
	limited *receive.LimitedListener
	url     string
}

// New makes a Server of a valid configuration.
func New(cfg Config, sink receive.Sink, o Options) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if sink == nil {
		return nil, errors.New("httprecv: a sink is needed")
	}
	s := &Server{
		cfg: cfg, sink: sink, tls: o.TLS, insecure: o.Insecure, other: o.Other, weak: o.Weak, licence: o.Licensing, metrics: o.Metrics, log: o.Log, now: o.Now,
		flight: budget{limit: int64(cfg.MaxInFlight)},
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.log = s.log.With("component", "httprecv")
	if s.weak {
		s.log = s.log.With("listener", "weak")
	}
	if s.now == nil {
		s.now = time.Now
	}
	return s, nil
}

// Listen opens http://HOST:PORT or https://HOST:PORT; Run serves it. An http listener beyond loopback is refused unless
// the options allow it.
func (s *Server) Listen(ctx context.Context, rawURL string) error {
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" || u.Port() == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return callhome.Errorf(callhome.KindInvalid, "listener %q is not http://HOST:PORT or https://HOST:PORT", rawURL)
	}
	secure := u.Scheme == "https"
	if secure && s.tls == nil {
		return callhome.Errorf(callhome.KindInvalid, "listener %s needs a certificate; give tls.cert_file and tls.key_file", rawURL)
	}
	if !secure && !s.insecure && !loopback(u.Hostname()) {
		return callhome.Errorf(callhome.KindInvalid, "listener %s would take messages in the clear beyond this host; use https, or set insecure: true", rawURL)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", u.Host)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", rawURL, err)
	}
	limited := receive.Limit(l, receive.Limits{Total: s.cfg.MaxConnections, PerPeer: s.cfg.MaxConnectionsPer})
	open := listener{Listener: limited, limited: limited, url: u.Scheme + "://" + l.Addr().String()}
	if secure {
		cfg := s.tls.Clone()
		cfg.NextProtos = []string{"h2", "http/1.1"}
		open.Listener = tls.NewListener(limited, cfg)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listeners = append(s.listeners, open)
	return nil
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// URLs are the addresses that are listened on, with the ports as they came out.
func (s *Server) URLs() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	urls := make([]string, 0, len(s.listeners))
	for _, l := range s.listeners {
		urls = append(urls, l.url)
	}
	return urls
}

// RefusedConnections is how many connections were closed for being too many.
func (s *Server) RefusedConnections() (n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.listeners {
		n += l.limited.Refused()
	}
	return n
}

// drainTime is how long messages that are being taken have to end when the server stops.
const drainTime = 10 * time.Second

// Run serves the listeners until ctx ends, then lets the messages under way end, and closes everything.
func (s *Server) Run(ctx context.Context) error {
	s.mu.Lock()
	listeners := s.listeners
	s.mu.Unlock()
	if len(listeners) == 0 {
		return errors.New("httprecv: there is no listener to serve")
	}
	srv := s.httpServer()
	failed := make(chan error, len(listeners))
	var serving sync.WaitGroup
	for _, l := range listeners {
		serving.Go(func() { failed <- srv.Serve(l) })
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
		err = fmt.Errorf("httprecv: a listener ended: %w", err)
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	if srv.Shutdown(stop) != nil {
		_ = srv.Close()
	}
	serving.Wait()
	return err
}

func (s *Server) httpServer() *http.Server {
	return &http.Server{
		Handler: s, MaxHeaderBytes: maxHeaderBytes,
		ReadHeaderTimeout: s.cfg.HeaderTimeout, ReadTimeout: s.cfg.BodyTimeout,
		WriteTimeout: s.cfg.BodyTimeout + answerTime, IdleTimeout: s.cfg.IdleTimeout,
		ErrorLog: log.New(debugWriter{s.log}, "", 0),
	}
}

// debugWriter takes what net/http says of connections: scans and broken handshakes, of interest only when looked for.
type debugWriter struct{ log *slog.Logger }

func (w debugWriter) Write(p []byte) (int, error) {
	w.log.Debug("connection", "err", string(p))
	return len(p), nil
}

// budget bounds the bytes of bodies that are in memory at once.
type budget struct {
	limit int64
	used  atomic.Int64
}

func (b *budget) enter(n int64) bool {
	if b.used.Add(n) > b.limit {
		b.used.Add(-n)
		return false
	}
	return true
}

func (b *budget) leave(n int64) { b.used.Add(-n) }
