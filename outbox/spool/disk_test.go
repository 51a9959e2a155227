package spool_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"callhome"
	"callhome/health"
	"callhome/outbox"
	"callhome/outbox/spool"
)

// smallDisk mounts a file system of so many bytes. Only root may; as anybody else the test fails and says so, because
// what a full disk does is not to be guessed.
func smallDisk(t *testing.T, bytes int) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", bytes)); err != nil {
		t.Fatalf("this test mounts a small tmpfs and needs root (CAP_SYS_ADMIN): %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return dir
}

// TestFullDisk fills a real file system: alerts are refused while it is full, what was accepted is all there, and
// everything goes on by itself when there is room again.
func TestFullDisk(t *testing.T) {
	dir := smallDisk(t, 24<<20)
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 8<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := spool.Open(context.Background(), filepath.Join(dir, "outbox.db"), spool.Options{})
	if err != nil {
		t.Fatal(err)
	}
	h := health.New()
	q, err := outbox.Open(context.Background(), s, outbox.Options{Health: h})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	accepted := 0
	for ; err == nil; accepted++ {
		if err = q.Put(ctx, envelope(accepted)); err != nil {
			break
		}
	}
	if callhome.KindOf(err) != callhome.KindUnavailable || !strings.Contains(err.Error(), "disk is full") {
		t.Fatalf("after %d messages: got %v, want unavailable and the reason", accepted, err)
	}
	if h.Well() {
		t.Error("health is well on a full disk")
	}
	l, err := q.Lease(ctx, outbox.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range l.Entries {
		l.Delivered(i)
	}
	settled := make(chan error, 1)
	go func() { settled <- q.Settle(ctx, l) }() // may succeed at once if the journal has room

	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := <-settled; err != nil {
		t.Fatalf("settle after there is room again: %v", err)
	}
	if err := q.Put(ctx, envelope(accepted)); err != nil {
		t.Fatalf("put after there is room again: %v", err)
	}
	if !h.Well() {
		t.Errorf("health after there is room again: %+v", h.Snapshot())
	}
	want := int64(accepted + 1 - len(l.Entries))
	if d, err := q.Depth(ctx); err != nil || d.Entries != want {
		t.Errorf("messages: got %d (%v), want %d", d.Entries, err, want)
	}
	if err := s.Check(ctx); err != nil {
		t.Errorf("the database: %v", err)
	}
	if err := drain(q, 4, int(want)); err != nil { // on a disk that is still small: the journal must not eat it
		t.Error(err)
	}
}

// TestJournalStaysShortUnderReaders writes while somebody always reads, which keeps SQLite from starting its journal anew.
func TestJournalStaysShortUnderReaders(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.db")
	_, q, err := openPlain(path)
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	fillQueue(t, q, 500)
	for range 3 {
		wg.Go(func() {
			for ctx.Err() == nil {
				_, _ = q.List(ctx, outbox.Filter{Limit: 500}) // a reader, whatever it finds
			}
		})
	}
	// Without folding the journal would grow beyond 100 MiB. A fold may give way to a reader on a busy machine, once or
	// twice in a row; then the next one does it.
	const rounds, bound = 60, 64 << 20
	longest := int64(0)
	for i := range rounds {
		for n := range 4 {
			batch := make([]callhome.Envelope, 100)
			for k := range batch {
				batch[k] = envelope(i*400 + n*100 + k)
			}
			if err := q.Put(ctx, batch...); err != nil {
				t.Fatal(err)
			}
		}
		if info, err := os.Stat(path + "-wal"); err == nil {
			longest = max(longest, info.Size())
		}
	}
	t.Logf("longest journal: %d KiB", longest>>10)
	if longest > bound {
		t.Errorf("the journal grew to %d MiB, want at most %d", longest>>20, bound>>20)
	}
}

// straceEnv makes the test binary a child that puts messages and is watched.
const straceEnv = "CALLHOME_STRACE_CHILD"

// straceAlone puts of one caller, and straceTogether of many, are watched.
const (
	straceAlone    = 200
	straceTogether = 2000
)

// straceChild puts, and marks the phases by opening files that do not exist.
func straceChild(dir string) error {
	_, q, err := openPlain(filepath.Join(dir, "outbox.db"))
	if err != nil {
		return err
	}
	ctx := context.Background()
	mark := func(word string) { _, _ = os.Stat("/mark-" + word) }
	mark("alone")
	for i := range straceAlone {
		if err := q.PutAlert(ctx, alert(i)); err != nil {
			return err
		}
	}
	mark("together")
	var wg sync.WaitGroup
	for c := range 50 {
		wg.Go(func() {
			for i := range straceTogether / 50 {
				if err := q.PutAlert(ctx, alert(c*100+i)); err != nil {
					fmt.Fprintln(os.Stderr, err)
				}
			}
		})
	}
	wg.Wait()
	mark("done")
	return nil
}

var syncCall = regexp.MustCompile(`\b(fsync|fdatasync)\(`)

// TestSyncsUnderStrace counts what reaches the disk: one sync at least for each acknowledged alert of a lone caller,
// and fewer for many callers, because they share them.
func TestSyncsUnderStrace(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Fatalf("this test needs strace (apt-get install strace): %v", err)
	}
	dir := t.TempDir()
	trace := filepath.Join(dir, "trace")
	c := exec.Command(strace, "-f", "-q", "-e", "trace=fsync,fdatasync,newfstatat,stat,exit_group", "-o", trace, os.Args[0])
	c.Env = append(os.Environ(), straceEnv+"="+dir)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("strace: %v: %s", err, out)
	}
	f, err := os.Open(trace)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	phase, syncs := "", map[string]int{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Text()
		if _, rest, ok := strings.Cut(line, `"/mark-`); ok {
			phase, _, _ = strings.Cut(rest, `"`)
		}
		if syncCall.MatchString(line) && !strings.Contains(line, "resumed") {
			syncs[phase]++
		}
	}
	t.Logf("syncs: %d for %d alerts of one caller, %d for %d alerts of 50 callers", syncs["alone"], straceAlone, syncs["together"], straceTogether)
	if syncs["alone"] < straceAlone {
		t.Errorf("one caller: %d syncs for %d acknowledged alerts", syncs["alone"], straceAlone)
	}
	// How many callers meet in one transaction depends on how fast the machine is beside its disk; that they meet does not.
	if n := syncs["together"]; n == 0 || n > straceTogether/2 {
		t.Errorf("50 callers: %d syncs for %d alerts, want some, and at most half", n, straceTogether)
	}
}

