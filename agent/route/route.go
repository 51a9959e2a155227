package route

import (
	"callhome"
	"callhome/codec/syslog"
	"callhome/personality"
)

// Config is what a table is compiled from. The slices are not kept.
type Config struct {
	Profiles    []callhome.Profile
	Disabled    []callhome.AlertGroup // alert groups disabled for all profiles
	Enabled     bool                  // the service as a whole
	Anonymous   bool                  // anonymous reporting is on
	Personality *personality.Personality
}

// Subject is what decisions are made about: an alert before it is one. Line is set for log lines; other events have
// Text, MessageID, Mnemonic and Tags of their own, or nothing.
type Subject struct {
	Line  *syslog.Line
	Group callhome.AlertGroup
	Level callhome.Level
	Type  string
	State callhome.EventState

	// Personality whose marks decide on Cisco-TAC membership; nil is the table's own.
	Personality *personality.Personality

	Logged    bool // it was a log line, though Line is not at hand
	Text      []byte
	MessageID []byte
	Facility  []byte
	Mnemonic  []byte
	Tags      []callhome.Tag
}

// Decision is what was decided for one profile. Profile is its index in Config.Profiles.
type Decision struct {
	Profile int
	Name    callhome.ProfileName
	Reason  callhome.Reason // sent, or why not
	Detail  callhome.Detail // full if a subscription that takes the message asks for that
}

// Table is the compiled form of all subscriptions. It never changes and may be used by several goroutines.
type Table struct {
	profiles []profile
	disabled groupSet
	owner    *personality.Personality
	hasTAC   bool // some subscription is to Cisco-TAC

	// always[kind][group][level] are the decisions that need no look at the line.
	always [kinds][groups][levels][]Decision

	subs     []*subscription // those that do need one; the indices below are into it
	patterns []pattern
	phrases  *personality.Phrases
	phraseOf []int32                       // of a phrase: its pattern
	blind    []int32                       // patterns of which no phrase must occur
	floor    [kinds][groups]callhome.Level // lowest level at which some pattern may count
	lists    listIndex
	byText   bool // nothing is taken but lines in which some phrase occurs
}

// profile is a profile, compiled.
type profile struct {
	index  int
	name   callhome.ProfileName
	closed callhome.Reason // "" or why it takes nothing at all
	anon   bool
	subs   []*subscription
}

// Match appends a decision for each profile that takes the subject, in the order of the profiles. Nothing is allocated
// for a subject that nobody takes.
func (t *Table) Match(s Subject, dst []Decision) []Decision {
	g := groupIndex(s.Group)
	if t.disabled.has(g) || !s.Level.Valid() {
		return dst
	}
	if isCluster(s.Type) || s.Line == nil && len(s.Tags) > 0 {
		return t.slow(&s, dst)
	}
	kind := kindOf(t.hasTAC && t.member(&s), s.logged())
	from := len(dst)
	dst = append(dst, t.always[kind][g][s.Level]...)
	listed := t.lists.any() && t.lists.touches(&s)
	patterned := s.Level >= t.floor[kind][g]
	if !listed && !patterned {
		return dst
	}
	var buf [64]int32
	var hits []int32
	if patterned {
		if hits = t.phrases.Append(buf[:0], s.line()); len(hits)+len(t.blind) == 0 && !listed {
			return dst
		}
	}
	f := found{table: t, subject: s, tac: kind&kindTAC != 0, dst: dst, from: from}
	if listed {
		f.byList()
	}
	if patterned {
		f.byPattern(hits)
	}
	return f.dst
}

// Untouched reports whether a log line is wanted by nobody, whatever it means, because no subscription's phrase occurs in
// it. It is a quick look, of use where all subscriptions have patterns; false means nothing. Nothing is allocated.
func (t *Table) Untouched(line []byte) bool {
	if !t.byText {
		return false
	}
	var buf [64]int32
	return len(t.phrases.Append(buf[:0], line)) == 0
}

// onlyByText reports whether every decision needs a phrase in the line.
func (t *Table) onlyByText() bool {
	if t.lists.any() || len(t.blind) > 0 {
		return false
	}
	for kind := range t.always {
		for group := range t.always[kind] {
			for level := range t.always[kind][group] {
				if len(t.always[kind][group][level]) > 0 {
					return false
				}
			}
		}
	}
	return true
}

// Wanted reports whether any profile takes the subject.
func (t *Table) Wanted(s Subject) bool {
	return len(t.Match(s, nil)) > 0
}

// Explain appends a decision for every profile, in their order, with the reason.
func (t *Table) Explain(s Subject, dst []Decision) []Decision {
	for i := range t.profiles {
		dst = append(dst, t.judge(&t.profiles[i], &s))
	}
	return dst
}

// Follow appends decisions for those of the named profiles which may be told of the end of what they were told of: they
// are still there, active and their group is not disabled.
func (t *Table) Follow(names []callhome.ProfileName, s Subject, dst []Decision) []Decision {
	for i := range t.profiles {
		p := &t.profiles[i]
		for _, n := range names {
			if p.name.Equal(n) && t.closed(p, &s) == "" {
				dst = append(dst, Decision{Profile: p.index, Name: p.name, Reason: callhome.ReasonSent})
				break
			}
		}
	}
	return dst
}

// slow decides by asking every profile.
func (t *Table) slow(s *Subject, dst []Decision) []Decision {
	for i := range t.profiles {
		if d := t.judge(&t.profiles[i], s); d.Reason == callhome.ReasonSent {
			dst = append(dst, d)
		}
	}
	return dst
}
