package agent

import (
	"context"
	"time"

	"callhome"
	"callhome/agent/collect"
)

// PreviewOrder says which message to make.
type PreviewOrder struct {
	Group   callhome.AlertGroup
	Profile callhome.ProfileName // "": all that subscribe
	Device  string
	Number  uint64 // goes into the message ID
}

// Preview makes exactly the envelopes that the order would put into the outbox: its commands are run, secrets are masked,
// mails are signed. Nothing is stored or sent.
func (a *Agent) Preview(ctx context.Context, o PreviewOrder) ([]callhome.Envelope, error) {
	p := a.plan.Load()
	t, err := p.device(o.Device)
	if err != nil {
		return nil, err
	}
	alert := a.order(t, o.Group, string(o.Group)+" message on demand")
	for i := range p.profiles {
		profile := &p.profiles[i]
		if o.Profile != "" && profile.Name.Equal(o.Profile) || o.Profile == "" && (profile.Active && (subscribed(profile, o.Group) || o.Group == callhome.GroupTest)) {
			alert.Profiles = append(alert.Profiles, profile.Name)
		}
	}
	if len(alert.Profiles) == 0 {
		if o.Profile != "" {
			_, err := p.named(o.Profile)
			return nil, err
		}
		return nil, callhome.Errorf(callhome.KindNotFound, "no active profile subscribes to %s; name one with --profile, there are: %s", o.Group, p.profileNames())
	}
	return a.previewOf(ctx, p, t, &alert, o.Number)
}

func (a *Agent) previewOf(ctx context.Context, p *plan, t *target, alert *callhome.Alert, number uint64) ([]callhome.Envelope, error) {
	wants := p.wants(t, alert)
	got := a.gather(ctx, t, alert, wants)
	accepted := a.parts.Now().UTC().Truncate(time.Second)
	var out []callhome.Envelope
	for i := range wants {
		made, outcome := a.message(p, t, alert, got, &wants[i], number+uint64(i), accepted)
		if outcome != nil {
			return nil, callhome.Errorf(callhome.KindInvalid, "profile %s: %s", wants[i].profile.Name, outcome.Detail)
		}
		out = append(out, made...)
	}
	if len(out) == 0 {
		return nil, callhome.Errorf(callhome.KindNotFound, "the profile has no destination")
	}
	return out, nil
}

// needs are the commands that all profiles together want.
func (a *Agent) needs(wants []want) []collect.Command {
	if a.parts.Collector == nil {
		return nil
	}
	var lists [][]collect.Command
	for i := range wants {
		if !wants[i].bare {
			lists = append(lists, wants[i].commands)
		}
	}
	return collect.Union(lists...)
}

// gather runs what all profiles together want, in one collection.
func (a *Agent) gather(ctx context.Context, t *target, alert *callhome.Alert, wants []want) collect.Collection {
	all := a.needs(wants)
	if len(all) == 0 {
		return collect.Collection{}
	}
	return a.parts.Collector.Collect(ctx, collect.Job{Device: t.name, Commands: all, Params: params(alert)})
}
