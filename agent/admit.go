package agent

import (
	"context"
	"errors"
	"time"

	"callhome"
	"callhome/agent/throttle"
	"callhome/outbox"
)

// admission is an alert on its way into the outbox.
type admission struct {
	alert callhome.Alert
	facts throttle.Facts // by which throttling let it pass
	done  chan<- error   // nil when nobody waits for the outcome
}

// storePause is the time between two tries to store alerts when the disk or the outbox is full, or busy.
const storePause = time.Second

// admitAlert hands an alert to the writer. With wait it returns when the alert is durable, however long the outbox is
// full: the line is safe where it was read. Without, it returns when the alert is handed over. The error is ctx's.
func (a *Agent) admitAlert(ctx context.Context, ad admission, wait bool) error {
	if !wait {
		err := a.handOver(ctx, ad)
		if err != nil {
			a.drop(&ad.alert, callhome.ReasonQueueFull)
		}
		return err
	}
	done := make(chan error, 1)
	ad.done = done
	for {
		if err := a.handOver(ctx, ad); err != nil {
			return err
		}
		select {
		case err := <-done:
			if err == nil {
				return nil
			}
		case <-ctx.Done():
			return outcome(ctx, done)
		}
		select {
		case <-time.After(storePause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// outcome waits a moment longer, after the end of ctx, for an alert that was handed over: if it is stored, its line must
// not be read again at the next start.
func outcome(ctx context.Context, done <-chan error) error {
	select {
	case err := <-done:
		return err
	case <-time.After(drainTime):
		return ctx.Err()
	}
}

// handOver gives an alert to the writer, also when ctx is over, if there is room. What it does not give was not told.
func (a *Agent) handOver(ctx context.Context, ad admission) error {
	select {
	case a.admit <- ad:
		return nil
	default:
	}
	select {
	case a.admit <- ad:
		return nil
	case <-ctx.Done():
		a.retract(ad.facts)
		return ctx.Err()
	}
}

func (a *Agent) retract(f throttle.Facts) {
	a.throttleMu.Lock()
	defer a.throttleMu.Unlock()
	a.limiter.Retract(f)
}

// batch are alerts that go into one transaction.
type batch struct {
	admissions []admission
	prepared   *outbox.Prepared
}

// admitLoop stores alerts, all that wait in one transaction, until the channel is closed and empty or ctx ends. While a
// batch is being stored the next is prepared.
func (a *Agent) admitLoop(ctx context.Context) {
	ready := make(chan *batch)
	go func() {
		defer close(ready)
		var before map[string]bool
		for first := range a.admit {
			b := a.gatherBatch(first)
			alerts := make([]callhome.Alert, len(b.admissions))
			for i := range b.admissions {
				alerts[i] = b.admissions[i].alert
			}
			b.prepared = a.parts.Outbox.Prepare(alerts, &maker{agent: a, plan: a.plan.Load(), before: before})
			before = b.prepared.Waiting()
			ready <- b
		}
	}()
	for b := range ready {
		a.store(ctx, b)
	}
}

// gatherBatch takes what else waits.
func (a *Agent) gatherBatch(first admission) *batch {
	b := &batch{admissions: make([]admission, 1, 1+min(len(a.admit), admitBatch-1))}
	b.admissions[0] = first
	for len(b.admissions) < admitBatch {
		select {
		case next, ok := <-a.admit:
			if !ok {
				return b
			}
			b.admissions = append(b.admissions, next)
		default:
			return b
		}
	}
	return b
}

// store puts a batch into the outbox. While the disk is full it tries again, and readers wait; when the queue itself is
// full by configuration, alerts whose source does not keep them are dropped, counted and told. One that the outbox
// refuses for its content takes no other with it.
func (a *Agent) store(ctx context.Context, b *batch) {
	for {
		_, err := a.parts.Outbox.Accept(ctx, b.prepared)
		switch {
		case err == nil, errors.Is(err, outbox.ErrFull), ctx.Err() != nil:
			a.stored(b.admissions, err, true)
			return
		case callhome.KindOf(err) != callhome.KindUnavailable && len(b.admissions) == 1:
			a.stored(b.admissions, err, false)
			return
		case callhome.KindOf(err) != callhome.KindUnavailable:
			for i, p := range b.prepared.Split() {
				a.store(ctx, &batch{admissions: b.admissions[i : i+1], prepared: p})
			}
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(storePause):
		}
	}
}

// stored tells what became of a batch. With again, sources that wait bring their alerts another time.
func (a *Agent) stored(batch []admission, err error, again bool) {
	lost := 0
	for i := range batch {
		ad := &batch[i]
		switch {
		case err == nil:
			a.stats.admitted(&ad.alert)
			a.watch(Happening{At: ad.alert.ReceivedAt, What: Admitted, Device: ad.alert.Device, Group: ad.alert.Group, Level: ad.alert.Level, Text: ad.alert.Text})
		case ad.done != nil && again:
			a.retract(ad.facts)
			ad.done <- err
			continue
		default:
			a.retract(ad.facts)
			a.drop(&ad.alert, callhome.ReasonQueueFull)
			lost++
		}
		if ad.done != nil {
			ad.done <- nil // stored, or given up for good: the source goes on
		}
	}
	if lost > 0 {
		a.parts.Log.Error("alerts could not be stored and are lost", "count", lost, "err", err)
	}
}

// drop counts an alert that is not sent and files it in the ledger for every profile that wanted it.
func (a *Agent) drop(alert *callhome.Alert, reason callhome.Reason) {
	a.metrics.drops(reason).Add(float64(max(1, len(alert.Profiles))))
	a.stats.count(reason)
	for _, profile := range alert.Profiles {
		a.parts.Outbox.RecordDropped(outbox.Outcome{
			Reason: reason, AlertID: alert.ID, Device: alert.Device, Group: alert.Group, Profile: profile, Detail: alert.Text,
		})
	}
	a.watch(Happening{At: alert.ReceivedAt, What: HeldBack, Device: alert.Device, Group: alert.Group, Level: alert.Level, Reason: reason, Text: alert.Text})
}

func (a *Agent) watch(h Happening) {
	if a.parts.Watch != nil {
		a.parts.Watch(h)
	}
}
