package e2e

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"callhome"
	"callhome/codec/aml"
	"callhome/enrol"
	"callhome/gateway"
	"callhome/receive"
	"callhome/receive/httprecv"
)

// gatewayProcess is a running `callhome gateway`.
type gatewayProcess struct {
	*agentProcess
	URL string // of its device endpoint
}

// startGateway writes a configuration and starts a gateway on it. more are further lines; retries are quick.
func startGateway(t *testing.T, dir, host string, more ...string) *gatewayProcess {
	t.Helper()
	return startGatewayListening(t, dir, host, "", more...)
}

// startGatewayListening is startGateway with further listeners: ", smtp: [...]".
func startGatewayListening(t *testing.T, dir, host, listeners string, more ...string) *gatewayProcess {
	t.Helper()
	addr := freePort(t, host)
	text := fmt.Sprintf(`data_dir: ./gateway
control: ./gateway/gateway.sock
listen: {devices: ["http://%s"]%s}
retry: {backoff_min: 50ms, backoff_max: 500ms, probe_max: 500ms}
%s
`, addr, listeners, strings.Join(more, "\n"))
	g := &gatewayProcess{agentProcess: &agentProcess{t: t, dir: dir, config: filepath.Join(dir, "gateway.yaml"), log: &logBuffer{}}, URL: "http://" + addr + httprecv.PathGateway}
	writeFile(t, g.config, text)
	g.begin()
	t.Cleanup(func() {
		g.stop()
		if t.Failed() {
			t.Logf("gateway log:\n%s", tail(g.log.String(), 40))
		}
	})
	return g
}

func (g *gatewayProcess) begin() {
	g.t.Helper()
	g.cmd = exec.Command(binary(g.t), "gateway", "--config", g.config)
	g.cmd.Dir, g.cmd.Stderr = g.dir, g.log
	if err := g.cmd.Start(); err != nil {
		g.t.Fatal(err)
	}
	exited, cmd := make(chan error, 1), g.cmd
	g.exited = exited
	go func() { exited <- cmd.Wait() }()
	eventually(g.t, "the gateway to be ready", func() error {
		select {
		case err := <-g.exited:
			g.exited <- err
			g.t.Fatalf("the gateway ended: %v\n%s", err, tail(g.log.String(), 30))
		default:
		}
		_, err := g.try("status")
		return err
	})
}

func (g *gatewayProcess) try(args ...string) (string, error) {
	cmd := exec.Command(binary(g.t), append([]string{"gateway", "--socket", filepath.Join(g.dir, "gateway", "gateway.sock")}, args...)...)
	cmd.Dir = g.dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%w: %s", err, stderr.String())
	}
	return stdout.String(), nil
}

func (g *gatewayProcess) ask(args ...string) string {
	g.t.Helper()
	out, err := g.try(args...)
	if err != nil {
		g.t.Fatalf("callhome gateway %s: %v", strings.Join(args, " "), err)
	}
	return out
}

func (g *gatewayProcess) status() (s gateway.Status) {
	g.t.Helper()
	if err := json.Unmarshal([]byte(g.ask("status", "--json")), &s); err != nil {
		g.t.Fatal(err)
	}
	return s
}

func gatewayID(n int) callhome.MessageID {
	return callhome.MessageID(fmt.Sprintf("M%d:FOX%d:51AEAC68", n, n%20))
}

// gatewayMessage is the nth message, of one of twenty devices.
func gatewayMessage(n int) []byte {
	level, serial := callhome.LevelMajor, fmt.Sprintf("FOX%d", n%20)
	m := &callhome.Message{
		MessageID: gatewayID(n), GroupID: fmt.Sprintf("G%d:%s:51AEAC68", n, serial), Type: "syslog", Name: "n", Description: fmt.Sprintf("message %d", n),
		DeviceID: callhome.MakeDeviceID("ASR1001", serial), Severity: &level, Model: "ASR1001", Serial: serial, SystemName: "rtr-" + serial, SourceID: "ASR1000",
		ContactEmail: "a@b.example", CustomerID: "c", SiteID: "s", ContractID: "k", Group: callhome.GroupSyslog,
	}
	m.EventTime, _ = aml.ParseTime("2026-03-14 09:26:53 GMT+00:00")
	v, _ := aml.VariantFor("ios")
	doc, err := aml.Append(nil, m, v)
	if err != nil {
		panic(err)
	}
	return doc
}

