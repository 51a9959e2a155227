package casework

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"callhome"
)

// Transact runs f in one transaction of the store, which may be undone and run again, and announces what happened in
// that same transaction. The conductor provides it.
type Transact func(ctx context.Context, f func(Store) ([]Happening, error)) error

// Liaison carries pushes to ticket systems and their answers back.
type Liaison struct {
	Desk     *Desk
	Adapters []Adapter
	Transact Transact
	Log      *slog.Logger
	Now      func() time.Time
}

// Times and numbers of the road to ticket systems.
const (
	pushTimeout  = time.Minute
	pushLease    = 5 * pushTimeout // longer than a batch takes, so that no two servers push the same
	pushBatch    = 16
	pushParallel = 4
	pushMaxAge   = 14 * 24 * time.Hour // as the courier of mails
	pushPause    = 5 * time.Second
	pushPauseMax = time.Hour
	pollOverlap  = 2 * time.Minute // clocks of two sides differ; what is seen twice is ignored
	idlePause    = 2 * time.Second
	tickEvery    = 5 * time.Second
	tickLimit    = 50
)

type refusal struct{ err error }

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

// Refuse marks an error that no repetition mends. Nil stays nil.
func Refuse(err error) error {
	if err == nil {
		return nil
	}
	return &refusal{err}
}

// IsRefused reports whether err was made by Refuse.
func IsRefused(err error) bool {
	var r *refusal
	return errors.As(err, &r)
}

type later struct {
	err   error
	after time.Duration
}

func (l *later) Error() string { return l.err.Error() }
func (l *later) Unwrap() error { return l.err }

// Later marks an error of a side that said when to come back. Nil stays nil.
func Later(after time.Duration, err error) error {
	if err == nil {
		return nil
	}
	return &later{err, after}
}

func (l *Liaison) adapter(name string) Adapter {
	for _, a := range l.Adapters {
		if a.Name() == name {
			return a
		}
	}
	return nil
}

func (l *Liaison) now() time.Time {
	if l.Now == nil {
		return time.Now()
	}
	return l.Now()
}

