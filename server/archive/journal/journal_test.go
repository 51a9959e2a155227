package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"callhome"
	"callhome/health"
	"callhome/server/archive"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var ids atomic.Int64

// byBytes compares bodies at once; element by element is most of a test's time.
var byBytes = cmp.Comparer(bytes.Equal)

func options(from Position) Options {
	return Options{
		From: from, Segment: 1 << 20, NewID: func() int64 { return ids.Add(1) }, Health: health.New(),
		Known: func(context.Context, archive.Key) (int64, bool, error) { return 0, false, nil },
		sync:  func(*os.File) error { return nil }, // no test cuts the power
	}
}

func open(t *testing.T, dir string, o Options) *Journal {
	t.Helper()
	j, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

func arrival(n int) *archive.Arrival {
	body := bytes.Repeat([]byte(fmt.Sprintf("<message %d/>", n)), 1+n%200)
	return &archive.Arrival{
		ReceivedAt: time.Date(2026, 3, 14, 9, 26, 53, n*1000, time.UTC), Origin: archive.Origin{Transport: callhome.TransportHTTP, Peer: "192.0.2.7"},
		Key: archive.KeyOfBody(body), Lane: uint8(n % archive.Lanes), Body: body,
	}
}

func put(t *testing.T, j *Journal, from, to int) []*archive.Arrival {
	t.Helper()
	var all []*archive.Arrival
	for n := from; n < to; n++ {
		a := arrival(n)
		if got, err := j.Put(context.Background(), a); err != nil || got.Duplicate || got.ID != a.ID || a.ID == 0 {
			t.Fatalf("Put(%d) = %+v, %v", n, got, err)
		}
		all = append(all, a)
	}
	return all
}

// drain takes n arrivals and says that they are done.
func drain(t *testing.T, j *Journal, from Position, n int) ([]*archive.Arrival, Position) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var got []*archive.Arrival
	for len(got) < n {
		b, err := j.Next(ctx, from, n-len(got))
		if err != nil {
			t.Fatalf("after %d of %d: %v", len(got), n, err)
		}
		for i := range b.Arrivals {
			got = append(got, &b.Arrivals[i])
		}
		j.Done(b)
		from = b.Next
	}
	return got, from
}

func TestWhatWasPutComesOutInOrder(t *testing.T) {
	dir := t.TempDir()
	o := options(Position{})
	o.Segment = 64 << 10 // many segments, used again
	j := open(t, dir, o)
	var from Position
	for round := range 5 {
		want := put(t, j, round*300, round*300+300)
		var got []*archive.Arrival
		if got, from = drain(t, j, from, len(want)); !cmp.Equal(got, want, byBytes) {
			t.Fatalf("round %d: %s", round, cmp.Diff(want, got))
		}
	}
	if b, _ := j.Backlog(context.Background()); b != (archive.Backlog{}) {
		t.Errorf("the backlog is %+v", b)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*.journal"))
	if len(files) > maxSpares+2 {
		t.Errorf("%d files stay", len(files))
	}
}

func TestAFrameLongerThanWhatIsReadAhead(t *testing.T) {
	j := open(t, t.TempDir(), options(Position{}))
	a := arrival(1)
	a.Body = bytes.Repeat([]byte("0123456789"), 500_000)
	if _, err := j.Put(context.Background(), a); err != nil {
		t.Fatal(err)
	}
	if got, _ := drain(t, j, Position{}, 1); !bytes.Equal(got[0].Body, a.Body) {
		t.Error("the body is another")
	}
}

// TestKilled opens what a process left that was killed at any point of a write.
func TestKilled(t *testing.T) {
	for range 20 {
		dir := t.TempDir()
		j := open(t, dir, options(Position{}))
		want := put(t, j, 0, 50)
		got, from := drain(t, j, Position{}, 20)
		if !cmp.Equal(got, want[:20], byBytes) {
			t.Fatal(cmp.Diff(want[:20], got))
		}
		end := j.synced
		if err := j.Close(); err != nil { // gives the lock back; writes nothing
			t.Fatal(err)
		}
		torn, err := appendFrame(nil, j.mark(end.Segment), arrival(1000))
		if err != nil {
			t.Fatal(err)
		}
		overwrite(t, j.path(end.Segment), end.Offset, torn[:rand.IntN(len(torn)-8)])

		again := open(t, dir, options(from))
		if b, _ := again.Backlog(context.Background()); b.Arrivals != 30 {
			t.Fatalf("%d wait, want 30", b.Arrivals)
		}
		for _, a := range want[20:] { // senders that did not get their answer
			repeat := *a
			if p, err := again.Put(context.Background(), &repeat); err != nil || !p.Duplicate || p.ID != a.ID {
				t.Fatalf("a repeat gives %+v, %v", p, err)
			}
		}
		want = append(want, put(t, again, 50, 60)...)
		if got, _ := drain(t, again, from, 40); !cmp.Equal(got, want[20:], byBytes) {
			t.Fatal(cmp.Diff(want[20:], got))
		}
		_ = again.Close()
	}
}

func overwrite(t *testing.T, path string, at int64, b []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(b, at); err != nil {
		t.Fatal(err)
	}
}

func TestDamageCostsNoMoreThanItself(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, options(Position{}))
	want := put(t, j, 0, 100)
	end := j.synced
	_ = j.Close()
	overwrite(t, j.path(end.Segment), end.Offset/2, []byte("this is a shopping list"))

	o := options(Position{})
	again := open(t, dir, o)
	b, _ := again.Backlog(context.Background())
	if b.Arrivals < 98 || b.Arrivals > 99 {
		t.Fatalf("%d of %d wait", b.Arrivals, len(want))
	}
	got, _ := drain(t, again, Position{}, int(b.Arrivals))
	if got[len(got)-1].ID != want[99].ID {
		t.Error("what follows the damage is lost")
	}
	if o.Health.Well() {
		t.Error("health does not tell")
	}
	if kept, _ := filepath.Glob(filepath.Join(dir, "*.damaged")); len(kept) != 1 {
		t.Errorf("kept: %v", kept)
	}
}

