package outbox

import (
	"context"
	"fmt"
	"time"

	"callhome"
)

// Limits bound what one Lease takes.
type Limits struct {
	PerDestination int // leases of one destination at a time that are not handed to Settle; 0: no bound
	Entries        int // 0: DefaultLeaseEntries
	Bytes          int // no further entry once the stored bodies hold so many; 0: DefaultLeaseBytes
}

// What a lease holds unless Limits says otherwise: enough to make commits rare, little enough to be sent in seconds and
// to be sent again after a crash without harm.
const (
	DefaultLeaseEntries = 32
	DefaultLeaseBytes   = 1 << 20
)

// Lease is the oldest entries of one lane, in order, in one hand. The holder works them from the first on, says for
// each what came of it (Delivered, RetryAt, Dead, Dropped), stops at the first RetryAt, and hands the lease to Settle.
// Entries without a word stay as they were. A Lease is not safe for concurrent use.
type Lease struct {
	Destination callhome.Destination
	Device      string
	Entries     []Entry // with bodies

	road     *road
	lane     *lane
	rest     bool // the lane may hold more
	verdicts []verdict
	settled  bool
}

// verdict is what came of one entry; the zero value is no word.
type verdict struct {
	status Status // queued means: try again
	reason callhome.Reason
	at     time.Time
	felt   time.Time // at, by the clock that nobody sets
	due    time.Time // likewise
	detail string
	tries  int // 1 after a try, 0 when somebody decided without one
}

// Delivered says that the destination took entry i now.
func (l *Lease) Delivered(i int) { l.say(i, verdict{status: StatusSent, reason: callhome.ReasonSent}) }

// RetryAt says that entry i failed now and is to be tried again at due, together with what follows in its lane.
func (l *Lease) RetryAt(i int, due time.Time, why error) {
	l.say(i, verdict{status: StatusQueued, due: due, detail: detailOf(why)})
}

// Dead says that entry i failed now and is not to be tried again: it becomes a dead letter. The reason is
// [callhome.ReasonExpired] or empty, which means that it was refused.
func (l *Lease) Dead(i int, reason callhome.Reason, why error) {
	l.say(i, verdict{status: StatusDead, reason: reason, detail: detailOf(why)})
}

// Dropped says that entry i failed now and is given up without a dead letter, as anonymous messages are.
func (l *Lease) Dropped(i int, reason callhome.Reason, why error) {
	l.say(i, verdict{status: StatusDropped, reason: reason, detail: detailOf(why)})
}

func (l *Lease) say(i int, v verdict) {
	v.felt = time.Now()
	v.at, v.tries = stamp(v.felt), 1
	l.verdicts[i] = v
}

// maxDetail bounds what is kept of a receiver's words.
const maxDetail = 500

func detailOf(err error) string {
	if err == nil {
		return ""
	}
	text := err.Error()
	if len(text) > maxDetail {
		text = text[:maxDetail] + "…"
	}
	return text
}

// Lease hands out the next lane that may be worked, destinations taking turns, and waits for one if there is none. The
// error is ctx's or ErrClosed. Every lease must be settled; after a crash it is as if it had never been.
func (q *Queue) Lease(ctx context.Context, lim Limits) (*Lease, error) {
	if lim.Entries <= 0 {
		lim.Entries = DefaultLeaseEntries
	}
	if lim.Bytes <= 0 {
		lim.Bytes = DefaultLeaseBytes
	}
	for {
		var r *road
		var l *lane
		err := q.await(ctx, func(now time.Time) (bool, *road, time.Time) {
			if scan := q.board.scan(now, lim.PerDestination); scan != nil {
				return false, scan, time.Time{}
			}
			var wake time.Time
			r, l, wake = q.board.next(now, lim.PerDestination)
			return l != nil, nil, wake
		})
		if err != nil {
			return nil, err
		}
		lease, err := q.openLane(ctx, r, l, lim)
		if err != nil {
			q.unreadable(ctx, r, l, err)
			continue
		}
		if lease != nil {
			return lease, nil
		}
	}
}

