package route

import (
	"regexp"
	"slices"

	"callhome"
	"callhome/personality"
)

// pattern is a regular expression with all subscriptions that have it; or no expression, where only tags decide.
type pattern struct {
	expr *regexp.Regexp
	all  []personality.Phrase // must all occur; looked for before the expression runs
	subs []int32
}

// holds runs the expression.
func (p *pattern) holds(line []byte) bool {
	for i := range p.all {
		if !p.all[i].Contains(line) {
			return false
		}
	}
	return p.expr == nil || p.expr.Match(line)
}

// index fills everything that Match looks up.
func (t *Table) index() {
	for kind := range t.floor {
		for g := range t.floor[kind] {
			t.floor[kind][g] = callhome.LevelCatastrophic + 1
		}
	}
	ix := indexer{table: t, patterns: map[string]int32{}}
	for i := range t.profiles {
		p := &t.profiles[i]
		if p.closed != "" {
			continue
		}
		for _, sub := range p.subs {
			if sub.conditional() {
				ix.add(sub)
			}
		}
	}
	t.phrases = personality.NewPhrases(ix.phrases)
	t.lists.prepare()
	t.fillAlways()
}

// indexer gathers phrases while the table is built.
type indexer struct {
	table    *Table
	patterns map[string]int32 // by source, or by tag value
	phrases  []personality.Phrase
}

func (ix *indexer) add(sub *subscription) {
	t := ix.table
	id := int32(len(t.subs))
	t.subs = append(t.subs, sub)
	t.lists.add(&sub.list, id)
	if sub.listOnly || sub.expr == nil && len(sub.tags) == 0 {
		return
	}
	at := ix.pattern(sub)
	t.patterns[at].subs = append(t.patterns[at].subs, id)
	for g := range groups {
		for kind := range t.floor {
			if sub.covers(g, kind) {
				t.floor[kind][g] = min(t.floor[kind][g], sub.thresholdFor(groupName(g)))
			}
		}
	}
}

// pattern finds or makes the entry of a subscription's expression or first tag.
func (ix *indexer) pattern(sub *subscription) int32 {
	key := "re " + sub.source
	if sub.expr == nil {
		key = "tag " + sub.tags[0].Value
	}
	if at, ok := ix.patterns[key]; ok {
		return at
	}
	t := ix.table
	at := int32(len(t.patterns))
	ix.patterns[key] = at
	p := pattern{expr: sub.expr}
	var some []personality.Phrase
	if sub.expr != nil {
		some, p.all = required(sub.source)
	} else if plainValue(sub.tags[0].Value) {
		some = []personality.Phrase{{Text: sub.tags[0].Value}}
	}
	t.patterns = append(t.patterns, p)
	if len(some) == 0 {
		t.blind = append(t.blind, at)
		return at
	}
	for _, ph := range some {
		ix.phrases = append(ix.phrases, ph)
		t.phraseOf = append(t.phraseOf, at)
	}
	return at
}

// plainValue reports whether a tag's value stands on the line as it is: long enough, and nothing that is escaped.
func plainValue(v string) bool {
	for _, c := range []byte(v) {
		switch {
		case c >= '0' && c <= '9', c|0x20 >= 'a' && c|0x20 <= 'z', c == '.', c == ':', c == '-', c == '_', c == '/', c == '@':
		default:
			return false
		}
	}
	return len(v) >= personality.MinPhrase
}

// covers reports whether the subscription is about a group, for subjects of a kind.
func (sub *subscription) covers(g, kind int) bool {
	switch {
	case sub.group == callhome.GroupAll, groupIndex(sub.group) == g:
		return true
	case sub.group == callhome.GroupSyslog:
		return kind&kindLogged != 0
	}
	return kind&kindTAC != 0 && sub.group == callhome.GroupCiscoTAC
}

// fillAlways makes the decisions that need no look at the line. Equal lists are shared.
func (t *Table) fillAlways() {
	for kind := range t.always {
		if kind&kindTAC != 0 && !t.hasTAC {
			continue
		}
		var last []Decision
		for g := range groups {
			for level := range levels {
				list := t.unconditional(g, callhome.Level(level), kind)
				if slices.Equal(list, last) {
					list = last
				}
				t.always[kind][g][level], last = list, list
			}
		}
	}
}

func (t *Table) unconditional(g int, level callhome.Level, kind int) []Decision {
	var out []Decision
	for i := range t.profiles {
		p := &t.profiles[i]
		if p.closed != "" || p.anon && !Anonymous(groupName(g)) {
			continue
		}
		d := Decision{Profile: p.index, Name: p.name, Reason: callhome.ReasonSent}
		taken := false
		for _, sub := range p.subs {
			if sub.expr != nil || len(sub.tags) > 0 || sub.listOnly || !sub.covers(g, kind) || level < sub.thresholdFor(groupName(g)) {
				continue
			}
			taken = true
			if sub.detail == callhome.DetailFull {
				d.Detail = callhome.DetailFull
			}
		}
		if taken {
			out = append(out, d)
		}
	}
	return slices.Clip(out)
}
