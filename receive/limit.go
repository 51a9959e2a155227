package receive

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Limits bound the connections of one listener. They are taken from strangers, before anything of them is read.
type Limits struct {
	Total   int // at once; 0: no limit
	PerPeer int // at once from one address, for IPv6 from one /64; 0: no limit
}

// peerBits is the part of an IPv6 address that a host cannot choose by itself.
const peerBits = 64

// Limit wraps a listener. A connection above the limits is closed without a word, which costs nothing, and counted.
func Limit(l net.Listener, limits Limits) *LimitedListener {
	return &LimitedListener{Listener: l, limits: limits, peers: make(map[netip.Addr]int), conns: make(map[*limitedConn]struct{})}
}

// LimitedListener counts connections.
type LimitedListener struct {
	net.Listener
	limits  Limits
	refused atomic.Int64

	mu    sync.Mutex // guards what follows
	peers map[netip.Addr]int
	conns map[*limitedConn]struct{}
}

// Refused is how many connections were closed for being too many.
func (l *LimitedListener) Refused() int64 { return l.refused.Load() }

// Accept waits for a connection within the limits.
func (l *LimitedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &limitedConn{Conn: conn, listener: l, peer: peerOf(conn)}
		if l.enter(c) {
			return c, nil
		}
		l.refused.Add(1)
		_ = conn.Close()
	}
}

func (l *LimitedListener) enter(c *limitedConn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if (l.limits.Total > 0 && len(l.conns) >= l.limits.Total) || (l.limits.PerPeer > 0 && l.peers[c.peer] >= l.limits.PerPeer) {
		return false
	}
	l.conns[c] = struct{}{}
	l.peers[c.peer]++
	return true
}

func (l *LimitedListener) leave(c *limitedConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, open := l.conns[c]; !open {
		return // closed before
	}
	delete(l.conns, c)
	if l.peers[c.peer]--; l.peers[c.peer] <= 0 {
		delete(l.peers, c.peer)
	}
}

// Hurry makes every open connection's reads time out from now on: an idle peer is told good-bye, one that waits for an
// answer still gets it. It is called after Close.
func (l *LimitedListener) Hurry() {
	for _, c := range l.open() {
		c.hurried.Store(true)
		_ = c.Conn.SetReadDeadline(past)
	}
}

// Abort closes every open connection.
func (l *LimitedListener) Abort() {
	for _, c := range l.open() {
		_ = c.Close()
	}
}

func (l *LimitedListener) open() []*limitedConn {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]*limitedConn, 0, len(l.conns))
	for c := range l.conns {
		out = append(out, c)
	}
	return out
}

// past is a deadline that is over.
var past = time.Unix(1, 0)

// limitedConn gives its place back when it is closed.
type limitedConn struct {
	net.Conn
	listener *LimitedListener
	peer     netip.Addr
	hurried  atomic.Bool
}

// Close closes the connection.
func (c *limitedConn) Close() error {
	c.listener.leave(c)
	return c.Conn.Close()
}

// SetReadDeadline sets the deadline, unless the connection has to end.
func (c *limitedConn) SetReadDeadline(t time.Time) error {
	err := c.Conn.SetReadDeadline(t)
	if c.hurried.Load() { // looked at after setting, so that Hurry and this cannot miss each other
		err = c.Conn.SetReadDeadline(past)
	}
	return err
}

// SetDeadline sets both deadlines.
func (c *limitedConn) SetDeadline(t time.Time) error {
	if err := c.SetWriteDeadline(t); err != nil {
		return err
	}
	return c.SetReadDeadline(t)
}

func peerOf(conn interface{ RemoteAddr() net.Addr }) netip.Addr {
	addr := AddrPortOf(conn.RemoteAddr()).Addr()
	if addr.Is6() {
		if p, err := addr.WithZone("").Prefix(peerBits); err == nil {
			return p.Addr()
		}
	}
	return addr
}

// AddrPortOf is a connection's address; the zero value for what is not TCP.
func AddrPortOf(a net.Addr) netip.AddrPort {
	if tcp, ok := a.(*net.TCPAddr); ok {
		ap := tcp.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	return netip.AddrPort{}
}
