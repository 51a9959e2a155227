package agent

import (
	"slices"

	"callhome/personality"
)

// OwnCommands are the commands that may run on the agent's own host: those of its platform's alert groups, the snapshot
// commands and what the configuration lists. Nothing else does.
func (c *Config) OwnCommands() []string {
	out := slices.Concat(PlatformCommands(c.Device.Personality), c.Collect.Commands, c.CallHome.SnapshotCommands.System, c.CallHome.SnapshotCommands.Context)
	slices.Sort(out)
	return slices.Compact(out)
}

// PlatformCommands are the commands of a platform's alert groups, generic's for a name that is none. They only look,
// also where they are no show commands, as those of hosts.
func PlatformCommands(name string) []string {
	p, ok := personality.ByName(name)
	if !ok {
		p, _ = personality.ByName(string(personality.Generic))
	}
	out := slices.Clone(p.Cluster)
	for i := range p.Groups {
		out = slices.Concat(out, p.Groups[i].Commands, p.Groups[i].Full)
	}
	return out
}
