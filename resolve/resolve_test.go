package resolve

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// zone answers for a name server; nil: it does not answer at all.
type zone func(q dns.Question, udp bool) *dns.Msg

// nameServer starts one on loopback by UDP and TCP, and returns its address and how often it was asked.
func nameServer(t testing.TB, z zone) (addr string, asked *atomic.Int64) {
	t.Helper()
	asked = new(atomic.Int64)
	var l net.Listener
	var pc net.PacketConn
	for range 20 { // the same free port for both
		var err error
		if l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		if pc, err = net.ListenPacket("udp", l.Addr().String()); err == nil {
			break
		}
		_ = l.Close()
	}
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, req *dns.Msg) {
		asked.Add(1)
		_, udp := w.RemoteAddr().(*net.UDPAddr)
		if m := z(req.Question[0], udp); m != nil {
			rcode, truncated := m.Rcode, m.Truncated
			answer := m.Answer
			if len(m.Question) == 0 {
				m.SetReply(req)
			} else {
				m.Id, m.Response = req.Id, true
			}
			m.Rcode, m.Truncated, m.Answer = rcode, truncated, answer
			_ = w.WriteMsg(m)
		}
	})
	for _, s := range []*dns.Server{{Listener: l, Handler: handler}, {PacketConn: pc, Handler: handler}} {
		started := make(chan struct{})
		s.NotifyStartedFunc = func() { close(started) }
		go func() { _ = s.ActivateAndServe() }()
		<-started
		t.Cleanup(func() { _ = s.Shutdown() })
	}
	return l.Addr().String(), asked
}

// records answers from lines in zone-file form, and NXDOMAIN for other names.
func records(lines ...string) zone {
	var all []dns.RR
	for _, l := range lines {
		rr, err := dns.NewRR(l)
		if err != nil {
			panic(err)
		}
		all = append(all, rr)
	}
	return func(q dns.Question, _ bool) *dns.Msg {
		m := &dns.Msg{}
		known := false
		for _, rr := range all {
			if strings.EqualFold(rr.Header().Name, q.Name) {
				known = true
				if rr.Header().Rrtype == q.Qtype || rr.Header().Rrtype == dns.TypeCNAME {
					m.Answer = append(m.Answer, rr)
				}
			}
		}
		if !known {
			m.Rcode = dns.RcodeNameError
		}
		return m
	}
}

func rcode(code int) zone {
	return func(dns.Question, bool) *dns.Msg { return &dns.Msg{MsgHdr: dns.MsgHdr{Rcode: code}} }
}

func silent(dns.Question, bool) *dns.Msg { return nil }

// informer is a DHCP server that is asked in memory.
type informer struct {
	mu     sync.Mutex
	on     []string // interfaces asked
	offers []netip.Addr
	err    error
}

func (f *informer) NameServers(_ context.Context, ifname string) ([]netip.Addr, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.on = append(f.on, ifname)
	return f.offers, f.err
}

func noConf(t testing.TB) string { return filepath.Join(t.TempDir(), "none") }

func build(t testing.TB, cfg Config, o Options) *Resolver {
	t.Helper()
	if cfg.QueryTimeout == 0 {
		cfg.QueryTimeout = time.Second
	}
	if o.ResolvConf == "" {
		o.ResolvConf = noConf(t)
	}
	r, err := New(cfg, Source{}, o)
	if err != nil {
		t.Fatal(err)
	}
	r.shuffle = func(int, func(i, j int)) {}
	return r
}

