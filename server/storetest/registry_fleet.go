package storetest

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/netip"
	"sync"
	"testing"
	"time"

	"callhome"
	"callhome/enrol"
	"callhome/server/account"
	"callhome/server/registry"
)

// authority signs client certificates for tests.
type authority struct {
	root *x509.Certificate
	key  *ecdsa.PrivateKey
	now  func() time.Time
}

func newAuthority(t testing.TB, now func() time.Time) *authority {
	t.Helper()
	key := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: now().Add(-time.Hour), NotAfter: now().AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der := must[[]byte](t)(x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key))
	return &authority{root: must[*x509.Certificate](t)(x509.ParseCertificate(der)), key: key, now: now}
}

// SignClient makes a certificate.
func (a *authority) SignClient(public crypto.PublicKey, commonName string, lifetime time.Duration) ([]*x509.Certificate, *x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		return nil, nil, err
	}
	tmpl := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: commonName}, NotBefore: a.now(), NotAfter: a.now().Add(lifetime),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, a.root, public, a.key)
	if err != nil {
		return nil, nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return []*x509.Certificate{cert}, a.root, err
}

func newCSR(t testing.TB) string {
	t.Helper()
	key := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	return csrOf(t, key)
}

func csrOf(t testing.TB, key *ecdsa.PrivateKey) string {
	t.Helper()
	der := must[[]byte](t)(x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key))
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
}

func fingerprint(t testing.TB, g enrol.Grant) string {
	t.Helper()
	block, _ := pem.Decode([]byte(g.Certificate))
	if block == nil {
		t.Fatalf("the grant has no certificate: %q", g.Certificate)
	}
	return enrol.FingerprintOf(must[*x509.Certificate](t)(x509.ParseCertificate(block.Bytes)))
}

func (d *desk) issuer() *registry.Issuer {
	return &registry.Issuer{Registrar: d.reg, Signer: newAuthority(d.T, d.clock.now), InTx: d.store.RegistryInTx}
}

func (d *desk) joinToken(o registry.JoinOrder) (secret callhome.Secret) {
	d.Helper()
	d.tx(func(s registry.Store) (err error) {
		_, secret, err = d.reg.NewJoinToken(context.Background(), s, o)
		return err
	})
	return secret
}

func deskEnrols(d *desk) {
	ctx, i := context.Background(), d.issuer()
	from := enrol.Peer{Address: netip.MustParseAddrPort("192.0.2.7:1234")}
	token := d.joinToken(registry.JoinOrder{Kind: enrol.KindGateway, Company: d.acme, By: d.rita})
	key := must[*ecdsa.PrivateKey](d.T)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	req := enrol.Request{Token: token, Kind: enrol.KindGateway, Name: "lisbon", CSR: csrOf(d.T, key)}
	wrong := req
	wrong.Kind = enrol.KindAgent
	_, err := i.Enrol(ctx, wrong, from)
	wantKind(d.T, err, callhome.KindDenied)
	grant := must[enrol.Grant](d.T)(i.Enrol(ctx, req, from))
	if grant.Name != "lisbon" || grant.RenewAfter.IsZero() || grant.CA == "" {
		d.Errorf("grant %+v", grant)
	}
	req.CSR = csrOf(d.T, key) // another request for the same key: the first answer was lost
	if again := must[enrol.Grant](d.T)(i.Enrol(ctx, req, from)); again.Certificate != grant.Certificate {
		d.Error("the same token with the same key got another certificate")
	}
	req.CSR = newCSR(d.T)
	_, err = i.Enrol(ctx, req, from)
	wantKind(d.T, err, callhome.KindDenied)
	req.Token = callhome.NewSecret("chj_unknown-unknown-unknown")
	_, err = i.Enrol(ctx, req, from)
	wantKind(d.T, err, callhome.KindDenied)
	req.Token = d.joinToken(registry.JoinOrder{Kind: enrol.KindGateway, Company: d.acme, Lifetime: time.Hour})
	d.clock.pass(time.Hour)
	_, err = i.Enrol(ctx, req, from)
	wantKind(d.T, err, callhome.KindDenied)
	req.Token = d.joinToken(registry.JoinOrder{Kind: enrol.KindGateway, Company: d.acme})
	if second := must[enrol.Grant](d.T)(i.Enrol(ctx, req, from)); second.Name != "lisbon-2" {
		d.Errorf("a second one of the same name is called %s", second.Name)
	}

	from.Fingerprint = fingerprint(d.T, grant)
	e := must[*registry.Enrolment](d.T)(d.reg.Authenticate(ctx, d.read(), from.Fingerprint))
	if e.Company != d.acme || e.Name != "lisbon" {
		d.Errorf("Authenticate = %+v", e)
	}
	renewed := must[enrol.Grant](d.T)(i.Renew(ctx, enrol.Renewal{CSR: newCSR(d.T)}, from))
	if renewed.Certificate == grant.Certificate || renewed.Name != "lisbon" {
		d.Errorf("renewal %+v", renewed)
	}
	d.tx(func(s registry.Store) error { return d.reg.Revoke(ctx, s, e.ID, "stolen") })
	for _, f := range []string{from.Fingerprint, fingerprint(d.T, renewed), "no such"} {
		if revoked := must[bool](d.T)(d.reg.Revoked(ctx, d.read(), f)); revoked != (f != "no such") {
			d.Errorf("certificate %s: revoked is %v", f, revoked)
		}
		_, err := d.reg.Authenticate(ctx, d.read(), f)
		wantKind(d.T, err, callhome.KindDenied)
	}
	_, err = i.Renew(ctx, enrol.Renewal{CSR: newCSR(d.T)}, from)
	wantKind(d.T, err, callhome.KindDenied)
	req.Token, req.CSR = token, csrOf(d.T, key)
	_, err = i.Enrol(ctx, req, from)
	wantKind(d.T, err, callhome.KindDenied) // the token of a revoked gateway brings nothing back
	deskEnrolsTogether(d, i)
}

