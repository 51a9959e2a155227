package smtpsend

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	"callhome"
)

// cooldown is how long a server that failed is asked last, so that a dead one costs its timeout once and not with every
// mail.
const cooldown = 30 * time.Second

// noticeEvery is how often at most one server's failure is told, CISCO-CALLHOME-MIB.
const noticeEvery = 10 * time.Second

// target is one server with its open connections and what is known of it.
type target struct {
	server Server
	opts   Options
	dial   func(ctx context.Context, network, address string) (net.Conn, error)
	tls    *tls.Config
	log    *slog.Logger
	now    func() time.Time
	slots  chan struct{} // one for each connection that may be open

	mu       sync.Mutex // guards what follows
	idle     []*session // the last one given back is the first to be used again
	evict    *time.Timer
	closed   bool
	status   ServerStatus
	failedAt time.Time // zero: the last attempt went well
	toldAt   time.Time
}

// send sends one mail. The error is a *transactionError, or another one when the server was not ready for any mail.
func (t *target) send(ctx context.Context, env *callhome.Envelope) error {
	select {
	case t.slots <- struct{}{}:
		defer func() { <-t.slots }()
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", errNoSlot, ctx.Err())
	}
	for s := t.take(); s != nil; s = t.take() {
		err := s.transmit(ctx, env)
		if !stale(ctx, err) {
			return t.finish(ctx, s, err)
		}
		s.abort() // the server had closed it meanwhile
	}
	s, err := t.open(ctx)
	if err != nil {
		return err
	}
	return t.finish(ctx, s, s.transmit(ctx, env))
}

// errNoSlot tells that the caller's time ended before one of the connections became free.
var errNoSlot = errors.New("all connections to the server are in use (smtp.max_connections)")

// stale reports whether a kept connection failed in the way of one that the server has given up: another is then opened
// for the same mail. A timeout is not of that kind, nor is silence after the mail was sent.
func stale(ctx context.Context, err error) bool {
	var te *transactionError
	if !errors.As(err, &te) || ctx.Err() != nil {
		return false
	}
	if r := reply(err); r != nil {
		return r.Code == codeClosing && te.stage == stageMail
	}
	return te.stage == stageMail && !timedOut(err)
}

// finish keeps the connection for the next mail where it is fit for one.
func (t *target) finish(ctx context.Context, s *session, err error) error {
	r := reply(err)
	switch {
	case err == nil:
	case r == nil || r.Code == codeClosing:
		s.abort()
		return err
	case s.reset(ctx) != nil:
		s.abort()
		return err
	}
	t.give(s)
	return err
}

// take gives an open connection, or nil.
func (t *target) take() *session {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(t.idle)
	if n == 0 {
		return nil
	}
	s := t.idle[n-1]
	t.idle = t.idle[:n-1]
	return s
}

func (t *target) give(s *session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		go s.quit()
		return
	}
	s.idleAt = t.now()
	t.idle = append(t.idle, s)
	if t.evict == nil {
		t.evict = time.AfterFunc(t.opts.IdleTimeout, t.evictIdle)
	}
}

// evictIdle closes what was not used for long.
func (t *target) evictIdle() {
	t.mu.Lock()
	limit := t.now().Add(-t.opts.IdleTimeout)
	var old []*session
	t.idle = slices.DeleteFunc(t.idle, func(s *session) bool {
		if s.idleAt.After(limit) {
			return false
		}
		old = append(old, s)
		return true
	})
	t.evict = nil
	if len(t.idle) > 0 && !t.closed {
		t.evict = time.AfterFunc(t.opts.IdleTimeout, t.evictIdle)
	}
	t.mu.Unlock()
	for _, s := range old {
		s.quit()
	}
}

// close says good-bye on all open connections.
func (t *target) close() {
	t.mu.Lock()
	t.closed = true
	idle := t.idle
	t.idle = nil
	if t.evict != nil {
		t.evict.Stop()
	}
	t.mu.Unlock()
	for _, s := range idle {
		s.quit()
	}
}

// cooling reports whether the server failed a moment ago.
func (t *target) cooling() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.failedAt.IsZero() && t.now().Sub(t.failedAt) < cooldown
}

// worked notes that the server took part in a dialogue as it should, whether or not it took the mail.
func (t *target) worked(sent bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failedAt = time.Time{}
	t.status.State = StateAvailable
	if sent {
		t.status.Sent++
		t.status.LastSuccess = t.now()
	}
}

// failed notes that the server is not fit for mail.
func (t *target) failed(err error) {
	t.mu.Lock()
	now := t.now()
	t.failedAt = now
	t.status.State = StateNotAvailable
	t.status.Failed++
	t.status.LastError, t.status.LastFailure = err.Error(), now
	tell := now.Sub(t.toldAt) >= noticeEvery
	if tell {
		t.toldAt = now
	}
	t.mu.Unlock()
	if tell {
		t.log.Warn("mail server failed", "server", t.server.Address(), "err", err)
	}
}

// State is what is known of a server.
type State string

// The states.
const (
	StateUnknown      State = "unknown" // not used yet
	StateAvailable    State = "available"
	StateNotAvailable State = "not_available"
)

// String is the word of `show call-home mail-server status`.
func (s State) String() string {
	switch s {
	case StateAvailable:
		return "Available"
	case StateNotAvailable:
		return "Not Available"
	}
	return "Unknown"
}

// ServerStatus is one line of `show call-home mail-server status`.
type ServerStatus struct {
	Host        string    `json:"host"`
	Port        int       `json:"port"`
	Priority    int       `json:"priority"`
	Security    Security  `json:"security"`
	State       State     `json:"state"`
	Sent        int64     `json:"sent"`
	Failed      int64     `json:"failed"`
	LastSuccess time.Time `json:"last_success,omitzero"`
	LastFailure time.Time `json:"last_failure,omitzero"`
	LastError   string    `json:"last_error,omitempty"`
}

// describe is the status now.
func (t *target) describe() ServerStatus {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.status
}

// Line is the status as devices print it, after "Mail-server[n]: ".
func (s ServerStatus) Line() string {
	secure := "none"
	if s.Security != SecurityNone {
		secure = "tls"
	}
	return fmt.Sprintf("Address: %s Priority: %d  Secure: %s [%s]", s.Host, s.Priority, secure, s.State)
}
