package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"callhome"
	"callhome/callhometest"
	"callhome/codec/aml"
	"callhome/codec/mimemail"
	"callhome/receive"
	"callhome/receive/httprecv"
	"callhome/receive/smtprecv"
)

// e2eEnv switches these tests on.
const e2eEnv = "CALLHOME_E2E"

// patience is how long something that must happen is waited for; machines are shared and slow.
const patience = 30 * time.Second

// needE2E skips a test where end-to-end tests are not asked for, and says how to ask.
func needE2E(t *testing.T) {
	t.Helper()
	if os.Getenv(e2eEnv) == "" {
		t.Skipf("set %s=1 to run real processes (make test does)", e2eEnv)
	}
}

// needProgram finds a program that make test installs.
func needProgram(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is missing; tools/test-deps.sh installs it", name)
	}
	return path
}

var (
	buildOnce sync.Once
	builtPath string
	buildErr  error
)

// binary builds the program once, as users have it.
func binary(t *testing.T) string {
	t.Helper()
	buildOnce.Do(func() {
		dir, err := os.MkdirTemp("", "callhome-e2e")
		if err != nil {
			buildErr = err
			return
		}
		builtPath = filepath.Join(dir, "callhome")
		cmd := exec.Command("go", "build", "-trimpath", "-o", builtPath, "./cmd/callhome")
		cmd.Dir = callhometest.Root(t)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			buildErr = fmt.Errorf("build: %w\n%s", err, out)
		}
	})
	if buildErr != nil {
		t.Fatal(buildErr)
	}
	return builtPath
}

func TestMain(m *testing.M) {
	code := m.Run()
	if builtPath != "" {
		os.RemoveAll(filepath.Dir(builtPath))
	}
	os.Exit(code)
}

// agentProcess is a running `callhome agent`.
type agentProcess struct {
	t      *testing.T
	dir    string
	config string
	cmd    *exec.Cmd
	log    *logBuffer
	exited chan error
}

// logBuffer keeps what a process printed.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// startAgent writes the configuration and starts an agent on it; it is ready when this returns, and ends with the test.
func startAgent(t *testing.T, dir, config string) *agentProcess {
	t.Helper()
	a := &agentProcess{t: t, dir: dir, config: filepath.Join(dir, "agent.yaml"), log: &logBuffer{}}
	if err := os.WriteFile(a.config, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	a.start()
	t.Cleanup(func() {
		a.stop()
		if t.Failed() {
			t.Logf("agent log:\n%s", tail(a.log.String(), 60))
		}
	})
	return a
}

func tail(s string, lines int) string {
	all := strings.Split(s, "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

func (a *agentProcess) start() {
	a.t.Helper()
	a.cmd = exec.Command(binary(a.t), "agent", "--config", a.config)
	a.cmd.Dir = a.dir
	a.cmd.Stderr = a.log
	if err := a.cmd.Start(); err != nil {
		a.t.Fatal(err)
	}
	exited := make(chan error, 1)
	a.exited = exited
	cmd := a.cmd
	go func() { exited <- cmd.Wait() }()
	a.waitReady()
}

// waitReady waits for the control socket to answer.
func (a *agentProcess) waitReady() {
	a.t.Helper()
	eventually(a.t, "the agent to be ready", func() error {
		select {
		case err := <-a.exited:
			a.exited <- err
			a.t.Fatalf("the agent ended: %v\n%s", err, tail(a.log.String(), 30))
		default:
		}
		_, err := a.tryRun("show", "call-home", "--json")
		return err
	})
}

// run runs an operator command against the agent and returns its standard output.
func (a *agentProcess) run(args ...string) string {
	a.t.Helper()
	out, err := a.tryRun(args...)
	if err != nil {
		a.t.Fatalf("callhome %s: %v", strings.Join(args, " "), err)
	}
	return out
}

func (a *agentProcess) tryRun(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary(a.t), append(args, "--socket", filepath.Join(a.dir, "data", "agent.sock"))...)
	cmd.Dir = a.dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%w: %s", err, stderr.String())
	}
	return stdout.String(), nil
}

// runJSON runs a command with --json into v.
func (a *agentProcess) runJSON(v any, args ...string) {
	a.t.Helper()
	out := a.run(append(args, "--json")...)
	if err := json.Unmarshal([]byte(out), v); err != nil {
		a.t.Fatalf("callhome %s: %v in %s", strings.Join(args, " "), err, out)
	}
}

// kill is kill -9.
func (a *agentProcess) kill() {
	a.t.Helper()
	_ = a.cmd.Process.Kill()
	<-a.exited
}

// stop ends the agent the polite way.
func (a *agentProcess) stop() {
	a.t.Helper()
	_ = a.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-a.exited:
		a.exited <- err
	case <-time.After(patience):
		a.t.Errorf("the agent does not end on SIGTERM")
		_ = a.cmd.Process.Kill()
	}
}

