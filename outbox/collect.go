package outbox

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"callhome"
)

// storePause is the time between two tries to read a store that does not work.
const storePause = time.Second

// maxPostpone is the longest time for which an alert can be postponed: its message is news.
const maxPostpone = 24 * time.Hour

// scanStep is how many devices one look into the store brings.
const scanStep = 256

// alertPrefix begins the text form of alert IDs.
const alertPrefix = "A"

func alertID(n int64) callhome.AlertID {
	return callhome.AlertID(alertPrefix + strconv.FormatInt(n, 10))
}

func alertNumber(id callhome.AlertID) (int64, bool) {
	text, ok := strings.CutPrefix(string(id), alertPrefix)
	n, err := strconv.ParseInt(text, 10, 64)
	return n, ok && err == nil
}

// NextAlert hands out the oldest alert of a device none of whose alerts is in work, and waits for one if there is none.
// The alert is in work until Retire or Postpone; after a crash it is handed out again. The error is ctx's or ErrClosed.
func (q *Queue) NextAlert(ctx context.Context) (*Pending, error) {
	for {
		var l *lane
		err := q.await(ctx, func(now time.Time) (bool, *road, time.Time) {
			if q.collect.wantsScan(now, 0) {
				return false, q.collect, time.Time{}
			}
			l = q.collect.take(now, 0)
			return l != nil, nil, q.collect.nextDue(now, 0)
		})
		if err != nil {
			return nil, err
		}
		p, err := q.openAlert(ctx, l)
		if err != nil {
			q.unreadable(ctx, q.collect, l, err)
			continue
		}
		if p != nil {
			return p, nil
		}
	}
}

// await calls pick, with q.mu held, until it has got something. pick may name a road to scan first, or a time to look
// again.
func (q *Queue) await(ctx context.Context, pick func(time.Time) (got bool, scan *road, wake time.Time)) error {
	for {
		q.mu.Lock()
		if q.closed {
			q.mu.Unlock()
			return ErrClosed
		}
		if err := ctx.Err(); err != nil {
			q.mu.Unlock()
			return err
		}
		got, scan, wake := pick(time.Now())
		if scan != nil {
			scan.scanning = true
		}
		changed := q.changed
		q.mu.Unlock()
		switch {
		case got:
			return nil
		case scan != nil:
			q.scan(ctx, scan)
			continue
		}
		if err := q.sleep(ctx, changed, wake); err != nil {
			return err
		}
	}
}

