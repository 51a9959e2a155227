package load

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"sync"
	"time"

	"golang.org/x/net/ipv4"
)

// chunk is what one write sends.
const chunk = 64 << 10

// dial connects by TCP, or by TLS if cfg is not nil.
func dial(addr string, cfg *tls.Config) (net.Conn, error) {
	if cfg != nil {
		return tls.Dial("tcp", addr, cfg)
	}
	return net.Dial("tcp", addr)
}

// Flood sends total lines of a stream over conns connections as fast as they are taken, then last on each, and closes
// them at once. It returns when everything is written.
func Flood(addr string, cfg *tls.Config, conns, total int, s Stream, last string) error {
	var wg sync.WaitGroup
	errs := make(chan error, conns)
	for c := range conns {
		n := total / conns
		if c < total%conns {
			n++
		}
		wg.Go(func() { errs <- pour(addr, cfg, n, s, last) })
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return fmt.Errorf("send to %s: %w", addr, err)
		}
	}
	return nil
}

func pour(addr string, cfg *tls.Config, n int, s Stream, last string) error {
	c, err := dial(addr, cfg)
	if err != nil {
		return err
	}
	defer c.Close()
	for n > 0 {
		b, lines := s.Bytes, s.Lines
		if n < lines {
			b, lines = firstLines(b, n), n
		}
		for len(b) > 0 {
			w, err := c.Write(b[:min(len(b), chunk)])
			if err != nil {
				return err
			}
			b = b[w:]
		}
		n -= lines
	}
	if last != "" {
		if _, err := c.Write([]byte(last + "\n")); err != nil {
			return err
		}
	}
	return c.Close()
}

func firstLines(b []byte, n int) []byte {
	end := 0
	for range n {
		end += bytes.IndexByte(b[end:], '\n') + 1
	}
	return b[:end]
}

// datagramBatch is how many datagrams one system call sends.
const datagramBatch = 64

// Datagrams sends total lines by UDP, rate a second, or as fast as they go if rate is 0. It returns how long it took.
func Datagrams(addr string, lines []Line, total, rate int) (time.Duration, error) {
	conn, err := net.Dial("udp4", addr)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	pc := ipv4.NewPacketConn(conn.(*net.UDPConn))
	msgs := make([]ipv4.Message, datagramBatch)
	start := time.Now()
	for sent := 0; sent < total; {
		if rate > 0 {
			due := int(time.Since(start).Seconds() * float64(rate))
			if due <= sent {
				time.Sleep(100 * time.Microsecond)
				continue
			}
		}
		n := min(len(msgs), total-sent)
		for i := range n {
			msgs[i].Buffers = [][]byte{[]byte(lines[(sent+i)%len(lines)].Text)}
		}
		w, err := pc.WriteBatch(msgs[:n], 0)
		if err != nil {
			return 0, fmt.Errorf("send to %s: %w", addr, err)
		}
		sent += w
	}
	return time.Since(start), nil
}

// Paced calls send n times, rate a second, each at its own time whatever the one before took.
func Paced(n, rate int, send func(i int) error) error {
	start := time.Now()
	for i := range n {
		time.Sleep(time.Until(start.Add(time.Duration(i) * time.Second / time.Duration(rate))))
		if err := send(i); err != nil {
			return err
		}
	}
	return nil
}
