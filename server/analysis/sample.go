package analysis

import (
	"context"
	"fmt"
	"sort"
	"time"

	"callhome"
	"callhome/personality"
)

// Samples show what a rule holds for and what it does not. Every rule has at least one of each.
type Samples struct {
	Positive []Sample `yaml:"positive"`
	Negative []Sample `yaml:"negative"`
}

// Sample is enough of a message to judge a rule by, and what is expected of it. A plain word in place of it is its line.
type Sample struct {
	Line        string            `yaml:"line"` // the description
	Type        string            `yaml:"type"` // message type; empty: syslog
	Subtype     string            `yaml:"subtype"`
	Name        string            `yaml:"name"`
	Severity    *callhome.Level   `yaml:"severity"`
	Platform    string            `yaml:"platform"` // empty: the first the rule is for
	Model       string            `yaml:"model"`
	Version     string            `yaml:"version"`
	Attachments map[string]string `yaml:"attachments"` // command ▸ output
	History     int               `yaml:"history"`     // hits before this one
	Values      []float64         `yaml:"values"`      // numbers before this one
	Inventory   []InventoryChange `yaml:"inventory"`
	Config      []string          `yaml:"config"` // lines that begin with + or -
	Silence     *Silence          `yaml:"silence"`

	Captures  map[string]string `yaml:"captures"`  // expected, of the first finding
	Key       string            `yaml:"key"`       // expected
	Title     string            `yaml:"title"`     // expected
	Component string            `yaml:"component"` // expected
	Findings  int               `yaml:"findings"`  // expected number; 0: at least one
}

func (s *Sample) fromScalar(line string) { s.Line = line }

// sampleTime is when samples arrive; the same in every run.
var sampleTime = time.Date(2026, 3, 14, 9, 30, 0, 0, time.UTC)

func (s *Sample) subject(r *Rule) *Subject {
	out := &Subject{
		Personality: s.Platform, Model: s.Model, SWVersion: s.Version, Device: 1, ReceivedAt: sampleTime,
		InventoryChanges: s.Inventory, Silence: s.Silence,
	}
	if out.Personality == "" && len(r.Match.Platforms) > 0 {
		out.Personality = r.Match.Platforms[0]
	}
	if out.Personality == "" {
		out.Personality = string(personality.Generic)
	}
	for _, line := range s.Config {
		if line != "" {
			out.ConfigChanges = append(out.ConfigChanges, ConfigChange{Name: "running", Added: line[0] == '+', Line: line[1:]})
		}
	}
	if s.Silence != nil {
		return out
	}
	m := &callhome.Message{
		Type: s.Type, Subtype: s.Subtype, Name: s.Name, Severity: s.Severity, Description: s.Line, SystemName: "sample-1",
		Model: s.Model, SWVersion: s.Version,
	}
	if m.Type == "" {
		m.Type = string(callhome.GroupSyslog)
	}
	for name, text := range s.Attachments {
		m.Attachments = append(m.Attachments, callhome.Attachment{Name: name, Text: text})
	}
	sort.Slice(m.Attachments, func(i, j int) bool { return m.Attachments[i].Name < m.Attachments[j].Name })
	out.Message = m
	return out
}

// earlier is the history a sample states, whatever the key.
type earlier struct{ *Sample }

// Count is what the sample says.
func (e earlier) Count(context.Context, int64, string, time.Time, time.Time) (int, error) {
	return e.History, nil
}

// Series is what the sample says.
func (e earlier) Series(_ context.Context, _ int64, _ string, _, _ time.Time, limit int) ([]float64, error) {
	return append([]float64(nil), e.Values[max(0, len(e.Values)-limit):]...), nil
}

// SampleResult is what became of a rule's samples.
type SampleResult struct {
	Pack      string   `json:"pack"`
	Rule      string   `json:"rule"`
	Class     Class    `json:"class"`
	Platforms []string `json:"platforms"`
	Positive  int      `json:"positive"` // samples that were run
	Negative  int      `json:"negative"`
	Failures  []string `json:"failures,omitempty"`
}

// TestSamples runs the samples of every rule of an engine, in order. A rule without a positive or a negative sample fails.
func TestSamples(ctx context.Context, e *Engine) []SampleResult {
	out := make([]SampleResult, 0, len(e.rules))
	for _, c := range e.rules {
		r := SampleResult{
			Pack: c.pack.Name, Rule: c.ID, Class: c.Class, Platforms: c.Match.Platforms,
			Positive: len(c.Samples.Positive), Negative: len(c.Samples.Negative),
		}
		fail := func(kind string, i int, format string, args ...any) {
			path := fmt.Sprintf("%s.samples.%s[%d]", c.path, kind, i)
			r.Failures = append(r.Failures, c.pack.fault(path, format, args...).Error())
		}
		if r.Positive == 0 || r.Negative == 0 {
			r.Failures = append(r.Failures, c.pack.fault(c.path+".samples", "a rule needs at least one positive and one negative sample").Error())
		}
		for i := range c.Samples.Positive {
			e.runPositive(ctx, c, &c.Samples.Positive[i], func(format string, args ...any) { fail("positive", i, format, args...) })
		}
		for i := range c.Samples.Negative {
			found, err := e.runSample(ctx, c, &c.Samples.Negative[i])
			if err != nil {
				fail("negative", i, "%v", err)
			} else if len(found) > 0 {
				fail("negative", i, "the rule holds: %s", found[0].Title)
			}
		}
		out = append(out, r)
	}
	return out
}

// runSample evaluates with all rules, so that the way a rule is found is tested too, and gives the findings of one.
func (e *Engine) runSample(ctx context.Context, c *compiled, s *Sample) (found []Finding, err error) {
	result, err := e.Evaluate(ctx, s.subject(c.Rule), earlier{s})
	if err != nil {
		return nil, err
	}
	for _, f := range result.Faults {
		if f.Rule == c.ID {
			return nil, f.Err
		}
	}
	for _, f := range result.Findings {
		if f.Rule == c.ID {
			found = append(found, f)
		}
	}
	return found, nil
}

func (e *Engine) runPositive(ctx context.Context, c *compiled, s *Sample, fail func(string, ...any)) {
	found, err := e.runSample(ctx, c, s)
	switch {
	case err != nil:
		fail("%v", err)
		return
	case len(found) == 0:
		fail("the rule does not hold")
		return
	case s.Findings > 0 && len(found) != s.Findings:
		fail("%d findings, want %d", len(found), s.Findings)
	}
	f := found[0]
	for name, want := range s.Captures {
		if got := f.Captures[name]; got != want {
			fail("%s is %q, want %q", name, got, want)
		}
	}
	for _, x := range []struct{ what, got, want string }{{"key", f.Key, s.Key}, {"title", f.Title, s.Title}, {"component", f.Component, s.Component}} {
		if x.want != "" && x.got != x.want {
			fail("%s is %q, want %q", x.what, x.got, x.want)
		}
	}
}
