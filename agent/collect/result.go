package collect

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"callhome"
)

// Result is what became of one command.
type Result struct {
	Command  Command // as asked for
	Text     string  // as run: placeholders filled in
	Context  string  // "" in the system space
	Start    time.Time
	Duration time.Duration
	Output   *Output // nil when the command never reached the device
	Err      error
	settled  bool
}

// Attachment is the result as part of a message. The text of a command that failed holds what it printed and a line in
// brackets which says why there is no more.
func (r *Result) Attachment() callhome.Attachment { return r.attachment(r.Err) }

// attachment is Attachment with another reason for the command's failure.
func (r *Result) attachment(why error) callhome.Attachment {
	name := r.Text
	if r.Context != "" {
		name += " (context " + r.Context + ")"
	}
	var text string
	if r.Output != nil {
		text = r.Output.String()
	}
	if r.Err != nil && !errors.Is(r.Err, ErrRejected) {
		text = strings.TrimRight(text, "\n")
		if text != "" {
			text += "\n"
		}
		verb := "not run"
		if r.Output != nil {
			verb = "failed"
		}
		text += fmt.Sprintf("[command %s: %v]", verb, why)
	}
	return callhome.Attachment{Name: name, Text: text}
}

// Collection is the outcome of one Job; any number of profiles may draw on it.
type Collection struct {
	Results []Result
}

// Attachments are those of the given commands, in the order in which they ran; all when commands is nil. What kept
// several of them from running is told in full once, at the first.
func (c Collection) Attachments(commands []Command) []callhome.Attachment {
	wanted := Union(commands)
	out := make([]callhome.Attachment, 0, len(c.Results))
	told := false
	for i := range c.Results {
		r := &c.Results[i]
		asked := Command{Text: normalize(r.Command.Text), Scope: r.Command.Scope}
		if commands == nil || slices.Contains(wanted, asked) {
			why := r.Err
			var shared *notRun
			if errors.As(r.Err, &shared) {
				if told {
					why = errors.New(shared.brief)
				}
				told = true // a collection gives up once
			}
			out = append(out, r.attachment(why))
		}
	}
	return out
}

// Failed counts the commands that gave no full answer.
func (c Collection) Failed() int {
	n := 0
	for i := range c.Results {
		if c.Results[i].Err != nil {
			n++
		}
	}
	return n
}
