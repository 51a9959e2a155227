package gateway

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"callhome"
	"callhome/gateway/book"
	"callhome/gateway/bundle"
)

// twoSites are a gateway without a connection and one with.
func twoSites(t *testing.T) (island, mainland *rig, stick string) {
	t.Helper()
	island = start(t, t.TempDir(), config(func(c *Config) { c.Name, c.Upstream = "island", nil }))
	mainland = start(t, t.TempDir(), config(func(c *Config) { c.Name = "mainland" }))
	introduce(t, island, mainland)
	return island, mainland, t.TempDir()
}

func introduce(t *testing.T, a, b *rig) {
	t.Helper()
	ka, err := a.Key()
	must(t, err)
	kb, err := b.Key()
	must(t, err)
	ca, cb := *a.cfg.Load(), *b.cfg.Load()
	ca.Bundles.Peers, cb.Bundles.Peers = []bundle.Peer{kb}, []bundle.Peer{ka}
	must(t, a.Reload(ca))
	must(t, b.Reload(cb))
}

func (r *rig) depth() int64 {
	d, err := r.queue.Depth(r.t.Context())
	must(r.t, err)
	return d.Entries
}

func TestBundleRoundTrip(t *testing.T) {
	island, mainland, stick := twoSites(t)
	for n := range 50 {
		_, err := island.post(message(n, callhome.GroupSyslog, callhome.LevelMajor))
		must(t, err)
	}
	out := filepath.Join(stick, "out.bundle")
	e, err := island.Export(t.Context(), ExportOrder{Out: out})
	must(t, err)
	if e.Messages != 50 || e.To != "mainland" || island.depth() != 50 {
		t.Fatalf("%+v, %d in the queue", e, island.depth())
	}
	raw, err := os.ReadFile(out)
	must(t, err)
	if bytes.Contains(raw, []byte("FOX1")) {
		t.Error("the bundle shows what it holds")
	}
	_, err = island.post(message(100, callhome.GroupSyslog, callhome.LevelMajor))
	must(t, err)
	next, err := island.Export(t.Context(), ExportOrder{Out: filepath.Join(stick, "next.bundle")})
	must(t, err)
	if next.Messages != 1 || next.Waiting != 50 {
		t.Errorf("the next bundle: %+v", next)
	}

	receipt := filepath.Join(stick, "out.receipt")
	in, err := mainland.Import(t.Context(), out, receipt)
	must(t, err)
	if in.New != 50 || in.Duplicates != 0 || in.Before || in.From != "island" {
		t.Errorf("%+v", in)
	}
	mainland.await("forwarded", func() bool { return len(mainland.posts.at(first)) == 50 })
	again, err := mainland.Import(t.Context(), out, receipt) // replayed
	must(t, err)
	if again.New != 0 || again.Duplicates != 50 || !again.Before {
		t.Errorf("replayed: %+v", again)
	}

	s, err := island.Receipt(t.Context(), receipt)
	must(t, err)
	if s.Confirmed != 50 || s.Before || island.depth() != 1 {
		t.Errorf("%+v, %d in the queue", s, island.depth())
	}
	if s, err = island.Receipt(t.Context(), receipt); err != nil || !s.Before {
		t.Errorf("the receipt again: %+v %v", s, err)
	}
	b, err := island.Bundles(t.Context())
	must(t, err)
	states := map[string]string{}
	for _, u := range b {
		states[u.ID] = u.State
	}
	if states[e.Bundle] != book.StateConfirmed || states[next.Bundle] != book.StateOpen {
		t.Errorf("states %v", states)
	}
	// A message that came again in the meantime is not forwarded twice.
	if r, err := mainland.post(message(3, callhome.GroupSyslog, callhome.LevelMajor)); err != nil || !r.Duplicate {
		t.Errorf("%+v %v", r, err)
	}
}

func TestBundleMarked(t *testing.T) {
	island, _, stick := twoSites(t)
	for n := range 5 {
		_, err := island.post(message(n, callhome.GroupSyslog, callhome.LevelMajor))
		must(t, err)
	}
	e, err := island.Export(t.Context(), ExportOrder{Out: filepath.Join(stick, "b"), Mark: true, Limit: 3})
	must(t, err)
	if e.Messages != 3 || island.depth() != 2 {
		t.Errorf("%+v, %d in the queue", e, island.depth())
	}
}

func TestBundleAgain(t *testing.T) {
	island, mainland, stick := twoSites(t)
	_, err := island.post(message(1, callhome.GroupSyslog, callhome.LevelMajor))
	must(t, err)
	_, err = island.Export(t.Context(), ExportOrder{Out: filepath.Join(stick, "lost")})
	must(t, err)
	e, err := island.Export(t.Context(), ExportOrder{Out: filepath.Join(stick, "b"), Again: true})
	must(t, err)
	if e.Messages != 1 {
		t.Fatalf("%+v", e)
	}
	_, err = mainland.Import(t.Context(), filepath.Join(stick, "b"), filepath.Join(stick, "r"))
	must(t, err)
	s, err := island.Receipt(t.Context(), filepath.Join(stick, "r"))
	must(t, err)
	if s.Confirmed != 1 || island.depth() != 0 {
		t.Errorf("%+v", s)
	}
}

