package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// wideIntake listens in every way there is and returns the addresses; TLS asks for certificates of authority.
type wideIntake struct {
	block                   string
	udp, udp6, tcp, tls, un string
	ungram                  string
}

func newWideIntake(t *testing.T, dir string, authority *ca) wideIntake {
	t.Helper()
	cert, key := authority.leaf("collector")
	w := wideIntake{
		udp: freePort(t, "127.0.0.1"), udp6: freePort(t, "::1"), tcp: freePort(t, "127.0.0.1"), tls: freePort(t, "127.0.0.1"),
		un: filepath.Join(dir, "stream.sock"), ungram: filepath.Join(dir, "dgram.sock"),
	}
	w.block = fmt.Sprintf(`{syslog: ["udp://%s", "udp://%s", "tcp://%s", "tls://%s", "unix://%s", "unixgram://%s"],
  tls: {cert_file: %s, key_file: %s, client_ca_file: %s, require_client_cert: true}}`, w.udp, w.udp6, w.tcp, w.tls, w.un, w.ungram, cert, key, authority.File)
	return w
}

// TestE2ERsyslogSends: rsyslog forwards by UDP over IPv4 and IPv6, by TCP with octet counting, and by TLS with a client
// certificate; without one it is turned away and told of.
func TestE2ERsyslogSends(t *testing.T) {
	needE2E(t)
	rsyslogd := needProgram(t, "rsyslogd")
	dir, s, authority := t.TempDir(), newSink(t), newCA(t, "Syslog CA")
	w := newWideIntake(t, dir, authority)
	metrics := freePort(t, "127.0.0.1")
	startAgent(t, dir, lineConfig(s, w.block, fmt.Sprintf(`metrics: {listen: "%s"}`, metrics)))
	socket := startRsyslog(t, rsyslogd, w, authority)

	conn, err := net.Dial("unixgram", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ways := []string{"by-udp4", "by-udp6", "by-tcp", "by-tls"}
	for _, way := range append(ways, "by-anonymous") {
		if _, err := fmt.Fprintf(conn, "<186>Jun 13 21:07:15 envd[77]: %s: fan 2 höhere Drehzahl", way); err != nil {
			t.Fatal(err)
		}
	}
	for _, way := range ways {
		got := s.awaitText(t, way)
		if !strings.Contains(got.message.Description, "fan 2 höhere Drehzahl") {
			t.Errorf("%s: got %q, want the text unharmed", way, got.message.Description)
		}
		if got.message.SystemName != "edge-rtr-7" {
			t.Errorf("%s: host: got %q, want edge-rtr-7", way, got.message.SystemName)
		}
	}
	eventually(t, "the refused handshake to be counted", func() error {
		page, err := fetch(metrics, "/metrics")
		if err != nil {
			return err
		}
		if line := grep(page, `failed_handshakes_total{listener="tls://`); line == "" || strings.HasSuffix(strings.TrimSpace(line), " 0") {
			return fmt.Errorf("not in %q", line)
		}
		return nil
	})
	for d := range s.described() {
		if strings.Contains(d, "by-anonymous") {
			t.Errorf("a sender without a certificate was served: %s", d)
		}
	}
}

// startRsyslog runs rsyslog with a socket of its own and five ways out, chosen by a word in the text.
func startRsyslog(t *testing.T, rsyslogd string, w wideIntake, authority *ca) (socket string) {
	t.Helper()
	dir := t.TempDir()
	if _, err := os.Stat("/usr/lib/x86_64-linux-gnu/rsyslog/lmnsd_gtls.so"); err != nil {
		if found, _ := filepath.Glob("/usr/lib/*/rsyslog/lmnsd_gtls.so"); len(found) == 0 {
			t.Fatal("rsyslog's TLS driver is missing; tools/test-deps.sh installs it")
		}
	}
	socket = filepath.Join(dir, "log")
	cert, key := authority.leaf("edge-rtr-7")
	action := func(word, addr, more string) string {
		host, port := hostPort(t, addr)
		return fmt.Sprintf("if $msg contains %q then action(type=\"omfwd\" target=%q port=%q %s)\n", word, host, port, more)
	}
	tlsDriver := `protocol="tcp" TCP_Framing="octet-counted" StreamDriver="gtls" StreamDriverMode="1" StreamDriverAuthMode="x509/name" StreamDriverPermittedPeers="collector" template="RSYSLOG_SyslogProtocol23Format"`
	conf := fmt.Sprintf(`global(workDirectory=%q localHostname="edge-rtr-7" defaultNetstreamDriverCAFile=%q)
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket=%q)
`, dir, authority.File, socket) +
		action("by-udp4", w.udp, `protocol="udp" template="RSYSLOG_TraditionalForwardFormat"`) +
		action("by-udp6", w.udp6, `protocol="udp" template="RSYSLOG_SyslogProtocol23Format"`) +
		action("by-tcp", w.tcp, `protocol="tcp" TCP_Framing="octet-counted" template="RSYSLOG_ForwardFormat"`) +
		action("by-tls", w.tls, fmt.Sprintf("%s StreamDriver.CertFile=%q StreamDriver.KeyFile=%q", tlsDriver, cert, key)) +
		action("by-anonymous", w.tls, tlsDriver+` action.resumeRetryCount="1"`)
	writeFile(t, filepath.Join(dir, "rsyslog.conf"), conf)
	p := startPeer(t, nil, rsyslogd, "-n", "-f", filepath.Join(dir, "rsyslog.conf"), "-i", filepath.Join(dir, "pid"))
	eventually(t, "rsyslog's socket", func() error {
		select {
		case <-p.exited:
			t.Fatalf("rsyslogd ended:\n%s", p.log)
		default:
		}
		_, err := os.Stat(socket)
		return err
	})
	return socket
}

// TestE2ELoggenSends: syslog-ng's generator by TCP in both framings, by UDP and by TLS; every line arrives.
func TestE2ELoggenSends(t *testing.T) {
	needE2E(t)
	loggen := tool(t, "syslog-ng", "usr", "bin", "loggen")
	root := filepath.Dir(filepath.Dir(loggen))
	libs, err := filepath.Glob(filepath.Join(root, "lib", "*"))
	if err != nil {
		t.Fatal(err)
	}
	env := []string{"SYSLOGNG_PREFIX=" + root, "LD_LIBRARY_PATH=" + strings.Join(libs, ":")}
	dir, s := t.TempDir(), newSink(t)
	cert, key := newCA(t, "Syslog CA").leaf("collector")
	udp, tcp, secure := freePort(t, "127.0.0.1"), freePort(t, "127.0.0.1"), freePort(t, "::1")
	startAgent(t, dir, lineConfig(s, fmt.Sprintf(`{syslog: ["udp://%s", "tcp://%s", "tls://%s"], tls: {cert_file: %s, key_file: %s}}`, udp, tcp, secure, cert, key)))

	const n = 100
	total := 0
	for _, way := range []struct {
		name, addr string
		args       []string
	}{
		{"tcp", tcp, []string{"--inet", "--stream"}},
		{"tcp, RFC 5424 and octet counting", tcp, []string{"--inet", "--stream", "--syslog-proto", "--sdata", `[test@32473 way="counted"]`}},
		{"udp", udp, []string{"--inet", "--dgram"}},
		{"tls over IPv6", secure, []string{"--use-ssl", "--ipv6"}},
	} {
		before := len(s.arrivals())
		host, port := hostPort(t, way.addr)
		runProgram(t, env, "", loggen, append(way.args, "--quiet", "--number", fmt.Sprint(n), "--rate", "2000", "--size", "300", host, port)...)
		total += n
		eventually(t, way.name, func() error {
			if got := len(s.arrivals()); got < total {
				return fmt.Errorf("%d of %d lines", got-before, n)
			}
			return nil
		})
		if missing := missingNumbers(s.arrivals()[before:], n); len(missing) > 0 {
			t.Errorf("%s: lines %v did not arrive", way.name, missing)
		}
	}
}

var loggenSeq = regexp.MustCompile(`seq: (\d+),`)

// missingNumbers are the sequence numbers below n that no message tells of.
func missingNumbers(arrivals []arrival, n int) []int {
	have := map[string]bool{}
	for _, a := range arrivals {
		if a.message == nil {
			continue
		}
		if m := loggenSeq.FindStringSubmatch(a.message.Description); m != nil {
			have[strings.TrimLeft(m[1], "0")] = true
		}
	}
	var lost []int
	for i := 1; i < n; i++ { // 0 has no digits left
		if !have[fmt.Sprint(i)] {
			lost = append(lost, i)
		}
	}
	return lost
}

// TestE2ELoggerSends: util-linux' logger in all its ways.
func TestE2ELoggerSends(t *testing.T) {
	needE2E(t)
	logger := needProgram(t, "logger")
	dir, s := t.TempDir(), newSink(t)
	w := newWideIntake(t, dir, newCA(t, "Syslog CA"))
	startAgent(t, dir, lineConfig(s, w.block))
	at := func(addr string) []string {
		host, port := hostPort(t, addr)
		return []string{"--server", host, "--port", port}
	}
	for text, args := range map[string][]string{
		"old form by UDP":            append(at(w.udp), "--udp", "--rfc3164"),
		"new form by UDP and IPv6":   append(at(w.udp6), "--udp", "--rfc5424"),
		"structured data by UDP":     append(at(w.udp), "--udp", "--rfc5424", "--msgid", "FAN", "--sd-id", "env@32473", "--sd-param", `tray="2"`),
		"by TCP, lines":              append(at(w.tcp), "--tcp"),
		"by TCP, octets counted":     append(at(w.tcp), "--tcp", "--octet-count", "--rfc5424"),
		"by a unix datagram socket":  {"--socket", w.ungram},
		"by a unix stream socket":    {"--socket", w.un},
		"with a process and no time": {"--socket", w.ungram, "--rfc5424=notime,nohost", "--id=4711"},
	} {
		runProgram(t, nil, "", logger, append(args, "--priority", "local7.crit", "--tag", "envd", text)...)
		got := s.awaitText(t, text)
		if got.message.Severity == nil || got.message.Severity.String() != "major" {
			t.Errorf("%s: severity: got %v, want major", text, got.message.Severity)
		}
		if age := time.Since(got.message.EventTime.Time); age < -time.Minute || age > time.Hour {
			t.Errorf("%s: event time: got %v, want about now", text, got.message.EventTime)
		}
	}
}

// TestE2EOwnAuthority: without a certificate of its own the agent shows one of its own authority, which OpenSSL's client
// can verify by the folder that the log names.
func TestE2EOwnAuthority(t *testing.T) {
	needE2E(t)
	openssl := needProgram(t, "openssl")
	dir, s, addr := t.TempDir(), newSink(t), freePort(t, "127.0.0.1")
	a := startAgent(t, dir, lineConfig(s, fmt.Sprintf(`{syslog: ["tls://%s"]}`, addr)))
	folder := filepath.Join(dir, "data", "tls")
	a.awaitLog("certificate of our own authority", "folder="+folder)
	line := "<186>7: edge-rtr-7: Jun 13 2026 21:07:15.454 UTC: %SYS-2-LOGGED: by OpenSSL"
	runProgram(t, nil, fmt.Sprintf("%d %s", len(line), line), openssl, "s_client", "-quiet", "-no_ign_eof", "-connect", addr,
		"-CAfile", filepath.Join(folder, "ca.crt"), "-verify_return_error", "-verify_hostname", "localhost")
	s.awaitText(t, "by OpenSSL")
}
