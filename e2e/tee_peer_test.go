package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// teeLines are lines as devices send them, the odd ones too; none holds a line feed, because rsyslog writes lines.
var teeLines = []string{
	"<189>29: *Mar  1 18:46:11: %SYS-5-CONFIG_I: Configured from console by vty2 (192.0.2.34)",
	"<165>1 2026-06-13T21:07:15.454321Z edge1 rpd 4711 ID [origin ip=\"192.0.2.1\"] text",
	"<14>no header, Umlaute: höher, and octets that are no UTF-8: \xff\xfe",
	"a line without any PRI",
	"<187>trailing blanks   ",
	"<191>" + strings.Repeat("long ", 300),
}

// TestE2ETee: what comes in leaves byte for byte, by UDP to rsyslog and by TCP to whoever listens.
func TestE2ETee(t *testing.T) {
	needE2E(t)
	rsyslogd := needProgram(t, "rsyslogd")
	dir, s := t.TempDir(), newSink(t)
	udp, file := startRsyslogReceiver(t, rsyslogd)
	ln, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	in, inTCP := freePort(t, "127.0.0.1"), freePort(t, "127.0.0.1")
	startAgent(t, dir, lineConfig(s, fmt.Sprintf(`{syslog: ["udp://%s", "tcp://%s"]}`, in, inTCP),
		fmt.Sprintf(`outputs: {syslog: ["udp://%s", "tcp://%s"]}`, udp, ln.Addr())))
	conn, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	frames := bufio.NewReader(conn)

	for i, line := range teeLines {
		sendUDP(t, in, line)
		if got, err := readFrame(conn, frames); err != nil || got != line {
			t.Errorf("by TCP, line %d: got %q, %v, want %q", i, got, err, line)
		}
	}
	const odd = "<13>two\nlines and a \x00 octet"
	sender, err := net.Dial("tcp", inTCP)
	if err != nil {
		t.Fatal(err)
	}
	defer sender.Close()
	if _, err := fmt.Fprintf(sender, "%d %s", len(odd), odd); err != nil {
		t.Fatal(err)
	}
	if got, err := readFrame(conn, frames); err != nil || got != odd {
		t.Errorf("by TCP, from TCP: got %q, %v, want %q", got, err, odd)
	}
	want := strings.Join(teeLines, "\n") + "\n"
	eventually(t, "rsyslog's file", func() error {
		got, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if !strings.HasPrefix(string(got), want) {
			return fmt.Errorf("got %q, want %q", got, want)
		}
		return nil
	})
}

// readFrame takes one octet-counted frame (RFC 6587 section 3.4.1).
func readFrame(conn net.Conn, r *bufio.Reader) (string, error) {
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	count, err := r.ReadString(' ')
	if err != nil {
		return count, err
	}
	n, err := strconv.Atoi(strings.TrimSuffix(count, " "))
	if err != nil {
		return count, err
	}
	b := make([]byte, n)
	_, err = io.ReadFull(r, b)
	return string(b), err
}

// startRsyslogReceiver runs an rsyslog that writes what comes by UDP to a file, as it came.
func startRsyslogReceiver(t *testing.T, rsyslogd string) (addr, file string) {
	t.Helper()
	dir := t.TempDir()
	addr, file = freePort(t, "127.0.0.1"), filepath.Join(dir, "raw")
	_, port := hostPort(t, addr)
	conf := writeFile(t, filepath.Join(dir, "rsyslog.conf"), fmt.Sprintf(`global(workDirectory=%q parser.escapeControlCharactersOnReceive="off" maxMessageSize="64k")
module(load="imudp")
input(type="imudp" address="127.0.0.1" port=%q)
template(name="raw" type="list") { property(name="rawmsg") constant(value="\n") }
action(type="omfile" file=%q template="raw")
`, dir, port, file))
	p := startPeer(t, nil, rsyslogd, "-n", "-f", conf, "-i", filepath.Join(dir, "pid"))
	bound := fmt.Sprintf("0100007F:%04X", portNumber(t, port))
	eventually(t, "rsyslog to listen", func() error {
		select {
		case <-p.exited:
			t.Fatalf("rsyslogd ended:\n%s", p.log)
		default:
		}
		sockets, err := os.ReadFile("/proc/net/udp")
		if err != nil || !strings.Contains(string(sockets), bound) {
			return fmt.Errorf("not yet: %v", err)
		}
		return nil
	})
	return addr, file
}

func portNumber(t *testing.T, port string) int {
	t.Helper()
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
