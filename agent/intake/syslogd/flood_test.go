package syslogd

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"callhome/agent/intake"
	"callhome/trustpoint"
)

// withTimes starts a server with short limits.
func withTimes(t *testing.T, cfg Config, sink intake.Sink, limit time.Duration) (*Server, func()) {
	t.Helper()
	s, err := New(cfg, sink, Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.halfFrame, s.handshake = limit, limit
	if err := s.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stop := sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(stop)
	return s, stop
}

// A sender that drips octets of a frame that never ends is cut off, and what it sent is delivered. A silent connection
// without a half frame stays.
func TestSlowSender(t *testing.T) {
	k := newTaken()
	s, stop := withTimes(t, Config{Syslog: []string{"tcp://127.0.0.1:0"}}, k, 300*time.Millisecond)
	idle, slow := dial(t, s, 0), dial(t, s, 0)
	io.WriteString(idle, "<1>first\n")
	k.wait(t, 1)
	dripped := make(chan struct{})
	go func() {
		defer close(dripped)
		for {
			if _, err := io.WriteString(slow, "x"); err != nil {
				return
			}
			time.Sleep(20 * time.Millisecond) // the sender's pace, not a wait for us
		}
	}()
	k.wait(t, 2)
	<-dripped
	if o := k.from[1]; !o.Unterminated {
		t.Errorf("origin %+v, want unterminated", o)
	}
	io.WriteString(idle, "<1>still here\n")
	k.wait(t, 3)
	stop()
	if st := s.Stats()[0]; st.BadFrames != 1 {
		t.Errorf("stats %+v", st)
	}
}

func TestHalfOpenTLS(t *testing.T) {
	p := newPKI(t)
	k := newTaken()
	s, stop := withTimes(t, Config{Syslog: []string{"tls://127.0.0.1:0"}, TLS: trustpoint.ServerConfig{CertFile: p.cert, KeyFile: p.key}}, k, time.Second)
	silent, garbage := dial(t, s, 0), dial(t, s, 0)
	io.WriteString(garbage, "<13>plain text on the TLS port\n")
	for _, c := range []net.Conn{silent, garbage} {
		io.Copy(io.Discard, c) // until we are hung up on
	}
	good := p.dial(t, s, false)
	io.WriteString(good, "4 <1>a")
	k.wait(t, 1)
	stop()
	if st := s.Stats()[0]; st.FailedHandshakes != 2 {
		t.Errorf("stats %+v", st)
	}
}

// Ten thousand connections of another process, each with a half frame, do not keep the next one from being served.
func TestTenThousandConnections(t *testing.T) {
	const n = 10_000
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if limit.Max < n+500 {
		t.Fatalf("the hard limit of descriptors is %d: raise it (ulimit -Hn) to run this test", limit.Max)
	}
	k := newTaken()
	s, stop := start(t, Config{Syslog: []string{"tcp://127.0.0.1:0"}}, k)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	hangUp := startFarEnd(t, "connect", s.Addrs()[0].String(), strconv.Itoa(n))
	k.wait(t, n)
	late := dial(t, s, 0)
	io.WriteString(late, "<1>late\n")
	k.wait(t, n+1)
	runtime.GC()
	runtime.ReadMemStats(&after)
	t.Logf("%d KiB of heap and stack per connection", (after.HeapInuse+after.StackInuse-before.HeapInuse-before.StackInuse)/n/1024)
	if st := s.Stats()[0]; st.Connections != n+1 {
		t.Errorf("stats %+v", st)
	}
	hangUp()
	k.wait(t, 2*n+1) // the half frames
	stop()
}

func TestConnectionLimit(t *testing.T) {
	k := newTaken()
	s, err := New(Config{Syslog: []string{"tcp://127.0.0.1:0"}}, k, Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.slots = make(chan struct{}, 2)
	if err := s.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	for i := range 2 {
		fmt.Fprintf(dial(t, s, 0), "<1>a\n")
		k.wait(t, i+1)
	}
	if _, err := dial(t, s, 0).Read(make([]byte, 1)); err == nil {
		t.Error("a connection beyond the limit was kept")
	}
	cancel()
	<-done
	if st := s.Stats()[0]; st.Refused != 1 {
		t.Errorf("stats %+v", st)
	}
}

// Datagrams that the kernel drops are counted: sent equals taken plus dropped.
func TestKernelDropsAreCounted(t *testing.T) {
	var n atomic.Uint64
	gate := make(chan struct{})
	s, stop := start(t, Config{Syslog: []string{"udp://127.0.0.1:0"}, ReceiveBuffer: minReceiveBuffer}, intake.SinkFunc(func(context.Context, []byte, *intake.Origin) error {
		<-gate
		n.Add(1)
		return nil
	}))
	c := dial(t, s, 0)
	const sent = 100_000
	line := []byte("<13>" + strings.Repeat("u", 200))
	for range sent {
		if _, err := c.Write(line); err != nil {
			t.Fatal(err)
		}
	}
	close(gate)
	stop()
	st := s.Stats()[0]
	if st.KernelDrops == 0 || n.Load()+st.KernelDrops != sent || st.Lines != n.Load() {
		t.Errorf("sent %d, taken %d, stats %+v", sent, n.Load(), st)
	}
}

// counting is the cheapest sink.
type counting struct{ n atomic.Uint64 }

func (k *counting) Take(context.Context, []byte, *intake.Origin) error { k.n.Add(1); return nil }

const benchLine = "<189>4711: core-1: *Mar 14 09:26:53.123 UTC: %LINEPROTO-5-UPDOWN: Line protocol on Interface GigabitEthernet0/0/1, changed state to down\n"

func BenchmarkTCP(b *testing.B) { benchStream(b, Config{Syslog: []string{"tcp://127.0.0.1:0"}}, nil) }

func BenchmarkTLS(b *testing.B) {
	p := newPKI(b)
	benchStream(b, Config{Syslog: []string{"tls://127.0.0.1:0"}, TLS: trustpoint.ServerConfig{CertFile: p.cert, KeyFile: p.key}}, &p)
}

// benchStream reports CPU time of both ends; the sender writes 64 KiB at a time and costs little.
func benchStream(b *testing.B, cfg Config, p *pki) {
	k := &counting{}
	s, stop := start(b, cfg, k)
	var c net.Conn
	if p != nil {
		c = p.dial(b, s, false)
	} else {
		c = dial(b, s, 0)
	}
	const perWrite = 500
	block := bytes.Repeat([]byte(benchLine), perWrite)
	b.SetBytes(int64(len(benchLine)))
	b.ReportAllocs()
	b.ResetTimer()
	begin := cpu()
	for sent := 0; sent < b.N; sent += perWrite {
		if _, err := c.Write(block[:min(perWrite, b.N-sent)*len(benchLine)]); err != nil {
			b.Fatal(err)
		}
	}
	for k.n.Load() < uint64(b.N) {
		runtime.Gosched()
	}
	b.StopTimer()
	b.ReportMetric((cpu()-begin).Seconds()*1e6/float64(b.N), "cpu-s/Mline")
	stop()
}

func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkUDP sends as fast as one socket can and reports what was lost.
func BenchmarkUDP(b *testing.B) {
	k := &counting{}
	s, stop := start(b, Config{Syslog: []string{"udp://127.0.0.1:0"}}, k)
	c := dial(b, s, 0)
	line := []byte(benchLine)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		if _, err := c.Write(line); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	stop()
	b.ReportMetric(100*float64(b.N-int(k.n.Load()))/float64(b.N), "%lost")
	if st := s.Stats()[0]; st.KernelDrops+k.n.Load() != uint64(b.N) {
		b.Errorf("sent %d, taken %d, dropped %d", b.N, k.n.Load(), st.KernelDrops)
	}
}

// BenchmarkUDPPaced takes datagrams that another process sends at 300,000 a second for a second.
func BenchmarkUDPPaced(b *testing.B) {
	const rate = 300_000
	k := &counting{}
	s, stop := start(b, Config{Syslog: []string{"udp://127.0.0.1:0"}}, k)
	for range b.N {
		begin, before := cpu(), k.n.Load()
		startFarEnd(b, "paced", s.Addrs()[0].String(), strconv.Itoa(rate))()
		b.ReportMetric((cpu()-begin).Seconds()*1e6/float64(k.n.Load()-before), "cpu-s/Mline")
	}
	stop()
	st := s.Stats()[0]
	b.ReportMetric(100*float64(st.KernelDrops)/float64(uint64(b.N)*rate), "%lost")
}
