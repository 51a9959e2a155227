package casework

import (
	"context"
	"strings"

	"callhome"
)

// Apply takes over what happened on the other side. These are left alone, so that nothing goes round in circles: events
// that were seen before, changes older than one that was taken, our own comments, a state the case has already, a word that is the
// last one known of there (it may be what ours was written as), and any state while our own change of state is still on
// its way there, for then ours counts.
func (d *Desk) Apply(ctx context.Context, s Store, adapter string, u Update) ([]Happening, error) {
	link, err := s.LinkByRemote(ctx, adapter, u.Remote)
	if err != nil {
		if callhome.KindOf(err) == callhome.KindNotFound {
			return nil, nil // not one of ours
		}
		return nil, err
	}
	if u.EventID != "" {
		fresh, err := s.AddInbound(ctx, adapter, clip(u.EventID, maxPart), d.Now())
		if err != nil || !fresh {
			return nil, err
		}
	}
	c, err := s.LockCase(ctx, link.Case)
	if err != nil {
		return nil, err
	}
	ch := d.begin(s, c, By{Who: clip(clean(u.Who), maxName), Via: adapter}, d.Now())
	if text := strings.TrimSpace(u.Comment); text != "" && !Ours(text) {
		ch.event(EventNoted, "", "", clip(text, maxText))
	}
	if u.Assignee != "" && u.Assignee != c.Assignee && c.State.Active() {
		name := clip(clean(u.Assignee), maxName)
		ch.event(EventAssigned, c.Assignee, name, "")
		if c.Assignee = name; c.State == StateNew {
			c.State = StateOpen
		}
	}
	if err := ch.follow(ctx, link, &u); err != nil {
		return nil, err
	}
	if u.At.After(link.RemoteAt) {
		link.RemoteAt = u.At
	}
	if u.Word != "" {
		link.State = clip(clean(u.Word), maxName)
	}
	if err := s.PutLink(ctx, link); err != nil || len(ch.events) == 0 {
		return nil, err
	}
	return ch.finish(ctx)
}

// follow moves the case to the other side's state.
func (ch *change) follow(ctx context.Context, link *Link, u *Update) error {
	c := ch.c
	if u.State == "" || u.State == c.State || !u.At.IsZero() && u.At.Before(link.RemoteAt) || same(u.State, c.State) || strings.EqualFold(u.Word, link.State) {
		return nil
	}
	pending, err := ch.s.StatePending(ctx, c.ID, link.Adapter)
	if err != nil || pending {
		return err
	}
	text := "set to " + clip(clean(u.Word), maxName) + " there"
	switch {
	case !c.State.Active() && u.State.Active():
		slot, err := ch.s.LockSlot(ctx, c.CauseKey(), c.Company)
		if err != nil {
			return err
		}
		busy := ch.d.free(ctx, ch.s, &slot, c.ID)
		switch {
		case busy != nil && callhome.KindOf(busy) != callhome.KindConflict:
			return busy
		case busy == nil && ch.d.reopens(c, ch.now):
			return ch.reopen(ctx, text)
		}
		ch.event(EventNoted, "", "", "it was reopened there; here a newer case of the cause is open, or the reopen window is over")
		return nil
	case !c.State.MayBecome(u.State):
		return nil
	}
	kind := EventState
	switch u.State {
	case StateAcknowledged:
		kind = EventAcknowledged
	case StateResolved:
		kind = EventResolved
	case StateClosed:
		kind = EventClosed
	}
	ch.move(u.State, kind, text)
	return nil
}

// same holds for states that other systems do not tell apart: their "open" is our new or open.
func same(a, b State) bool {
	fresh := func(s State) bool { return s == StateNew || s == StateOpen }
	return fresh(a) && fresh(b)
}
