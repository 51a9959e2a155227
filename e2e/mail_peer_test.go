package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"callhome"
)

// mailConfig is agentConfig with another list of mail servers, and further blocks.
func mailConfig(t *testing.T, s *sink, listen, servers string, more ...string) string {
	t.Helper()
	config := agentConfig(t, s, "udp://"+listen, more...)
	start := strings.Index(config, "mail_servers: ")
	end := start + strings.Index(config[start:], "\n")
	return config[:start] + "mail_servers: " + servers + config[end:]
}

// mailedTo waits for a mail to an address in a folder of mails and returns what `callhome decode message` makes of it,
// with the file's text.
func mailedTo(t *testing.T, pattern, to string) (m callhome.Message, raw string) {
	t.Helper()
	eventually(t, "a mail to "+to, func() error {
		files, err := filepath.Glob(pattern)
		if err != nil {
			return err
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				return err
			}
			if strings.Contains(string(b), "To: "+to) || strings.Contains(string(b), "To: <"+to) {
				raw = string(b)
				return nil
			}
		}
		return fmt.Errorf("not among %d files", len(files))
	})
	if err := json.Unmarshal([]byte(filter(t, []byte(raw), "decode", "message", "--json")), &m); err != nil {
		t.Fatal(err)
	}
	return m, raw
}

// TestE2ESMTPSink: Postfix's smtp-sink takes the pager's text and the team's.
func TestE2ESMTPSink(t *testing.T) {
	needE2E(t)
	needRoot(t)
	program := needProgram(t, "smtp-sink")
	dir, store, s := t.TempDir(), openDir(t), newSink(t)
	if err := os.Chmod(store, 0o777); err != nil {
		t.Fatal(err)
	}
	addr, listen := freePort(t, "127.0.0.1"), freePort(t, "127.0.0.1")
	p := startPeer(t, nil, program, "-u", "nobody", "-d", filepath.Join(store, "%M%S."), addr, "100")
	p.awaitListening(addr)
	host, port := hostPort(t, addr)
	startAgent(t, dir, mailConfig(t, s, listen, fmt.Sprintf(`[{host: "%s", port: %s, priority: 1, security: none}]`, host, port)))
	sendUDP(t, listen, fanLine)

	full, _ := mailedTo(t, store+"/*", "team@ops.example")
	if full.SystemName != "edge-rtr-7" || full.Serial != "QXA2613K0PZ" || !strings.Contains(full.Description, "Faulty fan detected, tray P2") {
		t.Errorf("the team's mail: got %+v", full)
	}
	short, raw := mailedTo(t, store+"/*", "oncall@ops.example")
	if !strings.Contains(short.Description, "Faulty fan detected") {
		t.Errorf("the pager's mail: got %+v from\n%s", short, raw)
	}
}

// postfixUser logs in to the test's Postfix.
const postfixUser, postfixPassword = "callhome", "tr1cky pass: word"

// startPostfix runs a Postfix of the test's own, which takes mail by STARTTLS from those who logged in, and stores it
// in a maildir. It returns its address and a pattern for its mails.
func startPostfix(t *testing.T, authority *ca) (addr, mails string) {
	t.Helper()
	needRoot(t)
	postfix := needProgram(t, "postfix")
	dir := openDir(t)
	conf, queue, data, store := filepath.Join(dir, "etc"), filepath.Join(dir, "queue"), filepath.Join(dir, "data"), filepath.Join(dir, "mail")
	sasl := filepath.Join(conf, "sasl") // where Debian's Postfix looks
	for _, d := range []string{conf, sasl, queue, data, store} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	runProgram(t, nil, "", "chown", "postfix", data)
	runProgram(t, nil, "", "chown", "nobody", store)
	runProgram(t, nil, postfixPassword, needProgram(t, "saslpasswd2"), "-p", "-c", "-f", filepath.Join(sasl, "sasldb2"), "-u", "ops.example", postfixUser)
	runProgram(t, nil, "", "chown", "postfix", filepath.Join(sasl, "sasldb2"))
	writeFile(t, filepath.Join(sasl, "smtpd.conf"), fmt.Sprintf("pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: %s\nmech_list: PLAIN LOGIN\n", filepath.Join(sasl, "sasldb2")))
	runProgram(t, nil, "", "chmod", "644", filepath.Join(sasl, "smtpd.conf"))
	cert, key := authority.leaf("mail.ops.example")
	addr = freePort(t, "127.0.0.1")
	_, port := hostPort(t, addr)
	writeFile(t, filepath.Join(conf, "main.cf"), fmt.Sprintf(`compatibility_level = 3.6
queue_directory = %s
data_directory = %s
daemon_directory = /usr/lib/postfix/sbin
command_directory = /usr/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mail.ops.example
mydestination =
alias_maps =
local_recipient_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
maillog_file = %s
maillog_file_prefixes = %s
virtual_mailbox_domains = ops.example
virtual_mailbox_base = %s
virtual_mailbox_maps = static:all/
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
smtpd_tls_cert_file = %s
smtpd_tls_key_file = %s
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_local_domain = ops.example
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = permit_sasl_authenticated, reject
`, queue, data, filepath.Join(dir, "log"), dir, store, cert, key))
	writeFile(t, filepath.Join(conf, "master.cf"), port+` inet n - n - - smtpd
postlog unix-dgram n - n - 1 postlogd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
virtual unix - n n - - virtual
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
proxymap unix - - n - - proxymap
pickup unix n - n 60 1 pickup
`)
	for _, f := range []string{dir, conf, sasl, filepath.Join(conf, "main.cf"), filepath.Join(conf, "master.cf")} {
		runProgram(t, nil, "", "chmod", "a+rX", f)
	}
	p := startPeer(t, nil, postfix, "-c", conf, "start-fg")
	t.Cleanup(func() {
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(dir, "log")) // says why, if it is there
			t.Logf("postfix's log:\n%s", tail(string(log), 40))
		}
		if out, err := exec.Command(postfix, "-c", conf, "stop").CombinedOutput(); err != nil {
			t.Errorf("postfix stop: %v\n%s", err, out)
		}
		endMaster(t, queue)
	})
	p.awaitListening(addr)
	return addr, filepath.Join(store, "all", "new", "*")
}

