package httprecv

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"callhome"
	"callhome/codec/aml"
	"callhome/receive"
	"callhome/trustpoint"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// store is a sink in memory.
type store struct {
	mu   sync.Mutex
	got  []*receive.Submission
	fail error
	dup  bool
}

func (s *store) Accept(_ context.Context, sub *receive.Submission) (receive.Receipt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return receive.Receipt{}, s.fail
	}
	s.got = append(s.got, sub)
	return receive.Receipt{MessageID: "M7:SN1:65F2B3C4", Duplicate: s.dup}, nil
}

func (s *store) all() []*receive.Submission {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*receive.Submission(nil), s.got...)
}

func newServer(t testing.TB, change func(*Config), sink receive.Sink, o Options) *Server {
	t.Helper()
	cfg := DefaultConfig()
	if change != nil {
		change(&cfg)
	}
	s, err := New(cfg, sink, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// run serves s until the test ends.
func run(t testing.TB, s *Server, listen ...string) []string {
	t.Helper()
	for _, l := range listen {
		if err := s.Listen(t.Context(), l); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return s.URLs()
}

const xmlBody = `<?xml version="1.0"?><a/>`

func TestAnswers(t *testing.T) {
	long := "<" + strings.Repeat("x", 5000)
	for _, c := range []struct {
		name, method, path, contentType, body string
		fail                                  error
		dup                                   bool
		status                                int
		answer                                string // part of it
		kept                                  bool
	}{
		{name: "accepted", method: "POST", path: PathDDCE, contentType: "text/xml", body: xmlBody, status: 200, answer: ">accepted<", kept: true},
		{name: "the older path", method: "POST", path: PathNEDDCE, contentType: "application/xml", body: xmlBody, status: 200, answer: "M7:SN1:65F2B3C4", kept: true},
		{name: "gateway, any case", method: "POST", path: "/TransportGateway/Services/devicerequesthandler", contentType: "application/soap+xml; charset=utf-8", body: xmlBody, status: 200, answer: ">accepted<", kept: true},
		{name: "slash at the end", method: "POST", path: PathDDCE + "/", body: xmlBody, status: 200, kept: true},
		{name: "no content type", method: "POST", path: PathDDCE, body: xmlBody, status: 200, kept: true},
		{name: "XML called text", method: "POST", path: PathDDCE, contentType: "text/plain", body: "\r\n " + xmlBody, status: 200, kept: true},
		{name: "byte order mark", method: "POST", path: PathDDCE, contentType: "text/xml", body: "\xef\xbb\xbf\n" + xmlBody, status: 200, kept: true},
		{name: "UTF-16", method: "POST", path: PathDDCE, contentType: "text/xml", body: "\xff\xfe<\x00a\x00", status: 200, kept: true},
		{name: "duplicate", method: "POST", path: PathDDCE, body: xmlBody, dup: true, status: 200, answer: ">duplicate<", kept: true},
		{name: "case of the other paths counts", method: "POST", path: strings.ToLower(PathDDCE), body: xmlBody, status: 404},
		{name: "elsewhere", method: "POST", path: "/", body: xmlBody, status: 404},
		{name: "double slash is no redirect", method: "POST", path: "/" + PathDDCE, body: xmlBody, status: 404},
		{name: "text", method: "POST", path: PathDDCE, contentType: "text/plain", body: "TimeStamp : 2026", status: 415},
		{name: "text without type", method: "POST", path: PathDDCE, body: "TimeStamp : 2026", status: 415},
		{name: "called XML", method: "POST", path: PathDDCE, contentType: "text/xml", body: "TimeStamp", status: 400, answer: "soap-env:Sender"},
		{name: "empty", method: "POST", path: PathDDCE, contentType: "text/xml", body: "", status: 400, answer: "empty"},
		{name: "too large", method: "POST", path: PathDDCE, body: long, status: 413},
		{name: "get", method: "GET", path: PathDDCE, status: 200, answer: "service is up"},
		{name: "put", method: "PUT", path: PathDDCE, body: xmlBody, status: 405},
		{name: "malformed", method: "POST", path: PathDDCE, body: xmlBody, fail: &receive.Refusal{Reason: receive.RefuseMalformed, Public: "not Call Home & co"}, status: 400, answer: "not Call Home &amp; co"},
		{name: "unsupported", method: "POST", path: PathDDCE, body: xmlBody, fail: &receive.Refusal{Reason: receive.RefuseUnsupported}, status: 415},
		{name: "denied", method: "POST", path: PathDDCE, body: xmlBody, fail: &receive.Refusal{Reason: receive.RefuseDenied}, status: 403},
		{name: "busy", method: "POST", path: PathDDCE, body: xmlBody, fail: &receive.Refusal{Reason: receive.RefuseBusy, RetryAfter: 1500 * time.Millisecond}, status: 503},
		{name: "broken", method: "POST", path: PathDDCE, body: xmlBody, fail: errors.New("secret cause"), status: 503},
	} {
		t.Run(c.name, func(t *testing.T) {
			sink := &store{fail: c.fail, dup: c.dup}
			s := newServer(t, func(cfg *Config) { cfg.MaxMessageSize = 4096 }, sink, Options{})
			for _, chunked := range []bool{false, true} {
				sink.got = nil
				r := httptest.NewRequest(c.method, "http://gw.example"+c.path, strings.NewReader(c.body))
				if chunked {
					r.ContentLength = -1
				}
				if c.contentType != "" {
					r.Header.Set("Content-Type", c.contentType)
				}
				w := httptest.NewRecorder()
				s.ServeHTTP(w, r)
				if w.Code != c.status || !strings.Contains(w.Body.String(), c.answer) || strings.Contains(w.Body.String(), "secret") {
					t.Errorf("chunked %v: got %d %q, want %d with %q", chunked, w.Code, w.Body, c.status, c.answer)
				}
				if got := len(sink.got) == 1; got != c.kept {
					t.Errorf("kept %v, want %v", got, c.kept)
				}
				if c.kept && string(sink.got[0].Body) != c.body {
					t.Errorf("kept %q, want the bytes as received", sink.got[0].Body)
				}
				if used := s.flight.used.Load(); used != 0 {
					t.Errorf("%d bytes stay in flight", used)
				}
				switch c.status {
				case 503:
					if want := map[string]string{"busy": "2", "broken": "30"}[c.name]; w.Header().Get("Retry-After") != want {
						t.Errorf("Retry-After %q, want %s", w.Header().Get("Retry-After"), want)
					}
				case 405:
					if w.Header().Get("Allow") == "" {
						t.Error("no Allow")
					}
				}
			}
		})
	}
}

func TestAckIsUnderstood(t *testing.T) {
	s := newServer(t, nil, &store{}, Options{})
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodPost, PathDDCE, strings.NewReader(xmlBody)))
	ack, err := aml.ParseAck(w.Body.Bytes())
	if err != nil || ack.MessageID != "M7:SN1:65F2B3C4" || ack.Result != aml.ResultAccepted || w.Header().Get("Content-Type") != xmlType {
		t.Errorf("got %+v, %v", ack, err)
	}
}

func TestInFlightBudget(t *testing.T) {
	s := newServer(t, func(c *Config) { c.MaxMessageSize, c.MaxInFlight = 200_000, 200_000 }, &store{}, Options{})
	post := func(size int) int {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodPost, PathDDCE, strings.NewReader("<"+strings.Repeat("x", size-1))))
		return w.Code
	}
	if got := post(100_000); got != 200 {
		t.Errorf("got %d, want 200", got)
	}
	s.flight.used.Add(150_000)
	if got := post(100_000); got != 503 {
		t.Errorf("got %d, want 503 while others are being taken", got)
	}
	if got := post(1000); got != 200 {
		t.Errorf("got %d for a small one, want 200", got)
	}
	if got := s.flight.used.Load(); got != 150_000 {
		t.Errorf("%d in flight", got)
	}
}

