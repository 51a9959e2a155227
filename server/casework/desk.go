package casework

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"callhome"
	"callhome/server/analysis"
)

// Desk decides about cases. It holds no state of its own but the rate of codes; several desks of several servers work on
// one store. Its methods take a Store in a transaction and leave nothing behind when that is undone.
type Desk struct {
	Now func() time.Time

	cfg   Config
	tries tries
}

// New makes a desk of a valid configuration.
func New(cfg Config) *Desk { return &Desk{Now: time.Now, cfg: cfg} }

// Config is what the desk works by.
func (d *Desk) Config() *Config { return &d.cfg }

// Happening is something that people or other rooms may want to hear.
type Happening struct {
	Event Event    `json:"event"`
	Case  Case     `json:"case"` // after it
	Cause *Cause   `json:"cause,omitempty"`
	Quiet bool     `json:"quiet,omitempty"` // not to be told: maintenance, snooze, flapping, or of no interest
	Call  []Person `json:"call,omitempty"`  // of EventPaged: who
}

// Result is what became of one finding.
type Result struct {
	Disposition Disposition
	Number      CaseNumber  // of its case, if any
	Case        int64       // likewise
	Happenings  []Happening // in their order
}

// Act works the findings of one message, in their order, and gives a result for each. Called again with the same
// findings of the same message it does nothing: their results are DispositionRepeated.
func (d *Desk) Act(ctx context.Context, s Store, sub Subject, causes []Cause) ([]Result, error) {
	results := make([]Result, len(causes))
	for i := range causes {
		r, err := d.act(ctx, s, &sub, &causes[i])
		if err != nil {
			return nil, fmt.Errorf("case for rule %s of %s: %w", causes[i].Rule, sub.DeviceID, err)
		}
		results[i] = r
	}
	return results, nil
}

func (d *Desk) act(ctx context.Context, s Store, sub *Subject, cause *Cause) (Result, error) {
	if sub.Anonymous || sub.Device == 0 {
		return Result{Disposition: DispositionAnonymous}, nil
	}
	deed := d.deed(sub, cause)
	if deed.Disposition == DispositionNoCase && cause.Outcome == analysis.OutcomeInformation {
		return Result{Disposition: DispositionNoCase}, nil // nothing follows from it, so nothing is kept
	}
	fresh, err := s.AddDeed(ctx, &deed)
	if err != nil || !fresh {
		return Result{Disposition: DispositionRepeated}, err
	}
	if deed.Disposition != "" {
		return Result{Disposition: deed.Disposition}, nil
	}
	r, err := d.work(ctx, s, sub, cause, &deed)
	if err != nil {
		return r, err
	}
	deed.Disposition = r.Disposition
	return r, s.PutDeed(ctx, &deed)
}

// deed notes the finding; its disposition is empty when the cause has to be looked at.
func (d *Desk) deed(sub *Subject, c *Cause) Deed {
	deed := Deed{
		Company: sub.Company, Cause: c.CauseKey(sub.Device), Message: c.message(), Archive: c.Archive, At: d.Now(), EventAt: c.At,
		Level: c.Level, Title: clip(clean(c.Title), maxTitle), Evidence: bounded(c.Evidence),
	}
	switch {
	case c.State == callhome.StateClear:
	case c.Outcome != analysis.OutcomeServiceRequest:
		deed.Disposition = DispositionNoCase
	case c.Group == callhome.GroupInventory || c.Group == callhome.GroupConfiguration:
		deed.Disposition = DispositionNoService
	case !sub.Entitled:
		deed.Disposition = DispositionNotEntitled
	}
	return deed
}

// Bounds of what a finding may bring into a case, in bytes and pieces; the archived message has the whole of it.
const (
	maxTitle    = 300
	maxText     = 16 << 10
	maxQuote    = 2000
	maxEvidence = 50
)

func bounded(list []Evidence) []Evidence {
	out := slices.Clone(list[:min(len(list), maxEvidence)])
	for i := range out {
		out[i].Attachment, out[i].Quote = clip(clean(out[i].Attachment), maxTitle), clip(out[i].Quote, maxQuote)
	}
	return out
}

func archiveKey(id int64) string { return "archive:" + strconv.FormatInt(id, 10) }

func (d *Desk) work(ctx context.Context, s Store, sub *Subject, cause *Cause, deed *Deed) (Result, error) {
	if cause.State == callhome.StateClear {
		return d.clear(ctx, s, sub, cause, deed)
	}
	slot, err := s.LockSlot(ctx, deed.Cause, sub.Company)
	if err != nil {
		return Result{}, err
	}
	return d.raise(ctx, s, sub, cause, &slot, deed)
}

