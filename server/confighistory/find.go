package confighistory

import (
	"regexp"
	"strings"

	"callhome"
)

// Kind says which configuration of a device a text is. Texts of different kinds are never compared with each other, but
// by Drift.
type Kind string

// The kinds.
const (
	Running    Kind = "running"
	RunningAll Kind = "running-all" // with defaults
	RunningSet Kind = "running-set" // Junos in set commands
	Startup    Kind = "startup"
)

// Found is a whole configuration within a message. Text aliases the attachment.
type Found struct {
	Kind    Kind
	Command string
	Text    string
}

// commands are those whose output is a whole configuration, by the command in lower case with single blanks. Others, such
// as "show running-config | include x", show parts.
var commands = []struct {
	form *regexp.Regexp
	kind Kind
}{
	{regexp.MustCompile(`^(?:show|sh) run(?:ning(?:-config(?:uration)?)?)? all$`), RunningAll},
	{regexp.MustCompile(`^(?:show|sh) run(?:ning(?:-config(?:uration)?)?)?(?: view full| full| sanitized)?$`), Running},
	{regexp.MustCompile(`^more system:running-config$|^write term(?:inal)?$|^wr t$`), Running},
	{regexp.MustCompile(`^(?:show|sh) start(?:up(?:-config(?:uration)?)?)?$|^more nvram:/?startup-config$|^more system:startup-config$`), Startup},
	{regexp.MustCompile(`^show configuration \| display set(?: \| no-more)?$`), RunningSet},
	{regexp.MustCompile(`^show config(?:uration)?(?: running(?:-config)?)?(?: \| (?:no-more|display omit|except secret-data))?$`), Running},
}

// Bounds on what is taken for a configuration.
const (
	// MaxText is the longest configuration that is kept: the largest known are some MiB.
	MaxText = 8 << 20
	// minLines keep out answers such as "% Invalid input".
	minLines   = 3
	maxCommand = 80
)

// cutMarks at the end of a text tell that it is not whole.
var cutMarks = []string{"[truncated", "output truncated", "--more--", "... truncated"}

// Find gives the whole configurations of a message, at most one of each kind. partial names commands whose output is
// cut, too long or no configuration: those are not kept, because what is missing would seem to be removed.
func Find(m *callhome.Message) (found []Found, partial []string) {
	for i := range m.Attachments {
		a := &m.Attachments[i]
		if len(a.Name) > maxCommand {
			continue
		}
		kind, ok := kindOf(a.Name)
		if !ok || has(found, kind) {
			continue
		}
		if !whole(a.Text) {
			partial = append(partial, a.Name)
			continue
		}
		found = append(found, Found{Kind: kind, Command: a.Name, Text: a.Text})
	}
	return found, partial
}

func kindOf(name string) (Kind, bool) {
	if !strings.ContainsAny(name, "rR") { // none of the commands is without
		return "", false
	}
	command := strings.TrimPrefix(strings.Join(strings.Fields(strings.ToLower(name)), " "), "admin ")
	for _, c := range commands {
		if c.form.MatchString(command) {
			return c.kind, true
		}
	}
	return "", false
}

func has(found []Found, kind Kind) bool {
	for _, f := range found {
		if f.Kind == kind {
			return true
		}
	}
	return false
}

func whole(text string) bool {
	if len(text) > MaxText || strings.Count(text, "\n") < minLines {
		return false
	}
	tail := strings.ToLower(text[max(0, len(text)-200):])
	for _, mark := range cutMarks {
		if strings.Contains(tail, mark) {
			return false
		}
	}
	return true
}
