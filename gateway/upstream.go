package gateway

import (
	"slices"
	"sync"
	"time"
)

const (
	// restMin and restMax bound how long an upstream that failed is left alone while another takes the messages. It
	// doubles with each failure.
	restMin = 5 * time.Second
	restMax = 5 * time.Minute
)

// BreakerState tells whether an upstream is used.
type BreakerState string

// The states.
const (
	BreakerClosed   BreakerState = "closed"    // used
	BreakerOpen     BreakerState = "open"      // failed, left alone for a while
	BreakerHalfOpen BreakerState = "half-open" // one message tries it
)

// UpstreamState is what is known of one upstream.
type UpstreamState struct {
	URL         string       `json:"url"`
	Priority    int          `json:"priority"`
	Breaker     BreakerState `json:"breaker"`
	Failures    int          `json:"failures,omitempty"` // in a row
	RestUntil   time.Time    `json:"rest_until,omitzero"`
	Sent        int64        `json:"sent"`
	Failed      int64        `json:"failed"`
	LastSuccess time.Time    `json:"last_success,omitzero"`
	LastFailure time.Time    `json:"last_failure,omitzero"`
	LastError   string       `json:"last_error,omitempty"`
}

// upstreams are the addresses in the order in which they are tried, and what is known of each.
type upstreams struct {
	mu    sync.Mutex // guards what follows
	list  []*upstream
	known map[string]*upstream // also those of former configurations
}

type upstream struct {
	UpstreamState
	probing bool
}

// set takes a new configuration over; what is known of an address stays.
func (u *upstreams) set(cfg []Upstream) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.known == nil {
		u.known = map[string]*upstream{}
	}
	u.list = nil
	for _, c := range cfg {
		up := u.known[c.URL]
		if up == nil {
			up = &upstream{UpstreamState: UpstreamState{URL: c.URL, Breaker: BreakerClosed}}
			u.known[c.URL] = up
		}
		up.Priority = c.Priority
		u.list = append(u.list, up)
	}
	slices.SortStableFunc(u.list, func(a, b *upstream) int { return a.Priority - b.Priority })
}

// next is the upstream to try now, after those that were tried already: the first that is not resting, or else, when
// nothing was tried yet, the one whose rest ends first. "" when none is left.
func (u *upstreams) next(tried map[string]bool, now time.Time) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	var soonest *upstream
	for _, up := range u.list {
		if tried[up.URL] {
			continue
		}
		switch {
		case up.Breaker == BreakerClosed:
			return up.URL
		case !up.probing && !now.Before(up.RestUntil):
			up.probing, up.Breaker = true, BreakerHalfOpen
			return up.URL
		}
		if soonest == nil || up.RestUntil.Before(soonest.RestUntil) {
			soonest = up
		}
	}
	if soonest != nil && len(tried) == 0 {
		return soonest.URL
	}
	return ""
}

// reached says that an upstream answered. It is used again.
func (u *upstreams) reached(url string, sent bool, now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if up := u.known[url]; up != nil {
		up.Breaker, up.Failures, up.RestUntil, up.probing, up.LastSuccess = BreakerClosed, 0, time.Time{}, false, now
		if sent {
			up.Sent++
		}
	}
}

// failed says that an upstream did not take a message now. It rests.
func (u *upstreams) failed(url string, err error, now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	up := u.known[url]
	if up == nil {
		return
	}
	up.probing = false
	up.Failed++
	up.LastFailure, up.LastError = now, err.Error()
	if up.Breaker == BreakerOpen && now.Before(up.RestUntil) {
		return // several messages failed at once: that is one failure
	}
	up.Breaker = BreakerOpen
	up.RestUntil = now.Add(min(restMin<<min(up.Failures, 10), restMax))
	up.Failures++
}

// abandoned says that a try was cut off by us.
func (u *upstreams) abandoned(url string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if up := u.known[url]; up != nil {
		up.probing = false
	}
}

// states describes the upstreams in the order in which they are tried.
func (u *upstreams) states() []UpstreamState {
	u.mu.Lock()
	defer u.mu.Unlock()
	out := make([]UpstreamState, 0, len(u.list))
	for _, up := range u.list {
		out = append(out, up.UpstreamState)
	}
	return out
}
