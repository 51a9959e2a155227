package server

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"callhome"
	"callhome/secrets"
	"callhome/server/account"
	"callhome/server/analysis"
	"callhome/server/casework"
	"callhome/server/confighistory"
	"callhome/server/inventory"
	"callhome/server/notify"
	"callhome/server/registry"
)

// maxTold bounds the people of a company who hear of one thing.
const maxTold = 200

// audience are the people of a company, or the operators when it is no company's affair, and further mail addresses.
func (s *Server) audience(ctx context.Context, rooms Rooms, company account.CompanyID, addresses ...string) ([]notify.Recipient, error) {
	var to []notify.Recipient
	users, err := s.people(ctx, rooms, company)
	if err != nil {
		return nil, err
	}
	for i := range users {
		if !users[i].Disabled {
			to = append(to, notify.Recipient{User: users[i].ID, Name: users[i].FullName, Address: users[i].Email})
		}
	}
	for _, a := range addresses {
		known := func(r notify.Recipient) bool { return strings.EqualFold(r.Address, a) }
		if a != "" && !slices.ContainsFunc(to, known) {
			to = append(to, notify.Recipient{Address: a})
		}
	}
	return to, nil
}

// people are those of a company, or the operators.
func (s *Server) people(ctx context.Context, rooms Rooms, company account.CompanyID) ([]account.User, error) {
	if company != account.NoCompany {
		return rooms.Account().ListUsers(ctx, account.Reach{Companies: []account.CompanyID{company}}, account.Page{Limit: maxTold})
	}
	var out []account.User
	for page := (account.Page{Limit: maxTold}); len(out) < maxTold; {
		users, err := rooms.Account().ListUsers(ctx, account.Everywhere(), page)
		if err != nil {
			return nil, err
		}
		for i := range users {
			page.After = int64(users[i].ID)
			if users[i].Role == account.RoleOperator {
				out = append(out, users[i])
			}
		}
		if len(users) < maxTold {
			break
		}
	}
	return out, nil
}

// announce tells the people of a company, and further addresses.
func (s *Server) announce(ctx context.Context, rooms Rooms, n notify.Notice, addresses ...string) error {
	to, err := s.audience(ctx, rooms, n.Company, addresses...)
	if err != nil {
		return err
	}
	return s.announcer.Announce(ctx, rooms.Notify(), n, to)
}

// noticeSubject is the device of a registry's notice.
func noticeSubject(n *registry.Notice) *casework.Subject {
	return &casework.Subject{Device: int64(n.Device), DeviceID: n.DeviceID, Company: n.Company, Host: n.System, Serial: n.Serial, Contract: n.Contract}
}

// tellNotices hands the registry's notices to the people they are for.
func (s *Server) tellNotices(ctx context.Context, rooms Rooms, notices []registry.Notice) error {
	for i := range notices {
		n := &notices[i]
		if err := s.announce(ctx, rooms, s.ofRegistry(n), n.To); err != nil {
			return fmt.Errorf("tell of %s: %w", n.Kind, err)
		}
	}
	return nil
}

// confirmPath is the page on which a device is confirmed.
const confirmPath = "/registrations/confirm?token="

func (s *Server) ofRegistry(n *registry.Notice) notify.Notice {
	now, sub := s.now(), noticeSubject(n)
	switch n.Kind {
	case registry.NoticeRegistrationRequired:
		return notify.RegistrationRequired(sub, confirmPath+n.Link.Reveal(), n.Code.Reveal(), n.Until, now)
	case registry.NoticeRegistrationComplete:
		return notify.RegistrationComplete(sub, n.Detail, now)
	case registry.NoticeRegistrationExpiring:
		if n.Device == 0 {
			return notify.ContractExpiring(n.Company, n.Contract, n.Until, n.Devices, now)
		}
		return notify.RegistrationExpiring(sub, n.Until, now)
	case registry.NoticeRegistrationExpired:
		return notify.ContractEnded(n.Company, n.Contract, n.Until, n.Devices, now)
	case registry.NoticeContactChanged:
		return notify.ContactChanged(sub, n.Detail, now)
	case registry.NoticeConflict:
	}
	return notify.ConflictFound(sub, n.Conflict, n.Detail, now)
}

// tellHappenings tells people what happened to cases: whoever is paged, the team, the people of the company and the
// device's contact.
func (s *Server) tellHappenings(ctx context.Context, rooms Rooms, told []casework.Happening) error {
	for i := range told {
		h := &told[i]
		n, ok := notify.OfCase(h)
		if !ok {
			continue
		}
		if h.Event.Kind == casework.EventPaged {
			to := notify.Called(h.Call)
			if len(to) == 0 { // nobody is on call: better all than none
				to = notify.TeamOf(s.desk.Config(), h.Case.Team)
			}
			if err := s.announcer.Announce(ctx, rooms.Notify(), n, to); err != nil {
				return err
			}
			continue
		}
		team, _ := s.desk.Config().Team(h.Case.Team)
		if err := s.announce(ctx, rooms, n, team.Email, h.Case.Subject.ContactEmail); err != nil {
			return err
		}
	}
	return nil
}

