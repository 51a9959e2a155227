package analysis

import (
	"errors"
	"fmt"
	"slices"

	"callhome"
	"callhome/personality"
)

// check says what is wrong with a pack before anything is compiled.
func (p *Pack) check() error {
	var errs []error
	bad := func(path, format string, args ...any) { errs = append(errs, p.fault(path, format, args...)) }
	if !idPattern.MatchString(p.Name) {
		bad("name", "%q is not a name of small letters, digits and dashes", p.Name)
	}
	if p.Version == "" {
		bad("version", "a pack needs a version")
	}
	if len(p.Rules) == 0 || len(p.Rules) > maxRules {
		bad("rules", "a pack has between 1 and %d rules", maxRules)
	}
	seen := map[string]bool{}
	for i, r := range p.Rules {
		at := fmt.Sprintf("rules[%d]", i)
		if r == nil {
			bad(at, "the rule is empty")
			continue
		}
		r.path = at
		if seen[r.ID] {
			bad(at+".id", "%q is the ID of another rule of this pack", r.ID)
		}
		seen[r.ID] = true
		r.check(at, bad)
	}
	return errors.Join(errs...)
}

func (r *Rule) check(at string, bad func(path, format string, args ...any)) {
	if !idPattern.MatchString(r.ID) {
		bad(at+".id", "%q is not an ID of small letters, digits and dashes", r.ID)
	}
	if r.Class == "" {
		bad(at+".class", "is needed: one of %s", words(Classes()))
	}
	if r.Outcome == "" {
		bad(at+".outcome", "is needed: information, recommendation or service_request")
	}
	for _, f := range []struct{ key, value string }{
		{"name", r.Name}, {"title", r.Title}, {"diagnosis", r.Diagnosis}, {"recommendation", r.Recommendation},
	} {
		if f.value == "" && !(f.key == "recommendation" && r.Outcome == OutcomeInformation) {
			bad(at+"."+f.key, "is needed")
		}
	}
	switch r.State {
	case "":
		r.State = callhome.StateNone
	case callhome.StateNone, callhome.StateRaise, callhome.StateClear:
	default:
		bad(at+".state", "%q is not one of raise, clear, none", r.State)
	}
	if (r.State == callhome.StateClear) != (len(r.Clears) > 0) {
		bad(at+".clears", "a rule with state clear names the rules it clears, and no other rule does")
	}
	if r.State == callhome.StateClear && r.Outcome == OutcomeServiceRequest {
		bad(at+".outcome", "the end of trouble opens no service request")
	}
	if r.Outcome == OutcomeServiceRequest && len(r.Match.Groups) > 0 && !slices.ContainsFunc(r.Match.Groups, mayOpenRequest) {
		bad(at+".outcome", "messages of the groups inventory and configuration never open a service request")
	}
	r.Match.check(at+".match", bad)
}

// mayOpenRequest reports whether messages of a group may lead to a service request.
func mayOpenRequest(g callhome.AlertGroup) bool {
	return g != callhome.GroupInventory && g != callhome.GroupConfiguration
}

func (m *Match) check(at string, bad func(path, format string, args ...any)) {
	if !m.selects() {
		bad(at, "holds for every message: give on, types, groups, attachments, inventory, config or silence")
	}
	for i, name := range m.Platforms {
		if _, ok := personality.ByName(name); !ok {
			bad(fmt.Sprintf("%s.platforms[%d]", at, i), "%q is not one of %s", name, words(personality.Names()))
		}
	}
	for i, a := range m.Attachments {
		where := fmt.Sprintf("%s.attachments[%d]", at, i)
		given := 0
		for _, s := range []string{a.Line, a.Pattern, a.TextFSM} {
			if s != "" {
				given++
			}
		}
		switch {
		case len(a.Command) == 0:
			bad(where, "needs a command")
		case given > 1:
			bad(where, "only one of line, pattern and textfsm can be given")
		case given == 0 && a.Absent == "":
			bad(where, "needs line, pattern, textfsm or absent")
		case given == 0 && a.Where != "":
			bad(where+".where", "there are no rows to choose from")
		}
	}
	if m.Inventory != nil && len(m.Inventory.Changes) == 0 {
		bad(at+".inventory", "needs changes")
	}
	if m.Config != nil && m.Config.Added == "" && m.Config.Removed == "" {
		bad(at+".config", "needs added or removed")
	}
	if h := m.History; h != nil && (h.Count < 2 || h.Count > maxHistoryCount || h.Within <= 0 || h.Within > maxWindow) {
		bad(at+".history", "needs a count from 2 to %d and a duration within at most %s", maxHistoryCount, maxWindow)
	}
	if t := m.Trend; t != nil && (t.Of == "" || t.Samples < 3 || t.Samples > maxSeries || t.Within <= 0 || t.Within > maxWindow || t.Rise == 0) {
		bad(at+".trend", "needs of, samples from 3 to %d, a rise that is not 0, and a duration within at most %s", maxSeries, maxWindow)
	}
	if m.History != nil && m.Trend != nil {
		bad(at+".trend", "a rule has a history or a trend, not both")
	}
}

// selects reports whether anything but what fits all messages is asked for.
func (m *Match) selects() bool {
	return len(m.On) > 0 || len(m.Types) > 0 || len(m.Groups) > 0 || len(m.Attachments) > 0 ||
		m.Inventory != nil || m.Config != nil || m.Silence != nil
}
