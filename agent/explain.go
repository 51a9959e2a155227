package agent

import (
	"time"

	"callhome"
	"callhome/agent/intake"
	"callhome/agent/route"
	"callhome/codec/syslog"
	"callhome/personality"
)

// Explainer judges lines as an agent with the same configuration would, and says why. It sends nothing, keeps nothing
// and does not throttle: every line is judged by itself.
type Explainer struct{ plan *plan }

// NewExplainer compiles a valid configuration.
func NewExplainer(cfg Config) (*Explainer, error) {
	p, err := newPlan(cfg)
	if err != nil {
		return nil, err
	}
	return &Explainer{plan: p}, nil
}

// judged is a line's meaning and the platform that decided it; device is nil for a stranger.
func (e *Explainer) judged(raw []byte, received time.Time, l *syslog.Line) (v personality.Verdict, pers *personality.Personality, device *target) {
	t := e.plan.read(nil, raw, &intake.Origin{Source: callhome.SourceSyslog, ReceivedAt: received}, l)
	v, pers = e.plan.verdict(t, l)
	return v, pers, t
}

// Classify says what a line means.
func (e *Explainer) Classify(raw []byte, received time.Time, l *syslog.Line) personality.Verdict {
	v, _, _ := e.judged(raw, received, l)
	return v
}

// Explain gives every profile's decision on a line that is received now. During maintenance of its device nobody is sent
// what they would be sent otherwise.
func (e *Explainer) Explain(raw []byte, received time.Time, dst []route.Decision) []route.Decision {
	var l syslog.Line
	v, pers, t := e.judged(raw, received, &l)
	device := e.plan.devices.own.name
	if t != nil {
		device = t.name
	}
	from := len(dst)
	dst = e.plan.table.Explain(route.Subject{Line: &l, Group: v.Group, Level: v.Level, Type: v.Type, State: v.State, Personality: pers}, dst)
	if e.plan.inMaintenance(received, device, v.Group) {
		for i := from; i < len(dst); i++ {
			if dst[i].Reason == callhome.ReasonSent {
				dst[i].Reason = callhome.ReasonMaintenance
			}
		}
	}
	return dst
}
