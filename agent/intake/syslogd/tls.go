package syslogd

import (
	"crypto/tls"
	"errors"
)

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
