package gateway

import (
	"context"
	"sync"
	"time"
)

// pace keeps what leaves below a number of bytes a second. A message may leave as soon as those before it are paid for,
// so one larger than a second's worth is not held for ever.
type pace struct {
	mu   sync.Mutex // guards what follows
	rate int64      // bytes a second; 0: no limit
	free time.Time  // when everything that left is paid for
}

func (p *pace) set(rate int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rate = rate
}

// take books n bytes and tells how long to wait before they may leave.
func (p *pace) take(n int, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.rate <= 0 {
		return 0
	}
	if p.free.Before(now) {
		p.free = now
	}
	wait := p.free.Sub(now)
	p.free = p.free.Add(time.Duration(float64(n) / float64(p.rate) * float64(time.Second)))
	return wait
}

// wait waits until n bytes may leave, or stop is closed or ctx ends.
func (p *pace) wait(ctx context.Context, n int, now time.Time) error {
	d := p.take(n, now)
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
