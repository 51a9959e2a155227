package logfile

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"callhome/agent/intake"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type taken struct {
	mu    sync.Mutex
	lines []string
	last  intake.Origin
	more  chan struct{}
}

func newTaken() *taken { return &taken{more: make(chan struct{}, 1)} }

func (k *taken) Take(_ context.Context, raw []byte, o *intake.Origin) error {
	k.mu.Lock()
	k.lines, k.last = append(k.lines, string(raw)), *o
	k.mu.Unlock()
	select {
	case k.more <- struct{}{}:
	default:
	}
	return nil
}

func (k *taken) got() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]string(nil), k.lines...)
}

func (k *taken) wait(t *testing.T, n int) {
	t.Helper()
	timeout := time.After(20 * time.Second)
	for len(k.got()) < n {
		select {
		case <-k.more:
		case <-timeout:
			t.Fatalf("got %d lines, want %d", len(k.got()), n)
		}
	}
}

// follow runs a Tailer; stop ends it in order.
func follow(t *testing.T, cfg Config, k intake.Sink, store Store) (stop func()) {
	t.Helper()
	if cfg.Poll == 0 {
		cfg.Poll = 20 * time.Millisecond
	}
	tail, err := New(cfg, k, Options{Store: store})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- tail.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func write(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

func newStore(t *testing.T) Store { return intake.State(filepath.Join(t.TempDir(), "files.json")) }

func TestStartsAtTheEndThenTakesAll(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.log")
	write(t, path, "old\n")
	k := newTaken()
	store := newStore(t)
	stop := follow(t, Config{Files: []string{filepath.Join(dir, "*.log")}, FromStart: true}, k, store)
	k.wait(t, 1)
	write(t, path, "one\r\n\ntw")
	write(t, path, "o\n\x00three\n")
	write(t, filepath.Join(dir, "b.log"), "of another file\n")
	k.wait(t, 5)
	stop()
	if diff := cmp.Diff([]string{"old", "one", "two", "three", "of another file"}, k.got()); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	if o := k.last; o.Name != filepath.Join(dir, "b.log") || o.Source != "logfile" {
		t.Errorf("origin %+v", o)
	}

	fresh := newTaken()
	stop = follow(t, Config{Files: []string{path}}, fresh, newStore(t))
	tick := filepath.Join(dir, "a.log")
	for i := 0; len(fresh.got()) == 0 && i < 500; i++ { // until it follows, lines are not for us
		write(t, tick, fmt.Sprintf("new %d\n", i))
		time.Sleep(10 * time.Millisecond)
	}
	stop()
	if got := fresh.got(); len(got) == 0 || !strings.HasPrefix(got[0], "new") {
		t.Errorf("without from start: got %q", got)
	}
}

func TestLongLineIsCut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log")
	write(t, path, strings.Repeat("x", 3<<20)+"\nshort\n")
	k := newTaken()
	stop := follow(t, Config{Files: []string{path}, FromStart: true}, k, nil)
	k.wait(t, 2)
	stop()
	if got := k.got(); len(got) != 2 || len(got[0]) != maxLine || got[1] != "short" {
		t.Errorf("got %d lines, the first of %d", len(got), len(got[0]))
	}
}

func TestCopyTruncate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log")
	write(t, path, "first one\nfirst two\n")
	k := newTaken()
	stop := follow(t, Config{Files: []string{path}, FromStart: true}, k, newStore(t))
	k.wait(t, 2)
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	write(t, path, "second, which is longer than all that was there before\nthird\n")
	k.wait(t, 4)
	stop()
	want := []string{"first one", "first two", "second, which is longer than all that was there before", "third"}
	if diff := cmp.Diff(want, k.got()); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

// copyTruncate rotates as logrotate does with copytruncate.
func copyTruncate(t *testing.T, path, to string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, to, string(b))
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
}

