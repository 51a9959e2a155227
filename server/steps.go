package server

import (
	"context"
	"fmt"
	"strings"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/analysis"
	"callhome/server/archive"
	"callhome/server/casework"
	"callhome/server/confighistory"
	"callhome/server/ingest"
	"callhome/server/inventory"
	"callhome/server/registry"
)

// one works one message to the end. All of it is one transaction with the others of its batch.
func (s *Server) one(ctx context.Context, rooms Rooms, acc *ingest.Accepted) error {
	switch {
	case acc.Fault == ingest.FaultUnparsable:
		acc.Record.Status, acc.Record.Reasons = archive.StatusFailed, []string{string(acc.Fault)}
		return s.setAside(ctx, rooms, acc)
	case acc.IsBlock():
		return s.block(ctx, rooms, acc)
	}
	return s.whole(ctx, rooms, acc, rooms.Archive().Add)
}

// setAside stores what could not be read, and shows it among the exceptions.
func (s *Server) setAside(ctx context.Context, rooms Rooms, acc *ingest.Accepted) error {
	r := &acc.Record
	s.metrics.finished(r.Status)
	if err := rooms.Archive().Add(ctx, r, acc.Body); err != nil {
		return err
	}
	return rooms.Registry().AddException(ctx, &registry.Exception{
		Reason: registry.Reason(acc.Fault), Detail: clip(acc.Why), Transport: string(r.Origin.Transport), Gateway: r.Origin.Gateway, Peer: r.Origin.Peer,
		FirstAt: r.ReceivedAt, LastAt: r.ReceivedAt, Count: 1, ArchiveID: r.ID,
	})
}

// block stores a block, and works the message when it is whole.
func (s *Server) block(ctx context.Context, rooms Rooms, acc *ingest.Accepted) error {
	acc.Record.Status = archive.StatusWaiting
	if err := rooms.Archive().Add(ctx, &acc.Record, acc.Body); err != nil {
		return err
	}
	joined, err := ingest.Join(ctx, rooms.Ingest(), rooms.Archive(), acc)
	if err != nil || joined == nil {
		return err
	}
	return s.joined(ctx, rooms, joined)
}

func (s *Server) joined(ctx context.Context, rooms Rooms, joined *ingest.Joined) error {
	for _, id := range joined.Others {
		r, ok, err := rooms.Archive().Record(ctx, id, account.Everywhere())
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		r.Status, r.JoinedInto = archive.StatusJoined, joined.Record.ID
		if err := rooms.Archive().Change(ctx, &r); err != nil {
			return err
		}
	}
	return s.whole(ctx, rooms, joined.Accepted, func(ctx context.Context, r *archive.Record, _ []byte) error { return rooms.Archive().Change(ctx, r) })
}

// passage is one message on its way through the rooms.
type passage struct {
	s     *Server
	rooms Rooms
	acc   *ingest.Accepted
	id    *registry.Identified
	at    time.Time // of receipt
}

// whole works a whole message. store writes its record.
func (s *Server) whole(ctx context.Context, rooms Rooms, acc *ingest.Accepted, store func(context.Context, *archive.Record, []byte) error) error {
	if isProbe(acc) {
		return s.probed(ctx, acc, store)
	}
	p := &passage{s: s, rooms: rooms, acc: acc, at: acc.Record.ReceivedAt}
	var err error
	if p.id, err = s.registrar.Identify(ctx, rooms.Registry(), p.input()); err != nil {
		return err
	}
	p.mark()
	s.metrics.finished(acc.Record.Status)
	if err := store(ctx, &acc.Record, acc.Body); err != nil {
		return err
	}
	if p.id.Mode == registry.Anonymous {
		return nil
	}
	if err := s.tellNotices(ctx, rooms, p.id.Notices); err != nil {
		return err
	}
	if p.id.Device == nil || p.id.Suspicious || acc.Fault != "" {
		return nil
	}
	return p.follow(ctx)
}

func (p *passage) input() *registry.Input {
	o := &p.acc.Record.Origin
	in := &registry.Input{
		Message: &p.acc.Message, Personality: inventory.PlatformOf(&p.acc.Message), ReceivedAt: p.at, ArchiveID: p.acc.Record.ID,
		Fingerprint: o.Certificate, Transport: transportWord(o.Transport), Gateway: o.Gateway, Peer: o.Peer,
	}
	// A gateway, like the agent's outbox, keeps messages for weeks.
	in.Stored = o.Gateway != "" || o.Certificate != ""
	if p.acc.Fault != "" {
		in.Faults = []registry.Reason{registry.Reason(p.acc.Fault)}
	}
	return in
}

func transportWord(t callhome.Transport) string {
	if t == callhome.TransportEmail {
		return "smtp"
	}
	return "http"
}

