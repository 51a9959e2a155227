package route

import (
	"slices"

	"callhome"
)

// found gathers the decisions about one subject; dst[from:] is sorted by profile.
type found struct {
	table   *Table
	subject Subject // a copy: by pointer it would move to the heap
	tac     bool
	dst     []Decision
	from    int
}

// marks remember which patterns were tried. With more patterns than marks some are tried again, which is harmless.
type marks [32]uint64

const marked = 32 * 64

func (m *marks) first(i int32) bool {
	if i >= marked {
		return true
	}
	bit := uint64(1) << (i & 63)
	if m[i>>6]&bit != 0 {
		return false
	}
	m[i>>6] |= bit
	return true
}

// byPattern tries the patterns whose phrases were hit, and those that have none.
func (f *found) byPattern(hits []int32) {
	t, line := f.table, f.subject.line()
	if len(hits) > 0 {
		var tried marks
		for _, h := range hits {
			if i := t.phraseOf[h]; tried.first(i) {
				f.try(&t.patterns[i], line)
			}
		}
	}
	for _, i := range t.blind {
		f.try(&t.patterns[i], line)
	}
}

// try runs a pattern if one of its subscriptions could still change the outcome.
func (f *found) try(p *pattern, line []byte) {
	run := false
	for _, i := range p.subs {
		sub := f.table.subs[i]
		if !f.useful(sub) || f.subject.Level < sub.thresholdFor(f.subject.Group) {
			continue
		}
		if !run {
			if !p.holds(line) {
				return
			}
			run = true
		}
		if sub.tagsHold(&f.subject) {
			f.add(sub)
		}
	}
}

// useful reports whether a subscription is about the subject and its profile undecided, or decided without the detail
// that this one asks for.
func (f *found) useful(sub *subscription) bool {
	if !sub.about(&f.subject, f.tac) || sub.profile.anon && !Anonymous(f.subject.Group) {
		return false
	}
	at, ok := f.search(sub.profile.index)
	return !ok || sub.detail == callhome.DetailFull && f.dst[at].Detail != callhome.DetailFull
}

func (f *found) search(profile int) (at int, ok bool) {
	i, ok := slices.BinarySearchFunc(f.dst[f.from:], profile, func(d Decision, want int) int { return d.Profile - want })
	return f.from + i, ok
}

// add enters the profile of a subscription that takes the subject.
func (f *found) add(sub *subscription) {
	at, ok := f.search(sub.profile.index)
	if !ok {
		d := Decision{Profile: sub.profile.index, Name: sub.profile.name, Reason: callhome.ReasonSent}
		f.dst = slices.Insert(f.dst, at, d)
	}
	if sub.detail == callhome.DetailFull {
		f.dst[at].Detail = callhome.DetailFull
	}
}

// byList admits by message-ID lists.
func (f *found) byList() {
	l := &f.table.lists
	if id := f.subject.messageID(); len(id) > 0 {
		if n, ok := parseNumber(id); ok {
			for i := range l.spans {
				if sp := &l.spans[i]; n >= sp.min && n <= sp.max {
					f.admit(sp.sub)
				}
			}
		} else if len(l.names) > 0 {
			f.admitAll(l.names[string(id)])
		}
	}
	if m := f.subject.mnemonic(); len(l.names) > 0 && len(m) > 0 {
		f.admitAll(l.names[string(m)])
	}
}

func (f *found) admitAll(subs []int32) {
	for _, i := range subs {
		if f.table.subs[i].list.holds(&f.subject) {
			f.admit(i)
		}
	}
}

func (f *found) admit(i int32) {
	if sub := f.table.subs[i]; f.useful(sub) && sub.tagsHold(&f.subject) {
		f.add(sub)
	}
}
