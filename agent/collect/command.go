package collect

import (
	"regexp"
	"slices"
	"strings"

	"callhome"
)

// Scope says where a command of a device with several contexts runs.
type Scope string

// The two scopes.
const (
	ScopeSystem  Scope = ""        // once, in the system execution space
	ScopeContext Scope = "context" // once in every context
)

// Command is one command of an alert group, before placeholders are filled in.
type Command struct {
	Text  string // such as "show diagnostic result module {module} detail"
	Scope Scope
}

// Commands wraps texts as commands of the system scope.
func Commands(texts ...string) []Command {
	out := make([]Command, len(texts))
	for i, t := range texts {
		out[i] = Command{Text: t}
	}
	return out
}

// Union joins command lists in order, each command once: what several profiles want, collected one time.
func Union(lists ...[]Command) []Command {
	var out []Command
	for _, list := range lists {
		for _, c := range list {
			c.Text = normalize(c.Text)
			if !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
	}
	return out
}

var placeholder = regexp.MustCompile(`\{[a-z_]+\}`)

// paramValue is what may stand for a placeholder. The values come from log lines, so a stranger chooses them: one word
// without blanks, bars or separators, which can only name a module, a slot, an interface or an address.
var paramValue = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9/._:-]{0,63}$`)

// Expand fills in placeholders such as {module} and {interface}. It refuses a missing value, and a value that is no
// plain name.
func Expand(text string, params map[string]string) (string, error) {
	var fault error
	out := placeholder.ReplaceAllStringFunc(text, func(p string) string {
		name := strings.Trim(p, "{}")
		v, ok := params[name]
		switch {
		case !ok || v == "":
			fault = callhome.Errorf(callhome.KindNotFound, "the alert names no %s", name)
		case !paramValue.MatchString(v):
			fault = callhome.Errorf(callhome.KindDenied, "the alert's %s %q is not a plain name", name, v)
		}
		return v
	})
	if fault != nil {
		return text, fault
	}
	return out, nil
}
