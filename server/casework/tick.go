package casework

import (
	"context"
	"strings"
	"time"
)

// Tick does what has become due: snoozes and quiet times end, the next step of an escalation is called, what has been
// resolved long enough is closed, and what was held back by maintenance is looked at again. It works up to limit of each
// and is called again, in a new transaction, until it has nothing to tell; several servers may do so.
func (d *Desk) Tick(ctx context.Context, s Store, limit int) ([]Happening, error) {
	now := d.Now()
	ids, err := s.CasesDue(ctx, now, limit)
	if err != nil {
		return nil, err
	}
	var told []Happening
	for _, id := range ids {
		c, err := s.LockCase(ctx, id)
		if err != nil {
			return nil, err
		}
		if c.DueAt.IsZero() || c.DueAt.After(now) {
			continue // somebody was faster
		}
		ch := d.begin(s, c, By{Who: "callhome", Via: ViaTimer}, now)
		if err := ch.due1(ctx); err != nil {
			return nil, err
		}
		h, err := ch.finish(ctx)
		if err != nil {
			return nil, err
		}
		told = append(told, h...)
	}
	held, err := d.catchUp(ctx, s, now, limit)
	return append(told, held...), err
}

func passed(t, now time.Time) bool { return !t.IsZero() && !t.After(now) }

// due1 does all that is due for one case.
func (ch *change) due1(ctx context.Context) error {
	c := ch.c
	if passed(c.SettleAt, ch.now) && c.State.Active() {
		ch.move(StateResolved, EventResolved, "the device reported that it is over, and it has not come back")
	}
	if passed(c.SnoozedUntil, ch.now) {
		ch.wake()
	}
	if passed(ch.closesAt(), ch.now) {
		ch.move(StateClosed, EventClosed, "resolved, and nobody disagreed")
		ch.hush()
	}
	if passed(c.StepAt, ch.now) {
		return ch.call(ctx)
	}
	return nil
}

// call pages the targets of the step that is due, and sets the next one. Maintenance postpones it.
func (ch *change) call(ctx context.Context) error {
	c, d := ch.c, ch.d
	p := d.cfg.policy(c.Team)
	if p == nil || c.Step >= len(p.Steps) || c.State != StateNew && c.State != StateOpen {
		c.StepAt = time.Time{}
		return nil
	}
	until, err := d.maintenance(ctx, ch.s, &c.Subject, ch.now)
	if err != nil || !until.IsZero() {
		c.StepAt = until
		return err
	}
	step := p.Steps[c.Step]
	people, err := d.WhoIs(ctx, ch.s, step.Notify, ch.now)
	if err != nil {
		return err
	}
	names := make([]string, len(people))
	for i := range people {
		names[i] = people[i].Name
	}
	text := "called " + strings.Join(names, ", ")
	if len(people) == 0 {
		text = "nobody is on call for " + strings.Join(step.Notify, ", ")
	}
	ch.event(EventPaged, "", strings.Join(names, ", "), text)
	ch.events[len(ch.events)-1].Call = people
	if c.Flapping {
		ch.events[len(ch.events)-1].Quiet = false
	}
	ch.next(p)
	return nil
}

// next sets the step after the one that was called.
func (ch *change) next(p *Policy) {
	c := ch.c
	was := p.Steps[c.Step].After
	c.Step++
	if c.Step < len(p.Steps) {
		c.StepAt = ch.now.Add(p.Steps[c.Step].After - was)
		return
	}
	c.StepAt = time.Time{}
	if c.Round < p.Repeat {
		c.Step, c.Round = 0, c.Round+1
		c.StepAt = ch.now.Add(max(p.Steps[0].After, p.Steps[len(p.Steps)-1].After, minStepGap))
	}
}

// WhoIs are the people behind targets of a policy at a time, each once: person:NAME, rota:NAME who is on call, team:NAME
// with all its members.
func (d *Desk) WhoIs(ctx context.Context, s CalendarStore, targets []string, t time.Time) ([]Person, error) {
	overrides, err := s.OverridesAt(ctx, t)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, target := range targets {
		sort, name, _ := strings.Cut(target, ":")
		switch sort {
		case "person":
			names = append(names, name)
		case "rota":
			if r := d.cfg.rota(name); r != nil {
				names = append(names, r.OnCall(t, overrides))
			}
		case "team":
			if team := d.cfg.team(name); team != nil {
				names = append(names, team.Members...)
			}
		}
	}
	var people []Person
	seen := map[string]bool{}
	for _, n := range names {
		if p := d.cfg.person(n); p != nil && !seen[n] {
			seen[n] = true
			people = append(people, *p)
		}
	}
	return people, nil
}

// catchUp opens what was raised during maintenance and has not been cleared since.
func (d *Desk) catchUp(ctx context.Context, s Store, now time.Time, limit int) ([]Happening, error) {
	slots, err := s.LockHeld(ctx, now, limit)
	if err != nil {
		return nil, err
	}
	var told []Happening
	for i := range slots {
		slot := &slots[i]
		held := slot.Held
		if held == nil {
			slot.HeldDue = time.Time{}
			if err := s.PutSlot(ctx, slot); err != nil {
				return nil, err
			}
			continue
		}
		deed := Deed{Company: slot.Company, Cause: slot.Key, Message: held.Cause.message()}
		r, err := d.raise(ctx, s, &held.Subject, &held.Cause, slot, &deed)
		if err != nil {
			return nil, err
		}
		deed.Disposition = r.Disposition
		if err := s.PutDeed(ctx, &deed); err != nil {
			return nil, err
		}
		told = append(told, r.Happenings...)
	}
	return told, nil
}
