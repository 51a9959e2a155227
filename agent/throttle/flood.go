package throttle

import (
	"time"

	"callhome"
)

// bucket holds the times of the messages of a device within the last minute, oldest first.
type bucket struct {
	Sent []time.Time `json:"sent"`
}

// window counts the messages of one event type.
type window struct {
	Start time.Time `json:"start"`
	Count int       `json:"count"`
}

// flood says whether a rule about floods holds the message back, and counts it if none does.
func (l *Limiter) flood(now time.Time, f *Facts) callhome.Reason {
	w := l.window(now, f)
	if rules := l.rules(f); rules.PerType > 0 && w.Count >= rules.PerType {
		return callhome.ReasonDuplicate
	}
	if !l.rateAllows(now, f) {
		return callhome.ReasonRateLimited
	}
	w.Count++
	return ""
}

// window finds the running window of the message's event type; the first message of a new one starts it.
func (l *Limiter) window(now time.Time, f *Facts) *window {
	rules := l.rules(f)
	if rules.PerType == 0 {
		return &window{}
	}
	key := f.Device + "\x00" + f.kind()
	w, ok := l.windows.get(key)
	if !ok || now.Sub(w.Start) >= rules.Window || now.Before(w.Start) {
		w = &window{Start: now}
		l.windows.put(key, w)
	}
	return w
}

// rateAllows counts a message if the rate limit lets it pass.
func (l *Limiter) rateAllows(now time.Time, f *Facts) bool {
	if l.cfg.RateLimit == 0 {
		return true
	}
	key := f.bucket()
	b, ok := l.buckets.get(key)
	if !ok {
		b = &bucket{}
		l.buckets.put(key, b)
	}
	if n := len(b.Sent); n > 0 && now.Before(b.Sent[n-1]) {
		b.Sent = b.Sent[:0] // the clock was set back: what it said before does not count
	}
	old := 0
	for old < len(b.Sent) && now.Sub(b.Sent[old]) >= minute {
		old++
	}
	b.Sent = append(b.Sent[:0], b.Sent[old:]...)
	if len(b.Sent) >= l.cfg.RateLimit {
		return false
	}
	b.Sent = append(b.Sent, now)
	return true
}
