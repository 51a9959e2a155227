package outbox

import (
	"cmp"
	"context"
	"slices"
	"time"
)

const (
	// recordDelay is how long recorded drops gather before they are stored.
	recordDelay = time.Second
	// maxRecorded bounds the ledger lines that gather; in a storm further ones are counted, without a line.
	maxRecorded = 4096
)

// drops gathers what was recorded and is not yet stored.
type drops struct {
	lines  []Outcome
	counts map[Count]int64
	timer  *time.Timer // of the next flush, nil when nothing waits
}

// RecordDropped notes what became of alerts that never reached the outbox. It returns at once; the lines are stored
// within a second, several together, and are forgotten by a kill -9 before that: nobody was promised them. In a storm,
// beyond 4096 lines a second, only the counts are kept. At is filled in where it is zero, Status where it is empty.
func (q *Queue) RecordDropped(outcomes ...Outcome) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	if q.drops.counts == nil {
		q.drops.counts = map[Count]int64{}
	}
	for _, o := range outcomes {
		if o.At.IsZero() {
			o.At = time.Now()
		}
		o.At = stamp(o.At)
		o.Status = cmp.Or(o.Status, StatusDropped)
		q.drops.counts[Count{Group: o.Group, Transport: o.Destination.Transport, Status: o.Status, Reason: o.Reason}]++
		if len(q.drops.lines) < maxRecorded {
			q.drops.lines = append(q.drops.lines, o)
		}
	}
	if q.drops.timer == nil {
		q.drops.timer = time.AfterFunc(recordDelay, q.flush)
	}
}

// flush hands recorded drops to the committer. A store that does not take them gets their counts the next time.
func (q *Queue) flush() {
	q.mu.Lock()
	d := q.drops
	q.drops = drops{}
	q.mu.Unlock()
	if d.timer == nil {
		return
	}
	d.timer.Stop()
	r := &request{done: make(chan error, 1), add: func(dr *draft) error {
		dr.Ledger = append(dr.Ledger, d.lines...)
		for cell, n := range d.counts {
			dr.counts[cell] += n
		}
		return nil
	}}
	r.after = func(err error) {
		if err != nil {
			q.regather(d)
		}
	}
	_ = q.commits.enqueue(r) // a closed queue forgets them, as a killed one does
}

// regather puts drops back that the store did not take.
func (q *Queue) regather(d drops) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	if q.drops.counts == nil {
		q.drops.counts = map[Count]int64{}
	}
	for cell, n := range d.counts {
		q.drops.counts[cell] += n
	}
	keep := min(len(d.lines), maxRecorded-min(maxRecorded, len(q.drops.lines)))
	q.drops.lines = append(d.lines[:keep:keep], q.drops.lines...)
	if q.drops.timer == nil {
		q.drops.timer = time.AfterFunc(recordDelay, q.flush)
	}
}

// History tells what became of messages, newest first: lines of the ledger and, in the first page, what is still
// queued.
func (q *Queue) History(ctx context.Context, f LedgerFilter) ([]Outcome, error) {
	if f.Limit <= 0 {
		f.Limit = DefaultLimit
	}
	lines, err := q.store.Ledger(ctx, f)
	if err != nil || f.Before != 0 {
		return lines, err
	}
	queued, err := q.store.List(ctx, Filter{Status: StatusQueued, MessageID: f.MessageID, Newest: true, Limit: f.Limit})
	if err != nil {
		return nil, err
	}
	for i := range queued {
		lines = append(lines, queued[i].outcome())
	}
	slices.SortStableFunc(lines, func(a, b Outcome) int { return b.At.Compare(a.At) })
	return lines[:min(len(lines), f.Limit)], nil
}

// outcome is the line of an entry that is still queued.
func (e *Entry) outcome() Outcome {
	return Outcome{
		At: e.QueuedAt, Status: e.Status, AlertID: e.Envelope.AlertID, MessageID: e.Envelope.MessageID, Device: e.Envelope.Device,
		Group: e.Envelope.Group, Profile: e.Envelope.Profile, Destination: e.Envelope.Destination, Attempts: e.Attempts,
		QueuedAt: e.QueuedAt, Detail: e.LastError,
	}
}

// Statistics counts messages since the store was made, recorded drops of the last second included.
func (q *Queue) Statistics() Statistics {
	q.mu.Lock()
	defer q.mu.Unlock()
	sum := make(map[Count]int64, len(q.counts))
	for cell, n := range q.counts {
		sum[cell] += n
	}
	for cell, n := range q.drops.counts {
		sum[cell] += n
	}
	out := Statistics{LastSentAt: q.books.LastSentAt, Counts: make([]Count, 0, len(sum))}
	for cell, n := range sum {
		if n != 0 {
			cell.N = n
			out.Counts = append(out.Counts, cell)
		}
	}
	slices.SortFunc(out.Counts, func(a, b Count) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Transport, b.Transport),
			cmp.Compare(a.Status, b.Status), cmp.Compare(a.Reason, b.Reason))
	})
	return out
}

// Depth tells how full the queue is.
func (q *Queue) Depth(ctx context.Context) (Depth, error) {
	oldest, err := q.store.Oldest(ctx)
	if err != nil {
		return Depth{}, err
	}
	d := q.depth()
	d.OldestAt = oldest
	return d, nil
}

func (q *Queue) depth() Depth {
	q.mu.Lock()
	defer q.mu.Unlock()
	b := &q.books
	return Depth{
		Alerts: b.Alerts, Entries: b.Entries, DeadLetters: b.DeadLetters, AlertBytes: b.AlertBytes, EntryBytes: b.EntryBytes,
		DeadBytes: b.DeadBytes, LimitBytes: q.cfg.MaxBytes,
	}
}