// openLane reads a leased lane's first entries, nil if they are not due or there are none; the lane is then given back.
func (q *Queue) openLane(ctx context.Context, r *road, l *lane, lim Limits) (*Lease, error) {
	if q.probing(r) {
		lim.Entries = 1 // the rest would be read in vain
	}
	q.mu.Lock()
	entries, rest, ok := q.board.takeFresh(l, lim.Entries, lim.Bytes)
	q.mu.Unlock()
	if ok && len(entries) > 0 {
		lease := newLease(r, l, entries)
		lease.rest = rest
		return lease, nil
	}
	if ok {
		q.giveBack(r, l, time.Time{}, true)
		return nil, nil //nolint:nilnil // the caller looks for another lane
	}
	entries, err := q.store.FirstEntries(ctx, r.ID, l.device, lim.Entries, lim.Bytes)
	if err != nil {
		return nil, err
	}
	q.readWorked()
	if len(entries) == 0 {
		q.giveBack(r, l, time.Time{}, true)
		return nil, nil //nolint:nilnil // the caller looks for another lane
	}
	now := time.Now()
	if e := &entries[0]; !e.due(now) && !q.forgiven(r, e.TriedAt, now) {
		q.giveBack(r, l, onward(now, e.RetryAt), false)
		return nil, nil //nolint:nilnil // the caller looks for another lane
	}
	lease := newLease(r, l, entries)
	stored := 0
	for i := range entries {
		stored += entries[i].Stored
		err := q.unpackBody(&entries[i])
		switch {
		case err == nil:
		case i > 0: // deliver what comes before it first
			lease = newLease(r, l, entries[:i])
			lease.rest = true
			return lease, nil
		default:
			return nil, q.buryUnreadable(ctx, newLease(r, l, entries[:1]), err)
		}
	}
	lease.rest = len(entries) == lim.Entries || stored >= lim.Bytes
	if !lease.rest {
		q.mu.Lock()
		l.readAll(entries[len(entries)-1].ID)
		q.mu.Unlock()
	}
	return lease, nil
}

func newLease(r *road, l *lane, entries []Entry) *Lease {
	return &Lease{Destination: r.Destination, Device: l.device, Entries: entries, road: r, lane: l, verdicts: make([]verdict, len(entries))}
}

// buryUnreadable makes a dead letter of an entry whose stored body is damaged, so that its lane goes on.
func (q *Queue) buryUnreadable(ctx context.Context, l *Lease, err error) error {
	q.log.Error("a stored message cannot be read and becomes a dead letter", "message_id", l.Entries[0].Envelope.MessageID, "err", err)
	l.Dead(0, "", fmt.Errorf("the stored body cannot be read: %w", err))
	l.rest = true
	return q.Settle(ctx, l)
}

func (q *Queue) probing(r *road) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return r.probing
}

// due reports whether an entry may be tried. One that was tried in the future met a clock that stood wrong; its retry
// time, told by the same clock, does not count.
func (e *Entry) due(now time.Time) bool {
	return !e.RetryAt.After(now) || e.TriedAt.After(now)
}

// onward is a stored time, told by the wall clock, as one that a later setting of that clock does not move.
func onward(now, stored time.Time) time.Time { return now.Add(stored.Sub(now)) }

// forgiven reports whether the road came back after a failure at that time. Nothing is forgiven by a road that came
// back in the future, by a clock that was set back since: all failures would be older.
func (q *Queue) forgiven(r *road, failedAt, now time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	back := r.resumedAt
	return !back.IsZero() && !failedAt.After(back) && !back.Round(0).After(now)
}

func (q *Queue) unpackBody(e *Entry) error {
	body, err := q.packs.unpack(e.Packed, e.Size)
	if err != nil {
		return err
	}
	e.Envelope.Body, e.Packed = body, nil
	return nil
}

