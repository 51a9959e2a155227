package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// daemon is a running `callhome server` or `callhome gateway`.
type daemon struct {
	t       *testing.T
	role    string
	dir     string
	URL     string // of its device listener
	metrics string // of its metrics listener
	log     *logBuffer

	mu     sync.Mutex // guards what follows
	cmd    *exec.Cmd
	exited chan error
	ended  bool
}

// newDaemon writes the configuration of a daemon; its listeners are added to it. start starts it, and it ends with the
// test.
func newDaemon(t *testing.T, role, dir, config string) *daemon {
	t.Helper()
	d := &daemon{t: t, role: role, dir: dir, log: &logBuffer{}}
	devices, metrics := freePort(t, "127.0.0.1"), freePort(t, "127.0.0.1")
	d.URL, d.metrics = "http://"+devices, "http://"+metrics
	config = strings.NewReplacer("$DEVICES", d.URL, "$METRICS", metrics).Replace(config)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, role+".yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		d.stop()
		if t.Failed() {
			t.Logf("%s log:\n%s", role, tail(d.log.String(), 20))
		}
	})
	return d
}

// serverConfig is the configuration of a back end.
const serverConfig = `
data_dir: ./data
listen: {devices: ["$DEVICES"]}
metrics: {listen: "$METRICS"}
`

// begin starts the process and does not wait.
func (d *daemon) begin() {
	d.t.Helper()
	cmd := exec.Command(binary(d.t), d.role, "--config", filepath.Join(d.dir, d.role+".yaml"), "--log-level", "warn")
	cmd.Dir = d.dir
	cmd.Stderr = d.log
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	d.mu.Lock()
	d.cmd, d.exited, d.ended = cmd, exited, false
	d.mu.Unlock()
}

// start starts the process; it is ready when this returns.
func (d *daemon) start() {
	d.t.Helper()
	d.begin()
	d.waitReady()
}

func (d *daemon) waitReady() {
	d.t.Helper()
	eventually(d.t, "the "+d.role+" to be ready", func() error {
		select {
		case err := <-d.exited:
			d.exited <- err
			d.t.Fatalf("the %s ended: %v\n%s", d.role, err, tail(d.log.String(), 30))
		default:
		}
		status, _, err := ask(d.metrics + "/readyz")
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("status %d", status)
		}
		return err
	})
}

// kill is kill -9.
func (d *daemon) kill() {
	d.t.Helper()
	_ = d.cmd.Process.Kill()
	<-d.exited
	d.ended = true
}

// stop ends it the polite way.
func (d *daemon) stop() {
	d.t.Helper()
	if d.cmd == nil || d.ended {
		return
	}
	d.ended = true
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-d.exited:
		if err != nil {
			d.t.Errorf("the %s ended with %v on SIGTERM", d.role, err)
		}
	case <-time.After(patience):
		d.t.Errorf("the %s does not end on SIGTERM", d.role)
		_ = d.cmd.Process.Kill()
	}
}

// alive reports whether the process runs.
func (d *daemon) alive() bool {
	select {
	case err := <-d.exited:
		d.exited <- err
		return false
	default:
		return true
	}
}

// askTime bounds one question to a listener of a test.
const askTime = 10 * time.Second

// ask gets a page and gives its status and text.
func ask(url string) (status int, text string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), askTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

// peakMemory is the most memory that the process had, in bytes (VmHWM of proc(5)).
func (d *daemon) peakMemory() (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		var kib int64
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kib); n == 1 {
			return kib << 10, nil
		}
	}
	return 0, errors.New("no VmHWM")
}

// replaced puts values in the place of words.
func replaced(text string, wordsAndValues ...string) string {
	return strings.NewReplacer(wordsAndValues...).Replace(text)
}
