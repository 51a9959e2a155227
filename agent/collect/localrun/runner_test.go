package localrun

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"callhome/agent/collect"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSplit(t *testing.T) {
	tests := []struct {
		in   string
		want []string
	}{
		{"ip -s link", []string{"ip", "-s", "link"}},
		{"  uname \t -a ", []string{"uname", "-a"}},
		{`echo 'a b' "c d" e\ f`, []string{"echo", "a b", "c d", "e f"}},
		{`echo "a \"b\" \n" '\'`, []string{"echo", `a "b" \n`, `\`}},
		{`echo '' ""`, []string{"echo", "", ""}},
		{`echo a'b'"c"`, []string{"echo", "abc"}},
		{`echo $HOME * | cat > /x; rm`, []string{"echo", "$HOME", "*", "|", "cat", ">", "/x;", "rm"}},
		{`echo 'a`, nil}, {`echo "a`, nil}, {`echo \`, nil}, {"  ", nil}, {"echo \x00", nil},
	}
	for _, tt := range tests {
		got, err := Split(tt.in)
		if diff := cmp.Diff(tt.want, got); diff != "" || (err != nil) != (tt.want == nil) {
			t.Errorf("%q: got %q, %v; want %q", tt.in, got, err, tt.want)
		}
	}
}

func FuzzSplit(f *testing.F) {
	f.Add(`a 'b' "c\"" \d`)
	f.Fuzz(func(t *testing.T, s string) {
		args, err := Split(s)
		if (err == nil) != (len(args) > 0) {
			t.Errorf("%q: got %q, %v", s, args, err)
		}
	})
}

func run(t *testing.T, limit int, wait time.Duration, command string, allowed ...string) (string, error) {
	t.Helper()
	r, err := New(allowed, Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := r.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	out := collect.NewOutput(limit)
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	defer cancel()
	err = s.Run(ctx, command, out)
	return out.String(), err
}

func TestRun(t *testing.T) {
	t.Setenv("SECRET", "from our environment")
	script := filepath.Join(t.TempDir(), "both")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho one; echo two >&2; echo three; exit ${1:-0}\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, command, want, err string }{
		{"quotes", "echo 'a  b' $HOME", "a  b $HOME\n", ""},
		{"both outputs in order", script, "one\ntwo\nthree\n", ""},
		{"exit status", script + " 3", "one\ntwo\nthree\n", "exit status 3"},
		{"environment", "env", "PATH=" + searchPath + "\nLC_ALL=C.UTF-8\nHOME=/\nTERM=dumb\n", ""},
		{"not installed", "no-such-program", "", "not installed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := run(t, 1000, 10*time.Second, tt.command, tt.command)
			if got != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("got %q, %v; want %q, %q", got, err, tt.want, tt.err)
			}
		})
	}
}

func TestOnlyTheListIsRun(t *testing.T) {
	for _, command := range []string{"echo a b", "echo", "/bin/echo a", "echo 'a '", ""} {
		if got, err := run(t, 100, time.Second, command, "echo a"); err == nil {
			t.Errorf("%q ran: %q", command, got)
		}
	}
	if _, err := run(t, 100, time.Second, "echo  'a'", "echo a"); err != nil {
		t.Errorf("the same arguments, written otherwise: %v", err)
	}
}

func TestOutputIsCut(t *testing.T) {
	got, err := run(t, 10, 10*time.Second, "seq 1 200000", "seq 1 200000")
	if err != nil || got != "1\n2\n3\n4\n5\n\n[truncated: 1288885 bytes removed]" {
		t.Errorf("got %q, %v", got, err)
	}
}

// At the deadline the program ends with all it started, and what it printed is kept.
func TestDeadlineKillsTheGroup(t *testing.T) {
	dir := t.TempDir()
	script := filepath.Join(dir, "tree")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nsleep 600 &\necho $!\nsleep 600\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	got, err := run(t, 100, 500*time.Millisecond, script, script)
	if err == nil || time.Since(start) > 10*time.Second {
		t.Errorf("got %v after %s", err, time.Since(start))
	}
	child, err := strconv.Atoi(strings.TrimSpace(got))
	if err != nil {
		t.Fatal(err)
	}
	for range 200 {
		if syscall.Kill(child, 0) != nil || zombie(child) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("process %d outlived its parent", child)
}

// zombie tells a dead process that nobody has waited for.
func zombie(pid int) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || strings.Contains(string(b), ") Z ")
}
