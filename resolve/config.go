package resolve

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"callhome"
)

// Config is the block resolver of the configuration.
type Config struct {
	Servers           []string      `yaml:"servers,omitempty" json:"servers,omitempty"`                       // ADDRESS or ADDRESS:PORT; none: those of /etc/resolv.conf
	Interfaces        []Interface   `yaml:"interfaces,omitempty" json:"interfaces,omitempty"`                 // where DHCP servers may be asked; none: they are not
	FallbackResolvers []string      `yaml:"fallback_resolvers,omitempty" json:"fallback_resolvers,omitempty"` // public ones; none by default
	StaticEndpoints   []Static      `yaml:"static_endpoints,omitempty" json:"static_endpoints,omitempty"`     // last resort; none by default
	IPv4First         bool          `yaml:"ipv4_first,omitempty" json:"ipv4_first,omitempty"`                 // IPv6 is tried first otherwise
	QueryTimeout      time.Duration `yaml:"query_timeout,omitempty" json:"query_timeout,omitempty"`           // for one question to one server
	ConnectTimeout    time.Duration `yaml:"connect_timeout,omitempty" json:"connect_timeout,omitempty"`       // for one connection attempt
}

// Interface is a network interface and how far it is trusted.
type Interface struct {
	Name          string `yaml:"name" json:"name"`
	SecurityLevel int    `yaml:"security_level" json:"security_level"` // 0 (outside) to 100 (inside)
}

// Static is a host with addresses to try when no name server helps.
type Static struct {
	Host      string   `yaml:"host" json:"host"`
	Addresses []string `yaml:"addresses" json:"addresses"`
}

// Source says from where connections are made. Its keys stand at the top of the configuration.
type Source struct {
	Address   string `yaml:"source_address,omitempty" json:"source_address,omitempty"`     // one of ours; servers of the other address family are then not tried
	Interface string `yaml:"source_interface,omitempty" json:"source_interface,omitempty"` // packets leave by this interface
	VRF       string `yaml:"vrf,omitempty" json:"vrf,omitempty"`                           // name of the VRF's device; name servers are asked in it, too
}

// Defaults. A name server that does not answer in two seconds seldom answers at all; a connection gets the time of three
// SYNs (1 + 2 + 4 s) and some.
const (
	defaultQueryTimeout   = 2 * time.Second
	defaultConnectTimeout = 10 * time.Second
	maxSecurityLevel      = 100
	maxTimeout            = 5 * time.Minute
)

// DefaultConfig asks the system's name servers only.
func DefaultConfig() Config {
	return Config{QueryTimeout: defaultQueryTimeout, ConnectTimeout: defaultConnectTimeout}
}

// Validate reports every fault of the block, each with its key path.
func (c Config) Validate() error {
	var f faults
	for i, s := range c.Servers {
		f.server(fmt.Sprintf("resolver.servers[%d]", i), s)
	}
	for i, s := range c.FallbackResolvers {
		f.server(fmt.Sprintf("resolver.fallback_resolvers[%d]", i), s)
	}
	for i, in := range c.Interfaces {
		if in.Name == "" {
			f.add(fmt.Sprintf("resolver.interfaces[%d].name", i), "is empty; give an interface such as eth0")
		}
		if in.SecurityLevel < 0 || in.SecurityLevel > maxSecurityLevel {
			f.add(fmt.Sprintf("resolver.interfaces[%d].security_level", i), "%d is not within 0 to %d", in.SecurityLevel, maxSecurityLevel)
		}
	}
	for i, s := range c.StaticEndpoints {
		f.static(fmt.Sprintf("resolver.static_endpoints[%d]", i), s)
	}
	f.timeout("resolver.query_timeout", c.QueryTimeout)
	f.timeout("resolver.connect_timeout", c.ConnectTimeout)
	return errors.Join(f...)
}

// Validate reports every fault.
func (s Source) Validate() error {
	var f faults
	if s.Address != "" {
		if _, err := netip.ParseAddr(s.Address); err != nil {
			f.add("source_address", "%q is not an IP address of this host", s.Address)
		}
	}
	if s.Interface != "" && s.VRF != "" {
		f.add("vrf", "a connection is bound to source_interface or to vrf, not to both; leave one out")
	}
	return errors.Join(f...)
}

type faults []error

func (f *faults) add(path, format string, args ...any) {
	*f = append(*f, &callhome.Error{Kind: callhome.KindInvalid, Path: path, Msg: fmt.Sprintf(format, args...)})
}

func (f *faults) server(path, s string) {
	if _, err := parseServer(s); err != nil {
		f.add(path, "%v", err)
	}
}

func (f *faults) static(path string, s Static) {
	if s.Host == "" {
		f.add(path+".host", "is empty; give the host name that stands in the URL")
	}
	if len(s.Addresses) == 0 {
		f.add(path+".addresses", "is empty; give at least one IP address")
	}
	for j, a := range s.Addresses {
		if _, err := netip.ParseAddr(a); err != nil {
			f.add(fmt.Sprintf("%s.addresses[%d]", path, j), "%q is not an IP address", a)
		}
	}
}

func (f *faults) timeout(path string, d time.Duration) {
	if d < 0 || d > maxTimeout {
		f.add(path, "%v is not within 0 (the default) to %v", d, maxTimeout)
	}
}

// dnsPort is the port of name servers unless one is given.
const dnsPort = 53

// parseServer reads ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT.
func parseServer(s string) (string, error) {
	if ip, err := netip.ParseAddr(s); err == nil {
		return net.JoinHostPort(ip.String(), strconv.Itoa(dnsPort)), nil
	}
	if ap, err := netip.ParseAddrPort(s); err == nil && ap.Port() != 0 {
		return ap.String(), nil
	}
	return "", fmt.Errorf("%q is not the address of a name server; write 192.0.2.53, 2001:db8::53 or either with a port, [2001:db8::53]:5353", s)
}