// TestRescue damages the middle of a spool and finds most of it again.
func TestRescue(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.db")
	_, q, err := openPlain(path)
	if err != nil {
		t.Fatal(err)
	}
	fillQueue(t, q, 2000)
	if err := q.PutAlert(context.Background(), alert(1)); err != nil {
		t.Fatal(err)
	}
	p, err := q.NextAlert(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	number := p.MessageNumber("other")
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte(strings.Repeat("\xa5", 3*8192)), 8192*400); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".suspect", []byte("a query met damage"), 0o600); err != nil {
		t.Fatal(err)
	}
	h := health.New()
	s, err := spool.Open(context.Background(), path, spool.Options{Health: h})
	if err != nil {
		t.Fatal(err)
	}
	r := s.Rescued()
	if r == nil || r.Rows["alert"] != 1 || r.Rows["entry"] < 1900 || h.Well() {
		t.Fatalf("rescued: %v, health %+v", r, h.Snapshot())
	}
	if q, err = outbox.Open(context.Background(), s, outbox.Options{}); err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	d, err := q.Depth(context.Background())
	if err != nil || d.Entries != r.Rows["entry"] || d.Alerts != 1 || d.EntryBytes == 0 {
		t.Errorf("depth after the rescue: %+v (%v), want what was saved: %v", d, err, r.Rows)
	}
	if _, err := q.PutAlerts(context.Background(), []callhome.Alert{alert(2)}); err != nil {
		t.Fatal(err)
	}
	numbers := map[string]uint64{}
	for range 2 {
		if p, err = q.NextAlert(context.Background()); err != nil {
			t.Fatal(err)
		}
		numbers[p.Alert.Device] = p.MessageNumber("other")
	}
	if got := numbers[alert(1).Device]; got != number {
		t.Errorf("the saved alert has number %d, had %d", got, number)
	}
	if got := numbers[alert(2).Device]; got <= number+1 {
		t.Errorf("the new alert has number %d, want one beyond all that were given out", got)
	}
	if err := drain(q, 2, int(d.Entries)); err != nil {
		t.Error(err)
	}
}
