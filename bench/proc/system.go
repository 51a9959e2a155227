package proc

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// PSS is the proportional memory of processes and all their children, in bytes.
func PSS(pids ...int) int64 {
	var sum int64
	for _, pid := range family(pids) {
		sum += field(fmt.Sprintf("/proc/%d/smaps_rollup", pid), "Pss:") << 10
	}
	return sum
}

// PeakRSS is the largest resident set a process has had so far, in bytes.
func PeakRSS(pid int) int64 { return field(fmt.Sprintf("/proc/%d/status", pid), "VmHWM:") << 10 }

// field reads the first number after a word at the beginning of a line.
func field(path, word string) int64 {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, word); ok {
			n, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return n
		}
	}
	return 0
}

// family is pids and everything they started, by the process table.
func family(pids []int) []int {
	children := map[int][]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		b, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		after := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
		if len(after) > 1 {
			parent, _ := strconv.Atoi(after[1])
			children[parent] = append(children[parent], pid)
		}
	}
	all := append([]int(nil), pids...)
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all
}

// FamilyCPU is the time that a process, everything it started, and what they waited for have used so far, to 10 ms.
func FamilyCPU(pid int) time.Duration {
	const tick = 10 * time.Millisecond // USER_HZ is 100 wherever Go runs
	var sum time.Duration
	for _, p := range family([]int{pid}) {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p))
		if err != nil {
			continue // it ended
		}
		cols := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
		for _, c := range cols[11:15] { // utime, stime, cutime, cstime
			n, _ := strconv.ParseInt(c, 10, 64)
			sum += time.Duration(n) * tick
		}
	}
	return sum
}

// SocketDrops is how many datagrams the kernel dropped at UDP sockets bound to a port, because their buffer was full.
func SocketDrops(port int) int64 {
	var sum int64
	for _, path := range []string{"/proc/net/udp", "/proc/net/udp6"} {
		f, err := os.Open(path)
		if err != nil {
			continue
		}
		for s := bufio.NewScanner(f); s.Scan(); {
			cols := strings.Fields(s.Text())
			if len(cols) < 13 || !strings.HasSuffix(cols[1], fmt.Sprintf(":%04X", port)) {
				continue
			}
			n, _ := strconv.ParseInt(cols[len(cols)-1], 10, 64)
			sum += n
		}
		f.Close()
	}
	return sum
}

// FreePort is a port on loopback that nobody uses by TCP or UDP at the moment.
func FreePort() int {
	for {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			panic(fmt.Sprintf("no free port on loopback: %v", err))
		}
		port := l.Addr().(*net.TCPAddr).Port
		l.Close()
		c, err := net.ListenPacket("udp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			_ = c.Close() // nothing was sent
			return port
		}
	}
}

// probe is the pause between two tries to reach a port: the error of what AwaitPort measures.
const probe = 200 * time.Microsecond

// AwaitPort waits until a process listens by TCP and returns how long that took from its start.
func AwaitPort(p *Process, addr string, most time.Duration) (time.Duration, error) {
	for deadline := time.Now().Add(most); time.Now().Before(deadline); time.Sleep(probe) {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			took := time.Since(p.Started)
			c.Close()
			return took, nil
		}
		if err := p.Alive(); err != nil {
			return 0, err
		}
	}
	return 0, fmt.Errorf("%s does not listen on %s after %v\n%s", p.Name, addr, most, tail(p.LogPath))
}

// DiskUse is the size of all files below a folder, in bytes.
func DiskUse(dir string) int64 {
	var sum int64
	_ = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				sum += info.Size()
			}
		}
		return nil // files come and go while we look
	})
	return sum
}
