package syslogd

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"callhome/agent/intake"
	"callhome/trustpoint"
)

func TestMain(m *testing.M) {
	if os.Getenv(farEndEnv) != "" {
		farEnd()
		return
	}
	goleak.VerifyTestMain(m)
}

// taken is a sink that keeps everything.
type taken struct {
	mu    sync.Mutex
	lines []string
	from  []intake.Origin
	more  chan struct{}
}

func newTaken() *taken { return &taken{more: make(chan struct{}, 1)} }

func (k *taken) Take(_ context.Context, raw []byte, o *intake.Origin) error {
	k.mu.Lock()
	k.lines = append(k.lines, string(raw))
	k.from = append(k.from, *o)
	k.mu.Unlock()
	select {
	case k.more <- struct{}{}:
	default:
	}
	return nil
}

func (k *taken) count() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.lines)
}

// wait returns once n lines were taken.
func (k *taken) wait(t testing.TB, n int) {
	t.Helper()
	timeout := time.After(20 * time.Second)
	for k.count() < n {
		select {
		case <-k.more:
		case <-timeout:
			t.Fatalf("got %d lines, want %d", k.count(), n)
		}
	}
}

// start runs a server; stop ends it and waits.
func start(t testing.TB, cfg Config, sink intake.Sink) (s *Server, stop func()) {
	t.Helper()
	s, err := New(cfg, sink, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return s, stop
}

func dial(t testing.TB, s *Server, i int) net.Conn {
	t.Helper()
	a := s.Addrs()[i]
	c, err := net.Dial(a.Network(), a.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestEveryTransport(t *testing.T) {
	dir := t.TempDir()
	for _, listen := range []string{"udp://127.0.0.1:0", "udp://[::1]:0", "tcp://127.0.0.1:0", "tcp://[::1]:0", "unix://" + dir + "/s", "unixgram://" + dir + "/g"} {
		t.Run(listen, func(t *testing.T) {
			k := newTaken()
			s, stop := start(t, Config{Syslog: []string{listen}}, k)
			c := dial(t, s, 0)
			for i := range 3 {
				fmt.Fprintf(c, "<189>%d: *Mar  1 00:00:01: %%SYS-5-CONFIG_I: line\n", i)
				k.wait(t, i+1)
			}
			stop()
			if want := "<189>2: *Mar  1 00:00:01: %SYS-5-CONFIG_I: line"; k.lines[2] != want {
				t.Errorf("got %q, want %q", k.lines[2], want)
			}
			transport, _, _ := strings.Cut(listen, ":")
			o := k.from[0]
			if o.Transport != transport || o.Secure || o.ReceivedAt.IsZero() || o.Name != listen {
				t.Errorf("origin %+v", o)
			}
			if local := c.LocalAddr().String(); !strings.HasPrefix(transport, "unix") && o.Peer.String() != local {
				t.Errorf("peer: got %s, want %s", o.Peer, local)
			}
			if st := s.Stats()[0]; st.Lines != 3 || st.Bytes == 0 {
				t.Errorf("stats %+v", st)
			}
		})
	}
}

// Whatever comes is delivered, in order, and nothing stops the listener.
func TestBadInputOnTCP(t *testing.T) {
	mib := strings.Repeat("m", 1<<20)
	tests := []struct {
		name  string
		send  string
		want  []string
		flags string // of the last line: t truncated, u unterminated, c continuation
	}{
		{"empty lines", "\n\r\n\x00\n<1>a\n", []string{"<1>a"}, ""},
		{"NUL as trailer", "<1>a\x00<1>b\x00", []string{"<1>a", "<1>b"}, ""},
		{"counted", "4 <1>a4 <1>b", []string{"<1>a", "<1>b"}, ""},
		{"counted and trailed", "4 <1>a<1>b\n4 <1>c", []string{"<1>a", "<1>b", "<1>c"}, ""},
		{"a digit that is no count", "47: *Mar  1 00:00:01: %A-5-B: x\n", []string{"47: *Mar  1 00:00:01: %A-5-B: x"}, ""},
		{"invalid UTF-8", "<1>\xff\xfe\x80\n", []string{"<1>\xff\xfe\x80"}, ""},
		{"no end", "<1>a", []string{"<1>a"}, "u"},
		{"counted, no end", "10 <1>a", []string{"<1>a"}, "u"},
		{"1 MiB exactly", "<1>" + mib[:1<<20-3] + "\n<1>b\n", []string{"<1>" + mib[:1<<20-3], "<1>b"}, ""},
		{"more than 1 MiB", "<1>" + mib + mib + "\n<1>b\n", []string{"<1>" + mib[:1<<20-3], "<1>b"}, ""},
		{"a count beyond reason", "9999999 <1>a\n<1>b\n", []string{"<1>b"}, ""},
		{"stack trace", "<1>a\n\tat b\n\tat c\n", []string{"<1>a\n\tat b\n\tat c"}, "c"},
		{"two reads, continued", "<1>" + mib[:4092] + "\n at b\n<1>c\n", []string{"<1>" + mib[:4092] + "\n at b", "<1>c"}, ""},
		{"binary", string([]byte{0, 1, 2, 3, 0x16, 3, 1, 0, 10, 255, 10}), []string{"\x01\x02\x03\x16\x03\x01\x00\n\xff"}, "c"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := newTaken()
			s, stop := start(t, Config{Syslog: []string{"tcp://127.0.0.1:0"}}, k)
			c := dial(t, s, 0)
			if _, err := io.WriteString(c, tt.send); err != nil {
				t.Fatal(err)
			}
			c.Close()
			k.wait(t, len(tt.want))
			stop()
			if diff := cmp.Diff(clip(tt.want), clip(k.lines)); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
			o := k.from[len(k.from)-1]
			got := ""
			for f, on := range map[string]bool{"t": o.Truncated, "u": o.Unterminated, "c": o.Continuation} {
				if on {
					got += f
				}
			}
			if got != tt.flags {
				t.Errorf("flags: got %q, want %q", got, tt.flags)
			}
		})
	}
}

func clip(lines []string) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = l[:min(len(l), 60)] + fmt.Sprint(" ", len(l))
	}
	return out
}

