package smtpsend

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"callhome"
)

// Security is how a server is spoken to.
type Security string

// The ways. What is configured is demanded: a server that does not offer it gets no mail.
const (
	SecurityNone     Security = "none"     // in the clear
	SecurityStartTLS Security = "starttls" // TLS by STARTTLS
	SecurityTLS      Security = "tls"      // TLS from the start
)

// Server is one of mail_servers.
type Server struct {
	Host         string          `yaml:"host" json:"host"` // name or address
	Port         int             `yaml:"port,omitempty" json:"port,omitempty"`
	Priority     int             `yaml:"priority,omitempty" json:"priority,omitempty"` // 1..100, the lowest first; equal: as configured; 0: 50
	Security     Security        `yaml:"security,omitempty" json:"security,omitempty" jsonschema:"enum=none,enum=starttls,enum=tls"`
	Username     string          `yaml:"username,omitempty" json:"username,omitempty"`
	Password     callhome.Secret `yaml:"password,omitempty" json:"password,omitzero"`
	PasswordFile string          `yaml:"password_file,omitempty" json:"password_file,omitempty"`
	InsecureAuth bool            `yaml:"insecure_auth,omitempty" json:"insecure_auth,omitempty"` // allows the password in the clear
	TrustPoints  []string        `yaml:"trust_points,omitempty" json:"trust_points,omitempty"`   // who may vouch for the server; none: the system's
	Certificate  string          `yaml:"certificate,omitempty" json:"certificate,omitempty"`     // trust point whose device certificate is shown
	Pins         []string        `yaml:"pins,omitempty" json:"pins,omitempty"`
	AnyName      bool            `yaml:"no_identity_check,omitempty" json:"no_identity_check,omitempty"` // the certificate's name may differ
}

// Default ports of the three ways, and the range of priorities that all personalities fit in.
const (
	portSMTP    = 25
	portSMTPS   = 465
	maxPriority = 100
)

// defaultPriority is the middle of the range, NX-OS configuration guide.
const defaultPriority = 50

// Address is HOST:PORT.
func (s Server) Address() string {
	port := s.Port
	if port == 0 {
		port = portSMTP
		if s.Security == SecurityTLS {
			port = portSMTPS
		}
	}
	return net.JoinHostPort(s.Host, strconv.Itoa(port))
}

// security is the way with its default.
func (s Server) security() Security {
	if s.Security == "" {
		return SecurityNone
	}
	return s.Security
}

// priority is the priority with its default.
func (s Server) priority() int {
	if s.Priority == 0 {
		return defaultPriority
	}
	return s.Priority
}

// Config is what the sender needs: the servers, and the block smtp.
type Config struct {
	Servers []Server `yaml:"mail_servers,omitempty" json:"mail_servers,omitempty"`
	SMTP    Options  `yaml:"smtp,omitempty" json:"smtp,omitzero"`
}

// Options is the block smtp: how servers are spoken to. Zero fields have their defaults.
type Options struct {
	HelloName      string        `yaml:"hello_name,omitempty" json:"hello_name,omitempty"`           // what we call ourselves; "localhost"
	CommandTimeout time.Duration `yaml:"command_timeout,omitempty" json:"command_timeout,omitempty"` // for the greeting and each command
	DataTimeout    time.Duration `yaml:"data_timeout,omitempty" json:"data_timeout,omitempty"`       // for the mail itself, and again for its reply
	IdleTimeout    time.Duration `yaml:"idle_timeout,omitempty" json:"idle_timeout,omitempty"`       // how long a connection is kept open unused
	MaxConnections int           `yaml:"max_connections,omitempty" json:"max_connections,omitempty"` // to one server at once
}

// DefaultConfig has no servers. The timeouts are below those of RFC 5321 section 4.5.3.2, which suit a relay with nothing
// else to do: another server, or a later try, is better than minutes of waiting.
func DefaultConfig() Config { return Config{SMTP: DefaultOptions()} }

// DefaultOptions are the defaults of the block smtp.
func DefaultOptions() Options {
	return Options{
		HelloName: "localhost", CommandTimeout: 30 * time.Second, DataTimeout: 2 * time.Minute,
		IdleTimeout: 30 * time.Second, MaxConnections: 8,
	}
}

// withDefaults fills what is zero.
func (o Options) withDefaults() Options {
	d := DefaultOptions()
	if o.HelloName == "" {
		o.HelloName = d.HelloName
	}
	if o.CommandTimeout == 0 {
		o.CommandTimeout = d.CommandTimeout
	}
	if o.DataTimeout == 0 {
		o.DataTimeout = d.DataTimeout
	}
	if o.IdleTimeout == 0 {
		o.IdleTimeout = d.IdleTimeout
	}
	if o.MaxConnections == 0 {
		o.MaxConnections = d.MaxConnections
	}
	return o
}

// Validate reports every fault, each with its key path.
func (c Config) Validate() error {
	var f faults
	for i, s := range c.Servers {
		s.validate(fmt.Sprintf("mail_servers[%d].", i), &f)
	}
	c.SMTP.validate(&f)
	return errors.Join(f...)
}

type faults []error

func (f *faults) check(ok bool, path, format string, args ...any) {
	if !ok {
		*f = append(*f, &callhome.Error{Kind: callhome.KindInvalid, Path: path, Msg: fmt.Sprintf(format, args...)})
	}
}

func (s Server) validate(at string, f *faults) {
	f.check(s.Host != "" && !strings.ContainsAny(s.Host, " @/\r\n"), at+"host", "%q is not a host name or address; user and password have keys of their own", s.Host)
	f.check(s.Port >= 0 && s.Port <= 65535, at+"port", "%d is not within 1 to 65535", s.Port)
	f.check(s.Priority >= 0 && s.Priority <= maxPriority, at+"priority", "%d is not within 1 to %d", s.Priority, maxPriority)
	known := []Security{SecurityNone, SecurityStartTLS, SecurityTLS}
	f.check(slices.Contains(known, s.security()), at+"security", "%q is not one of none, starttls, tls", s.Security)
	f.check(s.Password.IsZero() || s.PasswordFile == "", at+"password_file", "give password_file or password, not both")
	hasPassword := !s.Password.IsZero() || s.PasswordFile != ""
	f.check(hasPassword == (s.Username != ""), at+"username", "a login needs both username and a password")
	f.check(s.Username == "" || s.security() != SecurityNone || s.InsecureAuth, at+"security",
		"the password would go over the network in the clear; use starttls or tls, or allow it with insecure_auth: true")
	tls := len(s.TrustPoints) > 0 || len(s.Pins) > 0 || s.Certificate != "" || s.AnyName
	f.check(!tls || s.security() != SecurityNone, at+"security", "trust_points, pins, certificate and no_identity_check need starttls or tls")
}

func (o Options) validate(f *faults) {
	f.check(!strings.ContainsAny(o.HelloName, " \r\n"), "smtp.hello_name", "%q is not a host name", o.HelloName)
	for _, t := range []struct {
		key   string
		value time.Duration
	}{{"command_timeout", o.CommandTimeout}, {"data_timeout", o.DataTimeout}, {"idle_timeout", o.IdleTimeout}} {
		f.check(t.value == 0 || t.value >= time.Second, "smtp."+t.key, "%v is not at least 1s", t.value)
	}
	f.check(o.MaxConnections >= 0, "smtp.max_connections", "%d is negative", o.MaxConnections)
}
