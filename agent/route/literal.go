package route

import (
	"regexp/syntax"
	"strings"
	"unicode/utf8"

	"callhome/personality"
)

// holdsAlways reports whether every line holds the expression: it can match nothing at all at the line's beginning, or
// at its end.
func holdsAlways(re *syntax.Regexp) bool {
	return empty(re, syntax.OpBeginText) || empty(re, syntax.OpEndText)
}

// empty reports whether re matches nothing at a place where the given assertion holds.
func empty(re *syntax.Regexp, assertion syntax.Op) bool {
	switch re.Op {
	case syntax.OpEmptyMatch, syntax.OpStar, syntax.OpQuest, assertion:
		return true
	case syntax.OpBeginLine:
		return assertion == syntax.OpBeginText
	case syntax.OpEndLine:
		return assertion == syntax.OpEndText
	case syntax.OpRepeat:
		return re.Min == 0 || empty(re.Sub[0], assertion)
	case syntax.OpCapture, syntax.OpPlus:
		return empty(re.Sub[0], assertion)
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			if !empty(sub, assertion) {
				return false
			}
		}
		return true
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			if empty(sub, assertion) {
				return true
			}
		}
	}
	return false
}

// set is a set of phrases of which a line must have one; nil says nothing.
type set []personality.Phrase

// maxSet bounds the phrases of one set; alternatives beyond that say nothing.
const maxSet = 64

// required finds what a line must have to hold a pattern: one phrase of some, and all phrases of all.
func required(pattern string) (some, all []personality.Phrase) {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, nil
	}
	sets := collect(re.Simplify())
	best := -1
	for i, s := range sets {
		if usable(s) && (best < 0 || better(s, sets[best])) {
			best = i
		}
	}
	if best < 0 {
		return nil, nil
	}
	for i, s := range sets {
		if i != best && len(s) == 1 && !s[0].Fold {
			all = append(all, s[0])
		}
	}
	return sets[best], all
}

// usable reports whether every phrase is long enough to be searched for.
func usable(s set) bool {
	return len(s) > 0 && shortest(s) >= personality.MinPhrase
}

// better prefers what a search finds less often: up to a point the longer, then the smaller set.
func better(a, b set) bool {
	const enough = 12
	la, lb := min(shortest(a), enough), min(shortest(b), enough)
	if la != lb {
		return la > lb
	}
	return len(a) < len(b)
}

func shortest(s set) int {
	n := len(s[0].Text)
	for _, p := range s {
		n = min(n, len(p.Text))
	}
	return n
}

// collect lists sets, each of which a match must meet.
func collect(re *syntax.Regexp) []set {
	switch re.Op {
	case syntax.OpLiteral, syntax.OpCharClass:
		if s := exact(re); s != nil {
			return []set{s}
		}
		return pieces(re)
	case syntax.OpCapture, syntax.OpPlus:
		return collect(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return collect(re.Sub[0])
		}
	case syntax.OpConcat:
		return collectConcat(re.Sub)
	case syntax.OpAlternate:
		return collectAlternate(re.Sub)
	}
	return nil
}

// collectConcat joins neighbours that are known exactly into longer phrases.
func collectConcat(subs []*syntax.Regexp) []set {
	var out []set
	var run set
	flush := func() {
		if run != nil {
			out = append(out, run)
		}
		run = nil
	}
	for _, sub := range subs {
		e := exact(sub)
		if e == nil {
			flush()
			out = append(out, collect(sub)...)
			continue
		}
		if joined := product(run, e); joined != nil {
			run = joined
			continue
		}
		flush()
		run = e
	}
	flush()
	return out
}

// product appends each phrase of b to each of a; nil when the cases differ or it grows too large.
func product(a, b set) set {
	if a == nil {
		return b
	}
	if len(a)*len(b) > maxSet || a[0].Fold != b[0].Fold {
		return nil
	}
	out := make(set, 0, len(a)*len(b))
	for _, x := range a {
		for _, y := range b {
			out = append(out, personality.Phrase{Text: x.Text + y.Text, Fold: x.Fold})
		}
	}
	return out
}

// collectAlternate needs one set of every branch; their union is met by each match.
func collectAlternate(subs []*syntax.Regexp) []set {
	var union set
	for _, sub := range subs {
		var best set
		for _, s := range collect(sub) {
			if len(s) > 0 && (best == nil || better(s, best)) {
				best = s
			}
		}
		if best == nil || len(union)+len(best) > maxSet {
			return nil
		}
		union = append(union, best...)
	}
	return []set{union}
}

// exact lists all texts that re matches, if they are few and known, else nil.
func exact(re *syntax.Regexp) set {
	switch re.Op {
	case syntax.OpLiteral:
		return literal(re)
	case syntax.OpCharClass:
		return class(re)
	case syntax.OpCapture:
		return exact(re.Sub[0])
	case syntax.OpConcat:
		var run set
		for _, sub := range re.Sub {
			e := exact(sub)
			if e == nil {
				return nil
			}
			if run = product(run, e); run == nil {
				return nil
			}
		}
		return run
	case syntax.OpAlternate:
		var union set
		for _, sub := range re.Sub {
			e := exact(sub)
			if e == nil || len(union)+len(e) > maxSet || union != nil && union[0].Fold != e[0].Fold {
				return nil
			}
			union = append(union, e...)
		}
		return union
	}
	return nil
}

// literal is a literal as a phrase. Without regard to case only ASCII is known exactly, and not k and s, which have a
// third form each. The replacement rune stands for any broken byte and is never exact.
func literal(re *syntax.Regexp) set {
	text := string(re.Rune)
	if strings.ContainsRune(text, utf8.RuneError) {
		return nil
	}
	if re.Flags&syntax.FoldCase == 0 {
		return set{{Text: text}}
	}
	for _, r := range re.Rune {
		if r >= utf8.RuneSelf || strings.ContainsRune("kKsS", r) {
			return nil
		}
	}
	return set{{Text: text, Fold: true}}
}

// pieces are the parts of a literal without regard to case that lie between the letters whose case is no plain matter.
func pieces(re *syntax.Regexp) []set {
	if re.Op != syntax.OpLiteral || re.Flags&syntax.FoldCase == 0 {
		return nil
	}
	var out []set
	for _, part := range strings.FieldsFunc(string(re.Rune), func(r rune) bool {
		return r >= utf8.RuneSelf || strings.ContainsRune("kKsS", r)
	}) {
		out = append(out, set{{Text: part, Fold: true}})
	}
	return out
}

// maxClass bounds the characters of a class that are spelt out.
const maxClass = 10

// class spells a small class out.
func class(re *syntax.Regexp) set {
	var out set
	for i := 0; i+1 < len(re.Rune); i += 2 {
		if re.Rune[i+1]-re.Rune[i] >= maxClass {
			return nil
		}
		for r := re.Rune[i]; r <= re.Rune[i+1]; r++ {
			if r == utf8.RuneError || len(out) == maxClass {
				return nil
			}
			out = append(out, personality.Phrase{Text: string(r)})
		}
	}
	return out
}
