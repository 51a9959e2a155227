package outbox

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"callhome"
)

// Maker makes what an alert comes to, for alerts that need nothing but themselves: no command is run for them. The Queue
// calls it from several goroutines.
type Maker interface {
	// Ready reports whether Make can make the alert's envelopes at once. It is quick.
	Ready(a *callhome.Alert) bool
	// Make gives the envelopes and outcomes that Retire would be given. It waits for nothing.
	Make(p *Pending) ([]callhome.Envelope, []Outcome)
}

// Prepared are alerts with the numbers reserved for them, on their way into the outbox. It is good for one Accept that
// succeeds.
type Prepared struct {
	alerts []prepared
	ids    []callhome.AlertID
	bytes  int
	last   numbers
}

// prepared is one alert: a row of its own, or what it came to already.
type prepared struct {
	row      AlertRow // Packed is nil for an alert that is made
	id       callhome.AlertID
	entries  []Entry
	bodies   [][]byte
	outcomes []Outcome
	err      error // it cannot be packed
}

// numbers are the highest that were given out.
type numbers struct {
	alert  int64
	number uint64
}

// Prepare reserves IDs and message numbers for alerts and packs them. Alerts that m is ready for are made here, so that
// Accept stores their envelopes in the transaction that accepts them; but only where nothing else of their device waits
// to be collected, which they would overtake. m may be nil. Numbers of alerts that are never accepted are not used again
// by this process; the next may use them, as nothing left under them.
//
// Who prepares alerts while others are on their way into the outbox sees to it that they do not overtake those: m must not
// be ready for a device that is [Prepared.Waiting] there.
func (q *Queue) Prepare(alerts []callhome.Alert, m Maker) *Prepared {
	p := &Prepared{alerts: make([]prepared, len(alerts)), ids: make([]callhome.AlertID, len(alerts))}
	now := stamp(time.Now())
	q.mu.Lock()
	last := q.reserved
	last.alert, last.number = max(last.alert, q.books.LastAlert), max(last.number, q.books.LastNumber)
	made := make([]bool, len(alerts))
	for i := range alerts {
		last.alert++
		p.alerts[i].row = AlertRow{ID: last.alert, Device: alerts[i].Device, First: last.number + 1, AcceptedAt: now}
		p.alerts[i].id = alertID(last.alert)
		p.ids[i] = p.alerts[i].id
		last.number += numbersFor(&alerts[i])
		made[i] = m != nil && q.collect.idle(alerts[i].Device)
	}
	q.reserved, p.last = last, last
	q.mu.Unlock()
	waiting := map[string]bool{} // devices of which an alert of this very batch is to be collected
	for i := range alerts {
		made[i] = made[i] && !waiting[alerts[i].Device] && m.Ready(&alerts[i])
		if !made[i] {
			waiting[alerts[i].Device] = true
		}
	}
	aside(len(alerts), func(i int) { q.prepare(&p.alerts[i], &alerts[i], m, made[i]) })
	for i := range p.alerts {
		p.bytes += p.alerts[i].stored()
	}
	return p
}

// Waiting are the devices of alerts among them that are to be collected, nil if there are none.
func (p *Prepared) Waiting() (devices map[string]bool) {
	for i := range p.alerts {
		if a := &p.alerts[i]; a.row.Packed != nil {
			if devices == nil {
				devices = map[string]bool{}
			}
			devices[a.row.Device] = true
		}
	}
	return devices
}

// Split gives each alert by itself, with the same numbers, for when one keeps the others from being accepted.
func (p *Prepared) Split() []*Prepared {
	out := make([]*Prepared, len(p.alerts))
	for i := range p.alerts {
		out[i] = &Prepared{alerts: p.alerts[i : i+1], ids: p.ids[i : i+1], bytes: p.alerts[i].stored(), last: p.last}
	}
	return out
}

