package agent

import (
	"context"
	"errors"
	"time"

	"callhome"
	"callhome/outbox"
)

// admission is an alert on its way into the outbox.
type admission struct {
	alert callhome.Alert
	done  chan<- error // nil when nobody waits for the outcome
}

// storePause is the time between two tries to store alerts when the disk is full or busy.
const storePause = time.Second

// admitAlert hands an alert to the writer. With wait it returns when the alert is durable, else when it is handed over.
// The error is ctx's.
func (a *Agent) admitAlert(ctx context.Context, alert callhome.Alert, wait bool) error {
	ad := admission{alert: alert}
	var done chan error
	if wait {
		done = make(chan error, 1)
		ad.done = done
	}
	select {
	case a.admit <- ad:
	case <-ctx.Done():
		return ctx.Err()
	}
	if !wait {
		return nil
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// admitLoop stores alerts, all that wait in one transaction, until the channel is closed and empty or ctx ends.
func (a *Agent) admitLoop(ctx context.Context) {
	batch := make([]admission, 0, admitBatch)
	for first := range a.admit {
		batch = append(batch[:0], first)
	gather:
		for len(batch) < admitBatch {
			select {
			case next, ok := <-a.admit:
				if !ok {
					break gather
				}
				batch = append(batch, next)
			default:
				break gather
			}
		}
		a.store(ctx, batch)
	}
}

// store puts a batch into the outbox. While the disk is full it tries again, and readers wait; when the queue itself is
// full by configuration, the alerts are dropped, counted and told.
func (a *Agent) store(ctx context.Context, batch []admission) {
	alerts := make([]callhome.Alert, len(batch))
	for i := range batch {
		alerts[i] = batch[i].alert
	}
	for {
		_, err := a.parts.Outbox.PutAlerts(ctx, alerts)
		switch {
		case err == nil, errors.Is(err, outbox.ErrFull), callhome.KindOf(err) != callhome.KindUnavailable, ctx.Err() != nil:
			a.stored(batch, err)
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(storePause):
		}
	}
}

func (a *Agent) stored(batch []admission, err error) {
	for i := range batch {
		ad := &batch[i]
		if err != nil {
			a.drop(&ad.alert, callhome.ReasonQueueFull)
		} else {
			a.stats.admitted(&ad.alert)
			a.watch(Happening{At: ad.alert.ReceivedAt, What: Admitted, Device: ad.alert.Device, Group: ad.alert.Group, Level: ad.alert.Level, Text: ad.alert.Text})
		}
		if ad.done != nil {
			ad.done <- err
		}
	}
	if err != nil {
		a.parts.Log.Error("alerts could not be stored and are lost", "count", len(batch), "err", err)
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
