package e2e

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"callhome/callhometest"
)

// needRoot fails where a test has to mount, or to start a daemon that wants root.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("this test needs root: it mounts a small disk, or starts a daemon that insists on it")
	}
}

// peer is another program that runs beside the agent.
type peer struct {
	t      *testing.T
	name   string
	cmd    *exec.Cmd
	log    *logBuffer
	exited chan struct{}
}

// startPeer starts a program that stays in the foreground; it is ended with the test.
func startPeer(t *testing.T, env []string, path string, args ...string) *peer {
	t.Helper()
	p := &peer{t: t, name: filepath.Base(path), cmd: exec.Command(path, args...), log: &logBuffer{}, exited: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", p.name, err)
	}
	go func() { _ = p.cmd.Wait(); close(p.exited) }()
	t.Cleanup(p.stop)
	return p
}

// stop ends the program and whatever it started.
func (p *peer) stop() {
	group := -p.cmd.Process.Pid
	_ = syscall.Kill(group, syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(patience / 3):
		p.t.Logf("%s does not end on SIGTERM and is killed", p.name)
	}
	_ = syscall.Kill(group, syscall.SIGKILL) // children it left behind
	<-p.exited
	if p.t.Failed() {
		p.t.Logf("%s said:\n%s", p.name, tail(p.log.String(), 40))
	}
}

// awaitListening waits until something accepts connections at an address.
func (p *peer) awaitListening(addr string) {
	p.t.Helper()
	eventually(p.t, p.name+" to listen on "+addr, func() error {
		select {
		case <-p.exited:
			p.t.Fatalf("%s ended:\n%s", p.name, tail(p.log.String(), 40))
		default:
		}
		conn, err := net.DialTimeout("tcp", addr, time.Second)
		if err != nil {
			return err
		}
		return conn.Close()
	})
}

// runProgram runs a program to its end and returns what it printed; a failure is the test's.
func runProgram(t *testing.T, env []string, stdin string, path string, args ...string) string {
	t.Helper()
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", filepath.Base(path), strings.Join(args, " "), err, out)
	}
	return string(out)
}

// filter runs one of the commands that need no agent.
func filter(t *testing.T, stdin []byte, args ...string) string {
	t.Helper()
	cmd := exec.Command(binary(t), args...)
	cmd.Stdin = bytes.NewReader(stdin)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("callhome %s: %v", strings.Join(args, " "), err)
	}
	return string(out)
}

func writeFile(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// openDir is a temporary folder that daemons under other users can reach; t.TempDir is for us alone.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "callhome-peer-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// tool is a file below .tools, where tools/test-deps.sh unpacks what cannot be installed.
func tool(t *testing.T, elem ...string) string {
	t.Helper()
	path := filepath.Join(append([]string{callhometest.Root(t), ".tools"}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%s is missing; tools/test-deps.sh unpacks it", path)
	}
	return path
}

// ca is a certificate authority for one test.
type ca struct {
	t    *testing.T
	dir  string
	File string // PEM of its certificate
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	last int64
}

func newCA(t *testing.T, name string) *ca {
	t.Helper()
	c := &ca{t: t, dir: t.TempDir(), last: 1}
	c.key = newKey(t)
	c.cert = c.issue(&x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}, &c.key.PublicKey)
	c.File = c.writePEM("ca.pem", "CERTIFICATE", c.cert.Raw)
	return c
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (c *ca) issue(template *x509.Certificate, public *ecdsa.PublicKey) *x509.Certificate {
	c.t.Helper()
	c.last++
	template.SerialNumber = big.NewInt(c.last)
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent := c.cert
	if parent == nil {
		parent = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, c.key)
	if err != nil {
		c.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		c.t.Fatal(err)
	}
	return cert
}

// leaf issues a certificate for loopback, good for either end, and returns its files.
func (c *ca) leaf(name string) (certFile, keyFile string) {
	c.t.Helper()
	key := newKey(c.t)
	cert := c.issue(&x509.Certificate{
		Subject: pkix.Name{CommonName: name}, DNSNames: []string{name, "localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, &key.PublicKey)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		c.t.Fatal(err)
	}
	return c.writePEM(name+".crt", "CERTIFICATE", cert.Raw), c.writePEM(name+".key", "PRIVATE KEY", der)
}

func (c *ca) writePEM(name, kind string, der []byte) string {
	c.t.Helper()
	return writeFile(c.t, filepath.Join(c.dir, name), string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})))
}

// lineConfig is a configuration whose one profile wants every line, in XML by HTTP; intake is the block of that name.
func lineConfig(s *sink, intake string, more ...string) string {
	return fmt.Sprintf(`data_dir: ./data
control: ./data/agent.sock
device: {hostname: edge-rtr-7, personality: ios, model: QX9006, serial: QXA2613K0PZ}
call_home:
  contact: {email: noc@ops.example}
  rate_limit: 0
  duplicate_throttling: false
  profiles:
    - {name: backend, format: xml, http: ["%s"], subscribe: [{group: syslog, severity: debugging, pattern: ".*"}]}
intake: %s
retry: {backoff_min: 100ms, backoff_max: 1s}
%s
`, s.URL, intake, strings.Join(more, "\n"))
}

// described are the descriptions of all XML messages that arrived, joined; with how often each came.
func (s *sink) described() map[string]int {
	out := map[string]int{}
	for _, a := range s.arrivals() {
		if a.message != nil {
			out[a.message.Description]++
		}
	}
	return out
}

// awaitText waits for an XML message whose description contains text.
func (s *sink) awaitText(t *testing.T, text string) arrival {
	t.Helper()
	return s.await(t, fmt.Sprintf("a message that tells of %q", text), func(a *arrival) bool {
		return a.message != nil && strings.Contains(a.message.Description, text)
	})
}

// awaitAll waits until each text is told of by some message.
func (s *sink) awaitAll(t *testing.T, texts []string) {
	t.Helper()
	eventually(t, fmt.Sprintf("messages that tell of %d lines", len(texts)), func() error {
		var all strings.Builder
		for d := range s.described() {
			all.WriteString(d)
			all.WriteByte('\n')
		}
		var lost []string
		for _, text := range texts {
			if !strings.Contains(all.String(), text) {
				lost = append(lost, text)
			}
		}
		if len(lost) > 0 {
			return fmt.Errorf("%d are missing, the first: %q", len(lost), lost[0])
		}
		return nil
	})
}

// fetch gets a page of the metrics listener.
func fetch(addr, path string) (string, error) {
	resp, err := (&http.Client{Timeout: patience}).Get("http://" + addr + path)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	return string(body), nil
}

// awaitPage waits until a page of the metrics listener contains all of want.
func awaitPage(t *testing.T, addr, path string, want ...string) {
	t.Helper()
	eventually(t, fmt.Sprintf("%s to say %q", path, want), func() error {
		page, err := fetch(addr, path)
		if err != nil {
			return err
		}
		for _, w := range want {
			if !strings.Contains(page, w) {
				return fmt.Errorf("%q is not in\n%s", w, tail(page, 20))
			}
		}
		return nil
	})
}

// awaitLog waits until the agent's log contains all of want.
func (a *agentProcess) awaitLog(want ...string) {
	a.t.Helper()
	eventually(a.t, fmt.Sprintf("the log to say %q", want), func() error {
		for _, w := range want {
			if !strings.Contains(a.log.String(), w) {
				return fmt.Errorf("%q is not in the log", w)
			}
		}
		return nil
	})
}
