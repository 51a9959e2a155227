package redact

import (
	"slices"
	"strings"

	"callhome"
	"callhome/secrets"
)

// removed stands where something was taken out.
const removed = secrets.Removed

// Apply returns m as it may leave under p; m itself stays as it is, parts that need no change are shared with it. What
// was applied once may be applied again: pseudonyms and what was removed stay as they are.
func Apply(p Policy, m *callhome.Message) (*callhome.Message, error) {
	if err := p.validate(); err != nil {
		return nil, err
	}
	w := newWorker(p, m)
	out := *m
	out.Description, out.Fault = w.text(m.Description), w.text(m.Fault)
	out.SysDescr = w.text(m.SysDescr)
	out.Attachments = slices.Clone(m.Attachments)
	for i := range out.Attachments {
		a := &out.Attachments[i]
		a.Text = w.output(a.Name, a.Text)
		a.Name = w.text(a.Name)
	}
	out.Pairs = w.tags(m.Pairs)
	out.Additional = w.tags(m.Additional)
	out.Processes = slices.Clone(m.Processes)
	for i := range out.Processes {
		pr := &out.Processes[i]
		pr.Name, pr.State, pr.Exception = w.text(pr.Name), w.text(pr.State), w.text(pr.Exception)
	}
	out.Unknown = slices.Clone(m.Unknown)
	for i := range out.Unknown {
		out.Unknown[i].Value = w.text(out.Unknown[i].Value)
	}
	if p.Anonymous {
		w.strip(&out)
	}
	return &out, nil
}

// Text is s as it may leave under p, which must not be anonymous: that needs to know whose message it is.
func Text(c Config, s string) string {
	return newWorker(Policy{Config: c}, &callhome.Message{}).text(s)
}

// tags cleans the values of pairs. The name counts: of "password" and its value only the two together tell.
func (w *worker) tags(list []callhome.Tag) []callhome.Tag {
	out := slices.Clone(list)
	for i, t := range out {
		joined := t.Key + "=" + t.Value
		clean := w.text(joined)
		if clean == joined {
			continue
		}
		value, ok := strings.CutPrefix(clean, t.Key+"=")
		if !ok {
			value = removed
		}
		out[i].Value = value
	}
	return out
}