// post posts one message and gives the status and the answer.
func postTo(url string, body []byte) (*http.Response, string, error) {
	client := &http.Client{Timeout: 10 * time.Second}
	resp, err := client.Post(url, "text/xml", bytes.NewReader(body))
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return resp, string(answer), err
}

func mustPost(t *testing.T, url string, n int) {
	t.Helper()
	resp, answer, err := postTo(url, gatewayMessage(n))
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("message %d: %v %v %s", n, err, resp, answer)
	}
}

// counts is how often each message ID arrived.
func (s *sink) counts() map[callhome.MessageID]int {
	out := map[callhome.MessageID]int{}
	for _, a := range s.arrivals() {
		out[a.id]++
	}
	return out
}

func upstreamTo(urls ...string) string {
	var b strings.Builder
	b.WriteString("registration: none\nupstream:\n")
	for i, u := range urls {
		fmt.Fprintf(&b, "  - {url: %q, priority: %d}\n", u, i)
	}
	return b.String()
}

// TestE2EGatewayKill: devices post while the gateway is killed again and again. Everything that was answered 200 arrives
// upstream; what is posted again after an answer is told to be a duplicate and arrives no second time.
func TestE2EGatewayKill(t *testing.T) {
	needE2E(t)
	const devices, kills = 8, 10
	s := newSink(t)
	g := startGateway(t, t.TempDir(), "127.0.0.1", upstreamTo(s.URL))
	stop := make(chan struct{})
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		acked = map[callhome.MessageID]int{}
		next  int
	)
	for range devices {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				mu.Lock()
				next++
				n := next
				mu.Unlock()
				for { // a device keeps its message until it is taken
					resp, _, err := postTo(g.URL, gatewayMessage(n))
					if err == nil && resp.StatusCode == http.StatusOK {
						break
					}
					time.Sleep(20 * time.Millisecond)
				}
				mu.Lock()
				acked[gatewayID(n)] = n
				mu.Unlock()
			}
		})
	}
	for range kills {
		time.Sleep(time.Duration(100+rand.IntN(400)) * time.Millisecond)
		g.kill()
		g.begin()
	}
	close(stop)
	wg.Wait()
	eventually(t, "all that was answered to arrive", func() error {
		got, lost := s.counts(), 0
		for id := range acked {
			if got[id] == 0 {
				lost++
			}
		}
		if lost > 0 {
			return fmt.Errorf("%d of %d are missing", lost, len(acked))
		}
		return nil
	})
	before := s.counts()
	repeats := 0
	for id, n := range before {
		if n > 1 {
			repeats++
		}
		if acked[id] == 0 && n > 1 {
			t.Errorf("%s was never answered and came %d times", id, n)
		}
	}
	// Only what was on the wire at a kill is sent again: it is the upstream that counts it once.
	if most := kills * 8 * 64; repeats > most {
		t.Errorf("%d messages were sent again, more than were on the wire", repeats)
	}
	asked := 0
	for id, n := range acked {
		if asked++; asked > 100 {
			break
		}
		if resp, answer, err := postTo(g.URL, gatewayMessage(n)); err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(answer, string(aml.ResultDuplicate)) {
			t.Errorf("%s again: %v %s", id, err, answer)
		}
	}
	time.Sleep(time.Second)
	for id, n := range s.counts() {
		if n != before[id] {
			t.Errorf("%s was forwarded again", id)
		}
	}
	t.Logf("%d messages answered, %d kills, %d sent again", len(acked), kills, repeats)
}

