package outbox

import (
	"context"
	"time"

	"callhome"
)

// List gives entries or dead letters, without bodies.
func (q *Queue) List(ctx context.Context, f Filter) ([]Entry, error) {
	if f.Limit <= 0 {
		f.Limit = DefaultLimit
	}
	return q.store.List(ctx, f)
}

// Show gives one entry or dead letter with its body.
func (q *Queue) Show(ctx context.Context, id EntryID) (*Entry, error) {
	e, err := q.find(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := q.unpackBody(e); err != nil {
		return nil, callhome.Errorf(callhome.KindInternal, "entry %d: %w", id, err)
	}
	return e, nil
}

func (q *Queue) find(ctx context.Context, id EntryID) (*Entry, error) {
	e, err := q.store.Entry(ctx, id)
	if err == nil && e == nil {
		err = callhome.Errorf(callhome.KindNotFound, "there is no entry %d; it was delivered or dropped, see the history", id)
	}
	return e, err
}

// Retry makes an entry's lane due at once, or puts a dead letter back at the end of its lane under the ID that is
// returned. An entry that is being sent now is a conflict.
func (q *Queue) Retry(ctx context.Context, id EntryID) (EntryID, error) {
	as := id
	err := q.operate(ctx, id, func(d *draft, e *Entry) error {
		if e.Status == StatusQueued {
			return q.hurry(ctx, d, e)
		}
		d.Mark.LastEntry++
		as = d.Mark.LastEntry
		d.Revived = append(d.Revived, Revival{ID: id, As: as, QueuedAt: d.now})
		d.Mark.DeadLetters--
		d.Mark.DeadBytes -= int64(e.Stored)
		d.Mark.Entries++
		d.Mark.EntryBytes += int64(e.Stored)
		d.count(e.Envelope.Group, e.Envelope.Destination.Transport, StatusQueued, "", 1)
		d.lanes = append(d.lanes, laneKey{road: e.Road, device: e.Envelope.Device, entry: noEntry})
		return nil
	})
	return as, err
}

// hurry lifts the retry time of an entry's lane, which its oldest entry holds, and a Hold of its destination.
func (q *Queue) hurry(ctx context.Context, d *draft, e *Entry) error {
	first, err := q.store.FirstEntries(ctx, e.Road, e.Envelope.Device, 1, 1)
	if err != nil {
		return err
	}
	for i := range first {
		f := &first[i]
		d.Retrials = append(d.Retrials, Retrial{ID: f.ID, Attempts: f.Attempts, TriedAt: f.TriedAt, LastError: f.LastError})
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.board.roads[e.Road].until = time.Time{}
	return nil
}

// Drop deletes an entry or a dead letter; why goes to the ledger, such as "dropped by rita". An entry that is being sent
// now is a conflict.
func (q *Queue) Drop(ctx context.Context, id EntryID, why string) error {
	return q.operate(ctx, id, func(d *draft, e *Entry) error {
		if e.Status == StatusQueued {
			d.settle(e, &verdict{status: StatusDropped, at: d.now, detail: why})
			return nil
		}
		d.discard(e)
		o := e.outcome()
		o.Status, o.At, o.Detail = StatusDropped, d.now, why
		d.Ledger = append(d.Ledger, o) // it was counted when it died
		return nil
	})
}

// Confirm retires an entry or a dead letter that reached its receiver another way, such as in a bundle carried by hand; it
// counts as sent, and how goes to the ledger. An entry that is being sent now is a conflict.
func (q *Queue) Confirm(ctx context.Context, id EntryID, how string) error {
	return q.operate(ctx, id, func(d *draft, e *Entry) error {
		if e.Status == StatusQueued {
			d.settle(e, &verdict{status: StatusSent, at: d.now, detail: how})
			return nil
		}
		d.discard(e)
		o := e.outcome()
		o.Status, o.At, o.Detail = StatusSent, d.now, how
		d.Ledger = append(d.Ledger, o)
		return nil
	})
}

func (d *draft) discard(e *Entry) {
	d.Discarded = append(d.Discarded, e.ID)
	d.Mark.DeadLetters--
	d.Mark.DeadBytes -= int64(e.Stored)
}

// operate changes one entry or dead letter. A queued entry's lane is taken for the time, so that no lease holds it.
func (q *Queue) operate(ctx context.Context, id EntryID, change func(*draft, *Entry) error) error {
	e, err := q.find(ctx, id)
	if err != nil {
		return err
	}
	r := &request{add: func(d *draft) error {
		// Only here nobody else changes rows; what was read above may be gone.
		now, err := q.find(ctx, id)
		switch {
		case err != nil:
			return err
		case now.Status != e.Status || d.touched(id):
			return callhome.Errorf(callhome.KindConflict, "entry %d has just been changed by somebody else", id)
		}
		return change(d, now)
	}}
	if e.Status == StatusQueued {
		road, l := q.claim(e.Road, e.Envelope.Device)
		if l == nil {
			return callhome.Errorf(callhome.KindConflict, "entry %d is about to be sent; try again in a moment", id)
		}
		r.after = func(error) { q.giveBack(road, l, time.Time{}, false) }
	}
	return q.commits.submit(ctx, r)
}

// touched notes that the draft changes an entry, and reports whether it did already.
func (d *draft) touched(id EntryID) bool {
	if d.seen[id] {
		return true
	}
	if d.seen == nil {
		d.seen = map[EntryID]bool{}
	}
	d.seen[id] = true
	return false
}

// claim leases a certain lane, nil if somebody has it.
func (q *Queue) claim(id RoadID, device string) (*road, *lane) {
	q.mu.Lock()
	defer q.mu.Unlock()
	r := q.board.roads[id]
	if r == nil {
		return nil, nil
	}
	l := r.claim(device)
	if l != nil {
		q.board.forget(l)
	}
	return r, l
}
