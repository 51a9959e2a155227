package e2e

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"mime/quotedprintable"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"callhome"
	"callhome/codec/aml"
	"callhome/receive/httprecv"
)

// shape is a message as a platform publishes it, and what has to come of it.
type shape struct {
	file   string
	id     string // of the message; "" where the platform sends none
	model  string
	serial string
	typ    string
	group  callhome.AlertGroup
	level  int
	host   string
	at     string // of the event
	units  int    // of the inventory, without the chassis
}

const usualTime = "2026-03-14T09:26:53Z"

var shapes = []shape{
	{"iosxe-syslog.xml", "M41:QXA2613K0PZ:69B529DD", "QX9006", "QXA2613K0PZ", "syslog", callhome.GroupSyslog, 5, "edge-rtr-7", usualTime, 0},
	{"iosxe-inventory.xml", "M43:QXA2613K0Q1:69B529DD", "QX9006", "QXA2613K0Q1", "inventory", callhome.GroupInventory, 1, "edge-rtr-8", usualTime, 2},
	{"ios-syslog-1900.xml", "M0:QX69120011:C9D9E20B", "QX-C6509", "QX69120011", "syslog", callhome.GroupSyslog, 2, "Router", "2007-04-25T14:19:55Z", 0},
	{"ios-diagnostic-illegal-name.xml", "M5:FG@07120011:69B529DD", "QX-C6509", "FG@07120011", "diagnostic", callhome.GroupDiagnostic, 5, "core-sw-1", usualTime, 0},
	{"iosxe-inventory-prefixes.xml", "M7:QXA2613K0Q2:69B529DD", "QX9006", "QXA2613K0Q2", "inventory", callhome.GroupInventory, 1, "edge-rtr-9", usualTime, 1},
	{"iosxe-configuration-namespaces.xml", "M9:QXA2613K0Q3:69B529DD", "QX9006", "QXA2613K0Q3", "configuration", callhome.GroupConfiguration, 1, "edge-rtr-10", usualTime, 0},
	{"iosxe-stack.xml", "M11:QXS2613K001:69B529DD", "QX-3850", "QXS2613K001", "inventory", callhome.GroupInventory, 2, "stack-1", usualTime, 0},
	{"iosxe-latin1.xml", "M12:QXA2613K0Q4:69B529DD", "QX9006", "QXA2613K0Q4", "syslog", callhome.GroupSyslog, 2, "edge-rtr-11", usualTime, 0},
	{"iosxe-bom.xml", "M13:QXA2613K0Q4:69B529DD", "QX9006", "QXA2613K0Q4", "syslog", callhome.GroupSyslog, 2, "edge-rtr-11", usualTime, 0},
	{"iosxe-no-header.xml", "", "QX9006", "QXA2613K0Q4", "syslog", callhome.GroupSyslog, 2, "edge-rtr-11", usualTime, 0},
	{"nxos-environment.xml", "1004:QXN2604A1B2:69B529DD", "QX-N7010", "QXN2604A1B2", "environment", callhome.GroupEnvironment, 5, "spine-2", usualTime, 0},
	{"nxos-inventory.xml", "1006:QXN2604A1B3:69B529DD", "QX-N7010", "QXN2604A1B3", "inventory", callhome.GroupInventory, 2, "spine-3", usualTime, 1},
	{"asa-inventory.xml", "M3:QXF2619K0AA:69B529DD", "QXF-5525", "QXF2619K0AA", "inventory", callhome.GroupInventory, 1, "fw-1", usualTime, 1},
	{"asa-syslog.xml", "M4:QXF2619K0AA:69B529DE", "QXF-5525", "QXF2619K0AA", "syslog", callhome.GroupSyslog, 6, "fw-1", usualTime, 0},
	{"mds-syslog.xml", "", "QX-S9509", "QXF26@0441", "Syslog", callhome.GroupSyslog, 2, "san-core-1", usualTime, 0},
	{"mds-inventory.xml", "", "QX-S9509", "QXF26@0442", "Inventory Update", callhome.GroupInventory, 2, "san-core-1", usualTime, 1},
	{"mds-inventory-aml-root.xml", "", "QX-S9509", "QXF26@0443", "Inventory Update", callhome.GroupInventory, 2, "san-core-1", usualTime, 1},
}

