package agent

import (
	"slices"

	"callhome/personality"
)

// OwnCommands are the commands that may run on the agent's own host: those of its platform's alert groups, the snapshot
// commands and what the configuration lists. Nothing else does.
func (c *Config) OwnCommands() []string {
	p, ok := personality.ByName(c.Device.Personality)
	if !ok {
		p, _ = personality.ByName(string(personality.Generic))
	}
	out := slices.Concat(c.Collect.Commands, c.CallHome.SnapshotCommands.System, c.CallHome.SnapshotCommands.Context, p.Cluster)
	for i := range p.Groups {
		out = slices.Concat(out, p.Groups[i].Commands, p.Groups[i].Full)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
