package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// numbered writes consecutive lines to a log file, opening it anew each time as a writer does after a rotation.
type numbered struct {
	t     *testing.T
	file  string
	texts []string // of all lines written
}

func (n *numbered) write(count int) {
	n.t.Helper()
	f, err := os.OpenFile(n.file, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		n.t.Fatal(err)
	}
	defer f.Close()
	for range count {
		text := fmt.Sprintf("fan %05d of the tray", len(n.texts))
		n.texts = append(n.texts, text)
		if _, err := fmt.Fprintf(f, "%s edge-rtr-7 envd[%d]: %s\n", time.Now().Format(time.Stamp), os.Getpid(), text); err != nil {
			n.t.Fatal(err)
		}
	}
}

// rotations are logrotate's two ways.
var rotations = []struct{ name, options string }{
	{"rename and create", "create 0600"},
	{"copytruncate", "copytruncate"},
}

// TestE2ELogRotation: a followed file is rotated by logrotate while the agent runs, is killed, and is down; no line is lost.
func TestE2ELogRotation(t *testing.T) {
	needE2E(t)
	logrotate := needProgram(t, "logrotate")
	for _, r := range rotations {
		t.Run(r.name, func(t *testing.T) {
			dir, logs, s := t.TempDir(), t.TempDir(), newSink(t)
			w := &numbered{t: t, file: filepath.Join(logs, "messages")}
			conf := writeFile(t, filepath.Join(dir, "logrotate.conf"), fmt.Sprintf("%s {\n  rotate 30\n  %s\n  nocompress\n  size 1\n}\n", w.file, r.options))
			rotate := func() {
				runProgram(t, nil, "", logrotate, "--force", "--state", filepath.Join(dir, "logrotate.state"), conf)
			}
			w.write(10)
			a := startAgent(t, dir, lineConfig(s, fmt.Sprintf(`{logfile: {files: [%s], from_start: true}}`, w.file)))
			for range 4 {
				w.write(20)
				pause := time.Duration(rand.IntN(150)) * time.Millisecond
				time.Sleep(pause) // part of it is read; nobody writes between logrotate's copy and its truncation
				rotate()
				w.write(20)
				time.Sleep(pause)
				a.kill()
				w.write(20)
				rotate()
				w.write(20)
				a.start()
			}
			s.awaitAll(t, w.texts)
			twice := 0
			for _, n := range s.described() {
				twice += n - 1
			}
			t.Logf("%d lines, %d of them twice after 4 kills", len(w.texts), twice)
		})
	}
}

// TestE2EOrderlyEndRepeatsNothing: after SIGTERM no line of a file is told twice, or skipped.
func TestE2EOrderlyEndRepeatsNothing(t *testing.T) {
	needE2E(t)
	dir, s := t.TempDir(), newSink(t)
	w := &numbered{t: t, file: filepath.Join(t.TempDir(), "messages")}
	a := startAgent(t, dir, lineConfig(s, fmt.Sprintf(`{logfile: {files: [%s], from_start: true}}`, w.file)))
	for range 5 {
		w.write(50)
		time.Sleep(time.Duration(rand.IntN(100)) * time.Millisecond)
		a.stop()
		w.write(10)
		a.start()
	}
	s.awaitAll(t, w.texts)
	ids := map[string]string{}
	for _, x := range s.arrivals() {
		if first, again := ids[x.message.Description]; again && first != string(x.id) {
			t.Errorf("%q was told as %s and as %s", x.message.Description, first, x.id)
		}
		ids[x.message.Description] = string(x.id)
	}
}

// fakeJournalctl prints the lines of a file from behind a cursor on, and then those to come.
const fakeJournalctl = `#!/bin/sh
from=+1
for a in "$@"; do
  case "$a" in
  --lines=0) from=0 ;;
  --after-cursor=c*) from=+$((${a#--after-cursor=c} + 1)) ;;
  esac
done
echo $$ >> JOURNAL.pids
exec tail -n "$from" -f JOURNAL
`