func (q *Queue) sleep(ctx context.Context, changed <-chan struct{}, wake time.Time) error {
	var due <-chan time.Time
	if !wake.IsZero() {
		t := time.NewTimer(time.Until(wake))
		defer t.Stop()
		due = t.C
	}
	select {
	case <-changed:
	case <-due:
	case <-q.done:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// scan looks up lanes that have no record.
func (q *Queue) scan(ctx context.Context, r *road) {
	q.mu.Lock()
	cursor := r.cursor
	q.mu.Unlock()
	devices, err := q.store.Devices(ctx, r.ID, cursor, scanStep)
	if err != nil && ctx.Err() == nil {
		q.readFailed(err)
		_ = q.sleep(ctx, nil, time.Now().Add(storePause)) // the next look finds out why it ended early
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if err != nil {
		r.scanning = false
	} else {
		r.scanned(devices, len(devices) < scanStep)
	}
	q.wakeAll()
}

// unreadable puts a leased lane off whose rows could not be read.
func (q *Queue) unreadable(ctx context.Context, r *road, l *lane, err error) {
	if ctx.Err() == nil {
		q.readFailed(err)
	}
	q.giveBack(r, l, time.Now().Add(storePause), false)
}

// giveBack ends a lease of a lane.
func (q *Queue) giveBack(r *road, l *lane, due time.Time, empty bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	r.release(l, time.Now(), due, empty)
	q.wakeAll()
}

// openAlert reads a leased lane's first alert, nil if it is not due or there is none; the lane is then given back.
func (q *Queue) openAlert(ctx context.Context, l *lane) (*Pending, error) {
	row, err := q.store.FirstAlert(ctx, l.device)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	if row == nil || !row.due(now) {
		due := time.Time{}
		if row != nil {
			due = onward(now, row.RetryAt)
		}
		q.giveBack(q.collect, l, due, row == nil)
		return nil, nil //nolint:nilnil // the caller looks for another lane
	}
	q.readWorked()
	p := &Pending{AcceptedAt: row.AcceptedAt, first: row.First}
	unreadable := q.decodeAlert(row, &p.Alert)
	q.mu.Lock()
	q.working[row.ID] = &work{lane: l, stored: len(row.Packed)}
	q.mu.Unlock()
	if unreadable != nil {
		q.buryAlert(ctx, row.ID, &p.Alert, unreadable)
		return nil, nil //nolint:nilnil // the caller looks for another lane
	}
	return p, nil
}

// due reports whether an alert may be handed out. One that was accepted in the future, or postponed for longer than
// anybody does, met a clock that stood wrong.
func (a *AlertRow) due(now time.Time) bool {
	return !a.RetryAt.After(now) || a.AcceptedAt.After(now) || a.RetryAt.Sub(now) > maxPostpone
}

func (q *Queue) decodeAlert(row *AlertRow, into *callhome.Alert) error {
	text, err := q.packs.unpack(row.Packed, 0)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	into.ID = alertID(row.ID)
	return err
}

// buryAlert retires an alert whose stored form is damaged, so that its lane goes on: what is left of it is a line of the
// ledger.
func (q *Queue) buryAlert(ctx context.Context, n int64, a *callhome.Alert, why error) {
	q.log.Error("a stored alert cannot be read and is given up", "alert_id", a.ID, "err", why)
	line := Outcome{Status: StatusDead, Group: a.Group, Detail: detailOf(fmt.Errorf("the stored alert cannot be read: %w", why))}
	if err := q.Retire(ctx, a.ID, nil, []Outcome{line}); err != nil && ctx.Err() == nil {
		q.log.Error("the unreadable alert could not be retired and is looked at again", "alert_id", a.ID, "err", err)
		_ = q.Postpone(ctx, a.ID, time.Now().Add(storePause)) // ends the work in any case
	}
}

// takeBack finds an alert that was handed out; it is not found a second time.
func (q *Queue) takeBack(id callhome.AlertID) (int64, *work, error) {
	n, ok := alertNumber(id)
	q.mu.Lock()
	w := q.working[n]
	if w != nil && w.ending {
		w = nil
	}
	if w != nil {
		w.ending = true
	}
	q.mu.Unlock()
	if !ok || w == nil {
		return 0, nil, callhome.Errorf(callhome.KindConflict, "alert %s is not in work: it was retired, postponed or never handed out", id)
	}
	return n, w, nil
}

// Retire ends an alert that NextAlert handed out: its envelopes become entries, its outcomes go to the ledger, the
// alert goes, all in one transaction. It is durable when nil is returned. While the store does not work, Retire waits;
// if ctx ends first, the outbox goes on trying by itself. Limits do not apply: the alert was accepted. AlertID, Device
// and At of the outcomes are filled in. When Retire fails although ctx goes on, the alert stays in work: the caller
// retires it once more or postpones it. When ctx has ended or the process has, it is handed out again.
func (q *Queue) Retire(ctx context.Context, id callhome.AlertID, envelopes []callhome.Envelope, outcomes []Outcome) error {
	n, w, err := q.takeBack(id)
	if err != nil {
		return err
	}
	entries, bodies, bytes := q.packAll(envelopes)
	for i := range entries {
		entries[i].Envelope.AlertID, entries[i].Envelope.Device = id, w.lane.device
	}
	r := &request{bytes: bytes, keep: true, add: func(d *draft) error {
		d.Retired = append(d.Retired, n)
		d.Mark.Alerts--
		d.Mark.AlertBytes -= int64(w.stored)
		q.addEntries(d, entries, bodies)
		for _, o := range outcomes {
			o.AlertID, o.Device, o.At = id, w.lane.device, d.now
			d.ledger(o)
		}
		return nil
	}}
	r.after = func(err error) {
		if err != nil {
			q.stayInWork(n, w)
			return
		}
		q.endWork(n, w, time.Time{})
	}
	if err := q.commits.submit(ctx, r); err != nil {
		if ctx.Err() != nil {
			q.abandon(n, w)
		}
		return fmt.Errorf("retire alert %s: %w", id, err)
	}
	q.metrics.entries.Add(float64(len(entries)))
	return nil
}

// stayInWork leaves an alert whose Retire failed with the one who works it, unless nobody does any more.
func (q *Queue) stayInWork(n int64, w *work) {
	q.mu.Lock()
	defer q.mu.Unlock()
	w.ending = false
	if w.abandoned {
		q.endWorkLocked(n, w, time.Now().Add(storePause))
	}
}

// abandon notes that the one who works an alert went away while its Retire was under way, or has just failed.
func (q *Queue) abandon(n int64, w *work) {
	q.mu.Lock()
	defer q.mu.Unlock()
	w.abandoned = true
	if !w.ending && q.working[n] == w {
		q.endWorkLocked(n, w, time.Now().Add(storePause))
	}
}

// endWork gives an alert's lane back.
func (q *Queue) endWork(n int64, w *work, due time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.endWorkLocked(n, w, due)
}

// endWorkLocked is endWork for a caller that holds q.mu.
func (q *Queue) endWorkLocked(n int64, w *work, due time.Time) {
	delete(q.working, n)
	q.collect.release(w.lane, time.Now(), due, false)
	q.wakeAll()
}

// Postpone gives an alert back that cannot be worked now. It and the later alerts of its device wait until then,
// at most a day.
// If it fails, they wait as long as this process runs, and are handed out at once by the next.
func (q *Queue) Postpone(ctx context.Context, id callhome.AlertID, until time.Time) error {
	n, w, err := q.takeBack(id)
	if err != nil {
		return err
	}
	now := time.Now()
	until = onward(now, until)
	if latest := now.Add(maxPostpone); until.After(latest) {
		until = latest
	}
	r := &request{keep: true, add: func(d *draft) error {
		d.Delays = append(d.Delays, Delay{ID: n, RetryAt: stamp(until)})
		return nil
	}}
	r.after = func(error) { q.endWork(n, w, until) }
	if err := q.commits.submit(ctx, r); err != nil {
		return fmt.Errorf("postpone alert %s: %w", id, err)
	}
	return nil
}
