package ctl

import (
	"encoding/json"
	"io"
	"time"

	"callhome"
	"callhome/agent"
	"callhome/agent/route"
	"callhome/codec/syslog"
	"callhome/config"
	"callhome/personality"
)

// verdictObject is what `classify` prints for a line.
type verdictObject struct {
	Group       callhome.AlertGroup `json:"alert_group"`
	Severity    int                 `json:"severity"`
	Level       callhome.Level      `json:"level"`
	Type        string              `json:"event_type,omitempty"`
	Subtype     string              `json:"event_subtype,omitempty"`
	State       callhome.EventState `json:"event_state"`
	Object      string              `json:"object,omitempty"`
	Personality personality.Name    `json:"personality"`
	Rule        string              `json:"rule,omitempty"`
}

// explainer makes the one of a configuration; without one, of a device that speaks every dialect.
func explainer(cfg *config.Agent) (*agent.Explainer, error) {
	if cfg == nil {
		return agent.NewExplainer(agent.Config{CallHome: agent.CallHome{Enabled: true}})
	}
	return agent.NewExplainer(cfg.Conductor())
}

// Classify prints what each line means, one object a line. cfg may be nil.
func Classify(out io.Writer, in io.Reader, cfg *config.Agent, received time.Time) (err error) {
	e, err := explainer(cfg)
	if err != nil {
		return err
	}
	w, flush := output(out)
	defer flush(&err)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	var l syslog.Line
	return eachLine(in, func(raw []byte) error {
		v := e.Classify(raw, received, &l)
		return enc.Encode(verdictObject{
			Group: v.Group, Severity: int(v.Level), Level: v.Level, Type: v.Type, Subtype: v.Subtype, State: v.State,
			Object: v.ObjectText(), Personality: v.Personality, Rule: v.Rule,
		})
	})
}

// decisionObject is what `explain` prints for a line and a profile.
type decisionObject struct {
	Line     int                  `json:"line"` // from 1
	Profile  callhome.ProfileName `json:"profile"`
	Decision string               `json:"decision"` // send or drop
	Reason   callhome.Reason      `json:"reason"`
}

// Explain prints for every line and every profile one object: whether it would be sent, and why.
func Explain(out io.Writer, in io.Reader, cfg *config.Agent, received time.Time) (err error) {
	e, err := explainer(cfg)
	if err != nil {
		return err
	}
	w, flush := output(out)
	defer flush(&err)
	enc := json.NewEncoder(w)
	var decisions []route.Decision
	n := 0
	return eachLine(in, func(raw []byte) error {
		n++
		decisions = e.Explain(raw, received, decisions[:0])
		for _, d := range decisions {
			o := decisionObject{Line: n, Profile: d.Name, Decision: "drop", Reason: d.Reason}
			if d.Reason == callhome.ReasonSent {
				o.Decision = "send"
			}
			if err := enc.Encode(o); err != nil {
				return err
			}
		}
		return nil
	})
}
