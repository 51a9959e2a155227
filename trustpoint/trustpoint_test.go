package trustpoint

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"callhome"
)

func newCA(t testing.TB, name string) *CA {
	t.Helper()
	ca, err := NewCA(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func issue(t testing.TB, ca *CA, r Request) *tls.Certificate {
	t.Helper()
	cert, err := ca.Issue(r)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// handshake connects a client with cfg to a server with its own certificate and returns what the server saw of the client,
// and the client's fault.
func handshake(t testing.TB, client, server *tls.Config) (tls.ConnectionState, error) {
	t.Helper()
	a, b := net.Pipe()
	defer func() { _ = a.Close() }()
	seen := make(chan tls.ConnectionState, 1)
	go func() {
		defer func() { _ = b.Close() }()
		s := tls.Server(b, server)
		_ = s.Handshake()
		_, _ = s.Write([]byte("x")) // carries the end of the handshake, and tickets
		seen <- s.ConnectionState()
	}()
	c := tls.Client(a, client)
	err := c.Handshake()
	if err == nil {
		_, err = io.ReadFull(c, make([]byte, 1))
	}
	_ = a.Close()
	return <-seen, err
}

func TestClientTrust(t *testing.T) {
	good, other := newCA(t, "good"), newCA(t, "other")
	server := issue(t, good, Request{CommonName: "srv", Hosts: []string{"srv.example", "127.0.0.1"}})
	past := time.Now().Add(-2 * 365 * 24 * time.Hour)
	oldCA := &CA{Cert: good.Cert, key: good.key, now: func() time.Time { return past }}
	ended := issue(t, oldCA, Request{CommonName: "srv", Hosts: []string{"srv.example"}})
	goodPin, leafPin, otherPin := PinOf(good.Cert).String(), PinOf(server.Leaf).String(), PinOf(other.Cert).String()
	set, err := Load(Config{
		{Name: "good", CA: string(good.PEM())},
		{Name: "other", CA: string(other.PEM())},
		{Name: "good-pinned", CA: string(good.PEM()), Pins: []string{goodPin}},
		{Name: "good-mispinned", CA: string(good.PEM()), Pins: []string{otherPin}},
		{Name: "leaf-pin-only", Pins: []string{leafPin}},
		{Name: "ca-pin-only", Pins: []string{goodPin}},
		{Name: "other-pin-only", Pins: []string{otherPin}},
	}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		opts ClientOptions
		cert *tls.Certificate
		want string // part of the fault; "" is none
	}{
		{"the right authority", ClientOptions{TrustPoints: []string{"good"}}, server, ""},
		{"another authority", ClientOptions{TrustPoints: []string{"other"}}, server, "unknown authority"},
		{"one of several", ClientOptions{TrustPoints: []string{"other", "good"}}, server, ""},
		{"the system knows it not", ClientOptions{}, server, "unknown authority"},
		{"another name", ClientOptions{TrustPoints: []string{"good"}, ServerName: "else.example"}, server, "else.example"},
		{"another name, unchecked", ClientOptions{TrustPoints: []string{"good"}, ServerName: "else.example", AnyName: true}, server, ""},
		{"unchecked name, still a chain", ClientOptions{TrustPoints: []string{"other"}, AnyName: true}, server, "unknown authority"},
		{"an address as name", ClientOptions{TrustPoints: []string{"good"}, ServerName: "127.0.0.1"}, server, ""},
		{"an address as name, pinned", ClientOptions{TrustPoints: []string{"leaf-pin-only"}, ServerName: "127.0.0.1"}, server, ""},
		{"another address, pinned", ClientOptions{TrustPoints: []string{"leaf-pin-only"}, ServerName: "127.0.0.2"}, server, "127.0.0.2"},
		{"pinned authority", ClientOptions{TrustPoints: []string{"good-pinned"}}, server, ""},
		{"wrong pin", ClientOptions{TrustPoints: []string{"good-mispinned"}}, server, "pinned"},
		{"wrong pin here, right authority there", ClientOptions{TrustPoints: []string{"good-mispinned", "good"}}, server, ""},
		{"pin of the connection", ClientOptions{TrustPoints: []string{"good"}, Pins: []string{leafPin}}, server, ""},
		{"wrong pin of the connection", ClientOptions{TrustPoints: []string{"good"}, Pins: []string{otherPin}}, server, "pinned"},
		{"pin of the key alone", ClientOptions{TrustPoints: []string{"leaf-pin-only"}}, server, ""},
		{"pin of the authority alone", ClientOptions{TrustPoints: []string{"ca-pin-only"}}, server, ""},
		{"pin alone, another name", ClientOptions{TrustPoints: []string{"leaf-pin-only"}, ServerName: "else.example"}, server, "else.example"},
		{"pin of another key alone", ClientOptions{TrustPoints: []string{"other-pin-only"}}, server, "unknown authority"},
		{"ended", ClientOptions{TrustPoints: []string{"good"}}, ended, "expired"},
		{"ended, name unchecked", ClientOptions{TrustPoints: []string{"good"}, AnyName: true}, ended, "expired"},
		{"ended, pin alone", ClientOptions{TrustPoints: []string{"ca-pin-only"}}, ended, "expired"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.opts.ServerName == "" {
				c.opts.ServerName = "srv.example"
			}
			cfg, err := set.Client(c.opts)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // the second may be a resumption, which is to be judged the same
				_, err = handshake(t, cfg, &tls.Config{Certificates: []tls.Certificate{*c.cert}, MinVersion: tls.VersionTLS12})
				if (err == nil) != (c.want == "") || (err != nil && !strings.Contains(err.Error(), c.want)) {
					t.Fatalf("got %v, want a fault with %q", err, c.want)
				}
			}
		})
	}
}

func TestClientRefusesOldTLS(t *testing.T) {
	ca := newCA(t, "ca")
	set, _ := Load(Config{{Name: "ca", CA: string(ca.PEM())}}, nil, nil)
	cfg, err := set.Client(ClientOptions{ServerName: "srv.example", TrustPoints: []string{"ca"}})
	if err != nil {
		t.Fatal(err)
	}
	server := issue(t, ca, Request{CommonName: "srv", Hosts: []string{"srv.example"}})
	old := &tls.Config{Certificates: []tls.Certificate{*server}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11} // what is refused
	if _, err := handshake(t, cfg, old); err == nil {
		t.Error("TLS 1.1 was spoken")
	}
}

func TestClientOptionFaults(t *testing.T) {
	ca := newCA(t, "ca")
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "c.pem"), filepath.Join(dir, "k.pem")
	if err := WriteKeyPair(issue(t, ca, Request{CommonName: "dev", Client: true}), cert, key); err != nil {
		t.Fatal(err)
	}
	set, err := Load(Config{{Name: "ca", CA: string(ca.PEM())}, {Name: "dev", CertFile: cert, KeyFile: key}}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []ClientOptions{
		{TrustPoints: []string{"nobody"}}, {TrustPoints: []string{"dev"}}, {Certificate: "ca"}, {Certificate: "nobody"}, {Pins: []string{"x"}},
	} {
		if _, err := set.Client(o); err == nil {
			t.Errorf("%+v: no fault", o)
		}
	}
}

func TestDeviceCertificateIsShownAndRenewed(t *testing.T) {
	ca := newCA(t, "ca")
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "dev.pem"), filepath.Join(dir, "dev.key")
	write := func(name string) {
		t.Helper()
		if err := WriteKeyPair(issue(t, ca, Request{CommonName: name, Client: true}), certFile, keyFile); err != nil {
			t.Fatal(err)
		}
	}
	write("first")
	set, err := Load(Config{{Name: "both", CA: string(ca.PEM()), CertFile: certFile, KeyFile: keyFile}}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := set.Client(ClientOptions{ServerName: "srv.example", TrustPoints: []string{"both"}, Certificate: "both"})
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(ca.Cert)
	server := &tls.Config{
		Certificates: []tls.Certificate{*issue(t, ca, Request{CommonName: "srv", Hosts: []string{"srv.example"}})},
		ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: pool, SessionTicketsDisabled: true,
	}
	shown := func() string {
		t.Helper()
		state, err := handshake(t, cfg, server)
		if err != nil {
			t.Fatal(err)
		}
		return state.PeerCertificates[0].Subject.CommonName
	}
	if got := shown(); got != "first" {
		t.Errorf("got %s, want first", got)
	}
	write("second, renewed")
	if got := shown(); got != "second, renewed" {
		t.Errorf("got %s, want the renewed one", got)
	}
	if err := os.WriteFile(keyFile, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := shown(); got != "second, renewed" {
		t.Errorf("got %s, want the last good one", got)
	}
	infos, err := set.List()
	if err != nil || infos[0].Fault == "" {
		t.Errorf("a broken key is not reported: %+v, %v", infos, err)
	}
}

func TestExpiring(t *testing.T) {
	now := time.Now()
	ca := newCA(t, "ca")
	short := &CA{Cert: ca.Cert, key: ca.key, now: time.Now}
	leaf := issue(t, short, Request{CommonName: "soon", Lifetime: 10 * 24 * time.Hour})
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "c"), filepath.Join(dir, "k")
	if err := WriteKeyPair(leaf, cert, key); err != nil {
		t.Fatal(err)
	}
	bundle := string(ca.PEM()) + string(encodeBundle([]*x509.Certificate{leaf.Leaf}))
	set, err := Load(Config{
		{Name: "mixed", CA: bundle}, // one good authority is enough
		{Name: "leaf", CA: string(encodeBundle([]*x509.Certificate{leaf.Leaf}))},
		{Name: "device", CertFile: cert, KeyFile: key},
	}, nil, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	got, err := set.Expiring(ExpiryWarning)
	if err != nil || len(got) != 2 || got[0].TrustPoint != "leaf" || got[1].TrustPoint != "device" || !got[1].Device {
		t.Errorf("got %+v, %v, want leaf and device", got, err)
	}
	if got, _ := set.Expiring(24 * time.Hour); len(got) != 0 {
		t.Errorf("got %+v, want none within a day", got)
	}
	now = now.Add(11 * 24 * time.Hour)
	if got, _ := set.Expiring(0); len(got) != 2 || got[0].Left >= 0 {
		t.Errorf("got %+v, want two that have ended", got)
	}
}

func TestValidate(t *testing.T) {
	ca := newCA(t, "ca")
	for _, c := range []struct {
		name string
		cfg  Config
		path string
	}{
		{"good", Config{{Name: "a", CA: string(ca.PEM())}}, ""},
		{"no name", Config{{CA: string(ca.PEM())}}, "trust_points[0].name"},
		{"a path as name", Config{{Name: "../x", CAFile: "f"}}, "trust_points[0].name"},
		{"the same twice", Config{{Name: "a", CAFile: "f"}, {Name: "a", CAFile: "f"}}, "trust_points[1].name"},
		{"empty", Config{{Name: "a"}}, "trust_points[0].name"},
		{"both", Config{{Name: "a", CA: string(ca.PEM()), CAFile: "f"}}, "trust_points[0].ca"},
		{"not PEM", Config{{Name: "a", CA: "x"}}, "trust_points[0].ca"},
		{"pin", Config{{Name: "a", Pins: []string{"sha256//AAAA"}}}, "trust_points[0].pins[0]"},
		{"half a pair", Config{{Name: "a", CertFile: "f"}}, "trust_points[0].cert_file"},
	} {
		err := c.cfg.Validate()
		if (err == nil) != (c.path == "") || (err != nil && !strings.Contains(err.Error(), c.path)) {
			t.Errorf("%s: got %v, want a fault at %q", c.name, err, c.path)
		}
	}
}

func TestPin(t *testing.T) {
	ca := newCA(t, "ca")
	want := PinOf(ca.Cert)
	for _, text := range []string{want.String(), strings.Replace(want.String(), "//", "/", 1)} {
		if got, err := ParsePin(text); err != nil || got != want {
			t.Errorf("ParsePin(%q) = %v, %v", text, got, err)
		}
	}
	if len(Fingerprint(ca.Cert)) != 95 {
		t.Errorf("fingerprint %q", Fingerprint(ca.Cert))
	}
	if _, err := ParsePin("md5//AAAA"); err == nil {
		t.Error("an unknown form is taken")
	}
}

func TestStore(t *testing.T) {
	enabled := false
	dir := filepath.Join(t.TempDir(), "trustpoints")
	store, err := OpenStore(dir, func(name string) string {
		if enabled && name == ServerCA {
			return "anonymous reporting"
		}
		return ""
	})
	if err != nil {
		t.Fatal(err)
	}
	first, second := newCA(t, "first"), newCA(t, "second")
	info, installed, err := store.InstallServerCA(first.PEM())
	if err != nil || !installed || info.Certificates[0].Fingerprint != Fingerprint(first.Cert) {
		t.Fatalf("install: %+v, %v, %v", info, installed, err)
	}
	info, installed, err = store.InstallServerCA(second.PEM())
	if err != nil || installed || info.Certificates[0].Fingerprint != Fingerprint(first.Cert) {
		t.Fatalf("what is there must stay: %+v, %v, %v", info, installed, err)
	}
	for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, ServerCA+".pem"): 0o600} {
		if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != want {
			t.Errorf("%s: got %v, %v, want mode %v", path, fi.Mode(), err, want)
		}
	}
	enabled = true
	if err := store.Remove(ServerCA); callhome.KindOf(err) != callhome.KindConflict || !strings.Contains(err.Error(), "anonymous reporting") {
		t.Errorf("removed while in use: %v", err)
	}
	enabled = false
	if err := store.Remove(ServerCA); err != nil {
		t.Errorf("remove: %v", err)
	}
	if err := store.Remove(ServerCA); callhome.KindOf(err) != callhome.KindNotFound {
		t.Errorf("remove what is not there: %v", err)
	}
}

