package secrets

import (
	"strings"
	"sync"
)

// Removed stands where something was taken out.
const Removed = "<removed>"

// Table is a list of rules, ready for use. It is safe for concurrent use.
type Table struct {
	rules  []Rule
	filter func() *filter
}

// NewTable makes a table of at most 128 rules, which are applied in their order. Its filter is built at the first use.
func NewTable(rules []Rule) *Table {
	t := &Table{rules: rules}
	t.filter = sync.OnceValue(func() *filter {
		literals := map[string]Set{}
		for i, r := range rules {
			for _, l := range r.Literal {
				s := literals[l]
				s.add(i)
				literals[l] = s
			}
		}
		return newFilter(literals)
	})
	return t
}

// Rules are the rules of a table, not to be changed.
func (t *Table) Rules() []Rule { return t.rules }

// Of is the set of the rules that have a bit of scope.
func (t *Table) Of(scope uint8) Set {
	var s Set
	for i, r := range t.rules {
		if r.Scope&scope != 0 {
			s.add(i)
		}
	}
	return s
}

// Rules are the rules for secrets, each of the scope given.
func Rules(scope uint8) []Rule {
	all := append([]Rule(nil), secretRules...)
	for i := range all {
		all[i].Scope = scope
	}
	return all
}

var (
	secretTable = NewTable(Rules(1))
	secretSet   = secretTable.Of(1)
)

// Mask is text with every secret replaced.
func Mask(text string) string {
	return secretTable.Apply(text, secretSet, func(_ *Rule, v string) string { return Replacement(v) })
}

// Apply puts replace(rule, value) in the place of every value that a rule of want finds. It goes through the lines that
// the filter finds. What is not concerned is neither copied nor looked at twice.
func (t *Table) Apply(text string, want Set, replace func(r *Rule, v string) string) string {
	var out []byte
	copied := 0
	t.filter().find(text, want, func(from, to int, found Set) {
		if from < copied {
			return // within a block that is gone
		}
		was := text[from:to]
		line := t.applyLine(was, text[:from], found, replace)
		if out == nil && line != was {
			out = make([]byte, 0, len(text)+len(text)/16+64) // most lines stay, and "<removed>" is about as long as a secret
		}
		if line != was {
			out = append(append(out, text[copied:from]...), line...)
			copied = to
		}
		bodyFrom, bodyTo := t.blockAfter(text, from, to, found)
		if bodyFrom < bodyTo {
			out = append(out, text[copied:bodyFrom]...)
			out = append(append(append(out, indentOf(text[bodyFrom:bodyTo])...), Removed...), lineEndOf(text[bodyFrom:bodyTo])...)
			copied = bodyTo
		}
	})
	if copied == 0 {
		return text
	}
	return string(append(out, text[copied:]...))
}

// applyLine applies the rules found to one line.
func (t *Table) applyLine(line, before string, found Set, replace func(*Rule, string) string) string {
	for i := range t.rules {
		if found.has(i) && t.rules[i].Form != nil {
			line = t.rules[i].apply(line, before, replace)
		}
	}
	return line
}

func (r *Rule) apply(line, before string, replace func(*Rule, string) string) string {
	matches := r.Form.Get().FindAllStringSubmatchIndex(line, -1)
	if matches == nil {
		return line
	}
	var out []byte
	copied := 0
	for _, at := range matches {
		for g := 2; g < len(at); g += 2 {
			from, to := at[g], at[g+1]
			if from < copied || from < 0 || line[from:to] == Removed || r.Keep != nil && r.Keep(before, line[from:to]) {
				continue
			}
			out = append(append(out, line[copied:from]...), replace(r, line[from:to])...)
			copied = to
		}
	}
	if copied == 0 {
		return line
	}
	return string(append(out, line[copied:]...))
}

// Replacement is the mask for a value. It keeps a value's quotes: what reads configurations shall still find a string there.
func Replacement(v string) string {
	if n := len(v); n >= 2 && (v[0] == '"' || v[0] == '\'') && v[n-1] == v[0] {
		return v[:1] + Removed + v[:1]
	}
	return Removed
}

// blockAfter gives the bounds of the lines behind a line that go as a whole, from >= end when there are none.
func (t *Table) blockAfter(text string, from, to int, found Set) (bodyFrom, bodyTo int) {
	for i := range t.rules {
		if !found.has(i) || t.rules[i].Block == nil {
			continue
		}
		if f, t := t.rules[i].Block(text[from:], to-from); f < t {
			return from + f, from + t
		}
	}
	return 0, 0
}

func indentOf(s string) string { return s[:len(s)-len(strings.TrimLeft(s, " \t"))] }

func lineEndOf(s string) string {
	switch {
	case strings.HasSuffix(s, "\r\n"):
		return "\r\n"
	case strings.HasSuffix(s, "\n"):
		return "\n"
	}
	return ""
}

var (
	privateKeyHead  = Exact(`-{4,5}\s?BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?\s?-{4,5}`)
	privateKeyTail  = Exact(`-{4,5}\s?END `)
	certificateHead = Exact(`^\s*certificate\s+(?:[a-z][\w-]*\s+)*[0-9A-Fa-f]+\s*$`)
	certificateLine = Exact(`^[\s0-9A-Fa-f]*$`)
	keyHead         = Exact(`^\s*key-string\s*$`)
	keyLine         = Exact(`^\s*[A-Za-z0-9+/=][A-Za-z0-9+/= ]*\s*$`)
	blockTail       = Exact(`^\s*(?:quit|exit)\s*$`)
)

// privateKeyBody takes what stands between the two lines of a PEM private key; all the rest when the second is missing.
func privateKeyBody(text string, to int) (from, end int) {
	if !privateKeyHead.Get().MatchString(text[:to]) || privateKeyTail.Get().MatchString(text[:to]) {
		return 0, 0
	}
	return body(text, to, privateKeyTail, nil)
}

// certificateBody takes the lines of hexadecimal digits between "certificate …" and "quit".
func certificateBody(text string, to int) (from, end int) {
	if !certificateHead.Get().MatchString(text[:to]) {
		return 0, 0
	}
	return body(text, to, blockTail, certificateLine)
}

// keyBody takes the lines of a key between "key-string" and "quit" or "exit".
func keyBody(text string, to int) (from, end int) {
	if !keyHead.Get().MatchString(text[:to]) {
		return 0, 0
	}
	return body(text, to, blockTail, keyLine)
}

// body gives the bounds of the lines after text[:to] up to the one that tail matches, or that line, if given, does not.
func body(text string, to int, tail, line *Pattern) (from, end int) {
	if to >= len(text) {
		return 0, 0
	}
	from = to + 1
	for end = from; end < len(text); {
		next := len(text)
		if i := strings.IndexByte(text[end:], '\n'); i >= 0 {
			next = end + i + 1
		}
		l := strings.TrimRight(text[end:next], "\r\n")
		if tail.Get().MatchString(l) || line != nil && !line.Get().MatchString(l) && l != indentOf(l)+Removed {
			break
		}
		end = next
	}
	return from, end
}
