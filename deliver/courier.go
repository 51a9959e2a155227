package deliver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"callhome"
	"callhome/health"
	"callhome/outbox"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	// leaseEntries and leaseTime end a batch: what was delivered is settled at least so often.
	leaseEntries = 64
	leaseTime    = time.Second
	// stopGrace is what a send that is under way gets when the courier is to stop.
	stopGrace = 5 * time.Second
	// expireEvery is how often entries are sought that became too old behind others. The first time is one period after
	// the start, so that what grew old while the process was down is tried once.
	expireEvery = time.Hour
)

// Options are what a Courier works with. Queue and Senders must be set.
type Options struct {
	Queue   *outbox.Queue
	Senders map[callhome.Transport]Sender
	Log     *slog.Logger
	Health  *health.Registry
	Metrics prometheus.Registerer
}

// Courier empties the outbox.
type Courier struct {
	cfg     Config
	queue   *outbox.Queue
	senders map[callhome.Transport]Sender
	log     *slog.Logger
	metrics *metrics
	breaker *breaker
}

// New makes a courier; Run sets it going.
func New(cfg Config, o Options) (*Courier, error) {
	if cfg == (Config{}) {
		cfg = DefaultConfig()
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	log := o.Log.With("component", "courier")
	c := &Courier{cfg: cfg, queue: o.Queue, senders: o.Senders, log: log, metrics: newMetrics()}
	c.breaker = newBreaker(&c.cfg, o.Queue, o.Health, log, c.metrics)
	if o.Metrics != nil {
		if err := c.metrics.register(o.Metrics); err != nil {
			return nil, fmt.Errorf("courier: register metrics: %w", err)
		}
	}
	return c, nil
}

// Run delivers until ctx ends. Sends that are under way then get a few seconds; what came of them is recorded before Run
// returns. The error is nil unless the outbox was closed first.
func (c *Courier) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	lasting, cancel := linger(ctx, stopGrace)
	var wg sync.WaitGroup
	defer func() {
		stop()
		wg.Wait()
		cancel()
	}()
	wg.Go(func() { c.expire(ctx) })
	free := make(chan struct{}, c.cfg.Workers)
	for {
		select {
		case free <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		lease, err := c.queue.Lease(ctx, outbox.Limits{PerDestination: c.cfg.PerDestination, Entries: leaseEntries})
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("courier: %w", err)
		}
		wg.Go(func() {
			c.work(ctx, lasting, lease)
			<-free // others may send while the outcome is being stored
			c.settle(lasting, lease)
		})
	}
}

// linger gives a context that outlives ctx by grace.
func linger(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	lasting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		t := time.NewTimer(grace)
		defer t.Stop()
		select {
		case <-t.C:
			cancel()
		case <-lasting.Done():
		}
	})
	return lasting, func() { stop(); cancel() }
}

// work sends a lease's entries in order until one has to wait.
func (c *Courier) work(ctx, lasting context.Context, lease *outbox.Lease) {
	start := time.Now()
	for i := range lease.Entries {
		if ctx.Err() != nil || time.Since(start) > leaseTime {
			break
		}
		if !c.one(ctx, lasting, lease, i) {
			break
		}
	}
}

// settle records what came of a lease.
func (c *Courier) settle(lasting context.Context, lease *outbox.Lease) {
	if err := c.queue.Settle(lasting, lease); err != nil && !errors.Is(err, context.Canceled) {
		c.log.Error("the outcome of deliveries could not be stored; they are repeated", "destination", callhome.MaskURL(lease.Destination.Address), "err", err)
	}
}

// one tries entry i and reports whether the next may go.
func (c *Courier) one(ctx, lasting context.Context, lease *outbox.Lease, i int) bool {
	e := &lease.Entries[i]
	begun := time.Now()
	err := c.send(lasting, &e.Envelope)
	now := time.Now()
	if err != nil && ctx.Err() != nil {
		return false // cut off by us: it says nothing of the destination
	}
	out, wait := c.cfg.judge(e, err, now, rand.Float64())
	c.metrics.sent(e.Envelope.Destination.Transport, out, now.Sub(begun))
	log := c.log.With("message_id", e.Envelope.MessageID, "profile", e.Envelope.Profile, "destination", callhome.MaskURL(lease.Destination.Address), "attempt", e.Attempts+1)
	if err == nil || IsPermanent(err) {
		c.breaker.reached(lease.Destination)
	} else {
		c.breaker.failed(lease.Destination, err, wait, now)
	}
	switch out {
	case outDelivered:
		lease.Delivered(i)
		log.Debug("delivered")
	case outRetried:
		lease.RetryAt(i, now.Add(wait), err)
		log.Info("not delivered, will be tried again", "err", err, "in", wait.Round(time.Second))
		return false
	case outRefused:
		lease.Dead(i, "", err)
		log.Error("refused for good, now a dead letter", "err", err)
	case outExpired:
		lease.Dead(i, callhome.ReasonExpired, err)
		log.Error("too old, now a dead letter", "err", err)
	case outDropped:
		lease.Dropped(i, callhome.ReasonExpired, err)
		log.Warn("an anonymous message is dropped", "err", err)
	}
	return true
}

func (c *Courier) send(ctx context.Context, e *callhome.Envelope) error {
	s := c.senders[e.Destination.Transport]
	if s == nil {
		return RetryAfter(c.cfg.BackoffMax, fmt.Errorf("nothing here sends by %q; configure it or drop the message", e.Destination.Transport))
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.SendTimeout)
	defer cancel()
	return s.Send(ctx, e)
}

// expire looks for entries that became too old without being tried, behind others in their lanes. It leaves them twice
// the longest pause beyond max_age: a destination that comes back at the last moment still gets them.
func (c *Courier) expire(ctx context.Context) {
	tick := time.NewTicker(expireEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		n, err := c.queue.Expire(ctx, time.Now().Add(-c.cfg.MaxAge-2*c.cfg.BackoffMax))
		if n > 0 {
			c.log.Error("messages are too old and given up; those that name their device are now dead letters", "count", n)
		}
		if err != nil && ctx.Err() == nil {
			c.log.Warn("old messages could not be looked for", "err", err)
		}
	}
}
