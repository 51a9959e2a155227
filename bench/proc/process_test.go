package proc

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

func start(t *testing.T, script string) *Process {
	t.Helper()
	p, err := Start(t.TempDir(), "child", nil, "/bin/sh", "-c", script)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Kill() })
	return p
}

func TestProcessIsMeasuredAndStopped(t *testing.T) {
	p := start(t, "while :; do :; done")
	for deadline := time.Now().Add(20 * time.Second); p.CPU() < 30*time.Millisecond; {
		if time.Now().After(deadline) {
			t.Fatal("a busy loop uses no CPU time")
		}
	}
	if PSS(p.PID()) <= 0 || PeakRSS(p.PID()) <= 0 {
		t.Error("a running process takes no memory")
	}
	if FamilyCPU(p.PID()) <= 0 {
		t.Error("the family of a busy loop used no CPU time")
	}
	u := p.Stop()
	if u.CPU < 20*time.Millisecond || u.PeakRSS <= 0 {
		t.Errorf("got %+v", u)
	}
	if err := p.Alive(); err == nil {
		t.Error("it still runs")
	}
}

func TestTheEndOfAChildIsTold(t *testing.T) {
	p := start(t, "echo the disk is on fire; exit 3")
	<-p.done
	if err := p.Alive(); err == nil || !strings.Contains(err.Error(), "on fire") || !strings.Contains(err.Error(), "3") {
		t.Errorf("got %v", err)
	}
}

func TestKillAllTakesTheGroup(t *testing.T) {
	p := start(t, "sleep 600 & wait")
	for len(family([]int{p.PID()})) < 2 {
		if err := p.Alive(); err != nil {
			t.Fatal(err)
		}
	}
	inner := family([]int{p.PID()})[1]
	KillAll()
	<-p.done
	for deadline := time.Now().Add(20 * time.Second); exec.Command("kill", "-0", strconv.Itoa(inner)).Run() == nil; {
		if b, _ := os.ReadFile("/proc/" + strconv.Itoa(inner) + "/stat"); strings.Contains(string(b), ") Z ") {
			break // dead, and nobody has waited for it
		}
		if time.Now().After(deadline) {
			t.Fatal("the child of the child still runs")
		}
	}
}

func TestAMissingProgramNamesTheInstaller(t *testing.T) {
	if _, err := Find("no-such-program-anywhere"); !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), "tools/test-deps.sh") {
		t.Errorf("got %v", err)
	}
}

func TestFreePortIsFree(t *testing.T) {
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: FreePort()})
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
}
