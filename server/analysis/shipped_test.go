package analysis

import (
	"os"
	"path/filepath"
	"testing"
)

// shippedEngine compiles the shipped packs, with readable errors.
func shippedEngine(t testing.TB) *Engine {
	t.Helper()
	files, err := filepath.Glob("packs/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no packs: %v", err)
	}
	var packs []*Pack
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		p, err := ParsePack(f, text)
		if err != nil {
			t.Fatal(err)
		}
		packs = append(packs, p)
	}
	e, err := New(packs...)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestShippedSamples(t *testing.T) {
	results := TestSamples(t.Context(), shippedEngine(t))
	for _, r := range results {
		for _, f := range r.Failures {
			t.Error(f)
		}
	}
}
