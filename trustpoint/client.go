package trustpoint

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// sessionCacheSize is the number of servers whose TLS sessions are kept for resumption; senders know a handful.
const sessionCacheSize = 32

// ClientOptions says whom a connection trusts and what it shows.
type ClientOptions struct {
	ServerName  string   // host name or address that the server's certificate must hold
	TrustPoints []string // any of them may vouch for the server; none: the system's certificates
	Pins        []string // in addition, one key of the chain must be among these
	Certificate string   // trust point whose device certificate is shown when the server asks; "" shows none
	AnyName     bool     // switches the server identity check off: the chain is verified, the name is not
}

// Client makes the configuration of connections to one server. At least TLS 1.2 is spoken.
func (s *Set) Client(o ClientOptions) (*tls.Config, error) {
	v := verifier{now: s.now, server: o.ServerName, anyName: o.AnyName}
	for _, name := range o.TrustPoints {
		p, err := s.find(name)
		if err != nil {
			return nil, err
		}
		if len(p.certs) == 0 && len(p.pins) == 0 {
			return nil, fmt.Errorf("trust point %s has neither CA certificates nor pins; name it as certificate only", name)
		}
		v.points = append(v.points, p)
	}
	for _, text := range o.Pins {
		pin, err := ParsePin(text)
		if err != nil {
			return nil, err
		}
		v.pins = append(v.pins, pin)
	}
	cfg := &tls.Config{
		MinVersion: tls.VersionTLS12, ServerName: o.ServerName, Time: s.now,
		ClientSessionCache: tls.NewLRUClientSessionCache(sessionCacheSize),
	}
	if err := s.showDevice(cfg, o.Certificate); err != nil {
		return nil, err
	}
	v.install(cfg)
	return cfg, nil
}

func (s *Set) showDevice(cfg *tls.Config, name string) error {
	if name == "" {
		return nil
	}
	p, err := s.find(name)
	if err != nil {
		return err
	}
	if p.device == nil {
		return fmt.Errorf("trust point %s has no device certificate; give it cert_file and key_file", name)
	}
	cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return p.device.Certificate(), nil }
	return nil
}

// verifier judges a server's certificates where crypto/tls alone cannot.
type verifier struct {
	points  []*point
	pins    []Pin
	server  string // crypto/tls forgets it where it is an address
	anyName bool
	now     func() time.Time
}

// install gives cfg its roots and checks. Only where the name may differ, or a key is trusted without an authority, does
// our own verification stand in for that of crypto/tls.
func (v verifier) install(cfg *tls.Config) {
	pinned := len(v.pins) > 0
	ownChain := v.anyName
	for _, p := range v.points {
		pinned = pinned || len(p.pins) > 0
		ownChain = ownChain || len(p.certs) == 0
	}
	if len(v.points) > 0 && !ownChain {
		cfg.RootCAs = v.roots()
	}
	switch {
	case ownChain:
		cfg.InsecureSkipVerify = true // VerifyConnection verifies the chain, on resumption too
		cfg.VerifyConnection = v.verify
	case pinned:
		cfg.VerifyConnection = v.verify
	}
}

func (v verifier) roots() *x509.CertPool {
	pool := x509.NewCertPool()
	for _, p := range v.points {
		for _, c := range p.certs {
			pool.AddCert(c)
		}
	}
	return pool
}

// verify accepts the server when one trust point vouches for it and the connection's own pins hold.
func (v verifier) verify(cs tls.ConnectionState) error {
	if len(cs.PeerCertificates) == 0 {
		return errors.New("the server showed no certificate")
	}
	name := v.server
	if v.anyName {
		name = ""
	} else if name == "" {
		return errors.New("the server's name to check its certificate against is not known")
	}
	points := v.points
	if len(points) == 0 {
		points = []*point{{name: "of the system"}}
	}
	var faults []error
	for _, p := range points {
		chains, err := p.vouch(cs.PeerCertificates, name, v.now())
		if err == nil && len(v.pins) > 0 && !chainPinned(v.pins, chains) {
			err = fmt.Errorf("no key of the server's chain is pinned; its own is %s", PinOf(cs.PeerCertificates[0]))
		}
		if err == nil {
			return nil
		}
		faults = append(faults, fmt.Errorf("trust point %s: %w", p.name, err))
	}
	return errors.Join(faults...)
}

// vouch verifies the presented chain against one trust point. name "" leaves the identity unchecked.
func (p *point) vouch(presented []*x509.Certificate, name string, now time.Time) ([][]*x509.Certificate, error) {
	opts := x509.VerifyOptions{DNSName: name, CurrentTime: now, Intermediates: x509.NewCertPool()}
	for _, c := range presented[1:] {
		opts.Intermediates.AddCert(c)
	}
	switch {
	case len(p.certs) > 0:
		opts.Roots = x509.NewCertPool()
		for _, c := range p.certs {
			opts.Roots.AddCert(c)
		}
	case len(p.pins) > 0:
		opts.Roots = x509.NewCertPool() // what is pinned is its own authority
		for _, c := range presented {
			if anyPinned(p.pins, []*x509.Certificate{c}) {
				opts.Roots.AddCert(c)
			}
		}
	}
	chains, err := presented[0].Verify(opts)
	if err != nil {
		return nil, err
	}
	if len(p.pins) > 0 && !chainPinned(p.pins, chains) {
		return nil, fmt.Errorf("no key of the server's chain is pinned; its own is %s", PinOf(presented[0]))
	}
	return chains, nil
}

// chainPinned reports whether one of the chains has a pinned key.
func chainPinned(pins []Pin, chains [][]*x509.Certificate) bool {
	for _, chain := range chains {
		if anyPinned(pins, chain) {
			return true
		}
	}
	return false
}
