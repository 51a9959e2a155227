package outbox

import (
	"context"
	"errors"
	"time"

	"callhome"
)

const (
	// tidyEvery is how often the ledger and the dead letters are shortened, in steps of some milliseconds, between which
	// others commit.
	tidyEvery = 10 * time.Minute
	tidyStep  = 1000
	// deadShare is the part of max_bytes that dead letters may take.
	deadShare = 4
	// expireStep and expireBytes bound one transaction of Expire.
	expireStep  = 256
	expireBytes = 4 << 20
)

// tidy shortens what only looks back.
func (q *Queue) tidy() {
	defer close(q.tidied)
	tick := time.NewTicker(tidyEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := q.tidyOnce(); err != nil && !errors.Is(err, ErrClosed) {
				q.log.Warn("the ledger could not be shortened", "err", err)
			}
		case <-q.done:
			return
		}
	}
}

func (q *Queue) tidyOnce() error {
	for gone := tidyStep; gone == tidyStep; {
		forget := &Forget{Before: stamp(time.Now().Add(-q.cfg.LedgerMaxAge)), Keep: q.cfg.LedgerKeep, Max: tidyStep}
		r := &request{add: func(d *draft) error { d.Forget = forget; return nil }}
		if err := q.commits.submit(context.Background(), r); err != nil {
			return err
		}
		gone = forget.Gone
	}
	return q.discardOld()
}

// discardOld deletes the oldest dead letters beyond the limits.
func (q *Queue) discardOld() error {
	depth := q.depth()
	if depth.DeadLetters == 0 {
		return nil
	}
	old, err := q.store.List(context.Background(), Filter{Status: StatusDead, Limit: tidyStep})
	if err != nil {
		return err
	}
	before := time.Now().Add(-q.cfg.DeadMaxAge)
	for i := range old {
		e := &old[i]
		if !e.DiedAt.Before(before) && depth.DeadLetters <= q.cfg.DeadKeep && depth.DeadBytes <= q.cfg.MaxBytes/deadShare {
			return nil
		}
		if err := q.Drop(context.Background(), e.ID, "dead letter older than the limits allow"); err != nil {
			if callhome.KindOf(err) == callhome.KindNotFound {
				continue
			}
			return err
		}
		depth.DeadLetters--
		depth.DeadBytes -= int64(e.Stored)
	}
	return nil
}

// Expire gives up, reason expired, the entries queued before a time, and tells their number: they become dead letters,
// anonymous ones are dropped. Lanes that are being worked at this moment are left for the next time. An entry queued in
// the future met a clock that stood wrong; its age is unknown, and it stays.
func (q *Queue) Expire(ctx context.Context, before time.Time) (int, error) {
	type key struct {
		road   RoadID
		device string
	}
	visited := map[key]bool{}
	expired := 0
	for after := EntryID(0); ; {
		oldest, err := q.store.List(ctx, Filter{After: after, Limit: DefaultLimit})
		if err != nil {
			return expired, err
		}
		for i := range oldest {
			e := &oldest[i]
			after = e.ID
			if e.QueuedAt.After(time.Now()) {
				continue
			}
			if !e.QueuedAt.Before(before) {
				return expired, nil
			}
			if k := (key{e.Road, e.Envelope.Device}); !visited[k] {
				visited[k] = true
				n, err := q.expireLane(ctx, k.road, k.device, before)
				expired += n
				if err != nil {
					return expired, err
				}
			}
		}
		if len(oldest) < DefaultLimit {
			return expired, nil
		}
	}
}

const detailExpired = "not delivered before it became older than max_age"

func (q *Queue) expireLane(ctx context.Context, id RoadID, device string, before time.Time) (int, error) {
	expired := 0
	for {
		r, l := q.claim(id, device)
		if l == nil {
			return expired, nil
		}
		entries, err := q.store.FirstEntries(ctx, id, device, expireStep, expireBytes)
		if err != nil {
			q.giveBack(r, l, time.Time{}, false)
			return expired, err
		}
		lease := newLease(r, l, entries)
		lease.rest = true
		n := 0
		for i := range entries {
			if entries[i].QueuedAt.Before(before) {
				lease.verdicts[i] = tooOld(&entries[i])
				n++
			}
		}
		if err := q.Settle(ctx, lease); err != nil {
			return expired, err
		}
		expired += n
		if n == 0 || n < len(entries) {
			return expired, nil
		}
	}
}

func tooOld(e *Entry) verdict {
	v := verdict{status: StatusDead, reason: callhome.ReasonExpired, at: stamp(time.Now()), detail: detailExpired}
	if e.Envelope.Anonymous { // nobody is to look at it once more
		v.status = StatusDropped
	}
	return v
}
