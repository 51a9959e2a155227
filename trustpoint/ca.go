package trustpoint

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Lifetimes of what our own authority makes: the authority outlives a device; a server certificate is renewed by itself.
const (
	caLifetime   = 10 * 365 * 24 * time.Hour
	leafLifetime = 397 * 24 * time.Hour // longest that common clients accept
	backdate     = 24 * time.Hour       // devices' clocks are behind
)

// CA is a certification authority of our own: for a server without a certificate of its operator, for the demo, for
// tests.
type CA struct {
	Cert *x509.Certificate
	key  crypto.Signer
	now  func() time.Time
}

// Request says what a certificate is for.
type Request struct {
	CommonName string
	Hosts      []string // DNS names and IP addresses
	Client     bool     // may show itself as a client, too
	Lifetime   time.Duration
}

// NewCA makes an authority with a fresh key (ECDSA P-256). now is time.Now when nil.
func NewCA(commonName string, now func() time.Time) (*CA, error) {
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	return makeCA(commonName, key, now)
}

func newKey() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }

func makeCA(commonName string, key crypto.Signer, now func() time.Time) (*CA, error) {
	if now == nil {
		now = time.Now
	}
	tmpl, err := template(commonName, now(), caLifetime)
	if err != nil {
		return nil, err
	}
	tmpl.IsCA, tmpl.BasicConstraintsValid, tmpl.MaxPathLenZero = true, true, true
	tmpl.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &CA{Cert: cert, key: key, now: now}, nil
}

func template(commonName string, now time.Time, lifetime time.Duration) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: commonName},
		NotBefore: now.Add(-backdate), NotAfter: now.Add(lifetime),
	}, nil
}

// PEM is the authority's certificate, for those who shall trust it.
func (ca *CA) PEM() []byte { return encodeBundle([]*x509.Certificate{ca.Cert}) }

// Issue makes a key (ECDSA P-256; RSA where the authority has one) and a certificate for it. The certificate comes with the authority's behind it, so that
// a pin of the authority works.
func (ca *CA) Issue(r Request) (*tls.Certificate, error) {
	key, err := ca.leafKey()
	if err != nil {
		return nil, err
	}
	return ca.issueFor(key, r)
}

func (ca *CA) issueFor(key crypto.Signer, r Request) (*tls.Certificate, error) {
	lifetime := r.Lifetime
	if lifetime == 0 {
		lifetime = leafLifetime
	}
	tmpl, err := template(r.CommonName, ca.now(), lifetime)
	if err != nil {
		return nil, err
	}
	tmpl.KeyUsage = x509.KeyUsageDigitalSignature
	if _, ok := key.(*rsa.PrivateKey); ok {
		tmpl.KeyUsage |= x509.KeyUsageKeyEncipherment // old ciphers wrap their secret with the key
	}
	tmpl.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	if r.Client {
		tmpl.ExtKeyUsage = append(tmpl.ExtKeyUsage, x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageEmailProtection)
	}
	for _, h := range r.Hosts {
		if ip := net.ParseIP(h); ip != nil {
			tmpl.IPAddresses = append(tmpl.IPAddresses, ip)
		} else {
			tmpl.DNSNames = append(tmpl.DNSNames, h)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, ca.Cert, key.Public(), ca.key)
	if err != nil {
		return nil, fmt.Errorf("issue a certificate for %s: %w", r.CommonName, err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der, ca.Cert.Raw}, PrivateKey: key, Leaf: leaf}, nil
}

// SignClient makes a certificate for TLS clients with a common name, for a key that somebody else holds. chain begins
// with it and ends before the root.
func (ca *CA) SignClient(public crypto.PublicKey, commonName string, lifetime time.Duration) (chain []*x509.Certificate, root *x509.Certificate, err error) {
	tmpl, err := template(commonName, ca.now(), lifetime)
	if err != nil {
		return nil, nil, err
	}
	tmpl.KeyUsage, tmpl.BasicConstraintsValid = x509.KeyUsageDigitalSignature, true
	tmpl.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, ca.Cert, public, ca.key)
	if err != nil {
		return nil, nil, fmt.Errorf("issue a client certificate for %s: %w", commonName, err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, nil, err
	}
	return []*x509.Certificate{leaf}, ca.Cert, nil
}

// WriteKeyPair writes a certificate with its chain and its key as PEM, the key readable by its owner only.
func WriteKeyPair(cert *tls.Certificate, certFile, keyFile string) error {
	var chain []byte
	for _, der := range cert.Certificate {
		chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	der, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		return err
	}
	if err := writeFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})); err != nil {
		return err
	}
	return writeFile(certFile, chain)
}

// Names of the files that OpenCA keeps.
const (
	caCertName = "ca.crt"
	caKeyName  = "ca.key"
)

// OpenCA reads the authority kept in dir, and makes one where there is none.
func OpenCA(dir, commonName string, now func() time.Time) (*CA, error) {
	if now == nil {
		now = time.Now
	}
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return nil, err
	}
	certFile, keyFile := filepath.Join(dir, caCertName), filepath.Join(dir, caKeyName)
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err == nil {
		key, ok := pair.PrivateKey.(crypto.Signer)
		if !ok {
			return nil, fmt.Errorf("the key in %s cannot sign", keyFile)
		}
		return &CA{Cert: pair.Leaf, key: key, now: now}, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("the authority in %s cannot be read: %w", dir, err)
	}
	if _, err := os.Stat(certFile); err == nil {
		return nil, fmt.Errorf("%s is there but its key %s is not; restore the key, or remove the certificate to make a new authority", certFile, keyFile)
	}
	ca, err := NewCA(commonName, now)
	if err != nil {
		return nil, err
	}
	own := &tls.Certificate{Certificate: [][]byte{ca.Cert.Raw}, PrivateKey: ca.key}
	return ca, WriteKeyPair(own, certFile, keyFile)
}
