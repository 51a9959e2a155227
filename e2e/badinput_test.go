package e2e

import (
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	// manyConnections is more than the devices of a large site.
	manyConnections = 10_000
	// maxResident bounds the agent's memory at its worst, in KiB: ten thousand connections at about 16 KiB each, frames
	// of 1 MiB under way, and the runtime's room for both.
	maxResident = 384 << 10
	// prompt is how long a good line may take while strangers do their worst, and afterwards.
	prompt = 5 * time.Second
)

// badWorld is an agent among strangers who talk to it as nobody should.
type badWorld struct {
	t             *testing.T
	a             *agentProcess
	s             *sink
	udp, tcp, tls string
	metrics       string
	good          int
}

func newBadWorld(t *testing.T) *badWorld {
	t.Helper()
	b := &badWorld{t: t, s: newSink(t), udp: freePort(t, "127.0.0.1"), tcp: freePort(t, "127.0.0.1"), tls: freePort(t, "::1"), metrics: freePort(t, "127.0.0.1")}
	cert, key := newCA(t, "Syslog CA").leaf("collector")
	config := strings.Replace(lineConfig(b.s, fmt.Sprintf(`{syslog: ["udp://%s", "tcp://%s", "tls://%s"], tls: {cert_file: %s, key_file: %s}}`, b.udp, b.tcp, b.tls, cert, key),
		fmt.Sprintf(`metrics: {listen: "%s"}`, b.metrics)),
		`{group: syslog, severity: debugging, pattern: ".*"}`, `{group: syslog, severity: debugging, pattern: "GOODLINE"}`, 1)
	b.a = startAgent(t, t.TempDir(), config)
	return b
}

// served sends a good line by each transport and waits for what is told of them.
func (b *badWorld) served(after string) {
	b.t.Helper()
	start := time.Now()
	var texts []string
	for transport, send := range map[string]func(line string) error{
		"udp": func(line string) error {
			return dialAndSend(func() (net.Conn, error) { return net.Dial("udp", b.udp) }, line)
		},
		"tcp": func(line string) error {
			return dialAndSend(func() (net.Conn, error) { return net.Dial("tcp", b.tcp) }, line+"\n")
		},
		"tls": func(line string) error {
			conf := &tls.Config{InsecureSkipVerify: true}
			return dialAndSend(func() (net.Conn, error) { return tls.Dial("tcp", b.tls, conf) }, strconv.Itoa(len(line))+" "+line)
		},
	} {
		b.good++
		text := fmt.Sprintf("GOODLINE: %d by %s after %s", b.good, transport, after)
		texts = append(texts, text)
		if err := send("<186>7: edge-rtr-7: Jun 13 2026 21:07:15.454 UTC: %SYS-2-" + text); err != nil {
			b.t.Errorf("after %s: a good line by %s: %v", after, transport, err)
		}
	}
	b.s.awaitAll(b.t, texts)
	if took := time.Since(start); took > prompt {
		b.t.Errorf("after %s good lines took %s, want at most %s", after, took, prompt)
	}
}

func dialAndSend(dial func() (net.Conn, error), text string) error {
	conn, err := dial()
	if err != nil {
		return err
	}
	_, err = conn.Write([]byte(text))
	time.Sleep(10 * time.Millisecond) // a TLS end must not overtake what was sent
	if e := conn.Close(); err == nil {
		err = e
	}
	return err
}

// peakMemory is the agent's VmHWM in KiB.
func (b *badWorld) peakMemory() int {
	b.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", b.a.cmd.Process.Pid))
	if err != nil {
		b.t.Fatal(err)
	}
	fields := strings.Fields(grep(string(status), "VmHWM"))
	if len(fields) < 2 {
		b.t.Fatalf("no VmHWM in %s", status)
	}
	n, err := strconv.Atoi(fields[1])
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

// send writes to a new TCP connection and does not care whether it is taken; the connection is returned open.
func (b *badWorld) send(addr string, text []byte) net.Conn {
	b.t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		b.t.Fatal(err)
	}
	_ = conn.SetWriteDeadline(time.Now().Add(patience))
	_, _ = conn.Write(text)
	return conn
}

// TestE2EBadInput: whatever strangers send, good lines are served within seconds and memory stays bounded.
func TestE2EBadInput(t *testing.T) {
	needE2E(t)
	b := newBadWorld(t)
	b.served("the start")
	for _, step := range []struct {
		name string
		do   func(*badWorld) []net.Conn // the connections that stay open until the end
	}{
		{"truncated and false frames", (*badWorld).falseFrames},
		{"lines of a MiB and more", (*badWorld).longLines},
		{"octets that are no text", (*badWorld).garbage},
		{"datagrams of every size", (*badWorld).datagrams},
		{"slow senders", (*badWorld).slow},
		{"half-open TLS handshakes", (*badWorld).halfOpenTLS},
	} {
		for _, conn := range step.do(b) {
			defer conn.Close()
		}
		b.served(step.name)
		t.Logf("after %s: at most %d MiB", step.name, b.peakMemory()>>10)
	}
	if peak := b.peakMemory(); peak > maxResident {
		t.Errorf("memory: got %d KiB at its peak, want at most %d", peak, maxResident)
	}
	awaitPage(t, b.metrics, "/metrics", fmt.Sprintf(`callhome_intake_connections{listener="tls://%s"} 0`, b.tls)) // nobody holds one for good
}

