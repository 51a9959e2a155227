package receive

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"callhome"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRefusalOf(t *testing.T) {
	secret := errors.New("disk /dev/sda is full")
	for _, c := range []struct {
		name   string
		err    error
		reason RefusalReason
		public string
	}{
		{"any error is temporary and not told", secret, RefuseBusy, publicTexts[RefuseBusy]},
		{"a refusal", &Refusal{Reason: RefuseDenied}, RefuseDenied, publicTexts[RefuseDenied]},
		{"with a sentence", &Refusal{Reason: RefuseMalformed, Public: "line 3"}, RefuseMalformed, "line 3"},
		{"wrapped", fmt.Errorf("x: %w", &Refusal{Reason: RefuseTooLarge, Err: secret}), RefuseTooLarge, publicTexts[RefuseTooLarge]},
		{"an unknown reason", &Refusal{Reason: "odd", Public: "p"}, RefuseBusy, "p"},
	} {
		got := RefusalOf(c.err)
		if got.Reason != c.reason || got.Public != c.public || strings.Contains(got.Public, "sda") {
			t.Errorf("%s: got %+v", c.name, got)
		}
	}
	if err := (&Refusal{Reason: RefuseBusy, Err: secret}); !errors.Is(err, secret) || !strings.Contains(err.Error(), "busy") {
		t.Errorf("got %v", err)
	}
}

func TestLimit(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := Limit(inner, Limits{Total: 3, PerPeer: 2})
	accepted := make(chan net.Conn, 10)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	})
	dial := func(from string) net.Conn {
		t.Helper()
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
		c, err := d.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	turnedAway := func(c net.Conn) bool {
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		_, err := c.Read(make([]byte, 1))
		var ne net.Error
		return err != nil && (!errors.As(err, &ne) || !ne.Timeout())
	}
	dial("127.0.0.1")
	first := <-accepted
	dial("127.0.0.1")
	second := <-accepted
	if !turnedAway(dial("127.0.0.1")) {
		t.Error("a third connection of one peer is taken")
	}
	dial("127.0.0.2")
	third := <-accepted
	if !turnedAway(dial("127.0.0.3")) {
		t.Error("a fourth connection is taken")
	}
	if l.Refused() != 2 {
		t.Errorf("%d refused, want 2", l.Refused())
	}
	_ = first.Close()
	_ = first.Close() // twice gives one place back
	dial("127.0.0.4")
	fourth := <-accepted
	if !turnedAway(dial("127.0.0.5")) {
		t.Error("closing twice makes two places")
	}

	_ = l.Close()
	wg.Wait()
	l.Hurry()
	for _, c := range []net.Conn{second, third, fourth} {
		_ = c.SetDeadline(time.Now().Add(time.Hour))
		var ne net.Error
		if _, err := c.Read(make([]byte, 1)); !errors.As(err, &ne) || !ne.Timeout() {
			t.Errorf("a hurried connection reads on: %v", err)
		}
		if _, err := c.Write([]byte("answer")); err != nil {
			t.Errorf("a hurried connection cannot answer: %v", err)
		}
	}
	l.Abort()
	if len(l.open()) != 0 || len(l.peers) != 0 {
		t.Errorf("left: %v", l.peers)
	}
}

type addrConn struct {
	net.Conn
	remote net.Addr
}

func (c addrConn) RemoteAddr() net.Addr { return c.remote }

func TestPeerOf(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.7:1": "192.0.2.7", "[2001:db8:1:2:3::4]:1": "2001:db8:1:2::", "[2001:db8:1:2:ffff::9]:1": "2001:db8:1:2::",
		"[::ffff:192.0.2.7]:1": "192.0.2.7", "[fe80::1%lo]:1": "fe80::",
	} {
		c := addrConn{remote: net.TCPAddrFromAddrPort(netip.MustParseAddrPort(in))}
		if got := peerOf(c).String(); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
	if got := AddrPortOf(&net.UnixAddr{}); got.IsValid() {
		t.Errorf("got %v of a unix socket", got)
	}
}

func TestIdentityOf(t *testing.T) {
	if IdentityOf(nil) != nil {
		t.Error("an identity in the clear")
	}
	unverified := &tls.ConnectionState{Version: tls.VersionTLS13, PeerCertificates: []*x509.Certificate{{}}}
	if got := IdentityOf(unverified); got.Subject != "" || got.Fingerprint != "" || got.Version != "TLS 1.3" {
		t.Errorf("an unverified certificate counts: %+v", got)
	}
}

func TestMetrics(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	m := NewMetrics(reg)
	m.Took(callhome.TransportHTTP, Receipt{}, 10)
	m.Took(callhome.TransportHTTP, Receipt{Duplicate: true}, 5)
	m.Refused(callhome.TransportEmail, RefuseBusy)
	m.Licensing(callhome.TransportHTTP)
	m.Weak()
	var none *Metrics
	none.Took(callhome.TransportHTTP, Receipt{}, 1)
	none.Refused(callhome.TransportHTTP, RefuseBusy)
	none.Licensing(callhome.TransportHTTP)
	none.Weak()
	want := `
# HELP callhome_receive_body_bytes_total Bytes of the messages that were accepted, by transport.
# TYPE callhome_receive_body_bytes_total counter
callhome_receive_body_bytes_total{transport="http"} 15
# HELP callhome_receive_licensing_total Messages of licensing agents, which are answered and not taken, by transport.
# TYPE callhome_receive_licensing_total counter
callhome_receive_licensing_total{transport="http"} 1
# HELP callhome_receive_submissions_total Messages that arrived, by transport and by result: accepted, duplicate, or why they were refused.
# TYPE callhome_receive_submissions_total counter
callhome_receive_submissions_total{result="accepted",transport="http"} 1
callhome_receive_submissions_total{result="busy",transport="email"} 1
callhome_receive_submissions_total{result="duplicate",transport="http"} 1
# HELP callhome_receive_weak_tls_total Messages that came by the weak listener, which speaks old TLS versions and ciphers.
# TYPE callhome_receive_weak_tls_total counter
callhome_receive_weak_tls_total 1
`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
}