// raise joins, reopens or opens the case of a locked slot.
func (d *Desk) raise(ctx context.Context, s Store, sub *Subject, cause *Cause, slot *Slot, deed *Deed) (Result, error) {
	now := d.Now()
	maintained, err := d.maintenance(ctx, s, sub, now)
	if err != nil {
		return Result{}, err
	}
	var c *Case
	if slot.Case != 0 {
		if c, err = s.LockCase(ctx, slot.Case); err != nil {
			return Result{}, err
		}
	}
	var told []Happening
	if c != nil && c.Company != sub.Company {
		if told, err = d.leave(ctx, s, c, now); err != nil {
			return Result{}, err
		}
		c, slot.Case = nil, 0
	}
	live := c != nil && c.State.Active()
	if !live && !maintained.IsZero() {
		hold(slot, sub, cause, now, maintained)
		return Result{Disposition: DispositionMaintenance, Happenings: told}, s.PutSlot(ctx, slot)
	}
	slot.Held, slot.HeldDue = nil, time.Time{}
	ch := d.begin(s, c, By{Who: "rule " + cause.Rule, Via: ViaMessage}, now)
	ch.cause, ch.quiet = cause, !maintained.IsZero()
	var disposition Disposition
	switch {
	case live:
		disposition = DispositionJoined
		ch.join(slot, cause)
	case c != nil && d.reopens(c, now):
		disposition = DispositionReopened
		err = ch.comeBack(ctx, slot, sub, cause)
	default:
		disposition = DispositionOpened
		err = ch.open(ctx, slot, sub, cause)
	}
	if err != nil {
		return Result{}, err
	}
	deed.Case = ch.c.ID
	if err := s.PutSlot(ctx, slot); err != nil {
		return Result{}, err
	}
	more, err := ch.finish(ctx)
	return Result{Disposition: disposition, Number: ch.c.Number, Case: ch.c.ID, Happenings: append(told, more...)}, err
}

// leave closes the case of a device that has come to another company: its further messages are not that company's.
func (d *Desk) leave(ctx context.Context, s Store, c *Case, now time.Time) ([]Happening, error) {
	if !c.State.Active() {
		return nil, nil
	}
	ch := d.begin(s, c, By{Who: "callhome", Via: ViaTimer}, now)
	ch.move(StateClosed, EventClosed, "the device belongs to another company now")
	return ch.finish(ctx)
}

func hold(slot *Slot, sub *Subject, cause *Cause, now, until time.Time) {
	if slot.Held == nil {
		slot.Held = &Held{Since: now}
	}
	slot.Held.Subject, slot.Held.Cause = *sub, *cause
	slot.Held.Cause.Evidence = bounded(cause.Evidence)
	slot.Held.Count++
	slot.HeldDue = until
}

// reopens reports whether what comes back now belongs to the case that is over.
func (d *Desk) reopens(c *Case, now time.Time) bool {
	over := c.ResolvedAt
	if c.ClosedAt.After(over) {
		over = c.ClosedAt
	}
	return now.Sub(over) <= d.cfg.ReopenWindow
}

// open makes a new case of a locked slot.
func (ch *change) open(ctx context.Context, slot *Slot, sub *Subject, cause *Cause) error {
	d := ch.d
	n, err := ch.s.NextNumber(ctx)
	if err != nil {
		return err
	}
	ch.c = &Case{
		Number: MakeCaseNumber(d.cfg.Prefix, n), Company: sub.Company, Subject: *sub,
		Rule: slot.Key.Rule, Pack: cause.Pack, Version: cause.Version, Part: slot.Key.Part,
		Component: clip(clean(cause.Component), maxTitle), Key: clip(clean(cause.Key), maxTitle),
		Title: clip(clean(cause.Title), maxTitle), Diagnosis: clip(cause.Diagnosis, maxText), Recommendation: clip(cause.Recommendation, maxText),
		Level: cause.Level, Priority: priorityOf(cause.Level), State: StateNew, Team: d.cfg.TeamFor(sub, cause),
		OpenedAt: ch.now, UpdatedAt: ch.now, ToldAt: ch.now,
	}
	if err := ch.s.AddCase(ctx, ch.c); err != nil {
		return err
	}
	slot.Case = ch.c.ID
	slot.countReturn(d, ch.now)
	if err := ch.takeCode(ctx); err != nil {
		return err
	}
	ch.event(EventOpened, "", string(StateNew), ch.c.Title)
	ch.arm()
	return nil
}

// comeBack reopens the case of a locked slot.
func (ch *change) comeBack(ctx context.Context, slot *Slot, sub *Subject, cause *Cause) error {
	c := ch.c
	c.Subject = *sub
	c.Repeats++
	c.ToldAt = ch.now
	flaps := slot.countReturn(ch.d, ch.now)
	if err := ch.reopen(ctx, "raised again: "+clip(clean(cause.Title), maxTitle)); err != nil {
		return err
	}
	if flaps {
		ch.flap(slot)
	}
	ch.worsen(cause)
	return nil
}