// mark writes what the message came to into its record.
func (p *passage) mark() {
	r := &p.acc.Record
	for _, e := range p.id.Exceptions {
		r.Reasons = append(r.Reasons, string(e))
	}
	if d := p.id.Device; d != nil {
		r.Device, r.Company = int64(d.ID), d.Company
	}
	switch {
	case p.id.Mode == registry.Anonymous:
		r.Status, r.DeviceID = archive.StatusAnonymous, ""
	case p.id.Entitled && p.acc.Fault == "":
		r.Status = archive.StatusProcessed
	default:
		r.Status = archive.StatusMarked
	}
}

// follow lets the rooms draw their conclusions. Inventory and configuration are kept of every device that is known, so
// that they are there when it is registered; analysis, cases and notices are part of the service.
func (p *passage) follow(ctx context.Context) error {
	device, company, m := int64(p.id.Device.ID), p.id.Device.Company, &p.acc.Message
	units, err := inventory.Observe(ctx, p.rooms.Inventory(), inventory.Observation{Device: device, Company: company, Received: p.at, Message: m})
	if err != nil {
		return fmt.Errorf("inventory: %w", err)
	}
	configs, err := confighistory.Observe(ctx, p.rooms.ConfigHistory(), confighistory.Observation{Device: device, Company: company, Received: p.at, Message: m})
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	if !p.id.Entitled {
		return nil
	}
	if err := p.tellChanges(ctx, &units, &configs); err != nil {
		return err
	}
	if units.Facts || configs.Facts() {
		if err := p.matchAdvisories(ctx); err != nil {
			return err
		}
	}
	if err := p.spoke(ctx); err != nil {
		return err
	}
	return p.judge(ctx, &units, &configs)
}

// judge evaluates the rules over the message and what changed by it.
func (p *passage) judge(ctx context.Context, units *inventory.Result, configs *confighistory.Result) error {
	d := p.id.Device
	return p.judgeSubject(ctx, &analysis.Subject{
		Message: &p.acc.Message, Personality: d.Personality, Model: d.Model, SWVersion: d.SWVersion, Device: int64(d.ID), ReceivedAt: p.at,
		InventoryChanges: unitChanges(units), ConfigChanges: configChanges(configs),
	})
}

// judgeSubject evaluates the rules, keeps what they found and counted, and hands it to the desk and to people.
func (p *passage) judgeSubject(ctx context.Context, subject *analysis.Subject) error {
	result, err := p.s.rules.Evaluate(ctx, subject, p.rooms.Analysis())
	if err != nil {
		return fmt.Errorf("analysis: %w", err)
	}
	p.s.metrics.found(result.Findings)
	for _, f := range result.Faults {
		p.s.metrics.faulty.Inc()
		p.s.log.Warn("a rule failed on a message", "component", "server", "rule", f.Rule, "message_id", p.messageID(), "err", f.Err)
	}
	if len(result.Observations) > 0 {
		if err := p.rooms.Analysis().Observe(ctx, subject.Device, result.Observations...); err != nil {
			return fmt.Errorf("observations: %w", err)
		}
	}
	if len(result.Findings) == 0 {
		return nil
	}
	return p.conclude(ctx, subject, result.Findings)
}

// conclude lets findings become service requests and recommendations.
func (p *passage) conclude(ctx context.Context, subject *analysis.Subject, findings []analysis.Finding) error {
	causes := make([]casework.Cause, 0, len(findings))
	for i := range findings {
		causes = append(causes, casework.CauseOf(&findings[i], p.messageID(), p.archiveID(), p.group(subject)))
	}
	results, err := p.s.desk.Act(ctx, p.rooms.Casework(), p.subject(), causes)
	if err != nil {
		return fmt.Errorf("service requests: %w", err)
	}
	var told []casework.Happening
	var advice []casework.Cause
	for i, r := range results {
		told = append(told, r.Happenings...)
		toldAt, again, err := p.toldBefore(ctx, subject.Device, &findings[i])
		if err != nil {
			return err
		}
		if again && isAdvice(&causes[i], r.Disposition) {
			toldAt, advice = p.s.now(), append(advice, causes[i])
		}
		if _, err := p.rooms.Analysis().Add(ctx, analysis.Record{
			Company: p.id.Device.Company, Device: subject.Device, Message: p.archiveID(), MessageID: string(p.messageID()), Case: r.Case, ToldAt: toldAt, Finding: findings[i],
		}); err != nil {
			return fmt.Errorf("findings: %w", err)
		}
		p.inCase(r.Case)
	}
	if err := p.fileCase(ctx); err != nil {
		return err
	}
	if err := p.s.tellHappenings(ctx, p.rooms, told); err != nil {
		return err
	}
	return p.tellFindings(ctx, advice)
}

