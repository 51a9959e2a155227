package casework

import (
	"context"
	"errors"
	"time"

	"callhome"
)

// change collects what is done to one locked case; finish stores it.
type change struct {
	d      *Desk
	s      Store
	c      *Case
	by     By
	now    time.Time
	cause  *Cause
	quiet  bool // nobody is to hear of it
	snooze bool // it slept when the change began

	events []Happening
}

func (d *Desk) begin(s Store, c *Case, by By, now time.Time) *change {
	return &change{d: d, s: s, c: c, by: by, now: now, snooze: c != nil && c.SnoozedUntil.After(now)}
}

// event adds a line to the history; Case is filled in by finish.
func (ch *change) event(kind EventKind, from, to, text string) {
	ch.events = append(ch.events, Happening{
		Event: Event{At: ch.now, By: ch.by, Kind: kind, From: from, To: to, Text: clip(text, maxText)}, Cause: ch.cause,
		Quiet: ch.quiet || ch.snooze && !loud(kind),
	})
}

// loud events are told although the case sleeps.
func loud(kind EventKind) bool { return kind == EventEscalated || kind == EventResolved }

// hush makes the last event one that people need not hear of.
func (ch *change) hush() { ch.events[len(ch.events)-1].Quiet = true }

// move changes the state, with all that goes with it.
func (ch *change) move(to State, kind EventKind, text string) {
	c, from := ch.c, ch.c.State
	c.State = to
	switch to {
	case StateAcknowledged:
		c.AckedAt, c.StepAt = ch.now, time.Time{}
	case StatePendingCustomer, StatePendingVendor:
		c.StepAt = time.Time{}
	case StateResolved:
		c.ResolvedAt = ch.now
		c.rest()
	case StateClosed:
		c.ClosedAt = ch.now
		c.rest()
	}
	ch.event(kind, string(from), string(to), text)
}

// rest stops all clocks of a case that is over.
func (c *Case) rest() {
	c.SettleAt, c.StepAt, c.SnoozedUntil = time.Time{}, time.Time{}, time.Time{}
	c.Flapping = false
	c.Step, c.Round = 0, 0
}

// reopen brings a case back to life.
func (ch *change) reopen(ctx context.Context, text string) error {
	c := ch.c
	closed := c.State == StateClosed
	c.ResolvedAt, c.ClosedAt, c.AckedAt = time.Time{}, time.Time{}, time.Time{}
	c.Reopened++
	ch.move(StateOpen, EventReopened, text)
	ch.arm()
	if closed {
		return ch.takeCode(ctx)
	}
	return nil
}

// arm starts the escalation of the case's team from its beginning.
func (ch *change) arm() {
	c := ch.c
	c.Step, c.Round, c.StepAt = 0, 0, time.Time{}
	if p := ch.d.cfg.policy(c.Team); p != nil && c.Level >= p.MinLevel && (c.State == StateNew || c.State == StateOpen) {
		c.StepAt = ch.now.Add(p.Steps[0].After)
	}
}

// codeTries: with a thousand open cases a second try is needed once in seven hundred thousand.
const codeTries = 8

func (ch *change) takeCode(ctx context.Context) error {
	for range codeTries {
		code, err := newCode()
		if err != nil {
			return err
		}
		ok, err := ch.s.TakeCode(ctx, CodeHash(code), ch.c.ID)
		if err != nil {
			return err
		}
		if ok {
			ch.c.Code = code
			return nil
		}
	}
	return callhome.Errorf(callhome.KindInternal, "no short code is free for %s", ch.c.Number)
}

// finish stores the case, its events and what ticket systems shall hear of them.
func (ch *change) finish(ctx context.Context) ([]Happening, error) {
	c := ch.c
	if len(ch.events) > 0 {
		c.UpdatedAt = ch.now
	}
	if c.State == StateClosed && c.Code != "" {
		c.Code = ""
		if err := ch.s.FreeCode(ctx, c.ID); err != nil {
			return nil, err
		}
	}
	c.DueAt = ch.due()
	for i := range ch.events {
		e := &ch.events[i].Event
		c.Seq++
		e.Case, e.Seq = c.ID, c.Seq
		if err := ch.s.AddEvent(ctx, e); err != nil {
			return nil, err
		}
	}
	for i := range ch.events {
		ch.events[i].Case = *c
	}
	return ch.events, errors.Join(ch.s.PutCase(ctx, c), ch.push(ctx))
}

// due is when Tick has to look at the case.
func (ch *change) due() time.Time {
	c := ch.c
	var due time.Time
	for _, t := range []time.Time{c.SnoozedUntil, c.SettleAt, c.StepAt, ch.closesAt()} {
		if !t.IsZero() && (due.IsZero() || t.Before(due)) {
			due = t
		}
	}
	return due
}

func (ch *change) closesAt() time.Time {
	if ch.c.State != StateResolved {
		return time.Time{}
	}
	return ch.c.ResolvedAt.Add(ch.d.cfg.CloseAfter)
}
