package classify

import (
	"callhome"
	"callhome/personality"
)

// Result is a verdict in the form that `callhome classify` prints.
type Result struct {
	Group       callhome.AlertGroup `json:"alert_group"`
	Severity    int                 `json:"severity"` // 0..9
	Level       string              `json:"level"`    // its keyword
	Type        string              `json:"event_type,omitempty"`
	Subtype     string              `json:"event_subtype,omitempty"`
	State       callhome.EventState `json:"event_state"`
	Personality string              `json:"personality"`
	Rule        string              `json:"rule,omitempty"`
	Object      string              `json:"object,omitempty"`
}

// ResultOf copies a verdict out of its line.
func ResultOf(v *personality.Verdict) Result {
	state := v.State
	if state == "" {
		state = callhome.StateNone
	}
	return Result{
		Group: v.Group, Severity: int(v.Level), Level: v.Level.String(), Type: v.Type, Subtype: v.Subtype, State: state,
		Personality: string(v.Personality), Rule: v.Rule, Object: v.ObjectText(),
	}
}
