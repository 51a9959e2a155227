package simulate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"strings"
	"time"
)

// writeTimeout is how long a receiver by TCP may not read before a line counts as lost.
const writeTimeout = 10 * time.Second

// Logging makes ways that send log lines to udp://HOST:PORT or tcp://HOST:PORT; without a scheme it is UDP. Syslog has no
// acknowledgements: what is written counts, and what the network loses shows at the receiver alone.
func Logging(target string) (open func() (Way, error), err error) {
	network, address, ok := strings.Cut(target, "://")
	if !ok {
		network, address = "udp", target
	}
	if _, port, err := net.SplitHostPort(address); err != nil || port == "" || network != "udp" && network != "tcp" {
		return nil, fmt.Errorf("%q is not of the form udp://HOST:PORT or tcp://HOST:PORT", target)
	}
	return func() (Way, error) {
		l := &logger{network: network, address: address}
		return l, l.connect()
	}, nil
}

// logger is a way by syslog; by TCP lines end in line feeds (RFC 6587 section 3.4.2). A connection that broke is made
// anew for the next line.
type logger struct {
	network, address string
	conn             net.Conn
}

func (l *logger) connect() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	defer cancel()
	l.conn, err = (&net.Dialer{}).DialContext(ctx, l.network, l.address)
	return err
}

// Send writes one line, which carries its number.
func (l *logger) Send(ctx context.Context, d *Device, n uint64, rng *rand.Rand) error {
	if ctx.Err() != nil {
		return errors.New("stopped before it was written")
	}
	now := time.Now()
	say := d.Pick(rng).lines[0]
	line := d.Line(now, say.severity, say.mnemonic, fmt.Sprintf("%s [sim=%d]", say.text, n))
	if l.network == "tcp" {
		line = append(line, '\n')
	}
	if l.conn == nil {
		if err := l.connect(); err != nil {
			return reasonOf(err)
		}
	}
	err := l.conn.SetWriteDeadline(now.Add(writeTimeout))
	if err == nil {
		_, err = l.conn.Write(line)
	}
	if err != nil {
		_ = l.conn.Close() // it is given up
		l.conn = nil
		return reasonOf(err)
	}
	return nil
}

// Close ends the connection.
func (l *logger) Close() error {
	if l.conn == nil {
		return nil
	}
	return l.conn.Close()
}

// Loopback reports whether a target, a URL or HOST:PORT, can be nothing but this very host.
func Loopback(target string) bool {
	host := target
	if u, err := url.Parse(target); err == nil && u.Host != "" {
		host = u.Hostname()
	} else if h, _, err := net.SplitHostPort(target); err == nil {
		host = h
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