// tellAgain is how long a recommendation that was told is not told again: a configuration that comes every day says the
// same every day.
const tellAgain = 30 * 24 * time.Hour

// toldBefore is when people were last told of a finding, and whether it is to be told again: after a while, or when it
// has become worse.
func (p *passage) toldBefore(ctx context.Context, device int64, f *analysis.Finding) (at time.Time, again bool, err error) {
	if f.Outcome != analysis.OutcomeRecommendation {
		return at, true, nil
	}
	last, ok, err := p.rooms.Analysis().Latest(ctx, device, f.Rule, f.Key)
	if err != nil {
		return at, false, fmt.Errorf("findings: %w", err)
	}
	if !ok {
		return at, true, nil
	}
	return last.ToldAt, f.Level > last.Level || p.s.now().Sub(last.ToldAt) >= tellAgain, nil
}

// spoke ends what silences opened that this message ends: the rules that spoke of them take it back.
func (p *passage) spoke(ctx context.Context) error {
	for i := range p.id.Spoke {
		silent := &p.id.Spoke[i]
		result, err := p.s.rules.Evaluate(ctx, silenceOf(silent, p.at), p.rooms.Analysis())
		if err != nil {
			return fmt.Errorf("end of a silence: %w", err)
		}
		causes := make([]casework.Cause, 0, len(result.Findings))
		for k := range result.Findings {
			f := &result.Findings[k]
			f.State, f.At = callhome.StateClear, p.at
			causes = append(causes, casework.CauseOf(f, p.messageID(), p.archiveID(), silent.Group))
		}
		if len(causes) == 0 {
			continue
		}
		results, err := p.s.desk.Act(ctx, p.rooms.Casework(), p.subject(), causes)
		if err != nil {
			return fmt.Errorf("end of a silence: %w", err)
		}
		for _, r := range results {
			if err := p.s.tellHappenings(ctx, p.rooms, r.Happenings); err != nil {
				return err
			}
		}
	}
	return nil
}

// inCase notes the first service request that a message belongs to.
func (p *passage) inCase(id int64) {
	if p.acc != nil && p.acc.Record.Case == 0 {
		p.acc.Record.Case = id
	}
}

// fileCase writes it into the message's record.
func (p *passage) fileCase(ctx context.Context) error {
	if p.acc == nil || p.acc.Record.Case == 0 {
		return nil
	}
	return p.rooms.Archive().Change(ctx, &p.acc.Record)
}

// A silence has no message.

func (p *passage) messageID() callhome.MessageID {
	if p.acc == nil {
		return ""
	}
	return p.acc.Record.MessageID
}

func (p *passage) archiveID() int64 {
	if p.acc == nil {
		return 0
	}
	return p.acc.Record.ID
}

func (p *passage) group(s *analysis.Subject) callhome.AlertGroup {
	if p.acc == nil {
		return s.Silence.Group
	}
	return p.acc.Message.Group
}

// subject is the device as the desk and the notices know it.
func (p *passage) subject() casework.Subject {
	sub := subjectOf(p.id.Device)
	sub.Entitled = p.id.Entitled
	if p.acc != nil {
		sub.ContactPhone, sub.StreetAddress = p.acc.Message.ContactPhone, p.acc.Message.StreetAddress
	}
	return sub
}

func unitChanges(r *inventory.Result) []analysis.InventoryChange {
	if r.First {
		return nil
	}
	var out []analysis.InventoryChange
	for _, c := range r.Changes {
		a := analysis.InventoryChange{Change: analysis.Change(c.Kind), Slot: c.Slot, Version: c.To, OldVersion: c.From}
		if c.Old != nil {
			a.Name, a.PartNo, a.OldSerial = c.Old.Product, c.Old.PartNo, c.Old.Serial
		}
		if c.New != nil {
			a.Name, a.PartNo, a.Serial = c.New.Product, c.New.PartNo, c.New.Serial
		}
		if c.Kind == inventory.Moved {
			a.OldSlot, a.Version, a.OldVersion = c.From, "", ""
		}
		out = append(out, a)
	}
	return out
}

// configChanges are the lines that came and went, read from the difference as people see it. A first configuration is
// no change.
func configChanges(r *confighistory.Result) []analysis.ConfigChange {
	var out []analysis.ConfigChange
	for i := range r.Changed {
		c := &r.Changed[i]
		for line := range strings.Lines(c.Diff) {
			line = strings.TrimRight(line, "\r\n")
			if c.First || len(line) < 2 || strings.HasPrefix(line, "+++") || strings.HasPrefix(line, "---") || line[0] != '+' && line[0] != '-' {
				continue
			}
			out = append(out, analysis.ConfigChange{Name: string(c.Revision.Kind), Added: line[0] == '+', Line: line[1:]})
		}
	}
	return out
}