func TestLookupChain(t *testing.T) {
	good, _ := nameServer(t, records("back.example. 60 A 192.0.2.1", "back.example. 60 AAAA 2001:db8::1"))
	fallback, _ := nameServer(t, records("back.example. 60 A 192.0.2.3"))
	broken, _ := nameServer(t, rcode(dns.RcodeServerFailure))
	refusing, _ := nameServer(t, rcode(dns.RcodeRefused))
	mute, _ := nameServer(t, silent)
	unknowing, _ := nameServer(t, rcode(dns.RcodeNameError))
	wrong, _ := nameServer(t, func(dns.Question, bool) *dns.Msg {
		m := new(dns.Msg)
		m.SetQuestion("else.example.", dns.TypeA)
		rr, _ := dns.NewRR("back.example. 60 A 203.0.113.66")
		m.Answer = []dns.RR{rr}
		return m
	})
	alias, _ := nameServer(t, func(q dns.Question, _ bool) *dns.Msg {
		m := new(dns.Msg)
		c, _ := dns.NewRR("back.example. 60 CNAME real.example.")
		a, _ := dns.NewRR("real.example. 60 A 192.0.2.9")
		m.Answer = append(m.Answer, c)
		if q.Qtype == dns.TypeA {
			m.Answer = append(m.Answer, a)
		}
		return m
	})
	truncating, _ := nameServer(t, func(q dns.Question, udp bool) *dns.Msg {
		if udp {
			return &dns.Msg{MsgHdr: dns.MsgHdr{Truncated: true}}
		}
		return records("back.example. 60 A 192.0.2.4")(q, udp)
	})
	static := []Static{{Host: "Back.example", Addresses: []string{"192.0.2.5", "192.0.2.6"}}}
	for _, c := range []struct {
		name string
		host string
		cfg  Config
		want []string
		step Step
	}{
		{"address", "192.0.2.77", Config{}, []string{"192.0.2.77"}, StepLiteral},
		{"IPv6 address", "2001:db8::7", Config{}, []string{"2001:db8::7"}, StepLiteral},
		{"hosts file", "localhost", Config{}, nil, StepHosts},
		{"configured, both families", "back.example", Config{Servers: []string{good}}, []string{"2001:db8::1", "192.0.2.1"}, StepConfigured},
		{"final dot and case", "BACK.example.", Config{Servers: []string{good}}, []string{"2001:db8::1", "192.0.2.1"}, StepConfigured},
		{"all configured ones are tried", "back.example", Config{Servers: []string{broken, refusing, unknowing, wrong, fallback}}, []string{"192.0.2.3"}, StepConfigured},
		{"one that does not answer", "back.example", Config{Servers: []string{mute, fallback}, QueryTimeout: 100 * time.Millisecond}, []string{"192.0.2.3"}, StepConfigured},
		{"alias", "back.example", Config{Servers: []string{alias}}, []string{"192.0.2.9"}, StepConfigured},
		{"truncated", "back.example", Config{Servers: []string{truncating}}, []string{"192.0.2.4"}, StepConfigured},
		{"fallback", "back.example", Config{Servers: []string{broken}, FallbackResolvers: []string{fallback}, StaticEndpoints: static}, []string{"192.0.2.3"}, StepFallback},
		{"fallback without any configured", "back.example", Config{FallbackResolvers: []string{fallback}}, []string{"192.0.2.3"}, StepFallback},
		{"static", "back.example", Config{Servers: []string{broken}, FallbackResolvers: []string{unknowing}, StaticEndpoints: static}, []string{"192.0.2.5", "192.0.2.6"}, StepStatic},
		{"nothing", "back.example", Config{Servers: []string{broken}}, nil, ""},
		{"no name at all", "a..b", Config{Servers: []string{good}}, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := build(t, c.cfg, Options{}).Lookup(t.Context(), c.host)
			if c.step == "" {
				var typed *Error
				if !errors.As(err, &typed) || errors.Is(err, ErrNoNameServer) {
					t.Fatalf("got %+v, %v, want an *Error that is not ErrNoNameServer", got, err)
				}
				return
			}
			var addrs []string
			for _, a := range got.Addrs {
				addrs = append(addrs, a.String())
			}
			if err != nil || got.Step != c.step || (c.want != nil && !cmp.Equal(addrs, c.want)) {
				t.Errorf("got %v by %s, %v; want %v by %s", addrs, got.Step, err, c.want, c.step)
			}
		})
	}
}

func TestLookupByDHCP(t *testing.T) {
	now := time.Now()
	f := &informer{offers: []netip.Addr{netip.MustParseAddr("192.0.2.53")}}
	r := build(t, Config{
		Interfaces:   []Interface{{"outside", 0}, {"inside", 100}, {"dmz", 50}},
		QueryTimeout: 50 * time.Millisecond,
	}, Options{DHCP: f, Now: func() time.Time { return now }})
	servers, names, err := r.serversOf(t.Context(), StepDHCP, "back.example")
	if err != nil || !cmp.Equal(servers, []string{"192.0.2.53:53"}) || !cmp.Equal(names, []string{"back.example."}) {
		t.Fatalf("got %v %v %v", servers, names, err)
	}
	_, _, _ = r.serversOf(t.Context(), StepDHCP, "back.example")
	if !cmp.Equal(f.on, []string{"inside"}) {
		t.Errorf("asked on %v, want once on the interface of the highest level", f.on)
	}
	now = now.Add(offerTTL)
	f.err, f.offers = errors.New("no answer"), nil
	if _, _, err := r.serversOf(t.Context(), StepDHCP, "back.example"); err == nil {
		t.Error("an old offer is used for ever")
	}
	now = now.Add(noOfferTTL)
	f.err = nil
	if _, _, err := r.serversOf(t.Context(), StepDHCP, "back.example"); err == nil || !strings.Contains(err.Error(), "offers no name server") {
		t.Errorf("got %v", err)
	}
}

