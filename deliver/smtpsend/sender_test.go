package smtpsend

import (
	"bytes"
	"context"
	"crypto/tls"
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
	"callhome/trustpoint"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sink is a mail server that keeps what it gets and fails as told.
type sink struct {
	mu       sync.Mutex
	mails    []mail
	sessions int
	onMail   func(n int) error // n counts from 1 over all sessions
	onRcpt   func(n int) error
	onData   func(n int) error
	seen     [3]int
	users    map[string]string
}

type mail struct {
	from, to string
	body     []byte
	secure   bool
	user     string
}

type sinkSession struct {
	s    *sink
	conn *smtp.Conn
	now  mail
}

func (s *sink) next(i int, f func(int) error) error {
	s.mu.Lock()
	s.seen[i]++
	n := s.seen[i]
	s.mu.Unlock()
	if f == nil {
		return nil
	}
	return f(n)
}

func (s *sink) got() []mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]mail(nil), s.mails...)
}

func (ss *sinkSession) Mail(from string, _ *smtp.MailOptions) error {
	ss.now.from = from
	return ss.s.next(0, ss.s.onMail)
}

func (ss *sinkSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	ss.now.to = to
	return ss.s.next(1, ss.s.onRcpt)
}

func (ss *sinkSession) Data(r io.Reader) error {
	body, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err := ss.s.next(2, ss.s.onData); err != nil {
		return err
	}
	_, ss.now.secure = ss.conn.TLSConnectionState()
	ss.now.body = body
	ss.s.mu.Lock()
	defer ss.s.mu.Unlock()
	ss.s.mails = append(ss.s.mails, ss.now)
	return nil
}

func (ss *sinkSession) Reset()        {}
func (ss *sinkSession) Logout() error { return nil }

func (ss *sinkSession) AuthMechanisms() []string {
	if ss.s.users == nil {
		return nil
	}
	return []string{sasl.Plain}
}

func (ss *sinkSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if want, ok := ss.s.users[user]; !ok || want != password {
			return smtp.ErrAuthFailed
		}
		ss.now.user = user
		return nil
	}), nil
}

// start serves s on loopback; secure wraps the listener in TLS, starttls offers it.
func (s *sink) start(t testing.TB, cfg *tls.Config, implicit bool) (port int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return s.serve(t, l, cfg, implicit)
}

func (s *sink) serve(t testing.TB, l net.Listener, cfg *tls.Config, implicit bool) (port int) {
	srv := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		s.mu.Lock()
		s.sessions++
		s.mu.Unlock()
		return &sinkSession{s: s, conn: c}, nil
	}))
	srv.Domain, srv.TLSConfig, srv.AllowInsecureAuth, srv.MaxMessageBytes = "sink.example", cfg, s.users != nil && cfg == nil, 64<<20
	srv.ErrorLog, srv.MaxLineLength = quiet{}, 1<<20
	port = l.Addr().(*net.TCPAddr).Port
	if implicit {
		l = tls.NewListener(l, cfg)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close(); <-done })
	return port
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

// authority makes a server's TLS configuration and the trust that fits it.
func authority(t testing.TB) (*tls.Config, *trustpoint.Set) {
	t.Helper()
	ca, err := trustpoint.NewCA("test", nil)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(trustpoint.Request{CommonName: "srv", Hosts: []string{"127.0.0.1", "localhost"}})
	if err != nil {
		t.Fatal(err)
	}
	set, err := trustpoint.Load(trustpoint.Config{{Name: "ca", CA: string(ca.PEM())}}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{*cert}, MinVersion: tls.VersionTLS12}, set
}

func plainDial(ctx context.Context, network, addr string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, network, addr)
}

