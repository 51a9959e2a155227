package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"callhome"
	"callhome/agent"
	"callhome/control"
	"callhome/ctl"
)

// trace attaches strace to a running agent and returns a way to count the syncs seen so far.
func trace(t *testing.T, a *agentProcess, inject string) (syncs func() int) {
	t.Helper()
	strace := needProgram(t, "strace")
	file := filepath.Join(t.TempDir(), "trace")
	args := []string{"-f", "-e", "trace=fsync,fdatasync", "-o", file, "-p", fmt.Sprint(a.cmd.Process.Pid)}
	if inject != "" {
		args = append([]string{"-e", "inject=fsync,fdatasync:" + inject}, args...)
	}
	p := startPeer(t, nil, strace, args...)
	eventually(t, "strace to be attached to every thread", func() error {
		select {
		case <-p.exited:
			t.Fatalf("strace ended:\n%s", p.log)
		default:
		}
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", a.cmd.Process.Pid))
		if err != nil {
			return err
		}
		for _, th := range threads {
			if b, err := os.ReadFile(th); err == nil && strings.Contains(string(b), "TracerPid:\t0\n") {
				return fmt.Errorf("%s is not traced", th)
			}
		}
		return nil
	})
	return func() int {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for line := range strings.Lines(string(b)) {
			if strings.Contains(line, "sync(") { // resumed calls say "sync resumed"
				n++
			}
		}
		return n
	}
}

// testOrder gives a test order by the control socket, as `callhome test` does, without a process for each.
func (a *agentProcess) testOrder(text string) error {
	ctx, cancel := context.WithTimeout(a.t.Context(), patience)
	defer cancel()
	client := &control.Client{Path: filepath.Join(a.dir, "data", "agent.sock")}
	return client.Call(ctx, ctl.CallTest, agent.TestOrder{Text: text, Profile: callhome.ProfileName("backend")}, nil)
}

// TestE2EDurableBeforeAnswer: an order is answered only after a sync; a disk that takes two seconds makes the answer wait.
func TestE2EDurableBeforeAnswer(t *testing.T) {
	needE2E(t)
	const slow = 2 * time.Second
	s := newSink(t)
	s.refuse(errBusy) // nothing is delivered, so nothing else is written later
	a := startAgent(t, t.TempDir(), lineConfig(s, "{}"))
	syncs := trace(t, a, fmt.Sprintf("delay_enter=%d", slow.Microseconds()))
	before, start := syncs(), time.Now()
	if before != 0 {
		t.Fatalf("%d syncs before any order", before)
	}
	if err := a.testOrder("is it safe"); err != nil {
		t.Fatal(err)
	}
	took, n := time.Since(start), syncs()
	if n < 1 {
		t.Errorf("the order was answered without a sync")
	}
	if took < slow {
		t.Errorf("the order was answered after %s, before a sync of %s can have ended", took, slow)
	}
	t.Logf("answered after %s and %d syncs", took, n)
}

// TestE2EGroupCommit: a hundred orders at once share the syncs of a slow disk.
func TestE2EGroupCommit(t *testing.T) {
	needE2E(t)
	const orders, enough = 100, 30
	s := newSink(t)
	s.refuse(errBusy)
	a := startAgent(t, t.TempDir(), lineConfig(s, "{}"))
	syncs := trace(t, a, "delay_enter=5000")
	before := syncs()
	var running sync.WaitGroup
	failed := make(chan error, orders)
	for i := range orders {
		running.Go(func() {
			if err := a.testOrder(fmt.Sprintf("order %03d", i)); err != nil {
				failed <- err
			}
		})
	}
	running.Wait()
	n := syncs() - before
	close(failed)
	for err := range failed {
		t.Error(err)
	}
	if n > enough {
		t.Errorf("%d orders cost %d syncs, want at most %d", orders, n, enough)
	}
	t.Logf("%d orders cost %d syncs", orders, n)
}
