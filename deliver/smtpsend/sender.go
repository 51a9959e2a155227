package smtpsend

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"

	"callhome"
	"callhome/deliver"
	"callhome/trustpoint"
)

// Deps are what a Sender needs besides its configuration.
type Deps struct {
	Dial func(ctx context.Context, network, address string) (net.Conn, error) // resolve.Resolver.DialContext
	TLS  func(trustpoint.ClientOptions) (*tls.Config, error)                  // trustpoint.Set.Client; for servers with TLS
	Log  *slog.Logger
	Now  func() time.Time

	Metrics *Metrics
}

// Sender sends mail. It is safe for use from several goroutines.
type Sender struct {
	targets []*target // by priority
	byOrder []*target // as configured
	metrics *Metrics
}

var _ deliver.Sender = (*Sender)(nil)

// New makes a Sender of a valid configuration. Without servers it can be made, and every Send fails.
func New(cfg Config, d Deps) (*Sender, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if d.Dial == nil {
		return nil, errors.New("smtpsend: a dialler is needed")
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	s := &Sender{metrics: d.Metrics}
	for i, server := range cfg.Servers {
		t, err := newTarget(server, cfg.SMTP.withDefaults(), d)
		if err != nil {
			return nil, &callhome.Error{Kind: callhome.KindInvalid, Path: fmt.Sprintf("mail_servers[%d]", i), Err: err}
		}
		s.byOrder = append(s.byOrder, t)
	}
	s.targets = slices.Clone(s.byOrder)
	slices.SortStableFunc(s.targets, func(a, b *target) int { return cmp.Compare(a.server.priority(), b.server.priority()) })
	return s, nil
}

func newTarget(server Server, opts Options, d Deps) (*target, error) {
	t := &target{
		server: server, opts: opts, dial: d.Dial, now: d.Now, log: d.Log.With("component", "smtpsend"),
		slots: make(chan struct{}, opts.MaxConnections),
	}
	host, port, _ := net.SplitHostPort(server.Address())
	portNo, _ := strconv.Atoi(port)
	t.status = ServerStatus{Host: host, Port: portNo, Priority: server.priority(), Security: server.security(), State: StateUnknown}
	if server.security() == SecurityNone {
		return t, nil
	}
	if d.TLS == nil {
		return nil, errors.New("smtpsend: trust points are needed for TLS")
	}
	var err error
	t.tls, err = d.TLS(trustpoint.ClientOptions{
		ServerName: server.Host, TrustPoints: server.TrustPoints, Pins: server.Pins,
		Certificate: server.Certificate, AnyName: server.AnyName,
	})
	return t, err
}

// Send sends the envelope's mail to its one recipient, as it is; only line ends other than CRLF become CRLF. It tries the servers by priority, those that failed a moment ago
// last, until one takes it. A refusal of the mail itself (5xx) is deliver.Permanent; everything else is worth another
// try.
func (s *Sender) Send(ctx context.Context, env *callhome.Envelope) error {
	if env.Destination.Transport != callhome.TransportEmail {
		return deliver.Permanent(fmt.Errorf("send to %s: it is not a mail address", callhome.MaskURL(env.Destination.Address)))
	}
	if env.Anonymous {
		return deliver.Permanent(fmt.Errorf("send to %s: anonymous messages go over https only", env.Destination.Address))
	}
	if len(s.targets) == 0 {
		return errors.New("no mail server is configured; add one under call_home.mail_servers")
	}
	var tried attempts
	for _, t := range s.inTurn() {
		err := t.send(ctx, env)
		verdict := judge(ctx, err)
		s.note(t, verdict, err)
		switch verdict {
		case verdictSent:
			return nil
		case verdictRefused:
			return deliver.Permanent(fmt.Errorf("mail server %s refuses the mail: %w", t.server.Address(), err))
		}
		tried.add(t, verdict, err)
		if verdict == verdictUncertain || ctx.Err() != nil {
			break
		}
	}
	return tried.err()
}

// inTurn lists the servers in the order to try them in.
func (s *Sender) inTurn() []*target {
	out := make([]*target, 0, len(s.targets))
	var last []*target
	for _, t := range s.targets {
		if t.cooling() {
			last = append(last, t)
		} else {
			out = append(out, t)
		}
	}
	return append(out, last...)
}

func (s *Sender) note(t *target, v verdict, err error) {
	s.metrics.attempt(v)
	switch v {
	case verdictServer, verdictUncertain:
		t.failed(err)
	case verdictAborted:
	default:
		t.worked(v == verdictSent)
	}
}

// attempts gathers what the servers said.
type attempts struct {
	errs      []error
	permanent bool // all of them refuse by policy
}

func (a *attempts) add(t *target, v verdict, err error) {
	a.permanent = v == verdictPolicy && (a.permanent || len(a.errs) == 0)
	a.errs = append(a.errs, fmt.Errorf("mail server %s: %w", t.server.Address(), err))
}

func (a *attempts) err() error {
	err := errors.Join(a.errs...)
	if a.permanent {
		return deliver.Permanent(err)
	}
	return err
}

// Status describes the servers in the configured order.
func (s *Sender) Status() []ServerStatus {
	out := make([]ServerStatus, 0, len(s.byOrder))
	for _, t := range s.byOrder {
		out = append(out, t.describe())
	}
	return out
}

// TestServers connects to every server as far as a mail could be sent, and sends none. The errors are in configured
// order, nil for a server that is well.
func (s *Sender) TestServers(ctx context.Context) []error {
	out := make([]error, len(s.byOrder))
	for i, t := range s.byOrder {
		session, err := t.open(ctx)
		if err != nil {
			t.failed(err)
			out[i] = err
			continue
		}
		t.worked(false)
		session.quit()
	}
	return out
}

// Close says good-bye to the servers. Mails being sent end first as their contexts say; their connections are closed
// after them.
func (s *Sender) Close() error {
	var wg sync.WaitGroup
	for _, t := range s.targets {
		wg.Go(t.close)
	}
	wg.Wait()
	return nil
}
