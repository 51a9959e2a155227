package agent

import (
	"net/netip"
	"time"

	"callhome"
	"callhome/agent/intake"
	"callhome/agent/route"
	"callhome/agent/throttle"
	"callhome/codec/syslog"
)

// Replayed is what would have become of an alert.
type Replayed struct {
	At       time.Time              `json:"at"` // by the lines' own clock
	Device   string                 `json:"device"`
	Group    callhome.AlertGroup    `json:"alert_group"`
	Level    callhome.Level         `json:"level"`
	Type     string                 `json:"event_type,omitempty"`
	Profiles []callhome.ProfileName `json:"profiles"` // who would have had it
	Reason   callhome.Reason        `json:"reason"`   // sent, or why it was held back
	Text     string                 `json:"text"`
}

// Sent reports whether messages would have been sent; the one that tells of flapping is.
func (r *Replayed) Sent() bool { return r.Reason == callhome.ReasonSent }

// Replayer judges stored lines one after the other as an agent with the same configuration would have, throttling,
// maintenance and digests included. Its clock is that of the lines. It sends nothing and keeps nothing; it is not safe
// for use by several goroutines.
type Replayer struct {
	plan      *plan
	limiter   *throttle.Limiter
	strangers *strangers
	pieces    puzzle
	line      syslog.Line
	decisions []route.Decision
	now       time.Time // the lines' clock; never set back by less than a day
	year      time.Time // stamps without a year are read near it
	tell      func(Replayed)
}

// NewReplayer compiles a valid configuration. Stamps without a year are taken to be near received, which is also the time
// of lines before the first stamp. tell is called from Take and Finish for every alert that a profile subscribes to.
func NewReplayer(cfg Config, received time.Time, tell func(Replayed)) (*Replayer, error) {
	p, err := newPlan(cfg)
	if err != nil {
		return nil, err
	}
	return &Replayer{
		plan: p, limiter: throttle.New(throttleConfig(&cfg, p)), strangers: newStrangers(),
		pieces: newPuzzle(), year: received, tell: tell,
	}, nil
}

// Now is the lines' clock: that of the line taken last.
func (r *Replayer) Now() time.Time {
	if r.now.IsZero() {
		return r.year
	}
	return r.now
}

// Take judges one line, after what came due before it.
func (r *Replayer) Take(raw []byte) {
	o := intake.Origin{Source: callhome.SourceSyslog, ReceivedAt: r.year}
	t := r.whose(r.plan.read(nil, raw, &o, &r.line), &r.line)
	r.advance(&r.line)
	o.ReceivedAt = r.Now()
	r.due(o.ReceivedAt)
	if !r.part(&r.line) {
		r.judge(t, &o, &r.line)
	}
}

// Finish tells what would still have come by time alone: incomplete messages, and digests of what was held back.
func (r *Replayer) Finish() {
	r.joined(r.pieces.flush())
	c := throttleConfig(&r.plan.cfg, r.plan)
	r.digests(r.Now().Add(max(c.FlapQuiet, time.Minute) + time.Second))
}

// whose is the device that a line is from. Who sent a stored line is not known any more, so a host name that is not our
// own and that no entry has is a stranger's.
func (r *Replayer) whose(t *target, l *syslog.Line) *target {
	own := r.plan.devices.own
	if t == own && own.device.Hostname != "" && len(l.Host) > 0 && r.plan.devices.byHost(l.Host) != own {
		return nil
	}
	return t
}

// advance sets the clock by a line's stamp. Lines of several devices are seldom in order: a stamp that is less than a day
// back leaves the clock alone, one further back begins another capture.
func (r *Replayer) advance(l *syslog.Line) {
	switch l.Clock {
	case syslog.ClockUnsynchronised, syslog.ClockNone, syslog.ClockWasSynchronised:
		return
	}
	if l.Time.IsZero() {
		return
	}
	if d := r.now.Sub(l.Time); d <= 0 || d > believable {
		r.now = l.Time
	}
}

// due tells what came by time alone up to now.
func (r *Replayer) due(now time.Time) {
	r.joined(r.pieces.expire(now))
	r.digests(now)
}

func (r *Replayer) digests(now time.Time) {
	for _, d := range r.limiter.Digests(now) {
		if a := digestAlert(&d, now); len(a.Profiles) > 0 {
			r.told(&a, callhome.ReasonSent)
		}
	}
}

// part keeps a line that is a part of a message, and judges what is complete by it.
func (r *Replayer) part(l *syslog.Line) bool {
	if !isPart(l) {
		return false
	}
	done, ok := r.pieces.add("", l, r.Now())
	r.joined(done)
	return ok
}

func (r *Replayer) joined(done []whole) {
	for i := range done {
		o := intake.Origin{Source: callhome.SourceSyslog, ReceivedAt: done[i].first}
		var l syslog.Line
		t := done[i].read(r.plan, nil, &o, &l)
		r.judge(r.whose(t, &l), &o, &l)
	}
}

// judge is what the conductor does with a line, up to the outbox.
func (r *Replayer) judge(t *target, o *intake.Origin, l *syslog.Line) {
	v, pers := r.plan.verdict(t, l)
	subject := route.Subject{Line: l, Group: v.Group, Level: v.Level, Type: v.Type, State: v.State, Personality: pers}
	r.decisions = r.plan.table.Match(subject, r.decisions[:0])
	clears := v.State == callhome.StateClear && v.Type != ""
	if len(r.decisions) == 0 && !clears {
		return
	}
	alert := r.plan.alert(t, o, l, &v, pers)
	if t == nil {
		alert.Device = r.strangers.name(netip.Addr{}, l.Host)
	}
	facts := throttle.FactsOf(&alert)
	facts.Stranger = t == nil
	if clears {
		r.decisions = r.plan.table.Follow(missing(r.limiter.Told(facts), r.decisions), subject, r.decisions)
	}
	if len(r.decisions) == 0 {
		r.limiter.Hear(o.ReceivedAt, throttle.FactsOf(&alert))
		return
	}
	for i := range r.decisions {
		alert.Profiles = append(alert.Profiles, r.decisions[i].Name)
	}
	facts.Profiles = alert.Profiles
	if r.plan.inMaintenance(o.ReceivedAt, alert.Device, alert.Group) {
		r.limiter.Hear(o.ReceivedAt, throttle.FactsOf(&alert))
		r.told(&alert, callhome.ReasonMaintenance)
		return
	}
	reason, allowed := r.limiter.Allow(o.ReceivedAt, facts)
	if allowed {
		reason = callhome.ReasonSent
	}
	r.told(&alert, reason)
}

func (r *Replayer) told(a *callhome.Alert, reason callhome.Reason) {
	r.tell(Replayed{
		At: a.ReceivedAt, Device: a.Device, Group: a.Group, Level: a.Level, Type: a.Type, Profiles: a.Profiles, Reason: reason, Text: a.Text,
	})
}