func TestSystemNameServers(t *testing.T) {
	server, _ := nameServer(t, records("back.lab.example. 60 A 192.0.2.8"))
	_, port, _ := net.SplitHostPort(server)
	conf := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(conf, []byte("nameserver 127.0.0.1\nsearch lab.example\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := build(t, Config{}, Options{ResolvConf: conf})
	servers, names, err := r.configured("back")
	if err != nil || !cmp.Equal(servers, []string{"127.0.0.1:53"}) || !cmp.Equal(names, []string{"back.lab.example.", "back."}) {
		t.Fatalf("got %v %v %v", servers, names, err)
	}
	addrs, _, err := r.query(t.Context(), []string{"127.0.0.1:" + port}, names)
	if err != nil || len(addrs) != 1 {
		t.Errorf("got %v, %v, want the address found by the search list", addrs, err)
	}
}

func TestNoNameServer(t *testing.T) {
	closed := closedPort(t)
	unknowing, _ := nameServer(t, rcode(dns.RcodeNameError))
	loop, _ := nameServer(t, records("back.example. 60 A 127.0.0.1"))
	for _, c := range []struct {
		name string
		cfg  Config
		host string
		want bool
	}{
		{"none at all", Config{}, "back.example", true},
		{"static not reached", Config{StaticEndpoints: []Static{{"back.example", []string{"127.0.0.1"}}}}, "back.example", true},
		{"fallback knows it not", Config{FallbackResolvers: []string{unknowing}}, "back.example", true},
		{"fallback knows it, not reached", Config{FallbackResolvers: []string{loop}}, "back.example", true},
		{"configured, not known", Config{Servers: []string{unknowing}}, "back.example", false},
		{"configured, not reached", Config{Servers: []string{loop}}, "back.example", false},
		{"an address needs none", Config{}, "127.0.0.1", false},
	} {
		conn, err := build(t, c.cfg, Options{}).DialContext(t.Context(), "tcp", net.JoinHostPort(c.host, closed))
		if err == nil {
			_ = conn.Close()
			t.Errorf("%s: reached", c.name)
			continue
		}
		if got := errors.Is(err, ErrNoNameServer); got != c.want {
			t.Errorf("%s: %v; ErrNoNameServer is %v, want %v", c.name, err, got, c.want)
		}
	}
}

func closedPort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	_ = l.Close()
	return port
}

func TestCache(t *testing.T) {
	now := time.Now()
	clock := func() time.Time { return now }
	for _, c := range []struct {
		name  string
		zone  zone
		after time.Duration
		asked int64 // look-ups that reached the server
	}{
		{"within its time", records("b.example. 60 A 192.0.2.1"), 59 * time.Second, 1},
		{"after its time", records("b.example. 60 A 192.0.2.1"), 61 * time.Second, 2},
		{"zero is held up", records("b.example. 0 A 192.0.2.1"), minTTL - 1, 1},
		{"zero, later", records("b.example. 0 A 192.0.2.1"), minTTL, 2},
		{"a week is cut", records("b.example. 604800 A 192.0.2.1"), maxTTL, 2},
		{"a failure is remembered shortly", rcode(dns.RcodeNameError), negativeTTL - 1, 1},
		{"a failure is forgotten", rcode(dns.RcodeNameError), negativeTTL, 2},
	} {
		server, asked := nameServer(t, c.zone)
		r := build(t, Config{Servers: []string{server}}, Options{Now: clock})
		_, first := r.Lookup(t.Context(), "b.example")
		now = now.Add(c.after)
		_, second := r.Lookup(t.Context(), "b.example")
		if got := asked.Load() / 2; got != c.asked || (first == nil) != (second == nil) { // A and AAAA
			t.Errorf("%s: asked %d times (%v, %v), want %d", c.name, got, first, second, c.asked)
		}
	}
}

func TestLookupsAreShared(t *testing.T) {
	release := make(chan struct{})
	server, asked := nameServer(t, func(q dns.Question, udp bool) *dns.Msg {
		<-release
		return records("b.example. 60 A 192.0.2.1")(q, udp)
	})
	r := build(t, Config{Servers: []string{server}, QueryTimeout: time.Minute}, Options{})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := r.Lookup(t.Context(), "b.example"); err != nil {
				t.Error(err)
			}
		})
	}
	close(release)
	wg.Wait()
	if got := asked.Load(); got != 2 { // A and AAAA
		t.Errorf("the server was asked %d times, want 2", got)
	}
}

