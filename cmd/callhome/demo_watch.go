package main

import (
	"context"
	"fmt"
	"time"

	"callhome/server/account"
	"callhome/server/analysis"
	"callhome/server/archive"
	"callhome/server/casework"
	"callhome/server/registry"
	"callhome/server/sqlstore"
)

// tx is one transaction of the back end's database.
type tx = *sqlstore.Tx

// feedRows are how many entries of the feed one look reads.
const feedRows = 100

// watcher prints what the back end writes, as its feed tells it.
type watcher struct {
	d     *demo
	read  tx
	after int64
	state map[int64]registry.State
	cases map[int64]bool
}

// watch prints until ctx ends.
func (d *demo) watch(ctx context.Context, h *home) {
	w := &watcher{d: d, read: h.back.store.Read(), state: map[int64]registry.State{}, cases: map[int64]bool{}}
	tick := time.NewTicker(demoLook)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := w.look(ctx); err != nil && ctx.Err() == nil {
			d.say("what the back end does cannot be read: %v", err)
			return
		}
	}
}

// look prints what is new. One process writes to a SQLite file, so the feed's order is that of its IDs.
func (w *watcher) look(ctx context.Context) error {
	type happened struct {
		kind    string
		objects []int64
	}
	var news []happened
	err := w.read.FeedAfter(ctx, w.after, feedRows, func(id int64, kind string, _ account.CompanyID, objects []int64) {
		w.after = id
		news = append(news, happened{kind, objects})
	})
	if err != nil {
		return err
	}
	for _, n := range news {
		for _, id := range n.objects {
			if err := w.tell(ctx, n.kind, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// tell prints one record. What was removed meanwhile is nothing to tell of.
func (w *watcher) tell(ctx context.Context, kind string, id int64) error {
	switch kind {
	case "message":
		r, ok, err := w.read.Archive().Record(ctx, id, account.Everywhere())
		if err != nil || !ok {
			return err
		}
		w.d.say("%-10s archived   %s, %s: %s", r.SystemName, r.MessageID, r.Group, r.Description)
	case "device":
		dev, err := w.read.Registry().Device(ctx, registry.ID(id))
		if err != nil {
			return err
		}
		if w.state[id] != dev.State {
			w.state[id] = dev.State
			w.d.say("%-10s is now     %s: %s, contract %s", dev.SystemName, dev.State, dev.DeviceID, dev.Contract)
		}
	case "finding":
		f, ok, err := w.read.Analysis().Find(ctx, account.Everywhere(), id)
		if err != nil || !ok {
			return err
		}
		dev, err := w.read.Registry().Device(ctx, registry.ID(f.Device))
		if err != nil {
			return err
		}
		w.d.say("%-10s finding    %s: %s", dev.SystemName, f.Rule, f.Title)
	case "service-request":
		c, err := w.read.Casework().Case(ctx, account.Everywhere(), id)
		if err != nil {
			return err
		}
		if !w.cases[id] {
			w.cases[id] = true
			w.d.say("%-10s opened     service request %s, priority %d: %s", c.Subject.Host, c.Number, c.Priority, c.Title)
		}
	}
	return nil
}

// summarise prints what the demo came to at the back end, from its maintained counters.
func (h *home) summarise(ctx context.Context, d *demo) error {
	read, all := h.back.store.Read(), account.Everywhere()
	messages, err := read.Archive().Counts(ctx, all, time.Time{})
	if err != nil {
		return err
	}
	findings, err := read.Analysis().Counts(ctx, all, time.Time{})
	if err != nil {
		return err
	}
	devices, err := read.Registry().ListDevices(ctx, all, registry.DeviceFilter{State: registry.StateRegistered}, account.Page{Limit: 2 * demoDevices})
	if err != nil {
		return err
	}
	tallies, err := read.Casework().Tallies(ctx, all)
	if err != nil {
		return err
	}
	mails, err := read.Notify().Counts(ctx, all, time.Time{})
	if err != nil {
		return err
	}
	d.screen.Lock()
	defer d.screen.Unlock()
	fmt.Fprintf(d.out, "The back end: %d messages archived, %d devices registered, %d findings, %d service requests, %d notifications by mail\n",
		archived(messages), len(devices), found(findings), opened(tallies), mails["sent"])
	return nil
}

func archived(c archive.Counts) (n int64) {
	for _, k := range c.ByStatus {
		n += k
	}
	return n
}

func found(c analysis.Counts) (n int64) {
	for _, k := range c.ByOutcome {
		n += k
	}
	return n
}

func opened(tallies []casework.Tally) (n int64) {
	for _, t := range tallies {
		n += t.Cases
	}
	return n
}