// Settle records what came of a lease and gives its lane back. It is durable when nil is returned. While the store does
// not work, Settle waits and the lane stays out; if ctx ends first, the outbox goes on trying by itself. After a second
// Settle of the same lease nothing happens.
func (q *Queue) Settle(ctx context.Context, l *Lease) error {
	if l.settled {
		return nil
	}
	l.settled = true
	left, changes := 0, false
	var due, failedAt time.Time
	for _, v := range l.verdicts {
		changes = changes || v.status != ""
		switch v.status {
		case StatusQueued:
			left++
			due, failedAt = v.due, v.felt
		case "":
			left++
		}
	}
	if left > 0 {
		q.forget(l.lane)
	}
	if !changes {
		q.giveBack(l.road, l.lane, time.Time{}, false)
		return nil
	}
	q.mu.Lock()
	l.road.settling(l.lane)
	q.wakeAll()
	q.mu.Unlock()
	r := &request{keep: true, add: func(d *draft) error {
		for i := range l.verdicts {
			d.settle(&l.Entries[i], &l.verdicts[i])
		}
		return nil
	}}
	r.after = func(err error) {
		switch {
		case err != nil:
			due, left = time.Now().Add(storePause), left+1
			q.forget(l.lane)
		case !failedAt.IsZero() && q.forgiven(l.road, failedAt, time.Now()):
			due = time.Time{}
		}
		q.giveBack(l.road, l.lane, due, left == 0 && !l.rest)
	}
	if err := q.commits.submit(ctx, r); err != nil {
		return fmt.Errorf("settle entries of %s: %w", callhome.MaskURL(l.Destination.Address), err)
	}
	return nil
}

// forget makes the next lease of a lane read it.
func (q *Queue) forget(l *lane) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.board.forget(l)
}

// settle enters one entry's fate into the draft.
func (d *draft) settle(e *Entry, v *verdict) {
	switch v.status {
	case StatusQueued:
		d.Retrials = append(d.Retrials, Retrial{ID: e.ID, Attempts: e.Attempts + v.tries, TriedAt: v.at, RetryAt: stamp(v.due), LastError: v.detail})
		return
	case StatusSent:
		d.Removed = append(d.Removed, e.ID)
		d.Mark.LastSentAt = v.at
	case StatusDropped:
		d.Removed = append(d.Removed, e.ID)
	case StatusDead:
		d.Buried = append(d.Buried, Burial{ID: e.ID, Reason: v.reason, Attempts: e.Attempts + v.tries, DiedAt: v.at, LastError: v.detail})
		d.Mark.DeadLetters++
		d.Mark.DeadBytes += int64(e.Stored)
	default:
		return
	}
	d.Mark.Entries--
	d.Mark.EntryBytes -= int64(e.Stored)
	d.count(e.Envelope.Group, e.Envelope.Destination.Transport, StatusQueued, "", -1)
	d.ledger(Outcome{
		At: v.at, Status: v.status, Reason: v.reason, AlertID: e.Envelope.AlertID, MessageID: e.Envelope.MessageID,
		Device: e.Envelope.Device, Group: e.Envelope.Group, Profile: e.Envelope.Profile, Destination: e.Envelope.Destination,
		Attempts: e.Attempts + v.tries, QueuedAt: e.QueuedAt, Detail: v.detail,
	})
}

// ledger writes a line and counts it.
func (d *draft) ledger(o Outcome) {
	d.Ledger = append(d.Ledger, o)
	d.count(o.Group, o.Destination.Transport, o.Status, o.Reason, 1)
}

// Hold keeps a destination that does not answer from being hammered: none of its lanes is leased before until, and from
// then on one at a time, till Resume. Leases that are out stay out. A destination that nothing was put for yet is held
// from its first entry on.
func (q *Queue) Hold(dest callhome.Destination, until time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	r := q.board.byDest[dest]
	if r == nil {
		q.board.held[dest] = until
	}
	if r != nil {
		r.until, r.probing = until, true
		q.board.forgetAll(r)
		q.wakeAll()
	}
}

// Resume ends a Hold: the destination is worked at full speed, and what waited for a retry time is due at once.
func (q *Queue) Resume(dest callhome.Destination) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.board.held, dest)
	if r := q.board.byDest[dest]; r != nil {
		r.resume(time.Now())
		q.wakeAll()
	}
}