func newSender(t testing.TB, set *trustpoint.Set, opts Options, servers ...Server) *Sender {
	t.Helper()
	if set == nil {
		var err error
		if set, err = trustpoint.Load(nil, nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	s, err := New(Config{Servers: servers, SMTP: opts}, Deps{Dial: plainDial, TLS: set.Client})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func envelope(body string) *callhome.Envelope {
	return &callhome.Envelope{
		MessageID: "M1:SN1:65F2B3C4", From: "callhome@ops.example", Body: []byte(body),
		Destination: callhome.Destination{Transport: callhome.TransportEmail, Address: "noc@ops.example"},
	}
}

const note = "From: callhome@ops.example\r\nTo: noc@ops.example\r\nSubject: x\r\n\r\n"

func TestSendsTheBytesAsTheyAre(t *testing.T) {
	k := &sink{}
	s := newSender(t, nil, Options{}, Server{Host: "127.0.0.1", Port: k.start(t, nil, false)})
	for _, body := range []string{
		note + "plain\r\n",
		note + ".leading dot\r\n..two\r\n.\r\nafter a lone dot\r\n",
		note + strings.Repeat("a long line of XML <ok/> ", 2000) + "\r\n",
		note + "8 bit: \xc3\xa4 \xff\r\n",
		note + "\r\n\r\n\r\n",
		note + strings.Repeat("0123456789\r\n", 300_000),
	} {
		if err := s.Send(t.Context(), envelope(body)); err != nil {
			t.Fatal(err)
		}
		mails := k.got()
		if got := mails[len(mails)-1]; string(got.body) != body || got.from != "callhome@ops.example" || got.to != "noc@ops.example" {
			t.Errorf("%d bytes became %d", len(body), len(got.body))
		}
	}
	if k.sessions != 1 {
		t.Errorf("%d connections, want one that is kept", k.sessions)
	}
}

func TestSecurity(t *testing.T) {
	cfg, set := authority(t)
	_, strangers := authority(t)
	for _, c := range []struct {
		name     string
		offers   *tls.Config
		implicit bool
		trust    *trustpoint.Set
		security Security
		host     string
		want     string
	}{
		{"none", nil, false, set, SecurityNone, "127.0.0.1", ""},
		{"starttls", cfg, false, set, SecurityStartTLS, "127.0.0.1", ""},
		{"tls", cfg, true, set, SecurityTLS, "127.0.0.1", ""},
		{"starttls not offered", nil, false, set, SecurityStartTLS, "127.0.0.1", "STARTTLS"},
		{"starttls, stranger", cfg, false, strangers, SecurityStartTLS, "127.0.0.1", "unknown authority"},
		{"tls, stranger", cfg, true, strangers, SecurityTLS, "127.0.0.1", "unknown authority"},
		{"tls, another name", cfg, true, set, SecurityTLS, "127.0.0.2", "127.0.0.2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := &sink{}
			l, err := net.Listen("tcp", "0.0.0.0:0") // reached as 127.0.0.2, too
			if err != nil {
				t.Fatal(err)
			}
			server := Server{Host: c.host, Port: k.serve(t, l, c.offers, c.implicit), Security: c.security}
			if c.security != SecurityNone {
				server.TrustPoints = []string{"ca"}
			}
			err = newSender(t, c.trust, Options{}, server).Send(t.Context(), envelope(note))
			if (err == nil) != (c.want == "") || (err != nil && !strings.Contains(err.Error(), c.want)) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			mails := k.got()
			if c.want != "" {
				if len(mails) > 0 {
					t.Error("the mail went out all the same")
				}
				return
			}
			if mails[0].secure != (c.security != SecurityNone) {
				t.Errorf("secure is %v", mails[0].secure)
			}
		})
	}
}

func TestLogin(t *testing.T) {
	cfg, set := authority(t)
	k := &sink{users: map[string]string{"agent": "s3cret"}}
	port := k.start(t, cfg, false)
	good := Server{Host: "127.0.0.1", Port: port, Security: SecurityStartTLS, TrustPoints: []string{"ca"}, Username: "agent", Password: callhome.NewSecret("s3cret")}
	if err := newSender(t, set, Options{}, good).Send(t.Context(), envelope(note)); err != nil || k.got()[0].user != "agent" {
		t.Errorf("got %v, %+v", err, k.got())
	}
	bad := good
	bad.Password = callhome.NewSecret("wrong-s3cret")
	err := newSender(t, set, Options{}, bad).Send(t.Context(), envelope(note))
	if err == nil || permanent(err) || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("got %v, want a fault that is worth another try and holds no password", err)
	}
	if _, err := New(Config{Servers: []Server{{Host: "h", Username: "u", Password: callhome.NewSecret("p")}}}, Deps{Dial: plainDial}); err == nil {
		t.Error("a password in the clear is allowed without being asked for")
	}
	mute := &sink{}
	good.Port, good.Security, good.TrustPoints, good.InsecureAuth = mute.start(t, nil, false), SecurityNone, nil, true
	if err := newSender(t, nil, Options{}, good).Send(t.Context(), envelope(note)); err == nil || !strings.Contains(err.Error(), "neither AUTH PLAIN") || len(mute.got()) > 0 {
		t.Errorf("got %v, want no mail without the login that is configured", err)
	}
}

func code(code int, enhanced ...int) func(int) error {
	e := smtp.EnhancedCode{code / 100, 0, 0}
	if len(enhanced) == 2 {
		e = smtp.EnhancedCode{code / 100, enhanced[0], enhanced[1]}
	}
	return func(int) error { return &smtp.SMTPError{Code: code, EnhancedCode: e, Message: "as told"} }
}

func TestFailover(t *testing.T) {
	for _, c := range []struct {
		name      string
		first     *sink
		taken     bool // by the second
		permanent bool
	}{
		{"5xx at MAIL", &sink{onMail: code(550)}, false, true},
		{"5xx at RCPT", &sink{onRcpt: code(550, 1, 1)}, false, true},
		{"5xx at DATA", &sink{onData: code(554, 6, 0)}, false, true},
		{"too large", &sink{onMail: code(552, 3, 4)}, false, true},
		{"relaying denied", &sink{onRcpt: code(554, 7, 1)}, true, false},
		{"login demanded", &sink{onMail: code(530, 7, 0)}, true, false},
		{"4xx at MAIL", &sink{onMail: code(451)}, true, false},
		{"4xx at RCPT", &sink{onRcpt: code(450)}, true, false},
		{"4xx at DATA", &sink{onData: code(452)}, true, false},
		{"closing", &sink{onMail: code(421)}, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			second := &sink{}
			s := newSender(t, nil, Options{},
				Server{Host: "127.0.0.1", Port: second.start(t, nil, false), Priority: 20},
				Server{Host: "127.0.0.1", Port: c.first.start(t, nil, false), Priority: 10})
			err := s.Send(t.Context(), envelope(note))
			if got := len(second.got()) == 1; got != c.taken || permanent(err) != c.permanent || (err == nil) != c.taken {
				t.Errorf("taken %v, want %v; %v, permanent %v, want %v", got, c.taken, err, permanent(err), c.permanent)
			}
			// Alone, the first gives the same verdict or asks for patience.
			alone := newSender(t, nil, Options{}, Server{Host: "127.0.0.1", Port: (&sink{onMail: c.first.onMail, onRcpt: c.first.onRcpt, onData: c.first.onData}).start(t, nil, false)})
			err = alone.Send(t.Context(), envelope(note))
			if want := c.permanent || c.name == "relaying denied"; err == nil || permanent(err) != want {
				t.Errorf("alone: %v, permanent %v, want %v", err, permanent(err), want)
			}
		})
	}
}

