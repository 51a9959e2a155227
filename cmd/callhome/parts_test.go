package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"callhome"
	"callhome/agent"
	"callhome/config"
)

// TestGates: a device runs its platform's own commands, show commands and what is listed, nothing else.
func TestGates(t *testing.T) {
	d := &device{cfg: &config.Agent{}, log: slog.New(slog.DiscardHandler)}
	cfg := agent.Config{Devices: []agent.NetworkDevice{
		{Device: agent.Device{Hostname: "host-1", Personality: "linux"}, Commands: []string{"vmstat 1 3"}},
		{Device: agent.Device{Hostname: "cucm-1", Personality: "ucm"}},
		{Device: agent.Device{Hostname: "edge-1", Personality: "ios"}},
	}}
	targets := d.targets(cfg)[1:] // behind the own host
	for _, c := range []struct {
		device  int
		command string
		passes  bool
	}{
		{0, "df -h", true}, {0, "vmstat 1 3", true}, {0, "reboot", false}, {0, "df -h; reboot", false},
		{1, "utils core active list", true}, {1, "utils system restart", false},
		{2, "show version", true}, {2, "df -h", false}, {2, "reload", false},
	} {
		if err := targets[c.device].Gate(c.command); (err == nil) != c.passes {
			t.Errorf("%s: %q: got %v, want it to pass: %v", targets[c.device].Name, c.command, err, c.passes)
		}
	}
}

// TestKeyIsAgreedOnAndNeverReplaced: all pseudonyms hang on this key.
func TestKeyIsAgreedOnAndNeverReplaced(t *testing.T) {
	for range 20 {
		dir := t.TempDir()
		path := filepath.Join(dir, pseudonymFile)
		keys := make([][]byte, 8)
		var wg sync.WaitGroup
		for i := range keys {
			wg.Go(func() {
				var err error
				if keys[i], err = loadKey(path); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for _, key := range keys {
			if len(key) != pseudonymBytes || !bytes.Equal(key, keys[0]) {
				t.Fatalf("starts at the same time have keys %x and %x", keys[0], key)
			}
		}
		if found, err := os.ReadDir(dir); err != nil || len(found) != 1 {
			t.Errorf("left behind: %v (%v)", found, err)
		}
	}
	for _, damaged := range []string{"", "short", strings.Repeat("x", pseudonymBytes+1)} {
		path := filepath.Join(t.TempDir(), pseudonymFile)
		if err := os.WriteFile(path, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := loadKey(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("a file of %d bytes: %v, want an error that names it", len(damaged), err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != damaged {
			t.Errorf("a file of %d bytes was replaced (%v)", len(damaged), err)
		}
	}
}

func TestPreviewsAtOnceHaveTheirOwnNumbers(t *testing.T) {
	cfg := &config.Agent{DataDir: t.TempDir()}
	numbers := make([]uint64, keptPreviews+20)
	var wg sync.WaitGroup
	for i := range numbers {
		wg.Go(func() {
			var err error
			if numbers[i], err = nextPreview(cfg); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	slices.Sort(numbers)
	for i, n := range numbers {
		if n != uint64(i+1) {
			t.Fatalf("got numbers %v, want 1 to %d", numbers, len(numbers))
		}
	}
	if _, err := loadPreview(cfg, numbers[len(numbers)-1]); callhome.KindOf(err) != callhome.KindNotFound {
		t.Errorf("a preview that is not made yet: %v, want not found", err)
	}
	if kept, err := os.ReadDir(filepath.Join(cfg.DataDir, previewDir)); err != nil || len(kept) != keptPreviews {
		t.Errorf("%d are kept (%v), want %d", len(kept), err, keptPreviews)
	}
}
