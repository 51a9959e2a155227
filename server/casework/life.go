package casework

import (
	"context"
	"strings"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/analysis"
)

// do locks a case that the reach may see, changes it, and stores it.
func (d *Desk) do(ctx context.Context, s Store, reach account.Reach, id int64, by By, f func(*change) error) ([]Happening, error) {
	if _, err := s.Case(ctx, reach, id); err != nil {
		return nil, err
	}
	c, err := s.LockCase(ctx, id)
	if err != nil {
		return nil, err
	}
	ch := d.begin(s, c, by, d.Now())
	if err := f(ch); err != nil {
		return nil, err
	}
	if len(ch.events) == 0 {
		return nil, nil
	}
	return ch.finish(ctx)
}

// may refuses a change of state that the life of a case does not have.
func (ch *change) may(to State) error {
	if ch.c.State.MayBecome(to) {
		return nil
	}
	return callhome.Errorf(callhome.KindConflict, "%s is %s and cannot become %s", ch.c.Number, ch.c.State, to)
}

// Acknowledge says that somebody looks into the case: escalation rests. On a case that is acknowledged, pending or over
// it does nothing.
func (d *Desk) Acknowledge(ctx context.Context, s Store, reach account.Reach, id int64, by By) ([]Happening, error) {
	return d.do(ctx, s, reach, id, by, func(ch *change) error { ch.acknowledge(); return nil })
}

func (ch *change) acknowledge() {
	if ch.c.State == StateNew || ch.c.State == StateOpen {
		ch.move(StateAcknowledged, EventAcknowledged, "")
	}
}

