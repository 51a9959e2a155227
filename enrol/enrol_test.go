package enrol

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"callhome"
)

const goodToken = "one-time-token-0123456789"

// fakeIssuer keeps the promises of Issuer: a token counts once, for one key.
type fakeIssuer struct {
	now  func() time.Time
	cert *x509.Certificate
	key  *ecdsa.PrivateKey

	mu      sync.Mutex
	usedBy  string // public key that used the token
	granted int
	beats   []Heartbeat
	renewed []Peer
	broken  error
}

func newFakeIssuer(t *testing.T, now func() time.Time) *fakeIssuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: now().Add(-time.Hour),
		NotAfter: now().Add(1000 * time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &fakeIssuer{now: now, cert: cert, key: key}
}

func (f *fakeIssuer) sign(text, name string) (Grant, error) {
	csr, err := ParseCSR(text)
	if err != nil {
		return Grant{}, err
	}
	f.granted++
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(int64(100 + f.granted)), Subject: pkix.Name{CommonName: name}, NotBefore: f.now().Add(-time.Minute),
		NotAfter: f.now().Add(90 * time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, f.cert, csr.PublicKey, f.key)
	if err != nil {
		return Grant{}, err
	}
	toPEM := func(b []byte) string { return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: b})) }
	return Grant{Certificate: toPEM(der), CA: toPEM(f.cert.Raw), Name: name, RenewAfter: f.now().Add(60 * time.Hour)}, nil
}

func (f *fakeIssuer) Enrol(_ context.Context, r Request, _ Peer) (Grant, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken != nil {
		return Grant{}, f.broken
	}
	csr, err := ParseCSR(r.CSR)
	if err != nil {
		return Grant{}, err
	}
	key := string(csr.RawSubjectPublicKeyInfo)
	if r.Token.Reveal() != goodToken || (f.usedBy != "" && f.usedBy != key) {
		return Grant{}, callhome.Errorf(callhome.KindDenied, "the token is not valid")
	}
	f.usedBy = key
	return f.sign(r.CSR, "named-"+r.Name)
}

func (f *fakeIssuer) Renew(_ context.Context, r Renewal, from Peer) (Grant, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.renewed = append(f.renewed, from)
	return f.sign(r.CSR, from.Subject)
}

func (f *fakeIssuer) Beat(_ context.Context, b Heartbeat, _ Peer) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.beats = append(f.beats, b)
	return nil
}

type world struct {
	issuer *fakeIssuer
	server *httptest.Server
	client Options
	clock  time.Time
}

