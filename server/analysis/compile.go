package analysis

import (
	"fmt"

	"callhome"
	"callhome/personality"
)

// compiled is a rule ready to be evaluated. It never changes.
type compiled struct {
	*Rule
	pack *Pack
	keys []personality.Key
	// events are the keys =NAME, which personalities do not have.
	events []string

	platforms    uint16 // 0: all
	types, subs  []glob
	models       []glob
	text, noText *pattern
	capture      *pattern
	attachments  []attachment
	added, gone  *pattern
	names, slots []glob
	notNames     []glob
	notSlots     []glob
	when         *condition

	title, diagnosis, advice, component, key *template
}

// compile makes a rule ready; errors carry the place in the pack.
func compile(p *Pack, r *Rule) (*compiled, error) {
	c := &compiled{Rule: r, pack: p, types: globs(r.Match.Types), subs: globs(r.Match.Subtypes), models: globs(r.Match.Models)}
	fail := func(key string, err error) error { return p.fault(r.path+"."+key, "%v", err) }
	for i, on := range r.Match.On {
		if len(on) > 1 && on[0] == '=' {
			c.events = append(c.events, on[1:])
			continue
		}
		k, err := personality.ParseKey(on)
		if err != nil {
			return nil, fail(fmt.Sprintf("match.on[%d]", i), err)
		}
		c.keys = append(c.keys, k)
	}
	for _, name := range r.Match.Platforms {
		c.platforms |= platformBits[name]
	}
	for i, v := range r.Match.Versions {
		if _, ok := PlainVersions("", "1", v); !ok {
			return nil, fail(fmt.Sprintf("match.versions[%d]", i), fmt.Errorf("%q is no constraint such as \">=15.2 <16\"", v))
		}
	}
	known, err := c.compilePatterns(fail)
	if err != nil {
		return nil, err
	}
	if t := r.Match.Trend; t != nil && !known[t.Of] {
		return nil, fail("match.trend.of", fmt.Errorf("%q is nothing this rule captures; it knows %s", t.Of, knownNames(known)))
	}
	if c.when, err = compileCondition(r.Match.When, known); err != nil {
		return nil, fail("match.when", err)
	}
	if r.Key == "" {
		r.Key = r.Component
	}
	for _, t := range []struct {
		to     **template
		key, s string
	}{
		{&c.title, "title", r.Title},
		{&c.diagnosis, "diagnosis", r.Diagnosis},
		{&c.advice, "recommendation", r.Recommendation},
		{&c.component, "component", r.Component},
		{&c.key, "key", r.Key},
	} {
		if *t.to, err = parseTemplate(t.s, known); err != nil {
			return nil, fail(t.key, err)
		}
	}
	return c, nil
}

// compilePatterns compiles what captures, and says which names that gives.
func (c *compiled) compilePatterns(fail func(string, error) error) (known map[string]bool, err error) {
	m := &c.Match
	known = map[string]bool{}
	for _, name := range builtins {
		known[name] = true
	}
	if c.text, err = compilePattern(m.Text); err != nil {
		return nil, fail("match.text", err)
	}
	if c.noText, err = compilePattern(m.NotText); err != nil {
		return nil, fail("match.not_text", err)
	}
	if c.capture, err = compilePattern(m.Capture); err != nil {
		return nil, fail("match.capture", err)
	}
	c.text.groups(known)
	c.capture.groups(known)
	if i := m.Inventory; i != nil {
		c.names, c.slots, c.notNames, c.notSlots = globs(i.Names), globs(i.Slots), globs(i.NotNames), globs(i.NotSlots)
		for _, name := range inventoryNames {
			known[name] = true
		}
	}
	if m.Silence != nil {
		known["missed"], known["last"] = true, true
	}
	if cfg := m.Config; cfg != nil {
		if c.added, err = compilePattern(cfg.Added); err != nil {
			return nil, fail("match.config.added", err)
		}
		if c.gone, err = compilePattern(cfg.Removed); err != nil {
			return nil, fail("match.config.removed", err)
		}
		known["line"] = true
		c.added.groups(known)
		c.gone.groups(known)
	}
	for i := range m.Attachments {
		a, err := compileAttachment(&m.Attachments[i], known, func(key string, err error) error {
			return fail(fmt.Sprintf("match.attachments[%d].%s", i, key), err)
		})
		if err != nil {
			return nil, err
		}
		c.attachments = append(c.attachments, a)
	}
	return known, nil
}

func compileAttachment(m *AttachmentMatch, known map[string]bool, fail func(string, error) error) (a attachment, err error) {
	a.commands = globs(m.Command)
	if a.line, err = compilePattern(m.Line); err != nil {
		return a, fail("line", err)
	}
	if a.pattern, err = compilePattern(m.Pattern); err != nil {
		return a, fail("pattern", err)
	}
	if a.absent, err = compilePattern(m.Absent); err != nil {
		return a, fail("absent", err)
	}
	if m.TextFSM != "" {
		if a.fsm, err = compileFSM(m.TextFSM); err != nil {
			return a, fail("textfsm", err)
		}
		for _, n := range a.fsm.names {
			known[n] = true
		}
	}
	a.line.groups(known)
	a.pattern.groups(known)
	if a.where, err = compileCondition(m.Where, known); err != nil {
		return a, fail("where", err)
	}
	return a, nil
}

// inventoryNames are what an inventory change captures.
var inventoryNames = []string{"change", "fru", "part", "fru_serial", "slot", "old_serial", "old_slot", "fru_version", "old_version"}

// level is the rule's severity, else the message's.
func (c *compiled) level(f *facts) callhome.Level {
	if c.Severity != nil {
		return *c.Severity
	}
	return f.level
}
