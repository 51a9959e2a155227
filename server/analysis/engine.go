package analysis

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"callhome"
)

// Engine is the rules of some packs, ready to be evaluated. It never changes and may be used by several goroutines.
type Engine struct {
	rules    []*compiled
	index    *index
	versions VersionMatcher
	known    map[string]bool // IDs, also of rules that Only left out
}

// New compiles packs. Errors name file, line and column. A rule ID occurs once over all packs; what a rule clears must
// exist.
func New(packs ...*Pack) (*Engine, error) {
	e := &Engine{versions: PlainVersions, known: map[string]bool{}}
	var errs []error
	for _, p := range packs {
		for _, r := range p.Rules {
			if e.known[r.ID] {
				errs = append(errs, p.fault(r.path+".id", "%q is the ID of a rule in another pack", r.ID))
				continue
			}
			e.known[r.ID] = true
			c, err := compile(p, r)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			e.rules = append(e.rules, c)
		}
	}
	for _, c := range e.rules {
		for i, id := range c.Clears {
			if !e.known[id] {
				errs = append(errs, c.pack.fault(fmt.Sprintf("%s.clears[%d]", c.path, i), "there is no rule %q", id))
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	e.index = newIndex(e.rules)
	return e, nil
}

// WithVersions is the engine with another comparator of versions.
func (e *Engine) WithVersions(m VersionMatcher) *Engine {
	c := *e
	c.versions = m
	return &c
}

// Only is the engine with some of its rules; an unknown ID is an error of kind NotFound.
func (e *Engine) Only(ids ...string) (*Engine, error) {
	c := *e
	c.rules = nil
	for _, id := range ids {
		i := slices.IndexFunc(e.rules, func(r *compiled) bool { return r.ID == id })
		if i < 0 {
			return nil, callhome.Errorf(callhome.KindNotFound, "there is no rule %q", id)
		}
		if !slices.Contains(c.rules, e.rules[i]) {
			c.rules = append(c.rules, e.rules[i])
		}
	}
	c.index = newIndex(c.rules)
	return &c, nil
}

// Rules lists the rules in the order of their packs. They must not be changed.
func (e *Engine) Rules() []*Rule {
	out := make([]*Rule, len(e.rules))
	for i, c := range e.rules {
		out[i] = c.Rule
	}
	return out
}

// Rule finds a rule by its ID, with its pack.
func (e *Engine) Rule(id string) (*Rule, *Pack, bool) {
	for _, c := range e.rules {
		if c.ID == id {
			return c.Rule, c.pack, true
		}
	}
	return nil, nil, false
}

// Evaluate applies every rule that concerns the message. The error is of the history or the context, and then nothing
// was found; what goes wrong in a rule is a Fault of the result. h may be nil: then nothing happened before.
func (e *Engine) Evaluate(ctx context.Context, s *Subject, h History) (Result, error) {
	ev := evaluation{ctx: ctx, engine: e, history: h}
	ev.f.fill(s)
	ev.v.f = &ev.f
	e.index.each(&ev.f, ev.candidate)
	if ev.err != nil {
		return Result{}, ev.err
	}
	return ev.result, nil
}
