package agent

import (
	"bytes"
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"callhome"
	"callhome/agent/intake"
	"callhome/agent/route"
	"callhome/agent/throttle"
	"callhome/codec/syslog"
	"callhome/personality"
)

// scratch is what one line needs while it is judged; it is used again.
type scratch struct {
	line      syslog.Line
	decisions []route.Decision

	// The last look-up of a sender: most lines come from the sender of the line before.
	peer   netip.AddrPort
	plan   *plan
	target *target
}

// sender is the device that sends from an address, nil if unknown.
func (s *scratch) sender(p *plan, peer netip.AddrPort) *target {
	if s.plan != p || s.peer != peer {
		s.plan, s.peer, s.target = p, peer, p.devices.byPeer(peer.Addr())
	}
	return s.target
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// Take judges one line in the goroutine that read it and hands an alert over if some profile wants it. It allocates
// nothing for a line that nobody wants. Lines from files and the journal wait until their alert is durable, because the
// adapter's checkpoint moves on when Take returns.
func (a *Agent) Take(ctx context.Context, raw []byte, o *intake.Origin) error {
	for _, t := range a.parts.Tees {
		t.Forward(raw)
	}
	a.stats.lines.Add(1)
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	p := a.plan.Load()
	t := p.read(s.sender(p, o.Peer), raw, o, &s.line)
	a.sequences.observe(t, o, &s.line)
	if ok, err := a.joiner.take(ctx, o, &s.line); ok {
		return err // a part of a message; judged when it is complete
	}
	return a.judge(ctx, p, t, o, s)
}

// read parses a line with what is known of its sender, which may be nil, and says whose line it is; nil stands for a
// stranger.
func (p *plan) read(t *target, raw []byte, o *intake.Origin, l *syslog.Line) *target {
	parser := &p.devices.own.parser
	if t != nil {
		parser = &t.parser
	} else if !local(o) {
		parser = &strangerParser
	}
	parser.Parse(raw, o.ReceivedAt, l)
	if t == nil {
		t = p.devices.byHost(l.Host)
	}
	if t == nil && len(l.Host) == 0 && local(o) {
		t = p.devices.own
	}
	return t
}

// strangerParser reads lines of senders that nobody configured: their clocks are taken to run in UTC.
var strangerParser = syslog.Parser{Zone: time.UTC}

// local tells lines that this host itself logged: from its files, its journal, its sockets, or over loopback.
func local(o *intake.Origin) bool {
	return !o.Peer.IsValid() || o.Peer.Addr().Unmap().IsLoopback()
}

// judge classifies and routes a parsed line. The end of trouble also goes to who was told of its beginning, whatever
// their thresholds say of the line that ends it.
func (a *Agent) judge(ctx context.Context, p *plan, t *target, o *intake.Origin, s *scratch) error {
	l := &s.line
	if p.table.Untouched(l.Raw) && a.calm(t) { // what it means does not matter
		a.stats.unwanted.Add(1)
		a.noteStranger(t, o, l)
		return nil
	}
	v, pers := p.verdict(t, l)
	subject := route.Subject{Line: l, Group: v.Group, Level: v.Level, Type: v.Type, State: v.State, Personality: pers}
	s.decisions = p.table.Match(subject, s.decisions[:0])
	clears := v.State == callhome.StateClear && v.Type != "" && (t == nil || a.mayEnd(t.name, v.Type))
	if len(s.decisions) == 0 && !clears {
		a.stats.unwanted.Add(1)
		a.noteStranger(t, o, l)
		return nil
	}
	alert := p.alert(t, o, l, &v, pers)
	if t == nil {
		alert.Device = a.strangers.name(o.Peer.Addr(), l.Host)
		a.strangers.seen(alert.Device, o.ReceivedAt)
	}
	if clears {
		s.decisions = p.table.Follow(missing(a.told(&alert, t == nil), s.decisions), subject, s.decisions)
	}
	if len(s.decisions) == 0 {
		a.stats.unwanted.Add(1)
		a.hear(a.parts.Now(), &alert)
		return nil
	}
	for i := range s.decisions {
		alert.Profiles = append(alert.Profiles, s.decisions[i].Name)
		if s.decisions[i].Detail != "" {
			alert.Detail = s.decisions[i].Detail
		}
	}
	return a.submit(ctx, p, alert, t == nil, waits(o))
}

// calm is a quick look whether no line of a device, nil for a stranger, can end what anybody was told of.
func (a *Agent) calm(t *target) bool {
	if !a.troubled.Load() {
		return true
	}
	if t == nil || t.name == "" {
		return false
	}
	a.throttleMu.Lock()
	defer a.throttleMu.Unlock()
	return a.limiter.Calm(t.name)
}

// mayEnd is a quick look whether an end of a type on a device could concern anybody: most links that come up do not.
func (a *Agent) mayEnd(device, kind string) bool {
	a.throttleMu.Lock()
	defer a.throttleMu.Unlock()
	return a.limiter.MayEnd(device, kind)
}

// told are the profiles that were told of the beginning of what an alert ends.
func (a *Agent) told(alert *callhome.Alert, stranger bool) []callhome.ProfileName {
	f := throttle.FactsOf(alert)
	f.Stranger = stranger
	a.throttleMu.Lock()
	defer a.throttleMu.Unlock()
	return a.limiter.Told(f)
}

// hear lets throttling know of a beginning or end that is not told.
func (a *Agent) hear(now time.Time, alert *callhome.Alert) {
	f := throttle.FactsOf(alert)
	a.throttleMu.Lock()
	defer a.throttleMu.Unlock()
	a.limiter.Hear(now, f)
}

// missing are the names that no decision is about yet.
func missing(names []callhome.ProfileName, have []route.Decision) []callhome.ProfileName {
	var out []callhome.ProfileName
	for _, n := range names {
		if !slices.ContainsFunc(have, func(d route.Decision) bool { return d.Name.Equal(n) }) {
			out = append(out, n)
		}
	}
	return out
}

// waits tells sources whose checkpoint stands for durability.
func waits(o *intake.Origin) bool {
	return o.Source == callhome.SourceLogfile || o.Source == callhome.SourceJournald
}

// submit passes an alert through maintenance and throttling into the outbox.
func (a *Agent) submit(ctx context.Context, p *plan, alert callhome.Alert, stranger, wait bool) error {
	now := a.parts.Now()
	// The end of what was told before a maintenance began is told in it too: nobody else will say so.
	ends := alert.State == callhome.StateClear && len(a.told(&alert, stranger)) > 0
	if !ends && p.inMaintenance(now, alert.Device, alert.Group) {
		a.hear(now, &alert)
		a.drop(&alert, callhome.ReasonMaintenance)
		return nil
	}
	f := throttle.FactsOf(&alert)
	f.Stranger = stranger
	a.throttleMu.Lock()
	reason, allowed := a.limiter.Allow(now, f)
	a.troubled.Store(!a.limiter.Calm(""))
	a.throttleMu.Unlock()
	if !allowed {
		a.drop(&alert, reason)
		return nil
	}
	if reason == callhome.ReasonFlapping {
		alert.Subtype = string(reason) // the one message that tells of it; the text stays as the device wrote it
	}
	return a.admitAlert(ctx, admission{alert: alert, facts: f}, wait)
}

// verdict judges a line by its device's platform. Where the entry names none, or its table does not know the line and
// another platform logs like it, that other one decides: a chassis speaks for its modules, and a host relays.
func (p *plan) verdict(t *target, l *syslog.Line) (personality.Verdict, *personality.Personality) {
	like := personality.ForLine(l)
	if t == nil || t.device.Personality == "" || t.personality == like {
		return p.classify.Classify(l, like), like
	}
	v := p.classify.Classify(l, t.personality)
	if v.Rule == "" && len(like.Rows) > 0 {
		if other := p.classify.Classify(l, like); other.Rule != "" {
			return other, like
		}
	}
	return v, t.personality
}

// alert copies what is kept of a wanted line.
func (p *plan) alert(t *target, o *intake.Origin, l *syslog.Line, v *personality.Verdict, pers *personality.Personality) callhome.Alert {
	a := callhome.Alert{
		Event: callhome.Event{
			Source: o.Source, ReceivedAt: o.ReceivedAt, Time: eventTime(l, o.ReceivedAt), Peer: peerText(o.Peer.Addr()), Secure: o.Secure,
			Raw: bytes.Clone(l.Raw), Text: describedText(l.Raw), Dialect: string(l.Dialect), Severity: int(l.Severity),
			Facility: string(l.CoreFacility), Mnemonic: string(l.Mnemonic), MessageNumber: string(l.MessageID), Program: string(l.Program),
		},
		Group: v.Group, Level: v.Level, Type: v.Type, Subtype: v.Subtype, State: v.State, Personality: string(pers.Name), Rule: v.Rule,
		Object: v.ObjectText(),
	}
	if t != nil {
		a.Device = t.name
	}
	for key, value := range l.Params() {
		if len(a.Tags) == maxTags {
			break
		}
		a.Tags = append(a.Tags, callhome.Tag{Key: key, Value: value})
	}
	a.Words = wordsOf(&a, string(l.Text))
	return a
}

// maxTags bounds what is kept of a line's parameters: a CiscoLog line of 800 octets cannot hold more.
const maxTags = 200

// believable is how far a device's clock may be off before the time of receipt counts instead.
const believable = 24 * time.Hour

// eventTime is the device's stamp if its clock can be believed, else the time of receipt.
func eventTime(l *syslog.Line, received time.Time) time.Time {
	switch {
	case l.Time.IsZero(), l.Clock == syslog.ClockUnsynchronised, l.Clock == syslog.ClockNone, l.Clock == syslog.ClockWasSynchronised:
		return received
	}
	if d := received.Sub(l.Time); d > believable || d < -believable {
		return received
	}
	return l.Time
}

func peerText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.Unmap().String()
}
