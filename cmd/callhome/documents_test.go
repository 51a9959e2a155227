package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"callhome/callhometest"
	"callhome/config"
)

// TestDocumentedServers checks every configuration of a back end that its pages show; those of the rooms are blocks of one.
func TestDocumentedServers(t *testing.T) {
	t.Setenv("DATABASE_PASSWORD", "x")
	dir := t.TempDir()
	secret := filepath.Join(dir, "jira")
	for _, name := range []string{secret + ".token", secret + ".hook"} {
		if err := os.WriteFile(name, []byte("x\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for file, want := range map[string]int{"docs/server.md": 2, "docs/service-requests.md": 2, "docs/notifications.md": 1} {
		blocks := fenced(t, file, "yaml")
		if len(blocks) < want {
			t.Errorf("%s shows %d configurations, want %d", file, len(blocks), want)
		}
		if file == "docs/service-requests.md" { // its blocks name each other
			blocks = []string{strings.ReplaceAll(strings.Join(blocks, "\n"), "/etc/callhome/jira.", secret+".")}
		}
		for _, block := range blocks {
			cfg, err := config.ParseServer(filepath.Join(dir, "server.yaml"), []byte(block))
			if err != nil {
				t.Errorf("%s: %v", file, err)
			} else if file == "docs/server.md" && len(cfg.Warnings) > 0 {
				t.Errorf("%s: %v", file, cfg.Warnings)
			}
		}
	}
}

// TestDocumentedGateways checks the configuration that the gateway's page begins with.
func TestDocumentedGateways(t *testing.T) {
	blocks := fenced(t, "docs/gateway.md", "yaml")
	if len(blocks) == 0 {
		t.Fatal("docs/gateway.md shows no configuration")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "backend-ca.pem"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := config.ParseGateway(filepath.Join(dir, "gateway.yaml"), []byte(blocks[0])); err != nil {
		t.Error(err)
	}
}

// schema is the part of a JSON Schema that has keys in it.
type schema struct {
	Properties map[string]*schema
	Items      *schema
}

func (s *schema) keys(path string, tell func(key, path string)) {
	if s == nil {
		return
	}
	s.Items.keys(path, tell)
	for key, sub := range s.Properties {
		tell(key, path+key)
		sub.keys(path+key+".", tell)
	}
}

// TestEveryServerKeyIsDocumented: every key of the configuration's schema is on the page, as code. A secret's key ending in
// _file is said once for all.
func TestEveryServerKeyIsDocumented(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(callhometest.Root(t), "docs", "server.md"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := config.Schema(config.RoleServer)
	if err != nil {
		t.Fatal(err)
	}
	var s schema
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	code := map[string]bool{}
	for i, part := range strings.Split(string(text), "`") {
		if i%2 == 1 {
			for _, word := range strings.FieldsFunc(part, func(r rune) bool { return !(r == '_' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9') }) {
				code[word] = true
			}
		}
	}
	n := 0
	s.keys("", func(key, path string) {
		n++
		if !code[key] && !code[strings.TrimSuffix(key, "_file")] {
			t.Errorf("docs/server.md does not name %s", path)
		}
	})
	if n < 150 {
		t.Errorf("the schema has %d keys only", n)
	}
}

// TestDocumentedTour does what the README's tour of gateway and back end says, word for word but for the ports, and waits
// where a person would have taken the time.
func TestDocumentedTour(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("SKIPPED, the README's tour was not tried: it needs curl, which make test installs")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(dir, "bin", "callhome")); err != nil {
		t.Fatal(err)
	}
	script := strings.Join(fenced(t, "README.md", "sh"), "\n")
	for _, port := range []string{":8443", ":8444", ":8080"} {
		script = strings.ReplaceAll(script, port, freePort(t))
	}
	script = strings.ReplaceAll(script, "0.0.0.0", "127.0.0.1")
	const wait = "do sleep 0.05; done\n"
	var lines strings.Builder
	for line := range strings.Lines(script + "\n") {
		switch {
		case strings.HasPrefix(line, "curl "):
			line = "until " + strings.TrimSpace(line) + " | tee answer | grep -q SR-0; " + wait + "cat answer\n"
		case strings.HasPrefix(line, "bin/callhome admin device list"):
			line = "until bin/callhome admin device list | grep pending; " + wait
		case strings.HasPrefix(line, "bin/callhome server"):
			line += "until [ -S data/server.sock ]; " + wait
		case strings.HasPrefix(line, "bin/callhome gateway --config"):
			line += "until [ -S gateway/gateway.sock ]; " + wait
		}
		lines.WriteString(line)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	file := filepath.Join(dir, "tour")
	if err := os.WriteFile(file, []byte("trap 'kill $(jobs -p); wait' EXIT\n"+lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, "bash", "-e", file)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "TESTSCRIPT_COMMAND=callhome")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"company Acme is made", "1 contracts new", "pending", "registered", `"items":`, "SR-0"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the tour does not show %q:\n%s", want, out)
		}
	}
}

// freePort is a port that nobody has just now, with a colon.
func freePort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // local and at once
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return fmt.Sprintf(":%d", ln.Addr().(*net.TCPAddr).Port)
}
