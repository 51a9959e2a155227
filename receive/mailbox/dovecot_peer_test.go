package mailbox

import (
	"bytes"
	"context"
	"errors"
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
	"callhome/codec/mimemail"
	"callhome/receive"
	"callhome/trustpoint"
)

// dovecot is a real mail server on loopback with one mailbox, as Debian ships it (dovecot-imapd, dovecot-pop3d).
type dovecot struct {
	dir, maildir string
	ports        map[string]int
	ca           string
}

func startDovecot(t *testing.T) *dovecot {
	t.Helper()
	if os.Getenv("CALLHOME_E2E") != "1" {
		t.Skip("set CALLHOME_E2E=1 to poll a real dovecot (tools/test-deps.sh installs it)")
	}
	bin, err := exec.LookPath("dovecot")
	if err != nil {
		bin = "/usr/sbin/dovecot"
		if _, err := os.Stat(bin); err != nil {
			t.Fatal("dovecot is not installed; run tools/test-deps.sh")
		}
	}
	dir, err := os.MkdirTemp("/tmp", "dovecot") // the sockets' paths must be short, and its users must reach them
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	d := &dovecot{dir: dir, maildir: filepath.Join(dir, "mail"), ports: map[string]int{}}
	for _, name := range []string{"imap", "imaps", "pop3", "pop3s"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		d.ports[name] = l.Addr().(*net.TCPAddr).Port
		must(t, l.Close())
	}
	ca, err := trustpoint.NewCA("mail", nil)
	must(t, err)
	cert, err := ca.Issue(trustpoint.Request{CommonName: "127.0.0.1", Hosts: []string{"127.0.0.1"}})
	must(t, err)
	must(t, trustpoint.WriteKeyPair(cert, filepath.Join(dir, "crt"), filepath.Join(dir, "key")))
	d.ca = filepath.Join(dir, "ca")
	must(t, os.WriteFile(d.ca, ca.PEM(), 0o600))
	for _, sub := range []string{"cur", "new", "tmp"} {
		must(t, os.MkdirAll(filepath.Join(d.maildir, sub), 0o700))
	}
	me, err := user.Current()
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "users"), []byte("gw:{PLAIN}se cret\n"), 0o644))
	login := me.Username
	owner := me
	if login == "root" { // dovecot lets root neither log in nor own mail
		owner, err = user.Lookup("nobody")
		must(t, err)
		login = owner.Username
		uid, _ := strconv.Atoi(owner.Uid)
		gid, _ := strconv.Atoi(owner.Gid)
		for _, sub := range []string{"", "cur", "new", "tmp"} {
			must(t, os.Chown(filepath.Join(d.maildir, sub), uid, gid))
		}
	}
	group, err := user.LookupGroupId(me.Gid)
	must(t, err)
	conf := fmt.Sprintf(`
base_dir = %[1]s/run
state_dir = %[1]s/run
log_path = %[1]s/log
protocols = imap pop3
listen = 127.0.0.1
default_internal_user = %[2]s
default_login_user = %[3]s
default_internal_group = %[8]s
disable_plaintext_auth = no
auth_mechanisms = plain
ssl = yes
ssl_cert = <%[1]s/crt
ssl_key = <%[1]s/key
mail_location = maildir:%[1]s/mail
mail_uid = %[9]s
mail_gid = %[10]s
first_valid_uid = 0
first_valid_gid = 0
passdb {
  driver = passwd-file
  args = scheme=PLAIN %[1]s/users
}
userdb {
  driver = static
  args = uid=%[9]s gid=%[10]s home=%[1]s
}
service imap-login {
  chroot =
  inet_listener imap {
    port = %[4]d
  }
  inet_listener imaps {
    port = %[5]d
    ssl = yes
  }
}
service pop3-login {
  chroot =
  inet_listener pop3 {
    port = %[6]d
  }
  inet_listener pop3s {
    port = %[7]d
    ssl = yes
  }
}
service anvil {
  chroot =
}
`, dir, me.Username, login, d.ports["imap"], d.ports["imaps"], d.ports["pop3"], d.ports["pop3s"], group.Name, owner.Uid, owner.Gid)
	file := filepath.Join(dir, "conf")
	must(t, os.WriteFile(file, []byte(conf), 0o600))
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, bin, "-F", "-c", file)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	must(t, cmd.Start())
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(dir, "log"))
			t.Logf("dovecot says: %s %s", &out, log)
		}
	})
	for range 200 {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", d.ports["pop3s"]))
		if err == nil {
			_ = c.Close()
			return d
		}
		time.Sleep(50 * time.Millisecond)
	}
	log, _ := os.ReadFile(filepath.Join(dir, "log"))
	t.Fatalf("dovecot does not listen: %s %s", &out, log)
	return nil
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (d *dovecot) put(t *testing.T, name, subject, body string) {
	t.Helper()
	mail, err := mimemail.Append(nil, &mimemail.Mail{From: "r@x.example", To: []string{"gw@x.example"}, Date: time.Now(), Subject: subject, Format: callhome.FormatXML, Body: []byte(body), MessageID: callhome.MessageID(name)})
	must(t, err)
	must(t, os.WriteFile(filepath.Join(d.maildir, "new", name), mail, 0o644))
}

