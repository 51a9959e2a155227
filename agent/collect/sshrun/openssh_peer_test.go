package sshrun

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"callhome"
	"callhome/agent/collect"
)

// peers says whether tests against real programs are asked for.
func peers(t *testing.T, programs ...string) {
	t.Helper()
	if os.Getenv("CALLHOME_E2E") != "1" {
		t.Skip("tests against real peers run with CALLHOME_E2E=1")
	}
	for _, p := range programs {
		if _, err := os.Stat(p); err != nil {
			t.Fatalf("%s is not installed: %v", p, err)
		}
	}
}

const sshd = "/usr/sbin/sshd"

// openSSH runs a real server for the present user, with a key login.
func openSSH(t *testing.T, more ...string) Target {
	t.Helper()
	peers(t, sshd)
	dir := t.TempDir()
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	if me.Uid == "0" { // the directory for privilege separation
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Fatal(err)
		}
	}
	makeKey := func(name string) ssh.PublicKey {
		pub, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		block, err := ssh.MarshalPrivateKey(key, "")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := ssh.NewPublicKey(pub)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	hostKey, userKey := makeKey("host"), makeKey("user")
	if err := os.WriteFile(filepath.Join(dir, "authorized"), ssh.MarshalAuthorizedKey(userKey), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().(*net.TCPAddr)
	l.Close()
	conf := append([]string{
		"Port " + strconv.Itoa(addr.Port), "ListenAddress 127.0.0.1", "HostKey " + filepath.Join(dir, "host"), "PidFile none",
		"AuthorizedKeysFile " + filepath.Join(dir, "authorized"), "StrictModes no", "PermitRootLogin yes", "UsePAM no", "PrintMotd no", "PrintLastLog no",
	}, more...)
	file := filepath.Join(dir, "sshd_config")
	if err := os.WriteFile(file, []byte(strings.Join(conf, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(sshd, "-D", "-e", "-f", file)
	cmd.Stderr = &testLog{t: t}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for range 200 {
		if c, err := net.Dial("tcp", addr.String()); err == nil {
			c.Close()
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	target := targetOf(t, addr, hostKey)
	target.Config.Username, target.Config.KeyFile, target.Config.Password = me.Username, filepath.Join(dir, "user"), callhome.Secret{}
	return target
}

// testLog collects what a peer says.
type testLog struct{ t *testing.T }

// Write drops what comes; the peer is asked to speak only when somebody debugs.
func (l *testLog) Write(p []byte) (int, error) {
	if testing.Verbose() && os.Getenv("CALLHOME_E2E_DEBUG") == "1" {
		l.t.Logf("%s", p)
	}
	return len(p), nil
}

func TestPeerOpenSSHLinux(t *testing.T) {
	target := openSSH(t)
	target.Personality = "linux"
	s := mustOpen(t, target)
	if got, err := ask(t, s, "echo one; echo two >&2; exit 3"); err == nil || got != "one\ntwo\n" && got != "two\none\n" || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("got %q, %v", got, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	start := time.Now()
	if err := s.Run(ctx, "sleep 600", collect.NewOutput(100)); err == nil || time.Since(start) > 5*time.Second {
		t.Errorf("deadline: got %v after %s", err, time.Since(start))
	}
}

// A shell script stands for a device that has a command line but no paging to turn off.
func TestPeerOpenSSHShell(t *testing.T) {
	target := openSSH(t)
	script := filepath.Join(t.TempDir(), "show")
	text := `#!/bin/sh
echo "Welcome > to the lab #1"
while printf 'edge-7# ' && read -r c x; do
  case $c in
  show) seq 1 20000 ;;
  hang) sleep 600 ;;
  exit) exit 0 ;;
  *) echo "% Unknown command" ;;
  esac
done
`
	if err := os.WriteFile(script, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	target.Personality, target.Config.Shell = "generic", script
	s := mustOpen(t, target)
	var want strings.Builder
	for i := range 20000 {
		fmt.Fprintln(&want, i+1)
	}
	for range 3 {
		if got, err := ask(t, s, "show numbers"); err != nil || got != want.String() {
			t.Fatalf("got %d bytes, %v; want %d", len(got), err, want.Len())
		}
	}
}

// vtysh of FRRouting is a real command line of the IOS kind, with a pager of its own.
func TestPeerFRRouting(t *testing.T) {
	peers(t, "/usr/bin/vtysh", "/usr/lib/frr/zebra")
	if os.Getuid() != 0 {
		t.Fatal("FRRouting's daemons need root: run make test as root")
	}
	dir, err := os.MkdirTemp("/var/run", "callhome-frr-") // the daemons of FRRouting drop to their own user
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if out, err := exec.Command("chown", "frr:frr", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	zebra := exec.Command("/usr/lib/frr/zebra", "--vty_socket", dir, "-i", dir+"/zebra.pid", "-z", dir+"/zserv.api", "-P", "0", "-A", "127.0.0.1")
	if err := zebra.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { zebra.Process.Kill(); zebra.Wait() })
	for range 200 {
		if _, err := os.Stat(dir + "/zebra.vty"); err == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	target := openSSH(t)
	target.Config.Driver, target.Config.Shell = "vtysh", "/usr/bin/vtysh --vty_socket "+dir
	got := collectFrom(t, target, collect.Config{}, "show version", "show interface brief", "show no-such-thing", "show ip route", "show running-config")
	for i, want := range []string{"FRRouting", "lo", "% Unknown command", "Codes: K - kernel route", "Current configuration"} {
		if !strings.Contains(got[i].Text, want) || strings.Contains(got[i].Text, got[i].Name+"\n") && i != 2 {
			t.Errorf("%s: got %.300q, want %q in it", got[i].Name, got[i].Text, want)
		}
	}
}
