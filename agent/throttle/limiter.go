package throttle

import (
	"slices"
	"time"

	"callhome"
	"callhome/personality"
)

// Limits of the memory. A trouble takes some three hundred bytes: full, the limiter holds about ten megabytes.
const (
	maxTroubles  = 20000 // troubles remembered
	maxBuckets   = 5000  // devices whose rate is counted
	maxWindows   = 5000  // event types whose window is counted
	maxHeld      = 1000  // devices with something held back
	maxItems     = 50    // objects a digest names
	maxTexts     = 8     // texts of one trouble without an object
	maxFlapCount = 100
)

// relayed is the time in which the same line comes by two relays.
const relayed = time.Minute

// minute is the window of the rate limit, and the pause between digests of one device.
const minute = time.Minute

// Limiter remembers what was told. It is not safe for use by several goroutines: the owner guards it.
type Limiter struct {
	cfg      Config
	troubles *lru[*trouble]
	buckets  *lru[*bucket]
	windows  *lru[*window]
	held     *lru[*held]
	flapping map[string]bool // keys of troubles that flap
	places   map[place]struct{}
	raised   map[string]struct{} // devices that had trouble which ends; forgotten with places
}

// New makes a limiter that has heard of nothing.
func New(cfg Config) *Limiter {
	l := &Limiter{
		troubles: newLRU[*trouble](maxTroubles), buckets: newLRU[*bucket](maxBuckets), windows: newLRU[*window](maxWindows),
		held: newLRU[*held](maxHeld), flapping: map[string]bool{}, places: map[place]struct{}{},
		raised: map[string]struct{}{},
	}
	l.Configure(cfg)
	return l
}

// Configure changes the rules and keeps the memory.
func (l *Limiter) Configure(cfg Config) {
	if cfg.Personality == nil {
		cfg.Personality, _ = personality.ByName(string(personality.Generic))
	}
	l.cfg = cfg
}

// trouble is what is known of one object's trouble, or of one event that may repeat.
type trouble struct {
	Device  string                 `json:"device,omitempty"`
	Type    string                 `json:"type,omitempty"`
	Object  string                 `json:"object,omitempty"`
	Group   callhome.AlertGroup    `json:"alert_group,omitempty"`
	Level   callhome.Level         `json:"level,omitempty"`
	State   callhome.EventState    `json:"state"`
	Changed time.Time              `json:"changed"`           // when State was last heard to change
	Told    time.Time              `json:"told,omitzero"`     // when this state was last told; zero: it was not
	Starts  []time.Time            `json:"starts,omitempty"`  // beginnings within the flap window, oldest first
	Flaps   bool                   `json:"flaps,omitempty"`   // flapping, told as such
	Cycles  int                    `json:"cycles,omitempty"`  // beginnings held back for flapping
	To      []callhome.ProfileName `json:"to,omitempty"`      // who was told of the beginning
	Limited bool                   `json:"limited,omitempty"` // the beginning was held back for a flood
	Texts   []uint64               `json:"texts,omitempty"`   // hashes of the texts told, where no object tells them apart
}

// Allow decides on an alert and remembers the outcome. The reason is sent, or flapping with true for the one message
// that tells of flapping, or why the alert is held back.
func (l *Limiter) Allow(now time.Time, f Facts) (callhome.Reason, bool) {
	if f.bypass() {
		return callhome.ReasonSent, true
	}
	if !l.cfg.Duplicates || !f.repeats() {
		if !l.rateAllows(now, &f) {
			return l.holdBack(now, &f, callhome.ReasonRateLimited), false
		}
		return callhome.ReasonSent, true
	}
	key := f.key()
	t, known := l.troubles.get(key)
	if !known {
		t = &trouble{Device: f.Device, Type: f.kind(), Object: f.Object}
	}
	t.Group, t.Level = f.Group, f.Level
	reason, ok := l.judge(now, key, t, &f)
	if !known {
		l.note(t)
	} else if t.State == callhome.StateRaise {
		l.raised[t.Device] = struct{}{}
	}
	if old, gone := l.troubles.put(key, t); gone {
		delete(l.flapping, old)
	}
	return reason, ok
}

// place is a device and an event type there.
type place struct{ device, kind string }

// note remembers that a device has had trouble of a type. Places are not forgotten one by one; when there are far more
// than troubles they are counted anew.
func (l *Limiter) note(t *trouble) {
	if len(l.places) >= 2*maxTroubles {
		clear(l.places)
		clear(l.raised)
		for _, k := range l.troubles.keys() {
			old, _ := l.troubles.peek(k)
			l.place(old)
		}
	}
	l.place(t)
}

func (l *Limiter) place(t *trouble) {
	l.places[place{t.Device, t.Type}] = struct{}{}
	if t.State == callhome.StateRaise {
		l.raised[t.Device] = struct{}{}
	}
}

// Calm reports whether no end of anything on a device could end something that was told; with an empty name, of any
// device.
func (l *Limiter) Calm(device string) bool {
	if device == "" {
		return len(l.raised) == 0
	}
	_, raised := l.raised[device]
	return !raised
}