func (d *dovecot) left(t *testing.T, folder string) []string {
	t.Helper()
	var out []string
	for _, sub := range []string{"new", "cur"} {
		entries, _ := os.ReadDir(filepath.Join(d.maildir, folder, sub))
		for _, e := range entries {
			out = append(out, e.Name())
		}
	}
	return out
}

func (d *dovecot) config(name string) Config {
	cfg := DefaultConfig()
	address := fmt.Sprintf("%s://gw@127.0.0.1:%d", name, d.ports[name])
	if strings.HasPrefix(name, "imap") {
		cfg.IMAP = address
	} else {
		cfg.POP3 = address
	}
	cfg.Password, cfg.CAFile, cfg.Timeout = callhome.NewSecret("se cret"), d.ca, 10*time.Second
	return cfg
}

const subject = "System Notification From rtr-1 - syslog - 2026-03-14 09:26:53 GMT+00:00"

// sink takes what its rule lets through.
type sink struct {
	got  [][]byte
	rule func(body []byte) error
}

func (s *sink) Accept(_ context.Context, sub *receive.Submission) (receive.Receipt, error) {
	mail, err := mimemail.Decode(sub.Body)
	if err != nil {
		return receive.Receipt{}, err
	}
	if s.rule != nil {
		if err := s.rule(mail.Payload); err != nil {
			return receive.Receipt{}, err
		}
	}
	s.got = append(s.got, mail.Payload)
	return receive.Receipt{}, nil
}

