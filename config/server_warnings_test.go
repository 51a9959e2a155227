package config

import (
	"strings"
	"testing"
)

// TestTheProbeIsWarnedOf: what counts for nothing must not look as if it watched over something.
func TestTheProbeIsWarnedOf(t *testing.T) {
	for text, want := range map[string]bool{"probe: {every: 1m}\n": true, "probe: {limit: 1m}\n": false} {
		cfg, err := ParseServer("server.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		got := false
		for _, w := range cfg.Warnings {
			got = got || strings.Contains(w.Error(), "no probe")
		}
		if got != want {
			t.Errorf("%q: warned %v, want %v", text, got, want)
		}
	}
}