func TestSubmissionTellsWhereItCameFrom(t *testing.T) {
	ca, err := trustpoint.NewCA("test", nil)
	if err != nil {
		t.Fatal(err)
	}
	serverCert, err := ca.Issue(trustpoint.Request{CommonName: "srv", Hosts: []string{"127.0.0.1", "::1"}})
	if err != nil {
		t.Fatal(err)
	}
	device, err := ca.Issue(trustpoint.Request{CommonName: "QXA2613K0PZ", Hosts: []string{"edge.example"}, Client: true})
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(ca.Cert)
	sink := &store{}
	now := time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
	s := newServer(t, nil, sink, Options{
		Now: func() time.Time { return now },
		TLS: &tls.Config{Certificates: []tls.Certificate{*serverCert}, MinVersion: tls.VersionTLS12, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: pool},
	})
	urls := run(t, s, "https://127.0.0.1:0", "https://[::1]:0", "http://127.0.0.1:0")
	for i, certs := range [][]tls.Certificate{{*device}, nil, nil} {
		tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, Certificates: certs, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: i == 1}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, urls[i]+PathDDCE, strings.NewReader(xmlBody))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "bearer  tok-1")
		req.Header.Set("User-Agent", "dev/1")
		resp, err := tr.RoundTrip(req)
		if err != nil {
			t.Fatalf("%s: %v", urls[i], err)
		}
		_ = resp.Body.Close()
		tr.CloseIdleConnections()
		if want := map[bool]int{true: 2, false: 1}[i == 1]; resp.ProtoMajor != want {
			t.Errorf("%s: HTTP/%d", urls[i], resp.ProtoMajor)
		}
	}
	got := sink.all()
	if first := got[0]; first.TLS == nil || !strings.Contains(first.TLS.Subject, "QXA2613K0PZ") || first.TLS.Names[0] != "edge.example" ||
		first.TLS.Fingerprint != trustpoint.Fingerprint(device.Leaf) || first.HTTP.Token.Reveal() != "tok-1" || first.HTTP.UserAgent != "dev/1" ||
		!first.ReceivedAt.Equal(now) || first.Peer.Addr().String() != "127.0.0.1" || !first.Local.IsValid() || first.Transport != callhome.TransportHTTP {
		t.Errorf("got %+v %+v %+v", first, first.TLS, first.HTTP)
	}
	if second := got[1]; second.TLS == nil || second.TLS.Subject != "" || second.Peer.Addr().String() != "::1" {
		t.Errorf("got %+v %+v", second, second.TLS)
	}
	if third := got[2]; third.TLS != nil {
		t.Errorf("TLS in the clear: %+v", third.TLS)
	}
}