func TestBadInputOnUDP(t *testing.T) {
	k := newTaken()
	s, stop := start(t, Config{Syslog: []string{"udp://127.0.0.1:0"}}, k)
	c := dial(t, s, 0)
	big := strings.Repeat("b", 65507)
	want := []string{"x", "a\nb", "\xff\x00y", big, "last"}
	for _, d := range []string{"", "\n", "x\r\n\x00", "a\nb\n", "\xff\x00y", big, "last"} {
		if _, err := io.WriteString(c, d); err != nil {
			t.Fatal(err)
		}
	}
	k.wait(t, len(want))
	stop()
	if diff := cmp.Diff(clip(want), clip(k.lines)); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

// What was sent before the end arrives, although nobody read it yet.
func TestStopDrains(t *testing.T) {
	for _, listen := range []string{"tcp://127.0.0.1:0", "udp://127.0.0.1:0"} {
		t.Run(listen, func(t *testing.T) {
			k := newTaken()
			gate := make(chan struct{})
			slow := intake.SinkFunc(func(ctx context.Context, raw []byte, o *intake.Origin) error {
				<-gate
				return k.Take(ctx, raw, o)
			})
			s, stop := start(t, Config{Syslog: []string{listen}}, slow)
			c := dial(t, s, 0)
			const n = 5000
			for i := range n {
				fmt.Fprintf(c, "<13>line %d\n", i)
			}
			stopped := make(chan struct{})
			go func() { stop(); close(stopped) }()
			close(gate)
			<-stopped
			if len(k.lines) != n {
				t.Errorf("got %d lines, want %d", len(k.lines), n)
			}
		})
	}
}

// A sink that blocks holds up its own connection and nobody else.
func TestSlowSinkHoldsUpItsSenderOnly(t *testing.T) {
	k := newTaken()
	gate := make(chan struct{})
	s, stop := start(t, Config{Syslog: []string{"tcp://127.0.0.1:0"}}, intake.SinkFunc(func(ctx context.Context, raw []byte, o *intake.Origin) error {
		if strings.HasPrefix(string(raw), "<1>") {
			<-gate
		}
		return k.Take(ctx, raw, o)
	}))
	blocked, free := dial(t, s, 0), dial(t, s, 0)
	io.WriteString(blocked, "<1>a\n<2>b\n")
	for i := range 10 {
		fmt.Fprintf(free, "<3>%d\n", i)
	}
	k.wait(t, 10)
	close(gate)
	k.wait(t, 12)
	stop()
}

type pki struct{ ca, cert, key, clientCert, clientKey string }

// newPKI makes a CA and a server and a client certificate.
func newPKI(t testing.TB) pki {
	t.Helper()
	dir := t.TempDir()
	write := func(name, kind string, der []byte) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	var caKey *ecdsa.PrivateKey
	var ca *x509.Certificate
	issue := func(name string, n int64) (string, string) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		tmpl := &x509.Certificate{
			SerialNumber: big.NewInt(n), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
			DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: ca == nil, BasicConstraintsValid: true,
			KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		}
		if ca == nil {
			ca, caKey = tmpl, key
		}
		der, err := x509.CreateCertificate(rand.Reader, tmpl, ca, &key.PublicKey, caKey)
		if err != nil {
			t.Fatal(err)
		}
		keyDER, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return write(name+".pem", "CERTIFICATE", der), write(name+".key", "PRIVATE KEY", keyDER)
	}
	var p pki
	p.ca, _ = issue("ca.example", 1)
	p.cert, p.key = issue("collector.example", 2)
	p.clientCert, p.clientKey = issue("core-1.example", 3)
	return p
}

