package e2e

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"callhome"
	"callhome/agent"
	"callhome/control"
	"callhome/ctl"
)

// sshServer is an OpenSSH server of the test's own, which lets the test's key in.
type sshServer struct {
	host, port    string
	user, keyFile string
	knownHosts    string
}

// startSSHD runs sshd on host; more are lines for its configuration.
func startSSHD(t *testing.T, host string, more ...string) sshServer {
	t.Helper()
	program := needProgram(t, "sshd")
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 { // compiled into sshd: where it separates privileges
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Fatal(err)
		}
	}
	dir, addr := t.TempDir(), freePort(t, host)
	hostKey, userKey := sshKey(t, filepath.Join(dir, "host")), sshKey(t, filepath.Join(dir, "user"))
	writeFile(t, filepath.Join(dir, "authorized"), string(ssh.MarshalAuthorizedKey(userKey)))
	_, port := hostPort(t, addr)
	conf := append([]string{
		"Port " + port, "ListenAddress " + host, "HostKey " + filepath.Join(dir, "host"), "PidFile none",
		"AuthorizedKeysFile " + filepath.Join(dir, "authorized"), "StrictModes no", "PermitRootLogin yes", "PasswordAuthentication no",
		"UsePAM no", "PrintMotd no", "PrintLastLog no",
	}, more...)
	p := startPeer(t, nil, program, "-D", "-e", "-f", writeFile(t, filepath.Join(dir, "sshd_config"), strings.Join(conf, "\n")+"\n"))
	p.awaitListening(addr)
	known := fmt.Sprintf("[%s]:%s %s", host, port, ssh.MarshalAuthorizedKey(hostKey))
	return sshServer{host, port, me.Username, filepath.Join(dir, "user"), writeFile(t, filepath.Join(dir, "known_hosts"), known)}
}

func sshKey(t *testing.T, file string) ssh.PublicKey {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, file, string(pem.EncodeToMemory(block)))
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// block is the ssh block of a device, with further keys.
func (s *sshServer) block(more string) string {
	return fmt.Sprintf("{port: %s, username: %s, key_file: %s, known_hosts: %s%s}", s.port, s.user, s.keyFile, s.knownHosts, more)
}

// showShell is the command line of a switch, as a shell script.
const showShell = `#!/bin/sh
trap '' INT
echo "Unauthorised use of edge-sw1 is forbidden #"
while printf 'edge-sw1#' && IFS= read -r line; do
  case "$line" in
  'show version') printf 'Acme Software, Version 17.12.4\nedge-sw1 uptime is 3 weeks\nProcessor board ID QXB0000EDGE\n' ;;
  'show running-config') cat <<'CONFIG'
Building configuration...
hostname edge-sw1
enable secret 5 $1$mERr$hx5rVt7rPNoS4wqbXKX7m0
username rita privilege 15 password 7 0822455D0A16
snmp-server community Tr0ub4dor RO
tacacs-server key s3cr3tTacacs
interface Vlan10
 description to the data centre
 ip address 192.0.2.1 255.255.255.0
end
CONFIG
  ;;
  'terminal length 0'|'terminal width 512'|'') ;;
  exit) exit 0 ;;
  *) printf '%% Invalid input detected\n' ;;
  esac
done
`

// showSecrets are what must not leave of showShell's configuration.
var showSecrets = []string{"$1$mERr$hx5rVt7rPNoS4wqbXKX7m0", "0822455D0A16", "Tr0ub4dor", "s3cr3tTacacs"}

// order gives an order that has no command line of its own, by the control socket.
func (a *agentProcess) order(o agent.SendOrder) {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.t.Context(), patience)
	defer cancel()
	client := &control.Client{Path: filepath.Join(a.dir, "data", "agent.sock")}
	if err := client.Call(ctx, ctl.CallSend, o, nil); err != nil {
		a.t.Fatalf("send %+v: %v", o, err)
	}
}

func attachment(m *callhome.Message, name string) string {
	for _, a := range m.Attachments {
		if a.Name == name {
			return a.Text
		}
	}
	return ""
}