// TestE2EGatewayUpstreamDownAndBack: the first upstream is dead and the second refuses for a while; nothing is lost, and
// each device's messages arrive in order.
func TestE2EGatewayUpstreamDownAndBack(t *testing.T) {
	needE2E(t)
	s := newSink(t)
	s.refuse(errors.New("down for maintenance"))
	g := startGateway(t, t.TempDir(), "127.0.0.1", upstreamTo("http://"+freePort(t, "127.0.0.1")+"/x", s.URL))
	for n := range 200 {
		mustPost(t, g.URL, n)
	}
	if st := g.status(); st.Queue.Entries != 200 {
		t.Errorf("%d wait, want 200", st.Queue.Entries)
	}
	g.kill()
	g.begin()
	s.refuse(nil)
	eventually(t, "the backlog to drain", func() error {
		if n := len(s.counts()); n != 200 {
			return fmt.Errorf("%d arrived", n)
		}
		return nil
	})
	last := map[string]int{}
	for _, a := range s.arrivals() {
		var n int
		if _, err := fmt.Sscanf(a.message.Description, "message %d", &n); err != nil {
			t.Fatal(err)
		}
		if last[a.message.Serial] > n {
			t.Errorf("%s: %d after %d", a.message.Serial, n, last[a.message.Serial])
		}
		last[a.message.Serial] = n
	}
	var st gateway.Status
	eventually(t, "the status to show it", func() error {
		if st = g.status(); st.Queue.Entries != 0 || st.Devices != 20 || st.Forwarded[s.URL] < 200 {
			return fmt.Errorf("%+v", st)
		}
		return nil
	})
	if st.Upstreams[0].Breaker == gateway.BreakerClosed || st.Upstreams[0].LastError == "" || st.Upstreams[1].Breaker != gateway.BreakerClosed {
		t.Errorf("upstreams %+v", st.Upstreams)
	}
}

// TestE2EGatewayNginx: an upstream that demands client certificates, by both families of addresses.
func TestE2EGatewayNginx(t *testing.T) {
	needE2E(t)
	for _, host := range []string{"127.0.0.1", "::1"} {
		t.Run(host, func(t *testing.T) {
			s, authority := newSink(t), newCA(t, "Back end CA")
			url := startNginx(t, s, authority, authority, host)
			cert, key := authority.leaf("gw")
			g := startGateway(t, t.TempDir(), host, fmt.Sprintf("upstream: [{url: %q, ca_file: %s, cert_file: %s, key_file: %s}]", url, authority.File, cert, key))
			out := runProgram(t, nil, string(gatewayMessage(1)), needProgram(t, "curl"), "-sS", "-g", "-w", "%{http_code}", "-H", "Content-Type: application/soap+xml", "--data-binary", "@-", g.URL)
			if !strings.HasSuffix(out, "200") || !strings.Contains(out, string(gatewayID(1))) {
				t.Errorf("answered %s", out)
			}
			a := s.await(t, "the message", func(a *arrival) bool { return a.id == gatewayID(1) })
			if vias := aml.Vias(a.body); len(vias) != 2 || !strings.HasPrefix(vias[1], "urn:callhome:gateway:") {
				t.Errorf("vias %q", vias)
			}
		})
	}
}

// TestE2EGatewayMail: mailed messages leave as posts; text is refused for good, and a full gateway for now.
func TestE2EGatewayMail(t *testing.T) {
	needE2E(t)
	swaks, s := needProgram(t, "swaks"), newSink(t)
	smtp, dir := freePort(t, "127.0.0.1"), t.TempDir()
	g := startGatewayListening(t, dir, "127.0.0.1", ", smtp: ["+fmt.Sprintf("%q", smtp)+"]", upstreamTo(s.URL))
	mail := func(subject, body string) (string, error) {
		cmd := exec.Command(swaks, "--server", smtp, "--to", "callhome@gw.example", "--from", "rtr@x.example", "--header", "Subject: "+subject, "--body", "-", "--add-header", "Content-Type: text/xml")
		cmd.Stdin = strings.NewReader(body)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := mail("System Notification From rtr - syslog - now", string(gatewayMessage(5))); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	s.await(t, "the mailed message", func(a *arrival) bool { return a.id == gatewayID(5) && a.transport == "http" })
	if out, err := mail("System Notification From rtr - syslog - now", "just text"); err == nil || !strings.Contains(out, " 554 ") {
		t.Errorf("text: %v %s", err, out)
	}
	writeFile(t, g.config, readFile(t, g.config)+"\nlimits: {min_free_disk: 9000000000000000}\n")
	g.ask("reload")
	if out, err := mail("System Notification From rtr - syslog - now", string(gatewayMessage(6))); err == nil || !strings.Contains(out, " 451 ") {
		t.Errorf("full: %v %s", err, out)
	}
	resp, _, err := postTo(g.URL, gatewayMessage(7))
	if err != nil || resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") != "300" {
		t.Errorf("full: %v %+v", err, resp)
	}
	if st := g.status(); st.Refused["no_room"] != 2 || st.Refusing[gateway.ClassAlerts] == "" {
		t.Errorf("%+v", st)
	}
}

