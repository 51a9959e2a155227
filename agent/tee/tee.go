// Package tee forwards every line that came in, byte for byte, to another collector. It owns the connection and a
// bounded buffer, and never holds intake up: what does not fit is dropped and counted. It adds nothing to a line, so the
// other collector sees the sender's own header; over TCP and TLS lines are framed by octet count (RFC 6587 section 3.4.1).
package tee

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"
)

const (
	// bufferedLines is how far a collector may fall behind: some seconds of a busy site.
	bufferedLines = 16384
	// maxUDP is the largest payload an IPv4 datagram holds.
	maxUDP = 65507
	// retryPause is how long a collector that cannot be reached is left alone.
	retryPause = 2 * time.Second
	// writeTimeout is when a collector that reads nothing counts as gone.
	writeTimeout = 10 * time.Second
)

// Tee forwards to one collector.
type Tee struct {
	url   *url.URL
	tls   *tls.Config
	log   *slog.Logger
	lines chan []byte

	sent, dropped atomic.Int64
}

// New makes a Tee to udp://host:port, tcp://host:port or tls://host:port; conf is for tls and may be nil.
func New(target string, conf *tls.Config, log *slog.Logger) (*Tee, error) {
	u, err := Parse(target)
	if err != nil {
		return nil, err
	}
	return &Tee{url: u, tls: conf, log: log.With("component", "tee", "target", target), lines: make(chan []byte, bufferedLines)}, nil
}

// Parse checks a target.
func Parse(target string) (*url.URL, error) {
	u, err := url.Parse(target)
	if err != nil {
		return nil, fmt.Errorf("tee: %w", err)
	}
	switch u.Scheme {
	case "udp", "tcp", "tls":
	default:
		return nil, fmt.Errorf("tee: %q does not begin with udp://, tcp:// or tls://", target)
	}
	if u.Hostname() == "" || u.Port() == "" {
		return nil, fmt.Errorf("tee: %q needs a host and a port", target)
	}
	return u, nil
}

// Forward takes a copy of line. It never blocks.
func (t *Tee) Forward(line []byte) {
	select {
	case t.lines <- append([]byte(nil), line...):
	default:
		t.dropped.Add(1)
	}
}

// Counts are the lines sent and dropped since the start.
func (t *Tee) Counts() (sent, dropped int64) { return t.sent.Load(), t.dropped.Load() }

// Run connects, writes and connects anew until ctx ends; then it writes what is still buffered, for a moment.
func (t *Tee) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		err := t.session(ctx)
		if err == nil {
			return nil
		}
		t.log.Warn("the other collector cannot be reached; lines are buffered and then dropped", "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(retryPause):
		}
	}
	return nil
}

func (t *Tee) session(ctx context.Context) error {
	conn, err := t.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	for {
		select {
		case line := <-t.lines:
			if err := t.write(conn, line); err != nil {
				t.dropped.Add(1)
				return err
			}
			t.sent.Add(1)
		case <-ctx.Done():
			return t.drain(conn)
		}
	}
}

// drain writes what is buffered; a collector that stopped reading ends it by the write timeout.
func (t *Tee) drain(conn net.Conn) error {
	for {
		select {
		case line := <-t.lines:
			if err := t.write(conn, line); err != nil {
				t.dropped.Add(1)
				return nil //nolint:nilerr // the end has come; the loss is counted
			}
			t.sent.Add(1)
		default:
			return nil
		}
	}
}

func (t *Tee) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	switch t.url.Scheme {
	case "tls":
		return (&tls.Dialer{Config: t.tls}).DialContext(ctx, "tcp", t.url.Host)
	default:
		return (&net.Dialer{}).DialContext(ctx, t.url.Scheme, t.url.Host)
	}
}

func (t *Tee) write(conn net.Conn, line []byte) error {
	_ = conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	if t.url.Scheme == "udp" {
		_, err := conn.Write(line[:min(len(line), maxUDP)])
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil // a refused datagram says nothing of the next one
	}
	frame := append(strconv.AppendInt(make([]byte, 0, len(line)+8), int64(len(line)), 10), ' ')
	_, err := conn.Write(append(frame, line...))
	return err
}
