package book

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"callhome"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, path string, l Limits) *Book {
	t.Helper()
	b, err := Open(t.Context(), path, l)
	must(t, err)
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func TestSeen(t *testing.T) {
	path, now := filepath.Join(t.TempDir(), "book.db"), time.Now()
	l := DefaultLimits()
	l.Seen, l.Window = 100, time.Hour
	b := open(t, path, l)
	id := b.ID()
	keys := make([]Key, 150)
	batch := &Batch{CleanAt: now}
	for i := range keys {
		keys[i] = KeyOf("device", callhome.MessageID(fmt.Sprint(i)), "")
		batch.Seen = append(batch.Seen, Seen{Key: keys[i], At: now.Add(time.Duration(i) * time.Second)})
	}
	must(t, b.Write(t.Context(), batch))
	seen := func(i int, at time.Time) bool {
		ok, err := b.Seen(t.Context(), keys[i], at)
		must(t, err)
		return ok
	}
	if !seen(0, now) || seen(0, now.Add(2*time.Hour)) {
		t.Error("the window is not kept")
	}
	more, err := b.Tidy(t.Context(), now)
	must(t, err)
	if more || seen(49, now) || !seen(50, now) || !seen(149, now) {
		t.Error("not the oldest were forgotten, or not as many as the limit says")
	}
	if _, err = b.Tidy(t.Context(), now.Add(time.Hour+100*time.Second)); err != nil || seen(99, now) || !seen(101, now) {
		t.Errorf("what is older than the window stays: %v", err)
	}
	must(t, b.Close())
	again := open(t, path, l)
	clean, err := again.CleanAt(t.Context())
	must(t, err)
	if again.ID() != id || len(id) != 16 || !clean.Equal(now) {
		t.Errorf("after a restart: %s, %s, %v", again.ID(), id, clean)
	}
}

func TestKeyOf(t *testing.T) {
	seen := map[Key]string{}
	for _, c := range [][3]string{{"a", "b", ""}, {"ab", "", ""}, {"", "ab", ""}, {"a", "b", "1"}, {"a", "b1", ""}, {"a1:b", "", ""}} {
		k := KeyOf(c[0], callhome.MessageID(c[1]), c[2])
		if other, ok := seen[k]; ok {
			t.Errorf("%q and %q have one key", c, other)
		}
		seen[k] = fmt.Sprint(c)
		if back, ok := ParseKey(k.String()); !ok || back != k {
			t.Errorf("%s does not come back", k)
		}
	}
	for _, bad := range []string{"", "xyz", "00"} {
		if _, ok := ParseKey(bad); ok {
			t.Errorf("%q is read", bad)
		}
	}
}

func TestDevices(t *testing.T) {
	l := DefaultLimits()
	l.Devices = 3
	b := open(t, filepath.Join(t.TempDir(), "book.db"), l)
	now := time.Now().Truncate(time.Microsecond)
	for i := range 5 {
		must(t, b.Write(t.Context(), &Batch{Sightings: []Sighting{{Key: fmt.Sprintf("d%d", i), Hostname: "h", Type: "syslog", Result: "accepted", At: now.Add(time.Duration(i) * time.Minute)}}}))
	}
	must(t, b.Write(t.Context(), &Batch{
		Sightings: []Sighting{{Key: "d4", Serial: "S", At: now}, {Key: "d4", Product: "P", At: now}},
		Results:   []Result{{Key: "d4", Result: "forwarded", At: now.Add(time.Hour)}, {Key: "nobody", Result: "forwarded", At: now}},
	}))
	_, err := b.Tidy(t.Context(), now)
	must(t, err)
	list, err := b.Devices(t.Context(), "", 10)
	must(t, err)
	if len(list) != 3 || list[0].Key != "d2" {
		t.Fatalf("%+v", list)
	}
	d := list[2]
	if d.Total != 3 || d.Hostname != "h" || d.Serial != "S" || d.Product != "P" || d.Result != "forwarded" || !d.LastSeen.Equal(now.Add(4*time.Minute)) {
		t.Errorf("%+v", d)
	}
	if list, err = b.Devices(t.Context(), "d2", 1); err != nil || len(list) != 1 || list[0].Key != "d3" {
		t.Errorf("page %+v %v", list, err)
	}
	must(t, b.ForgetDevice(t.Context(), "d3"))
	if err := b.ForgetDevice(t.Context(), "d3"); callhome.KindOf(err) != callhome.KindNotFound {
		t.Errorf("twice: %v", err)
	}
}

// TestRhythm: two gaps that agree make a period, one that does not unmakes it.
func TestRhythm(t *testing.T) {
	const hour, day = 3600, 24 * 3600
	for _, c := range []struct {
		name string
		gaps []int64
		want int64
	}{
		{"nothing", nil, 0},
		{"one gap", []int64{day}, 0},
		{"daily", []int64{day, day}, day},
		{"monthly", []int64{31 * day, 28 * day}, 31 * day},
		{"changed", []int64{day, day, 7 * day}, 0},
		{"changed to weekly", []int64{day, day, 7 * day, 7 * day}, 7 * day},
		{"the same occasion", []int64{day, 10, 20, day}, day + 30},
		{"no schedule", []int64{hour, 5 * hour, 2 * hour}, 0},
		{"a year", []int64{365 * day, 365 * day}, 0},
	} {
		d, at := &Device{rhythm: map[string]rhythm{}}, int64(1_000_000_000)
		d.learn("inventory", at)
		for _, g := range c.gaps {
			at += g
			d.learn("inventory", at)
		}
		got := int64(d.Period / time.Second)
		if diff := got - c.want; diff < 0 || diff > 60 {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
	d := &Device{rhythm: map[string]rhythm{}}
	for i := range 100 {
		d.learn(fmt.Sprint(i), 1)
	}
	if len(d.rhythm) > maxTypes {
		t.Errorf("%d types are remembered", len(d.rhythm))
	}
}

func TestShelfIsBounded(t *testing.T) {
	l := DefaultLimits()
	l.Shelf, l.Shelved = 1000, 5
	b := open(t, filepath.Join(t.TempDir(), "book.db"), l)
	put := func(size int) int64 {
		id, err := b.Shelve(t.Context(), &Shelved{At: time.Now(), Transport: "http", Reason: "malformed", Body: make([]byte, size)})
		must(t, err)
		return id
	}
	for range 8 {
		put(10)
	}
	if n, bytes, err := b.ShelfSize(t.Context()); err != nil || n != 5 || bytes != 50 {
		t.Errorf("%d messages, %d bytes, %v", n, bytes, err)
	}
	last := put(990)
	if n, bytes, err := b.ShelfSize(t.Context()); err != nil || n != 2 || bytes != 1000 {
		t.Errorf("%d messages, %d bytes, %v", n, bytes, err)
	}
	if put(1001) != 0 {
		t.Error("a message larger than the shelf is kept")
	}
	if s, err := b.Shelved(t.Context(), last); err != nil || len(s.Body) != 990 {
		t.Errorf("%v %v", s, err)
	}
	if _, err := b.Shelved(t.Context(), 1); callhome.KindOf(err) != callhome.KindNotFound {
		t.Errorf("what was pushed off: %v", err)
	}
}

func TestCounts(t *testing.T) {
	b := open(t, filepath.Join(t.TempDir(), "book.db"), DefaultLimits())
	c := Count{Kind: "refused", Word: "loop"}
	for range 2 {
		must(t, b.Write(t.Context(), &Batch{Counts: map[Count]int64{c: 3}}))
	}
	if got, err := b.Counts(t.Context()); err != nil || got[c] != 6 {
		t.Errorf("%v %v", got, err)
	}
}
