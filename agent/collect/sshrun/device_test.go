package sshrun

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"callhome"
	"callhome/agent/collect"
	"callhome/simulate/device"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve starts a device on a loopback address and returns a target that may log in to it.
func serve(t *testing.T, cfg device.Config, host string) (*device.Device, Target) {
	t.Helper()
	if cfg.Hostname == "" {
		cfg.Hostname = "lab-1"
	}
	if cfg.Passwords == nil && cfg.Keys == nil {
		cfg.Passwords = map[string]string{"callhome": "letmein"}
	}
	d, err := device.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- d.Serve(l) }()
	t.Cleanup(func() {
		d.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	target := targetOf(t, l.Addr(), d.HostKey())
	target.Personality = string(cfg.Style)
	return d, target
}

func targetOf(t *testing.T, addr net.Addr, key ssh.PublicKey) Target {
	t.Helper()
	tcp := addr.(*net.TCPAddr)
	known := filepath.Join(t.TempDir(), "known_hosts")
	if key != nil {
		line := knownhosts.Line([]string{knownhosts.Normalize(addr.String())}, key)
		if err := os.WriteFile(known, []byte(line+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Target{Name: "lab-1", Address: tcp.IP.String(), Personality: "ios", Config: Config{Login: Login{
		Port: tcp.Port, Username: "callhome", Password: callhome.NewSecret("letmein"), KnownHosts: known, ConnectTimeout: 5 * time.Second,
	}}}
}

func open(t *testing.T, target Target) (collect.Session, error) {
	t.Helper()
	r, err := New(target, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r.Open(t.Context())
}

func mustOpen(t *testing.T, target Target) collect.Session {
	t.Helper()
	s, err := open(t, target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func ask(t *testing.T, s collect.Session, command string) (string, error) {
	t.Helper()
	out := collect.NewOutput(1 << 20)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	err := s.Run(ctx, command, out)
	return out.String(), err
}

func long(lines int) string {
	var b strings.Builder
	for i := range lines {
		fmt.Fprintf(&b, "  line %d of a long answer\n", i)
	}
	return b.String()
}

func TestCommandLinesOfAllPlatforms(t *testing.T) {
	tests := []struct {
		style   device.Style
		enable  string
		setup   string
		unknown bool // an unknown command is reported as rejected
	}{
		{device.IOS, "sesame", "terminal length 0", true},
		{device.IOS, "", "terminal length 0", true},
		{device.IOSXR, "", "terminal length 0", true},
		{device.NXOS, "", "terminal length 0", true},
		{device.ASA, "sesame", "terminal pager 0", true},
		{device.EOS, "sesame", "terminal length 0", true},
		{device.Junos, "", "set cli screen-length 0", true},
		{device.UCM, "", "", true},
	}
	for _, tt := range tests {
		t.Run(string(tt.style)+"/"+tt.enable, func(t *testing.T) {
			version := "Version 17.9\nlab-1#\n  indented, and a prompt above\n"
			d, target := serve(t, device.Config{Style: tt.style, Enable: tt.enable, Answer: device.Answers(map[string]string{
				"show version": version, "show logging": long(2000), "show clock": "*10:00:00 UTC\n",
			})}, "127.0.0.1")
			target.Config.Enable = callhome.NewSecret(tt.enable)
			s := mustOpen(t, target)
			for _, want := range []struct{ command, out string }{{"show version", version}, {"show logging", long(2000)}, {"show clock", "*10:00:00 UTC\n"}} {
				got, err := ask(t, s, want.command)
				if err != nil || got != want.out {
					t.Fatalf("%s: got %.200q, %v; want %.200q", want.command, got, err, want.out)
				}
			}
			if got, err := ask(t, s, "show nonsense"); tt.unknown && !strings.Contains(fmt.Sprint(err), "rejected") {
				t.Errorf("show nonsense: got %q, %v; want a rejection", got, err)
			}
			if tt.setup != "" && !strings.Contains(strings.Join(d.Commands(), "\n"), tt.setup) {
				t.Errorf("paging was not turned off: %q", d.Commands())
			}
		})
	}
}

func TestWithoutSecretStaysInUserMode(t *testing.T) {
	d, target := serve(t, device.Config{Style: device.IOS, Enable: "sesame", Answer: device.Answers(map[string]string{"show clock": "10:00\n"})}, "::1")
	s := mustOpen(t, target)
	if got, err := ask(t, s, "show clock"); err != nil || got != "10:00\n" {
		t.Errorf("got %q, %v", got, err)
	}
	for _, c := range d.Commands() {
		if c == "enable" {
			t.Error("enable was tried without a secret")
		}
	}
}

// Paging that cannot be turned off, here because of the wrong driver, is answered with blanks.
func TestPagesAreTurned(t *testing.T) {
	for style, driver := range map[device.Style]string{device.IOS: "asa", device.ASA: "generic", device.Junos: "generic"} {
		t.Run(string(style), func(t *testing.T) {
			_, target := serve(t, device.Config{Style: style, PageLines: 10, Answer: device.Answers(map[string]string{"show logging": long(95)})}, "127.0.0.1")
			target.Config.Driver = driver
			if got, err := ask(t, mustOpen(t, target), "show logging"); err != nil || got != long(95) {
				t.Errorf("got %d bytes %q, %v; want %d", len(got), got, err, len(long(95)))
			}
		})
	}
}

func TestContextsOfASA(t *testing.T) {
	d, target := serve(t, device.Config{Style: device.ASA, Answer: device.Answers(map[string]string{"show context": "admin, web\n"}),
		Contexts: map[string]map[string]string{"admin": {"show xlate": "0 in use\n"}, "web": {"show xlate": "7 in use\n"}}}, "127.0.0.1")
	r, err := New(target, Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := collect.New(collect.Config{}, collect.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c.SetDevices([]collect.Device{{Name: "lab-1", Runner: r, Contexts: []string{"admin", "web"}}})
	got := c.Collect(t.Context(), collect.Job{Device: "lab-1", Commands: []collect.Command{{Text: "show context"}, {Text: "show xlate", Scope: collect.ScopeContext}}})
	var text []string
	for _, a := range got.Attachments(nil) {
		text = append(text, a.Name+"="+a.Text)
	}
	want := "show context=admin, web\n|show xlate (context admin)=0 in use\n|show xlate (context web)=7 in use\n"
	if strings.Join(text, "|") != want {
		t.Errorf("got %q, want %q; commands %q", text, want, d.Commands())
	}
}

func TestKeyLogin(t *testing.T) {
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKeyWithPassphrase(key, "", []byte("phrase"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "id")
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	sshPub, err := ssh.NewPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	_, target := serve(t, device.Config{Keys: []ssh.PublicKey{sshPub}, Answer: device.Answers(map[string]string{"show clock": "10:00\n"})}, "127.0.0.1")
	target.Config.Password = callhome.Secret{}
	target.Config.KeyFile, target.Config.KeyPassphrase = file, callhome.NewSecret("phrase")
	if got, err := ask(t, mustOpen(t, target), "show clock"); err != nil || got != "10:00\n" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestJumpHost(t *testing.T) {
	_, target := serve(t, device.Config{Answer: device.Answers(map[string]string{"show clock": "10:00\n"})}, "::1")
	hop, jump := serve(t, device.Config{Hostname: "jump", Forward: func(host string, port uint32) bool {
		return host == target.Address && int(port) == target.Config.Port
	}}, "127.0.0.1")
	target.Config.Jump = &Jump{Address: jump.Address, Login: jump.Config.Login}
	if got, err := ask(t, mustOpen(t, target), "show clock"); err != nil || got != "10:00\n" {
		t.Errorf("got %q, %v", got, err)
	}
	if len(hop.Commands()) != 0 {
		t.Errorf("commands were run on the jump host: %q", hop.Commands())
	}
}

func TestLinuxRunsEachCommandByItself(t *testing.T) {
	_, target := serve(t, device.Config{Style: device.Linux, Answer: device.Answers(map[string]string{"uname -a": "Linux lab-1\n"})}, "127.0.0.1")
	s := mustOpen(t, target)
	for range 2 {
		if got, err := ask(t, s, "uname -a"); err != nil || strings.ReplaceAll(got, "\r", "") != "Linux lab-1\n" {
			t.Errorf("got %q, %v", got, err)
		}
	}
}
