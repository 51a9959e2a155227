package smtprecv

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"go.uber.org/goleak"

	"callhome"
	"callhome/receive"
	"callhome/trustpoint"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type store struct {
	mu   sync.Mutex
	got  []*receive.Submission
	fail error
}

func (s *store) Accept(_ context.Context, sub *receive.Submission) (receive.Receipt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return receive.Receipt{}, s.fail
	}
	s.got = append(s.got, sub)
	return receive.Receipt{}, nil
}

func (s *store) all() []*receive.Submission {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*receive.Submission(nil), s.got...)
}

func run(t testing.TB, sink receive.Sink, o Options, change func(*Config), listen ...string) []string {
	t.Helper()
	cfg := DefaultConfig()
	if change != nil {
		change(&cfg)
	}
	s, err := New(cfg, sink, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range listen {
		if err := s.Listen(t.Context(), l); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return s.Addrs()
}

func certificate(t testing.TB) (server *tls.Config, pool *x509.CertPool) {
	t.Helper()
	ca, err := trustpoint.NewCA("test", nil)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(trustpoint.Request{CommonName: "srv", Hosts: []string{"127.0.0.1", "::1"}})
	if err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	pool.AddCert(ca.Cert)
	return &tls.Config{Certificates: []tls.Certificate{*cert}, MinVersion: tls.VersionTLS12}, pool
}

// talk plays a dialogue: lines sent, each with the code that has to come back. "" sends nothing, for the greeting.
func talk(t testing.TB, conn net.Conn, steps ...[2]string) {
	t.Helper()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	r := bufio.NewReader(conn)
	for _, step := range steps {
		if step[0] != "" {
			if _, err := io.WriteString(conn, step[0]+"\r\n"); err != nil {
				t.Fatalf("%q: %v", step[0], err)
			}
		}
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				t.Fatalf("after %q: %v", step[0], err)
			}
			if len(line) > 3 && line[3] == '-' {
				continue
			}
			if !strings.HasPrefix(line, step[1]) {
				t.Fatalf("after %q: got %q, want %s", step[0], line, step[1])
			}
			break
		}
	}
}

