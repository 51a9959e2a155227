package registry

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
	"time"

	"callhome"
	"callhome/enrol"
	"callhome/server/account"
)

// Signer is the authority that signs client certificates.
type Signer interface {
	// SignClient makes a certificate for TLS clients with a common name and no other. chain begins with it and ends before
	// the root.
	SignClient(public crypto.PublicKey, commonName string, lifetime time.Duration) (chain []*x509.Certificate, root *x509.Certificate, err error)
}

// Ledger is where an Issuer keeps what it decides: registry and audit log of one transaction.
type Ledger interface {
	Registry() Store
	Account() account.Store
}

// Issuer grants client certificates to agents and gateways, and takes their heartbeats. It is an [enrol.Issuer].
type Issuer struct {
	Registrar *Registrar
	Signer    Signer
	InTx      func(ctx context.Context, f func(Ledger) error) error
}

var _ enrol.Issuer = (*Issuer)(nil)

// errToken is the same whatever is wrong with a token: nobody learns which tokens exist.
var errToken = callhome.Errorf(callhome.KindDenied, "the one-time token is not known, was used, or ended; ask for a new one")

// Enrol grants the first certificate for a one-time token. The token is used up for the request's key: the same token with
// the same key is granted what it was granted before.
func (i *Issuer) Enrol(ctx context.Context, r enrol.Request, from enrol.Peer) (grant enrol.Grant, err error) {
	csr, err := enrol.ParseCSR(r.CSR)
	if err != nil {
		return enrol.Grant{}, err
	}
	key, err := keyDigest(csr.PublicKey)
	if err != nil {
		return enrol.Grant{}, err
	}
	err = i.InTx(ctx, func(l Ledger) error {
		s := l.Registry()
		t, err := s.JoinToken(ctx, digest(r.Token.Reveal()))
		if err != nil && callhome.KindOf(err) == callhome.KindNotFound {
			return errToken
		}
		if err != nil {
			return err
		}
		if !t.UsedAt.IsZero() {
			grant, err = again(ctx, s, t, key)
			return err
		}
		now := i.Registrar.now()
		if t.Kind != r.Kind || !now.Before(t.Until) {
			return errToken
		}
		grant, err = i.join(ctx, l, t, &r, csr, key, from)
		return err
	})
	return grant, err
}

// again answers a token that was used: only the key that used it, and not after a revocation.
func again(ctx context.Context, s Store, t *JoinToken, key string) (enrol.Grant, error) {
	if !equal(t.KeyDigest, key) {
		return enrol.Grant{}, errToken
	}
	c, err := s.CertificateByKey(ctx, t.Enrolment, key)
	if err != nil {
		return enrol.Grant{}, err
	}
	if !c.RevokedAt.IsZero() {
		return enrol.Grant{}, errToken
	}
	var g enrol.Grant
	return g, json.Unmarshal([]byte(c.Grant), &g)
}

// join makes the enrolment and its first certificate.
func (i *Issuer) join(ctx context.Context, l Ledger, t *JoinToken, r *enrol.Request, csr *x509.CertificateRequest, key string, from enrol.Peer) (enrol.Grant, error) {
	s, now := l.Registry(), i.Registrar.now()
	name := t.Name
	if name == "" {
		name = r.Name
	}
	name, err := freeName(ctx, s, t.Company, t.Kind, name)
	if err != nil {
		return enrol.Grant{}, err
	}
	e := &Enrolment{Kind: t.Kind, Company: t.Company, Name: name, JoinedAt: now, By: t.MadeBy, Claims: r.Identity}
	if err := s.AddEnrolment(ctx, e); err != nil {
		return enrol.Grant{}, err
	}
	grant, err := i.grant(ctx, s, e, csr, key)
	if err != nil {
		return enrol.Grant{}, err
	}
	t.UsedAt, t.KeyDigest, t.Enrolment = now, key, e.ID
	if err := s.UseJoinToken(ctx, t); err != nil {
		return enrol.Grant{}, err
	}
	return grant, account.Append(ctx, l.Account(), account.Entry{
		At: now, Actor: "enrolment token " + t.Prefix, Action: "enrolment.join", Object: string(e.Kind) + " " + e.Name, Company: e.Company,
		Detail: map[string]any{"id": e.ID, "peer": from.Address.String(), "hostname": r.Identity.Hostname},
	})
}

// maxNameTries bounds the search for a free name.
const maxNameTries = 1000

// freeName is the name, or the name with the first number behind it that is free.
func freeName(ctx context.Context, s Store, c account.CompanyID, k enrol.Kind, name string) (string, error) {
	for n := 1; n <= maxNameTries; n++ {
		try := name
		if n > 1 {
			try = fmt.Sprintf("%.58s-%d", name, n)
		}
		_, err := s.EnrolmentByName(ctx, c, k, try)
		if err != nil && callhome.KindOf(err) == callhome.KindNotFound {
			return try, nil
		}
		if err != nil {
			return "", err
		}
	}
	return "", callhome.Errorf(callhome.KindConflict, "%d agents or gateways are called %s", maxNameTries, name)
}

