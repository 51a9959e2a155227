package trustpoint

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// Limits on bundles: the system's own bundle has about 150 certificates in 230 KB.
const (
	maxBundleBytes = 4 << 20
	maxBundleCerts = 2000
)

// Pin is the SHA-256 of a certificate's public key (SubjectPublicKeyInfo), RFC 7469 section 2.4. It outlives the
// certificate when the key does.
type Pin [sha256.Size]byte

// PinOf is the pin of cert's key.
func PinOf(cert *x509.Certificate) Pin { return sha256.Sum256(cert.RawSubjectPublicKeyInfo) }

// String is the written form, sha256//BASE64, as curl takes it.
func (p Pin) String() string { return "sha256//" + base64.StdEncoding.EncodeToString(p[:]) }

// ParsePin reads sha256//BASE64, sha256/BASE64, or 64 hexadecimal digits with or without colons.
func ParsePin(s string) (Pin, error) {
	var raw []byte
	var err error
	if rest, ok := strings.CutPrefix(s, "sha256/"); ok {
		raw, err = base64.StdEncoding.DecodeString(strings.TrimPrefix(rest, "/"))
	} else {
		raw, err = hex.DecodeString(strings.ReplaceAll(s, ":", ""))
	}
	if err != nil || len(raw) != sha256.Size {
		return Pin{}, fmt.Errorf("pin %q is not sha256//BASE64 of 32 bytes", s)
	}
	return Pin(raw), nil
}

// anyPinned reports whether one of certs has a pinned key.
func anyPinned(pins []Pin, certs []*x509.Certificate) bool {
	for _, c := range certs {
		have := PinOf(c)
		for _, p := range pins {
			if subtle.ConstantTimeCompare(p[:], have[:]) == 1 {
				return true
			}
		}
	}
	return false
}

// Fingerprint is the SHA-256 of the whole certificate, upper-case hexadecimal with colons, as browsers and openssl show it.
func Fingerprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	var b strings.Builder
	for i, v := range sum {
		if i > 0 {
			b.WriteByte(':')
		}
		fmt.Fprintf(&b, "%02X", v)
	}
	return b.String()
}

// parseBundle reads the certificates of a PEM file. Text between the blocks is skipped, the same certificate twice is
// kept once. A private key is refused: a bundle is handed around.
func parseBundle(data []byte) ([]*x509.Certificate, error) {
	if len(data) > maxBundleBytes {
		return nil, fmt.Errorf("the bundle has %d bytes, at most %d are read; keep only the certificates that are needed", len(data), maxBundleBytes)
	}
	var certs []*x509.Certificate
	seen := make(map[[sha256.Size]byte]bool)
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		switch {
		case strings.Contains(block.Type, "PRIVATE KEY"):
			return nil, errors.New("the bundle holds a private key; a trust point is made of certificates only")
		case block.Type != "CERTIFICATE":
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d of the bundle cannot be read: %w", len(certs)+1, err)
		}
		if sum := sha256.Sum256(cert.Raw); !seen[sum] {
			seen[sum] = true
			certs = append(certs, cert)
		}
		if len(certs) > maxBundleCerts {
			return nil, fmt.Errorf("the bundle has more than %d certificates", maxBundleCerts)
		}
	}
	if len(certs) == 0 {
		return nil, errors.New("there is no certificate in it; a PEM bundle with -----BEGIN CERTIFICATE----- is expected")
	}
	return certs, nil
}

// encodeBundle writes certs as PEM.
func encodeBundle(certs []*x509.Certificate) []byte {
	var b bytes.Buffer
	for _, c := range certs {
		b.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	return b.Bytes()
}