func TestEqualPriorityIsConfiguredOrderAndMemory(t *testing.T) {
	now := time.Now()
	var tried []string
	up := map[string]bool{}
	k := &sink{}
	port := k.start(t, nil, false)
	s, err := New(Config{Servers: []Server{{Host: "c", Priority: 50}, {Host: "a", Priority: 7}, {Host: "b", Priority: 7}, {Host: "d"}}}, Deps{
		Now: func() time.Time { return now },
		Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			host, _, _ := net.SplitHostPort(addr)
			tried = append(tried, host)
			if !up[host] {
				return nil, errors.New("down")
			}
			return plainDial(ctx, network, fmt.Sprintf("127.0.0.1:%d", port))
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	send := func(want string) {
		t.Helper()
		tried = nil
		_ = s.Send(t.Context(), envelope(note))
		if got := strings.Join(tried, ""); got != want {
			t.Errorf("tried %q, want %q", got, want)
		}
	}
	send("abcd")
	send("abcd") // all failed a moment ago: none is left out
	up["c"] = true
	now = now.Add(time.Second)
	send("abc")
	up["a"] = true
	send("") // c is kept open, a and b rest
	now = now.Add(cooldown)
	send("a")
	states := s.Status()
	if states[1].State != StateAvailable || states[3].State != StateNotAvailable || states[3].LastError == "" || states[0].Sent != 2 {
		t.Errorf("got %+v", states)
	}
	if got, want := states[3].Line(), "Address: d Priority: 50  Secure: none [Not Available]"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestReconnects(t *testing.T) {
	now := time.Now()
	k := &sink{}
	port := k.start(t, nil, false)
	var conns []*endingConn
	s, err := New(Config{Servers: []Server{{Host: "127.0.0.1", Port: port}}}, Deps{
		Now: func() time.Time { return now },
		Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := plainDial(ctx, network, addr)
			conns = append(conns, &endingConn{Conn: c})
			return conns[len(conns)-1], err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	send := func(want int) {
		t.Helper()
		if err := s.Send(t.Context(), envelope(note)); err != nil {
			t.Fatal(err)
		}
		if len(conns) != want {
			t.Errorf("%d connections, want %d", len(conns), want)
		}
	}
	send(1)
	send(1)
	conns[0].ended = true // the server has closed it while idle
	send(2)
	k.onMail = func(n int) error {
		if n == 5 { // the server says 421 on a kept connection
			return code(421)(n)
		}
		return nil
	}
	k.mu.Lock()
	k.seen[0] = 4
	k.mu.Unlock()
	send(3)
	if st := s.Status()[0]; st.Failed != 0 || st.Sent != 4 {
		t.Errorf("a closed idle connection counts as failure: %+v", st)
	}
	now = now.Add(time.Hour)
	s.targets[0].evictIdle()
	send(4)
}

// endingConn is at its end when told.
type endingConn struct {
	net.Conn
	ended bool
}

func (c *endingConn) Read(p []byte) (int, error) {
	if c.ended {
		return 0, io.EOF
	}
	return c.Conn.Read(p)
}

func TestRefusedMailLeavesTheConnectionFit(t *testing.T) {
	k := &sink{onRcpt: func(n int) error {
		if n == 1 {
			return code(550, 1, 1)(n)
		}
		return nil
	}}
	s := newSender(t, nil, Options{}, Server{Host: "127.0.0.1", Port: k.start(t, nil, false)})
	if err := s.Send(t.Context(), envelope(note)); !permanent(err) {
		t.Fatalf("got %v", err)
	}
	if err := s.Send(t.Context(), envelope(note)); err != nil || k.sessions != 1 {
		t.Errorf("got %v after %d sessions, want one", err, k.sessions)
	}
}

func TestSendFaults(t *testing.T) {
	none := newSender(t, nil, Options{})
	if err := none.Send(t.Context(), envelope(note)); err == nil || permanent(err) {
		t.Errorf("without servers: %v", err)
	}
	http := envelope(note)
	http.Destination.Transport = callhome.TransportHTTP
	if err := none.Send(t.Context(), http); !permanent(err) {
		t.Errorf("to an HTTP address: %v", err)
	}
	anonymous := envelope(note)
	anonymous.Anonymous = true
	if err := none.Send(t.Context(), anonymous); !permanent(err) {
		t.Errorf("anonymous by mail: %v", err)
	}
	k := &sink{}
	s := newSender(t, nil, Options{}, Server{Host: "127.0.0.1", Port: k.start(t, nil, false)})
	split := envelope(note)
	split.Destination.Address = "a@b.example>\r\nRCPT TO:<c@d.example"
	if err := s.Send(t.Context(), split); err == nil || len(k.got()) > 0 {
		t.Errorf("an address with a line break: %v", err)
	}
}

func TestManyAtOnce(t *testing.T) {
	k := &sink{}
	s := newSender(t, nil, Options{MaxConnections: 3}, Server{Host: "127.0.0.1", Port: k.start(t, nil, false)})
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			for range 20 {
				if err := s.Send(t.Context(), envelope(note)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := len(k.got()); n != 200 || k.sessions > 3 {
		t.Errorf("%d mails over %d connections", n, k.sessions)
	}
}

func TestTestServers(t *testing.T) {
	k := &sink{}
	s := newSender(t, nil, Options{}, Server{Host: "127.0.0.1", Port: k.start(t, nil, false)}, Server{Host: "127.0.0.1", Port: 1})
	errs := s.TestServers(t.Context())
	if errs[0] != nil || errs[1] == nil || len(k.got()) != 0 {
		t.Errorf("got %v", errs)
	}
}

func TestValidate(t *testing.T) {
	good := Server{Host: "relay1", Port: 25, Priority: 1}
	for _, c := range []struct {
		name   string
		change func(*Server, *Options)
		path   string
	}{
		{"good", func(*Server, *Options) {}, ""},
		{"no host", func(s *Server, _ *Options) { s.Host = "" }, "mail_servers[0].host"},
		{"password in the name", func(s *Server, _ *Options) { s.Host = "u:p@relay1" }, "mail_servers[0].host"},
		{"port", func(s *Server, _ *Options) { s.Port = 65536 }, "mail_servers[0].port"},
		{"priority", func(s *Server, _ *Options) { s.Priority = 101 }, "mail_servers[0].priority"},
		{"security", func(s *Server, _ *Options) { s.Security = "ssl" }, "mail_servers[0].security"},
		{"login without password", func(s *Server, _ *Options) { s.Username, s.Security = "u", SecurityTLS }, "mail_servers[0].username"},
		{"pins in the clear", func(s *Server, _ *Options) { s.Pins = []string{"x"} }, "mail_servers[0].security"},
		{"two passwords", func(s *Server, _ *Options) {
			s.Username, s.Password, s.PasswordFile, s.Security = "u", callhome.NewSecret("p"), "f", SecurityTLS
		}, "mail_servers[0].password_file"},
		{"timeout", func(_ *Server, o *Options) { o.CommandTimeout = time.Millisecond }, "smtp.command_timeout"},
		{"hello", func(_ *Server, o *Options) { o.HelloName = "a b" }, "smtp.hello_name"},
	} {
		server, opts := good, DefaultOptions()
		c.change(&server, &opts)
		err := Config{Servers: []Server{server}, SMTP: opts}.Validate()
		if (err == nil) != (c.path == "") || (err != nil && !strings.Contains(err.Error(), c.path)) {
			t.Errorf("%s: got %v, want a fault at %q", c.name, err, c.path)
		}
	}
}

func TestWireGathers(t *testing.T) {
	var writes [][]byte
	w := &wire{Conn: writeSpy{&writes}}
	for _, part := range []string{"a", "b", strings.Repeat("c", 8192)} {
		if _, err := w.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	if len(writes) != 0 {
		t.Fatalf("%d writes before an answer is waited for", len(writes))
	}
	_, _ = w.Read(make([]byte, 1))
	if len(writes) != 1 || len(writes[0]) != 8194 {
		t.Errorf("%d writes, want one", len(writes))
	}
	_, _ = w.Write(bytes.Repeat([]byte("d"), gatherMax))
	if len(writes) != 2 {
		t.Errorf("a large mail is held back")
	}
}

type writeSpy struct{ writes *[][]byte }

func (w writeSpy) Write(p []byte) (int, error) {
	*w.writes = append(*w.writes, bytes.Clone(p))
	return len(p), nil
}
func (w writeSpy) Read([]byte) (int, error)         { return 0, io.EOF }
func (w writeSpy) Close() error                     { return nil }
func (w writeSpy) LocalAddr() net.Addr              { return nil }
func (w writeSpy) RemoteAddr() net.Addr             { return nil }
func (w writeSpy) SetDeadline(time.Time) error      { return nil }
func (w writeSpy) SetReadDeadline(time.Time) error  { return nil }
func (w writeSpy) SetWriteDeadline(time.Time) error { return nil }
