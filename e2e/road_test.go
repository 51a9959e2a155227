package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"callhome"
	"callhome/agent"
	"callhome/simulate"
	"callhome/simulate/device"

	"encoding/base64"
)

// agentConfig is a configuration with a pager, a team and a back end.
func agentConfig(t *testing.T, s *sink, syslog string, more ...string) string {
	t.Helper()
	host, port := hostPort(t, s.Mail)
	return fmt.Sprintf(`data_dir: ./data
control: ./data/agent.sock
device: {hostname: edge-rtr-7, personality: ios, model: QX9006, serial: QXA2613K0PZ, part_no: 68-9001-02, hw_version: "1.1", sw_version: 17.12.4, brand: Acme Networks, series: QX9000}
call_home:
  contact: {name: Rita Moura, email: noc@ops.example, phone: "+351-21-555-0144", street_address: "Rua das Flores 12, Lisboa"}
  customer_id: C-20417
  site_id: LIS-2
  contract_id: K-7781-22
  sender: {from: callhome@ops.example, reply_to: noc@ops.example}
  rate_limit: 0
  mail_servers: [{host: "%s", port: %s, priority: 1, security: none}]
  profiles:
    - {name: pager, format: short-text, email: [oncall@ops.example], subscribe: [{group: environment, severity: warning}, {group: syslog, severity: major}]}
    - {name: team, format: long-text, email: [team@ops.example], subscribe: [{group: environment, severity: warning}]}
    - name: backend
      format: xml
      http: ["%s"]
      subscribe:
        - {group: syslog, severity: major, pattern: ".*"}
        - {group: environment, severity: warning}
intake: {syslog: ["%s"]}
retry: {backoff_min: 100ms, backoff_max: 1s}
%s
`, host, port, s.URL, syslog, strings.Join(more, "\n"))
}

// fanTime is when the fan failed: a clock that is far off would not be believed.
var fanTime = time.Now().UTC().Add(-time.Minute).Truncate(time.Second)

var fanLine = "<185>29: edge-rtr-7: " + fanTime.Format("Jan _2 2006 15:04:05.000") + " UTC: %PLATFORM_ENV-1-FAN: Faulty fan detected, tray P2"

// TestE2EMainRoad: a device's line arrives as two lines on a pager, as full text with command output, and as XML.
func TestE2EMainRoad(t *testing.T) {
	needE2E(t)
	s := newSink(t)
	ssh, known, port := startConsole(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "known_hosts"), []byte(known), 0o600); err != nil {
		t.Fatal(err)
	}
	listen := "127.0.0.1:" + portOf(t, freePort(t, "127.0.0.1"))
	startAgent(t, dir, agentConfig(t, s, "udp://"+listen, fmt.Sprintf(`devices:
  - hostname: core-1
    address: 127.0.0.2
    personality: ios
    model: QX9010
    serial: QXB0000CORE
    ssh: {port: %s, username: callhome, password: hunter2, known_hosts: %s}`, port, filepath.Join(dir, "known_hosts"))))

	conn, err := net.DialUDP("udp", &net.UDPAddr{IP: net.ParseIP("127.0.0.2")}, udpAddr(t, listen))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(strings.Replace(fanLine, "edge-rtr-7", "core-1", 1))); err != nil {
		t.Fatal(err)
	}
	xml := s.await(t, "the XML message", func(a *arrival) bool { return a.message != nil && a.transport == "http" })
	m := xml.message
	for what, ok := range map[string]bool{
		"device ID":   m.DeviceID == "QX9010@C@QXB0000CORE",
		"host":        m.SystemName == "core-1",
		"level":       m.Severity != nil && *m.Severity == callhome.LevelCritical,
		"group":       m.Type == "environment",
		"description": strings.Contains(m.Description, "%PLATFORM_ENV-1-FAN: Faulty fan detected, tray P2"),
		"contact":     m.ContactEmail == "noc@ops.example" && m.CustomerID == "C-20417" && m.SiteID == "LIS-2" && m.ContractID == "K-7781-22",
	} {
		if !ok {
			t.Errorf("%s is wrong in %+v", what, m)
		}
	}
	if !hasAttachment(m, "show environment", "Fail            0 RPM") {
		t.Errorf("the output of show environment is not attached: %+v", m.Attachments)
	}
	pager := s.await(t, "the pager's mail", func(a *arrival) bool { return a.transport == "mail" && strings.Contains(a.to[0], "oncall") })
	if n := len(strings.TrimSpace(pager.text)); n > 160 || strings.Count(strings.TrimSpace(pager.text), "\n") != 1 || !strings.Contains(pager.text, "core-1") {
		t.Errorf("the pager's text: got %d characters: %q, want two lines of at most 160", n, pager.text)
	}
	full := s.await(t, "the team's mail", func(a *arrival) bool { return a.transport == "mail" && strings.Contains(a.to[0], "team") })
	for _, want := range []string{"System Name : core-1", "Command Output Name : show environment", "Fail            0 RPM", "Affected Chassis Serial Number : QXB0000CORE"} {
		if !strings.Contains(full.text, want) {
			t.Errorf("the full text lacks %q:\n%s", want, full.text)
		}
	}
	if !strings.HasPrefix(full.subject, "System Notification From core-1 - environment - "+fanTime.Format("2006-01-02 15:04:05")+" GMT+00:00") {
		t.Errorf("subject: got %q", full.subject)
	}
	if logins, _, _ := ssh.Stats(); logins != 1 {
		t.Errorf("the device was logged in to %d times for three profiles, want once", logins)
	}
}

