package trustpoint

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// weakRSABits is what the oldest devices that speak TLS still take; they know no elliptic curves.
const weakRSABits = 2048

// LoadWeak is LoadServer for a listener of its own for old devices: it speaks TLS 1.0 and later, with the ciphers of that
// time, which are broken and protect against nobody who means it. Without files the certificate is of an RSA authority of
// its own, kept in dir apart from that of LoadServer. Such a listener is called weak wherever it shows, and off unless
// configured.
func LoadWeak(c ServerConfig, dir string, hosts []string, now func() time.Time) (*ServerIdentity, error) {
	if c.CertFile == "" {
		if err := makeRSA(dir, now); err != nil {
			return nil, err
		}
	}
	id, err := LoadServer(c, dir, hosts, now)
	if err != nil {
		return nil, err
	}
	id.TLS.MinVersion = tls.VersionTLS10 //nolint:gosec // G402: that is what the weak listener is for
	for _, s := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		id.TLS.CipherSuites = append(id.TLS.CipherSuites, s.ID)
	}
	return id, nil
}

// makeRSA makes an authority with an RSA key where there is none.
func makeRSA(dir string, now func() time.Time) error {
	certFile, keyFile := filepath.Join(dir, caCertName), filepath.Join(dir, caKeyName)
	if _, err := os.Stat(keyFile); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return err
	}
	key, err := rsa.GenerateKey(rand.Reader, weakRSABits)
	if err != nil {
		return err
	}
	ca, err := makeCA("Callhome own authority (weak listener)", key, now)
	if err != nil {
		return fmt.Errorf("make an authority for the weak listener: %w", err)
	}
	return WriteKeyPair(&tls.Certificate{Certificate: [][]byte{ca.Cert.Raw}, PrivateKey: ca.key}, certFile, keyFile)
}

// leafKey makes a key of the authority's kind: who takes only RSA from one takes only RSA from the other.
func (ca *CA) leafKey() (crypto.Signer, error) {
	if _, ok := ca.key.(*rsa.PrivateKey); ok {
		return rsa.GenerateKey(rand.Reader, weakRSABits)
	}
	return newKey()
}