// eventually calls f until it returns nil.
func eventually(t *testing.T, what string, f func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := f()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited %s for %s: %v", patience, what, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// sink records what arrives by mail and HTTP. It can be told to refuse.
type sink struct {
	Mail string // host:port
	URL  string

	mu      sync.Mutex // guards what follows
	got     []arrival
	refusal error
}

// arrival is one message as it arrived.
type arrival struct {
	transport string
	from      string
	to        []string
	body      []byte
	id        callhome.MessageID
	format    callhome.Format
	message   *callhome.Message // of XML
	subject   string            // of mails
	text      string            // payload of mails
}

func newSink(t *testing.T) *sink {
	t.Helper()
	return newSinkOn(t, "127.0.0.1")
}

func newSinkOn(t *testing.T, host string) *sink {
	t.Helper()
	s := &sink{}
	log := slog.New(slog.DiscardHandler)
	mail, err := smtprecv.New(smtprecv.DefaultConfig(), receive.SinkFunc(s.accept), smtprecv.Options{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	if err := mail.Listen(ctx, net.JoinHostPort(host, "0")); err != nil {
		t.Fatal(err)
	}
	answers := httprecv.DefaultConfig()
	answers.RetryAfter = time.Second // a refusal is not to cost half a minute
	web, err := httprecv.New(answers, receive.SinkFunc(s.accept), httprecv.Options{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	addr := freePort(t, host)
	if err := web.Listen(ctx, "http://"+addr); err != nil {
		t.Fatal(err)
	}
	s.Mail, s.URL = mail.Addrs()[0], "http://"+addr+httprecv.PathDDCE
	var running sync.WaitGroup
	running.Go(func() { _ = mail.Run(ctx) })
	running.Go(func() { _ = web.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	return s
}

// freePort is an address nobody listens on.
func freePort(t *testing.T, host string) string {
	t.Helper()
	ln, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

func (s *sink) accept(_ context.Context, sub *receive.Submission) (receive.Receipt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refusal != nil {
		return receive.Receipt{}, s.refusal
	}
	a := arrival{transport: "http", body: bytes.Clone(sub.Body)}
	payload := sub.Body
	if sub.Mail != nil {
		a.transport, a.from, a.to = "mail", sub.Mail.From, sub.Mail.To
		m, err := mimemail.Decode(sub.Body)
		if err != nil {
			return receive.Receipt{}, err
		}
		payload, a.subject, a.id, a.text = m.Payload, m.Subject, m.MessageID, string(m.Payload)
	}
	if m, err := aml.Decode(payload, aml.Options{}); err == nil {
		a.message, a.id, a.format = m, m.MessageID, callhome.FormatXML
	}
	s.got = append(s.got, a)
	return receive.Receipt{MessageID: a.id}, nil
}

// refuse makes the sink refuse everything; nil lets it take again.
func (s *sink) refuse(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusal = err
}

func (s *sink) arrivals() []arrival {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]arrival(nil), s.got...)
}

// await waits for an arrival that ok accepts.
func (s *sink) await(t *testing.T, what string, ok func(*arrival) bool) arrival {
	t.Helper()
	var found arrival
	eventually(t, what, func() error {
		all := s.arrivals()
		for i := range all {
			if ok(&all[i]) {
				found = all[i]
				return nil
			}
		}
		return fmt.Errorf("not among %d arrivals", len(all))
	})
	return found
}

var errBusy = errors.New("busy")

// hostPort splits an address for YAML.
func hostPort(t *testing.T, addr string) (host, port string) {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return host, port
}

// sendUDP sends lines as datagrams.
func sendUDP(t *testing.T, addr string, lines ...string) {
	t.Helper()
	conn, err := net.Dial("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, l := range lines {
		if _, err := conn.Write([]byte(l)); err != nil {
			t.Fatal(err)
		}
	}
}