// deskEnrolsTogether lets many machines use one token at once: one gets it.
func deskEnrolsTogether(d *desk, i *registry.Issuer) {
	token := d.joinToken(registry.JoinOrder{Kind: enrol.KindAgent, Company: d.acme})
	requests := make([]string, 6)
	for k := range requests {
		requests[k] = newCSR(d.T)
	}
	var mu sync.Mutex
	granted := 0
	var wg sync.WaitGroup
	for _, csr := range requests {
		wg.Go(func() {
			_, err := i.Enrol(context.Background(), enrol.Request{Token: token, Kind: enrol.KindAgent, Name: "many", CSR: csr}, enrol.Peer{})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				granted++
			} else if callhome.KindOf(err) != callhome.KindDenied {
				d.Error(err)
			}
		})
	}
	wg.Wait()
	if granted != 1 {
		d.Errorf("one token was granted to %d machines", granted)
	}
}

func deskBeats(d *desk) {
	ctx, i := context.Background(), d.issuer()
	var fingerprints []string
	for _, name := range []string{"a", "b", "c"} {
		g := must[enrol.Grant](d.T)(i.Enrol(ctx, enrol.Request{
			Token: d.joinToken(registry.JoinOrder{Kind: enrol.KindAgent, Company: d.acme, Name: name}), Kind: enrol.KindAgent, Name: "x", CSR: newCSR(d.T),
		}, enrol.Peer{}))
		if g.Name != name {
			d.Errorf("the token's name is %s, the grant's %s", name, g.Name)
		}
		fingerprints = append(fingerprints, fingerprint(d.T, g))
	}
	for k, version := range []string{"1.0", "1.1"} {
		err := i.Beat(ctx, enrol.Heartbeat{
			Kind: enrol.KindAgent, Version: version, ConfigDigest: "same", Queue: enrol.Queue{Depth: 5}, At: d.clock.now().Add(time.Minute), Unwell: []string{"disk is full"},
		}, enrol.Peer{Fingerprint: fingerprints[k], Address: netip.MustParseAddrPort("192.0.2.7:1234")})
		if err != nil {
			d.Fatal(err)
		}
	}
	wantKind(d.T, i.Beat(ctx, enrol.Heartbeat{}, enrol.Peer{Fingerprint: "stranger"}), callhome.KindDenied)
	e := must[*registry.Enrolment](d.T)(d.read().EnrolmentByFingerprint(ctx, fingerprints[0]))
	if e.Beat.Version != "1.0" || e.Beat.Queue.Depth != 5 || e.Beat.Skew != 60 || e.Beat.Address != "192.0.2.7" || len(e.Beat.Unwell) != 1 || e.Late(d.clock.now()) {
		d.Errorf("heartbeat %+v", e.Beat)
	}
	view := must[*registry.DriftView](d.T)(registry.ViewDrift(ctx, d.read(), account.Everywhere()))
	if view.Versions[enrol.KindAgent] != 2 || view.Configurations[enrol.KindAgent] != 1 || len(view.Rows) != 3 {
		d.Errorf("drift %+v", view)
	}
	late := func() (n int) {
		d.tx(func(s registry.Store) error {
			all, done, err := d.reg.Late(ctx, s, 10)
			n = len(all)
			if !done {
				d.Error("not done")
			}
			return err
		})
		return n
	}
	if n := late(); n != 0 {
		d.Errorf("%d are late at once", n)
	}
	d.clock.pass(11 * time.Minute)
	if n := late(); n != 3 {
		d.Errorf("%d are late after eleven minutes, want 3", n)
	}
	if n := late(); n != 0 {
		d.Errorf("%d were raised twice", n)
	}
}