// TestE2EOpenSSH: a device behind a real SSH server is asked for its output, over IPv4 and IPv6; secrets stay here.
func TestE2EOpenSSH(t *testing.T) {
	needE2E(t)
	for _, host := range []string{"127.0.0.1", "::1"} {
		t.Run(host, func(t *testing.T) {
			script := filepath.Join(t.TempDir(), "show")
			if err := os.WriteFile(script, []byte(showShell), 0o755); err != nil {
				t.Fatal(err)
			}
			server, s := startSSHD(t, host, "ForceCommand "+script), newSink(t)
			a := startAgent(t, t.TempDir(), lineConfig(s, "{}", fmt.Sprintf(
				`devices: [{hostname: edge-sw1, address: "%s", personality: ios, model: QX3850, serial: QXB0000EDGE, ssh: %s}]`, host, server.block(""))))
			a.order(agent.SendOrder{Device: "edge-sw1", Commands: "show version;show running-config", HTTP: s.URL})
			got := s.await(t, "the output", func(x *arrival) bool { return x.message != nil && len(x.message.Attachments) > 1 })
			m := got.message
			if m.DeviceID != "QX3850@C@QXB0000EDGE" || m.SystemName != "edge-sw1" {
				t.Errorf("device: got %s, %s", m.DeviceID, m.SystemName)
			}
			if want := "Acme Software, Version 17.12.4\nedge-sw1 uptime is 3 weeks\nProcessor board ID QXB0000EDGE"; strings.TrimSpace(attachment(m, "show version")) != want {
				t.Errorf("show version: got %q, want %q", attachment(m, "show version"), want)
			}
			running := attachment(m, "show running-config")
			for _, want := range []string{"hostname edge-sw1", "username rita privilege 15 password 7 ", "description to the data centre", "ip address 192.0.2.1 255.255.255.0", "\nend"} {
				if !strings.Contains(running, want) {
					t.Errorf("show running-config lacks %q:\n%s", want, running)
				}
			}
			for _, secret := range showSecrets {
				if strings.Contains(string(got.body), secret) || strings.Contains(a.log.String(), secret) {
					t.Errorf("%q left the device:\n%s", secret, running)
				}
			}
		})
	}
}

// TestE2ELogsInOnlyWhereTheKeyFits: another host key is a reason to send without output and to say so, not to log in.
func TestE2ELogsInOnlyWhereTheKeyFits(t *testing.T) {
	needE2E(t)
	server, s := startSSHD(t, "127.0.0.1"), newSink(t)
	other := sshKey(t, filepath.Join(t.TempDir(), "other"))
	writeFile(t, server.knownHosts, fmt.Sprintf("[127.0.0.1]:%s %s", server.port, ssh.MarshalAuthorizedKey(other)))
	a := startAgent(t, t.TempDir(), lineConfig(s, "{}", fmt.Sprintf(
		`devices: [{hostname: edge-sw1, address: 127.0.0.1, personality: ios, model: QX3850, serial: QXB0000EDGE, ssh: %s}]`, server.block(""))))
	a.order(agent.SendOrder{Device: "edge-sw1", Commands: "show version", HTTP: s.URL})
	got := s.await(t, "the message", func(x *arrival) bool { return x.message != nil && len(x.message.Attachments) > 0 })
	if text := attachment(got.message, "show version"); !strings.Contains(text, "host key") && !strings.Contains(text, "known_hosts") {
		t.Errorf("show version: got %q, want why it is missing", text)
	}
}

// TestE2EFRRouting: vtysh of FRRouting behind OpenSSH is asked, and the secrets in its configuration stay there.
func TestE2EFRRouting(t *testing.T) {
	needE2E(t)
	needRoot(t)
	vtysh := needProgram(t, "vtysh")
	const zebra = "/usr/lib/frr/zebra"
	if _, err := os.Stat(zebra); err != nil {
		t.Fatalf("%s is missing; tools/test-deps.sh installs it", zebra)
	}
	dir, err := os.MkdirTemp("/var/run", "callhome-frr-") // the daemon drops to its own user
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	writeFile(t, filepath.Join(dir, "zebra.conf"), "hostname edge-rt9\nenable password zebr4Enable\npassword zebr4Line\ninterface lo\n description loopback of the lab\n")
	runProgram(t, nil, "", "chown", "-R", "frr:frr", dir)
	p := startPeer(t, nil, zebra, "--vty_socket", dir, "-f", filepath.Join(dir, "zebra.conf"), "-i", filepath.Join(dir, "zebra.pid"), "-z", filepath.Join(dir, "zserv.api"), "-P", "0", "-A", "127.0.0.1")
	eventually(t, "zebra's socket", func() error {
		select {
		case <-p.exited:
			t.Fatalf("zebra ended:\n%s", p.log)
		default:
		}
		_, err := os.Stat(filepath.Join(dir, "zebra.vty"))
		return err
	})
	server, s := startSSHD(t, "127.0.0.1"), newSink(t)
	a := startAgent(t, t.TempDir(), lineConfig(s, "{}", fmt.Sprintf(
		`devices: [{hostname: edge-rt9, address: 127.0.0.1, personality: generic, model: FRR, serial: QXF0001, ssh: %s}]`,
		server.block(fmt.Sprintf(", driver: vtysh, shell: %q", vtysh+" --vty_socket "+dir)))))
	a.order(agent.SendOrder{Device: "edge-rt9", Commands: "show version;show running-config;show interface brief", HTTP: s.URL})
	m := s.await(t, "the output", func(x *arrival) bool { return x.message != nil && len(x.message.Attachments) > 2 }).message
	for name, want := range map[string]string{
		"show version": "FRRouting", "show running-config": "description loopback of the lab", "show interface brief": "lo",
	} {
		if !strings.Contains(attachment(m, name), want) {
			t.Errorf("%s: got %q, want %q in it", name, attachment(m, name), want)
		}
	}
	if text := attachment(m, "show running-config"); strings.Contains(text, "zebr4") {
		t.Errorf("a password left the device:\n%s", text)
	}
}
