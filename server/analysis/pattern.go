package analysis

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
)

// pattern is an expression with literals it cannot match without, which are looked for first.
type pattern struct {
	re       *regexp.Regexp
	literals []string
	names    []string // of the groups; "" unnamed
}

func compilePattern(source string) (*pattern, error) {
	if source == "" {
		return nil, nil
	}
	if len(source) > maxExpression {
		return nil, fmt.Errorf("is longer than %d bytes", maxExpression)
	}
	re, err := regexp.Compile(source)
	if err != nil {
		return nil, err
	}
	for _, name := range re.SubexpNames() {
		if name == "severity" || name == "count" || name == "rise" {
			return nil, fmt.Errorf("a group cannot be called %s: that name is a number of ours", name)
		}
	}
	tree, err := syntax.Parse(source, syntax.Perl)
	if err != nil {
		return nil, err
	}
	return &pattern{re: re, literals: requiredLiterals(tree.Simplify()), names: re.SubexpNames()}, nil
}

// maxLiterals bounds the alternatives of a pattern that are looked for; an expression with more is simply run.
const maxLiterals = 12

// requiredLiterals are texts of which every match holds at least one, as far as that is easily seen; nil: nothing is known.
func requiredLiterals(t *syntax.Regexp) []string {
	switch t.Op {
	case syntax.OpLiteral:
		if t.Flags&syntax.FoldCase == 0 {
			return []string{string(t.Rune)}
		}
	case syntax.OpCapture, syntax.OpPlus:
		return requiredLiterals(t.Sub[0])
	case syntax.OpRepeat:
		if t.Min > 0 {
			return requiredLiterals(t.Sub[0])
		}
	case syntax.OpAlternate:
		var all []string
		for _, s := range t.Sub {
			l := requiredLiterals(s)
			if l == nil {
				return nil
			}
			all = append(all, l...)
		}
		if len(all) <= maxLiterals {
			return all
		}
	case syntax.OpConcat:
		var best []string
		for _, s := range t.Sub {
			if l := requiredLiterals(s); l != nil && shortest(l) > shortest(best) {
				best = l
			}
		}
		return best
	}
	return nil
}

// shortest is the length of the shortest text: the least a match is known by.
func shortest(texts []string) int {
	n := 0
	for i, s := range texts {
		if i == 0 || len(s) < n {
			n = len(s)
		}
	}
	return n
}

// may reports whether s could match.
func (p *pattern) may(s string) bool {
	if p.literals == nil {
		return true
	}
	for _, l := range p.literals {
		if strings.Contains(s, l) {
			return true
		}
	}
	return false
}

// match reports whether s matches, with the places of its groups.
func (p *pattern) match(s string) []int {
	if !p.may(s) {
		return nil
	}
	return p.re.FindStringSubmatchIndex(s)
}

// is is match without the groups.
func (p *pattern) is(s string) bool {
	return p.may(s) && p.re.MatchString(s)
}

// capture puts the named groups of a match into v.
func (p *pattern) capture(v *values, s string, at []int) {
	for i, name := range p.names {
		if name == "" {
			continue
		}
		value := ""
		if at[2*i] >= 0 {
			value = s[at[2*i]:at[2*i+1]]
		}
		v.set(name, value)
	}
}

// groups adds the names of the groups to known.
func (p *pattern) groups(known map[string]bool) {
	if p == nil {
		return
	}
	for _, name := range p.names {
		if name != "" {
			known[name] = true
		}
	}
}

// glob matches without regard to case; * is any run of characters, ? is one.
type glob string

func (g glob) match(s string) bool { return globMatch(strings.ToLower(string(g)), strings.ToLower(s)) }

func globMatch(g, s string) bool {
	star, mark := -1, 0
	i, j := 0, 0
	for j < len(s) {
		switch {
		case i < len(g) && g[i] == '*':
			star, mark = i, j
			i++
		case i < len(g) && (g[i] == '?' || g[i] == s[j]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(g) && g[i] == '*' {
		i++
	}
	return i == len(g)
}

func anyGlob(list []glob, s string) bool {
	for _, g := range list {
		if g.match(s) {
			return true
		}
	}
	return len(list) == 0
}

func globs(list []string) []glob {
	out := make([]glob, len(list))
	for i, s := range list {
		out[i] = glob(s)
	}
	return out
}