func TestLookupGoesOnWhenItsAskerLeaves(t *testing.T) {
	asking, release := make(chan struct{}, 10), make(chan struct{})
	server, _ := nameServer(t, func(q dns.Question, udp bool) *dns.Msg {
		asking <- struct{}{}
		<-release
		return records("b.example. 60 A 192.0.2.1")(q, udp)
	})
	r := build(t, Config{Servers: []string{server}, QueryTimeout: time.Minute}, Options{})
	ctx, leave := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := r.Lookup(ctx, "b.example"); err == nil {
			t.Error("the one that left got an answer")
		}
	})
	<-asking
	wg.Go(func() {
		if _, err := r.Lookup(t.Context(), "b.example"); err != nil {
			t.Errorf("the one that stayed: %v", err)
		}
	})
	leave()
	<-asking // the second question of the first, or the first of the second
	close(release)
	wg.Wait()
}

// listen accepts connections on a loopback address and greets with its name.
func listen(t testing.TB, network, addr string) (port string) {
	t.Helper()
	l, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return port
}

func TestDialTriesAllAddresses(t *testing.T) {
	port := listen(t, "tcp", "127.0.0.1:0")
	server, _ := nameServer(t, records(
		"both.example. 60 AAAA ::1", "both.example. 60 A 127.0.0.1",
		"dead.example. 60 A 127.0.0.2",
	))
	cfg := Config{Servers: []string{server}, StaticEndpoints: []Static{{"dead.example", []string{"127.0.0.2", "127.0.0.3", "127.0.0.1"}}}}
	r := build(t, cfg, Options{})
	for _, host := range []string{"both.example", "dead.example", "localhost", "127.0.0.1"} {
		conn, err := r.DialContext(t.Context(), "tcp", net.JoinHostPort(host, port))
		if err != nil {
			t.Errorf("%s: %v", host, err)
			continue
		}
		if got := conn.RemoteAddr().String(); got != "127.0.0.1:"+port {
			t.Errorf("%s: reached %s", host, got)
		}
		_ = conn.Close()
	}
	if _, err := r.DialContext(t.Context(), "tcp6", net.JoinHostPort("127.0.0.1", port)); err == nil {
		t.Error("tcp6 reached an IPv4 address")
	}
	if _, err := r.DialContext(t.Context(), "tcp", "no port"); err == nil {
		t.Error("an address without a port was dialled")
	}
}

func TestDialPassesOverAHangingAddress(t *testing.T) {
	addrs := []netip.Addr{netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("192.0.2.1")}
	hang := make(chan struct{})
	var closed atomic.Bool
	late := &closeSpy{closed: &closed}
	t2 := race{results: make(chan attempt, 2), dial: func(a netip.Addr) (net.Conn, error) {
		if a.Is6() {
			<-hang
			return late, nil
		}
		c, _ := net.Pipe()
		return c, nil
	}}
	conn, err := t2.run(addrs)
	if err != nil || conn == net.Conn(late) {
		t.Fatalf("got %v, %v, want the second address", conn, err)
	}
	close(hang)
	for !closed.Load() { // the loser is closed by its own goroutine; the test hangs when it is not
		time.Sleep(time.Millisecond)
	}
}

type closeSpy struct {
	net.Conn
	closed *atomic.Bool
}

func (c *closeSpy) Close() error { c.closed.Store(true); return nil }

func TestOrder(t *testing.T) {
	parse := func(list ...string) (out []netip.Addr) {
		for _, s := range list {
			out = append(out, netip.MustParseAddr(s))
		}
		return out
	}
	in := parse("192.0.2.1", "192.0.2.2", "2001:db8::1")
	six := &Resolver{}
	four := &Resolver{cfg: Config{IPv4First: true}}
	bound := &Resolver{source: binding{addr: netip.MustParseAddr("192.0.2.9")}}
	for _, c := range []struct {
		name string
		got  []netip.Addr
		want []netip.Addr
	}{
		{"IPv6 first", six.ordered(in), parse("2001:db8::1", "192.0.2.1", "192.0.2.2")},
		{"IPv4 first", four.ordered(in), parse("192.0.2.1", "2001:db8::1", "192.0.2.2")},
		{"source address", bound.usable("tcp", in), parse("192.0.2.1", "192.0.2.2")},
		{"tcp6", six.usable("tcp6", in), parse("2001:db8::1")},
	} {
		if !cmp.Equal(c.got, c.want, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })) {
			t.Errorf("%s: got %v, want %v", c.name, c.got, c.want)
		}
	}
}

