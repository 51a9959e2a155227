package httpsend

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"callhome"
)

// Config is what the sender needs: the proxy, and the block http.
type Config struct {
	Proxy Proxy   `yaml:"http_proxy,omitempty" json:"http_proxy,omitzero"`
	HTTP  Options `yaml:"http,omitempty" json:"http,omitzero"`
}

// Proxy is the block http_proxy. Without a host there is none.
type Proxy struct {
	Host         string          `yaml:"host,omitempty" json:"host,omitempty"`
	Port         int             `yaml:"port,omitempty" json:"port,omitempty"` // 1..65535; 8080
	Username     string          `yaml:"username,omitempty" json:"username,omitempty"`
	Password     callhome.Secret `yaml:"password,omitempty" json:"password,omitzero"`
	PasswordFile string          `yaml:"password_file,omitempty" json:"password_file,omitempty"`
	Bypass       []string        `yaml:"bypass,omitempty" json:"bypass,omitempty"` // host names, .suffixes, addresses and networks reached directly
}

// defaultProxyPort is what NX-OS assumes, Nexus 9000 Call Home configuration guide.
const defaultProxyPort = 8080

// Trust says whom an address has to be vouched for by, and what is shown to it.
type Trust struct {
	TrustPoints []string `yaml:"trust_points,omitempty" json:"trust_points,omitempty"`           // any of them; none: the system's certificates
	Pins        []string `yaml:"pins,omitempty" json:"pins,omitempty"`                           // in addition one key must be among these
	Certificate string   `yaml:"certificate,omitempty" json:"certificate,omitempty"`             // trust point whose device certificate is shown
	AnyName     bool     `yaml:"no_identity_check,omitempty" json:"no_identity_check,omitempty"` // the certificate's name may differ
}

// Options is the block http. Zero fields have their defaults.
type Options struct {
	Trust          `yaml:",inline"`
	Timeout        time.Duration `yaml:"timeout,omitempty" json:"timeout,omitempty"`                 // from connecting to the end of the answer
	IdleTimeout    time.Duration `yaml:"idle_timeout,omitempty" json:"idle_timeout,omitempty"`       // how long a connection is kept open unused
	MaxConnections int           `yaml:"max_connections,omitempty" json:"max_connections,omitempty"` // to one server at once
	HTTP1Only      bool          `yaml:"http1_only,omitempty" json:"http1_only,omitempty"`           // does not offer HTTP/2
	Endpoints      []Endpoint    `yaml:"endpoints,omitempty" json:"endpoints,omitempty"`             // settings of single addresses
}

// Endpoint has settings of its own for all addresses that begin with URL; the longest that fits counts, and its trust
// replaces the common one.
type Endpoint struct {
	URL       string `yaml:"url" json:"url"`
	Trust     `yaml:",inline"`
	Token     callhome.Secret `yaml:"token,omitempty" json:"token,omitzero"` // sent as "Authorization: Bearer …"
	TokenFile string          `yaml:"token_file,omitempty" json:"token_file,omitempty"`
	Direct    bool            `yaml:"direct,omitempty" json:"direct,omitempty"` // past the proxy
}

// DefaultConfig sends directly and trusts the system's certificates.
func DefaultConfig() Config { return Config{HTTP: DefaultOptions()} }

// DefaultOptions are the defaults of the block http.
func DefaultOptions() Options {
	return Options{Timeout: 2 * time.Minute, IdleTimeout: time.Minute, MaxConnections: 8}
}

func (o Options) withDefaults() Options {
	d := DefaultOptions()
	if o.Timeout == 0 {
		o.Timeout = d.Timeout
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
	c.Proxy.validate(&f)
	o := c.HTTP
	f.check(o.Timeout == 0 || o.Timeout >= time.Second, "http.timeout", "%v is not at least 1s", o.Timeout)
	f.check(o.IdleTimeout == 0 || o.IdleTimeout >= time.Second, "http.idle_timeout", "%v is not at least 1s", o.IdleTimeout)
	f.check(o.MaxConnections >= 0, "http.max_connections", "%d is negative", o.MaxConnections)
	for i, e := range o.Endpoints {
		at := fmt.Sprintf("http.endpoints[%d].", i)
		u, err := parseURL(e.URL)
		f.check(err == nil, at+"url", "%v", err)
		f.check(e.Token.IsZero() || e.TokenFile == "", at+"token_file", "give token_file or token, not both")
		hasToken := !e.Token.IsZero() || e.TokenFile != ""
		f.check(err != nil || !hasToken || u.Scheme == "https", at+"url", "the token would go over the network in the clear; use https")
	}
	return errors.Join(f...)
}

type faults []error

func (f *faults) check(ok bool, path, format string, args ...any) {
	if !ok {
		*f = append(*f, &callhome.Error{Kind: callhome.KindInvalid, Path: path, Msg: fmt.Sprintf(format, args...)})
	}
}

func (p Proxy) validate(f *faults) {
	f.check(!strings.ContainsAny(p.Host, " /@\r\n"), "http_proxy.host", "%q is not a host name or address", p.Host)
	f.check(p.Port >= 0 && p.Port <= 65535, "http_proxy.port", "%d is not within 1 to 65535", p.Port)
	f.check(p.Password.IsZero() || p.PasswordFile == "", "http_proxy.password_file", "give password_file or password, not both")
	f.check(p.Host != "" || (p.Port == 0 && p.Username == ""), "http_proxy.host", "is empty; give the proxy's name or address")
	for i, b := range p.Bypass {
		_, err := netip.ParsePrefix(b)
		f.check(b != "" && (err == nil || !strings.Contains(b, "/")), fmt.Sprintf("http_proxy.bypass[%d]", i),
			"%q is not a host name, a .suffix, an address or a network", b)
	}
}

// url is the proxy's address; nil without one.
func (p Proxy) url() *url.URL {
	if p.Host == "" {
		return nil
	}
	port := p.Port
	if port == 0 {
		port = defaultProxyPort
	}
	u := &url.URL{Scheme: "http", Host: net.JoinHostPort(strings.Trim(p.Host, "[]"), strconv.Itoa(port))}
	if p.Username != "" {
		u.User = url.UserPassword(p.Username, p.Password.Reveal())
	}
	return u
}

// bypassed reports whether host is reached directly.
func (p Proxy) bypassed(host string) bool {
	host = strings.ToLower(host)
	ip, ipErr := netip.ParseAddr(host)
	for _, b := range p.Bypass {
		b = strings.ToLower(b)
		if network, err := netip.ParsePrefix(b); err == nil && ipErr == nil && network.Contains(ip.Unmap()) {
			return true
		}
		if host == b || (strings.HasPrefix(b, ".") && strings.HasSuffix(host, b)) {
			return true
		}
	}
	return false
}

// parseURL reads an address that can be posted to. The scheme may be in any case.
func parseURL(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, errors.New("it is not an address; write https://HOST/PATH") // url.Error would repeat a password
	}
	u.Scheme = strings.ToLower(u.Scheme)
	if (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" {
		return nil, fmt.Errorf("%q is not an address; write https://HOST/PATH", callhome.MaskURL(s))
	}
	u.Fragment = ""
	return u, nil
}
