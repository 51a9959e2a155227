package resolve

import (
	"context"
	"time"
)

// Bounds on how long an answer is believed, whatever its time to live: a lower one against servers that say zero, an
// upper one against a moved back end. A failure is believed for a moment only, so that a queue of messages does not ask
// for each of them.
const (
	minTTL      = 5 * time.Second
	maxTTL      = time.Hour
	negativeTTL = 5 * time.Second
	maxCached   = 1000 // names come from the configuration: never reached by honest use
)

type cached struct {
	answer  Answer
	errs    []error
	expires time.Time
}

// flight is a look-up under way that others wait for.
type flight struct {
	done   chan struct{}
	answer Answer
	errs   []error
}

// shared answers from the cache, or from one look-up for all who ask meanwhile.
func (r *Resolver) shared(ctx context.Context, host string) (Answer, []error) {
	r.mu.Lock()
	if c, ok := r.cache[host]; ok && r.now().Before(c.expires) {
		r.mu.Unlock()
		return c.answer, c.errs
	}
	f, running := r.flights[host]
	if !running {
		f = &flight{done: make(chan struct{})}
		r.flights[host] = f
	}
	r.mu.Unlock()
	if running {
		select {
		case <-f.done:
			return f.answer, f.errs
		case <-ctx.Done():
			return Answer{}, []error{ctx.Err()}
		}
	}
	var ttl time.Duration
	f.answer, ttl, f.errs = r.ask(ctx, host)
	r.keep(host, f, ttl, ctx.Err() == nil)
	close(f.done)
	return f.answer, f.errs
}

// keep ends the flight and remembers its result, unless it failed for the asker's own lack of time.
func (r *Resolver) keep(host string, f *flight, ttl time.Duration, conclusive bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.flights, host)
	switch {
	case f.errs == nil:
		ttl = min(max(ttl, minTTL), maxTTL)
	case conclusive:
		ttl = negativeTTL
	default:
		return
	}
	if len(r.cache) >= maxCached {
		clear(r.cache)
	}
	r.cache[host] = cached{answer: f.answer, errs: f.errs, expires: r.now().Add(ttl)}
}
