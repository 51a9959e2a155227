package smtprecv

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emersion/go-smtp"

	"callhome"
	"callhome/receive"
)

// Options are what a Server needs besides its configuration.
type Options struct {
	TLS *tls.Config // offers STARTTLS, and is needed for smtps listeners

	// Authenticate judges a user name and password; AUTH is offered, inside TLS only, when it is set.
	Authenticate func(username string, password callhome.Secret) bool

	Metrics *receive.Metrics
	Log     *slog.Logger
	Now     func() time.Time
}

// Server takes mail for a sink.
type Server struct {
	cfg          Config
	sink         receive.Sink
	smtp         *smtp.Server
	authenticate func(string, callhome.Secret) bool
	metrics      *receive.Metrics
	log          *slog.Logger
	now          func() time.Time
	lifetime     atomic.Pointer[context.Context] // of Run, without its cancellation

	stopping atomic.Bool
	active   sync.WaitGroup // mails being taken

	mu        sync.Mutex // guards what follows, and active against stopping
	listeners []net.Listener
	limited   []*receive.LimitedListener // the same, below TLS
}

// New makes a Server of a valid configuration.
func New(cfg Config, sink receive.Sink, o Options) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	switch {
	case sink == nil:
		return nil, errors.New("smtprecv: a sink is needed")
	case cfg.RequireAuth && o.Authenticate == nil:
		return nil, callhome.Errorf(callhome.KindInvalid, "require_auth needs users; give them, or leave it out")
	case (cfg.RequireAuth || cfg.RequireTLS) && o.TLS == nil:
		return nil, callhome.Errorf(callhome.KindInvalid, "require_auth and require_tls need a certificate; give tls.cert_file and tls.key_file")
	}
	s := &Server{cfg: cfg, sink: sink, authenticate: o.Authenticate, metrics: o.Metrics, log: o.Log, now: o.Now}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.log = s.log.With("component", "smtprecv")
	if s.now == nil {
		s.now = time.Now
	}
	s.smtp = s.protocol(o.TLS)
	return s, nil
}

func (s *Server) protocol(cfg *tls.Config) *smtp.Server {
	srv := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		if s.stopping.Load() {
			return nil, errStopping
		}
		return &session{server: s, conn: c}, nil
	}))
	srv.Domain, srv.TLSConfig = s.cfg.Hostname, cfg
	srv.MaxMessageBytes, srv.MaxRecipients, srv.MaxLineLength = s.cfg.MaxMessageSize, s.cfg.MaxRecipients, maxLine
	srv.ReadTimeout, srv.WriteTimeout = s.cfg.Timeout, s.cfg.Timeout
	srv.EnableSMTPUTF8 = true
	srv.ErrorLog = debugLog{s.log}
	return srv
}

// Listen opens HOST:PORT, smtp://HOST:PORT, or smtps://HOST:PORT with TLS from the start; Run serves it.
func (s *Server) Listen(ctx context.Context, address string) error {
	hostPort, secure := strings.CutPrefix(address, "smtps://")
	hostPort = strings.TrimPrefix(hostPort, "smtp://")
	if _, _, err := net.SplitHostPort(hostPort); err != nil {
		return callhome.Errorf(callhome.KindInvalid, "listener %q is not HOST:PORT, smtp://HOST:PORT or smtps://HOST:PORT", address)
	}
	if secure && s.smtp.TLSConfig == nil {
		return callhome.Errorf(callhome.KindInvalid, "listener %s needs a certificate; give tls.cert_file and tls.key_file", address)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", hostPort)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", address, err)
	}
	limited := receive.Limit(l, receive.Limits{Total: s.cfg.MaxConnections, PerPeer: s.cfg.MaxConnectionsPer})
	l = limited
	if secure {
		l = tls.NewListener(limited, s.smtp.TLSConfig)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listeners = append(s.listeners, l)
	s.limited = append(s.limited, limited)
	return nil
}

// Addrs are the addresses that are listened on, with the ports as they came out.
func (s *Server) Addrs() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]string, 0, len(s.listeners))
	for _, l := range s.listeners {
		out = append(out, l.Addr().String())
	}
	return out
}

// drainTime is how long mails that are being taken have to end when the server stops.
const drainTime = 10 * time.Second

// Run serves the listeners until ctx ends, then lets the mails under way end, and closes everything. A Server runs once.
func (s *Server) Run(ctx context.Context) error {
	s.mu.Lock()
	listeners := s.listeners
	s.mu.Unlock()
	if len(listeners) == 0 {
		return errors.New("smtprecv: there is no listener to serve")
	}
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	s.lifetime.Store(&life)
	failed := make(chan error, len(listeners))
	var serving sync.WaitGroup
	for _, l := range listeners {
		serving.Go(func() { failed <- s.smtp.Serve(l) })
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
		err = fmt.Errorf("smtprecv: a listener ended: %w", err)
	}
	s.stop(life, end)
	serving.Wait()
	return err
}

// stop refuses new mails, waits for those under way and their answers, and ends every dialogue.
func (s *Server) stop(ctx context.Context, end context.CancelFunc) {
	s.mu.Lock()
	s.stopping.Store(true)
	limited := s.limited
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.smtp.Shutdown(context.WithoutCancel(ctx)) // closes the listeners, waits for the dialogues
	}()
	s.awaitMails(ctx)
	for _, l := range limited {
		l.Hurry()
	}
	select {
	case <-ended:
		return
	case <-ctx.Done():
	}
	end() // the sink takes too long
	for _, l := range limited {
		l.Abort()
	}
	<-ended
}

func (s *Server) awaitMails(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.active.Wait()
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// begin counts a mail as being taken, unless the server stops.
func (s *Server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping.Load() {
		return false
	}
	s.active.Add(1)
	return true
}

func (s *Server) ctx() context.Context {
	if life := s.lifetime.Load(); life != nil {
		return *life
	}
	return context.Background()
}

// debugLog takes what go-smtp says of connections: scans and broken handshakes, of interest only when looked for.
type debugLog struct{ log *slog.Logger }

// Printf logs.
func (d debugLog) Printf(format string, v ...any) {
	d.log.Debug("connection", "err", fmt.Sprintf(format, v...))
}

// Println logs.
func (d debugLog) Println(v ...any) { d.log.Debug("connection", "err", fmt.Sprint(v...)) }
