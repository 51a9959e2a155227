package syslogd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"callhome/agent/intake"
	"callhome/trustpoint"
)

const (
	// drainTime bounds the reading of what senders had sent before the end: long enough for buffers on a loaded host.
	drainTime = 500 * time.Millisecond
	// takeTime bounds the sink's work on what was drained.
	takeTime = 5 * time.Second
)

// Options are what a Server gets from outside; all may be left out.
type Options struct {
	Log     *slog.Logger
	Now     func() time.Time
	Metrics prometheus.Registerer // nil: not exported

	// CertDir is where an authority of our own is kept when tls:// listeners have no certificate, and Hosts are the names
	// and addresses that its certificate is for.
	CertDir string
	Hosts   []string
}

// Server listens on all addresses of a configuration.
type Server struct {
	cfg     Config
	sink    intake.Sink
	log     *slog.Logger
	now     func() time.Time
	tls     *tls.Config   // nil without tls:// listeners
	sockets []*socket     // set by Listen
	streams []*listener   // set by Listen
	slots   chan struct{} // one for every connection

	halfFrame, handshake time.Duration // the constants, but for tests

	buffered atomic.Int64 // octets in long unfinished frames
}

// New checks the configuration and reads the certificates.
func New(cfg Config, sink intake.Sink, o Options) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg.withDefaults(), sink: sink, log: o.Log, now: o.Now, slots: make(chan struct{}, maxConnections), halfFrame: halfFrameTime, handshake: handshakeTime}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	if cfg.listensTLS() {
		if cfg.TLS.CertFile == "" && o.CertDir == "" {
			return nil, errors.New("intake.tls.cert_file: is missing; a tls:// listener needs cert_file and key_file")
		}
		id, err := trustpoint.LoadServer(cfg.TLS, o.CertDir, o.Hosts, s.now)
		if err != nil {
			return nil, fmt.Errorf("intake.tls: %w", err)
		}
		s.tls = id.TLS
		if id.Fingerprint != "" {
			s.log.Info("tls:// listeners show a certificate of our own authority; senders must trust it", "folder", o.CertDir, "fingerprint", id.Fingerprint)
		}
	}
	if o.Metrics != nil {
		return s, s.register(o.Metrics)
	}
	return s, nil
}

// Listen binds every address; after an error none is bound. Sockets that a service manager opened for us are used where
// their address fits.
func (s *Server) Listen(ctx context.Context) error {
	inherited := inheritedFiles()
	defer closeAll(inherited)
	for _, entry := range s.cfg.Syslog {
		a, err := parseAddress(entry)
		if err == nil && a.datagrams() {
			err = s.bindSocket(ctx, a, inherited)
		} else if err == nil {
			err = s.bindListener(ctx, a, inherited)
		}
		if err != nil {
			s.close()
			return fmt.Errorf("listen on %s: %w", entry, err)
		}
	}
	return nil
}

// Addrs lists the bound addresses in the order of the configuration, datagram sockets first.
func (s *Server) Addrs() []net.Addr {
	var out []net.Addr
	for _, d := range s.sockets {
		out = append(out, d.local)
	}
	for _, l := range s.streams {
		out = append(out, l.Addr())
	}
	return out
}

// Stats tells how each listener fares.
func (s *Server) Stats() []Stats {
	var out []Stats
	add := func(c *counts, a address, bound net.Addr) {
		st := c.stats()
		st.Listener, st.Address = a.String(), bound.String()
		for i := range out {
			if out[i].Listener == st.Listener {
				out[i].merge(st)
				return
			}
		}
		out = append(out, st)
	}
	for _, d := range s.sockets {
		d.pollDrops()
		add(&d.counts, d.address, d.local)
	}
	for _, l := range s.streams {
		add(&l.counts, l.address, l.Addr())
	}
	return out
}

// merge adds the figures of another socket on the same address.
func (s *Stats) merge(o Stats) {
	s.Lines += o.Lines
	s.Bytes += o.Bytes
	s.KernelDrops += o.KernelDrops
	s.Truncated += o.Truncated
}

// Run takes lines until ctx ends, delivers what had arrived by then, and closes.
func (s *Server) Run(ctx context.Context) error {
	// The sink has to work on while we drain.
	taking, stopTaking := context.WithCancel(context.WithoutCancel(ctx))
	defer stopTaking()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(takeTime, stopTaking) })()
	var running sync.WaitGroup
	for _, d := range s.sockets {
		running.Go(func() { d.run(ctx, taking) })
	}
	for _, l := range s.streams {
		running.Go(func() { l.run(ctx, taking, &running) })
	}
	running.Wait()
	s.close()
	return nil
}

func (s *Server) close() {
	for _, d := range s.sockets {
		d.close()
	}
	for _, l := range s.streams {
		l.Close()
	}
}

// closeAll closes what is left.
func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// isClosed tells the end of a listener from trouble.
func isClosed(err error) bool { return errors.Is(err, net.ErrClosed) }
