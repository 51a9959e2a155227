package trustpoint

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"time"
)

// SignClient makes a certificate for a TLS client that has the key already and asked by a certificate request: it carries
// the common name given here and nothing of the request's. chain begins with it and ends before the root.
func (ca *CA) SignClient(public crypto.PublicKey, commonName string, lifetime time.Duration) (chain []*x509.Certificate, root *x509.Certificate, err error) {
	tmpl, err := template(commonName, ca.now(), lifetime)
	if err != nil {
		return nil, nil, err
	}
	tmpl.KeyUsage = x509.KeyUsageDigitalSignature
	tmpl.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, ca.Cert, public, ca.key)
	if err != nil {
		return nil, nil, fmt.Errorf("sign a client certificate for %s: %w", commonName, err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, nil, err
	}
	return []*x509.Certificate{leaf}, ca.Cert, nil
}