// of another device: the same shape under another serial number, so that it is no repeat.
func (s shape) of(suffix string, text []byte) (shape, []byte) {
	text = bytes.ReplaceAll(text, []byte(s.serial), []byte(s.serial+suffix))
	s.id = strings.ReplaceAll(s.id, s.serial, s.serial+suffix)
	s.serial += suffix
	return s, text
}

func (s shape) text(t *testing.T) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "messages", s.file))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// arrived holds what the back end has against the shape.
func (l *ledger) arrived(s shape, way string) error {
	at, err := time.Parse(time.RFC3339, s.at)
	if err != nil {
		return err
	}
	device := string(callhome.MakeDeviceID(s.model, s.serial))
	var id, typ, group, host, status string
	var level int
	var event int64
	row := l.db.Read.QueryRow("SELECT message_id, type, alert_group, severity, sys_name, event_at, status FROM messages WHERE device_id = $1 AND ($2 = '' OR message_id = $2)", device, s.id)
	if err := row.Scan(&id, &typ, &group, &level, &host, &event, &status); err != nil {
		return fmt.Errorf("%s by %s: %w", s.file, way, err)
	}
	if typ != s.typ || group != string(s.group) || level != s.level || host != s.host || event != at.UnixMicro() || status != "marked" {
		return fmt.Errorf("%s by %s: %s %s %d %s %s %s, want %+v", s.file, way, typ, group, level, host, time.UnixMicro(event).UTC(), status, s)
	}
	var state, email string
	if err := l.db.Read.QueryRow("SELECT state, contact_email FROM devices WHERE model = $1 AND serial = $2", s.model, s.serial).Scan(&state, &email); err != nil {
		return fmt.Errorf("%s by %s: its device: %w", s.file, way, err)
	}
	want := "unknown"
	if s.group == callhome.GroupInventory && s.file != "iosxe-stack.xml" { // which is a delta
		want = "pending"
	}
	shared := s.serial == "QXF2619K0AA" // of two messages
	if state != want && !shared || email != "noc@ops.example" {
		return fmt.Errorf("%s by %s: the device is %s, contact %q; want %s", s.file, way, state, email, want)
	}
	var units int
	if err := l.db.Read.QueryRow("SELECT count(u.id) FROM inventory_units u JOIN devices d ON d.id = u.device_id WHERE d.serial = $1 AND u.slot <> ''", s.serial).Scan(&units); err != nil {
		return err
	}
	if units < s.units {
		return fmt.Errorf("%s by %s: %d units, want %d", s.file, way, units, s.units)
	}
	return nil
}

// shapesServer is a back end that takes posts and mails.
func shapesServer(t *testing.T, more string) (s *daemon, mail string, l *ledger) {
	t.Helper()
	mail = freePort(t, "127.0.0.1")
	dir := t.TempDir()
	s = newDaemon(t, "server", dir, replaced(serverConfig, `listen: {`, `listen: {smtp: ["`+mail+`"], `)+more)
	s.start()
	return s, mail, openLedger(t, filepath.Join(dir, "data", "server.db"))
}

// curl posts with curl and gives the status, the head and the body of the answer.
func curl(t *testing.T, body []byte, args ...string) (status, head, answer string) {
	t.Helper()
	dir := t.TempDir()
	in, heads := filepath.Join(dir, "in"), filepath.Join(dir, "head")
	if err := os.WriteFile(in, body, 0o600); err != nil {
		t.Fatal(err)
	}
	args = append([]string{"-sS", "--max-time", "30", "--path-as-is", "-D", heads, "-w", "\n%{http_code}"}, args...)
	if body != nil {
		args = append(args, "--data-binary", "@"+in)
	}
	out, err := exec.Command(needProgram(t, "curl"), args...).CombinedOutput()
	if err != nil {
		t.Fatalf("curl %q: %v: %s", args, err, out)
	}
	h, err := os.ReadFile(heads)
	if err != nil {
		t.Fatal(err)
	}
	cut := bytes.LastIndexByte(out, '\n')
	return string(out[cut+1:]), string(h), string(out[:cut])
}

