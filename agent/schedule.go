package agent

import (
	"context"
	"fmt"
	"time"

	"callhome"
	"callhome/agent/intake/periodic"
	"callhome/agent/route"
)

// jobs lists every schedule: what each profile that takes anything wants of the own device and of every device that can
// be asked. Anonymous reporting has a switch of its own.
func (p *plan) jobs() []periodic.Job {
	targets := []*target{p.devices.own}
	for _, t := range p.devices.all {
		if t.config.SSH != nil {
			targets = append(targets, t)
		}
	}
	var out []periodic.Job
	for i := range p.profiles {
		profile := &p.profiles[i]
		if route.Closed(&p.rules, profile) != "" {
			continue
		}
		for _, s := range profile.Subscribe {
			if s.Periodic == nil || anonymousOnly(profile, s.Group) != nil {
				continue
			}
			for _, t := range targets {
				out = append(out, periodic.Job{
					Device: t.name, Group: s.Group, Profile: profile.Name, Detail: s.Detail,
					Schedule: periodic.Resolve(s.Group, s.Periodic, t.serial()), Zone: t.parser.Zone,
				})
			}
		}
	}
	return out
}

// due stores the message of a schedule that came due; nil means that it is durable, or not wanted any more.
func (a *Agent) due(ctx context.Context, d periodic.Due) error {
	p := a.plan.Load()
	t := p.devices.find(d.Device)
	now := a.parts.Now()
	alert := callhome.Alert{
		Event: callhome.Event{
			Source: callhome.SourcePeriodic, ReceivedAt: now, Time: now, Device: t.name, Severity: -1,
			Text: fmt.Sprintf("periodic %s message, due %s", d.Group, d.At.UTC().Format(time.RFC3339)),
		},
		Group: d.Group, Level: callhome.LevelNotification, State: callhome.StateNone, Personality: string(t.personality.Name),
		Type: periodicType(d.Group), Detail: d.Detail, Profiles: []callhome.ProfileName{d.Profile},
	}
	if d.Group == callhome.GroupConfiguration {
		alert.Level = callhome.LevelNormal
	}
	if reason, drop := p.silenced(now, &alert); drop {
		a.drop(&alert, reason)
		return nil
	}
	_, err := a.put(ctx, alert)
	return err
}

// periodicType is the event's name, as NX-OS calls its own.
func periodicType(g callhome.AlertGroup) string {
	switch g {
	case callhome.GroupInventory:
		return "PERIODIC_INVENTORY"
	case callhome.GroupConfiguration:
		return "PERIODIC_CONFIGURATION"
	}
	return ""
}

// silenced says whether a group is disabled or its device in maintenance.
func (p *plan) silenced(now time.Time, a *callhome.Alert) (callhome.Reason, bool) {
	for _, g := range p.cfg.CallHome.DisabledAlertGroups {
		if g == a.Group {
			return callhome.ReasonGroupDisabled, true
		}
	}
	if p.inMaintenance(now, a.Device, a.Group) {
		return callhome.ReasonMaintenance, true
	}
	return "", false
}
