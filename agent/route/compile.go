package route

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"

	"callhome"
	"callhome/personality"
)

// subscription is a subscription, compiled.
type subscription struct {
	profile   *profile
	group     callhome.AlertGroup
	threshold callhome.Level
	expr      *regexp.Regexp // nil: any line
	source    string         // of expr
	list      list
	listOnly  bool // nothing but the list admits
	tags      []callhome.Tag
	detail    callhome.Detail
}

// New compiles profiles. The error joins every fault, each with the path of its key.
func New(cfg Config) (*Table, error) {
	t := &Table{owner: cfg.Personality, profiles: make([]profile, len(cfg.Profiles))}
	if t.owner == nil {
		t.owner, _ = personality.ByName(string(personality.Generic))
	}
	var faults []error
	for i, g := range cfg.Disabled {
		if groupIndex(g) == groupUnknown {
			faults = append(faults, fault(fmt.Sprintf("call_home.disabled_alert_groups[%d]", i), "alert group %q is unknown", g))
		}
		t.disabled.add(groupIndex(g))
	}
	for i := range cfg.Profiles {
		p := &t.profiles[i]
		*p = profile{index: i, name: cfg.Profiles[i].Name, anon: cfg.Profiles[i].AnonymousOnly, closed: Closed(&cfg, &cfg.Profiles[i])}
		faults = append(faults, t.compileAll(p, &cfg.Profiles[i])...)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	t.index()
	t.byText = t.onlyByText()
	return t, nil
}

func fault(path, format string, args ...any) error {
	return &callhome.Error{Kind: callhome.KindInvalid, Path: path, Msg: fmt.Sprintf(format, args...)}
}

// Closed says why a profile takes nothing whatever its subscriptions and schedules say, "" if it may. The profile of anonymous reporting follows
// the switch of its own, not that of the service.
func Closed(cfg *Config, p *callhome.Profile) callhome.Reason {
	reporting := p.AnonymousOnly && p.Name.Equal(callhome.ProfileAnonymous)
	switch {
	case reporting && !cfg.Anonymous:
		return callhome.ReasonProfileInactive
	case !cfg.Enabled && !reporting:
		return callhome.ReasonServiceDisabled
	case !p.Active:
		return callhome.ReasonProfileInactive
	}
	return ""
}

// compileAll compiles the subscriptions of a profile. One for anonymous reporting that has none takes what it may.
func (t *Table) compileAll(p *profile, from *callhome.Profile) (faults []error) {
	subscribe := from.Subscribe
	if p.anon && len(subscribe) == 0 {
		subscribe = []callhome.Subscription{{Group: callhome.GroupAll}}
	}
	for i := range subscribe {
		sub, err := t.compile(p, &subscribe[i])
		if err != nil {
			for _, e := range err {
				path := fmt.Sprintf("call_home.profiles[%d].subscribe[%d]", p.index, i)
				faults = append(faults, &callhome.Error{Kind: callhome.KindInvalid, Path: path + e.key, Msg: fmt.Sprintf("profile %q: %s", p.name, e.text)})
			}
			continue
		}
		t.hasTAC = t.hasTAC || sub.group == callhome.GroupCiscoTAC
		p.subs = append(p.subs, sub)
	}
	return faults
}

// subFault is a fault within a subscription.
type subFault struct{ key, text string }

func (t *Table) compile(p *profile, from *callhome.Subscription) (*subscription, []subFault) {
	sub := &subscription{profile: p, group: from.Group, threshold: t.owner.DefaultThreshold, detail: from.Detail}
	var faults []subFault
	add := func(key, format string, args ...any) {
		faults = append(faults, subFault{key, fmt.Sprintf(format, args...)})
	}
	if from.Group != callhome.GroupAll && groupIndex(from.Group) == groupUnknown {
		add(".group", "alert group %q is unknown", from.Group)
	}
	if from.Severity != nil {
		sub.threshold = *from.Severity
		if !sub.threshold.Valid() {
			add(".severity", "%d is outside 0..9", sub.threshold)
		}
		if lowest := t.owner.Limits.ThresholdMin; from.Pattern != "" && sub.threshold < lowest {
			add(".severity", "a pattern needs %s or above on %s", lowest, t.owner.Name)
		}
	}
	if err := sub.setPattern(from.Pattern, t.owner.Limits.Pattern.Max); err != nil {
		add(".pattern", "%v", err)
	}
	l, err := parseList(from.MessageIDs)
	if err != nil {
		add("", "%v", err)
	}
	sub.list = l
	sub.listOnly = !l.empty() && from.Severity == nil && from.Pattern == ""
	for k, v := range from.Tags {
		if k == "" {
			add(".tags", "a tag needs a key")
		}
		sub.tags = append(sub.tags, callhome.Tag{Key: k, Value: v})
	}
	slices.SortFunc(sub.tags, func(a, b callhome.Tag) int { return strings.Compare(a.Key, b.Key) })
	return sub, faults
}

// setPattern compiles a pattern; one that any line holds is left out.
func (sub *subscription) setPattern(pattern string, limit int) error {
	if pattern == "" {
		return nil
	}
	if n := utf8.RuneCountInString(pattern); limit > 0 && n > limit {
		return fmt.Errorf("the pattern has %d characters; at most %d are allowed", n, limit)
	}
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	var expr *regexp.Regexp
	if err == nil {
		expr, err = regexp.Compile(pattern)
	}
	if err != nil {
		return describe(pattern, err)
	}
	if !holdsAlways(parsed) {
		sub.expr, sub.source = expr, pattern
	}
	return nil
}

// describe says what is wrong with a pattern, and where.
func describe(pattern string, err error) error {
	var bad *syntax.Error
	if !errors.As(err, &bad) {
		return fmt.Errorf("%q is no regular expression (RE2): %w", pattern, err)
	}
	at := max(0, strings.Index(pattern, bad.Expr))
	return fmt.Errorf("%q is no regular expression (RE2): %s at character %d: %q",
		pattern, bad.Code, utf8.RuneCountInString(pattern[:at])+1, bad.Expr)
}

// conditional reports whether a look at the line is needed.
func (sub *subscription) conditional() bool {
	return sub.expr != nil || len(sub.tags) > 0 || !sub.list.empty()
}
