package syslogd

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// recheckTime is how often a renewed certificate is looked for, at the next handshake.
const recheckTime = time.Minute

// serverConfig reads the certificates. RFC 5425 section 4.2 leaves the version to its time; below 1.2 nothing is safe.
func (t TLS) serverConfig(now func() time.Time) (*tls.Config, error) {
	r := &renewal{files: t, now: now}
	if err := r.load(); err != nil {
		return nil, err
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: r.certificate}
	if t.ClientCAFile == "" {
		return cfg, nil
	}
	pem, err := os.ReadFile(t.ClientCAFile)
	if err != nil {
		return nil, fmt.Errorf("intake.tls.client_ca_file: %w", err)
	}
	cfg.ClientCAs = x509.NewCertPool()
	if !cfg.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("intake.tls.client_ca_file: %s holds no PEM certificate", t.ClientCAFile)
	}
	cfg.ClientAuth = tls.VerifyClientCertIfGiven
	if t.Require {
		cfg.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return cfg, nil
}

// renewal takes up a certificate that was replaced on disk.
type renewal struct {
	files TLS
	now   func() time.Time

	mu      sync.Mutex // guards what follows
	current *tls.Certificate
	changed time.Time // modification time of the file that current came from
	checked time.Time
}

func (r *renewal) load() error {
	info, err := os.Stat(r.files.CertFile)
	if err != nil {
		return fmt.Errorf("intake.tls.cert_file: %w", err)
	}
	cert, err := tls.LoadX509KeyPair(r.files.CertFile, r.files.KeyFile)
	if err != nil {
		return fmt.Errorf("intake.tls.cert_file, key_file: %w", err)
	}
	r.current, r.changed, r.checked = &cert, info.ModTime(), r.now()
	return nil
}

// certificate is the current one; a new one that cannot be read yet is tried again a minute later.
func (r *renewal) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.now().Sub(r.checked) >= recheckTime {
		r.checked = r.now()
		if info, err := os.Stat(r.files.CertFile); err == nil && !info.ModTime().Equal(r.changed) {
			_ = r.load()
		}
	}
	return r.current, nil
}

var errNoCertificate = errors.New("no client certificate")

// identity is the name in a verified client certificate: its first DNS name, as RFC 5425 section 5.2 compares, else its
// common name.
func identity(state tls.ConnectionState) (string, error) {
	if len(state.VerifiedChains) == 0 {
		return "", errNoCertificate
	}
	leaf := state.VerifiedChains[0][0]
	if len(leaf.DNSNames) > 0 {
		return leaf.DNSNames[0], nil
	}
	return leaf.Subject.CommonName, nil
}
