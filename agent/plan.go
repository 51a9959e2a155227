package agent

import (
	"slices"
	"strings"
	"time"

	"callhome"
	"callhome/agent/classify"
	"callhome/agent/collect"
	"callhome/agent/route"
	"callhome/personality"
)

// plan is everything decisions are made by. It never changes: a reload makes a new one.
type plan struct {
	cfg      Config
	devices  *deviceIndex
	classify *classify.Classifier
	rules    route.Config // that table was compiled from
	table    *route.Table
	profiles []callhome.Profile // configured and predefined, in order
}

// newPlan compiles a validated configuration.
func newPlan(cfg Config) (*plan, error) {
	p := &plan{cfg: cfg, devices: newDeviceIndex(cfg.Device, cfg.OwnNames, cfg.Devices), classify: classify.New()}
	p.profiles = withPredefined(&cfg.CallHome, p.devices.own.personality)
	p.rules = route.Config{
		Profiles: p.profiles, Disabled: cfg.CallHome.DisabledAlertGroups, Enabled: cfg.CallHome.Enabled,
		Anonymous: cfg.CallHome.AnonymousReporting.Enabled, Personality: p.devices.own.personality,
	}
	table, err := route.New(p.rules)
	if err != nil {
		return nil, err
	}
	p.table = table
	return p, nil
}

// withPredefined adds the predefined profiles that the configuration does not have, and the one of anonymous reporting.
func withPredefined(c *CallHome, pers *personality.Personality) []callhome.Profile {
	out := slices.Clone(c.Profiles)
	index := func(name callhome.ProfileName) int {
		return slices.IndexFunc(out, func(p callhome.Profile) bool { return p.Name.Equal(name) })
	}
	for _, predefined := range pers.Profiles() {
		if i := index(predefined.Name); i >= 0 {
			out[i].Predefined = true
			continue
		}
		out = append(out, predefined)
	}
	if a := c.AnonymousReporting; a.Enabled && index(callhome.ProfileAnonymous) < 0 {
		out = append(out, callhome.Profile{
			Name: callhome.ProfileAnonymous, Active: true, Format: callhome.FormatXML, HTTP: []string{a.URL},
			AnonymousOnly: true, Predefined: true,
			Subscribe: []callhome.Subscription{
				{Group: callhome.GroupCrash},
				{Group: callhome.GroupInventory, Periodic: &callhome.Periodic{Monthly: &callhome.Monthly{}}},
				{Group: callhome.GroupTest},
			},
		})
	}
	return out
}

// profile finds a profile by name, nil if there is none.
func (p *plan) profile(name callhome.ProfileName) *callhome.Profile {
	for i := range p.profiles {
		if p.profiles[i].Name.Equal(name) {
			return &p.profiles[i]
		}
	}
	return nil
}

// commands are what an alert's group runs on a device, in the form a profile asks for.
func (p *plan) commands(t *target, a *callhome.Alert, detail callhome.Detail) []collect.Command {
	if a.Commands != nil {
		return collect.Commands(a.Commands...)
	}
	if a.Group == callhome.GroupSnapshot {
		snap := p.cfg.CallHome.SnapshotCommands
		out := collect.Commands(snap.System...)
		for _, c := range snap.Context {
			out = append(out, collect.Command{Text: c, Scope: collect.ScopeContext})
		}
		return out
	}
	var out []collect.Command
	texts := t.personality.Commands(a.Group, detail)
	if isCluster(a) {
		texts = append(slices.Clone(texts), t.personality.Cluster...)
	}
	for _, c := range texts {
		scope := collect.ScopeSystem
		if t.personality.PerContext(c) {
			scope = collect.ScopeContext
		}
		out = append(out, collect.Command{Text: c, Scope: scope})
	}
	return collect.Union(out)
}

// isCluster tells a message about the members of a cluster.
func isCluster(a *callhome.Alert) bool { return strings.HasPrefix(a.Type, "CLUSTER_") }

// inMaintenance reports whether an alert of a device falls into a maintenance window.
func (p *plan) inMaintenance(now time.Time, device string, group callhome.AlertGroup) bool {
	for i := range p.cfg.Maintenance {
		m := &p.cfg.Maintenance[i]
		if now.Before(m.From) || !now.Before(m.To) {
			continue
		}
		named := len(m.Devices) == 0 || slices.ContainsFunc(m.Devices, func(d string) bool { return strings.EqualFold(d, device) })
		if named && (len(m.Groups) == 0 || slices.Contains(m.Groups, group)) {
			return true
		}
	}
	return false
}