func dial(t testing.TB, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestTakesMail(t *testing.T) {
	sink := &store{}
	now := time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
	addrs := run(t, sink, Options{Now: func() time.Time { return now }}, nil, "127.0.0.1:0", "smtp://[::1]:0")
	long := "Subject: x\r\n\r\n<aml>" + strings.Repeat("show version output ", 5000) + "</aml>\r\n..dot\r\n"
	talk(t, dial(t, addrs[0]), [2]string{"", "220"}, [2]string{"EHLO edge-rtr-7", "250"}, [2]string{"MAIL FROM:<callhome@ops.example>", "250"},
		[2]string{"RCPT TO:<a@gw.example>", "250"}, [2]string{"RCPT TO:<b@gw.example>", "250"}, [2]string{"DATA", "354"},
		[2]string{long + ".", "250"}, [2]string{"MAIL FROM:<>", "250"}, [2]string{"RCPT TO:<c@gw.example>", "250"}, [2]string{"DATA", "354"},
		[2]string{"x\r\n.", "250"}, [2]string{"QUIT", "221"})
	talk(t, dial(t, addrs[1]), [2]string{"", "220"}, [2]string{"HELO six", "250"}, [2]string{"MAIL FROM:<s@ops.example>", "250"},
		[2]string{"RCPT TO:<c@gw.example>", "250"}, [2]string{"DATA", "354"}, [2]string{".", "250"})
	got := sink.all()
	if len(got) != 3 {
		t.Fatalf("%d mails", len(got))
	}
	first := got[0]
	if string(first.Body) != strings.ReplaceAll(long, "..dot", ".dot") || first.Mail.From != "callhome@ops.example" ||
		strings.Join(first.Mail.To, " ") != "a@gw.example b@gw.example" || first.Mail.Hello != "edge-rtr-7" || !first.ReceivedAt.Equal(now) ||
		first.Transport != callhome.TransportEmail || first.Peer.Addr().String() != "127.0.0.1" || first.TLS != nil {
		t.Errorf("got %+v %+v", first, first.Mail)
	}
	if got[1].Mail.From != "" || len(got[1].Mail.To) != 1 || got[2].Peer.Addr().String() != "::1" {
		t.Errorf("got %+v %+v", got[1].Mail, got[2])
	}
}

func TestRefusals(t *testing.T) {
	mail := func(last string) [][2]string {
		return [][2]string{{"", "220"}, {"EHLO x", "250"}, {"MAIL FROM:<dev@ops.example>", "250"}, {"RCPT TO:<callhome@gw.example>", "250"}, {"DATA", "354"}, {"x\r\n.", last}, {"NOOP", "250"}}
	}
	for _, c := range []struct {
		name   string
		fail   error
		change func(*Config)
		steps  [][2]string
	}{
		{"malformed", &receive.Refusal{Reason: receive.RefuseMalformed}, nil, mail("554 5.6.0")},
		{"unsupported", &receive.Refusal{Reason: receive.RefuseUnsupported}, nil, mail("554 5.6.1")},
		{"denied", &receive.Refusal{Reason: receive.RefuseDenied}, nil, mail("550 5.7.1")},
		{"busy", &receive.Refusal{Reason: receive.RefuseBusy}, nil, mail("451 4.3.0")},
		{"broken", errors.New("disk full"), nil, mail("451 4.3.0 no message can be taken now")},
		{"large", nil, func(c *Config) { c.MaxMessageSize = 10 }, [][2]string{
			{"", "220"}, {"EHLO x", "250"}, {"MAIL FROM:<a@b.example> SIZE=11", "552"}, {"MAIL FROM:<a@b.example>", "250"}, {"RCPT TO:<c@d.example>", "250"},
			{"DATA", "354"}, {strings.Repeat("x", 100) + "\r\n.", "552"}, {"NOOP", "250"},
		}},
		{"no relay", nil, func(c *Config) { c.Recipients = []string{"*@GW.example", "tac@ops.example"} }, [][2]string{
			{"", "220"}, {"EHLO x", "250"}, {"MAIL FROM:<a@b.example>", "250"}, {"RCPT TO:<someone@else.example>", "550 5.7.1"},
			{"RCPT TO:<x@gw.example@else.example>", "50"}, {"RCPT TO:<someone%else.example@gw.example>", "250"}, {"RCPT TO:<TAC@ops.example>", "250"},
		}},
		{"sender", nil, func(c *Config) { c.Senders = []string{"*@ops.example"} }, [][2]string{
			{"", "220"}, {"EHLO x", "250"}, {"MAIL FROM:<a@b.example>", "550 5.7.1"}, {"MAIL FROM:<>", "550"}, {"MAIL FROM:<a@ops.example>", "250"},
		}},
		{"recipients", nil, func(c *Config) { c.MaxRecipients = 1 }, [][2]string{
			{"", "220"}, {"EHLO x", "250"}, {"MAIL FROM:<a@b.example>", "250"}, {"RCPT TO:<c@d.example>", "250"}, {"RCPT TO:<e@d.example>", "452"},
		}},
		{"no STARTTLS, no AUTH", nil, nil, [][2]string{{"", "220"}, {"EHLO x", "250"}, {"STARTTLS", "502"}, {"AUTH PLAIN AGEAYg==", "523"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			sink := &store{fail: c.fail}
			steps := c.steps
			for i := range steps {
				if steps[i][1] == "50" {
					steps[i][1] = "5" // any refusal
				}
			}
			talk(t, dial(t, run(t, sink, Options{}, c.change, "127.0.0.1:0")[0]), steps...)
			if n := len(sink.all()); n != 0 {
				t.Errorf("%d mails were taken", n)
			}
		})
	}
}

func TestTLSAndLogin(t *testing.T) {
	cfg, pool := certificate(t)
	sink := &store{}
	users := func(user string, password callhome.Secret) bool { return user == "dev" && password.Reveal() == "pw" }
	addrs := run(t, sink, Options{TLS: cfg, Authenticate: users}, func(c *Config) { c.RequireAuth, c.RequireTLS = true, true }, "127.0.0.1:0", "smtps://127.0.0.1:0")
	talk(t, dial(t, addrs[0]), [2]string{"", "220"}, [2]string{"EHLO x", "250"}, [2]string{"AUTH PLAIN AGRldgBwdw==", "523"}, [2]string{"MAIL FROM:<a@b.example>", "530"})
	client := &tls.Config{RootCAs: pool, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}
	for i, mech := range []sasl.Client{sasl.NewPlainClient("", "dev", "pw"), sasl.NewLoginClient("dev", "pw")} {
		var c *smtp.Client
		var err error
		if i == 0 {
			c, err = smtp.NewClientStartTLS(dial(t, addrs[0]), client)
		} else {
			c = smtp.NewClient(tls.Client(dial(t, addrs[1]), client))
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Mail("a@b.example", nil); err == nil {
			t.Error("mail without login is taken")
		}
		if err := c.Auth(sasl.NewPlainClient("", "dev", "wrong")); err == nil {
			t.Error("a wrong password is taken")
		}
		if err := c.Auth(sasl.NewPlainClient("other", "dev", "pw")); err == nil {
			t.Error("one user acts as another")
		}
		if err := c.Auth(mech); err != nil {
			t.Fatal(err)
		}
		if err := c.SendMail("a@b.example", []string{"c@d.example"}, strings.NewReader("x\r\n")); err != nil {
			t.Fatal(err)
		}
		if got := sink.all()[i]; got.TLS == nil || got.Mail.AuthUser != "dev" {
			t.Errorf("got %+v %+v", got, got.Mail)
		}
		_ = c.Quit()
	}
	guess := smtp.NewClient(tls.Client(dial(t, addrs[1]), client))
	var err error
	for range maxLogins + 2 {
		err = guess.Auth(sasl.NewPlainClient("", "dev", "wrong"))
	}
	var reply *smtp.SMTPError
	if errors.As(err, &reply) {
		t.Errorf("guessing goes on: %v", err)
	}
}

func TestHostileClients(t *testing.T) {
	cfg, _ := certificate(t)
	sink := &store{}
	addr := run(t, sink, Options{TLS: cfg}, func(c *Config) { c.Timeout = time.Second }, "127.0.0.1:0", "smtps://127.0.0.1:0")
	begin := "EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n"
	for _, c := range []struct {
		name, send string
		secure     bool
	}{
		{"silence", "", false},
		{"silence for a handshake", "", true},
		{"half a command", "EH", false},
		{"half a mail", begin + "half of it\r\n", false},
		{"a mail without an end", begin + "x\r\n\r.\r\n.\n", false},
		{"a chunk that does not come", "EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nBDAT 100 LAST\r\nhalf", false},
		{"STARTTLS, then silence", "EHLO x\r\nSTARTTLS\r\n", false},
		{"STARTTLS with commands behind", "EHLO x\r\nSTARTTLS\r\n" + begin + "injected\r\n.\r\n", false},
		{"a line without end", strings.Repeat("x", maxLine+10), false},
		{"nonsense", strings.Repeat("\x00\xff\r\n", 50), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			conn := dial(t, addr[map[bool]int{true: 1}[c.secure]])
			go func() { _, _ = io.WriteString(conn, c.send) }()
			_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
			_, err := io.Copy(io.Discard, conn)
			var ne net.Error
			if errors.As(err, &ne) && ne.Timeout() {
				t.Error("the connection stays open")
			}
		})
	}
	t.Cleanup(func() {
		for _, sub := range sink.all() {
			// After a handshake that failed the dialogue goes on in the clear: what is then sent counts as just that.
			if !strings.HasPrefix(string(sub.Body), "injected") || sub.TLS != nil {
				t.Errorf("taken: %+v %q", sub, sub.Body)
			}
		}
	})
}

func TestStopLetsMailsEndAndIdlePeersGo(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	s, err := New(DefaultConfig(), receive.SinkFunc(func(context.Context, *receive.Submission) (receive.Receipt, error) {
		close(entered)
		<-release
		return receive.Receipt{}, nil
	}), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(t.Context(), "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	idle := dial(t, s.Addrs()[0])
	talk(t, idle, [2]string{"", "220"}, [2]string{"EHLO idle", "250"})
	busy := dial(t, s.Addrs()[0])
	talk(t, busy, [2]string{"", "220"}, [2]string{"EHLO busy", "250"}, [2]string{"MAIL FROM:<a@b.example>", "250"}, [2]string{"RCPT TO:<c@d.example>", "250"}, [2]string{"DATA", "354"})
	if _, err := io.WriteString(busy, "x\r\n.\r\n"); err != nil {
		t.Fatal(err)
	}
	<-entered
	begun := time.Now()
	cancel()
	close(release)
	rest, _ := io.ReadAll(busy)
	if !strings.HasPrefix(string(rest), "250") {
		t.Errorf("the mail that was taken got %q", rest)
	}
	rest, _ = io.ReadAll(idle)
	if !strings.HasPrefix(string(rest), "421") {
		t.Errorf("the idle peer got %q", rest)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if took := time.Since(begun); took >= drainTime {
		t.Errorf("stopping took %v", took)
	}
}

func TestListenAndConfigFaults(t *testing.T) {
	s, err := New(DefaultConfig(), &store{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []string{"smtps://127.0.0.1:0", "127.0.0.1", "http://127.0.0.1:1"} {
		if err := s.Listen(t.Context(), l); callhome.KindOf(err) != callhome.KindInvalid {
			t.Errorf("%s: %v", l, err)
		}
	}
	for key, change := range map[string]func(*Config){
		"recipients[0]":    func(c *Config) { c.Recipients = []string{"nobody"} },
		"senders[0]":       func(c *Config) { c.Senders = []string{"[@x"} },
		"hostname":         func(c *Config) { c.Hostname = "" },
		"max_message_size": func(c *Config) { c.MaxMessageSize = 0 },
		"timeout":          func(c *Config) { c.Timeout = 0 },
		"require_auth":     func(c *Config) { c.RequireAuth = true },
		"require_tls":      func(c *Config) { c.RequireTLS = true },
	} {
		c := DefaultConfig()
		change(&c)
		if _, err := New(c, &store{}, Options{}); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: got %v", key, err)
		}
	}
}

func FuzzDialogue(f *testing.F) {
	f.Add("EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n")
	f.Add("AUTH LOGIN\r\n=\r\n")
	f.Fuzz(func(t *testing.T, script string) {
		taken := 0
		s, err := New(DefaultConfig(), receive.SinkFunc(func(_ context.Context, sub *receive.Submission) (receive.Receipt, error) {
			taken++
			if len(sub.Mail.To) == 0 {
				t.Error("a mail for nobody")
			}
			return receive.Receipt{}, nil
		}), Options{Authenticate: func(string, callhome.Secret) bool { return false }})
		if err != nil {
			t.Fatal(err)
		}
		a, b := net.Pipe()
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = s.smtp.Serve(&oneConn{conn: b})
		}()
		go func() { _, _ = io.Copy(io.Discard, a) }()
		_ = a.SetWriteDeadline(time.Now().Add(5 * time.Second))
		_, _ = fmt.Fprint(a, script)
		_ = a.Close()
		<-done
		_ = s.smtp.Shutdown(t.Context())
	})
}

// oneConn is a listener with one connection.
type oneConn struct{ conn net.Conn }

func (l *oneConn) Accept() (net.Conn, error) {
	if l.conn == nil {
		return nil, net.ErrClosed
	}
	c := l.conn
	l.conn = nil
	return c, nil
}
func (l *oneConn) Close() error   { return nil }
func (l *oneConn) Addr() net.Addr { return &net.TCPAddr{} }

func BenchmarkTake8KiB(b *testing.B) {
	addr := run(b, receive.SinkFunc(func(context.Context, *receive.Submission) (receive.Receipt, error) {
		return receive.Receipt{}, nil
	}), Options{}, nil, "127.0.0.1:0")[0]
	body := strings.Repeat("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd\r\n", 128)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	b.SetParallelism(4)
	b.RunParallel(func(pb *testing.PB) {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			b.Error(err)
			return
		}
		c := smtp.NewClient(conn)
		defer func() { _ = c.Close() }()
		for pb.Next() {
			if err := c.SendMail("a@b.example", []string{"c@d.example"}, strings.NewReader(body)); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