func TestListenFaults(t *testing.T) {
	s := newServer(t, nil, &store{}, Options{})
	for _, u := range []string{"http://0.0.0.0:0", "http://:0", "https://127.0.0.1:0", "ftp://127.0.0.1:0", "127.0.0.1:80", "http://127.0.0.1"} {
		if err := s.Listen(t.Context(), u); callhome.KindOf(err) != callhome.KindInvalid {
			t.Errorf("%s: got %v", u, err)
		}
	}
	open := newServer(t, nil, &store{}, Options{Insecure: true})
	if err := open.Listen(t.Context(), "http://0.0.0.0:0"); err != nil {
		t.Errorf("insecure: %v", err)
	}
	_ = open.listeners[0].Close()
	if err := s.Run(t.Context()); err == nil {
		t.Error("Run without listeners")
	}
}

func TestHostileClients(t *testing.T) {
	sink := &store{}
	s := newServer(t, func(c *Config) {
		c.HeaderTimeout, c.BodyTimeout, c.IdleTimeout, c.MaxMessageSize = time.Second, 2*time.Second, time.Second, 4096
	}, sink, Options{})
	u, err := url.Parse(run(t, s, "http://127.0.0.1:0")[0])
	if err != nil {
		t.Fatal(err)
	}
	head := "POST " + PathDDCE + " HTTP/1.1\r\nHost: x\r\n"
	for _, c := range []struct {
		name, send string
		status     string // "" is any or none
		closed     bool
	}{
		{"silence", "", "", true},
		{"half a header", head + "Content-Le", "", true},
		{"a header too large", head + strings.Repeat("X: "+strings.Repeat("y", 1000)+"\r\n", 100) + "\r\n", " 431 ", true},
		{"half a body", head + "Content-Length: 100\r\n\r\n<half", "", true},
		{"an announced giant", head + "Content-Length: 99999999999\r\n\r\n<", " 413 ", true},
		{"a chunked giant", head + "Transfer-Encoding: chunked\r\n\r\n2000\r\n<" + strings.Repeat("x", 8191) + "\r\n0\r\n\r\n", " 413 ", true},
		{"both lengths", head + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "", true},
		{"two lengths", head + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n<abcd", " 400 ", true},
		{"encoded", head + "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\n<", " 415 ", false},
		{"not HTTP", "EHLO x\r\n\r\n", " 400 ", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", u.Host)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			_, _ = io.WriteString(conn, c.send)
			_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
			if !c.closed {
				line, err := bufio.NewReader(conn).ReadString('\n')
				if err != nil || !strings.Contains(line, c.status) {
					t.Errorf("got %q, %v", line, err)
				}
				return
			}
			answer, err := io.ReadAll(conn)
			var ne net.Error
			if errors.As(err, &ne) && ne.Timeout() {
				t.Fatal("the connection stays open")
			}
			if !strings.Contains(string(answer), c.status) {
				t.Errorf("got %q, want %q", answer, c.status)
			}
		})
	}
	t.Cleanup(func() {
		if n := len(sink.all()); n != 0 {
			t.Errorf("%d messages were taken", n)
		}
	})
}