// TestE2EPublishedShapes: the shapes of messages that platforms send are accepted, decoded, and make their devices known,
// by HTTP with curl and by mail with swaks.
func TestE2EPublishedShapes(t *testing.T) {
	needE2E(t)
	s, mail, l := shapesServer(t, "")
	var all []func() error
	for i, sh := range shapes {
		text := sh.text(t)
		status, _, answer := curl(t, text, "-H", "Content-Type: text/xml", s.URL+httprecv.PathDDCE)
		ack, err := aml.ParseAck([]byte(answer))
		if status != "200" || err != nil || ack.Result != aml.ResultAccepted || string(ack.MessageID) != sh.id {
			t.Errorf("%s: curl gets %s, %+v, %v", sh.file, status, ack, err)
		}
		all = append(all, func() error { return l.arrived(sh, "HTTP") })
		mailed, text := sh.of("E"+fmt.Sprint(i), text)
		way := mailWays[i%len(mailWays)]
		way.send(t, mail, text)
		all = append(all, func() error { return l.arrived(mailed, way.name) })
	}
	for i, way := range mailWays { // one shape in every way
		sh, text := shapes[1].of(fmt.Sprintf("W%d", i), shapes[1].text(t))
		way.send(t, mail, text)
		all = append(all, func() error { return l.arrived(sh, way.name) })
	}
	for i, way := range webWays {
		sh, text := shapes[1].of(fmt.Sprintf("H%d", i), shapes[1].text(t))
		args := append([]string(nil), way.args...)
		status, _, answer := curl(t, text, append(args, s.URL+way.path)...)
		if ack, err := aml.ParseAck([]byte(answer)); status != "200" || err != nil || ack.Result != aml.ResultAccepted || string(ack.MessageID) != sh.id {
			t.Errorf("curl %q %s: got %s, %+v, %v", way.args, way.path, status, ack, err)
		}
		all = append(all, func() error { return l.arrived(sh, fmt.Sprint(way)) })
	}
	for _, f := range all {
		eventually(t, "a message to be worked", f)
	}
	if n := l.number("SELECT count(id) FROM messages"); n != len(all) {
		t.Errorf("%d messages are in the archive, want %d", n, len(all))
	}
	if n := l.number("SELECT count(id) FROM messages WHERE status = 'failed'"); n != 0 {
		t.Errorf("%d messages failed", n)
	}
	t.Logf("%d shapes; %d messages by HTTP and mail", len(shapes), len(all))
}

// webWays are the ways of posting.
var webWays = []struct {
	path string
	args []string
}{
	{httprecv.PathDDCE, []string{"-H", "Content-Type: text/xml; charset=utf-8"}},
	{httprecv.PathDDCE, []string{"-H", "Content-Type: application/xml"}},
	{httprecv.PathDDCE, []string{"-H", `Content-Type: application/soap+xml; charset="UTF-8"; action=""`}},
	{httprecv.PathDDCE, []string{"-H", "Content-Type:"}},
	{httprecv.PathNEDDCE, []string{"-H", "Content-Type: text/xml"}},
	{httprecv.PathGateway, []string{"-H", "Content-Type: text/xml"}},
	{"/TransportGateway/services/DeviceRequestHandler", []string{"-H", "Content-Type: text/xml"}},
	{"/transportgateway/Services/devicerequesthandler", []string{"-H", "Content-Type: text/xml"}},
	{httprecv.PathDDCE, []string{"-H", "Content-Type: text/xml", "-H", "Transfer-Encoding: chunked"}},
	{httprecv.PathDDCE, []string{"-H", "Content-Type: text/xml", "-H", "Expect: 100-continue"}},
	{httprecv.PathDDCE, []string{"-H", "Content-Type: text/xml", "--http1.0"}},
	{httprecv.PathDDCE, []string{"-H", "Content-Type: text/xml", "-H", "SOAPAction: \"\"", "-H", "Connection: close", "-A", ""}},
}

