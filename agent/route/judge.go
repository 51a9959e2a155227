package route

import (
	"strings"

	"callhome"
	"callhome/personality"
)

// The order in which a refusal of one subscription outweighs another's: the later the nearer.
const (
	farNotSubscribed = iota
	farMessageID
	farSeverity
	farPattern
	farTag
	taken
)

var reasons = [...]callhome.Reason{
	farNotSubscribed: callhome.ReasonNotSubscribed,
	farMessageID:     callhome.ReasonMessageIDMismatch,
	farSeverity:      callhome.ReasonBelowSeverity,
	farPattern:       callhome.ReasonPatternMismatch,
	farTag:           callhome.ReasonTagMismatch,
	taken:            callhome.ReasonSent,
}

// judge decides for one profile, subscription by subscription.
func (t *Table) judge(p *profile, s *Subject) Decision {
	d := Decision{Profile: p.index, Name: p.name, Reason: t.closed(p, s)}
	if d.Reason != "" {
		return d
	}
	tac := t.hasTAC && t.member(s)
	nearest := farNotSubscribed
	for _, sub := range p.subs {
		n := sub.judge(s, tac)
		nearest = max(nearest, n)
		if n == taken && sub.detail == callhome.DetailFull {
			d.Detail = callhome.DetailFull
		}
	}
	d.Reason = reasons[nearest]
	return d
}

// closed says why a profile takes nothing of the subject's group, "" if it may.
func (t *Table) closed(p *profile, s *Subject) callhome.Reason {
	switch {
	case p.closed == callhome.ReasonServiceDisabled:
		return p.closed
	case t.disabled.has(groupIndex(s.Group)):
		return callhome.ReasonGroupDisabled
	case p.closed != "":
		return p.closed
	case p.anon && !Anonymous(s.Group):
		return callhome.ReasonAnonymousOnly
	}
	return ""
}

// Anonymous tells the groups that anonymous reporting sends.
func Anonymous(g callhome.AlertGroup) bool {
	return g == callhome.GroupCrash || g == callhome.GroupInventory || g == callhome.GroupTest
}

// judge says how near a subscription comes to taking the subject.
func (sub *subscription) judge(s *Subject, tac bool) int {
	if !sub.about(s, tac) {
		return farNotSubscribed
	}
	if sub.list.holds(s) {
		if sub.tagsHold(s) {
			return taken
		}
		return farTag
	}
	switch {
	case sub.listOnly:
		return farMessageID
	case s.Level < sub.thresholdFor(s.Group):
		return farSeverity
	case sub.expr != nil && !sub.expr.Match(s.line()):
		return farPattern
	case !sub.tagsHold(s):
		return farTag
	}
	return taken
}

// about reports whether the subscription is about the subject's group.
func (sub *subscription) about(s *Subject, tac bool) bool {
	if isCluster(s.Type) {
		return sub.group == callhome.GroupDiagnostic || sub.group == callhome.GroupAll
	}
	switch sub.group {
	case callhome.GroupAll, s.Group:
		return true
	case callhome.GroupSyslog:
		return s.logged()
	case callhome.GroupCiscoTAC:
		return tac
	}
	return false
}

// thresholdFor is the level from which on the subscription takes messages of a group.
func (sub *subscription) thresholdFor(g callhome.AlertGroup) callhome.Level {
	if !g.HasThreshold() && sub.group != callhome.GroupSyslog {
		return callhome.LevelDebugging
	}
	return sub.threshold
}

// logged tells log lines from events of other kinds.
func (s *Subject) logged() bool { return s.Line != nil || s.Logged }

// isCluster tells messages about the membership of a cluster.
func isCluster(eventType string) bool {
	switch eventType {
	case personality.TypeClusterJoin, personality.TypeClusterLeave, personality.TypeClusterMaster, personality.TypeClusterSecondaryFailed:
		return true
	}
	return false
}

// member reports whether the Cisco-TAC group takes the alert in.
func (t *Table) member(s *Subject) bool {
	p := s.Personality
	if p == nil {
		p = t.owner
	}
	return p.CiscoTAC(s.Group, s.Level)
}

// line is the text that patterns are looked for in: the line as received.
func (s *Subject) line() []byte {
	if s.Line != nil {
		return s.Line.Raw
	}
	return s.Text
}

func (s *Subject) messageID() []byte {
	if s.Line != nil {
		return s.Line.MessageID
	}
	return s.MessageID
}

func (s *Subject) mnemonic() []byte {
	if s.Line != nil {
		return s.Line.Mnemonic
	}
	return s.Mnemonic
}

func (s *Subject) facility() []byte {
	if s.Line != nil {
		return s.Line.CoreFacility
	}
	return s.Facility
}

// tagsHold reports whether every wanted tag is on the line.
func (sub *subscription) tagsHold(s *Subject) bool {
	for _, want := range sub.tags {
		if !s.hasTag(want.Key, want.Value) {
			return false
		}
	}
	return true
}

// hasTag looks for a key, or a semantic extension of it, with exactly this value.
func (s *Subject) hasTag(key, value string) bool {
	for _, tag := range s.Tags {
		if tag.Value == value && sameTag(tag.Key, key) {
			return true
		}
	}
	if s.Line == nil {
		return false
	}
	for k, v := range s.Line.Params() {
		if v == value && sameTag(k, key) {
			return true
		}
	}
	return false
}

// sameTag reports whether have is key or one of its semantic extensions, key.something.
func sameTag(have, key string) bool {
	return have == key || len(have) > len(key) && have[len(key)] == '.' && strings.HasPrefix(have, key)
}