// isAdvice reports whether people hear of a finding though it opened no service request.
func isAdvice(cause *casework.Cause, d casework.Disposition) bool {
	return cause.Outcome == analysis.OutcomeRecommendation && (d == casework.DispositionNoCase || d == casework.DispositionNoService)
}

// tellFindings tells of recommendations that opened no service request.
func (p *passage) tellFindings(ctx context.Context, causes []casework.Cause) error {
	sub := p.subject()
	for i := range causes {
		cause := &causes[i]
		n := notify.Recommended(&sub, cause, p.s.now())
		if p.acc != nil && p.acc.Message.Group == callhome.GroupConfiguration {
			n = notify.ConfigurationFound(&sub, cause, p.s.now())
		}
		if err := p.s.announce(ctx, p.rooms, n, sub.ContactEmail); err != nil {
			return err
		}
	}
	return nil
}

// tellChanges tells of changes of inventory and configuration, and answers test messages.
func (p *passage) tellChanges(ctx context.Context, units *inventory.Result, configs *confighistory.Result) error {
	sub, now := p.subject(), p.s.now()
	var notices []notify.Notice
	if units.Changed && !units.First && len(units.Changes) > 0 {
		notices = append(notices, notify.InventoryChanged(&sub, int64(units.Revision), toldUnits(units.Changes), now))
	}
	for i := range configs.Changed {
		c := &configs.Changed[i]
		if !c.First {
			r := &c.Revision
			notices = append(notices, notify.ConfigurationChanged(&sub, int64(r.Number), r.Added, r.Removed, c.Diff, now))
		}
	}
	if m := &p.acc.Message; m.Group == callhome.GroupTest {
		notices = append(notices, notify.TestSuccess(&sub, m.MessageID, p.at, now))
	}
	for _, n := range notices {
		if err := p.s.announce(ctx, p.rooms, n, sub.ContactEmail); err != nil {
			return err
		}
	}
	return p.tellOutput(ctx, &sub)
}

// Names of the chassis's further pairs in messages that an operator sent on demand.
const (
	pairForward = "ForwardAddress"
	pairRequest = "ServiceNumber"
)

// tellOutput forwards the output of commands that an operator of the device sent, to the address the message names, or
// else to the device's contact.
func (p *passage) tellOutput(ctx context.Context, sub *casework.Subject) error {
	m := &p.acc.Message
	if m.Group != callhome.GroupSendCLI {
		return nil
	}
	to, request := sub.ContactEmail, ""
	for _, t := range m.Additional {
		switch {
		case t.Key == pairForward && t.Value != "":
			to = t.Value
		case t.Key == pairRequest:
			request = t.Value
		}
	}
	outputs := make([]notify.Output, 0, len(m.Attachments))
	for _, a := range m.Attachments {
		outputs = append(outputs, notify.Output{Command: a.Name, Text: secrets.Mask(a.Text)})
	}
	return p.s.announce(ctx, p.rooms, notify.CommandOutput(sub, m.MessageID, request, outputs, p.s.now()), to)
}

func toldUnits(changes []inventory.Change) []notify.UnitChange {
	var out []notify.UnitChange
	for _, c := range changes {
		out = append(out, notify.UnitChange{What: string(c.Kind), Slot: c.Slot, Was: unitWords(c.Old, c.From), Now: unitWords(c.New, c.To)})
	}
	return out
}

// unitWords are a unit's product and serial number, or the value that a change is about.
func unitWords(u *inventory.Unit, value string) string {
	if value != "" || u == nil {
		return value
	}
	return strings.TrimSpace(u.Product + " " + u.Serial)
}

// silence raises the event of a device that should have spoken: a notice, and what the rules say of it.
func (s *Server) silence(ctx context.Context, rooms Rooms, silent *registry.Silence, now time.Time) error {
	d := &silent.Device
	p := &passage{s: s, rooms: rooms, at: now, id: &registry.Identified{Mode: registry.Full, Device: d, Entitlement: d.Entitlement, Entitled: d.Entitlement.Full(now)}}
	sub := p.subject()
	if err := s.announce(ctx, rooms, notify.DeviceSilent(&sub, silent.LastAt, silent.DueAt, now), d.ContactEmail); err != nil {
		return err
	}
	if !p.id.Entitled {
		return nil
	}
	return p.judgeSubject(ctx, silenceOf(silent, now))
}

// silenceOf is a silence as the rules see it.
func silenceOf(silent *registry.Silence, at time.Time) *analysis.Subject {
	d := &silent.Device
	return &analysis.Subject{
		Personality: d.Personality, Model: d.Model, SWVersion: d.SWVersion, Device: int64(d.ID), ReceivedAt: at,
		Silence: &analysis.Silence{Group: silent.Group, Missed: missedPeriods, Last: silent.LastAt, Due: silent.DueAt},
	}
}

// missedPeriods is how many periods of its schedule a silent device has missed when it is raised.
const missedPeriods = 2