// What nobody had read when a file was copied and truncated is read from the copies, while we run and after a restart.
func TestCopyTruncateUnread(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log")
	store, cfg := newStore(t), Config{Files: []string{path}, FromStart: true}
	write(t, path, "1 one\n2 two\n")
	k := newTaken()
	stop := follow(t, cfg, k, store)
	k.wait(t, 2)
	stop()
	write(t, path, "3 three\n4 fo")
	copyTruncate(t, path, path+".2")
	write(t, path, "ur\n5 five\n")
	copyTruncate(t, path, path+".1")
	write(t, path, "6 six\n")
	stop = follow(t, Config{Files: cfg.Files, FromStart: true, Quiet: time.Millisecond}, k, store)
	k.wait(t, 7)
	for i := range 20 {
		write(t, path, fmt.Sprintf("%d more\n", 7+2*i))
		k.wait(t, 8+2*i) // an empty file has no beginning by which its copy could be known
		write(t, path, fmt.Sprintf("%d more\n", 8+2*i))
		copyTruncate(t, path, fmt.Sprintf("%s-%02d", path, i))
		k.wait(t, 7+2*(i+1))
	}
	stop()
	want := []string{"1 one", "2 two", "3 three", "ur", "5 five", "6 six", "4 fo"}
	for i := range 40 {
		want = append(want, fmt.Sprintf("%d more", 7+i))
	}
	got := k.got()
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

// A restart neither repeats nor skips, although the file was rotated twice meanwhile.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.log")
	store := newStore(t)
	cfg := Config{Files: []string{path}, FromStart: true}
	write(t, path, "1\n2\nhal")
	k := newTaken()
	stop := follow(t, cfg, k, store)
	k.wait(t, 2)
	stop()

	write(t, path, "f\n3\n")
	for i, text := range []string{"4\n5\n", "6\n"} {
		if err := os.Rename(path, fmt.Sprintf("%s.%d", path, i)); err != nil {
			t.Fatal(err)
		}
		write(t, path, text)
	}
	write(t, path+".9.gz", "packed\n")
	stop = follow(t, cfg, k, store)
	k.wait(t, 7)
	stop()
	stop = follow(t, cfg, k, store)
	write(t, path, "7\n")
	k.wait(t, 8)
	stop()
	if diff := cmp.Diff([]string{"1", "2", "half", "3", "4", "5", "6", "7"}, k.got()); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

// A crash may repeat lines, but skips none.
func TestCrash(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log")
	write(t, path, "1\n2\n")
	store := newStore(t)
	k := newTaken()
	tail, err := New(Config{Files: []string{path}, FromStart: true}, k, Options{Store: store})
	if err != nil {
		t.Fatal(err)
	}
	if err := tail.resume(); err != nil {
		t.Fatal(err)
	}
	tail.scan()
	tail.readAll(t.Context())
	tail.checkpoint(true)
	write(t, path, "3\n")
	tail.readAll(t.Context())
	tail.close() // without a checkpoint
	stop := follow(t, Config{Files: []string{path}}, k, store)
	write(t, path, "4\n")
	k.wait(t, 5)
	stop()
	if diff := cmp.Diff([]string{"1", "2", "3", "3", "4"}, k.got()); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestRotatedAwayWithoutLineEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log")
	write(t, path, "whole\nhalf")
	k := newTaken()
	stop := follow(t, Config{Files: []string{path}, FromStart: true, Quiet: 50 * time.Millisecond}, k, nil)
	k.wait(t, 1)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	k.wait(t, 2)
	stop()
	if got := k.got(); got[1] != "half" || !k.last.Unterminated {
		t.Errorf("got %q, %+v", got, k.last)
	}
}

// Thirty rotations by renaming under a writer that learns of each one late, and two restarts of ours: every line comes
// once.
func TestRotationsUnderLoad(t *testing.T) {
	const lines, rotations = 33_000, 30
	dir := t.TempDir()
	path := filepath.Join(dir, "app.log")
	store := newStore(t)
	k := newTaken()
	cfg := Config{Files: []string{path}, FromStart: true}
	stop := follow(t, cfg, k, store)
	var f, old *os.File
	reopen := func() {
		var err error
		if f, err = os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	reopen()
	write(t, path, "the first\n") // a file that came and went before the first look is nobody's
	k.wait(t, 1)
	for i := range lines {
		if i%(lines/rotations) == lines/rotations-1 {
			if err := os.Rename(path, fmt.Sprintf("%s.%d", path, i)); err != nil {
				t.Fatal(err)
			}
			if old != nil {
				old.Close()
			}
			old = f
			reopen()
		}
		w := f
		if old != nil && rand.IntN(3) == 0 && i%(lines/rotations) < 200 { // a late writer
			w = old
		}
		if _, err := fmt.Fprintf(w, "line %d\n", i); err != nil {
			t.Fatal(err)
		}
		if i == lines/3 || i == lines/2 {
			stop()
			stop = follow(t, cfg, k, store)
		}
	}
	k.wait(t, lines+1)
	stop()
	f.Close()
	old.Close()
	seen := map[string]int{}
	for _, l := range k.got() {
		seen[l]++
	}
	for i := range lines {
		if n := seen[fmt.Sprintf("line %d", i)]; n != 1 {
			t.Fatalf("line %d came %d times; %d lines in all", i, n, len(k.got()))
		}
	}
}

func TestConfigFaults(t *testing.T) {
	for want, cfg := range map[string]Config{
		"intake.logfile.files[0]": {Files: []string{"var/log/x"}},
		"syntax error":            {Files: []string{"/var/log/["}},
		"intake.logfile.poll":     {Poll: time.Hour},
		"intake.logfile.quiet":    {Quiet: -1},
	} {
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, want %q", cfg, err, want)
		}
	}
	if err := (Config{Files: []string{"/var/log/*.log"}}).Validate(); err != nil {
		t.Error(err)
	}
}