func (b *badWorld) falseFrames() []net.Conn {
	for _, addr := range []string{b.tcp, b.tls} {
		for _, text := range []string{
			"120 <13>shorter than it says", "99999999999999999999 <13>x", "-5 <13>x", "0 0 0 0 0 ", "007 <13>abc", "1048577 <13>", "5", "\n\n\n\n", "5 <13>",
			"8 <13>good9 <13>", "<", "<999999999999>", "<13", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\x00\x00\x00\x00",
		} {
			b.send(addr, []byte(text)).Close()
		}
	}
	return nil
}

func (b *badWorld) longLines() []net.Conn {
	const mib = 1 << 20
	long := "<13>" + strings.Repeat("x", mib-4)
	var open []net.Conn
	for range 8 {
		b.send(b.tcp, []byte(long+"\n")).Close()
		b.send(b.tcp, []byte(long+long+long+"\n")).Close() // longer than is taken whole
		b.send(b.tcp, fmt.Appendf(nil, "%d %s", len(long), long)).Close()
		open = append(open, b.send(b.tcp, []byte(long))) // without an end
		open = append(open, b.send(b.tcp, fmt.Appendf(nil, "%d %s", mib, long[:mib/2])))
	}
	return open
}

func (b *badWorld) garbage() []net.Conn {
	random := rand.NewChaCha8([32]byte{1})
	var noise []byte
	for _, text := range []string{
		"\x00\x00\x00", "<13>\x00\x00\x00\n", "<186>\xff\xfe\xfd %SYS-2-X: \xc3\x28 \xed\xa0\x80\n", "<13>\u202etxet\x1b[2J\x07\n", "<13>1 \x00 \x00 \x00 \x00 \x00 \x00\n",
		"<13>1 2026-06-13T21:07:15Z h a p m [" + strings.Repeat("x@1 a=\"]\"", 5000) + "\n", "<187>%%%%%%%%%%%%%\n", strings.Repeat("[", 100_000) + "\n", strings.Repeat("<13>", 100_000) + "\n",
	} {
		noise = append(noise, text...)
	}
	block := make([]byte, 256<<10)
	for range 8 {
		_, _ = random.Read(block)
		b.send(b.tcp, append(block, noise...)).Close()
		b.send(b.tls, block).Close()
	}
	return nil
}

func (b *badWorld) datagrams() []net.Conn {
	conn, err := net.Dial("udp", b.udp)
	if err != nil {
		b.t.Fatal(err)
	}
	defer conn.Close()
	for _, size := range []int{0, 1, 2, 4, 511, 1472, 8192, 65_506, 65_507} {
		for _, fill := range []string{"\x00", "x", "\xff", "\n", "<", "["} {
			text := "<13>" + strings.Repeat(fill, size)
			if _, err := conn.Write([]byte(text[:size])); err != nil {
				b.t.Errorf("datagram of %d bytes: %v", size, err)
			}
		}
	}
	return nil
}

// slow sends a byte at a time over many connections, and goes on in the background while the good lines come.
func (b *badWorld) slow() []net.Conn {
	var open []net.Conn
	for range 200 {
		open = append(open, b.send(b.tcp, []byte("<")))
	}
	stop := make(chan struct{})
	var sending sync.WaitGroup
	sending.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
			for _, conn := range open {
				_, _ = conn.Write([]byte{'0' + byte(i%10)})
			}
		}
	})
	b.t.Cleanup(func() { close(stop); sending.Wait() })
	return open
}

func (b *badWorld) halfOpenTLS() []net.Conn {
	hello := []byte{0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03}
	var open []net.Conn
	for i := range 500 {
		text := hello
		if i%2 == 0 {
			text = nil
		}
		open = append(open, b.send(b.tls, text))
	}
	return open
}

// TestE2ETenThousandConnections: as many senders as a large site has devices, each sending and then silent.
func TestE2ETenThousandConnections(t *testing.T) {
	needE2E(t)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	const need = manyConnections + 1000
	if limit.Cur < need {
		limit.Cur, limit.Max = need, max(limit.Max, need)
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			t.Fatalf("this test needs %d open files: %v", need, err)
		}
	}
	b := newBadWorld(t)
	open := make([]net.Conn, 0, manyConnections)
	defer func() {
		for _, conn := range open {
			conn.Close()
		}
	}()
	start := time.Now()
	for i := range manyConnections {
		// Many source addresses, as many devices have; one has too few ports besides.
		dialer := net.Dialer{Timeout: patience, LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+i%200))}}
		conn, err := dialer.Dial("tcp", b.tcp)
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		open = append(open, conn)
		if _, err := fmt.Fprintf(conn, "<13>device %d says nothing of interest\n<13>half a line", i); err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
	}
	t.Logf("%d connections in %s", manyConnections, time.Since(start).Round(time.Millisecond))
	b.served("ten thousand connections")
	peak := b.peakMemory()
	if peak > maxResident {
		t.Errorf("memory: got %d KiB at its peak, want at most %d", peak, maxResident)
	}
	last := open[len(open)-1]
	if _, err := fmt.Fprint(last, " GOODLINE of the last device\n"); err != nil {
		t.Error(err)
	}
	b.s.awaitText(t, "GOODLINE of the last device")
	t.Logf("at most %d MiB", peak>>10)
}
