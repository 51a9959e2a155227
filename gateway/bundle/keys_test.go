package bundle

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func keys(t *testing.T) *Keys {
	t.Helper()
	k, err := OpenKeys(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestKeysStay(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	first, err := OpenKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	again, err := OpenKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	p := first.Public("a")
	if p != again.Public("a") {
		t.Error("the keys change from start to start")
	}
	if err := p.Validate(); err != nil {
		t.Error(err)
	}
	for _, name := range []string{signFile, ageFile} {
		path := filepath.Join(dir, name)
		if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", name, fi, err)
		}
		good, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("rubbish"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenKeys(dir); err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("%s damaged: %v", name, err)
		}
		if err := os.WriteFile(path, good, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, bad := range []Peer{{}, {Name: "x", SignKey: "ed25519:AA", Recipient: p.Recipient}, {Name: "x", SignKey: p.SignKey, Recipient: "age1x"}} {
		if bad.Validate() == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}

// TestFailedWriteLeavesNothing: an error while messages are read leaves no file under the name, and none beside it.
func TestFailedWriteLeavesNothing(t *testing.T) {
	dir, broken := t.TempDir(), errors.New("the queue broke")
	n := 0
	_, err := Write(filepath.Join(dir, "b"), keys(t), "a", keys(t).Public("b"), "1", time.Now(), func() (*Record, error) {
		if n++; n > 3 {
			return nil, broken
		}
		return &Record{Body: []byte("x")}, nil
	})
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func TestRoundTrip(t *testing.T) {
	from, to := keys(t), keys(t)
	path := filepath.Join(t.TempDir(), "b")
	bodies := []string{"", "one", "with\nlines\n", strings.Repeat("long ", 100000)}
	i := 0
	h, err := Write(path, from, "a", to.Public("b"), "7", time.Now(), func() (*Record, error) {
		if i == len(bodies) {
			return nil, io.EOF
		}
		i++
		return &Record{Entry: int64(i), MessageID: "M", Body: []byte(bodies[i-1])}, nil
	})
	if err != nil || h.Messages != len(bodies) {
		t.Fatalf("%+v %v", h, err)
	}
	f, err := Open(path, to, []Peer{from.Public("a")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	got := 0
	if err := f.Each(func(r *Record) error {
		if string(r.Body) != bodies[got] || r.Entry != int64(got+1) {
			t.Errorf("message %d: %d bytes", got, len(r.Body))
		}
		got++
		return nil
	}); err != nil || got != len(bodies) {
		t.Errorf("%d messages, %v", got, err)
	}
}