func newWorld(t *testing.T, wrap func(http.Handler) http.Handler) *world {
	t.Helper()
	w := &world{clock: time.Now()}
	w.issuer = newFakeIssuer(t, func() time.Time { return w.clock })
	h := Handler(w.issuer, nil)
	if wrap != nil {
		h = wrap(h)
	}
	w.server = httptest.NewUnstartedServer(h)
	pool := x509.NewCertPool()
	pool.AddCert(w.issuer.cert)
	w.server.TLS = &tls.Config{ClientCAs: pool, ClientAuth: tls.VerifyClientCertIfGiven}
	w.server.StartTLS()
	t.Cleanup(w.server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(w.server.Certificate())
	w.client = Options{
		URL: w.server.URL + "/its/service/oddce/services/DDCEService", Dir: filepath.Join(t.TempDir(), "enrol"), Kind: KindGateway, Name: "gw-1",
		TLS: &tls.Config{RootCAs: roots, ClientSessionCache: tls.NewLRUClientSessionCache(8)}, Now: func() time.Time { return w.clock },
	}
	return w
}

func open(t *testing.T, o Options) *Client {
	t.Helper()
	c, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEnrolRenewBeat(t *testing.T) {
	w := newWorld(t, nil)
	c := open(t, w.client)
	if s := c.State(); s.Registered || s.Pending {
		t.Fatalf("fresh: %+v", s)
	}
	if err := c.Beat(t.Context(), Heartbeat{}); callhome.KindOf(err) != callhome.KindConflict {
		t.Errorf("a heartbeat without registration: %v", err)
	}
	if err := c.Enrol(t.Context(), callhome.NewSecret(goodToken)); err != nil {
		t.Fatal(err)
	}
	s := c.State()
	if !s.Registered || s.Pending || s.Name != "named-gw-1" || s.Serial == "" {
		t.Fatalf("registered: %+v", s)
	}
	if err := c.Beat(t.Context(), Heartbeat{}); err != nil { // the same process, which asked without a certificate before
		t.Error(err)
	}
	w.issuer.beats = nil
	again := open(t, w.client) // a restart
	if got := again.State(); got != s {
		t.Errorf("after a restart %+v, want %+v", got, s)
	}
	if err := again.Beat(t.Context(), Heartbeat{Version: "1", Devices: 3, Queue: Queue{Depth: 7}, Unwell: []string{strings.Repeat("é\n", 900)}}); err != nil {
		t.Fatal(err)
	}
	if b := w.issuer.beats[0]; b.Name != "named-gw-1" || b.Kind != KindGateway || b.Devices != 3 || b.Queue.Depth != 7 {
		t.Errorf("heartbeat %+v", b)
	}
	before := again.Certificate()
	if err := again.Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	if again.State().Serial == s.Serial || before.Leaf.PublicKey.(*ecdsa.PublicKey).Equal(again.Certificate().Leaf.PublicKey) {
		t.Error("a renewal keeps certificate or key")
	}
	if len(w.issuer.renewed) != 1 || w.issuer.renewed[0].Serial != s.Serial || w.issuer.renewed[0].Fingerprint != s.Fingerprint {
		t.Errorf("renewed by %+v, want serial %s", w.issuer.renewed, s.Serial)
	}
	for _, name := range []string{identityName, caName, grantName} {
		if fi, err := os.Stat(filepath.Join(w.client.Dir, name)); err != nil || fi.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", name, fi, err)
		}
	}
	if _, err := os.Stat(filepath.Join(w.client.Dir, pendingName)); !os.IsNotExist(err) {
		t.Errorf("%s is left: %v", pendingName, err)
	}
}

func TestAnswerLostTokenKept(t *testing.T) {
	lose := true
	w := newWorld(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if !lose {
				h.ServeHTTP(rw, r)
				return
			}
			h.ServeHTTP(httptest.NewRecorder(), r) // granted, and the answer is lost
			panic(http.ErrAbortHandler)
		})
	})
	c := open(t, w.client)
	if err := c.Enrol(t.Context(), callhome.NewSecret(goodToken)); callhome.KindOf(err) != callhome.KindUnavailable {
		t.Fatalf("got %v", err)
	}
	if w.issuer.usedBy == "" {
		t.Fatal("the server did not grant")
	}
	lose = false
	after := open(t, w.client) // the process died and starts again
	if s := after.State(); !s.Pending || s.Registered {
		t.Fatalf("after the crash: %+v", s)
	}
	after.resume(t.Context())
	if s := after.State(); !s.Registered || s.Pending {
		t.Errorf("not resumed: %+v", s)
	}
}

