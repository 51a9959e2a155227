package intake

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestState(t *testing.T) {
	dir := t.TempDir()
	s := State(filepath.Join(dir, "x.json"))
	got := map[string]int{"kept": 1}
	if err := s.Load(&got); err != nil || got["kept"] != 1 {
		t.Errorf("a missing file: got %v, %v", got, err)
	}
	for i := range 3 {
		if err := s.Save(map[string]int{"n": i}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Load(&got); err != nil || got["n"] != 2 {
		t.Errorf("got %v, %v", got, err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("files left behind: %v, %v", entries, err)
	}
	if info, err := os.Stat(string(s)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode: %v, %v", info.Mode(), err)
	}
	for text, want := range map[string]string{`{"n":`: "damaged", strings.Repeat("x", maxStateBytes+1): "more than"} {
		if err := os.WriteFile(string(s), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := s.Load(&got); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.10q: got %v, want %q", text, err, want)
		}
	}
	if err := s.Save(make(chan int)); err == nil {
		t.Error("what cannot be encoded was saved")
	}
	if err := State(filepath.Join(dir, "no", "such")).Save(1); err == nil {
		t.Error("saved into a folder that is not there")
	}
}

// TestLeftoversAreRemoved proves that what killed processes left goes, and nothing else.
func TestLeftoversAreRemoved(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"x.json", "x.json.123", "x.json.4", "x.json.bak", "x.json.", "y.json.123", "x.json.12a"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("1"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var n int
	if err := State(filepath.Join(dir, "x.json")).Load(&n); err != nil || n != 1 {
		t.Fatalf("got %d, %v", n, err)
	}
	var left []string
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if got := strings.Join(left, " "); got != "x.json x.json. x.json.12a x.json.bak y.json.123" {
		t.Errorf("left: %s", got)
	}
}

func TestSinkFunc(t *testing.T) {
	var got string
	var s Sink = SinkFunc(func(_ context.Context, raw []byte, o *Origin) error { got = string(raw) + o.Name; return nil })
	if err := s.Take(t.Context(), []byte("a"), &Origin{Name: "b"}); err != nil || got != "ab" {
		t.Errorf("got %q, %v", got, err)
	}
}
