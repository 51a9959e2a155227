package httpsend

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"callhome"
	"callhome/deliver"
)

func TestProxy(t *testing.T) {
	p := newPKI(t)
	srv := p.serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	px := &proxy{login: "u:p s"}
	front := httptest.NewServer(px)
	t.Cleanup(front.Close)
	u, _ := url.Parse(front.URL)
	var port int
	_, _ = fmt.Sscan(u.Port(), &port)
	cfg := trusting("ca")
	cfg.Proxy = Proxy{Host: "127.0.0.1", Port: port, Username: "u", Password: callhome.NewSecret("p s")}
	s := newSender(t, p.set, cfg)
	if err := s.Send(t.Context(), envelope(srv.URL)); err != nil || px.connects.Load() != 1 {
		t.Errorf("https: %v, %d tunnels", err, px.connects.Load())
	}
	if err := s.Send(t.Context(), envelope("http://back.example/x")); err != nil || px.requests.Load() != 1 {
		t.Errorf("http: %v, %d requests", err, px.requests.Load())
	}
	cfg.Proxy.Bypass = []string{"127.0.0.0/8"}
	if err := newSender(t, p.set, cfg).Send(t.Context(), envelope(srv.URL)); err != nil || px.connects.Load() != 1 {
		t.Errorf("bypass: %v, %d tunnels", err, px.connects.Load())
	}
	cfg.Proxy.Bypass = nil
	cfg.Proxy.Password = callhome.NewSecret("wrong")
	for _, address := range []string{srv.URL, "http://back.example/x"} {
		err := newSender(t, p.set, cfg).Send(t.Context(), envelope(address))
		if err == nil || deliver.IsPermanent(err) || strings.Contains(err.Error(), "wrong") || !strings.Contains(err.Error(), "Proxy Authentication Required") {
			t.Errorf("%s: wrong login: %v", address, err)
		}
	}
}

func TestBypass(t *testing.T) {
	p := Proxy{Bypass: []string{"gw.example", ".lab.example", "192.0.2.0/24", "2001:db8::/32", "198.51.100.7"}}
	for host, want := range map[string]bool{
		"gw.example": true, "GW.example": true, "x.gw.example": false, "a.lab.example": true, "lab.example": false,
		"192.0.2.9": true, "192.0.3.9": false, "2001:db8::5": true, "198.51.100.7": true,
	} {
		if got := p.bypassed(host); got != want {
			t.Errorf("%s: got %v, want %v", host, got, want)
		}
	}
}

func TestSendFaults(t *testing.T) {
	s := newSender(t, nil, Config{})
	for name, change := range map[string]func(*callhome.Envelope){
		"mail":            func(e *callhome.Envelope) { e.Destination.Transport = callhome.TransportEmail },
		"no address":      func(e *callhome.Envelope) { e.Destination.Address = "" },
		"another scheme":  func(e *callhome.Envelope) { e.Destination.Address = "ftp://h/x" },
		"broken":          func(e *callhome.Envelope) { e.Destination.Address = "http://u:geheim@h:bad port/" },
		"anonymous, http": func(e *callhome.Envelope) { e.Anonymous = true },
		"a header in it":  func(e *callhome.Envelope) { e.ContentType = "text/xml\r\nX: y" },
	} {
		e := envelope("http://127.0.0.1:1/x")
		change(e)
		err := s.Send(t.Context(), e)
		if name == "a header in it" {
			if err == nil {
				t.Errorf("%s: sent", name)
			}
			continue
		}
		if !deliver.IsPermanent(err) || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if err := s.Send(t.Context(), envelope("http://127.0.0.1:1/x")); err == nil || deliver.IsPermanent(err) {
		t.Errorf("nobody there: %v", err)
	}
}

func TestHostileServers(t *testing.T) {
	for _, c := range []struct {
		name  string
		play  func(c net.Conn, r *bufio.Reader)
		taken bool
	}{
		{"silence", func(_ net.Conn, r *bufio.Reader) { _, _ = r.WriteTo(io.Discard) }, false},
		{"drips a header", func(c net.Conn, _ *bufio.Reader) {
			for i := 0; ; i++ {
				if _, err := fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nX-%d: %s\r\n"[min(i, 1)*17:], i, "y"); err != nil {
					return
				}
				time.Sleep(50 * time.Millisecond) // the drip itself
			}
		}, false},
		{"a header without end", func(c net.Conn, _ *bufio.Reader) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n")
			for {
				if _, err := io.WriteString(c, "X: "+strings.Repeat("y", 4000)+"\r\n"); err != nil {
					return
				}
			}
		}, false},
		{"an answer without end", func(c net.Conn, _ *bufio.Reader) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
			for {
				if _, err := io.WriteString(c, strings.Repeat("y", 4000)); err != nil {
					return
				}
			}
		}, true},
		{"an answer that stops", func(c net.Conn, r *bufio.Reader) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
			_, _ = r.WriteTo(io.Discard)
		}, true},
		{"is not HTTP", func(c net.Conn, _ *bufio.Reader) { _, _ = io.WriteString(c, "220 mail ESMTP\r\n") }, false},
		{"leaves", func(net.Conn, *bufio.Reader) {}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			wg.Go(func() {
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					wg.Go(func() {
						defer func() { _ = conn.Close() }()
						r := bufio.NewReader(conn)
						if req, err := http.ReadRequest(r); err == nil {
							_, _ = io.Copy(io.Discard, req.Body)
						}
						c.play(conn, r)
					})
				}
			})
			s := newSender(t, nil, Config{HTTP: Options{Timeout: time.Second}})
			begun := time.Now()
			err = s.Send(t.Context(), envelope("http://"+l.Addr().String()))
			if (err == nil) != c.taken || deliver.IsPermanent(err) {
				t.Errorf("got %v, want taken %v", err, c.taken)
			}
			if took := time.Since(begun); took > 15*time.Second {
				t.Errorf("took %v", took)
			}
			_ = s.Close()
			_ = l.Close()
			wg.Wait()
		})
	}
}