func (p pki) dial(t testing.TB, s *Server, withCert bool) *tls.Conn {
	t.Helper()
	pool := x509.NewCertPool()
	pem, err := os.ReadFile(p.ca)
	if err != nil {
		t.Fatal(err)
	}
	pool.AppendCertsFromPEM(pem)
	cfg := &tls.Config{RootCAs: pool, ServerName: "collector.example"}
	if withCert {
		cert, err := tls.LoadX509KeyPair(p.clientCert, p.clientKey)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Certificates = []tls.Certificate{cert}
	}
	c := tls.Client(dial(t, s, 0), cfg)
	t.Cleanup(func() { c.Close() })
	return c
}

func TestTLS(t *testing.T) {
	p := newPKI(t)
	cfg := Config{Syslog: []string{"tls://127.0.0.1:0"}, TLS: trustpoint.ServerConfig{CertFile: p.cert, KeyFile: p.key, ClientCAFile: p.ca}}
	k := newTaken()
	s, stop := start(t, cfg, k)
	for i, withCert := range []bool{true, false} {
		c := p.dial(t, s, withCert)
		io.WriteString(c, "6 <1>abc")
		k.wait(t, i+1)
		o := k.from[i]
		if o.Secure != withCert || o.Transport != "tls" || (o.Identity == "core-1.example") != withCert {
			t.Errorf("with certificate %v: got %+v", withCert, o)
		}
	}
	// A count that cannot be right ends a TLS connection.
	c := p.dial(t, s, false)
	io.WriteString(c, "9999999 <1>abc")
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("the connection went on after a refused frame")
	}
	stop()
	if st := s.Stats()[0]; st.BadFrames != 1 {
		t.Errorf("stats %+v", st)
	}
}

func TestTLSRequiresCertificate(t *testing.T) {
	p := newPKI(t)
	k := newTaken()
	s, stop := start(t, Config{Syslog: []string{"tls://127.0.0.1:0"}, TLS: trustpoint.ServerConfig{CertFile: p.cert, KeyFile: p.key, ClientCAFile: p.ca, RequireCert: true}}, k)
	c := p.dial(t, s, false)
	io.WriteString(c, "6 <1>abc")
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("a client without certificate was let in")
	}
	stop()
	if k.count() != 0 || s.Stats()[0].FailedHandshakes != 1 {
		t.Errorf("got %d lines, stats %+v", k.count(), s.Stats()[0])
	}
}

