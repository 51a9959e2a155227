package enrol

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"callhome"
)

// Names of the files; the package comment says what is in each.
const (
	pendingName  = "pending.pem"
	identityName = "identity.pem"
	caName       = "ca.pem"
	grantName    = "grant.json"

	tokenBlock = "CALLHOME ENROLMENT TOKEN" //nolint:gosec // G101: the name of a PEM block, no token
	keyBlock   = "PRIVATE KEY"
	csrBlock   = "CERTIFICATE REQUEST"
)

// folder is where the joining side keeps its files.
type folder string

func (f folder) path(name string) string { return filepath.Join(string(f), name) }

// pending is what was asked for and not yet granted.
type pending struct {
	key   *ecdsa.PrivateKey
	csr   string
	token callhome.Secret // "" for a renewal
}

// prepare makes key and request, and keeps them. What waits already is used again, so that a repeated request is known
// as one; with another token the old one is forgotten, its key is not.
func (f folder) prepare(commonName string, token callhome.Secret) (*pending, error) {
	if p, err := f.pending(); err == nil {
		if p.token == token || token.IsZero() {
			return p, nil
		}
		p.token = token
		return p, f.keepPending(p)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: commonName}}, key)
	if err != nil {
		return nil, err
	}
	p := &pending{key: key, csr: string(pem.EncodeToMemory(&pem.Block{Type: csrBlock, Bytes: der})), token: token}
	return p, f.keepPending(p)
}

func (f folder) keepPending(p *pending) error {
	key, err := keyPEM(p.key)
	if err != nil {
		return err
	}
	data := append(key, p.csr...)
	if !p.token.IsZero() {
		data = append(data, pem.EncodeToMemory(&pem.Block{Type: tokenBlock, Bytes: []byte(p.token.Reveal())})...)
	}
	if err := os.MkdirAll(string(f), 0o700); err != nil {
		return err
	}
	return writeFile(f.path(pendingName), data)
}

// errNothing tells that a file is not there, or is not whole.
var errNothing = errors.New("nothing is kept")

func (f folder) pending() (*pending, error) {
	data, err := os.ReadFile(f.path(pendingName))
	if err != nil {
		return nil, errNothing
	}
	p := &pending{}
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case keyBlock:
			if k, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
				p.key, _ = k.(*ecdsa.PrivateKey)
			}
		case csrBlock:
			p.csr = string(pem.EncodeToMemory(block))
		case tokenBlock:
			p.token = callhome.NewSecret(string(block.Bytes))
		}
	}
	if p.key == nil || p.csr == "" {
		return nil, errNothing
	}
	return p, nil
}

// accept makes a grant the identity, in an order that a crash cannot harm: the identity first, the request last.
func (f folder) accept(p *pending, g Grant) error {
	if err := fits(p, g); err != nil {
		return err
	}
	key, err := keyPEM(p.key)
	if err != nil {
		return err
	}
	kept, err := json.Marshal(g)
	if err != nil {
		return err
	}
	if err := writeFile(f.path(identityName), append(key, g.Certificate...)); err != nil {
		return err
	}
	if err := errors.Join(writeFile(f.path(caName), []byte(g.CA)), writeFile(f.path(grantName), kept)); err != nil {
		return err
	}
	return f.forgetPending()
}

func (f folder) forgetPending() error {
	if err := os.Remove(f.path(pendingName)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return syncDir(string(f))
}

// fits proves that a granted certificate is for the key that was asked with.
func fits(p *pending, g Grant) error {
	block, _ := pem.Decode([]byte(g.Certificate))
	if block == nil || block.Type != "CERTIFICATE" {
		return callhome.Errorf(callhome.KindInvalid, "the back end granted no certificate")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return callhome.Errorf(callhome.KindInvalid, "the back end granted a certificate that cannot be read: %w", err)
	}
	if !p.key.PublicKey.Equal(cert.PublicKey) {
		return callhome.Errorf(callhome.KindInvalid, "the back end granted a certificate for another key")
	}
	return nil
}

// identity is the certificate in use and its grant; errNothing before the first.
func (f folder) identity() (*tls.Certificate, Grant, error) {
	pair, err := tls.LoadX509KeyPair(f.path(identityName), f.path(identityName))
	if errors.Is(err, os.ErrNotExist) {
		return nil, Grant{}, errNothing
	}
	if err != nil {
		return nil, Grant{}, callhome.Errorf(callhome.KindInvalid, "%s cannot be used; restore it, or remove it and register again: %w", f.path(identityName), err)
	}
	var g Grant
	if data, err := os.ReadFile(f.path(grantName)); err == nil {
		_ = json.Unmarshal(data, &g) // only name and date; the certificate itself has both as well
	}
	if g.Name == "" {
		g.Name = pair.Leaf.Subject.CommonName
	}
	if g.RenewAfter.IsZero() || g.RenewAfter.After(pair.Leaf.NotAfter) {
		life := pair.Leaf.NotAfter.Sub(pair.Leaf.NotBefore)
		g.RenewAfter = pair.Leaf.NotBefore.Add(life * 2 / 3)
	}
	return &pair, g, nil
}

func keyPEM(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: keyBlock, Bytes: der}), nil
}

// writeFile replaces path in one step, so that a crash leaves the old or the new content.
func writeFile(path string, data []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*") // 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // fails once renamed
	if _, err = tmp.Write(data); err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
