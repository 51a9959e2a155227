package analysis

import (
	"fmt"
	"strings"
)

// template is text with ${name} and ${name|what to say where it is empty}.
type template struct {
	parts []templatePart
}

type templatePart struct {
	text string // literal, or what an empty value becomes
	name string // "" for a literal
}

// parseTemplate checks every name against those that a rule can know.
func parseTemplate(s string, known map[string]bool) (*template, error) {
	if len(s) > maxExpression {
		return nil, fmt.Errorf("is longer than %d bytes", maxExpression)
	}
	t := &template{}
	for {
		before, rest, found := strings.Cut(s, "${")
		if before != "" {
			t.parts = append(t.parts, templatePart{text: before})
		}
		if !found {
			return t, nil
		}
		inner, after, closed := strings.Cut(rest, "}")
		if !closed {
			return nil, fmt.Errorf("${%s is not closed", inner)
		}
		name, fallback, _ := strings.Cut(inner, "|")
		if !known[name] {
			return nil, fmt.Errorf("${%s} is nothing this rule captures; it knows %s", name, knownNames(known))
		}
		t.parts = append(t.parts, templatePart{name: name, text: fallback})
		s = after
	}
}

func (t *template) fill(v *values, limit int) string {
	if t == nil || len(t.parts) == 0 {
		return ""
	}
	if len(t.parts) == 1 && t.parts[0].name == "" {
		return t.parts[0].text
	}
	var b strings.Builder
	for _, p := range t.parts {
		text := p.text
		if p.name != "" {
			if got := v.get(p.name); got != "" {
				text = got
			}
		}
		b.WriteString(text)
	}
	return clean(b.String(), limit)
}