func TestRepeatsAtTheSameMoment(t *testing.T) {
	j := open(t, t.TempDir(), options(Position{}))
	var firsts, repeats atomic.Int64
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			for n := range 40 {
				p, err := j.Put(context.Background(), arrival(n))
				switch {
				case err != nil:
					t.Error(err)
				case p.Duplicate:
					repeats.Add(1)
				default:
					firsts.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if firsts.Load() != 40 || repeats.Load() != 49*40 {
		t.Errorf("%d first, %d repeats", firsts.Load(), repeats.Load())
	}
}

func TestWhatWasWorkedIsKnown(t *testing.T) {
	o := options(Position{})
	oops := errors.New("oops")
	o.Known = func(_ context.Context, k archive.Key) (int64, bool, error) {
		switch k {
		case arrival(1).Key:
			return 77, true, nil
		case arrival(2).Key:
			return 0, false, oops
		}
		return 0, false, nil
	}
	j := open(t, t.TempDir(), o)
	if p, err := j.Put(context.Background(), arrival(1)); err != nil || p != (archive.Put{ID: 77, Duplicate: true}) {
		t.Errorf("got %+v, %v", p, err)
	}
	if _, err := j.Put(context.Background(), arrival(2)); !errors.Is(err, oops) {
		t.Errorf("got %v", err)
	}
	if _, err := j.Put(context.Background(), arrival(3)); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestFullAndClosed(t *testing.T) {
	o := options(Position{})
	o.MaxBytes = 100
	j := open(t, t.TempDir(), o)
	put(t, j, 20, 21)
	if _, err := j.Put(context.Background(), arrival(21)); callhome.KindOf(err) != callhome.KindUnavailable {
		t.Errorf("full: %v", err)
	}
	drain(t, j, Position{}, 1)
	put(t, j, 21, 22)
	if _, err := Open(j.dir, o); callhome.KindOf(err) != callhome.KindConflict {
		t.Errorf("opened twice: %v", err)
	}
	_ = j.Close()
	if _, err := j.Put(context.Background(), arrival(23)); callhome.KindOf(err) != callhome.KindUnavailable {
		t.Errorf("closed: %v", err)
	}
	if _, err := j.Next(context.Background(), j.synced, 1); callhome.KindOf(err) != callhome.KindUnavailable {
		t.Errorf("closed: %v", err)
	}
}

func FuzzFrame(f *testing.F) {
	for n := range 3 {
		b, err := appendFrame(nil, mark{}, arrival(n))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		size := frameAt(b, mark{})
		if size == 0 {
			return
		}
		if a, err := decode(b); err == nil && len(a.Body) > len(b) {
			t.Error("the body is longer than its frame")
		}
	})
}

func BenchmarkPut(b *testing.B) {
	o := options(Position{})
	o.sync = nil
	j, err := Open(b.TempDir(), o)
	if err != nil {
		b.Fatal(err)
	}
	defer j.Close()
	body := bytes.Repeat([]byte("8 KiB of message"), 512)
	b.SetBytes(int64(len(body)))
	b.SetParallelism(16)
	var n atomic.Uint64
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			a := &archive.Arrival{ReceivedAt: time.Now(), Body: body}
			k := n.Add(1)
			for i := range 8 {
				a.Key[i] = byte(k >> (8 * i))
			}
			if _, err := j.Put(context.Background(), a); err != nil {
				b.Error(err)
			}
		}
	})
}