// endMaster makes sure that Postfix's master is gone: it leaves the process group that it was started in.
func endMaster(t *testing.T, queue string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(queue, "pid", "master.pid"))
	if err != nil {
		return // it never ran
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Error(err)
		return
	}
	if cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid)); err == nil && cwd == queue {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// TestE2EPostfix: a real mail server, by STARTTLS and with a login; what lies in the mailbox decodes to the message.
func TestE2EPostfix(t *testing.T) {
	needE2E(t)
	authority := newCA(t, "Mail CA")
	addr, mails := startPostfix(t, authority)
	dir, s, listen := t.TempDir(), newSink(t), freePort(t, "127.0.0.1")
	_, port := hostPort(t, addr)
	password := writeFile(t, filepath.Join(dir, "mail.password"), postfixPassword+"\n")
	server := fmt.Sprintf(`{host: localhost, port: %s, priority: 1, security: starttls, username: %s@ops.example, password_file: %s, trust_points: [mail-ca]}`, port, postfixUser, password)
	trust := fmt.Sprintf("trust_points: [{name: mail-ca, ca_file: %s}]", authority.File)
	a := startAgent(t, dir, mailConfig(t, s, listen, "["+server+"]", trust))
	sendUDP(t, listen, fanLine)

	full, raw := mailedTo(t, mails, "team@ops.example")
	if full.SystemName != "edge-rtr-7" || full.Name != "environment" || full.ContactEmail != "noc@ops.example" ||
		!strings.Contains(full.Description, "%PLATFORM_ENV-1-FAN: Faulty fan detected, tray P2") {
		t.Errorf("the team's mail: got %+v from\n%s", full, raw)
	}
	if !strings.Contains(raw, "ESMTPSA") || !strings.Contains(raw, "From: ") || !strings.Contains(raw, "callhome@ops.example") {
		t.Errorf("the mail did not come by TLS with a login:\n%s", raw)
	}
	mailedTo(t, mails, "oncall@ops.example")
	a.run("send", "show version", "--email", "xml@ops.example", "--service-request", "SR-7", "--format", "xml")
	xml, raw := mailedTo(t, mails, "xml@ops.example")
	if xml.Format != callhome.FormatXML || xml.Serial != "QXA2613K0PZ" {
		t.Errorf("XML by mail: got %+v from\n%s", xml, raw)
	}

	writeFile(t, password, "wrong\n")
	a.run("reload")
	a.run("test", "the password has changed", "--profile", "team")
	eventually(t, "the refused login in the queue", func() error {
		out := a.run("queue", "list", "--json")
		if !strings.Contains(out, "535") || !strings.Contains(out, "team") {
			return fmt.Errorf("not in\n%s", out)
		}
		return nil
	})
	if out := a.run("show", "call-home", "mail-server", "status", "--json"); !strings.Contains(out, "535") {
		t.Errorf("mail-server status does not tell of the refused login:\n%s", out)
	}
	writeFile(t, password, postfixPassword+"\n")
	a.run("reload")
	a.run("queue", "retry", "--all")
	eventually(t, "the mail after the repair", func() error {
		files, err := filepath.Glob(mails)
		if err != nil {
			return err
		}
		for _, f := range files {
			if b, err := os.ReadFile(f); err == nil && strings.Contains(string(b), "the password has changed") {
				return nil
			}
		}
		return fmt.Errorf("not among %d mails", len(files))
	})
}

// TestE2ESwaks: what another mail client hands in is taken as a call-home message.
func TestE2ESwaks(t *testing.T) {
	needE2E(t)
	swaks := needProgram(t, "swaks")
	dir, s := t.TempDir(), newSink(t)
	a := startAgent(t, dir, agentConfig(t, s, "udp://"+freePort(t, "127.0.0.1")))
	a.run("test", "an original", "--profile", "backend")
	original := s.await(t, "a message to hand on", func(x *arrival) bool { return x.transport == "http" && x.message != nil })
	body := writeFile(t, filepath.Join(dir, "message.xml"), string(original.body))

	runProgram(t, nil, "", swaks, "--server", s.Mail, "--helo", "edge-rtr-7.ops.example", "--from", "edge-rtr-7@ops.example", "--to", "backend@support.example",
		"--header", "Subject: Call Home", "--attach-type", "text/xml", "--attach", "@"+body)
	got := s.await(t, "the mail from swaks", func(x *arrival) bool { return x.transport == "mail" })
	if got.message == nil || got.message.MessageID != original.message.MessageID || got.from != "edge-rtr-7@ops.example" {
		t.Errorf("got %+v, want the message %s by mail", got.message, original.message.MessageID)
	}
}