func TestCrashBetweenFiles(t *testing.T) {
	w := newWorld(t, nil)
	c := open(t, w.client)
	if err := c.Enrol(t.Context(), callhome.NewSecret(goodToken)); err != nil {
		t.Fatal(err)
	}
	// identity.pem is written, the rest is not.
	for _, name := range []string{caName, grantName} {
		if err := os.Remove(filepath.Join(w.client.Dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if s := open(t, w.client).State(); !s.Registered || s.Name != "named-gw-1" || s.RenewAfter.IsZero() {
		t.Errorf("got %+v", s)
	}
}

func TestDeniedForgetsToken(t *testing.T) {
	w := newWorld(t, nil)
	c := open(t, w.client)
	err := c.Enrol(t.Context(), callhome.NewSecret("a-wrong-token-of-length"))
	if callhome.KindOf(err) != callhome.KindDenied || !strings.Contains(err.Error(), "not valid") {
		t.Fatalf("got %v", err)
	}
	if s := open(t, w.client).State(); s.Pending {
		t.Error("a denied token is tried for ever")
	}
	w.issuer.broken = fmt.Errorf("database password is hunter2")
	err = c.Enrol(t.Context(), callhome.NewSecret(goodToken))
	if err == nil || strings.Contains(err.Error(), "hunter2") || !c.State().Pending {
		t.Errorf("an internal error: %v, state %+v", err, c.State())
	}
	w.issuer.broken = nil
	c.resume(t.Context())
	if !c.State().Registered {
		t.Error("not registered after the back end recovered")
	}
}

func TestRunRenewsInTime(t *testing.T) {
	w := newWorld(t, nil)
	c := open(t, w.client)
	if err := c.Enrol(t.Context(), callhome.NewSecret(goodToken)); err != nil {
		t.Fatal(err)
	}
	w.clock = w.clock.Add(59 * time.Hour)
	c.resume(t.Context())
	if len(w.issuer.renewed) != 0 {
		t.Error("renewed early")
	}
	w.clock = w.clock.Add(2 * time.Hour)
	c.resume(t.Context())
	if len(w.issuer.renewed) != 1 {
		t.Error("not renewed in time")
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.Run(ctx, func() Heartbeat { cancel(); return Heartbeat{} })
	}()
	<-done
}

// TestStrangers is what the handler says to requests that no Client makes.
func TestStrangers(t *testing.T) {
	w := newWorld(t, nil)
	p, err := folder(t.TempDir()).prepare("x", callhome.Secret{})
	if err != nil {
		t.Fatal(err)
	}
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	weakDER, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, weak)
	if err != nil {
		t.Fatal(err)
	}
	weakCSR := string(pem.EncodeToMemory(&pem.Block{Type: csrBlock, Bytes: weakDER}))
	quote := func(s string) string { return strings.ReplaceAll(s, "\n", `\n`) }
	good := `{"kind":"gateway","name":"g","csr":"` + quote(p.csr) + `"}`
	for _, c := range []struct {
		name, path, ctype, token, body string
		want                           int
	}{
		{"no token", PathEnrol, "application/json", "", good, 403},
		{"short token", PathEnrol, "application/json", "x", good, 403},
		{"wrong token", PathEnrol, "application/json", "0123456789abcdefgh", good, 403},
		{"not JSON", PathEnrol, "application/json", goodToken, "<x/>", 400},
		{"other type", PathEnrol, "text/plain", goodToken, good, 400},
		{"no type", PathEnrol, "", goodToken, good, 400},
		{"too long", PathEnrol, "application/json", goodToken, strings.Repeat(" ", maxBody+1), 400},
		{"kind", PathEnrol, "application/json", goodToken, strings.Replace(good, "gateway", "server", 1), 400},
		{"name", PathEnrol, "application/json", goodToken, strings.Replace(good, `"g"`, `"a\nb"`, 1), 400},
		{"no csr", PathEnrol, "application/json", goodToken, `{"kind":"agent","name":"g"}`, 400},
		{"forged csr", PathEnrol, "application/json", goodToken, strings.Replace(good, "MI", "MJ", 1), 400},
		{"weak key", PathEnrol, "application/json", goodToken, `{"kind":"agent","name":"g","csr":"` + quote(weakCSR) + `"}`, 400},
		{"renew without a certificate", PathRenew, "application/json", "", `{}`, 403},
		{"beat without a certificate", PathHeartbeat, "application/json", "", `{"kind":"agent"}`, 403},
		{"elsewhere", "/enrol/v1/other", "application/json", "", `{}`, 404},
	} {
		req, err := http.NewRequest(http.MethodPost, w.server.URL+c.path, bytes.NewReader([]byte(c.body)))
		if err != nil {
			t.Fatal(err)
		}
		if c.ctype != "" {
			req.Header.Set("Content-Type", c.ctype)
		}
		if c.token != "" {
			req.Header.Set("Authorization", "Bearer "+c.token)
		}
		resp, err := w.server.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		answer, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != c.want {
			t.Errorf("%s: %d %s, want %d", c.name, resp.StatusCode, answer, c.want)
		}
	}
	if w.issuer.granted != 0 {
		t.Errorf("%d certificates granted to strangers", w.issuer.granted)
	}
}

func TestTrustMayChange(t *testing.T) {
	w := newWorld(t, nil)
	right := w.client.TLS
	w.client.TLS = nil
	c := open(t, w.client)
	if err := c.Enrol(t.Context(), callhome.NewSecret(goodToken)); callhome.KindOf(err) != callhome.KindUnavailable || !c.State().Pending {
		t.Fatalf("an unknown authority: %v", err)
	}
	c.SetTLS(right)
	c.resume(t.Context())
	if !c.State().Registered {
		t.Error("not registered once the authority is known")
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, u := range []string{"", "http://a/", "https://", "ftp://x"} {
		if _, err := Open(Options{URL: u, Dir: t.TempDir(), Kind: KindAgent, Name: "a"}); callhome.KindOf(err) != callhome.KindInvalid {
			t.Errorf("%q: %v", u, err)
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, identityName), []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Options{URL: "https://a:1", Dir: dir, Kind: KindAgent, Name: "a"}); err == nil {
		t.Error("a broken identity is ignored")
	}
}

func TestHeartbeatLimits(t *testing.T) {
	ok := Heartbeat{Kind: KindAgent, Name: "a", Version: "1"}
	if err := ok.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, breakIt := range map[string]func(*Heartbeat){
		"kind":   func(b *Heartbeat) { b.Kind = "x" },
		"many":   func(b *Heartbeat) { b.Unwell = make([]string, maxUnwell+1) },
		"long":   func(b *Heartbeat) { b.Unwell = []string{strings.Repeat("x", 1000)} },
		"lines":  func(b *Heartbeat) { b.Version = "1\n2" },
		"number": func(b *Heartbeat) { b.Queue.Depth = -1 },
	} {
		b := ok
		breakIt(&b)
		if b.Validate() == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
