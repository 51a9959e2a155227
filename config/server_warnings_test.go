package config

import (
	"strings"
	"testing"
)

// TestAProbeNeedsAnAddress: what counts for nothing must not look as if it watched over something.
func TestAProbeNeedsAnAddress(t *testing.T) {
	for text, want := range map[string]bool{
		"probe: {every: 1m}\n": true, "probe: {limit: 1m}\n": false, "probe: {every: 1m, url: https://gw.example/its/service/oddce/services/DDCEService}\n": false,
		"probe: {every: 1m}\nlisten: {devices: [\"http://127.0.0.1:8090\"]}\n": false,
	} {
		cfg, err := ParseServer("server.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		got := false
		for _, w := range cfg.Warnings {
			got = got || strings.Contains(w.Error(), "probe.every")
		}
		if got != want {
			t.Errorf("%q: warned %v, want %v", text, got, want)
		}
	}
}
