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
	flight  *flight // ended
	expires time.Time
}

// flight is a look-up under way that others wait for.
type flight struct {
	done      chan struct{}
	answer    Answer
	errs      []error
	abandoned bool // its asker had no time left: it says nothing of the name
}

// shared answers from the cache, or from one look-up for all who ask meanwhile. When the one that looks up runs out of
// time, another goes on.
func (r *Resolver) shared(ctx context.Context, host string) (Answer, []error) {
	for {
		f, leads := r.join(host)
		if leads {
			var ttl time.Duration
			f.answer, ttl, f.errs = r.ask(ctx, host)
			f.abandoned = f.errs != nil && ctx.Err() != nil
			r.land(host, f, ttl)
			return f.answer, f.errs
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			return Answer{}, []error{ctx.Err()}
		}
		if !f.abandoned {
			return f.answer, f.errs
		}
	}
}

// join finds the look-up of host that is under way or done and still believed, or begins one, which the caller then leads.
func (r *Resolver) join(host string) (f *flight, leads bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c, ok := r.cache[host]; ok && r.now().Before(c.expires) {
		return c.flight, false
	}
	if f, ok := r.flights[host]; ok {
		return f, false
	}
	f = &flight{done: make(chan struct{})}
	r.flights[host] = f
	return f, true
}

// land ends a look-up and remembers its result.
func (r *Resolver) land(host string, f *flight, ttl time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	close(f.done)
	delete(r.flights, host)
	switch {
	case f.abandoned:
		return
	case f.errs != nil:
		ttl = negativeTTL
	default:
		ttl = min(max(ttl, minTTL), maxTTL)
	}
	if len(r.cache) >= maxCached {
		clear(r.cache)
	}
	r.cache[host] = cached{flight: f, expires: r.now().Add(ttl)}
}