// mailWay is a way of putting a message into a mail.
type mailWay struct {
	name string
	args func(file string) []string            // of swaks; or
	data func(text []byte) (head, body string) // head and body of a mail
}

// boundary parts the mails of mailWays.
const boundary = "=_callhome_1"

func multipart(kind string, parts ...string) (head, body string) {
	return "MIME-Version: 1.0\r\nContent-Type: multipart/" + kind + "; boundary=\"" + boundary + "\"\r\n",
		"--" + boundary + "\r\n" + strings.Join(parts, "\r\n--"+boundary+"\r\n") + "\r\n--" + boundary + "--\r\n"
}

func base64Lines(b []byte) string {
	var out strings.Builder
	text := base64.StdEncoding.EncodeToString(b)
	for len(text) > 76 {
		out.WriteString(text[:76] + "\r\n")
		text = text[76:]
	}
	return out.String() + text
}

func quoted(b []byte) string {
	var out bytes.Buffer
	w := quotedprintable.NewWriter(&out)
	_, _ = w.Write(b)
	_ = w.Close()
	return out.String()
}

var mailWays = []mailWay{
	{name: "mail, in the body", data: func(b []byte) (string, string) { return "", string(b) }},
	{name: "mail, text/xml body", data: func(b []byte) (string, string) {
		return "MIME-Version: 1.0\r\nContent-Type: text/xml\r\nContent-Transfer-Encoding: 8bit\r\n", string(b)
	}},
	{name: "mail, attached by swaks", args: func(file string) []string {
		return []string{"--body", "see the attachment", "--attach-type", "text/xml", "--attach-name", "message.xml", "--attach", "@" + file}
	}},
	{name: "mail, base64 body", data: func(b []byte) (string, string) {
		return "MIME-Version: 1.0\r\nContent-Type: text/xml\r\nContent-Transfer-Encoding: base64\r\n", base64Lines(b)
	}},
	{name: "mail, quoted-printable body", data: func(b []byte) (string, string) {
		return "MIME-Version: 1.0\r\nContent-Type: text/xml; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n", quoted(b)
	}},
	{name: "mail, text/xml part", data: func(b []byte) (string, string) {
		return multipart("mixed", "Content-Type: text/plain\r\n\r\nA message of a device.", "Content-Type: text/xml\r\nContent-Transfer-Encoding: base64\r\n\r\n"+base64Lines(b))
	}},
	{name: "mail, attachment without a telling type", data: func(b []byte) (string, string) {
		return multipart("mixed", "Content-Type: text/plain\r\n\r\nA message of a device.",
			"Content-Type: application/octet-stream; name=\"callhome.xml\"\r\nContent-Disposition: attachment; filename=\"callhome.xml\"\r\nContent-Transfer-Encoding: base64\r\n\r\n"+base64Lines(b))
	}},
	{name: "mail, forwarded", data: func(b []byte) (string, string) {
		return multipart("mixed", "Content-Type: text/plain\r\n\r\nPlease see below.",
			"Content-Type: message/rfc822\r\n\r\nFrom: edge@ops.example\r\nTo: callhome@example.com\r\nSubject: System Notification From edge - inventory - 2026-03-14 09:26:53 GMT+00:00\r\n"+
				"MIME-Version: 1.0\r\nContent-Type: text/xml\r\nContent-Transfer-Encoding: base64\r\n\r\n"+base64Lines(b))
	}},
}

