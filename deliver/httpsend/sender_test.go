package httpsend

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"callhome"
	"callhome/codec/aml"
	"callhome/deliver"
	"callhome/trustpoint"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func plainDial(ctx context.Context, network, addr string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, network, addr)
}

// pki is an authority, a server's certificate, and a set that knows the authority as "ca" and a device as "device".
type pki struct {
	ca     *trustpoint.CA
	server *tls.Config
	set    *trustpoint.Set
}

func newPKI(t testing.TB) pki {
	t.Helper()
	ca, err := trustpoint.NewCA("test", nil)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(trustpoint.Request{CommonName: "srv", Hosts: []string{"127.0.0.1", "::1", "back.example"}})
	if err != nil {
		t.Fatal(err)
	}
	device, err := ca.Issue(trustpoint.Request{CommonName: "QXA2613K0PZ", Client: true})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "c"), filepath.Join(dir, "k")
	if err := trustpoint.WriteKeyPair(device, certFile, keyFile); err != nil {
		t.Fatal(err)
	}
	other, err := trustpoint.NewCA("other", nil)
	if err != nil {
		t.Fatal(err)
	}
	set, err := trustpoint.Load(trustpoint.Config{
		{Name: "ca", CA: string(ca.PEM())}, {Name: "other", CA: string(other.PEM())}, {Name: "device", CertFile: certFile, KeyFile: keyFile},
		{Name: "pin", Pins: []string{trustpoint.PinOf(cert.Leaf).String()}},
	}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(ca.Cert)
	return pki{ca, &tls.Config{
		Certificates: []tls.Certificate{*cert}, MinVersion: tls.VersionTLS12, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: pool,
	}, set}
}

// serve runs handler with TLS and both versions of HTTP.
func (p pki) serve(t testing.TB, handler http.Handler) *httptest.Server {
	t.Helper()
	srv := httptest.NewUnstartedServer(handler)
	srv.TLS, srv.EnableHTTP2 = p.server.Clone(), true
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv
}

func newSender(t testing.TB, set *trustpoint.Set, cfg Config) *Sender {
	t.Helper()
	if set == nil {
		var err error
		if set, err = trustpoint.Load(nil, nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	s, err := New(cfg, Deps{Dial: plainDial, TLS: set.Client})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func envelope(address string) *callhome.Envelope {
	return &callhome.Envelope{
		MessageID: "M1:SN1:65F2B3C4", Body: []byte("<a>\xff</a>"),
		Destination: callhome.Destination{Transport: callhome.TransportHTTP, Address: address},
	}
}

func trusting(points ...string) Config {
	return Config{HTTP: Options{Trust: Trust{TrustPoints: points}}}
}

func TestPostsTheBytesAsTheyAre(t *testing.T) {
	p := newPKI(t)
	type seen struct {
		body, contentType, agent, auth string
		major                          int
		named                          bool
		header                         http.Header
	}
	var got seen
	var conns sync.Map
	srv := p.serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		conns.Store(r.RemoteAddr, true)
		got = seen{string(body), r.Header.Get("Content-Type"), r.UserAgent(), r.Header.Get("Authorization"), r.ProtoMajor, len(r.TLS.VerifiedChains) > 0, r.Header}
		_, _ = w.Write(aml.AppendAck(nil, "M1:SN1:65F2B3C4", aml.ResultAccepted))
	}))
	cfg := trusting("ca")
	cfg.HTTP.Certificate = "device"
	cfg.HTTP.Endpoints = []Endpoint{{URL: srv.URL + "/tg", Trust: Trust{TrustPoints: []string{"ca"}}, Token: callhome.NewSecret("tok-1")}}
	for _, http1 := range []bool{false, true} {
		cfg.HTTP.HTTP1Only = http1
		s := newSender(t, p.set, cfg)
		env := envelope(srv.URL + "/x")
		for range 3 {
			if err := s.Send(t.Context(), env); err != nil {
				t.Fatal(err)
			}
		}
		want := map[bool]int{true: 1, false: 2}[http1]
		if got.body != string(env.Body) || got.contentType != "text/xml; charset=utf-8" || got.agent != "callhome" || got.auth != "" || got.major != want || !got.named {
			t.Errorf("got %+v", got)
		}
		for key := range got.header {
			if strings.Contains(strings.ToLower(key), "idempotency") {
				t.Errorf("field %s is sent", key)
			}
		}
		env.ContentType = "application/soap+xml"
		env.Destination.Address = srv.URL + "/tg/services"
		if err := s.Send(t.Context(), env); err != nil || got.contentType != "application/soap+xml" || got.auth != "Bearer tok-1" || got.named {
			t.Errorf("the endpoint's settings: %v %+v", err, got)
		}
		env.Anonymous = true
		if err := s.Send(t.Context(), env); err != nil || got.auth != "" || got.named {
			t.Errorf("anonymous, with token: %v %+v", err, got)
		}
		env.Destination.Address = srv.URL + "/x"
		if err := s.Send(t.Context(), env); err != nil || got.named {
			t.Errorf("anonymous, with certificate: %v %+v", err, got)
		}
		env.Destination.Address = strings.Replace(srv.URL, "https://", "HTTPS://u:p@", 1)
		env.Anonymous = false
		if err := s.Send(t.Context(), env); err != nil || got.auth != "Basic "+base64.StdEncoding.EncodeToString([]byte("u:p")) {
			t.Errorf("user in the address: %v %+v", err, got)
		}
		for _, st := range s.Status() {
			if strings.Contains(st.URL, ":p@") || st.Sent == 0 || st.Failed != 0 {
				t.Errorf("status %+v", st)
			}
		}
	}
	n := 0
	conns.Range(func(any, any) bool { n++; return true })
	if n > 8 { // two senders: the common route named and nameless, the endpoint's twice
		t.Errorf("%d connections for 14 messages", n)
	}
}

