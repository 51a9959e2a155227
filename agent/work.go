package agent

import (
	"context"
	"errors"
	"sync"
	"time"

	"callhome"
	"callhome/agent/collect"
	"callhome/agent/route"
	"callhome/outbox"
)

// failPause is how long an alert whose envelopes could not be stored is left alone.
const failPause = 5 * time.Second

// work takes alerts from the outbox until ctx ends and waits for those in work. One goroutine asks for them, so that a
// put wakes one and not all; devices that hang hold up only their own alerts as long as there are slots.
func (a *Agent) work(ctx context.Context) {
	slots := make(chan struct{}, maxWork)
	var busy sync.WaitGroup
	defer busy.Wait()
	for {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		p, err := a.parts.Outbox.NextAlert(ctx)
		if err != nil {
			if ctx.Err() == nil && !errors.Is(err, outbox.ErrClosed) {
				a.parts.Log.Error("no alert can be taken from the outbox", "err", err)
			}
			return
		}
		busy.Go(func() {
			a.workOn(ctx, p)
			<-slots
		})
	}
}

// workOn collects, describes, redacts and renders one alert, and retires it in exchange for its envelopes. A crash
// anywhere in between hands the alert out again, with the same message numbers.
func (a *Agent) workOn(ctx context.Context, p *outbox.Pending) {
	envelopes, outcomes := a.envelopes(ctx, a.plan.Load(), p)
	if ctx.Err() != nil {
		return // handed out again at the next start
	}
	err := a.parts.Outbox.Retire(ctx, p.Alert.ID, envelopes, outcomes)
	if err != nil && ctx.Err() == nil {
		a.parts.Log.Error("an alert is put off", "alert_id", p.Alert.ID, "device", p.Alert.Device, "err", err)
		_ = a.parts.Outbox.Postpone(ctx, p.Alert.ID, a.parts.Now().Add(failPause)) // if this fails too, a restart hands it out
	}
}

// envelopes makes everything that leaves for one alert: one collection, then a message for each profile.
func (a *Agent) envelopes(ctx context.Context, plan *plan, p *outbox.Pending) (envelopes []callhome.Envelope, outcomes []outbox.Outcome) {
	alert := &p.Alert
	t := plan.devices.find(alert.Device)
	for _, name := range alert.Profiles {
		if reason := plan.closed(name, alert); reason != "" {
			outcomes = append(outcomes, a.closedOutcome(alert, name, reason))
		}
	}
	wants := plan.wants(t, alert)
	got := a.gather(ctx, t, alert, wants)
	for i := range wants {
		made, outcome := a.message(plan, t, alert, got, &wants[i], p.MessageNumber(wants[i].profile.Name), p.AcceptedAt)
		if outcome != nil {
			outcomes = append(outcomes, *outcome)
		}
		envelopes = append(envelopes, made...)
	}
	return envelopes, outcomes
}

// maker makes alerts for which no command is run before they are accepted; see [outbox.Maker]. It works by the plan of
// that moment.
type maker struct {
	agent  *Agent
	plan   *plan
	before map[string]bool // devices that wait to be collected in a batch that may not be stored yet
}

// Ready implements outbox.Maker.
func (m *maker) Ready(alert *callhome.Alert) bool {
	if m.before[alert.Device] {
		return false
	}
	t := m.plan.devices.find(alert.Device)
	return len(m.agent.needs(m.plan.wants(t, alert))) == 0
}

// Make implements outbox.Maker.
func (m *maker) Make(p *outbox.Pending) ([]callhome.Envelope, []outbox.Outcome) {
	return m.agent.envelopes(context.Background(), m.plan, p)
}

// closed says why a profile takes no alerts any more: a reload removed, renamed or switched it off while the alert
// waited. What an operator asks for goes to inactive profiles too.
func (p *plan) closed(name callhome.ProfileName, a *callhome.Alert) callhome.Reason {
	profile := p.profile(name)
	switch {
	case profile == nil:
		return callhome.ReasonProfileInactive
	case a.Source == callhome.SourceOperator:
		return ""
	}
	ch := &p.cfg.CallHome
	return route.Closed(&route.Config{Enabled: ch.Enabled, Anonymous: ch.AnonymousReporting.Enabled}, profile)
}

func (a *Agent) closedOutcome(alert *callhome.Alert, name callhome.ProfileName, reason callhome.Reason) outbox.Outcome {
	a.metrics.drops(reason).Inc()
	a.stats.count(reason)
	return outbox.Outcome{
		Status: outbox.StatusDropped, Reason: reason, AlertID: alert.ID, Device: alert.Device, Group: alert.Group,
		Profile: name, Detail: "the configuration changed while the alert waited",
	}
}

// message describes an alert for one profile and makes its envelopes.
func (a *Agent) message(p *plan, t *target, alert *callhome.Alert, got collect.Collection, w *want, number uint64, accepted time.Time) ([]callhome.Envelope, *outbox.Outcome) {
	m := p.describe(t, alert, number, accepted)
	if !w.bare && len(w.commands) > 0 {
		m.Attachments = append(m.Attachments, got.Attachments(w.commands)...)
	}
	if isCluster(alert) {
		m.Pairs = append(m.Pairs, clusterMembers(m.Attachments)...)
	}
	return a.make(p, t, alert, m, w)
}

// want is one profile's share of an alert.
type want struct {
	profile  callhome.Profile
	commands []collect.Command
	bare     bool // no attachments: short text has no place for them
}

// wants lists the profiles of an alert as they are now, without those that a reload closed. An alert on demand with
// destinations of its own goes there.
func (p *plan) wants(t *target, a *callhome.Alert) []want {
	var out []want
	for _, name := range a.Profiles {
		if p.closed(name, a) == "" {
			out = append(out, p.want(t, a, *p.profile(name)))
		}
	}
	if len(a.To) > 0 {
		adhoc := callhome.Profile{Name: onDemandProfile, Active: true, Format: a.Format}
		for _, d := range a.To {
			switch d.Transport {
			case callhome.TransportEmail:
				adhoc.Email = append(adhoc.Email, d.Address)
			case callhome.TransportHTTP:
				adhoc.HTTP = append(adhoc.HTTP, d.Address)
			}
		}
		out = append(out, p.want(t, a, adhoc))
	}
	return out
}

func (p *plan) want(t *target, a *callhome.Alert, profile callhome.Profile) want {
	detail := a.Detail
	if detail == "" {
		for _, s := range profile.Subscribe {
			if s.Group == a.Group && s.Detail != "" {
				detail = s.Detail
			}
		}
	}
	return want{profile: profile, commands: p.commands(t, a, detail), bare: profile.Format == callhome.FormatShort}
}

// onDemandProfile names the profile of messages that an operator sends to an address of his own.
const onDemandProfile callhome.ProfileName = "on-demand"

// params are the values that placeholders in commands take from the alert.
func params(a *callhome.Alert) map[string]string {
	if a.Object == "" {
		return nil
	}
	return map[string]string{"module": a.Object, "interface": a.Object, "object": a.Object, "slot": a.Object}
}
