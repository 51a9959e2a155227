package httpsend

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"callhome"
	"callhome/deliver"
	"callhome/trustpoint"
)

func needPeers(t *testing.T, programs ...string) {
	t.Helper()
	if os.Getenv("CALLHOME_E2E") != "1" {
		t.Skip("set CALLHOME_E2E=1 to run tests against real peers")
	}
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Fatalf("%s is missing; make test installs it", p)
		}
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

// start runs a program until the test ends, and waits until it listens.
func start(t *testing.T, port int, name string, args ...string) {
	t.Helper()
	var log bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &log, &log, 5*time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s said:\n%s", name, log.String())
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		conn, err := plainDial(ctx, "tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err == nil {
			_ = conn.Close()
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s does not listen: %v", name, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil { // the peer's user reads it
		t.Fatal(err)
	}
}

const nginxConf = `user root;
daemon off;
pid %[1]s/pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
  client_max_body_size 100k;
  server {
    listen 127.0.0.1:%[2]d ssl http2;
    listen [::1]:%[2]d ssl http2;
    ssl_certificate %[1]s/srv.crt; ssl_certificate_key %[1]s/srv.key;
    ssl_client_certificate %[1]s/ca.crt; ssl_verify_client optional;
    location /named { if ($ssl_client_verify != SUCCESS) { return 403; } proxy_pass %[3]s; proxy_set_header X-DN $ssl_client_s_dn; proxy_set_header X-Version $server_protocol; }
    location /open { proxy_pass %[3]s; proxy_set_header X-DN $ssl_client_s_dn; proxy_set_header X-Version $server_protocol; }
    location /moved { return 301 https://else.example/; }
  }
}
`

// TestPeerNginx posts through nginx: TLS, both versions of HTTP and of IP, client certificates, limits.
func TestPeerNginx(t *testing.T) {
	needPeers(t, "nginx")
	p := newPKI(t)
	var body, dn, version string
	behind := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		body, dn, version = string(b), r.Header.Get("X-DN"), r.Header.Get("X-Version")
	}))
	t.Cleanup(behind.Close)
	dir, port := t.TempDir(), freePort(t)
	cert, err := p.ca.Issue(trustpoint.Request{CommonName: "nginx", Hosts: []string{"127.0.0.1", "::1"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := trustpoint.WriteKeyPair(cert, dir+"/srv.crt", dir+"/srv.key"); err != nil {
		t.Fatal(err)
	}
	write(t, dir+"/ca.crt", string(p.ca.PEM()))
	write(t, dir+"/nginx.conf", fmt.Sprintf(nginxConf, dir, port, behind.URL))
	start(t, port, "nginx", "-e", "stderr", "-c", filepath.Join(dir, "nginx.conf"))
	for _, host := range []string{"127.0.0.1", "[::1]"} {
		for _, http1 := range []bool{false, true} {
			cfg := trusting("ca")
			cfg.HTTP.Certificate, cfg.HTTP.HTTP1Only = "device", http1
			s := newSender(t, p.set, cfg)
			base := fmt.Sprintf("https://%s:%d", host, port)
			env := envelope(base + "/named")
			env.Body = bytes.Repeat([]byte("<a>\xff</a>"), 2000)
			if err := s.Send(t.Context(), env); err != nil || body != string(env.Body) || !strings.Contains(dn, "QXA2613K0PZ") ||
				version != map[bool]string{true: "HTTP/1.1", false: "HTTP/2.0"}[http1] {
				t.Errorf("%s: %v, %d bytes, %q, %s", base, err, len(body), dn, version)
			}
			env.Anonymous = true
			if err := s.Send(t.Context(), env); err == nil || deliver.IsPermanent(err) || !strings.Contains(err.Error(), "403") {
				t.Errorf("%s: anonymous where a certificate is demanded: %v", base, err)
			}
			env.Destination.Address = base + "/open"
			if err := s.Send(t.Context(), env); err != nil || dn != "" {
				t.Errorf("%s: anonymous: %v, shown %q", base, err, dn)
			}
			env.Anonymous = false
			env.Destination.Address = base + "/moved"
			if err := s.Send(t.Context(), env); !deliver.IsPermanent(err) {
				t.Errorf("%s: moved: %v", base, err)
			}
			env.Destination.Address = base + "/open"
			env.Body = bytes.Repeat([]byte("x"), 200_000)
			if err := s.Send(t.Context(), env); !deliver.IsPermanent(err) || !strings.Contains(err.Error(), "413") {
				t.Errorf("%s: too large: %v", base, err)
			}
		}
	}
}

// TestPeerTinyproxy posts through a proxy with a login.
func TestPeerTinyproxy(t *testing.T) {
	needPeers(t, "tinyproxy")
	p := newPKI(t)
	got := 0
	srv := p.serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body); got++ }))
	plain := httptest.NewServer(srv.Config.Handler)
	t.Cleanup(plain.Close)
	port, conf := freePort(t), filepath.Join(t.TempDir(), "conf")
	write(t, conf, fmt.Sprintf("Port %d\nListen 127.0.0.1\nTimeout 30\nMaxClients 20\nBasicAuth agent s3cret\n", port))
	start(t, port, "tinyproxy", "-d", "-c", conf)
	cfg := trusting("ca")
	cfg.Proxy = Proxy{Host: "127.0.0.1", Port: port, Username: "agent", Password: callhome.NewSecret("s3cret")}
	s := newSender(t, p.set, cfg)
	for _, address := range []string{srv.URL, plain.URL} {
		if err := s.Send(t.Context(), envelope(address)); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
	if got != 2 {
		t.Errorf("%d arrived", got)
	}
	cfg.Proxy.Password = callhome.NewSecret("wrong")
	for _, address := range []string{srv.URL, plain.URL} {
		if err := newSender(t, p.set, cfg).Send(t.Context(), envelope(address)); err == nil || deliver.IsPermanent(err) {
			t.Errorf("%s: wrong login: %v", address, err)
		}
	}
	u, _ := url.Parse(srv.URL)
	gone := envelope("https://127.0.0.1:1" + u.Path)
	cfg.Proxy.Password = callhome.NewSecret("s3cret")
	if err := newSender(t, p.set, cfg).Send(t.Context(), gone); err == nil || deliver.IsPermanent(err) {
		t.Errorf("nobody behind the proxy: %v", err)
	}
}