func (q *Queue) prepare(p *prepared, a *callhome.Alert, m Maker, made bool) {
	if !made {
		text, err := json.Marshal(a)
		if err != nil {
			p.err = callhome.Errorf(callhome.KindInvalid, "put alert: %w", err)
			return
		}
		p.row.Packed = q.packs.pack(text)
		return
	}
	pending := &Pending{Alert: *a, AcceptedAt: p.row.AcceptedAt, first: p.row.First}
	pending.Alert.ID = p.id
	envelopes, outcomes := m.Make(pending)
	p.entries, p.bodies, _ = q.packAll(envelopes)
	for i := range p.entries {
		p.entries[i].Envelope.AlertID, p.entries[i].Envelope.Device = p.id, p.row.Device
	}
	p.outcomes = outcomes
}

func (p *prepared) stored() int {
	n := len(p.row.Packed)
	for i := range p.entries {
		n += p.entries[i].Stored
	}
	return n
}

// aside runs f for 0 to n-1, on as many goroutines as there are processors.
func aside(n int, f func(i int)) {
	workers := min(n, runtime.GOMAXPROCS(0))
	if workers <= 1 {
		for i := range n {
			f(i)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wg.Wait()
}

// Accept stores prepared alerts in one transaction, all or none, and gives their IDs. They are durable when nil is
// returned: each waits to be collected, or its envelopes are entries. On error nothing is stored, and Accept may be tried
// again, except that after the end of ctx the alerts may have been; see PutAlert for the errors.
func (q *Queue) Accept(ctx context.Context, p *Prepared) ([]callhome.AlertID, error) {
	entries := 0
	for i := range p.alerts {
		if err := p.alerts[i].err; err != nil {
			return nil, err
		}
		entries += len(p.alerts[i].entries)
	}
	r := &request{bytes: p.bytes, add: func(d *draft) error {
		if err := q.room(d, p.bytes); err != nil {
			return err
		}
		d.Mark.LastAlert, d.Mark.LastNumber = max(d.Mark.LastAlert, p.last.alert), max(d.Mark.LastNumber, p.last.number)
		for i := range p.alerts {
			q.accept(d, &p.alerts[i])
		}
		return nil
	}}
	if err := q.commits.submit(ctx, r); err != nil {
		return nil, fmt.Errorf("put alert: %w", err)
	}
	q.metrics.alerts.Add(float64(len(p.alerts)))
	q.metrics.entries.Add(float64(entries))
	return p.ids, nil
}

// accept puts one alert, or what it came to, into the draft.
func (q *Queue) accept(d *draft, a *prepared) {
	if a.row.Packed != nil {
		d.Mark.Alerts++
		d.Mark.AlertBytes += int64(len(a.row.Packed))
		d.Alerts = append(d.Alerts, a.row)
		d.lanes = append(d.lanes, laneKey{road: collectRoad, device: a.row.Device, entry: noEntry})
		return
	}
	q.addEntries(d, a.entries, a.bodies)
	for _, o := range a.outcomes {
		o.AlertID, o.Device, o.At = a.id, a.row.Device, d.now
		d.ledger(o)
	}
}

// PutAlert stores an alert: it is durable when nil is returned. On error nothing is stored, except that after the end
// of ctx the alert may have been; an error of [callhome.KindUnavailable] is ErrFull, ErrClosed or a store that does not
// work now. A caller who then gives the alert up says so by [Queue.RecordDropped] with [callhome.ReasonQueueFull].
func (q *Queue) PutAlert(ctx context.Context, a callhome.Alert) error {
	_, err := q.PutAlerts(ctx, []callhome.Alert{a})
	return err
}

// PutAlerts stores alerts to be collected in one transaction, all or none, and gives their IDs; see PutAlert. IDs that
// the alerts have are replaced.
func (q *Queue) PutAlerts(ctx context.Context, alerts []callhome.Alert) ([]callhome.AlertID, error) {
	return q.Accept(ctx, q.Prepare(alerts, nil))
}
