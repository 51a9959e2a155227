package analysis

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// evaluation is one message on its way through the rules.
type evaluation struct {
	ctx     context.Context
	engine  *Engine
	history History
	f       facts
	v       values // what the rule at hand captured
	done    []*compiled
	result  Result
	err     error // of the history or the context: ends the evaluation
}

// candidate judges a rule that the index proposes.
func (ev *evaluation) candidate(c *compiled) {
	if ev.err != nil || !ev.fits(c) || slices.Contains(ev.done, c) {
		return
	}
	if ev.err = ev.ctx.Err(); ev.err != nil {
		return
	}
	ev.done = append(ev.done, c)
	ev.judge(c)
}

// judge keeps the trouble of one rule from the others.
func (ev *evaluation) judge(c *compiled) {
	defer func() {
		if r := recover(); r != nil {
			ev.fault(c, fmt.Errorf("panic: %v", r))
		}
	}()
	ev.v = values{f: &ev.f, pairs: ev.v.pairs[:0]}
	if c.noText != nil && c.noText.is(ev.f.text) {
		return
	}
	if c.text != nil {
		at := c.text.match(ev.f.text)
		if at == nil {
			return
		}
		c.text.capture(&ev.v, ev.f.text, at)
	}
	if c.capture != nil {
		if at := c.capture.match(ev.f.text); at != nil {
			c.capture.capture(&ev.v, ev.f.text, at)
		}
	}
	if len(c.Match.Versions) > 0 && !ev.versionFits(c) {
		return
	}
	ev.expand(c)
}

// fits makes the comparisons that cost next to nothing.
func (ev *evaluation) fits(c *compiled) bool {
	f, m := &ev.f, &c.Match
	switch {
	case c.platforms != 0 && c.platforms&f.platforms == 0,
		len(m.Groups) > 0 && !slices.Contains(m.Groups, f.group),
		m.Severity.Min != nil && f.level < *m.Severity.Min,
		m.Severity.Max != nil && f.level > *m.Severity.Max,
		len(c.types) > 0 && !anyGlob(c.types, f.m.Type),
		len(c.subs) > 0 && !anyGlob(c.subs, f.m.Subtype),
		len(c.models) > 0 && !anyGlob(c.models, f.model):
		return false
	}
	return true
}

func (ev *evaluation) versionFits(c *compiled) bool {
	if ev.f.version == "" {
		return false
	}
	for _, constraint := range c.Match.Versions {
		if within, ok := ev.engine.versions(ev.f.platform, ev.f.version, constraint); ok && within {
			return true
		}
	}
	return false
}

// expand goes through what may give several findings: changes of the inventory, rows of command outputs. What a rule asks
// for beyond that has to hold for each of them.
func (ev *evaluation) expand(c *compiled) {
	s := ev.f.s
	switch {
	case c.Match.Silence != nil:
		if ev.silence(c, s.Silence) {
			ev.attachments(c, nil)
		}
	case c.Match.Inventory != nil:
		for i := range s.InventoryChanges {
			base := ev.v.fork()
			if q, ok := ev.inventoryChange(c, &s.InventoryChanges[i]); ok {
				ev.attachments(c, []Quote{q})
			}
			ev.v = base
		}
	case c.Match.Config != nil:
		if quotes, ok := ev.configChange(c); ok {
			ev.attachments(c, quotes)
		}
	default:
		ev.attachments(c, nil)
	}
}

func (ev *evaluation) silence(c *compiled, s *Silence) bool {
	m := c.Match.Silence
	if s == nil || s.Missed < max(m.Missed, 1) || len(m.Groups) > 0 && !slices.Contains(m.Groups, s.Group) {
		return false
	}
	ev.v.set("missed", strconv.Itoa(s.Missed))
	if !s.Last.IsZero() {
		ev.v.set("last", s.Last.UTC().Format(time.RFC3339))
	}
	return true
}

func (ev *evaluation) inventoryChange(c *compiled, i *InventoryChange) (Quote, bool) {
	if !slices.Contains(c.Match.Inventory.Changes, i.Change) || !anyGlob(c.names, i.Name) || !anyGlob(c.slots, i.Slot) ||
		len(c.notNames) > 0 && anyGlob(c.notNames, i.Name) || len(c.notSlots) > 0 && anyGlob(c.notSlots, i.Slot) {
		return Quote{}, false
	}
	for n, value := range [...]string{string(i.Change), i.Name, i.PartNo, i.Serial, i.Slot, i.OldSerial, i.OldSlot, i.Version, i.OldVersion} {
		ev.v.set(inventoryNames[n], value)
	}
	text := fmt.Sprintf("%s: %s in %s, serial %s", i.Change, i.Name, firstOf(i.Slot, "no slot"), firstOf(i.Serial, "unknown"))
	return Quote{Source: "inventory", Text: text}, true
}

func (ev *evaluation) configChange(c *compiled) (quotes []Quote, ok bool) {
	find := func(p *pattern, added bool, sign string) bool {
		if p == nil {
			return true
		}
		found := false
		for i := range ev.f.s.ConfigChanges {
			ch := &ev.f.s.ConfigChanges[i]
			if ch.Added != added || len(ch.Line) > lineLimit {
				continue
			}
			at := p.match(ch.Line)
			if at == nil {
				continue
			}
			if !found {
				ev.v.set("line", maskSecrets(ch.Line))
				p.capture(&ev.v, ch.Line, at)
			}
			found = true
			if quotes = append(quotes, Quote{Source: "configuration", Text: sign + maskSecrets(ch.Line)}); len(quotes) >= maxQuotes {
				break
			}
		}
		return found
	}
	return quotes, find(c.added, true, "+") && find(c.gone, false, "-")
}

