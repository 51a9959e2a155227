package server

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"callhome"
	"callhome/health"
	"callhome/receive"
	"callhome/server/analysis"
	"callhome/server/archive"
	"callhome/server/casework"
	"callhome/server/ingest"
	"callhome/server/notify"
	"callhome/server/registry"
)

// Options are what a Server works with. Database, Intake, Rules, Desk, Registrar and Announcer must be set.
type Options struct {
	Config    Config
	Database  Database
	Intake    Intake
	Workers   int // that work at once; an Intake that allows only one gets one. 0: one
	Rules     *analysis.Engine
	Desk      *casework.Desk
	Registrar *registry.Registrar
	Announcer *notify.Announcer
	Gateway   func(token callhome.Secret) string // name of the gateway whose token was shown, "" when it is none's
	Post      Post                               // of the probe; nil: there is none
	Log       *slog.Logger
	Health    *health.Registry
	Metrics   prometheus.Registerer
	Now       func() time.Time
}

// Server is the back end.
type Server struct {
	cfg       Config
	db        Database
	intake    Intake
	workers   int
	rules     *analysis.Engine
	desk      *casework.Desk
	registrar *registry.Registrar
	announcer *notify.Announcer
	gateway   func(callhome.Secret) string
	post      Post
	log       *slog.Logger
	health    *health.Registry
	metrics   *metrics
	now       func() time.Time
	shelf     shelfLimit
	poison    poison
	lives     daily // of milestones
}

// New makes a Server; Run sets it going.
func New(o Options) (*Server, error) {
	if err := o.Config.Validate(); err != nil {
		return nil, err
	}
	s := &Server{
		cfg: o.Config, db: o.Database, intake: o.Intake, workers: max(1, o.Workers), rules: o.Rules, desk: o.Desk, registrar: o.Registrar, announcer: o.Announcer,
		gateway: o.Gateway, post: o.Post, log: o.Log, health: o.Health, metrics: newMetrics(o.Metrics), now: o.Now,
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.gateway == nil {
		s.gateway = func(callhome.Secret) string { return "" }
	}
	return s, nil
}

// Accept implements [receive.Sink]: nil means that the message is durable. A message posted in a text form is refused
// with 415, what is no call-home message with 400; of the latter some are kept for people to look at.
func (s *Server) Accept(ctx context.Context, sub *receive.Submission) (receive.Receipt, error) {
	peer := sub.Peer.Addr().String()
	p, err := ingest.Peek(sub.Body, sub.Transport, peer)
	posted := sub.Transport == callhome.TransportHTTP
	switch {
	case err != nil && posted:
		s.keepMalformed(ctx, sub, p, err)
		return receive.Receipt{}, &receive.Refusal{Reason: receive.RefuseMalformed, Err: err}
	case p.Text && posted:
		return receive.Receipt{}, &receive.Refusal{Reason: receive.RefuseUnsupported, Public: "text forms are for people; send XML"}
	}
	put, err := s.intake.Put(ctx, s.arrival(sub, p, ""))
	if err != nil {
		return receive.Receipt{}, &receive.Refusal{Reason: receive.RefuseBusy, Err: err}
	}
	s.metrics.accepted(put.Duplicate)
	return receive.Receipt{MessageID: p.MessageID, Duplicate: put.Duplicate}, nil
}

func (s *Server) arrival(sub *receive.Submission, p ingest.Peeked, refused string) *archive.Arrival {
	o := archive.Origin{Transport: sub.Transport, Peer: sub.Peer.String(), Refused: refused}
	if t := sub.TLS; t != nil {
		o.TLS, o.Certificate = t.Version, t.Fingerprint
	}
	if h := sub.HTTP; h != nil {
		o.Path, o.UserAgent = h.Path, clip(h.UserAgent)
		if !h.Token.IsZero() {
			o.Gateway = s.gateway(h.Token)
		}
	}
	if m := sub.Mail; m != nil {
		o.MailFrom, o.MailTo = clip(m.From), clip(strings.Join(m.To, ","))
	}
	return &archive.Arrival{ReceivedAt: sub.ReceivedAt, Origin: o, Key: p.Key, Lane: p.Lane, Body: sub.Body}
}

// maxOriginText bounds what a peer says of itself: it is shown, and no more.
const maxOriginText = 256

func clip(s string) string {
	if len(s) > maxOriginText {
		s = s[:maxOriginText]
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// shelfLimit bounds how much of what was refused is kept, so that a stranger cannot fill the archive.
type shelfLimit struct {
	mu   sync.Mutex // guards what follows
	hour time.Time
	kept int
}

// shelfPerHour is how many refused messages are kept in an hour: enough to see what a misconfigured device sends.
const shelfPerHour = 60

func (l *shelfLimit) allow(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if hour := now.Truncate(time.Hour); !hour.Equal(l.hour) {
		l.hour, l.kept = hour, 0
	}
	l.kept++
	return l.kept <= shelfPerHour
}

// keepMalformed keeps bytes that were refused. The sender knows that they were not taken, so losing them is no loss.
func (s *Server) keepMalformed(ctx context.Context, sub *receive.Submission, p ingest.Peeked, why error) {
	if len(sub.Body) == 0 || !s.shelf.allow(s.now()) {
		return
	}
	if _, err := s.intake.Put(ctx, s.arrival(sub, p, clip(why.Error()))); err != nil {
		s.log.Warn("a malformed message could not be kept", "component", "server", "err", err)
	}
}

// Run works until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	var parts sync.WaitGroup
	for range s.workers {
		parts.Go(func() { s.work(ctx) })
	}
	parts.Go(func() { s.keepHouse(ctx) })
	parts.Go(func() { s.probeLoop(ctx) })
	parts.Go(func() { s.hunts(ctx) })
	parts.Go(func() { _ = s.desk.Run(ctx, s.Transact, s.log) })
	parts.Wait()
	return nil
}

// retryMin and retryMax bound the pause after work that failed.
const (
	retryMin = 100 * time.Millisecond
	retryMax = 5 * time.Second
)

// work works what arrives until ctx ends.
func (s *Server) work(ctx context.Context) {
	part := s.health.Part("archive work")
	pause := retryMin
	for ctx.Err() == nil {
		began := time.Now()
		n, err := s.batch(ctx)
		if err == nil {
			part.Well()
			pause = retryMin
			if n > 0 {
				s.metrics.worked(n)
			}
			if s.intake.Pressed() {
				rest(ctx, min(yieldFactor*time.Since(began), yieldMax))
			}
			continue
		}
		if ctx.Err() != nil {
			return
		}
		part.Unwell("messages are taken and not worked: " + err.Error())
		s.log.Error("working the archive", "component", "server", "err", err)
		rest(ctx, pause)
		pause = min(2*pause, retryMax)
	}
}

// While senders wait, work takes a fifth of the time: what was taken is safe, and a sender that gets no answer sends
// again. yieldMax bounds how long a message waits between two batches.
const (
	yieldFactor = 4
	yieldMax    = 400 * time.Millisecond
)

// rest waits.
func rest(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
