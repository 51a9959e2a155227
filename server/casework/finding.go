package casework

import (
	"maps"

	"callhome"
	"callhome/server/analysis"
)

// classLabel is the label under which routes find the class of a rule.
const classLabel = "class"

// CauseOf is a finding as a cause, with the message that it was made of: its ID, its number in the archive, its group.
func CauseOf(f *analysis.Finding, id callhome.MessageID, archive int64, group callhome.AlertGroup) Cause {
	c := Cause{
		MessageID: id, Archive: archive, Group: group, At: f.At,
		Rule: f.Rule, Pack: f.Pack, Version: f.Version, Outcome: f.Outcome, Level: f.Level, Title: f.Title, Diagnosis: f.Diagnosis,
		Recommendation: f.Recommendation, Component: f.Component, Key: f.Key, State: f.State, Clears: f.Clears, Team: f.Team,
		Labels: map[string]string{classLabel: string(f.Class)},
	}
	maps.Copy(c.Labels, f.Labels)
	for _, q := range f.Evidence {
		c.Evidence = append(c.Evidence, Evidence{Archive: archive, Attachment: q.Source, Quote: q.Text})
	}
	return c
}