func TestMeaning(t *testing.T) {
	now := time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
	for _, c := range []struct {
		status    int
		retry     string
		permanent bool
		want      string // part of the fault
		delay     time.Duration
		named     bool
	}{
		{200, "", false, "", 0, false},
		{202, "", false, "", 0, false},
		{204, "", false, "", 0, false},
		{301, "", true, "redirects are not followed", 0, false},
		{302, "", true, "to https://else.example/", 0, false},
		{307, "", true, "redirect", 0, false},
		{400, "", true, "400 Bad Request: told <why>", 0, false},
		{401, "", false, "401", operatorDelay, true},
		{403, "", false, "403", operatorDelay, true},
		{404, "", false, "404", operatorDelay, true},
		{405, "", true, "405", 0, false},
		{408, "", false, "408", 0, false},
		{410, "", true, "410", 0, false},
		{413, "", true, "413", 0, false},
		{415, "", true, "415", 0, false},
		{421, "", false, "421", 0, false},
		{425, "3", false, "425", 3 * time.Second, true},
		{429, "120", false, "429", 2 * time.Minute, true},
		{500, "", false, "500", 0, false},
		{501, "", false, "501", 0, false},
		{503, "0", false, "503", minRetryAfter, true},
		{503, "99999999999999999999", false, "503", 0, false},
		{503, "9999999", false, "503", maxRetryAfter, true},
		{503, now.Add(90 * time.Second).Format(http.TimeFormat), false, "503", 90 * time.Second, true},
		{503, now.Add(-time.Hour).Format(http.TimeFormat), false, "503", minRetryAfter, true},
		{503, "soon", false, "503", 0, false},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			if c.retry != "" {
				w.Header().Set("Retry-After", c.retry)
			}
			if c.status/100 == 3 {
				w.Header().Set("Location", "https://else.example/")
			}
			w.Header().Set("Content-Type", "text/xml")
			w.WriteHeader(c.status)
			if c.status != 204 {
				_, _ = w.Write(aml.AppendFault(nil, aml.FaultSender, "told <why>"))
			}
		}))
		s := newSender(t, nil, Config{})
		err := s.Send(t.Context(), envelope(srv.URL))
		srv.Close()
		if (err == nil) != (c.want == "") || (err != nil && !strings.Contains(err.Error(), c.want)) || deliver.IsPermanent(err) != c.permanent {
			t.Errorf("%d: got %v, permanent %v; want %q, %v", c.status, err, deliver.IsPermanent(err), c.want, c.permanent)
		}
		delay, named := delayOf(MeaningOf(c.status), c.retry, now)
		if delay != c.delay || named != c.named {
			t.Errorf("%d %q: delay %v, %v; want %v, %v", c.status, c.retry, delay, named, c.delay, c.named)
		}
		if c.status == 200 {
			if st := s.Status(); st[0].LastFault != "told <why>" {
				t.Errorf("a fault with 200 is not noted: %+v", st)
			}
		}
	}
}