// AcknowledgeCode acknowledges the case whose page carried the code. Source is where the code came from, such as an
// address: each may try a few times a minute, all together a few times more; beyond that the error is
// callhome.KindUnavailable. An unknown code is callhome.KindNotFound.
func (d *Desk) AcknowledgeCode(ctx context.Context, s Store, code, source string) (*Case, []Happening, error) {
	if err := d.tries.allow(source, d.Now()); err != nil {
		return nil, nil, err
	}
	unknown := callhome.Errorf(callhome.KindNotFound, "no open service request has this code")
	code, ok := normalCode(code)
	if !ok {
		return nil, nil, unknown
	}
	id, err := s.CaseOfCode(ctx, CodeHash(code))
	if callhome.KindOf(err) == callhome.KindNotFound && err != nil {
		return nil, nil, unknown
	} else if err != nil {
		return nil, nil, err
	}
	c, err := s.LockCase(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	if !SameText(c.Code, code) {
		return nil, nil, unknown
	}
	ch := d.begin(s, c, By{Who: "code from " + clip(clean(source), maxTitle), Via: ViaCode}, d.Now())
	if ch.acknowledge(); len(ch.events) == 0 {
		return c, nil, nil
	}
	told, err := ch.finish(ctx)
	return c, told, err
}

// maxName bounds the name of a person in bytes.
const maxName = 200

// Assign gives the case to a person, or, with no name, back to its team.
func (d *Desk) Assign(ctx context.Context, s Store, reach account.Reach, id int64, person string, by By) ([]Happening, error) {
	return d.do(ctx, s, reach, id, by, func(ch *change) error {
		c := ch.c
		person = clip(strings.TrimSpace(clean(person)), maxName)
		if !c.State.Active() {
			return callhome.Errorf(callhome.KindConflict, "%s is %s; reopen it first", c.Number, c.State)
		}
		if person == c.Assignee {
			return nil
		}
		ch.event(EventAssigned, c.Assignee, person, "")
		c.Assignee = person
		switch {
		case person != "" && c.State == StateNew:
			c.State = StateOpen
		case person == "" && c.State == StateOpen:
			c.State = StateNew
		}
		return nil
	})
}

// Route gives the case to another team, whose escalation begins.
func (d *Desk) Route(ctx context.Context, s Store, reach account.Reach, id int64, team string, by By) ([]Happening, error) {
	return d.do(ctx, s, reach, id, by, func(ch *change) error {
		c := ch.c
		if d.cfg.team(team) == nil {
			return callhome.Errorf(callhome.KindInvalid, "there is no team %q", team)
		}
		if !c.State.Active() {
			return callhome.Errorf(callhome.KindConflict, "%s is %s; reopen it first", c.Number, c.State)
		}
		if team == c.Team {
			return nil
		}
		ch.event(EventRouted, c.Team, team, "")
		c.Team, c.Assignee = team, ""
		if c.State == StateOpen || c.State == StateAcknowledged {
			c.State = StateNew
		}
		ch.arm()
		return nil
	})
}

// Note adds a remark.
func (d *Desk) Note(ctx context.Context, s Store, reach account.Reach, id int64, text string, by By) ([]Happening, error) {
	return d.do(ctx, s, reach, id, by, func(ch *change) error {
		if text = strings.TrimSpace(text); text == "" || len(text) > maxText {
			return callhome.Errorf(callhome.KindInvalid, "a note has 1 to %d bytes", maxText)
		}
		ch.event(EventNoted, "", "", text)
		return nil
	})
}

// Pend says whom the case waits for: StatePendingCustomer or StatePendingVendor.
func (d *Desk) Pend(ctx context.Context, s Store, reach account.Reach, id int64, state State, text string, by By) ([]Happening, error) {
	if state != StatePendingCustomer && state != StatePendingVendor {
		return nil, callhome.Errorf(callhome.KindInvalid, "%q is not pending_customer or pending_vendor", state)
	}
	return d.do(ctx, s, reach, id, by, func(ch *change) error { return ch.step(state, EventState, text) })
}

// Resolve says that the trouble is over.
func (d *Desk) Resolve(ctx context.Context, s Store, reach account.Reach, id int64, text string, by By) ([]Happening, error) {
	return d.do(ctx, s, reach, id, by, func(ch *change) error { return ch.step(StateResolved, EventResolved, text) })
}

// Close says that the case is done with.
func (d *Desk) Close(ctx context.Context, s Store, reach account.Reach, id int64, text string, by By) ([]Happening, error) {
	return d.do(ctx, s, reach, id, by, func(ch *change) error { return ch.step(StateClosed, EventClosed, text) })
}

func (ch *change) step(to State, kind EventKind, text string) error {
	if ch.c.State == to {
		return nil
	}
	if err := ch.may(to); err != nil {
		return err
	}
	ch.move(to, kind, text)
	return nil
}

// Reopen brings a case back that is resolved or closed, within the reopen window. When a newer case of the same cause is
// open the error is callhome.KindConflict and names it.
func (d *Desk) Reopen(ctx context.Context, s Store, reach account.Reach, id int64, text string, by By) ([]Happening, error) {
	c, err := s.Case(ctx, reach, id)
	if err != nil {
		return nil, err
	}
	slot, err := s.LockSlot(ctx, c.CauseKey(), c.Company) // slot before case, as everywhere
	if err != nil {
		return nil, err
	}
	if err := d.free(ctx, s, &slot, id); err != nil {
		return nil, err
	}
	return d.do(ctx, s, reach, id, by, func(ch *change) error {
		switch {
		case ch.c.State.Active():
			return nil
		case !d.reopens(ch.c, ch.now):
			return callhome.Errorf(callhome.KindConflict, "%s has been %s for longer than %v; open a new one", ch.c.Number, ch.c.State, d.cfg.ReopenWindow)
		}
		return ch.reopen(ctx, text)
	})
}

// free makes the slot that of case id, unless another case of the cause is open.
func (d *Desk) free(ctx context.Context, s Store, slot *Slot, id int64) error {
	if slot.Case == id {
		return nil
	}
	if slot.Case != 0 {
		other, err := s.LockCase(ctx, slot.Case)
		if err != nil {
			return err
		}
		if other.State.Active() {
			return callhome.Errorf(callhome.KindConflict, "%s is open for the same cause", other.Number)
		}
	}
	slot.Case = id
	return s.PutSlot(ctx, slot)
}

// maxSnooze bounds a snooze: longer is forgetting.
const maxSnooze = 30 * 24 * time.Hour

// Snooze quiets a case until a time: nobody is told or called, unless it becomes worse. A time that is past wakes it.
func (d *Desk) Snooze(ctx context.Context, s Store, reach account.Reach, id int64, until time.Time, by By) ([]Happening, error) {
	return d.do(ctx, s, reach, id, by, func(ch *change) error {
		c := ch.c
		switch {
		case !c.State.Active():
			return callhome.Errorf(callhome.KindConflict, "%s is %s; there is nothing to snooze", c.Number, c.State)
		case until.Sub(ch.now) > maxSnooze:
			return callhome.Errorf(callhome.KindInvalid, "a snooze lasts %v at most", maxSnooze)
		case !until.After(ch.now):
			if !c.SnoozedUntil.IsZero() {
				ch.wake()
			}
			return nil
		}
		c.SnoozedUntil, c.StepAt = until, time.Time{}
		ch.event(EventSnoozed, "", until.UTC().Format(time.RFC3339), "")
		return nil
	})
}

func (ch *change) wake() {
	ch.c.SnoozedUntil, ch.snooze = time.Time{}, false
	ch.event(EventAwake, "", "", "")
	ch.arm()
}

// Request is a case that a person opens.
type Request struct {
	Title string
	Text  string
	Level callhome.Level
	Team  string // empty: as the routes say
}

// manualRule is the rule of cases that people open; each has a cause of its own.
const manualRule = "manual"

// Open makes a case of a person's request.
func (d *Desk) Open(ctx context.Context, s Store, sub Subject, r Request, by By) (*Case, []Happening, error) {
	title := strings.TrimSpace(clean(r.Title))
	if title == "" || len(title) > maxTitle || !r.Level.Valid() || len(r.Text) > maxText {
		return nil, nil, callhome.Errorf(callhome.KindInvalid, "a service request needs a title of 1 to %d bytes, a level, and at most %d bytes of text", maxTitle, maxText)
	}
	if r.Team != "" && d.cfg.team(r.Team) == nil {
		return nil, nil, callhome.Errorf(callhome.KindInvalid, "there is no team %q", r.Team)
	}
	if sub.Device == 0 || sub.Anonymous {
		return nil, nil, callhome.Errorf(callhome.KindInvalid, "a service request needs a device")
	}
	cause := Cause{Rule: manualRule, Title: title, Diagnosis: r.Text, Level: r.Level, Outcome: analysis.OutcomeServiceRequest}
	ch := d.begin(s, nil, by, d.Now())
	own, err := newCode()
	if err != nil {
		return nil, nil, err
	}
	cause.Key = own + ch.now.UTC().Format("20060102T150405.000000")
	slot, err := s.LockSlot(ctx, cause.CauseKey(sub.Device), sub.Company)
	if err != nil {
		return nil, nil, err
	}
	if err := ch.open(ctx, &slot, &sub, &cause); err != nil {
		return nil, nil, err
	}
	if r.Team != "" {
		ch.c.Team = r.Team
		ch.arm()
	}
	if err := s.PutSlot(ctx, &slot); err != nil {
		return nil, nil, err
	}
	told, err := ch.finish(ctx)
	return ch.c, told, err
}