// fakeJournal stands for the systemd journal.
type fakeJournal struct {
	t     *testing.T
	file  string
	texts []string
}

func newFakeJournal(t *testing.T) *fakeJournal {
	t.Helper()
	dir := t.TempDir()
	j := &fakeJournal{t: t, file: filepath.Join(dir, "journal")}
	script := strings.ReplaceAll(fakeJournalctl, "JOURNAL", j.file) // the agent hands it no environment of ours
	if err := os.WriteFile(filepath.Join(dir, "journalctl"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	writeFile(t, j.file, "")
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	t.Cleanup(j.killReaders)
	return j
}

func (j *fakeJournal) pids() []int {
	b, _ := os.ReadFile(j.file + ".pids") // none have started yet
	var out []int
	for word := range strings.FieldsSeq(string(b)) {
		if pid, err := strconv.Atoi(word); err == nil {
			out = append(out, pid)
		}
	}
	return out
}

// killReaders ends every journalctl that is still there; an agent that was killed may leave one behind.
func (j *fakeJournal) killReaders() {
	for _, pid := range j.pids() {
		if name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)); err == nil && strings.TrimSpace(string(name)) == "tail" {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// log appends an entry; odd ones come as arrays of bytes, as the journal prints what is not UTF-8.
func (j *fakeJournal) log(count int) {
	j.t.Helper()
	f, err := os.OpenFile(j.file, os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		j.t.Fatal(err)
	}
	defer f.Close()
	for range count {
		n := len(j.texts)
		text := fmt.Sprintf("unit %04d has failed", n)
		j.texts = append(j.texts, text)
		entry := map[string]any{
			"__CURSOR": fmt.Sprintf("c%d", n+1), "__REALTIME_TIMESTAMP": strconv.FormatInt(time.Now().UnixMicro(), 10),
			"PRIORITY": "2", "SYSLOG_FACILITY": "3", "SYSLOG_IDENTIFIER": "systemd", "_PID": "1", "_HOSTNAME": "edge-rtr-7", "MESSAGE": text,
		}
		if n%2 == 1 {
			var octets []int
			for _, b := range []byte(text + " \xff") {
				octets = append(octets, int(b))
			}
			entry["MESSAGE"] = octets
		}
		line, err := json.Marshal(entry)
		if err != nil {
			j.t.Fatal(err)
		}
		if _, err := f.Write(append(line, '\n')); err != nil {
			j.t.Fatal(err)
		}
	}
}

// TestE2EJournal: journalctl dies, and the agent is killed; every entry since the first start arrives.
func TestE2EJournal(t *testing.T) {
	needE2E(t)
	dir, s, j := t.TempDir(), newSink(t), newFakeJournal(t)
	a := startAgent(t, dir, lineConfig(s, "{journald: {enabled: true}}"))
	eventually(t, "journalctl to be started", func() error {
		if len(j.pids()) == 0 {
			return fmt.Errorf("it is not")
		}
		return nil
	})
	time.Sleep(200 * time.Millisecond) // tail opens the file at its end
	j.log(10)
	s.awaitAll(t, j.texts)
	j.killReaders()
	j.log(10)
	s.awaitAll(t, j.texts)
	for range 3 {
		j.log(20)
		time.Sleep(time.Duration(rand.IntN(150)) * time.Millisecond)
		a.kill()
		j.log(10)
		a.start()
	}
	s.awaitAll(t, j.texts)
	got := s.awaitText(t, j.texts[0]).message
	if got.Severity == nil || got.Severity.String() != "major" || got.SystemName != "edge-rtr-7" {
		t.Errorf("got severity %v of %s, want major of edge-rtr-7", got.Severity, got.SystemName)
	}
	a.stop()
	eventually(t, "the last journalctl to end with the agent", func() error {
		pids := j.pids()
		if err := syscall.Kill(pids[len(pids)-1], 0); err == nil {
			return fmt.Errorf("process %d is there", pids[len(pids)-1])
		}
		return nil
	})
}