// TestE2EGatewayLoop: two gateways that are each other's upstream. The message comes round once, is refused with a clear
// reason and shelved, and ends as a dead letter.
func TestE2EGatewayLoop(t *testing.T) {
	needE2E(t)
	a := startGateway(t, t.TempDir(), "127.0.0.1")
	b := startGateway(t, t.TempDir(), "127.0.0.1", upstreamTo(a.URL))
	writeFile(t, a.config, readFile(t, a.config)+upstreamTo(b.URL))
	a.ask("reload")
	mustPost(t, a.URL, 1)
	eventually(t, "the loop to be seen", func() error {
		if out := a.ask("shelf", "list"); !strings.Contains(out, "loop") {
			return errors.New(out)
		}
		if st := b.status(); st.Queue.DeadLetters != 1 || st.Queue.Entries != 0 {
			return fmt.Errorf("%+v", st.Queue)
		}
		return nil
	})
	if out := b.ask("queue", "list", "--dead", "--json"); !strings.Contains(out, "loop") {
		t.Errorf("the dead letter does not say why: %s", out)
	}
	if out := a.ask("shelf", "export", "1"); !strings.Contains(out, string(gatewayID(1))) {
		t.Errorf("the shelf gives %s", out)
	}
}

// TestE2EGatewayBundles: a site without a connection. Its messages go out in a file, the other side takes them although it
// is killed, and the receipt retires them.
func TestE2EGatewayBundles(t *testing.T) {
	needE2E(t)
	s, stick := newSink(t), t.TempDir()
	island := startGateway(t, t.TempDir(), "127.0.0.1", "name: island")
	mainland := startGateway(t, t.TempDir(), "127.0.0.1", "name: mainland", upstreamTo(s.URL))
	for _, pair := range [][2]*gatewayProcess{{island, mainland}, {mainland, island}} {
		writeFile(t, pair[0].config, readFile(t, pair[0].config)+"\nbundles: {peers: ["+strings.TrimSpace(pair[1].ask("key"))+"]}\n")
		pair[0].ask("reload")
	}
	for n := range 60 {
		mustPost(t, island.URL, n)
	}
	file := filepath.Join(stick, "out.bundle")
	if out := island.ask("export", "--out", file); !strings.Contains(out, "60 messages for mainland") {
		t.Fatal(out)
	}
	island.kill()
	island.begin()
	importing := make(chan struct{})
	go func() {
		defer close(importing)
		_, _ = mainland.try("import", file) // it may die under way
	}()
	time.Sleep(30 * time.Millisecond)
	mainland.kill()
	<-importing
	mainland.begin()
	out := mainland.ask("import", file)
	if !strings.Contains(out, "60 messages") || !strings.Contains(out, "0 refused") {
		t.Error(out)
	}
	eventually(t, "the messages upstream", func() error {
		if n := len(s.counts()); n != 60 {
			return fmt.Errorf("%d arrived", n)
		}
		return nil
	})
	if out := island.ask("receipt", file+".receipt"); !strings.Contains(out, "60 messages confirmed by mainland") {
		t.Error(out)
	}
	if st := island.status(); st.Queue.Entries != 0 {
		t.Errorf("%d messages are left", st.Queue.Entries)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)-9] ^= 1
	bad := writeFile(t, filepath.Join(stick, "bad.bundle"), string(raw))
	if out, err := mainland.try("import", bad); err == nil || !strings.Contains(err.Error(), "changed or damaged") {
		t.Errorf("a changed bundle: %v %s", err, out)
	}
}

