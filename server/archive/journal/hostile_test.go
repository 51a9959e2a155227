package journal

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"callhome"
	"callhome/server/archive"
)

// TestBodiesAreNoFrames sends bodies that hold frames: one of a foreign key, and what stands in a file of the sender's
// own journal. A file that is used again ends in such a body, and after a start it is searched.
func TestBodiesAreNoFrames(t *testing.T) {
	dir := t.TempDir()
	o := options(Position{})
	o.Segment = 64 << 10
	j := open(t, dir, o)
	forged := arrival(1)
	forged.Origin = archive.Origin{Certificate: "of somebody else"}
	var body []byte
	for segment := range uint64(12) {
		other := &Journal{key: bytes.Repeat([]byte{1}, keySize)}
		var err error
		if body, err = appendFrame(body, other.mark(segment), forged); err != nil {
			t.Fatal(err)
		}
	}
	for shift := range align { // one of them stands where frames do
		body = append(make([]byte, shift), body...)
		for n := range 40 {
			a := &archive.Arrival{ReceivedAt: time.Unix(1, 0), Key: archive.Key{byte(shift), byte(n + 1)}, Body: body}
			if _, err := j.Put(context.Background(), a); err != nil {
				t.Fatal(err)
			}
		}
	}
	_, from := drain(t, j, Position{}, 40*align)
	put(t, j, 1, 2) // in a file that was used before
	_ = j.Close()

	o.From = from
	again := open(t, dir, o)
	if b, _ := again.Backlog(context.Background()); b.Arrivals != 1 {
		t.Errorf("%d wait, want 1", b.Arrivals)
	}
	if got, _ := drain(t, again, from, 1); got[0].Origin.Certificate != "" || !o.Health.Well() {
		t.Errorf("got %+v, well: %v", got[0].Origin, o.Health.Well())
	}
}

func TestAKeyIsNotMadeAnew(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, options(Position{}))
	put(t, j, 1, 2)
	_ = j.Close()
	if err := os.Remove(filepath.Join(dir, keyFile)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, options(Position{})); callhome.KindOf(err) != callhome.KindConflict {
		t.Errorf("opened without its key: %v", err)
	}
}

// TestClosedWhileItIsAskedFor hands an arrival in whose key is being looked up when the journal is closed.
func TestClosedWhileItIsAskedFor(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan struct{})
	o := options(Position{})
	o.Known = func(context.Context, archive.Key) (int64, bool, error) {
		close(asked)
		<-answer
		return 0, false, nil
	}
	j := open(t, t.TempDir(), o)
	got := make(chan error, 1)
	go func() {
		_, err := j.Put(context.Background(), arrival(1))
		got <- err
	}()
	<-asked
	_ = j.Close()
	close(answer)
	if err := <-got; callhome.KindOf(err) != callhome.KindUnavailable {
		t.Errorf("got %v", err)
	}
}

// TestADiskThatFails refuses what cannot be synced. What is on the disk all the same is worked at most once.
func TestADiskThatFails(t *testing.T) {
	var fails atomic.Bool
	o := options(Position{})
	o.sync = func(*os.File) error {
		if fails.Load() {
			return unix.EIO
		}
		return nil
	}
	dir := t.TempDir()
	j := open(t, dir, o)
	want := put(t, j, 0, 3)
	fails.Store(true)
	for range 3 {
		if _, err := j.Put(context.Background(), arrival(3)); callhome.KindOf(err) != callhome.KindUnavailable || o.Health.Well() {
			t.Fatalf("got %v, well: %v", err, o.Health.Well())
		}
	}
	fails.Store(false)
	want = append(want, put(t, j, 3, 6)...)
	if b, _ := j.Backlog(context.Background()); b.Arrivals != 6 || !o.Health.Well() {
		t.Errorf("%d wait, well: %v", b.Arrivals, o.Health.Well())
	}
	_ = j.Close()
	again := open(t, dir, o)
	b, _ := again.Backlog(context.Background())
	got, _ := drain(t, again, Position{}, int(b.Arrivals))
	kept := map[archive.Key]bool{}
	for _, a := range got {
		kept[a.Key] = true // whoever works them leaves repeats out by their key
	}
	for _, a := range want {
		if !kept[a.Key] {
			t.Errorf("arrival %d is lost", a.ID)
		}
	}
}
