package redact

import (
	"strings"
	"testing"
)

// Expressions are compiled late, so a test has to see that they are any, and that the filter can find their lines.
func TestRulesAreSound(t *testing.T) {
	for _, r := range rules {
		if r.scope == 0 || len(r.literal) == 0 || (r.form == nil) == (r.block == nil) {
			t.Errorf("%s: scope, literals, and one of form and block are needed", r.name)
		}
		for _, l := range r.literal {
			if l == "" || l != strings.ToLower(l) || strings.Contains(l, "\n") {
				t.Errorf("%s: literal %q can never be found", r.name, l)
			}
		}
		if r.form != nil && r.form.get().NumSubexp() == 0 {
			t.Errorf("%s: nothing to take out", r.name)
		}
	}
	if n := len(rules); n > 128 {
		t.Errorf("%d rules do not fit the filter's sets", n)
	}
}

func TestFilterFindsEveryLiteral(t *testing.T) {
	for i, r := range rules {
		for _, l := range r.literal {
			text := "harmless\nx" + strings.ToUpper(l) + "y\nharmless"
			lines := 0
			ruleFilter().find(text, rulesOf(r.scope), func(from, to int, found set) {
				lines++
				if !found.has(i) || text[from:to] != "x"+strings.ToUpper(l)+"y" {
					t.Errorf("%s: %q is not found in %q", r.name, l, text[from:to])
				}
			})
			if lines != 1 {
				t.Errorf("%s: %q is found in %d lines", r.name, l, lines)
			}
		}
	}
}
