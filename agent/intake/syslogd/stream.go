package syslogd

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"callhome"
	"callhome/agent/intake"
	"callhome/codec/syslog"
)

const (
	// maxConnections is above the 10,000 devices one agent has to serve; an idle one costs about 16 KiB.
	maxConnections = 16 << 10
	// minRead and maxRead are the bounds of one read. A connection begins small, since most are silent, and grows while
	// its reads come back full: 256 KiB are 1,500 lines for one system call.
	minRead = 4 << 10
	maxRead = 256 << 10
	// quietReads is how many small reads in a row make a connection small again.
	quietReads = 16
	// maxBuffered bounds the unfinished frames of all connections together: ten thousand senders that announce 1 MiB each
	// and send it slowly would else fill the memory. A connection counts once it holds more than maxRead.
	maxBuffered = 256 << 20
	// halfFrameTime is how long an unfinished frame may take from its first octet to its last.
	halfFrameTime = 60 * time.Second
	// deadlineSlack is how much older a read deadline may be than the frame it is for: setting one costs.
	deadlineSlack = 5 * time.Second
	// handshakeTime bounds a TLS handshake; a client that needs longer is not there.
	handshakeTime = 10 * time.Second
	// drainIdle is the silence at which a connection counts as read to its end when we stop.
	drainIdle = 50 * time.Millisecond
	// holdTime is how long a line waits for one that continues it, when a read was full and more may be on its way.
	holdTime = 5 * time.Millisecond
	// acceptPause keeps a listener that cannot accept (no descriptors left) from spinning.
	acceptPause = 50 * time.Millisecond
)

// listener takes connections for one address.
type listener struct {
	net.Listener
	address  address
	s        *Server
	counts   counts
	buffered *atomic.Int64 // octets of long unfinished frames, of all connections of the server
}

func newListener(s *Server, a address, l net.Listener) *listener {
	return &listener{Listener: l, address: a, s: s, buffered: &s.buffered}
}

// run accepts until ctx ends. It always accepts at once: some devices stop passing traffic when their log server does
// not answer.
func (l *listener) run(ctx, taking context.Context, running *sync.WaitGroup) {
	defer context.AfterFunc(ctx, func() { l.Close() })()
	for {
		c, err := l.Accept()
		switch {
		case ctx.Err() != nil || err != nil && isClosed(err):
			if err == nil {
				c.Close()
			}
			return
		case err != nil:
			l.s.log.Warn("connection not accepted", "listener", l.address.String(), "err", err)
			time.Sleep(acceptPause)
			continue
		}
		select {
		case l.s.slots <- struct{}{}:
		default:
			l.counts.refused.Add(1)
			c.Close()
			continue
		}
		l.counts.connections.Add(1)
		running.Go(func() {
			l.serve(ctx, taking, c)
			l.counts.connections.Add(-1)
			<-l.s.slots
		})
	}
}

// serve reads one connection to its end.
func (l *listener) serve(ctx, taking context.Context, c net.Conn) {
	defer c.Close()
	st := &stream{l: l, conn: c, size: minRead, origin: intake.Origin{Source: callhome.SourceSyslog, Transport: l.address.transport, Name: l.address.String()}}
	if tcp, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		ap := tcp.AddrPort()
		st.origin.Peer = netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	if l.address.transport == transportTLS {
		secured, err := l.handshake(ctx, c, &st.origin)
		if err != nil {
			l.counts.handshakes.Add(1)
			l.s.log.Debug("TLS handshake failed", "listener", l.address.String(), "peer", st.origin.Peer, "err", err)
			return
		}
		st.conn = secured
	}
	defer context.AfterFunc(ctx, func() {
		st.draining.Store(true)
		_ = c.SetReadDeadline(time.Now().Add(drainIdle))
	})()
	st.run(taking)
	l.buffered.Add(-st.charged)
}

func (l *listener) handshake(ctx context.Context, c net.Conn, o *intake.Origin) (net.Conn, error) {
	secured := tls.Server(c, l.s.tls)
	ctx, cancel := context.WithTimeout(ctx, l.s.handshake)
	defer cancel()
	if err := secured.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	if name, err := identity(secured.ConnectionState()); err == nil {
		o.Secure, o.Identity = true, name
	}
	return secured, nil
}

// stream is one connection; its goroutine owns all but draining.
type stream struct {
	l        *listener
	conn     net.Conn
	origin   intake.Origin
	framer   syslog.Framer
	size     int         // of the next read
	small    int         // reads in a row that needed far less
	moved    bool        // the last read ended a frame
	holding  bool        // the read deadline is for a frame that may be continued
	charged  int64       // what this connection counts for in buffered
	began    time.Time   // when the unfinished frame began; zero without one
	deadline time.Time   // when the read deadline was set last for; zero without one
	draining atomic.Bool // the server stops: read what is there and end
	stopAt   time.Time   // with draining: the end in any case
}