func TestSource(t *testing.T) {
	port := listen(t, "tcp", "127.0.0.1:0")
	r, err := New(Config{}, Source{Address: "127.0.0.5"}, Options{ResolvConf: noConf(t)})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := r.DialContext(t.Context(), "tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	if got := conn.LocalAddr().(*net.TCPAddr).IP.String(); got != "127.0.0.5" {
		t.Errorf("came from %s", got)
	}
	_ = conn.Close()
	lo, err := New(Config{}, Source{Interface: "lo"}, Options{ResolvConf: noConf(t)})
	if err != nil {
		t.Fatal(err)
	}
	conn, err = lo.DialContext(t.Context(), "tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatalf("bound to lo: %v", err)
	}
	_ = conn.Close()
	none, _ := New(Config{}, Source{VRF: "no-such-vrf"}, Options{ResolvConf: noConf(t)})
	if _, err := none.DialContext(t.Context(), "tcp", "127.0.0.1:"+port); err == nil || !strings.Contains(err.Error(), "no-such-vrf") {
		t.Errorf("got %v, want a fault that names the device", err)
	}
}

func TestDialEndsWithItsContext(t *testing.T) {
	mute, _ := nameServer(t, silent)
	r := build(t, Config{Servers: []string{mute}, QueryTimeout: time.Minute}, Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	begun := time.Now()
	if _, err := r.DialContext(ctx, "tcp", "back.example:443"); err == nil {
		t.Error("reached")
	}
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		name string
		cfg  Config
		src  Source
		path string
	}{
		{"default", DefaultConfig(), Source{}, ""},
		{"servers", Config{Servers: []string{"192.0.2.1", "2001:db8::1", "[2001:db8::1]:5353", "192.0.2.1:54"}}, Source{}, ""},
		{"a name as server", Config{Servers: []string{"dns.example"}}, Source{}, "resolver.servers[0]"},
		{"port 0", Config{FallbackResolvers: []string{"192.0.2.1:0"}}, Source{}, "resolver.fallback_resolvers[0]"},
		{"level", Config{Interfaces: []Interface{{"eth0", 101}}}, Source{}, "resolver.interfaces[0].security_level"},
		{"interface", Config{Interfaces: []Interface{{"", 1}}}, Source{}, "resolver.interfaces[0].name"},
		{"static host", Config{StaticEndpoints: []Static{{"", []string{"192.0.2.1"}}}}, Source{}, "resolver.static_endpoints[0].host"},
		{"static none", Config{StaticEndpoints: []Static{{"a", nil}}}, Source{}, "resolver.static_endpoints[0].addresses"},
		{"static name", Config{StaticEndpoints: []Static{{"a", []string{"b"}}}}, Source{}, "resolver.static_endpoints[0].addresses[0]"},
		{"timeout", Config{QueryTimeout: time.Hour}, Source{}, "resolver.query_timeout"},
		{"source", Config{}, Source{Address: "eth0"}, "source_address"},
		{"both devices", Config{}, Source{Interface: "eth0", VRF: "red"}, "vrf"},
	} {
		_, err := New(c.cfg, c.src, Options{})
		if (err == nil) != (c.path == "") || (err != nil && !strings.Contains(err.Error(), c.path)) {
			t.Errorf("%s: got %v, want a fault at %q", c.name, err, c.path)
		}
	}
}

func FuzzAddressesOf(f *testing.F) {
	m := new(dns.Msg)
	m.SetQuestion("back.example.", dns.TypeA)
	rr, _ := dns.NewRR("back.example. 60 A 192.0.2.1")
	m.Answer = []dns.RR{rr}
	raw, err := m.Pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		m := new(dns.Msg)
		if m.Unpack(raw) != nil {
			return
		}
		addrs, ttl := addressesOf(m)
		if len(addrs) > maxAddrs || ttl < 0 {
			t.Fatalf("%d addresses, %v", len(addrs), ttl)
		}
	})
}

func FuzzParseServer(f *testing.F) {
	for _, s := range []string{"192.0.2.1", "[2001:db8::1]:53", "x:1", "fe80::1%eth0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		addr, err := parseServer(s)
		if err != nil {
			return
		}
		if again, err := parseServer(addr); err != nil || again != addr {
			t.Fatalf("%q: %q became %q, %v", s, addr, again, err)
		}
	})
}
