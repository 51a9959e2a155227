package redact

import (
	"strings"
	"testing"
)

// Expressions are compiled late, so a test has to see that they are any, and that the filter can find their lines.
func TestRulesAreSound(t *testing.T) {
	for _, r := range table.Rules() {
		if r.Scope == 0 || len(r.Literal) == 0 || (r.Form == nil) == (r.Block == nil) {
			t.Errorf("%s: scope, literals, and one of form and block are needed", r.Name)
		}
		for _, l := range r.Literal {
			if l == "" || l != strings.ToLower(l) || strings.Contains(l, "\n") {
				t.Errorf("%s: literal %q can never be found", r.Name, l)
			}
		}
		if r.Form != nil && r.Form.Get().NumSubexp() == 0 {
			t.Errorf("%s: nothing to take out", r.Name)
		}
	}
	if n := len(table.Rules()); n > 128 {
		t.Errorf("%d rules do not fit the filter's sets", n)
	}
}