func TestStoreImport(t *testing.T) {
	store, err := OpenStore(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	ca := newCA(t, "ca")
	own := issue(t, ca, Request{CommonName: "x"})
	keyFile := filepath.Join(t.TempDir(), "k")
	if err := WriteKeyPair(own, keyFile+".crt", keyFile); err != nil {
		t.Fatal(err)
	}
	key, _ := os.ReadFile(keyFile)
	for _, c := range []struct {
		name, point string
		pem         []byte
		ok          bool
	}{
		{"good", "a", ca.PEM(), true},
		{"text around", "b", append([]byte("# our CA\n"), append(ca.PEM(), "\nend"...)...), true},
		{"nothing", "c", nil, false},
		{"text", "c", []byte("hello"), false},
		{"with key", "c", append(ca.PEM(), key...), false},
		{"broken", "c", []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), false},
		{"too much", "c", bytes.Repeat([]byte("#"), maxBundleBytes+1), false},
		{"a path", "../c", ca.PEM(), false},
		{"hidden", ".c", ca.PEM(), false},
		{"an option", "-c", ca.PEM(), false},
	} {
		_, err := store.Import(c.point, c.pem)
		if (err == nil) != c.ok || (err != nil && callhome.KindOf(err) != callhome.KindInvalid) {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
	infos, err := store.List()
	if err != nil || len(infos) != 2 {
		t.Errorf("got %+v, %v, want two", infos, err)
	}
	set, err := Load(nil, store, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := set.Client(ClientOptions{TrustPoints: []string{"b"}}); err != nil {
		t.Errorf("an imported trust point is not found: %v", err)
	}
	if err := os.WriteFile(store.path("z"), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if infos, err := set.List(); err != nil || infos[2].Fault == "" {
		t.Errorf("damage is not shown: %+v, %v", infos, err)
	}
}

func TestLoadServer(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tls")
	now := time.Now()
	clock := func() time.Time { return now }
	id, err := LoadServer(ServerConfig{}, dir, []string{"gw.example", "127.0.0.1"}, clock)
	if err != nil {
		t.Fatal(err)
	}
	client := func(pin string) *tls.Config {
		set, err := Load(Config{{Name: "gw", Pins: []string{pin}}}, nil, clock)
		if err != nil {
			t.Fatal(err)
		}
		cfg, err := set.Client(ClientOptions{ServerName: "gw.example", TrustPoints: []string{"gw"}})
		if err != nil {
			t.Fatal(err)
		}
		return cfg
	}
	if _, err := handshake(t, client(id.Pin), id.TLS); err != nil {
		t.Errorf("pinned by what is shown: %v", err)
	}
	again, err := LoadServer(ServerConfig{}, dir, []string{"gw.example"}, clock)
	if err != nil || again.Fingerprint != id.Fingerprint {
		t.Fatalf("the authority was not kept: %v", err)
	}
	before, _ := id.TLS.GetCertificate(nil)
	after, _ := again.TLS.GetCertificate(nil)
	if !before.Leaf.Equal(after.Leaf) {
		t.Error("the certificate was not kept")
	}
	now = now.Add(leafLifetime - 24*time.Hour)
	if renewed, err := again.TLS.GetCertificate(nil); err != nil || renewed.Leaf.Equal(after.Leaf) {
		t.Errorf("not renewed: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, caKeyName)); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadServer(ServerConfig{}, dir, nil, clock); err == nil || !strings.Contains(err.Error(), "restore") {
		t.Errorf("an authority without key was replaced: %v", err)
	}
	for _, c := range []ServerConfig{{CertFile: "x"}, {RequireCert: true}, {CertFile: "nowhere", KeyFile: "nowhere"}, {ClientCAFile: "nowhere"}} {
		if _, err := LoadServer(c, t.TempDir(), nil, nil); err == nil {
			t.Errorf("%+v: no fault", c)
		}
	}
}

func TestConfigShowsNoSecret(t *testing.T) {
	var log bytes.Buffer
	dir := t.TempDir()
	ca := newCA(t, "ca")
	if err := WriteKeyPair(issue(t, ca, Request{CommonName: "d"}), filepath.Join(dir, "c"), filepath.Join(dir, "k")); err != nil {
		t.Fatal(err)
	}
	set, err := Load(Config{{Name: "d", CertFile: filepath.Join(dir, "c"), KeyFile: filepath.Join(dir, "k")}}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	infos, _ := set.List()
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "points", infos)
	if strings.Contains(log.String(), "PRIVATE") {
		t.Errorf("a key was logged: %s", log.String())
	}
}

func FuzzParseBundle(f *testing.F) {
	ca, err := NewCA("ca", nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(ca.PEM())
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))
	f.Add([]byte("text"))
	f.Fuzz(func(t *testing.T, data []byte) {
		certs, err := parseBundle(data)
		if err != nil {
			return
		}
		again, err := parseBundle(encodeBundle(certs))
		if err != nil || len(again) != len(certs) {
			t.Fatalf("%d certificates became %d: %v", len(certs), len(again), err)
		}
	})
}

func FuzzParsePin(f *testing.F) {
	f.Add("sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
	f.Add("AA:BB")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePin(s)
		if err != nil {
			return
		}
		if q, err := ParsePin(p.String()); err != nil || q != p {
			t.Fatalf("%q: %v became %v, %v", s, p, q, err)
		}
	})
}

func TestWeakListener(t *testing.T) {
	id, err := LoadWeak(ServerConfig{}, t.TempDir(), []string{"gw.example"}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	strong, err := LoadServer(ServerConfig{}, t.TempDir(), []string{"gw.example"}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(id.CA)
	roots.AppendCertsFromPEM(strong.CA)
	shake := func(server *tls.Config, version, suite uint16) error {
		a, b := net.Pipe()
		defer a.Close()
		defer b.Close()
		go func() { _ = tls.Server(b, server).Handshake() }()
		_ = a.SetDeadline(time.Now().Add(10 * time.Second))
		return tls.Client(a, &tls.Config{RootCAs: roots, ServerName: "gw.example", MinVersion: version, MaxVersion: version, CipherSuites: []uint16{suite}}).Handshake()
	}
	for _, c := range []struct{ version, suite uint16 }{
		{tls.VersionTLS10, tls.TLS_RSA_WITH_AES_128_CBC_SHA}, {tls.VersionTLS10, tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA},
		{tls.VersionTLS11, tls.TLS_RSA_WITH_AES_256_CBC_SHA}, {tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256},
	} {
		if err := shake(id.TLS, c.version, c.suite); err != nil {
			t.Errorf("%s with %s: %v", tls.VersionName(c.version), tls.CipherSuiteName(c.suite), err)
		}
		if c.version < tls.VersionTLS12 {
			if err := shake(strong.TLS, c.version, c.suite); err == nil {
				t.Errorf("the ordinary listener speaks %s", tls.VersionName(c.version))
			}
		}
	}
}
