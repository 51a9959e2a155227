package analysis

import (
	"context"
	"math"
	"slices"
	"time"
)

// historyHolds records that the rule hit, and says whether it hit often enough, or its number rose enough.
func (ev *evaluation) historyHolds(c *compiled, key string) bool {
	switch {
	case c.Match.History != nil:
		return ev.counts(c, key)
	case c.Match.Trend != nil:
		return ev.rises(c, key)
	}
	return true
}

// observe records a hit once for each key of a message and reports whether it is the first.
func (ev *evaluation) observe(key string, within time.Duration, value float64) bool {
	if slices.ContainsFunc(ev.result.Observations, func(o Observation) bool { return o.Key == key }) {
		return false
	}
	ev.result.Observations = append(ev.result.Observations, Observation{Key: key, At: ev.f.at, Value: value, Keep: ev.f.at.Add(within)})
	return true
}

func observationKey(c *compiled, key string) string { return c.ID + " " + key }

func (ev *evaluation) counts(c *compiled, key string) bool {
	h, id := c.Match.History, observationKey(c, key)
	ev.v.count = 1
	if ev.history != nil {
		n, err := ev.history.Count(ev.ctx, ev.f.s.Device, id, ev.f.at.Add(-h.Within), ev.f.at)
		if err != nil {
			ev.err = err
			return false
		}
		ev.v.count += n
	}
	return ev.observe(id, h.Within, 0) && ev.v.count >= h.Count
}

func (ev *evaluation) rises(c *compiled, key string) bool {
	t, id := c.Match.Trend, observationKey(c, key)
	value := number(ev.v.get(t.Of))
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return false
	}
	var series []float64
	if ev.history != nil {
		var err error
		if series, err = ev.history.Series(ev.ctx, ev.f.s.Device, id, ev.f.at.Add(-t.Within), ev.f.at, maxSeries); err != nil {
			ev.err = err
			return false
		}
	}
	if !ev.observe(id, t.Within, value) {
		return false
	}
	series = append(series, value)
	ev.v.count = len(series)
	ev.v.rise = math.Round((value-series[0])*100) / 100
	return len(series) >= t.Samples && rising(series, t.Rise)
}

// rising compares the halves, so that a single high or low sample decides nothing.
func rising(series []float64, rise float64) bool {
	sign := 1.0
	if rise < 0 {
		sign = -1
	}
	half := len(series) / 2
	older, newer := math.Inf(-1), math.Inf(1)
	for i, v := range series {
		if i < half {
			older = max(older, sign*v)
		} else {
			newer = min(newer, sign*v)
		}
	}
	return newer > older && sign*(series[len(series)-1]-series[0]) >= sign*rise
}

// Memory is a History in memory: for samples, and for hunts, which see the archive from its beginning. It is not safe for
// several goroutines.
type Memory struct {
	seen map[memoryKey][]remembered
}

type memoryKey struct {
	device int64
	key    string
}

type remembered struct {
	at    time.Time // of the event
	added time.Time // when its message was received
	value float64
}

// maxRemembered bounds the observations of one key: no rule counts further.
const maxRemembered = maxHistoryCount

// Add stores what an evaluation of a device's message, received at added, gave.
func (m *Memory) Add(device int64, added time.Time, observations ...Observation) {
	if m.seen == nil {
		m.seen = map[memoryKey][]remembered{}
	}
	for _, o := range observations {
		k := memoryKey{device, o.Key}
		kept := m.seen[k]
		if len(kept) >= maxRemembered {
			kept = kept[1:]
		}
		m.seen[k] = append(kept, remembered{o.At, added, o.Value})
	}
}

// Count is what History promises.
func (m *Memory) Count(_ context.Context, device int64, key string, from, until time.Time) (n int, _ error) {
	for _, r := range m.seen[memoryKey{device, key}] {
		if !r.at.Before(from) && !r.at.After(until) {
			n++
		}
	}
	return n, nil
}

// Series is what History promises; observations were added in the order of their messages.
func (m *Memory) Series(_ context.Context, device int64, key string, from, until time.Time, limit int) (out []float64, _ error) {
	for _, r := range m.seen[memoryKey{device, key}] {
		if !r.at.Before(from) && !r.at.After(until) {
			out = append(out, r.value)
		}
	}
	return out[max(0, len(out)-limit):], nil
}

// Forget drops what was received before.
func (m *Memory) Forget(before time.Time) {
	for k, kept := range m.seen {
		kept = slices.DeleteFunc(kept, func(r remembered) bool { return r.added.Before(before) })
		if len(kept) == 0 {
			delete(m.seen, k)
			continue
		}
		m.seen[k] = kept
	}
}
