package proc

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// stopTime is how long a process may take to end by itself before it is killed.
const stopTime = 15 * time.Second

// Process is a running child. Its output goes to a file beside its data.
type Process struct {
	Name    string
	LogPath string
	Started time.Time

	// Wrapped says that the child is strace, which holds signals back: its own child is the one to ask.
	Wrapped bool

	cmd  *exec.Cmd
	done chan struct{} // closed when it was waited for
}

// Usage is what the kernel charged a child and the children it waited for, over its whole life.
type Usage struct {
	CPU     time.Duration // user and system
	PeakRSS int64         // bytes
	Wall    time.Duration
}

// running are the children that were started and not yet stopped, for KillAll.
var running struct {
	sync.Mutex
	pids map[int]bool
}

// KillAll ends every child that still runs with the group it leads: what strace follows does not die with strace.
func KillAll() {
	running.Lock()
	defer running.Unlock()
	for pid := range running.pids {
		_ = syscall.Kill(-pid, syscall.SIGKILL) // it may have ended
	}
}

func note(pid int, runs bool) {
	running.Lock()
	defer running.Unlock()
	if running.pids == nil {
		running.pids = map[int]bool{}
	}
	if runs {
		running.pids[pid] = true
	} else {
		delete(running.pids, pid)
	}
}

// Start runs argv in dir with env added to ours. The child dies with us.
func Start(dir, name string, env []string, argv ...string) (*Process, error) {
	p := &Process{Name: name, LogPath: filepath.Join(dir, name+".log"), done: make(chan struct{})}
	log, err := os.OpenFile(p.LogPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	defer log.Close()
	p.cmd = exec.Command(argv[0], argv[1:]...)
	p.cmd.Dir, p.cmd.Env = dir, append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	p.Started = time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	note(p.PID(), true)
	go func() {
		_ = p.cmd.Wait() // ProcessState tells how it ended
		note(p.PID(), false)
		close(p.done)
	}()
	return p, nil
}

// PID is the child's process number.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Alive tells whether the child still runs; if not, the error says how it ended.
func (p *Process) Alive() error {
	select {
	case <-p.done:
		return fmt.Errorf("%s ended (%s)\n%s", p.Name, p.cmd.ProcessState, tail(p.LogPath))
	default:
		return nil
	}
}

// CPU is the time that all threads of the child itself have used so far, to the nanosecond.
func (p *Process) CPU() time.Duration {
	const schedClock = 2 // CPUCLOCK_SCHED of the kernel's posix-timers.h
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^p.PID()<<3|schedClock), &ts); err != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}

// Stop asks the child to end, kills it when it does not, and returns what it cost.
func (p *Process) Stop() Usage {
	return p.end(syscall.SIGTERM)
}

// Kill ends the child at once.
func (p *Process) Kill() Usage { return p.end(syscall.SIGKILL) }

func (p *Process) end(sig syscall.Signal) Usage {
	_ = syscall.Kill(p.inner(), sig) // it may have ended
	select {
	case <-p.done:
	case <-time.After(stopTime):
		_ = syscall.Kill(-p.PID(), syscall.SIGKILL) // with the group it leads, which only it and its children are in
		<-p.done
	}
	u := Usage{Wall: time.Since(p.Started)}
	if r, ok := p.cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		u.CPU = time.Duration(r.Utime.Nano() + r.Stime.Nano())
		u.PeakRSS = r.Maxrss << 10
	}
	return u
}

// inner is the process that does the work.
func (p *Process) inner() int {
	if all := family([]int{p.PID()}); p.Wrapped && len(all) > 1 {
		return all[1]
	}
	return p.PID()
}

// tail is the end of a log, for errors.
func tail(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	const most = 1500
	if len(b) > most {
		b = b[len(b)-most:]
	}
	return string(bytes.TrimSpace(b))
}

// ErrMissing says that a program is not installed.
var ErrMissing = errors.New("is not installed; tools/test-deps.sh installs what the measurements need")

// Find is the path of a program: the first candidate that exists, or that PATH knows.
func Find(candidates ...string) (string, error) {
	for _, c := range candidates {
		if path, err := exec.LookPath(c); err == nil {
			return filepath.Abs(path)
		}
	}
	return "", fmt.Errorf("%s %w", candidates[0], ErrMissing)
}
