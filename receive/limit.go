package receive

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
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
	return &LimitedListener{Listener: l, limits: limits, peers: make(map[netip.Addr]int)}
}

// LimitedListener counts connections.
type LimitedListener struct {
	net.Listener
	limits  Limits
	refused atomic.Int64

	mu    sync.Mutex // guards what follows
	total int
	peers map[netip.Addr]int
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
		peer := peerOf(conn)
		if l.enter(peer) {
			return &limitedConn{Conn: conn, leave: sync.OnceFunc(func() { l.leave(peer) })}, nil
		}
		l.refused.Add(1)
		_ = conn.Close()
	}
}

func (l *LimitedListener) enter(peer netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if (l.limits.Total > 0 && l.total >= l.limits.Total) || (l.limits.PerPeer > 0 && l.peers[peer] >= l.limits.PerPeer) {
		return false
	}
	l.total++
	l.peers[peer]++
	return true
}

func (l *LimitedListener) leave(peer netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total--
	if l.peers[peer]--; l.peers[peer] <= 0 {
		delete(l.peers, peer)
	}
}

// limitedConn gives its place back when it is closed.
type limitedConn struct {
	net.Conn
	leave func()
}

// Close closes the connection.
func (c *limitedConn) Close() error {
	c.leave()
	return c.Conn.Close()
}

func peerOf(conn net.Conn) netip.Addr {
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
