//go:build !race

package aml

import "testing"

// TestDecodeAllocs holds the 8 KiB message to its allocations: at most 20 by the performance goals.
func TestDecodeAllocs(t *testing.T) {
	doc := shapes(t)["8KiB"]
	if got := testing.AllocsPerRun(100, func() {
		if _, err := Decode(doc, Options{}); err != nil {
			t.Fatal(err)
		}
	}); got > 20 {
		t.Errorf("got %v allocations for %d bytes, want at most 20", got, len(doc))
	}
}