func TestDovecotPeer(t *testing.T) {
	d := startDovecot(t)
	for _, name := range []string{"imap", "imaps", "pop3", "pop3s"} {
		t.Run(name, func(t *testing.T) {
			s := &sink{}
			p, err := New(d.config(name), s, Options{})
			must(t, err)
			must(t, p.Poll(t.Context())) // an empty mailbox
			for i := range 5 {
				d.put(t, fmt.Sprintf("m%d", i), subject, fmt.Sprintf("<x n='%d'>%s</x>", i, strings.Repeat("long line ", 500)))
			}
			d.put(t, "other", "Invoice 12", "<x/>")
			d.put(t, "bad", subject, "<bad/>")
			s.rule = func(b []byte) error {
				switch {
				case bytes.Contains(b, []byte("bad")):
					return &receive.Refusal{Reason: receive.RefuseMalformed}
				case len(s.got) == 2:
					return errors.New("the disk is full")
				}
				return nil
			}
			if err := p.Poll(t.Context()); !errors.Is(err, errBusy) {
				t.Errorf("a sink that takes nothing: %v", err)
			}
			if n := len(d.left(t, "")); len(s.got) != 2 || n != 5 {
				t.Errorf("%d taken, %d left", len(s.got), n)
			}
			rule := s.rule
			s.rule = func(b []byte) error {
				if bytes.Contains(b, []byte("bad")) {
					return rule(b)
				}
				return nil
			}
			must(t, p.Poll(t.Context()))
			must(t, p.Poll(t.Context()))
			left := d.left(t, "")
			if len(s.got) != 5 || len(left) != 2 {
				t.Errorf("%d taken, left %v", len(s.got), left)
			}
			if st := p.Status(); st.Taken != 5 || st.Refused != 1 || st.Other != 1 || st.LastPoll.IsZero() {
				t.Errorf("status %+v", st)
			}
			for _, f := range left {
				_ = os.Remove(filepath.Join(d.maildir, "new", f))
				_ = os.Remove(filepath.Join(d.maildir, "cur", f))
			}
		})
	}
	t.Run("folders", func(t *testing.T) {
		s := &sink{}
		cfg := d.config("imaps")
		cfg.DoneFolder, cfg.OtherFolder = "Done", "Other"
		p, err := New(cfg, s, Options{})
		must(t, err)
		d.put(t, "m", subject, "<x/>")
		d.put(t, "o", "hello", "<x/>")
		must(t, p.Poll(t.Context()))
		if len(s.got) != 1 || len(d.left(t, "")) != 0 || len(d.left(t, ".Done")) != 1 || len(d.left(t, ".Other")) != 1 {
			t.Errorf("%d taken, inbox %v, done %v, other %v", len(s.got), d.left(t, ""), d.left(t, ".Done"), d.left(t, ".Other"))
		}
	})
	t.Run("refused", func(t *testing.T) {
		cfg := d.config("imaps")
		cfg.CAFile = ""
		p, err := New(cfg, &sink{}, Options{})
		must(t, err)
		if err := p.Poll(t.Context()); err == nil || !strings.Contains(err.Error(), "TLS") {
			t.Errorf("an unknown authority: %v", err)
		}
		for _, name := range []string{"imaps", "pop3s"} {
			cfg = d.config(name)
			cfg.Password = callhome.NewSecret("wrong")
			if p, err = New(cfg, &sink{}, Options{}); err != nil {
				t.Fatal(err)
			}
			if err := p.Poll(t.Context()); err == nil || !strings.Contains(err.Error(), "log in") || p.Status().LastError == "" {
				t.Errorf("%s with a wrong password: %v", name, err)
			}
		}
		cfg = d.config("pop3s")
		cfg.MaxSize = 1024
		s := &sink{}
		if p, err = New(cfg, s, Options{}); err != nil {
			t.Fatal(err)
		}
		d.put(t, "big", subject, "<x>"+strings.Repeat("y", 5000)+"</x>")
		must(t, p.Poll(t.Context()))
		if len(s.got) != 0 || p.Status().Other != 1 {
			t.Errorf("an oversized mail: %+v", p.Status())
		}
	})
}

func TestConfig(t *testing.T) {
	good := DefaultConfig()
	must(t, good.Validate())
	good.IMAP = "imaps://user@mail.example/Call Home"
	must(t, good.Validate())
	a, err := good.address()
	must(t, err)
	if a.hostPort != "mail.example:993" || a.user != "user" || a.folder != "Call Home" || a.String() != "imaps://user@mail.example:993" {
		t.Errorf("%+v", a)
	}
	for path, change := range map[string]func(*Config){
		"mailbox.pop3":        func(c *Config) { c.POP3 = "pop3s://u@h" },
		"mailbox.imap":        func(c *Config) { c.IMAP = "imap://u@mail.example" },
		"mailbox.interval":    func(c *Config) { c.Interval = 0 },
		"mailbox.done_folder": func(c *Config) { c.IMAP, c.POP3, c.DoneFolder = "", "pop3s://u@h", "x" },
		"mailbox.max_size":    func(c *Config) { c.MaxSize = 1 },
	} {
		c := good
		change(&c)
		var e *callhome.Error
		if err := c.Validate(); !errors.As(err, &e) || e.Path != path {
			t.Errorf("%s: %v", path, err)
		}
	}
	for _, bad := range []string{"x", "imaps://host", "imaps://u:p@host", "pop3s://u@h", "https://u@h"} {
		c := good
		c.IMAP = bad
		if err := c.Validate(); err == nil || strings.Contains(err.Error(), "u:p") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
