package httprecv

import (
	"bytes"
	"crypto/tls"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"callhome/trustpoint"
)

// TestPeerCurl posts with curl: both versions of HTTP, a large body after "Expect: 100-continue", chunks.
func TestPeerCurl(t *testing.T) {
	if os.Getenv("CALLHOME_E2E") != "1" {
		t.Skip("set CALLHOME_E2E=1 to run tests against real peers")
	}
	if _, err := exec.LookPath("curl"); err != nil {
		t.Fatal("curl is missing; make test installs it")
	}
	dir := t.TempDir()
	id, err := trustpoint.LoadServer(trustpoint.ServerConfig{}, filepath.Join(dir, "tls"), []string{"127.0.0.1"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	sink := &store{}
	url := run(t, newServer(t, nil, sink, Options{TLS: &tls.Config{GetCertificate: id.TLS.GetCertificate, MinVersion: tls.VersionTLS12}}), "https://127.0.0.1:0")[0] + PathDDCE
	body := append([]byte("<a>"), bytes.Repeat([]byte("\xff\x00x"), 1_000_000)...)
	if err := os.WriteFile(filepath.Join(dir, "body"), body, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ca"), id.CA, 0o600); err != nil {
		t.Fatal(err)
	}
	for i, extra := range [][]string{{"--http1.1"}, {"--http2"}, {"--http1.1", "-H", "Transfer-Encoding: chunked"}, {"--http1.1", "-H", "Expect: 100-continue"}} {
		args := append([]string{"-sS", "--max-time", "20", "--cacert", filepath.Join(dir, "ca"), "-H", "Content-Type: text/xml", "--data-binary", "@" + filepath.Join(dir, "body")}, extra...)
		out, err := exec.Command("curl", append(args, url)...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), ">accepted<") {
			t.Errorf("curl %v: %v: %s", extra, err, out)
			continue
		}
		if got := sink.all(); len(got) != i+1 || !bytes.Equal(got[i].Body, body) {
			t.Errorf("curl %v: %d messages", extra, len(got))
		}
	}
}