// attachments goes through what the rule asks of command outputs: all must hold; the rows of the first that gives any
// become findings, of the others the first row that stands is enough.
func (ev *evaluation) attachments(c *compiled, quotes []Quote) {
	var rows []row
	chosen := -1
	for i := range c.attachments {
		a := &c.attachments[i]
		found, ok := ev.look(c, a)
		if !ok {
			return
		}
		switch {
		case len(found) == 0:
		case chosen < 0:
			rows, chosen = found, i
		default:
			for _, p := range found[0].values {
				ev.v.set(p.name, p.value)
			}
			quotes = append(quotes, found[0].quote)
		}
	}
	if chosen < 0 {
		ev.conclude(c, quotes)
		return
	}
	ev.rows(c, rows, quotes)
}

// look finds an attachment in which a condition holds, and the rows there that its where keeps.
func (ev *evaluation) look(c *compiled, a *attachment) (rows []row, holds bool) {
	for i := range ev.f.m.Attachments {
		at := &ev.f.m.Attachments[i]
		if at.Encoding == "base64" || !anyGlob(a.commands, at.Name) {
			continue
		}
		found, ok, err := a.find(at.Name, at.Text)
		if err != nil {
			ev.fault(c, err)
			continue
		}
		if !ok {
			continue
		}
		if rows = ev.keep(c, a, found); len(rows) > 0 || !a.producesRows() {
			return rows, true
		}
	}
	return nil, false
}

func (ev *evaluation) keep(c *compiled, a *attachment, rows []row) []row {
	if a.where == nil {
		return rows
	}
	base := ev.v
	defer func() { ev.v = base }()
	out := rows[:0]
	for _, r := range rows {
		v := base.fork()
		for _, p := range r.values {
			v.set(p.name, p.value)
		}
		ok, err := a.where.holds(&v)
		if err != nil {
			ev.fault(c, err)
			return nil
		}
		if ok {
			out = append(out, r)
		}
	}
	return out
}

// rows makes a finding of each row, one for each key.
func (ev *evaluation) rows(c *compiled, rows []row, quotes []Quote) {
	base := ev.v.fork()
	before := len(ev.result.Findings)
	seen := map[string]bool{}
	for _, r := range rows {
		if ev.err != nil {
			return
		}
		ev.v = base.fork()
		for _, p := range r.values {
			ev.v.set(p.name, p.value)
		}
		key := ev.key(c)
		if seen[key] {
			continue
		}
		seen[key] = true
		if len(ev.result.Findings)-before >= maxFindings {
			ev.result.Cut++
			continue
		}
		r.quote.Text = maskSecrets(r.quote.Text)
		ev.conclude(c, append(slices.Clone(quotes), r.quote))
	}
}

// conclude applies history and expression to one hit, and makes it a finding.
func (ev *evaluation) conclude(c *compiled, quotes []Quote) {
	key := ev.key(c)
	if !ev.historyHolds(c, key) {
		return
	}
	ok, err := c.when.holds(&ev.v)
	if err != nil {
		ev.fault(c, err)
		return
	}
	if ok {
		ev.result.Findings = append(ev.result.Findings, ev.finding(c, key, quotes))
	}
}

// key is what the finding is joined by. Case does not tell parts apart: devices print Gi0/1 and gi0/1 for the same port.
func (ev *evaluation) key(c *compiled) string {
	return strings.ToLower(c.key.fill(&ev.v, maxKeyLength))
}

func (ev *evaluation) finding(c *compiled, key string, quotes []Quote) Finding {
	f := Finding{
		Rule: c.ID, Pack: c.pack.Name, Version: c.pack.Version, Class: c.Class, Outcome: c.Outcome, Level: c.level(&ev.f),
		Title: c.title.fill(&ev.v, maxTitle), Diagnosis: c.diagnosis.fill(&ev.v, maxWords), Recommendation: c.advice.fill(&ev.v, maxWords),
		Component: c.component.fill(&ev.v, maxTitle), Key: key, State: c.State, Clears: c.Clears, At: ev.f.at,
		Team: c.Team, Labels: c.Labels, References: c.References, Captures: ev.v.captured(),
	}
	if f.Outcome == OutcomeServiceRequest && !mayOpenRequest(ev.f.group) {
		f.Outcome, f.Lowered = OutcomeRecommendation, true
	}
	if d := ev.f.m.Description; d != "" && (len(c.Match.On) > 0 || c.text != nil || len(quotes) == 0) {
		quotes = append([]Quote{{Source: "description", Text: d}}, quotes...)
	}
	if s := ev.f.s.Silence; s != nil && c.Match.Silence != nil {
		quotes = append(quotes, Quote{Source: "schedule", Text: fmt.Sprintf("%d messages of group %s did not come; due %s", s.Missed, s.Group, s.Due.UTC().Format(time.RFC3339))})
	}
	if h := c.Match.History; h != nil {
		quotes = append(quotes, Quote{Source: "history", Text: fmt.Sprintf("%d times within %s", ev.v.count, h.Within)})
	}
	quotes = quotes[:min(len(quotes), maxQuotes)]
	for i := range quotes {
		quotes[i].Text = clean(maskSecrets(quotes[i].Text), maxQuote)
	}
	f.Evidence = quotes
	return f
}

func (ev *evaluation) fault(c *compiled, err error) {
	ev.result.Faults = append(ev.result.Faults, Fault{Rule: c.ID, Err: err})
}