// startConsole runs the command line of a simulated device.
func startConsole(t *testing.T) (d *device.Device, knownHosts, port string) {
	t.Helper()
	dev := simulate.NewFleet(1)[0]
	d, err := device.New(device.Config{Hostname: "core-1", Passwords: map[string]string{"callhome": "hunter2"}, Answer: dev.Answer})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = d.Serve(ln) }()
	t.Cleanup(func() { _ = d.Close() })
	port = portOf(t, ln.Addr().String())
	key := d.HostKey()
	return d, fmt.Sprintf("[127.0.0.2]:%s %s %s\n", port, key.Type(), base64.StdEncoding.EncodeToString(key.Marshal())), port
}

func portOf(t *testing.T, addr string) string {
	t.Helper()
	_, port := hostPort(t, addr)
	return port
}

func udpAddr(t *testing.T, addr string) *net.UDPAddr {
	t.Helper()
	a, err := net.ResolveUDPAddr("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func hasAttachment(m *callhome.Message, name, text string) bool {
	for _, a := range m.Attachments {
		if a.Name == name && strings.Contains(a.Text, text) {
			return true
		}
	}
	return false
}

// TestE2EOperatorCommands: test, send and queue work against a running agent, with their errors and exit codes.
func TestE2EOperatorCommands(t *testing.T) {
	needE2E(t)
	s := newSink(t)
	a := startAgent(t, t.TempDir(), agentConfig(t, s, "udp://"+freePort(t, "127.0.0.1")))

	a.run("test", "is anybody there", "--profile", "backend")
	got := s.await(t, "the test message", func(x *arrival) bool { return x.message != nil && x.message.Type == "test" })
	if !strings.Contains(got.message.Description, "is anybody there") {
		t.Errorf("description: got %q", got.message.Description)
	}
	a.run("send", "alert-group", "inventory", "--profile", "backend")
	s.await(t, "the inventory", func(x *arrival) bool {
		return x.message != nil && x.message.Type == "inventory" && x.message.Subtype == "full"
	})
	a.run("send", "show version;show inventory", "--email", "someone@ops.example", "--service-request", "SR-1")
	s.await(t, "the command output", func(x *arrival) bool { return x.transport == "mail" && x.to[0] == "someone@ops.example" })

	if _, err := a.tryRun("test", "--profile", "nobody"); err == nil || !strings.Contains(err.Error(), "there is no profile") || !strings.Contains(err.Error(), "pager, team, backend") {
		t.Errorf("an unknown profile: got %v, want an error that lists those there are", err)
	}
	var st agent.Status
	a.runJSON(&st, "show", "call-home")
	if st.DeviceID != "QX9006@C@QXA2613K0PZ" || !st.Enabled {
		t.Errorf("status: got %+v", st)
	}
	for _, show := range [][]string{
		{"show", "call-home", "detail"}, {"show", "call-home", "alert-group"}, {"show", "call-home", "profile", "all"},
		{"show", "call-home", "mail-server", "status"}, {"show", "call-home", "statistics"}, {"show", "call-home", "events"},
		{"show", "call-home", "registered-module", "status", "all"}, {"show", "call-home", "history"},
		{"show", "running-config", "call-home"}, {"show", "running-config", "all"},
		{"show", "smart-call-home", "profile", "all"}, {"show", "smart-call", "statistics"}, {"queue", "list"}, {"queue", "list", "--dead"},
	} {
		if out := a.run(show...); strings.TrimSpace(out) == "" {
			t.Errorf("callhome %s prints nothing", strings.Join(show, " "))
		}
	}
	if out := a.run("show", "call-home", "history", string(got.id)); !strings.Contains(out, "sent") || !strings.Contains(out, "backend") {
		t.Errorf("history of %s: got %s", got.id, out)
	}
}

// TestE2EReload: profiles change without losing or repeating a message, and a broken file leaves the old one running.
func TestE2EReload(t *testing.T) {
	needE2E(t)
	s := newSink(t)
	listen := freePort(t, "127.0.0.1")
	a := startAgent(t, t.TempDir(), agentConfig(t, s, "udp://"+listen))
	before := agentConfig(t, s, "udp://"+listen)

	if err := os.WriteFile(a.config, []byte("call_home: {profiles: nonsense}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the complaint about the broken file", func() error {
		if log := a.log.String(); !strings.Contains(log, "agent.yaml:1:") || !strings.Contains(log, "the old one goes on") {
			return fmt.Errorf("not in the log")
		}
		return nil
	})
	sendUDP(t, listen, fanLine)
	s.await(t, "a message by the old configuration", func(x *arrival) bool { return x.message != nil && x.message.Type == "environment" })

	after := strings.Replace(before, "name: backend", "name: renamed", 1)
	if err := os.WriteFile(a.config, []byte(after), 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the new profile", func() error {
		_, err := a.tryRun("show", "call-home", "profile", "renamed")
		return err
	})
	n := len(s.arrivals())
	a.run("test", "--profile", "renamed")
	s.await(t, "a message by the new profile", func(x *arrival) bool { return x.message != nil && x.message.Type == "test" })
	if got := len(s.arrivals()); got > n+3 {
		t.Errorf("a reload repeated messages: %d before, %d after", n, got)
	}
}

// TestE2EOutage: a destination that is away gets everything, in order, when it is back.
func TestE2EOutage(t *testing.T) {
	needE2E(t)
	s := newSink(t)
	a := startAgent(t, t.TempDir(), agentConfig(t, s, "udp://"+freePort(t, "127.0.0.1")))
	s.refuse(errBusy)
	const n = 30
	for i := range n {
		a.run("test", fmt.Sprintf("message %02d", i), "--profile", "backend")
	}
	time.Sleep(time.Second) // some tries fail
	if got := len(s.arrivals()); got != 0 {
		t.Fatalf("%d arrived while the sink refused", got)
	}
	s.refuse(nil)
	eventually(t, "all messages", func() error {
		if got := len(s.arrivals()); got < n {
			return fmt.Errorf("%d of %d", got, n)
		}
		return nil
	})
	for i, x := range s.arrivals() {
		if want := fmt.Sprintf("message %02d", i); !strings.Contains(x.message.Description, want) {
			t.Errorf("arrival %d: got %q, want %s", i, x.message.Description, want)
		}
	}
}

// TestE2EIPv6: intake, mail and HTTP over IPv6.
func TestE2EIPv6(t *testing.T) {
	needE2E(t)
	s := newSinkOn(t, "::1")
	listen := freePort(t, "::1")
	startAgent(t, t.TempDir(), agentConfig(t, s, "udp://"+listen))
	sendUDP(t, listen, fanLine)
	s.await(t, "the XML message", func(x *arrival) bool { return x.message != nil })
	s.await(t, "the mail", func(x *arrival) bool { return x.transport == "mail" })
}