// grant signs a certificate and stores it.
func (i *Issuer) grant(ctx context.Context, s Store, e *Enrolment, csr *x509.CertificateRequest, key string) (enrol.Grant, error) {
	chain, root, err := i.Signer.SignClient(csr.PublicKey, e.Name, certLifetime)
	if err != nil {
		return enrol.Grant{}, err
	}
	if len(chain) == 0 || root == nil {
		return enrol.Grant{}, callhome.Errorf(callhome.KindInternal, "the authority signed no certificate")
	}
	now := i.Registrar.now()
	g := enrol.Grant{CA: certificatesPEM(root), Certificate: certificatesPEM(chain...), Name: e.Name, RenewAfter: now.Add(renewAfter).UTC().Truncate(time.Second)}
	text, err := json.Marshal(g)
	if err != nil {
		return enrol.Grant{}, err
	}
	return g, s.AddCertificate(ctx, &Certificate{
		Fingerprint: enrol.FingerprintOf(chain[0]), Enrolment: e.ID, Serial: enrol.SerialOf(chain[0]), KeyDigest: key,
		IssuedAt: now, Until: chain[0].NotAfter, Grant: string(text),
	})
}

// Renew grants the next certificate to whoever shows one that was granted and not revoked.
func (i *Issuer) Renew(ctx context.Context, r enrol.Renewal, from enrol.Peer) (grant enrol.Grant, err error) {
	csr, err := enrol.ParseCSR(r.CSR)
	if err != nil {
		return enrol.Grant{}, err
	}
	key, err := keyDigest(csr.PublicKey)
	if err != nil {
		return enrol.Grant{}, err
	}
	err = i.InTx(ctx, func(l Ledger) error {
		s := l.Registry()
		e, err := shown(ctx, s, from)
		if err != nil {
			return err
		}
		grant, err = i.grant(ctx, s, e, csr, key)
		return err
	})
	return grant, err
}

// errShown tells whoever shows a certificate that is not one of ours any more.
var errShown = callhome.Errorf(callhome.KindDenied, "the certificate is not known here, or was revoked; enrol again")

// shown is who a verified client certificate belongs to.
func shown(ctx context.Context, s Enrolments, from enrol.Peer) (*Enrolment, error) {
	c, err := s.CertificateByFingerprint(ctx, from.Fingerprint)
	if err != nil && callhome.KindOf(err) == callhome.KindNotFound {
		return nil, errShown
	}
	if err != nil {
		return nil, err
	}
	e, err := s.Enrolment(ctx, c.Enrolment)
	if err != nil {
		return nil, err
	}
	if !c.RevokedAt.IsZero() || !e.RevokedAt.IsZero() {
		return nil, errShown
	}
	return e, nil
}

// Authenticate is who a verified client certificate belongs to; KindDenied when it is unknown or revoked. The receiver asks
// when a connection begins.
func (r *Registrar) Authenticate(ctx context.Context, s Enrolments, fingerprint string) (*Enrolment, error) {
	return shown(ctx, s, enrol.Peer{Fingerprint: fingerprint})
}

// Revoked reports whether a client certificate was granted here and revoked since. One that was not granted here, such as
// one of the operator's own authority, is not: it proves nothing to the registry either.
func (r *Registrar) Revoked(ctx context.Context, s Enrolments, fingerprint string) (bool, error) {
	c, err := s.CertificateByFingerprint(ctx, fingerprint)
	if err != nil && callhome.KindOf(err) == callhome.KindNotFound {
		return false, nil
	}
	return err == nil && !c.RevokedAt.IsZero(), err
}

// Beat takes note of a heartbeat.
func (i *Issuer) Beat(ctx context.Context, b enrol.Heartbeat, from enrol.Peer) error {
	return i.InTx(ctx, func(l Ledger) error {
		s := l.Registry()
		e, err := shown(ctx, s, from)
		if err != nil {
			return err
		}
		now := i.Registrar.now()
		beat := &Beat{
			At: now, Version: b.Version, ConfigDigest: b.ConfigDigest, StartedAt: b.StartedAt, Queue: b.Queue, Devices: b.Devices,
			Unwell: b.Unwell, Address: from.Address.Addr().String(),
		}
		if !b.At.IsZero() {
			beat.Skew = int64(b.At.Sub(now) / time.Second)
		}
		return s.PutBeat(ctx, e.ID, beat)
	})
}

// Revoke ends an agent's or gateway's membership with all its certificates.
func (r *Registrar) Revoke(ctx context.Context, s Enrolments, id EnrolmentID, reason string) error {
	return s.RevokeEnrolment(ctx, id, r.now(), word(reason))
}

func keyDigest(public crypto.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return "", callhome.Errorf(callhome.KindInvalid, "csr: %w", err)
	}
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:]), nil
}

func certificatesPEM(certs ...*x509.Certificate) string {
	var b strings.Builder
	for _, c := range certs {
		b.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	return b.String()
}