// issuer grants certificates of a test's authority to one token.
type issuer struct {
	authority *ca
	mu        sync.Mutex
	beats     []enrol.Heartbeat
}

const gatewayToken = "e2e-registration-token"

func (i *issuer) grant(name, csr string) (enrol.Grant, error) {
	req, err := enrol.ParseCSR(csr)
	if err != nil {
		return enrol.Grant{}, err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	template := &x509.Certificate{KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	template.Subject.CommonName = name
	cert := i.authority.issue(template, req.PublicKey.(*ecdsa.PublicKey))
	return enrol.Grant{
		Certificate: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})), CA: readFile(i.authority.t, i.authority.File), Name: name,
	}, nil
}

// Enrol implements enrol.Issuer.
func (i *issuer) Enrol(_ context.Context, r enrol.Request, _ enrol.Peer) (enrol.Grant, error) {
	if r.Token.Reveal() != gatewayToken {
		return enrol.Grant{}, callhome.Errorf(callhome.KindDenied, "the token is not valid")
	}
	return i.grant("gw-lisbon", r.CSR)
}

// Renew implements enrol.Issuer.
func (i *issuer) Renew(_ context.Context, r enrol.Renewal, from enrol.Peer) (enrol.Grant, error) {
	return i.grant(from.Subject, r.CSR)
}

// Beat implements enrol.Issuer.
func (i *issuer) Beat(_ context.Context, b enrol.Heartbeat, _ enrol.Peer) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.beats = append(i.beats, b)
	return nil
}

// TestE2EGatewayRegisters: without registration messages are kept; with a token the gateway gets its certificate, shows it
// to the back end, and forwards what it kept.
func TestE2EGatewayRegisters(t *testing.T) {
	needE2E(t)
	authority, s := newCA(t, "Back end CA"), newSink(t)
	i := &issuer{authority: authority}
	sinkHTTP, err := httprecv.New(httprecv.DefaultConfig(), receive.SinkFunc(func(ctx context.Context, sub *receive.Submission) (receive.Receipt, error) {
		if sub.TLS == nil || !strings.Contains(sub.TLS.Subject, "gw-lisbon") {
			return receive.Receipt{}, &receive.Refusal{Reason: receive.RefuseDenied}
		}
		return s.accept(ctx, sub)
	}), httprecv.Options{Other: enrol.Handler(i, nil)})
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile := authority.leaf("backend.example")
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(authority.cert)
	srv := httptest.NewUnstartedServer(sinkHTTP)
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.VerifyClientCertIfGiven}
	srv.StartTLS()
	t.Cleanup(srv.Close)

	g := startGateway(t, t.TempDir(), "127.0.0.1", fmt.Sprintf("upstream: [{url: %q, ca_file: %s}]", srv.URL+httprecv.PathDDCE, authority.File))
	mustPost(t, g.URL, 1)
	time.Sleep(300 * time.Millisecond)
	if st := g.status(); st.Forwarding || st.Queue.Entries != 1 || len(s.arrivals()) != 0 {
		t.Errorf("unregistered: %+v", st)
	}
	if out, err := g.try("register", "a-token-that-is-wrong"); err == nil || !strings.Contains(err.Error(), "not valid") {
		t.Errorf("a wrong token: %v %s", err, out)
	}
	if out := g.ask("register", gatewayToken); !strings.Contains(out, "registered as gw-lisbon") {
		t.Error(out)
	}
	s.await(t, "what was kept", func(a *arrival) bool { return a.id == gatewayID(1) })
	g.kill()
	g.begin()
	mustPost(t, g.URL, 2)
	s.await(t, "after a restart", func(a *arrival) bool { return a.id == gatewayID(2) })
	eventually(t, "a heartbeat", func() error {
		i.mu.Lock()
		defer i.mu.Unlock()
		for _, b := range i.beats {
			if b.Kind == enrol.KindGateway && b.Name == "gw-lisbon" && b.ConfigDigest != "" {
				return nil
			}
		}
		return fmt.Errorf("%d heartbeats", len(i.beats))
	})
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
