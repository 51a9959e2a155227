package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// startNginx runs nginx as an HTTPS receiver that demands client certificates of an authority and hands on to s.
func startNginx(t *testing.T, s *sink, server, clients *ca, host string) (url string) {
	t.Helper()
	nginx := needProgram(t, "nginx")
	dir, addr := openDir(t), freePort(t, host)
	cert, key := server.leaf("backend.example")
	upstream, _, _ := strings.Cut(strings.TrimPrefix(s.URL, "http://"), "/")
	conf := writeFile(t, filepath.Join(dir, "nginx.conf"), fmt.Sprintf(`daemon off;
pid %[1]s/pid;
error_log %[1]s/error.log info;
events {}
http {
  access_log %[1]s/access.log;
  client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
  server {
    listen %[2]s ssl;
    ssl_certificate %[3]s;
    ssl_certificate_key %[4]s;
    ssl_client_certificate %[5]s;
    ssl_verify_client on;
    client_max_body_size 10m;
    location / { proxy_pass http://%[6]s; proxy_set_header X-Client $ssl_client_s_dn; }
  }
}
`, dir, addr, cert, key, clients.File, upstream))
	p := startPeer(t, nil, nginx, "-p", dir, "-c", conf, "-e", filepath.Join(dir, "error.log"))
	p.awaitListening(addr)
	t.Cleanup(func() {
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(dir, "error.log")) // says why, if it is there
			t.Logf("nginx's log:\n%s", tail(string(log), 20))
		}
	})
	path := s.URL[strings.Index(s.URL, upstream)+len(upstream):]
	return "https://" + addr + path
}

// TestE2ENginxClientCertificate: a receiver that demands client certificates. With the wrong authority configured, and then
// without a certificate, the queue says why nothing leaves; a reload with the right ones lets it go.
func TestE2ENginxClientCertificate(t *testing.T) {
	needE2E(t)
	for _, host := range []string{"127.0.0.1", "::1"} {
		t.Run(host, func(t *testing.T) { nginxClientCertificate(t, host) })
	}
}

func nginxClientCertificate(t *testing.T, host string) {
	s, right, wrong := newSink(t), newCA(t, "Back end CA"), newCA(t, "Another CA")
	url := startNginx(t, s, right, right, host)
	cert, key := right.leaf("edge-rtr-7")
	config := func(trusted, shown string) string {
		return strings.Replace(lineConfig(s, "{}", fmt.Sprintf(`trust_points:
  - {name: backend, ca_file: %s}
  - {name: another, ca_file: %s}
  - {name: own, cert_file: %s, key_file: %s}
http: {trust_points: [%s], certificate: "%s"}`, right.File, wrong.File, cert, key, trusted, shown)), s.URL, url, 1)
	}
	a := startAgent(t, t.TempDir(), config("another", "own"))
	a.run("test", "who are you", "--profile", "backend")
	eventually(t, "the refusal in the queue", func() error {
		out := a.run("queue", "list", "--json")
		if !strings.Contains(out, "certificate") || !strings.Contains(out, url) {
			return fmt.Errorf("it does not say why:\n%s", out)
		}
		return nil
	})
	if n := len(s.arrivals()); n != 0 {
		t.Fatalf("%d messages went to a server that nobody vouched for", n)
	}

	writeFile(t, a.config, config("backend", ""))
	a.run("reload")
	a.run("queue", "retry", "--all")
	eventually(t, "the server's word in the queue", func() error {
		if out := a.run("queue", "list", "--json"); !strings.Contains(out, "No required SSL certificate was sent") {
			return fmt.Errorf("it does not say that a certificate is missing:\n%s", out)
		}
		return nil
	})

	writeFile(t, a.config, config("backend", "own"))
	a.run("reload")
	a.run("queue", "retry", "--all")
	s.awaitText(t, "who are you")
	if n := len(s.arrivals()); n != 1 {
		t.Errorf("the message arrived %d times, want once", n)
	}
}
