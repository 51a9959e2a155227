package smtpsend

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
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

	"callhome"
	"callhome/trustpoint"
)

// needPeers skips without CALLHOME_E2E=1, and fails when a program is missing.
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
	if os.Getuid() != 0 {
		t.Fatal("postfix and smtp-sink change their user, which needs root; run make test as root")
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

// openDir is a folder that other users may enter.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "callhome-smtpsend-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil { // the peer's user reads it
		t.Fatal(err)
	}
	return dir
}

// start runs a program until the test ends, and shows what it said when the test failed.
func start(t *testing.T, stop os.Signal, name string, args ...string) {
	t.Helper()
	var log bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(stop)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s said:\n%s", name, log.String())
		}
	})
}

// await waits until something listens.
func await(t *testing.T, port int) {
	t.Helper()
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
			t.Fatalf("nobody listens on port %d: %v", port, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func TestPeerSMTPSink(t *testing.T) {
	needPeers(t, "smtp-sink")
	dir, port := openDir(t), freePort(t)
	drop := filepath.Join(dir, "drop")
	if err := os.Mkdir(drop, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(drop, 0o777); err != nil { // smtp-sink writes as another user
		t.Fatal(err)
	}
	start(t, os.Interrupt, "smtp-sink", "-u", "nobody", "-d", drop+"/mail.", fmt.Sprintf("127.0.0.1:%d", port), "100")
	await(t, port)
	s := newSender(t, nil, Options{}, Server{Host: "127.0.0.1", Port: port})
	body := note + "..\r\n.\r\n8 bit \xc3\xa4\r\n" + strings.Repeat("x", 5000) + "\r\n"
	for range 3 {
		if err := s.Send(t.Context(), envelope(body)); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(drop + "/mail.*")
	if err != nil || len(files) != 3 {
		t.Fatalf("%d mails in %s: %v", len(files), drop, err)
	}
	for _, f := range files {
		got, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if want := strings.ReplaceAll(body, "\r\n", "\n"); !strings.HasSuffix(strings.TrimRight(string(got), "\n"), strings.TrimRight(want, "\n")) {
			t.Errorf("got %d bytes, which do not end with the mail", len(got))
		}
	}
}

const mainCF = `compatibility_level = 3.6
queue_directory = %[1]s/spool
data_directory = %[1]s/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
meta_directory = %[1]s/conf
mail_owner = postfix
setgid_group = postdrop
maillog_file = /dev/stdout
myhostname = mx.ops.example
mydestination =
mynetworks =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
smtp_dns_support_level = disabled
default_transport = smtp:[127.0.0.1]:%[2]d
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_tls_cert_file = %[1]s/srv.crt
smtpd_tls_key_file = %[1]s/srv.key
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = cyrus
smtpd_sasl_local_domain = mx.ops.example
cyrus_sasl_config_path = %[1]s/conf/sasl
smtpd_relay_restrictions = permit_sasl_authenticated, reject
message_size_limit = 1000000
`

const masterCF = `127.0.0.1:%d inet n - n - - smtpd
postlog unix-dgram n - n - 1 postlogd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
`

// startPostfix runs a Postfix of its own that demands STARTTLS and AUTH and passes all mail on to the port behind.
func startPostfix(t *testing.T, ca *trustpoint.CA, behind int) (port int) {
	t.Helper()
	dir := openDir(t)
	port = freePort(t)
	cert, err := ca.Issue(trustpoint.Request{CommonName: "mx", Hosts: []string{"127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := trustpoint.WriteKeyPair(cert, dir+"/srv.crt", dir+"/srv.key"); err != nil {
		t.Fatal(err)
	}
	owner, err := user.Lookup("postfix")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(owner.Uid)
	for _, d := range []string{"conf", "conf/sasl", "spool", "data"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(dir+"/data", uid, -1); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"conf/main.cf": fmt.Sprintf(mainCF, dir, behind), "conf/master.cf": fmt.Sprintf(masterCF, port), "conf/dynamicmaps.cf": "",
		"conf/sasl/smtpd.conf": "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN\nsasldb_path: " + dir + "/conf/sasl/db\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []string{"postfix-files", "postfix-script", "post-install"} {
		if err := os.Symlink("/etc/postfix/"+f, filepath.Join(dir, "conf", f)); err != nil {
			t.Fatal(err)
		}
	}
	add := exec.Command("saslpasswd2", "-p", "-c", "-f", dir+"/conf/sasl/db", "-u", "mx.ops.example", "agent")
	add.Stdin = strings.NewReader("s3cret")
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("saslpasswd2: %v: %s", err, out)
	}
	if err := os.Chown(dir+"/conf/sasl/db", uid, -1); err != nil {
		t.Fatal(err)
	}
	start(t, os.Interrupt, "postfix", "-c", dir+"/conf", "start-fg")
	t.Cleanup(func() { _ = exec.Command("postfix", "-c", dir+"/conf", "stop").Run() })
	await(t, port)
	return port
}

// TestPeerPostfix sends signed mail through Postfix by STARTTLS and AUTH, and verifies both signatures behind it.
func TestPeerPostfix(t *testing.T) {
	needPeers(t, "postfix", "saslpasswd2", "openssl")
	ca, err := trustpoint.NewCA("peer CA", nil)
	if err != nil {
		t.Fatal(err)
	}
	set, err := trustpoint.Load(trustpoint.Config{{Name: "ca", CA: string(ca.PEM())}}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	behind := &sink{}
	port := startPostfix(t, ca, behind.start(t, nil, false))
	server := Server{
		Host: "127.0.0.1", Port: port, Security: SecurityStartTLS, TrustPoints: []string{"ca"},
		Username: "agent@mx.ops.example", Password: callhome.NewSecret("s3cret"),
	}
	s := newSender(t, set, Options{HelloName: "edge-rtr-7.ops.example"}, server)
	signed, dkimKey := signBoth(t, ca)
	for range 3 { // over one connection
		if err := s.Send(t.Context(), envelope(string(signed))); err != nil {
			t.Fatal(err)
		}
	}
	deadline := time.After(30 * time.Second)
	for len(behind.got()) < 3 {
		select {
		case <-deadline:
			t.Fatalf("%d of 3 mails came through", len(behind.got()))
		case <-time.After(20 * time.Millisecond):
		}
	}
	arrived := behind.got()[0].body
	if err := verifyDKIM(t, arrived, dkimKey); err != nil {
		t.Errorf("DKIM behind Postfix: %v", err)
	}
	verifyWithOpenSSL(t, arrived, ca)

	large := envelope(note + strings.Repeat("x\r\n", 500_000))
	if err := s.Send(t.Context(), large); !permanent(err) {
		t.Errorf("a mail above the server's limit: %v", err)
	}
	server.Password = callhome.NewSecret("wrong")
	if err := newSender(t, set, Options{}, server).Send(t.Context(), envelope(note)); err == nil || permanent(err) {
		t.Errorf("a wrong password: %v", err)
	}
	server.Security, server.InsecureAuth, server.TrustPoints = SecurityNone, true, nil
	if err := newSender(t, set, Options{}, server).Send(t.Context(), envelope(note)); err == nil || permanent(err) {
		t.Errorf("without TLS: %v", err)
	}
}

func signBoth(t *testing.T, ca *trustpoint.CA) (signed []byte, dkimKey *rsa.PrivateKey) {
	t.Helper()
	dir := t.TempDir()
	cert, err := ca.Issue(trustpoint.Request{CommonName: "callhome@ops.example", Client: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := trustpoint.WriteKeyPair(cert, dir+"/c", dir+"/k"); err != nil {
		t.Fatal(err)
	}
	if dkimKey, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	signer, err := NewSigner(SigningConfig{
		SMIME: &SMIMEConfig{CertFile: dir + "/c", KeyFile: dir + "/k"},
		DKIM:  &DKIMConfig{Domain: "ops.example", Selector: "s1", KeyFile: keyFile(t, dkimKey)},
	})
	if err != nil {
		t.Fatal(err)
	}
	if signed, err = signer.Sign([]byte(plainMail)); err != nil {
		t.Fatal(err)
	}
	return signed, dkimKey
}

func verifyWithOpenSSL(t *testing.T, mail []byte, ca *trustpoint.CA) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/ca.pem", ca.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	verify := func(in []byte) (string, error) {
		cmd := exec.Command("openssl", "smime", "-verify", "-CAfile", dir+"/ca.pem", "-purpose", "any")
		cmd.Stdin = bytes.NewReader(in)
		var out, errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		err := cmd.Run()
		return out.String() + errs.String(), err
	}
	out, err := verify(mail)
	if err != nil || !strings.Contains(out, "fan 2 failed") {
		t.Errorf("openssl smime -verify: %v: %s", err, out)
	}
	if out, err := verify(bytes.Replace(mail, []byte("fan 2"), []byte("fan 3"), 1)); err == nil {
		t.Errorf("openssl verifies a changed mail: %s", out)
	}
}

// TestPeerSwaks sends to the test's own sink with swaks: what the other tests take for a mail server is one.
func TestPeerSwaks(t *testing.T) {
	needPeers(t, "swaks")
	k := &sink{}
	port := k.start(t, nil, false)
	out, err := exec.Command("swaks", "--server", fmt.Sprintf("127.0.0.1:%d", port), "--from", "a@ops.example", "--to", "b@ops.example", "--body", "x").CombinedOutput()
	if err != nil || len(k.got()) != 1 {
		t.Errorf("swaks: %v: %s", err, out)
	}
}
