package deliver

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"callhome"
	"callhome/health"
	"callhome/outbox"
)

// breakAfter failures in a row a destination counts as unreachable. One or two may be the message's own fault.
const breakAfter = 3

// trouble is a destination that does not work.
type trouble struct {
	failures int // in a row, over all lanes
	held     bool
	since    time.Time
	part     *health.Part // while held
}

// breaker knows the destinations that do not work. It holds them in the queue, so that a dead destination with
// thousands of lanes gets one try at a time.
type breaker struct {
	cfg     *Config
	queue   *outbox.Queue
	health  *health.Registry
	log     *slog.Logger
	metrics *metrics

	mu       sync.Mutex // guards what follows
	troubles map[callhome.Destination]*trouble
}

func newBreaker(cfg *Config, q *outbox.Queue, h *health.Registry, log *slog.Logger, m *metrics) *breaker {
	return &breaker{cfg: cfg, queue: q, health: h, log: log, metrics: m, troubles: map[callhome.Destination]*trouble{}}
}

// reached notes that a destination answered.
func (b *breaker) reached(dest callhome.Destination) {
	b.mu.Lock()
	t := b.troubles[dest]
	delete(b.troubles, dest)
	b.mu.Unlock()
	if t == nil || !t.held {
		return
	}
	b.queue.Resume(dest)
	b.metrics.held.Dec()
	t.part.Leave()
	b.log.Info("the destination is reachable again", "destination", callhome.MaskURL(dest.Address), "outage", time.Since(t.since).Round(time.Second))
}

// failed notes a failure and holds the destination from the third in a row on: at least for the time it named itself.
func (b *breaker) failed(dest callhome.Destination, err error, wait time.Duration, now time.Time) {
	b.mu.Lock()
	t := b.troubles[dest]
	if t == nil {
		t = &trouble{since: now}
		b.troubles[dest] = t
	}
	t.failures++
	held := t.failures >= breakAfter
	fresh := held && !t.held
	if fresh {
		t.held, t.part = true, b.health.Part("destination "+callhome.MaskURL(dest.Address))
	}
	failures, since, part := t.failures, t.since, t.part
	b.mu.Unlock()
	if !held {
		return
	}
	hold := pause(b.cfg.BackoffMin, max(b.cfg.ProbeMax, b.cfg.BackoffMin), failures-breakAfter, rand.Float64())
	if _, named := retryAfter(err); named {
		hold = max(hold, wait)
	}
	b.queue.Hold(dest, now.Add(hold))
	part.Unwell(fmt.Sprintf("%s has not taken a message since %s: %v", callhome.MaskURL(dest.Address), since.UTC().Format(time.RFC3339), err))
	if fresh {
		b.metrics.held.Inc()
		b.log.Error("the destination is unreachable; messages for it wait", "destination", callhome.MaskURL(dest.Address), "err", err)
	}
	if b.overtaken(dest, t) { // by a success between the two: its Resume came before our Hold
		b.queue.Resume(dest)
		part.Leave()
	}
}

// overtaken reports whether a trouble is over.
func (b *breaker) overtaken(dest callhome.Destination, t *trouble) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.troubles[dest] != t
}