// run reads until the connection ends, or is drained.
func (st *stream) run(taking context.Context) {
	for {
		b := st.framer.Space(st.size)
		b = b[:min(len(b), maxRead)]
		n, err := st.conn.Read(b)
		st.framer.Advance(n)
		at := st.l.s.now()
		if !st.deliver(taking, at, n < len(b)) {
			return
		}
		switch {
		case err == nil:
		case st.draining.Load() || !errors.Is(err, os.ErrDeadlineExceeded):
			st.framer.Finish()
			st.deliver(taking, at, true)
			return
		default:
			st.deadline = time.Time{}
			st.setDeadline(time.Time{})
		}
		if !st.limit(at) {
			st.l.counts.badFrames.Add(1)
			st.framer.Finish()
			st.deliver(taking, at, true)
			return
		}
		st.adapt(n, len(b))
		if st.draining.Load() && !st.keepDraining() {
			st.framer.Finish()
			st.deliver(taking, at, true)
			return
		}
	}
}

// deliver gives all frames to the sink; release gives the last one too although a continuation could still come: nothing
// more is there, and a line is not made to wait. It returns false when the connection must not be read on.
func (st *stream) deliver(taking context.Context, at time.Time, release bool) bool {
	var lines, bytes uint64
	defer func() {
		st.l.counts.lines.Add(lines)
		st.l.counts.bytes.Add(bytes)
		st.moved = lines > 0
	}()
	st.origin.ReceivedAt = at
	for {
		f, ok, err := st.framer.Next()
		if err != nil {
			st.l.s.log.Warn("frame refused", "listener", st.l.address.String(), "peer", st.origin.Peer, "err", err)
			if st.l.address.transport == transportTLS { // RFC 5425 has no way to find the next frame
				st.l.counts.badFrames.Add(1)
				return false
			}
			continue
		}
		if !ok && release {
			f, ok = st.framer.Release()
			release = false
		}
		if !ok {
			return true
		}
		if len(f.Raw) == 0 {
			continue
		}
		lines++
		bytes += uint64(len(f.Raw))
		if f.Flags != 0 || st.origin.Truncated || st.origin.Unterminated || st.origin.Continuation {
			st.flag(f.Flags)
		}
		if st.l.s.sink.Take(taking, f.Raw, &st.origin) != nil && taking.Err() != nil {
			return false
		}
	}
}

func (st *stream) flag(f syslog.Flags) {
	st.origin.Truncated = f&syslog.FlagTruncated != 0
	st.origin.Unterminated = f&syslog.FlagUnterminated != 0
	st.origin.Continuation = f&syslog.FlagContinuation != 0
	if st.origin.Truncated {
		st.l.counts.oversize.Add(1)
	}
}

// limit watches the unfinished frame: its time, and the memory of all such frames. False ends the connection.
func (st *stream) limit(at time.Time) bool {
	if st.framer.Held() {
		st.deadline = time.Time{}
		st.setDeadline(at.Add(holdTime))
		st.holding = true
		return true
	}
	if st.holding {
		st.holding = false
		st.setDeadline(time.Time{})
	}
	waiting := st.framer.Buffered()
	charge := int64(0)
	if waiting > maxRead {
		charge = int64(waiting)
	}
	total := st.l.buffered.Add(charge - st.charged)
	st.charged = charge
	if charge > 0 && total > maxBuffered {
		return false
	}
	switch {
	case waiting == 0:
		st.began = time.Time{}
		return true
	case st.moved || st.began.IsZero(): // at full speed every read ends inside a frame, each time another one
		st.began = at
	case at.Sub(st.began) >= st.l.s.halfFrame:
		return false
	}
	if at.Sub(st.deadline) > deadlineSlack && !st.draining.Load() {
		st.deadline = at
		st.setDeadline(at.Add(st.l.s.halfFrame))
	}
	return true
}

// setDeadline sets a read deadline, but leaves the one that draining has set.
func (st *stream) setDeadline(t time.Time) {
	_ = st.conn.SetReadDeadline(t)
	if st.draining.Load() {
		_ = st.conn.SetReadDeadline(time.Now().Add(drainIdle))
	}
}

// adapt sizes the next read after the last one, which took n of room octets.
func (st *stream) adapt(n, room int) {
	switch {
	case n == room && st.size < maxRead:
		st.size = min(4*st.size, maxRead)
		st.small = 0
	case n >= st.size/8:
		st.small = 0
	case st.size > minRead:
		if st.small++; st.small >= quietReads && st.moved && st.framer.Buffered() == 0 {
			st.size, st.small = minRead, 0
			st.framer = syslog.Framer{}
		}
	}
}

// keepDraining gives what is on its way another moment, within drainTime.
func (st *stream) keepDraining() bool {
	now := time.Now()
	if st.stopAt.IsZero() {
		st.stopAt = now.Add(drainTime)
	}
	_ = st.conn.SetReadDeadline(now.Add(drainIdle))
	return now.Before(st.stopAt)
}
