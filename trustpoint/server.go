package trustpoint

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"callhome"
)

// ServerConfig is the block tls of the gateway and the back end.
type ServerConfig struct {
	CertFile     string `yaml:"cert_file,omitempty" json:"cert_file,omitempty"`           // PEM with its chain; without it one of our own authority is made
	KeyFile      string `yaml:"key_file,omitempty" json:"key_file,omitempty"`             // PEM without a passphrase
	ClientCAFile string `yaml:"client_ca_file,omitempty" json:"client_ca_file,omitempty"` // authorities whose client certificates are verified
	RequireCert  bool   `yaml:"require_client_cert,omitempty" json:"require_client_cert,omitempty"`
}

// DefaultServerConfig has no files: a certificate of our own authority is made.
func DefaultServerConfig() ServerConfig { return ServerConfig{} }

// Validate reports every fault of the block.
func (c ServerConfig) Validate() error {
	var faults []error
	fault := func(key, msg string) {
		faults = append(faults, &callhome.Error{Kind: callhome.KindInvalid, Path: "tls." + key, Msg: msg})
	}
	if (c.CertFile == "") != (c.KeyFile == "") {
		fault("cert_file", "give both cert_file and key_file, or neither")
	}
	if c.RequireCert && c.ClientCAFile == "" {
		fault("require_client_cert", "needs client_ca_file: the authorities whose certificates count")
	}
	return errors.Join(faults...)
}

// ServerIdentity is what a listener shows.
type ServerIdentity struct {
	TLS *tls.Config

	// Fingerprint, Pin and CA are set when the certificate is of our own authority: what an operator compares and
	// installs on devices.
	Fingerprint string // SHA-256 of the authority's certificate
	Pin         string // of the authority's key; a trust point may have this alone
	CA          []byte // PEM
}

// LoadServer makes the configuration of a listener. Without files an authority is kept in dir and issues a certificate
// for hosts, which is renewed by itself in time. TLS 1.2 is the least that is spoken, older devices included.
func LoadServer(c ServerConfig, dir string, hosts []string, now func() time.Time) (*ServerIdentity, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	id := &ServerIdentity{TLS: &tls.Config{MinVersion: tls.VersionTLS12, Time: now}}
	if err := c.acceptClients(id.TLS); err != nil {
		return nil, err
	}
	if c.CertFile != "" {
		pair, err := LoadKeyPair(c.CertFile, c.KeyFile)
		if err != nil {
			return nil, err
		}
		id.TLS.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return pair.Certificate(), nil }
		return id, nil
	}
	if len(hosts) == 0 {
		hosts = []string{"localhost"}
	}
	ca, err := OpenCA(dir, "Callhome own authority", now)
	if err != nil {
		return nil, err
	}
	made := &selfMade{ca: ca, hosts: hosts, dir: dir}
	if _, err := made.certificate(nil); err != nil {
		return nil, err
	}
	id.TLS.GetCertificate = made.certificate
	id.Fingerprint, id.Pin, id.CA = Fingerprint(ca.Cert), PinOf(ca.Cert).String(), ca.PEM()
	return id, nil
}

func (c ServerConfig) acceptClients(cfg *tls.Config) error {
	if c.ClientCAFile == "" {
		return nil
	}
	data, err := os.ReadFile(c.ClientCAFile)
	if err != nil {
		return fmt.Errorf("tls.client_ca_file: %w", err)
	}
	certs, err := parseBundle(data)
	if err != nil {
		return fmt.Errorf("tls.client_ca_file %s: %w", c.ClientCAFile, err)
	}
	cfg.ClientCAs = x509.NewCertPool()
	for _, cert := range certs {
		cfg.ClientCAs.AddCert(cert)
	}
	cfg.ClientAuth = tls.VerifyClientCertIfGiven
	if c.RequireCert {
		cfg.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return nil
}

// selfMade issues a server's certificate, keeps it in dir, and renews it before it ends.
type selfMade struct {
	ca    *CA
	hosts []string
	dir   string

	mu   sync.Mutex // guards cert
	cert *tls.Certificate
}

// renewBefore leaves a server that is only seldom asked time to renew.
const renewBefore = leafLifetime / 3

func (m *selfMade) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cert == nil {
		m.cert = m.kept()
	}
	if m.cert != nil && m.ca.now().Before(m.cert.Leaf.NotAfter.Add(-renewBefore)) {
		return m.cert, nil
	}
	cert, err := m.ca.Issue(Request{CommonName: m.hosts[0], Hosts: m.hosts})
	if err != nil {
		return nil, err
	}
	if err := WriteKeyPair(cert, m.file("server.crt"), m.file("server.key")); err != nil {
		return nil, fmt.Errorf("keep the certificate that was made: %w", err)
	}
	m.cert = cert
	return cert, nil
}

// kept is the certificate of an earlier run, when it still fits hosts and authority.
func (m *selfMade) kept() *tls.Certificate {
	pair, err := tls.LoadX509KeyPair(m.file("server.crt"), m.file("server.key"))
	if err != nil || pair.Leaf.CheckSignatureFrom(m.ca.Cert) != nil {
		return nil
	}
	for _, h := range m.hosts {
		if pair.Leaf.VerifyHostname(h) != nil {
			return nil
		}
	}
	return &pair
}

func (m *selfMade) file(name string) string { return filepath.Join(m.dir, name) }