func TestStopLetsMessagesEnd(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	s := newServer(t, nil, receive.SinkFunc(func(context.Context, *receive.Submission) (receive.Receipt, error) {
		close(entered)
		<-release
		return receive.Receipt{}, nil
	}), Options{})
	if err := s.Listen(t.Context(), "http://127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	status := make(chan int, 1)
	tr := &http.Transport{}
	defer tr.CloseIdleConnections()
	go func() {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URLs()[0]+PathDDCE, strings.NewReader(xmlBody))
		resp, err := tr.RoundTrip(req)
		if err != nil {
			status <- 0
			return
		}
		_ = resp.Body.Close()
		status <- resp.StatusCode
	}()
	<-entered
	cancel()
	close(release)
	if got := <-status; got != 200 {
		t.Errorf("got %d, want 200 for a message that was taken", got)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestValidate(t *testing.T) {
	for key, change := range map[string]func(*Config){
		"max_message_size":         func(c *Config) { c.MaxMessageSize = 0 },
		"max_in_flight":            func(c *Config) { c.MaxInFlight = 1 },
		"max_connections":          func(c *Config) { c.MaxConnections = 0 },
		"max_connections_per_peer": func(c *Config) { c.MaxConnectionsPer = 0 },
		"header_timeout":           func(c *Config) { c.HeaderTimeout = 0 },
		"retry_after":              func(c *Config) { c.RetryAfter = 0 },
	} {
		c := DefaultConfig()
		change(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: got %v", key, err)
		}
	}
	if _, err := New(DefaultConfig(), nil, Options{}); err == nil {
		t.Error("no sink, no fault")
	}
}

func FuzzCheckForm(f *testing.F) {
	f.Add([]byte(xmlBody), "text/xml")
	f.Add([]byte("\xef\xbb\xbf"), ";;;")
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		err := checkForm(body, contentType)
		if err == nil && !bytes.Contains(body, []byte("<")) {
			t.Fatalf("%q passes as XML", body)
		}
		var ref *receive.Refusal
		if err != nil && !errors.As(err, &ref) {
			t.Fatalf("untyped %v", err)
		}
	})
}

func BenchmarkTake8KiB(b *testing.B) {
	s := newServer(b, nil, receive.SinkFunc(func(context.Context, *receive.Submission) (receive.Receipt, error) {
		return receive.Receipt{MessageID: "M1:SN1:65F2B3C4"}, nil
	}), Options{})
	addr := strings.TrimPrefix(run(b, s, "http://127.0.0.1:0")[0], "http://")
	body := "<" + strings.Repeat("x", 8191)
	request := []byte(fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n%s", PathDDCE, len(body), body))
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	b.SetParallelism(8) // 16 connections on two cores
	b.RunParallel(func(pb *testing.PB) {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			b.Error(err)
			return
		}
		defer func() { _ = conn.Close() }()
		r := bufio.NewReader(conn)
		for pb.Next() {
			if _, err := conn.Write(request); err != nil {
				b.Error(err)
				return
			}
			resp, err := http.ReadResponse(r, nil)
			if err != nil || resp.StatusCode != http.StatusOK {
				b.Error(resp, err)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
		}
	})
}

func TestOtherPaths(t *testing.T) {
	var asked string
	other := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.Path
		w.WriteHeader(http.StatusTeapot)
	})
	srv, err := New(DefaultConfig(), receive.SinkFunc(func(context.Context, *receive.Submission) (receive.Receipt, error) {
		t.Error("the sink got a message of another path")
		return receive.Receipt{}, nil
	}), Options{Other: other})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	srv.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/enrol/v1/enrol", strings.NewReader("{}")))
	if w.Code != http.StatusTeapot || asked != "/enrol/v1/enrol" {
		t.Errorf("got %d %q", w.Code, asked)
	}
	w = httptest.NewRecorder()
	srv.ServeHTTP(w, httptest.NewRequest(http.MethodGet, PathDDCE, nil))
	if w.Code != http.StatusOK {
		t.Errorf("the endpoint answers %d", w.Code)
	}
}

func TestLicensingIsAnsweredPolitely(t *testing.T) {
	counted := 0
	srv, err := New(DefaultConfig(), receive.SinkFunc(func(context.Context, *receive.Submission) (receive.Receipt, error) {
		t.Error("the sink got a licensing message")
		return receive.Receipt{}, nil
	}), Options{Licensing: func() { counted++ }})
	if err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]string{
		`<?xml version="1.0"?><e><Header/><Type>smart_license</Type></e>`: string(resultNotServed),
		`{"request_type":"REGISTRATION"}`:                                 `"NOT_SERVED"`,
	} {
		w := httptest.NewRecorder()
		srv.ServeHTTP(w, httptest.NewRequest(http.MethodPost, PathDDCE, strings.NewReader(body)))
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
	if counted != 2 {
		t.Errorf("%d counted", counted)
	}
}