// A sender that writes and closes at once loses nothing.
func TestNothingLostAtTLSClose(t *testing.T) {
	p := newPKI(t)
	k := newTaken()
	s, stop := start(t, Config{Syslog: []string{"tls://127.0.0.1:0"}, TLS: trustpoint.ServerConfig{CertFile: p.cert, KeyFile: p.key}}, k)
	const conns, lines = 20, 5000
	var senders sync.WaitGroup
	for i := range conns {
		c := p.dial(t, s, false)
		senders.Go(func() {
			var b strings.Builder
			for j := range lines {
				m := fmt.Sprintf("<13>%d of %d", j, i)
				fmt.Fprintf(&b, "%d %s", len(m), m)
			}
			io.WriteString(c, b.String())
			c.Close()
		})
	}
	senders.Wait()
	k.wait(t, conns*lines)
	stop()
	if k.count() != conns*lines {
		t.Errorf("got %d lines, want %d", k.count(), conns*lines)
	}
}

func TestConfigFaults(t *testing.T) {
	tests := []struct {
		cfg  Config
		want string
	}{
		{Config{Syslog: []string{"udp://127.0.0.1:5514", "tcp://[::1]:5514", "udp://:514", "unix:///run/log"}}, ""},
		{Config{Syslog: []string{"127.0.0.1:5514"}}, "intake.syslog[0]"},
		{Config{Syslog: []string{"udp://127.0.0.1"}}, "HOST:PORT"},
		{Config{Syslog: []string{"udp://127.0.0.1:99999"}}, "outside 0 to 65535"},
		{Config{Syslog: []string{"tcp://[::1]:65536"}}, "outside 0 to 65535"},
		{Config{Syslog: []string{"tcp://[::1]:65535"}}, ""},
		{Config{Syslog: []string{"udp://collector.example:514"}}, "no IP address"},
		{Config{Syslog: []string{"http://127.0.0.1:80"}}, "use udp://"},
		{Config{Syslog: []string{"unix://run/log"}}, "unix:///PATH"},
		{Config{TLS: trustpoint.ServerConfig{CertFile: "x"}}, "give both cert_file and key_file"},
		{Config{TLS: trustpoint.ServerConfig{RequireCert: true}}, "client_ca_file"},
		{Config{ReceiveBuffer: 5}, "receive_buffer"},
		{Config{Sockets: 65}, "udp_sockets"},
	}
	for _, tt := range tests {
		err := tt.cfg.Validate()
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: got %v, want %q", tt.cfg, err, tt.want)
		}
	}
	if _, err := New(Config{Syslog: []string{"tls://127.0.0.1:6514"}}, newTaken(), Options{}); err == nil || !strings.Contains(err.Error(), "intake.tls.cert_file") {
		t.Errorf("TLS without a certificate: got %v", err)
	}
}

func TestSocketPaths(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{Syslog: []string{"unix://" + file}}, newTaken(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(t.Context()); err == nil || !strings.Contains(err.Error(), "no socket") {
		t.Errorf("over a file: got %v", err)
	}
	stale := filepath.Join(dir, "stale")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: stale, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	_, stop := start(t, Config{Syslog: []string{"unix://" + stale}}, newTaken())
	other, err := New(Config{Syslog: []string{"unix://" + stale}}, newTaken(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Listen(t.Context()); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("over a live socket: got %v", err)
	}
	stop()
}

func TestReusePort(t *testing.T) {
	k := newTaken()
	s, stop := start(t, Config{Syslog: []string{"udp://127.0.0.1:0"}, Sockets: 4}, k)
	addrs := s.Addrs()
	if len(addrs) != 4 || slices.ContainsFunc(addrs, func(a net.Addr) bool { return a.String() != addrs[0].String() }) {
		t.Fatalf("got %v", addrs)
	}
	for i := range 40 {
		c := dial(t, s, 0)
		fmt.Fprintf(c, "<13>%d", i)
	}
	k.wait(t, 40)
	stop()
	if st := s.Stats(); len(st) != 1 || st[0].Lines != 40 {
		t.Errorf("stats %+v", st)
	}
}

// A line that fills a read to its last octet is not held back for long.
func TestFullReadIsDelivered(t *testing.T) {
	k := newTaken()
	s, stop := start(t, Config{Syslog: []string{"tcp://127.0.0.1:0"}}, k)
	c := dial(t, s, 0)
	for i := range 3 {
		io.WriteString(c, "<1>"+strings.Repeat("x", minRead-4)+"\n")
		k.wait(t, i+1)
	}
	stop()
	if st := s.Stats()[0]; st.Lines != 3 || st.BadFrames != 0 {
		t.Errorf("stats %+v", st)
	}
}
