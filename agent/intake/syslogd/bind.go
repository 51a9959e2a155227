package syslogd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"

	"github.com/coreos/go-systemd/v22/activation"
	"golang.org/x/sys/unix"
)

// unixSocketMode lets every local program log.
const unixSocketMode = 0o666

// inheritedFiles are the sockets of systemd's socket activation.
func inheritedFiles() []*os.File { return activation.Files(true) }

// bindSocket opens the datagram sockets of one address.
func (s *Server) bindSocket(ctx context.Context, a address, inherited []*os.File) error {
	n := 1
	if a.transport == transportUDP {
		n = s.cfg.Sockets
	}
	where := a.where
	for range n {
		conn, err := s.openSocket(ctx, a, where, n > 1, inherited)
		if err != nil {
			return err
		}
		if err := enlarge(conn, s.cfg.ReceiveBuffer); err != nil {
			s.log.Warn("the receive buffer stays small", "listener", a.String(), "err", err)
		}
		d, err := newSocket(s, a, conn)
		if err != nil {
			return err
		}
		s.sockets = append(s.sockets, d)
		where = d.local.String() // the next socket shares a port that the kernel chose
	}
	return nil
}

func (s *Server) openSocket(ctx context.Context, a address, where string, shared bool, inherited []*os.File) (datagramConn, error) {
	for _, f := range inherited {
		c, err := net.FilePacketConn(f)
		if err != nil {
			continue
		}
		if dc, ok := c.(datagramConn); ok && sameAddress(c.LocalAddr(), a) {
			return dc, nil
		}
		_ = c.Close()
	}
	if a.transport == transportUnixgram {
		if err := removeStale(a.where, "unixgram"); err != nil {
			return nil, err
		}
	}
	lc := net.ListenConfig{}
	if shared {
		lc.Control = func(_, _ string, c syscall.RawConn) error {
			var fault error
			err := c.Control(func(fd uintptr) { fault = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) })
			return errors.Join(err, fault)
		}
	}
	c, err := lc.ListenPacket(ctx, a.transport, where)
	if err != nil {
		return nil, err
	}
	if a.transport == transportUnixgram {
		if err := os.Chmod(a.where, unixSocketMode); err != nil {
			_ = c.Close()
			return nil, err
		}
	}
	dc, ok := c.(datagramConn)
	if !ok {
		_ = c.Close()
		return nil, fmt.Errorf("%T gives no access to its descriptor", c)
	}
	return dc, nil
}

// bindListener opens the stream listener of one address.
func (s *Server) bindListener(ctx context.Context, a address, inherited []*os.File) error {
	network := a.transport
	if network == transportTLS {
		network = transportTCP
	}
	for _, f := range inherited {
		l, err := net.FileListener(f)
		if err != nil {
			continue
		}
		if sameAddress(l.Addr(), a) {
			s.streams = append(s.streams, newListener(s, a, l))
			return nil
		}
		l.Close()
	}
	if network == transportUnix {
		if err := removeStale(a.where, "unix"); err != nil {
			return err
		}
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, network, a.where)
	if err != nil {
		return err
	}
	if network == transportUnix {
		if err := os.Chmod(a.where, unixSocketMode); err != nil {
			l.Close()
			return err
		}
	}
	s.streams = append(s.streams, newListener(s, a, l))
	return nil
}

// sameAddress compares a socket from outside with an entry of the configuration.
func sameAddress(bound net.Addr, a address) bool {
	if a.transport == transportUnix || a.transport == transportUnixgram {
		return bound.Network() == a.transport && bound.String() == a.where
	}
	network := a.transport
	if network == transportTLS {
		network = transportTCP
	}
	if bound.Network() != network {
		return false
	}
	if network == transportUDP {
		want, err := net.ResolveUDPAddr(network, a.where)
		return err == nil && sameEndpoint(want.String(), bound.String())
	}
	want, err := net.ResolveTCPAddr(network, a.where)
	return err == nil && sameEndpoint(want.String(), bound.String())
}

func sameEndpoint(want, bound string) bool {
	wh, wp, err1 := net.SplitHostPort(want)
	bh, bp, err2 := net.SplitHostPort(bound)
	if err1 != nil || err2 != nil || wp != bp {
		return false
	}
	any4or6 := func(h string) bool { return h == "" || h == "0.0.0.0" || h == "::" }
	return wh == bh || any4or6(wh) && any4or6(bh)
}

// removeStale removes a socket that a dead process left behind, and nothing else.
func removeStale(path, network string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSocket == 0 {
		return fmt.Errorf("%s exists and is no socket; remove it or choose another path", path)
	}
	if c, err := net.Dial(network, path); err == nil { //nolint:noctx // a unix socket answers at once or not at all
		c.Close()
		return fmt.Errorf("another process listens on %s", path)
	}
	return os.Remove(path)
}