// Some servers say by 400 that a certificate is missing or has run out. That is not the message's fault.
func TestBadRequestThatIsAboutTheConnection(t *testing.T) {
	for _, c := range []struct {
		title     string
		permanent bool
	}{
		{"400 No required SSL certificate was sent", false},
		{"400 The SSL certificate error", false},
		{"400 The plain HTTP request was sent to HTTPS port", false},
		{"400 Request Header Or Cookie Too Large", true},
		{"400 Bad Request", true},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = fmt.Fprintf(w, "<html>\r\n<head><title>%s</title></head>\r\n<body></body></html>\r\n", c.title)
		}))
		err := newSender(t, nil, Config{}).Send(t.Context(), envelope(srv.URL))
		srv.Close()
		if err == nil || deliver.IsPermanent(err) != c.permanent || !strings.Contains(err.Error(), c.title) {
			t.Errorf("%s: got %v, permanent %v; want the title, permanent %v", c.title, err, deliver.IsPermanent(err), c.permanent)
		}
	}
}

func TestTrust(t *testing.T) {
	p := newPKI(t)
	srv := p.serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	u, _ := url.Parse(srv.URL)
	elsewhere := "https://127.0.0.2:" + u.Port()
	all, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = all.Close()
	for _, c := range []struct {
		name, address string
		cfg           Config
		want          string
	}{
		{"trusted", srv.URL, trusting("ca"), ""},
		{"one of several", srv.URL, trusting("other", "ca"), ""},
		{"pinned", srv.URL, trusting("pin"), ""},
		{"system only", srv.URL, Config{}, "trust point"},
		{"another authority", srv.URL, trusting("other"), "unknown authority"},
		{"endpoint overrules", srv.URL + "/a/b", Config{HTTP: Options{Trust: Trust{TrustPoints: []string{"other"}}, Endpoints: []Endpoint{{URL: srv.URL + "/a/", Trust: Trust{TrustPoints: []string{"ca"}}}}}}, ""},
		{"endpoint is elsewhere", srv.URL + "/ab", Config{HTTP: Options{Trust: Trust{TrustPoints: []string{"other"}}, Endpoints: []Endpoint{{URL: srv.URL + "/a", Trust: Trust{TrustPoints: []string{"ca"}}}}}}, "unknown authority"},
	} {
		err := newSender(t, p.set, c.cfg).Send(t.Context(), envelope(c.address))
		if (err == nil) != (c.want == "") || (err != nil && !strings.Contains(err.Error(), c.want)) || deliver.IsPermanent(err) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
	set := p.set
	s, err := New(trusting("ca"), Deps{TLS: set.Client, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return plainDial(ctx, network, u.Host)
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if err := s.Send(t.Context(), envelope(elsewhere)); err == nil || !strings.Contains(err.Error(), "127.0.0.2") {
		t.Errorf("another name: %v", err)
	}
	lax := trusting("ca")
	lax.HTTP.AnyName = true
	l, err := New(lax, Deps{TLS: set.Client, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return plainDial(ctx, network, u.Host)
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if err := l.Send(t.Context(), envelope(elsewhere)); err != nil {
		t.Errorf("another name, unchecked: %v", err)
	}
	if _, err := New(trusting("nobody"), Deps{Dial: plainDial, TLS: set.Client}); err == nil {
		t.Error("an unknown trust point passes")
	}
}

// proxy is an HTTP proxy that demands a login when one is given.
type proxy struct {
	login    string
	requests atomic.Int64
	connects atomic.Int64
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if want := "Basic " + base64.StdEncoding.EncodeToString([]byte(p.login)); p.login != "" && r.Header.Get("Proxy-Authorization") != want {
		w.WriteHeader(http.StatusProxyAuthRequired)
		return
	}
	if r.Method != http.MethodConnect {
		p.requests.Add(1)
		body, _ := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(w, "%s %d", r.URL, len(body))
		return
	}
	p.connects.Add(1)
	up, err := net.Dial("tcp", r.Host)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	down, _, _ := w.(http.Hijacker).Hijack()
	_, _ = io.WriteString(down, "HTTP/1.1 200 OK\r\n\r\n")
	go func() { _, _ = io.Copy(up, down); _ = up.Close() }()
	go func() { _, _ = io.Copy(down, up); _ = down.Close() }()
}