// TestBundlesThatAreRefused: nothing of a file that is not what was signed is taken, and the error says what is wrong.
func TestBundlesThatAreRefused(t *testing.T) {
	island, mainland, stick := twoSites(t)
	stranger := start(t, t.TempDir(), config(func(c *Config) { c.Name, c.Upstream = "stranger", nil }))
	introduce2 := *stranger.cfg.Load()
	key, err := mainland.Key()
	must(t, err)
	introduce2.Bundles.Peers = []bundle.Peer{key}
	must(t, stranger.Reload(introduce2))
	for _, r := range []*rig{island, stranger} {
		_, err := r.post(message(1, callhome.GroupSyslog, callhome.LevelMajor))
		must(t, err)
	}
	good := filepath.Join(stick, "good")
	_, err = island.Export(t.Context(), ExportOrder{Out: good})
	must(t, err)
	_, err = stranger.Export(t.Context(), ExportOrder{Out: filepath.Join(stick, "stranger")})
	must(t, err)
	raw, err := os.ReadFile(good)
	must(t, err)
	other, err := os.ReadFile(filepath.Join(stick, "stranger"))
	must(t, err)
	lines := bytes.SplitN(raw, []byte("\n"), 3)
	otherLines := bytes.SplitN(other, []byte("\n"), 3)
	put := func(name string, b []byte) string {
		p := filepath.Join(stick, name)
		must(t, os.WriteFile(p, b, 0o600))
		return p
	}
	flip := func(b []byte, i int) []byte {
		c := bytes.Clone(b)
		c[i] ^= 1
		return c
	}
	header := len(lines[0]) + len(lines[1]) + 2
	for name, c := range map[string]struct {
		path string
		kind callhome.Kind
		says string
	}{
		"missing":         {filepath.Join(stick, "none"), callhome.KindInvalid, "cannot be read"},
		"empty":           {put("empty", nil), callhome.KindInvalid, "no bundle"},
		"not a bundle":    {put("xml", []byte("<xml/>\n<x/>\n")), callhome.KindInvalid, "no bundle"},
		"stranger":        {filepath.Join(stick, "stranger"), callhome.KindDenied, "none of bundles.peers"},
		"payload changed": {put("p", flip(raw, len(raw)-5)), callhome.KindInvalid, "changed or damaged"},
		"age header":      {put("a", flip(raw, header+30)), callhome.KindInvalid, "changed or damaged"},
		"header changed":  {put("h", bytes.Replace(raw, []byte(`"messages":1`), []byte(`"messages":2`), 1)), callhome.KindInvalid, "signature is wrong"},
		"signature":       {put("s", append(append(append(bytes.Clone(lines[0]), '\n'), append(otherLines[1], '\n')...), lines[2]...)), callhome.KindInvalid, "signature is wrong"},
		"other payload":   {put("o", append(append(append(bytes.Clone(lines[0]), '\n'), append(bytes.Clone(lines[1]), '\n')...), otherLines[2]...)), callhome.KindInvalid, ""},
		"cut off":         {put("c", raw[:len(raw)-10]), callhome.KindInvalid, "cut off"},
		"cut in header":   {put("ch", raw[:20]), callhome.KindInvalid, "cut off"},
		"too long":        {put("l", append(bytes.Clone(raw), 'x')), callhome.KindInvalid, "changed or damaged"},
	} {
		_, err := mainland.Import(t.Context(), c.path, filepath.Join(stick, "r"))
		if callhome.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
		if n := mainland.depth(); n != 0 || len(mainland.posts.at(first)) != 0 {
			t.Fatalf("%s: a message was taken", name)
		}
	}
	// For somebody else: the island cannot read what is for the mainland, nor its own.
	if _, err := island.Import(t.Context(), good, filepath.Join(stick, "r")); callhome.KindOf(err) != callhome.KindDenied {
		t.Errorf("its own: %v", err)
	}
	// A bundle is no receipt.
	if _, err := mainland.Receipt(t.Context(), good); callhome.KindOf(err) != callhome.KindInvalid {
		t.Errorf("a bundle as receipt: %v", err)
	}
	// A receipt of somebody whom the bundle was not for.
	_, err = mainland.Import(t.Context(), good, filepath.Join(stick, "r"))
	must(t, err)
	if _, err := stranger.Receipt(t.Context(), filepath.Join(stick, "r")); callhome.KindOf(err) != callhome.KindDenied {
		t.Errorf("receipt elsewhere: %v", err)
	}
}

// TestCrashAfterImport: all messages are in the queue, the book has noted nothing, no receipt was written.
func TestCrashAfterImport(t *testing.T) {
	island, mainland, stick := twoSites(t)
	for n := range 10 {
		_, err := island.post(message(n, callhome.GroupSyslog, callhome.LevelMajor))
		must(t, err)
	}
	b := filepath.Join(stick, "b")
	_, err := island.Export(t.Context(), ExportOrder{Out: b})
	must(t, err)
	cfg := *mainland.cfg.Load()
	f, err := bundle.Open(b, mainland.keys, cfg.Bundles.Peers)
	must(t, err)
	n := 0
	must(t, f.Each(func(r *bundle.Record) error {
		n++
		if n > 5 {
			return nil
		}
		return mainland.importOne(t.Context(), &cfg, r, &Imported{}, &bundle.Receipt{})
	}))
	must(t, f.Close())
	mainland.crash()
	after := start(t, mainland.dir, cfg)
	in, err := after.Import(t.Context(), b, filepath.Join(stick, "r"))
	must(t, err)
	if in.New != 5 || in.Duplicates != 5 {
		t.Errorf("%+v", in)
	}
}
