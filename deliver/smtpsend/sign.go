package smtpsend

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"

	"callhome"
)

// Signer signs a whole mail and returns it with its signature. It is a function of the bytes, its key and the clock: what
// it returns is what has to be kept and sent, since signing again gives other bytes.
type Signer interface {
	Sign(mail []byte) ([]byte, error)
}

// SigningConfig is the block mail_signing: none, one or both.
type SigningConfig struct {
	DKIM  *DKIMConfig  `yaml:"dkim,omitempty" json:"dkim,omitempty"`
	SMIME *SMIMEConfig `yaml:"smime,omitempty" json:"smime,omitempty"`
}

// DKIMConfig is a key whose public half stands in DNS at SELECTOR._domainkey.DOMAIN.
type DKIMConfig struct {
	Domain   string `yaml:"domain" json:"domain"`
	Selector string `yaml:"selector" json:"selector"`
	KeyFile  string `yaml:"key_file" json:"key_file"` // PEM: RSA (2048 bits or more) or Ed25519
}

// SMIMEConfig is a certificate for mail and its key.
type SMIMEConfig struct {
	CertFile string `yaml:"cert_file" json:"cert_file"` // PEM with its chain
	KeyFile  string `yaml:"key_file" json:"key_file"`
}

// DefaultSigningConfig signs nothing.
func DefaultSigningConfig() SigningConfig { return SigningConfig{} }

// Validate reports every fault of the block.
func (c SigningConfig) Validate() error {
	var f faults
	if c.DKIM != nil {
		f.check(c.DKIM.Domain != "", "mail_signing.dkim.domain", "is empty; give the domain of the sender's address")
		f.check(c.DKIM.Selector != "", "mail_signing.dkim.selector", "is empty; give the name under _domainkey")
		f.check(c.DKIM.KeyFile != "", "mail_signing.dkim.key_file", "is empty; give a PEM file")
	}
	if c.SMIME != nil {
		f.check(c.SMIME.CertFile != "" && c.SMIME.KeyFile != "", "mail_signing.smime.cert_file", "give both cert_file and key_file")
	}
	return errors.Join(f...)
}

// NewSigner makes the signer of a configuration; nil when nothing is to be signed. S/MIME signs the content, DKIM then
// all of it.
func NewSigner(c SigningConfig) (Signer, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	var chain signers
	if c.SMIME != nil {
		s, err := newSMIME(*c.SMIME)
		if err != nil {
			return nil, fmt.Errorf("mail_signing.smime: %w", err)
		}
		chain = append(chain, s)
	}
	if c.DKIM != nil {
		s, err := newDKIM(*c.DKIM)
		if err != nil {
			return nil, fmt.Errorf("mail_signing.dkim: %w", err)
		}
		chain = append(chain, s)
	}
	if len(chain) == 0 {
		return nil, nil //nolint:nilnil // nothing to sign is no fault
	}
	return chain, nil
}

// signers sign one after the other.
type signers []Signer

// Sign brings the line ends into the form that is sent, then signs.
func (s signers) Sign(mail []byte) ([]byte, error) {
	mail = canonicalLines(mail)
	for _, one := range s {
		var err error
		if mail, err = one.Sign(mail); err != nil {
			return nil, fmt.Errorf("sign mail: %w", err)
		}
	}
	return mail, nil
}

// canonicalLines ends every line with CRLF, as RFC 5321 section 2.3.8 has it. A mail that does so already is returned as
// it is.
func canonicalLines(mail []byte) []byte {
	ends := bytes.Count(mail, []byte("\r\n"))
	if bytes.Count(mail, []byte("\n")) == ends && bytes.Count(mail, []byte("\r")) == ends {
		return mail
	}
	out := make([]byte, 0, len(mail)+len(mail)/32)
	for i, c := range mail {
		switch {
		case c == '\r', c == '\n' && (i == 0 || mail[i-1] != '\r'):
			out = append(out, '\r', '\n')
		case c != '\n':
			out = append(out, c)
		}
	}
	return out
}

// loadKey reads a private key, PKCS #8, PKCS #1 or SEC 1.
func loadKey(file string) (crypto.Signer, error) {
	data, err := os.ReadFile(file) // the operator names it
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, callhome.Errorf(callhome.KindInvalid, "%s holds no PEM block", file)
	}
	var key any
	switch block.Type {
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	default:
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	}
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", file, err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, callhome.Errorf(callhome.KindInvalid, "key %s cannot sign", file)
	}
	return signer, nil
}