func TestHandshakeThatNeverEnds(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	s := newSender(t, nil, Config{HTTP: Options{Timeout: time.Second}})
	err = s.Send(t.Context(), envelope("https://"+l.Addr().String()))
	if err == nil || deliver.IsPermanent(err) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestKeptConnectionThatWasClosed(t *testing.T) {
	var n atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body); n.Add(1) }))
	defer srv.Close()
	s := newSender(t, nil, Config{})
	for range 3 {
		if err := s.Send(t.Context(), envelope(srv.URL)); err != nil {
			t.Fatal(err)
		}
		srv.CloseClientConnections()
	}
	if n.Load() != 3 {
		t.Errorf("%d arrived", n.Load())
	}
}

func TestProbe(t *testing.T) {
	p := newPKI(t)
	srv := p.serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	if status, err := newSender(t, p.set, trusting("ca")).Probe(t.Context(), srv.URL); status != http.StatusTeapot || err != nil {
		t.Errorf("got %d, %v", status, err)
	}
	if _, err := newSender(t, p.set, trusting("other")).Probe(t.Context(), srv.URL); err == nil {
		t.Error("an untrusted server is well")
	}
}

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		path string
		cfg  Config
	}{
		{"", DefaultConfig()},
		{"http_proxy.host", Config{Proxy: Proxy{Port: 1}}},
		{"http_proxy.host", Config{Proxy: Proxy{Host: "http://p"}}},
		{"http_proxy.port", Config{Proxy: Proxy{Host: "p", Port: 65536}}},
		{"http_proxy.bypass[0]", Config{Proxy: Proxy{Host: "p", Bypass: []string{"1.2.3.4/99"}}}},
		{"http.timeout", Config{HTTP: Options{Timeout: 1}}},
		{"http.endpoints[0].url", Config{HTTP: Options{Endpoints: []Endpoint{{URL: "x"}}}}},
		{"http.endpoints[0].url", Config{HTTP: Options{Endpoints: []Endpoint{{URL: "http://h", Token: callhome.NewSecret("t")}}}}},
		{"http.endpoints[0].token_file", Config{HTTP: Options{Endpoints: []Endpoint{{URL: "https://h", Token: callhome.NewSecret("t"), TokenFile: "f"}}}}},
	} {
		err := c.cfg.Validate()
		if (err == nil) != (c.path == "") || (err != nil && !strings.Contains(err.Error(), c.path)) {
			t.Errorf("got %v, want a fault at %q", err, c.path)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	f.Add("120")
	f.Add("Sat, 14 Mar 2026 09:26:53 GMT")
	f.Add("-1")
	now := time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
	f.Fuzz(func(t *testing.T, field string) {
		if d, ok := retryAfter(field, now); ok && (d < minRetryAfter || d > maxRetryAfter) {
			t.Fatalf("%q: %v", field, d)
		}
	})
}

func BenchmarkSend8KiB(b *testing.B) {
	p := newPKI(b)
	for _, http1 := range []bool{true, false} {
		b.Run(map[bool]string{true: "https1", false: "https2"}[http1], func(b *testing.B) {
			srv := p.serve(b, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
			cfg := trusting("ca")
			cfg.HTTP.HTTP1Only = http1
			s := newSender(b, p.set, cfg)
			env := envelope(srv.URL)
			env.Body = []byte("<" + strings.Repeat("x", 8191))
			b.SetBytes(int64(len(env.Body)))
			b.ReportAllocs()
			b.SetParallelism(4)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := s.Send(b.Context(), env); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}
