package syslogd

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"callhome"
	"callhome/trustpoint"
)

const (
	// defaultReceiveBuffer holds about ten thousand short datagrams, 30 ms at 300,000 a second, while we are not scheduled.
	defaultReceiveBuffer = 8 << 20
	maxReceiveBuffer     = 1 << 30
	minReceiveBuffer     = 64 << 10
)

// Config is the part of the block `intake` that concerns syslog.
type Config struct {
	Syslog        []string                `yaml:"syslog,omitempty" json:"syslog,omitempty"`                 // udp://HOST:PORT, tcp://, tls://, unix:///PATH, unixgram:///PATH
	TLS           trustpoint.ServerConfig `yaml:"tls,omitempty" json:"tls,omitzero"`                        // of tls:// listeners; without files a certificate of our own authority is made
	ReceiveBuffer int                     `yaml:"receive_buffer,omitempty" json:"receive_buffer,omitempty"` // bytes of the kernel's buffer per datagram socket; default 8 MiB
	Sockets       int                     `yaml:"udp_sockets,omitempty" json:"udp_sockets,omitempty"`       // UDP sockets per address (SO_REUSEPORT); default 1
}

// maxSockets bounds udp_sockets: more readers than cores bring nothing.
const maxSockets = 64

// DefaultConfig listens nowhere.
func DefaultConfig() Config { return Config{ReceiveBuffer: defaultReceiveBuffer, Sockets: 1} }

func (c Config) withDefaults() Config {
	if c.ReceiveBuffer == 0 {
		c.ReceiveBuffer = defaultReceiveBuffer
	}
	if c.Sockets == 0 {
		c.Sockets = 1
	}
	return c
}

// listensTLS reports whether something listens with TLS.
func (c Config) listensTLS() bool {
	for _, s := range c.Syslog {
		if a, err := parseAddress(s); err == nil && a.transport == transportTLS {
			return true
		}
	}
	return false
}

// prefixed puts a block's name before the paths of its faults.
func prefixed(block string, err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	for _, e := range joined.Unwrap() {
		var c *callhome.Error
		if errors.As(e, &c) {
			c.Path = block + c.Path
		}
	}
	return joined.Unwrap()
}

// Validate names every fault by its key.
func (c Config) Validate() error {
	c = c.withDefaults()
	var errs []error
	for i, s := range c.Syslog {
		if _, err := parseAddress(s); err != nil {
			errs = append(errs, fmt.Errorf("intake.syslog[%d]: %w", i, err))
		}
	}
	if err := c.TLS.Validate(); err != nil {
		errs = append(errs, prefixed("intake.", err)...)
	}
	if c.ReceiveBuffer < minReceiveBuffer || c.ReceiveBuffer > maxReceiveBuffer {
		errs = append(errs, fmt.Errorf("intake.receive_buffer: %d is outside %d to %d bytes", c.ReceiveBuffer, minReceiveBuffer, maxReceiveBuffer))
	}
	if c.Sockets < 1 || c.Sockets > maxSockets {
		errs = append(errs, fmt.Errorf("intake.udp_sockets: %d is outside 1 to %d", c.Sockets, maxSockets))
	}
	return errors.Join(errs...)
}

// The transports, as Origin.Transport and metrics name them.
const (
	transportUDP      = "udp"
	transportTCP      = "tcp"
	transportTLS      = "tls"
	transportUnix     = "unix"
	transportUnixgram = "unixgram"
)

// address is one entry of Config.Syslog.
type address struct {
	transport string
	where     string // host:port, or a path
}

// String is the entry as written.
func (a address) String() string { return a.transport + "://" + a.where }

func (a address) datagrams() bool {
	return a.transport == transportUDP || a.transport == transportUnixgram
}

func parseAddress(s string) (address, error) {
	u, err := url.Parse(s)
	if err != nil {
		return address{}, fmt.Errorf("%q is no listener address (udp://127.0.0.1:5514): %w", s, err)
	}
	switch u.Scheme {
	case transportUDP, transportTCP, transportTLS:
		if u.Port() == "" || strings.Trim(u.Path, "/") != "" {
			return address{}, fmt.Errorf("%q needs the form %s://HOST:PORT", s, u.Scheme)
		}
		if _, err := strconv.ParseUint(u.Port(), 10, 16); err != nil {
			return address{}, fmt.Errorf("%q: port %s is outside 0 to 65535", s, u.Port())
		}
		if h := u.Hostname(); h != "" {
			if _, err := netip.ParseAddr(h); err != nil && h != "localhost" {
				return address{}, fmt.Errorf("%q: %q is no IP address of this host", s, h)
			}
		}
		return address{u.Scheme, u.Host}, nil
	case transportUnix, transportUnixgram:
		if u.Host != "" || !strings.HasPrefix(u.Path, "/") || len(u.Path) > maxUnixPath {
			return address{}, fmt.Errorf("%q needs the form %s:///PATH with at most %d characters", s, u.Scheme, maxUnixPath)
		}
		return address{u.Scheme, u.Path}, nil
	}
	return address{}, fmt.Errorf("%q: use udp://, tcp://, tls://, unix:// or unixgram://", s)
}

// maxUnixPath is what fits into a socket address on Linux, less its closing NUL.
const maxUnixPath = 107
