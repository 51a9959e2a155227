package analysis

import (
	"context"
	"strings"
	"time"
	"unicode"

	"callhome"
)

// Finding is what a rule found in a message.
type Finding struct {
	Rule    string  `json:"rule"`
	Pack    string  `json:"pack"`
	Version string  `json:"version"` // of the pack
	Class   Class   `json:"class"`
	Outcome Outcome `json:"outcome"`
	// Lowered is set where the rule asked for a service request that messages of this group never open.
	Lowered bool           `json:"lowered,omitempty"`
	Level   callhome.Level `json:"level"`

	Title          string `json:"title"`
	Diagnosis      string `json:"diagnosis"`
	Recommendation string `json:"recommendation,omitempty"`
	Component      string `json:"component,omitempty"`
	Key            string `json:"key"` // with device and rule it names the trouble; may be empty

	State  callhome.EventState `json:"state"`
	Clears []string            `json:"clears,omitempty"` // rules whose findings of the same device and key have ended

	At         time.Time         `json:"at"` // of the event, as far as it can be believed
	Evidence   []Quote           `json:"evidence,omitempty"`
	Team       string            `json:"team,omitempty"`
	Labels     map[string]string `json:"labels,omitempty"`
	References []string          `json:"references,omitempty"`

	Captures map[string]string `json:"captures,omitempty"` // what the rule's templates were filled with
}

// Quote is a line that a finding rests on. Secrets in it are masked.
type Quote struct {
	Source string `json:"source"`         // description, the name of a command, inventory, configuration, history, schedule
	Line   int    `json:"line,omitempty"` // from 1, in a command's output
	Text   string `json:"text"`
}

// Observation is one hit of a rule that counts. The caller stores it in the transaction of its message.
type Observation struct {
	Key   string    // rule and what it is about
	At    time.Time // of the event
	Value float64   // the number of a trend, else 0
	Keep  time.Time // it need not be kept longer
}

// Fault is what went wrong with one rule at run time; the other rules were evaluated all the same.
type Fault struct {
	Rule string
	Err  error
}

// Result is what an evaluation gave.
type Result struct {
	Findings     []Finding
	Observations []Observation
	Faults       []Fault
	Cut          int // findings that were left out because one rule found more than it may
}

// History is what a device's earlier messages added up to.
//
// Count says how many observations of key a device has with from <= At <= until. Series gives the values of the latest
// limit of them, the oldest first. Observations of the message that is being evaluated are not yet among them. An error
// ends the evaluation: the message will be tried again.
type History interface {
	Count(ctx context.Context, device int64, key string, from, until time.Time) (int, error)
	Series(ctx context.Context, device int64, key string, from, until time.Time, limit int) ([]float64, error)
}

// Bounds of what a finding carries: enough for a mail, little enough for a table of millions.
const (
	maxFindings  = 64   // of one rule in one message: a switch has 48 ports
	maxQuotes    = 8    // of one finding
	maxQuote     = 400  // bytes of a quote
	maxTitle     = 200  // bytes of a title, component or key
	maxWords     = 4000 // bytes of a diagnosis or recommendation
	maxCaptured  = 300  // bytes of one captured value
	maxSeries    = 500  // values of a trend
	maxKeyLength = 250
)

// clean makes text of a device fit for a person's eyes: one line, printable, not longer than n bytes.
func clean(s string, n int) string {
	if len(s) > 4*n {
		s = s[:4*n]
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	plain := true
	for _, r := range s {
		if r < ' ' || r == 0x7f || r > 0x7f && !unicode.IsPrint(r) {
			plain = false
			break
		}
	}
	if !plain {
		s = strings.Map(func(r rune) rune {
			switch {
			case unicode.IsPrint(r):
				return r
			case unicode.IsSpace(r):
				return ' '
			}
			return '\uFFFD'
		}, s)
	}
	s = strings.TrimSpace(s)
	if len(s) <= n {
		return s
	}
	cut := n - len("…")
	for cut > 0 && s[cut]&0xC0 == 0x80 {
		cut--
	}
	return s[:cut] + "…"
}