// send sends a message with swaks.
func (w mailWay) send(t *testing.T, server string, text []byte) {
	t.Helper()
	dir := t.TempDir()
	args := []string{"--server", server, "--from", "edge-rtr-7@ops.example", "--to", "callhome@support.example", "--silent", "2"}
	file := filepath.Join(dir, "message")
	if w.args != nil {
		args = append(args, w.args(file)...)
	} else {
		head, body := w.data(text)
		text = []byte("From: edge-rtr-7@ops.example\r\nTo: callhome@support.example\r\nDate: Sat, 14 Mar 2026 09:26:53 +0000\r\n" +
			"Subject: System Notification From edge-rtr-7 - inventory - 2026-03-14 09:26:53 GMT+00:00\r\n" + head + "\r\n" + body)
		args = append(args, "--data", "@"+file)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(needProgram(t, "swaks"), args...).CombinedOutput(); err != nil {
		t.Errorf("%s: swaks: %v: %s", w.name, err, out)
	}
}

// TestE2EPublishedAnswers: the answers of the endpoint are those of its contract.
func TestE2EPublishedAnswers(t *testing.T) {
	needE2E(t)
	s, _, l := shapesServer(t, "max_message_size: 1048576\n")
	xml := []string{"-H", "Content-Type: text/xml"}
	message := shapes[0].text(t)
	for _, c := range []struct {
		name   string
		body   []byte
		args   []string
		path   string
		status string
		answer string // part of it
	}{
		{"accepted", message, xml, httprecv.PathDDCE, "200", ">accepted<"},
		{"repeated", message, xml, httprecv.PathDDCE, "200", ">duplicate<"},
		{"repeated on another path", message, xml, httprecv.PathGateway, "200", ">duplicate<"},
		{"not well formed", []byte("<soap-env:Envelope><broken"), xml, httprecv.PathDDCE, "400", "soap-env:Sender"},
		{"well formed, and no message", []byte("<html><body>hello</body></html>"), xml, httprecv.PathDDCE, "400", "soap-env:Sender"},
		{"nothing", []byte(""), xml, httprecv.PathDDCE, "400", "soap-env:Sender"},
		{"long text", []byte("TimeStamp : 2026-03-14 09:26 GMT+00:00\nMessage Name : environment\n"), []string{"-H", "Content-Type: text/plain"}, httprecv.PathDDCE, "415", ""},
		{"a form", []byte("a=b"), nil, httprecv.PathDDCE, "415", ""},
		{"too large", bytes.Repeat([]byte("<a>"), 500_000), xml, httprecv.PathDDCE, "413", ""},
		{"status page", nil, nil, httprecv.PathDDCE, "200", "service is up"},
		{"elsewhere", message, xml, "/", "404", ""},
		{"a slash too many", message, xml, "/" + httprecv.PathDDCE, "404", ""},
		{"put", message, append([]string{"-X", "PUT"}, xml...), httprecv.PathDDCE, "405", ""},
	} {
		status, head, answer := curl(t, c.body, append(append([]string(nil), c.args...), s.URL+c.path)...)
		if status != c.status || !strings.Contains(answer, c.answer) {
			t.Errorf("%s: got %s %s, want %s with %q", c.name, status, answer, c.status, c.answer)
		}
		if status[0] == '3' || strings.Contains(head, "Location:") {
			t.Errorf("%s: a redirect: %s", c.name, head)
		}
		if c.status == "200" && c.body != nil && !strings.Contains(answer, shapes[0].id) {
			t.Errorf("%s: the answer does not name the message: %s", c.name, answer)
		}
	}
	eventually(t, "the message to be worked", func() error { return l.arrived(shapes[0], "HTTP") })

	full, _, _ := shapesServer(t, "max_message_size: 8388608\nhttp_server: {max_in_flight: 8388608, retry_after: 7s}\n")
	hold, err := net.Dial("tcp", strings.TrimPrefix(full.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer hold.Close()
	fmt.Fprintf(hold, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nContent-Length: 8388608\r\n\r\n<%s", httprecv.PathDDCE, strings.Repeat(" ", 5<<20)) // its room is 8 MiB
	eventually(t, "the room to be taken", func() error {
		status, head, _ := curl(t, message, append(xml, full.URL+httprecv.PathDDCE)...)
		if status != "503" || !strings.Contains(head, "Retry-After: 7") {
			return fmt.Errorf("got %s, %s", status, head)
		}
		return nil
	})
	hold.Close()
	eventually(t, "room again", func() error {
		if status, _, _ := curl(t, message, append(xml, full.URL+httprecv.PathDDCE)...); status != fmt.Sprint(http.StatusOK) {
			return fmt.Errorf("got %s", status)
		}
		return nil
	})
}