// join adds one more message to a case that is open.
func (ch *change) join(slot *Slot, cause *Cause) {
	c := ch.c
	c.Repeats++
	c.UpdatedAt = ch.now
	if !c.SettleAt.IsZero() {
		c.SettleAt = time.Time{}
		if slot.countReturn(ch.d, ch.now) && !c.Flapping {
			ch.flap(slot)
		} else if !c.Flapping {
			ch.event(EventRaised, "", "", clip(clean(cause.Title), maxTitle))
			ch.hush()
		}
	}
	worse := ch.worsen(cause)
	if repeats := ch.repeats(); worse || repeats || c.Flapping {
		return
	}
	if ch.now.Sub(c.ToldAt) >= ch.d.cfg.TellEvery {
		c.ToldAt = ch.now
		ch.event(EventJoined, "", "", fmt.Sprintf("%d messages so far", c.Repeats+1))
	}
}

// worsen raises the level, wakes a case that sleeps, and calls again.
func (ch *change) worsen(cause *Cause) bool {
	c := ch.c
	if cause.Level <= c.Level {
		return false
	}
	from := c.Level
	c.Level = cause.Level
	c.Priority = min(c.Priority, priorityOf(c.Level))
	c.Escalations++
	c.SnoozedUntil = time.Time{}
	c.ToldAt = ch.now
	ch.event(EventEscalated, from.String(), c.Level.String(), "it has become worse: "+clip(clean(cause.Title), maxTitle))
	if c.State == StateAcknowledged {
		ch.move(StateOpen, EventState, "worse than when it was acknowledged")
	}
	ch.arm()
	return true
}

// repeats raises the priority when the number of messages reaches a threshold.
func (ch *change) repeats() bool {
	c := ch.c
	if !slices.Contains(ch.d.cfg.EscalateAt, c.Repeats+1) {
		return false
	}
	from := c.Priority
	c.Priority = max(PriorityHighest, c.Priority-1)
	c.Escalations++
	c.ToldAt = ch.now
	ch.event(EventEscalated, fmt.Sprintf("P%d", from), fmt.Sprintf("P%d", c.Priority), fmt.Sprintf("%d messages so far", c.Repeats+1))
	return true
}

// countReturn counts that the cause came back, and says whether that is flapping.
func (slot *Slot) countReturn(d *Desk, now time.Time) bool {
	if slot.FlapSince.IsZero() || now.Sub(slot.FlapSince) > d.cfg.FlapWindow {
		slot.FlapSince, slot.Flaps = now, 0
	}
	slot.Flaps++
	return d.cfg.FlapCount > 0 && slot.Flaps >= d.cfg.FlapCount
}

// flap tells once that the cause comes and goes; from then on it is quiet about both until it rests.
func (ch *change) flap(slot *Slot) {
	ch.c.Flapping = true
	ch.c.ToldAt = ch.now
	ch.event(EventFlapping, "", "", fmt.Sprintf("came back %d times since %s", slot.Flaps, slot.FlapSince.UTC().Format(time.RFC3339)))
}

// clear starts the quiet time of the causes that a finding ends.
func (d *Desk) clear(ctx context.Context, s Store, sub *Subject, cause *Cause, deed *Deed) (Result, error) {
	r := Result{Disposition: DispositionNothingOpen}
	for _, rule := range append([]string{cause.Rule}, cause.Clears...) {
		slots, err := s.LockSlots(ctx, sub.Device, clip(clean(rule), maxPart))
		if err != nil {
			return r, err
		}
		for i := range slots {
			if slots[i].Key.Part != deed.Cause.Part {
				continue
			}
			if err := d.clearSlot(ctx, s, sub, &slots[i], cause, deed, &r); err != nil {
				return r, err
			}
		}
	}
	return r, nil
}

func (d *Desk) clearSlot(ctx context.Context, s Store, sub *Subject, slot *Slot, cause *Cause, deed *Deed, r *Result) error {
	if slot.Held != nil {
		slot.Held, slot.HeldDue = nil, time.Time{}
		r.Disposition = DispositionCleared
		if err := s.PutSlot(ctx, slot); err != nil {
			return err
		}
	}
	if slot.Case == 0 {
		return nil
	}
	c, err := s.LockCase(ctx, slot.Case)
	if err != nil || !c.State.Active() || c.Company != sub.Company {
		return err
	}
	now := d.Now()
	ch := d.begin(s, c, By{Who: "rule " + cause.Rule, Via: ViaMessage}, now)
	ch.cause = cause
	r.Disposition, r.Number, r.Case = DispositionCleared, c.Number, c.ID
	if deed.Case == 0 {
		deed.Case = c.ID
	}
	quiet := d.cfg.QuietTime
	if c.Flapping {
		quiet = d.cfg.FlapQuiet
	}
	switch {
	case !c.SettleAt.IsZero():
	case quiet <= 0:
		ch.move(StateResolved, EventResolved, "the device reports that it is over: "+clip(clean(cause.Title), maxTitle))
	default:
		c.SettleAt = now.Add(quiet)
		if !c.Flapping {
			ch.event(EventCleared, "", "", clip(clean(cause.Title), maxTitle))
			ch.hush()
		}
	}
	told, err := ch.finish(ctx)
	r.Happenings = append(r.Happenings, told...)
	return err
}
