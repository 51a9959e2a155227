package main

import (
	"log/slog"
	"testing"

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