// MayEnd reports whether an end of this type on this device could end something that was told. It allocates nothing, and
// answers for lines of which most end nothing that anybody was told of; see Told for the whole answer.
func (l *Limiter) MayEnd(device, kind string) bool {
	_, noted := l.places[place{device, kind}]
	return noted
}

// judge applies the rules of trouble, then those of floods.
func (l *Limiter) judge(now time.Time, key string, t *trouble, f *Facts) (callhome.Reason, bool) {
	state := f.State
	if state == "" {
		state = callhome.StateNone
	}
	changed := t.State != state
	if changed && state == callhome.StateRaise {
		l.begin(now, t)
	}
	if t.Flaps {
		if changed {
			t.State, t.Changed = state, now
			t.Cycles++
		}
		return callhome.ReasonFlapping, false
	}
	if !changed && !t.Told.IsZero() && since(now, t.Told) < l.repeat(f) && !t.another(f) {
		return callhome.ReasonDuplicate, false
	}
	if changed {
		t.State, t.Changed, t.Told = state, now, time.Time{}
	}
	if state == callhome.StateClear && t.Limited {
		t.Limited, t.Told = false, now // the digest tells of it
		return l.holdBack(now, f, callhome.ReasonRateLimited), false
	}
	starts := l.cfg.FlapCount > 0 && changed && state == callhome.StateRaise && len(t.Starts) >= l.cfg.FlapCount
	if reason := l.flood(now, f); reason != "" {
		t.Limited = t.Limited || state == callhome.StateRaise && t.Told.IsZero()
		return l.holdBack(now, f, reason), false
	}
	t.remember(now, changed || since(now, t.Told) >= l.repeat(f), f)
	if state == callhome.StateRaise {
		t.To = slices.Clone(f.Profiles)
	}
	if starts {
		t.Flaps, t.Cycles = true, len(t.Starts)
		l.flapping[key] = true
		return callhome.ReasonFlapping, true
	}
	return callhome.ReasonSent, true
}

// another reports whether trouble without an object is told of in words not told yet: it may be another fan. Beyond
// maxTexts different texts it is taken for a number that changes.
func (t *trouble) another(f *Facts) bool {
	return f.Object == "" && f.State != callhome.StateClear && len(t.Texts) > 0 && len(t.Texts) < maxTexts && !slices.Contains(t.Texts, f.hash())
}

// remember notes that the message was told; anew forgets the texts that were told before.
func (t *trouble) remember(now time.Time, anew bool, f *Facts) {
	if anew {
		t.Texts = t.Texts[:0]
	}
	if f.Object == "" && f.State == callhome.StateRaise {
		t.Texts = append(t.Texts, f.hash())
	}
	t.Told, t.Limited = now, false
}

// begin notes a beginning, and forgets those before the flap window.
func (l *Limiter) begin(now time.Time, t *trouble) {
	if l.cfg.FlapCount == 0 {
		t.Starts = nil
		return
	}
	t.Starts = append(t.Starts, now)
	old := 0
	for old < len(t.Starts) && (since(now, t.Starts[old]) >= l.cfg.FlapWindow || len(t.Starts)-old > l.cfg.FlapCount) {
		old++
	}
	t.Starts = slices.Delete(t.Starts, 0, old)
}

// repeat is how long the same is a repeat.
func (l *Limiter) repeat(f *Facts) time.Duration {
	if f.momentary() {
		return relayed
	}
	return l.rules(f).Repeat
}

func (l *Limiter) rules(f *Facts) *personality.Throttle {
	if f.Personality != nil {
		return &f.Personality.Throttle
	}
	return &l.cfg.Personality.Throttle
}

// since is how long ago t was; a clock that was set back makes it no longer ago than now.
func since(now, t time.Time) time.Duration { return max(0, now.Sub(t)) }

// Retract takes back that a message was told which Allow let pass: it was not stored, so the next of its kind is no
// repeat. Telling twice is better than never.
func (l *Limiter) Retract(f Facts) {
	key := f.key()
	t, ok := l.troubles.peek(key)
	if !ok {
		return
	}
	t.Told = time.Time{}
	if t.Flaps {
		t.Flaps, t.Cycles = false, 0
		delete(l.flapping, key)
	}
}

// Hear notes a beginning or an end that nobody is told of for reasons that are not the limiter's, such as maintenance:
// what begins or ends anew later is no repeat of what was told before.
func (l *Limiter) Hear(now time.Time, f Facts) {
	t, ok := l.troubles.peek(f.key())
	if !ok || f.State == t.State || f.State != callhome.StateRaise && f.State != callhome.StateClear {
		return
	}
	t.State, t.Changed, t.Told, t.Limited, t.To = f.State, now, time.Time{}, false, nil
}

// Told are the profiles that were told of the beginning of the trouble which f is about; nil when it is not known, or
// was not told. The end is for them whatever their thresholds and patterns say of its own line.
func (l *Limiter) Told(f Facts) []callhome.ProfileName {
	if f.State != callhome.StateClear {
		return nil
	}
	t, ok := l.troubles.peek(f.key())
	if !ok || t.State != callhome.StateRaise || t.Limited {
		return nil
	}
	return t.To
}
