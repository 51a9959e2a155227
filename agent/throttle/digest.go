package throttle

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"callhome"
)

// Digest tells what was held back for one device, or how flapping ended.
type Digest struct {
	Device   string
	Settled  bool // flapping ended; else messages were held back for a flood
	From, To time.Time
	Count    int            // messages held back
	Level    callhome.Level // the worst of them
	State    callhome.EventState
	Items    []Item                 // by count, at most fifty
	More     int                    // messages that no item names
	Profiles []callhome.ProfileName // who would have had them
}

// Item is what was held back of one type about one object. State is the last that was heard.
type Item struct {
	Group  callhome.AlertGroup `json:"alert_group"`
	Type   string              `json:"type,omitempty"`
	Object string              `json:"object,omitempty"`
	State  callhome.EventState `json:"state"`
	Reason callhome.Reason     `json:"reason"`
	Count  int                 `json:"count"`
	Text   string              `json:"text,omitempty"` // of the last
}

// held gathers what is held back for one device until the next digest.
type held struct {
	Device   string                 `json:"device"`
	From     time.Time              `json:"from"`
	To       time.Time              `json:"to"`
	Count    int                    `json:"count"`
	Level    callhome.Level         `json:"level"`
	Items    []Item                 `json:"items"`
	More     int                    `json:"more"`
	Profiles []callhome.ProfileName `json:"profiles"`
}

// maxText bounds the text an item quotes, in bytes.
const maxText = 200

// holdBack files a message for the next digest and returns the reason.
func (l *Limiter) holdBack(now time.Time, f *Facts, reason callhome.Reason) callhome.Reason {
	h, ok := l.held.get(f.bucket())
	if !ok {
		h = &held{Device: f.Device, From: now}
		if f.Stranger {
			h.Device = ""
		}
		l.held.put(f.bucket(), h)
	}
	h.To = now
	h.Count++
	h.Level = max(h.Level, f.Level)
	for _, p := range f.Profiles {
		if !slices.Contains(h.Profiles, p) {
			h.Profiles = append(h.Profiles, p)
		}
	}
	h.file(f, reason)
	return reason
}

func (h *held) file(f *Facts, reason callhome.Reason) {
	text := strings.ToValidUTF8(f.Text[:min(len(f.Text), maxText)], "")
	for i := range h.Items {
		it := &h.Items[i]
		if it.Group == f.Group && it.Type == f.kind() && it.Object == f.Object && it.Reason == reason {
			it.Count++
			it.State, it.Text = f.State, text
			return
		}
	}
	if len(h.Items) == maxItems {
		h.More++
		return
	}
	h.Items = append(h.Items, Item{Group: f.Group, Type: f.kind(), Object: f.Object, State: f.State, Reason: reason, Count: 1, Text: text})
}

// Digests are due now: one for each device from which messages were held back a minute ago or longer, and one for each
// trouble that stopped flapping. Each is returned once.
func (l *Limiter) Digests(now time.Time) []Digest {
	var out []Digest
	for _, key := range l.held.keys() {
		h, _ := l.held.peek(key)
		if d := now.Sub(h.From); d >= 0 && d < minute {
			continue
		}
		l.held.remove(key)
		items := slices.Clone(h.Items)
		slices.SortStableFunc(items, func(a, b Item) int { return b.Count - a.Count })
		out = append(out, Digest{
			Device: h.Device, From: h.From, To: h.To, Count: h.Count, Level: h.Level, State: callhome.StateNone,
			Items: items, More: h.More, Profiles: h.Profiles,
		})
	}
	return append(out, l.settled(now)...)
}

// settled ends flapping that came to rest. The state in which it rests counts as told.
func (l *Limiter) settled(now time.Time) []Digest {
	var out []Digest
	for key := range l.flapping {
		t, ok := l.troubles.peek(key)
		if !ok {
			delete(l.flapping, key)
			continue
		}
		if d := now.Sub(t.Changed); d >= 0 && d < l.cfg.FlapQuiet {
			continue
		}
		delete(l.flapping, key)
		out = append(out, Digest{
			Device: t.Device, Settled: true, From: t.Starts[0], To: t.Changed, Count: t.Cycles, Level: t.Level, State: t.State,
			Items:    []Item{{Group: t.Group, Type: t.Type, Object: t.Object, State: t.State, Reason: callhome.ReasonFlapping, Count: t.Cycles}},
			Profiles: t.To,
		})
		t.Flaps, t.Cycles, t.Starts, t.Told = false, 0, nil, now
	}
	slices.SortFunc(out, func(a, b Digest) int {
		return cmp.Or(strings.Compare(a.Device, b.Device), strings.Compare(a.Items[0].Type, b.Items[0].Type), strings.Compare(a.Items[0].Object, b.Items[0].Object))
	})
	return out
}

// Summary is one line that says what the digest is about.
func (d *Digest) Summary() string {
	if d.Settled {
		return fmt.Sprintf("%s has settled after %d changes: %s", strings.TrimSpace(d.Items[0].Type+" "+d.Items[0].Object), d.Count, rest(d.State))
	}
	return fmt.Sprintf("%d messages were held back between %s and %s", d.Count, d.From.UTC().Format(time.TimeOnly), d.To.UTC().Format("15:04:05 MST"))
}

func rest(s callhome.EventState) string {
	if s == callhome.StateClear {
		return "the trouble is over"
	}
	return "the trouble lasts"
}

// Lines are the items, one a line, for the body of the message.
func (d *Digest) Lines() []string {
	out := make([]string, 0, len(d.Items)+1)
	for i := range d.Items {
		it := &d.Items[i]
		out = append(out, fmt.Sprintf("%6d  %s  %s  %s  %s  %s", it.Count, it.Reason, it.Group, it.State, strings.TrimSpace(it.Type+" "+it.Object), it.Text))
	}
	if d.More > 0 {
		out = append(out, fmt.Sprintf("%6d  more", d.More))
	}
	return out
}