// Run pushes and polls until ctx ends. Errors of the store are logged and tried again.
func (l *Liaison) Run(ctx context.Context) error {
	var all sync.WaitGroup
	for _, a := range l.Adapters {
		if p, ok := a.(Poller); ok && p.PollEvery() > 0 {
			all.Go(func() { l.pollLoop(ctx, a.Name(), p) })
		}
	}
	for ctx.Err() == nil {
		n, err := l.Step(ctx)
		if err != nil && ctx.Err() == nil {
			l.Log.Error("pushing cases to ticket systems", "err", err)
		}
		if n == 0 {
			pause(ctx, idlePause)
		}
	}
	all.Wait()
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// Step pushes what is due now, one batch, and says how many it was.
func (l *Liaison) Step(ctx context.Context) (int, error) {
	type job struct {
		push Push
		link *Link
	}
	var jobs []job
	err := l.Transact(ctx, func(s Store) ([]Happening, error) {
		jobs = jobs[:0]
		now := l.now()
		pushes, err := s.ClaimPushes(ctx, now, now.Add(pushLease), pushBatch)
		if err != nil {
			return nil, err
		}
		for _, p := range pushes {
			link, err := s.LinkOf(ctx, p.Case, p.Adapter)
			if err != nil {
				return nil, err
			}
			jobs = append(jobs, job{p, link})
		}
		return nil, nil
	})
	if err != nil {
		return 0, err
	}
	errs := make([]error, len(jobs))
	var all sync.WaitGroup
	slots := make(chan struct{}, pushParallel)
	for i := range jobs {
		slots <- struct{}{}
		all.Go(func() {
			errs[i] = l.push(ctx, &jobs[i].push, jobs[i].link)
			<-slots
		})
	}
	all.Wait()
	return len(jobs), errors.Join(errs...)
}

// push tries one push and stores what came of it.
func (l *Liaison) push(ctx context.Context, p *Push, link *Link) error {
	receipt, err := l.try(ctx, p, link)
	if ctx.Err() != nil {
		return ctx.Err() // the lease runs out, and it is tried again with the same key
	}
	now := l.now()
	p.Tries++
	var again *later
	switch {
	case err == nil:
		p.State, p.LastError = PushDone, ""
	case IsRefused(err) || now.Sub(p.AddedAt) > pushMaxAge:
		p.State, p.LastError = PushDead, clip(clean(err.Error()), maxQuote)
		l.Log.Warn("a ticket system will not take a case", "adapter", p.Adapter, "number", p.Snapshot.Case.Number, "push", p.Key, "err", err)
	case errors.As(err, &again):
		p.DueAt, p.LastError = now.Add(min(max(again.after, time.Second), 24*time.Hour)), clip(clean(err.Error()), maxQuote)
	default:
		p.DueAt, p.LastError = now.Add(backoff(p.Tries)), clip(clean(err.Error()), maxQuote)
	}
	return l.Transact(ctx, func(s Store) ([]Happening, error) { return l.settle(ctx, s, p, receipt) })
}

func (l *Liaison) settle(ctx context.Context, s Store, p *Push, receipt Receipt) ([]Happening, error) {
	if err := s.PutPush(ctx, p); err != nil || p.State != PushDone {
		return nil, err
	}
	link, err := s.LinkOf(ctx, p.Case, p.Adapter)
	if err != nil {
		return nil, err
	}
	fresh := link.Remote == "" && receipt.Remote != ""
	if receipt.Remote != "" {
		link.Remote = receipt.Remote
	}
	if receipt.URL != "" {
		link.URL = receipt.URL
	}
	if receipt.State != "" {
		link.State = receipt.State
	}
	if err := s.PutLink(ctx, link); err != nil || !fresh {
		return nil, err
	}
	c, err := s.LockCase(ctx, p.Case)
	if err != nil {
		return nil, err
	}
	ch := l.Desk.begin(s, c, By{Who: p.Adapter, Via: p.Adapter}, l.now())
	ch.event(EventLinked, "", receipt.Remote, p.Adapter+" has it as "+receipt.Remote)
	ch.hush()
	return ch.finish(ctx)
}

func (l *Liaison) try(ctx context.Context, p *Push, link *Link) (Receipt, error) {
	a := l.adapter(p.Adapter)
	if a == nil {
		return Receipt{}, Later(time.Hour, callhome.Errorf(callhome.KindUnavailable, "ticket system %q is not configured", p.Adapter))
	}
	if p.Kind != PushCreate && link.Remote == "" {
		return Receipt{}, Refuse(fmt.Errorf("%s never got %s", p.Adapter, link.Number))
	}
	ctx, cancel := context.WithTimeout(ctx, pushTimeout)
	defer cancel()
	return a.Push(ctx, p, link)
}

// backoff doubles from pushPause to pushPauseMax.
func backoff(tries int) time.Duration {
	d := pushPause
	for range tries - 1 {
		if d *= 2; d >= pushPauseMax {
			return pushPauseMax
		}
	}
	return d
}

func (l *Liaison) pollLoop(ctx context.Context, name string, p Poller) {
	for ctx.Err() == nil {
		if err := l.PollOnce(ctx, name, p); err != nil && ctx.Err() == nil {
			l.Log.Warn("asking a ticket system for news", "adapter", name, "err", err)
		}
		pause(ctx, min(p.PollEvery(), tickEvery))
	}
}

// PollOnce asks one ticket system for news, if it is its turn and no other server has taken it.
func (l *Liaison) PollOnce(ctx context.Context, name string, p Poller) error {
	var since time.Time
	mine := false
	now := l.now()
	err := l.Transact(ctx, func(s Store) (_ []Happening, err error) {
		since, mine, err = s.ClaimPoll(ctx, name, now, now.Add(p.PollEvery()))
		return nil, err
	})
	if err != nil || !mine {
		return err
	}
	if since.IsZero() {
		since = now.Add(-pollOverlap)
	}
	ctx, cancel := context.WithTimeout(ctx, pushTimeout)
	defer cancel()
	updates, until, err := p.Poll(ctx, since)
	if err != nil {
		return err
	}
	if err := l.Take(ctx, name, updates); err != nil {
		return err
	}
	return l.Transact(ctx, func(s Store) ([]Happening, error) { return nil, s.PutPoll(ctx, name, until.Add(-pollOverlap)) })
}

// Take applies updates of a ticket system, each in a transaction of its own.
func (l *Liaison) Take(ctx context.Context, name string, updates []Update) error {
	for _, u := range updates {
		err := l.Transact(ctx, func(s Store) ([]Happening, error) { return l.Desk.Apply(ctx, s, name, u) })
		if err != nil {
			return fmt.Errorf("news of %s about %s: %w", name, u.Remote, err)
		}
	}
	return nil
}

// Run ticks until ctx ends: see Tick. Errors of the store are logged and tried again.
func (d *Desk) Run(ctx context.Context, transact Transact, log *slog.Logger) error {
	for ctx.Err() == nil {
		n := 0
		err := transact(ctx, func(s Store) ([]Happening, error) {
			told, err := d.Tick(ctx, s, tickLimit)
			n = len(told)
			return told, err
		})
		if err != nil && ctx.Err() == nil {
			log.Error("working cases that are due", "err", err)
		}
		if err != nil || n == 0 {
			pause(ctx, tickEvery)
		}
	}
	return nil
}
