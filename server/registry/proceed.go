package registry

import (
	"context"
	"time"

	"callhome"
	"callhome/server/account"
)

// read takes over what the message says of the device.
func (i *identification) read(context.Context) error {
	m, d := i.in.Message, i.dev
	take := func(field string, have *string, says string) {
		says = word(says)
		if says == "" || says == *have {
			return
		}
		if *have != "" || !i.out.New {
			i.out.Changes = append(i.out.Changes, Change{Field: field, Before: *have, After: says})
		}
		*have = says
	}
	take("sys_name", &d.SystemName, m.SystemName)
	take("sw_version", &d.SWVersion, m.SWVersion)
	take("source_id", &d.ProductFamily, m.SourceID)
	take("personality", &d.Personality, i.in.Personality)
	take("site_id", &d.Site, m.SiteID)
	take("customer_id", &d.CustomerID, m.CustomerID)
	take("contract_id", &d.Contract, m.ContractID)
	take("contact_name", &d.ContactName, m.ContactName)
	take("contact_email", &d.ContactEmail, m.ContactEmail)
	take("ccoid", &d.UserName, m.CCOID)
	if i.from.Enrolment != 0 && i.from != d.Origin {
		i.out.Changes = append(i.out.Changes, Change{Field: "origin", Before: d.Origin.String(), After: i.from.String()})
		d.Origin = i.from
		if i.from.owns() && d.Company == account.NoCompany {
			d.Company = i.from.Company
		}
	}
	return nil
}

// changed reports whether the message says one of the fields otherwise than before.
func (i *identification) changed(fields ...string) bool {
	for _, c := range i.out.Changes {
		for _, f := range fields {
			if c.Field == f {
				return true
			}
		}
	}
	return false
}

// proceed moves the registration on, notes the schedule, and stores what changed.
func (i *identification) proceed(ctx context.Context) error {
	if i.out.Suspicious {
		return nil
	}
	if err := i.reopen(); err != nil {
		return err
	}
	if i.mustCover() {
		if err := i.cover(ctx); err != nil {
			return err
		}
	}
	if fullInventory(i.in.Message) && plainWord(i.in.Message.Serial) {
		if err := i.inventory(ctx); err != nil {
			return err
		}
	} else if i.dev.State == StatePending && i.was.State != StatePending { // reopened by any message
		if err := i.mail(ctx); err != nil {
			return err
		}
	}
	if err := i.heard(ctx); err != nil {
		return err
	}
	return i.write(ctx)
}

// move lets something happen to the device; what cannot happen is an error.
func (i *identification) move(h Happening) error { return move(i.dev, h, i.in.ReceivedAt) }

func move(d *Device, h Happening, at time.Time) error {
	next, err := d.State.Next(h)
	if err != nil {
		return err
	}
	if next != d.State {
		d.State, d.StateSince = next, at
	}
	if h == Reopened {
		d.ConfirmedBy, d.ConfirmedAt = 0, time.Time{}
	}
	d.Entitlement.Registered = d.State == StateRegistered
	return nil
}

// reopen asks a person anew when the contact's address or the customer changed.
func (i *identification) reopen() error {
	if !i.dev.State.Settled() || i.was.ContactEmail == "" && i.was.CustomerID == "" {
		return nil
	}
	contact := i.changed("contact_email") && i.was.ContactEmail != "" && !sameWord(i.was.ContactEmail, i.dev.ContactEmail)
	customer := i.changed("customer_id") && i.was.CustomerID != "" && !sameWord(i.was.CustomerID, i.dev.CustomerID)
	if !contact && !customer {
		return nil
	}
	if i.was.ContactEmail != "" {
		i.out.Notices = append(i.out.Notices, i.notice(NoticeContactChanged, func(n *Notice) {
			n.To = i.was.ContactEmail
			n.Detail = "contact is now " + i.dev.ContactEmail
			if !contact {
				n.Detail = "customer ID is now " + i.dev.CustomerID
			}
		}))
	}
	i.dev.MailedAt = time.Time{} // another address, another question
	return i.move(Reopened)
}

// mustCover reports whether the contract has to be looked at: new claims, no contract yet on an inventory, or an end.
func (i *identification) mustCover() bool {
	d, at := i.dev, i.in.ReceivedAt
	switch {
	case i.out.New, i.changed("contract_id", "contact_email", "ccoid"):
		return true
	case d.Entitlement.Contract == "":
		return fullInventory(i.in.Message)
	case d.State == StateRegistered:
		return !d.Entitlement.Covers(at)
	case d.State == StateConfirmed, d.State == StateExpired:
		return d.Entitlement.Covers(at)
	}
	return false
}

// ask looks up the contract that the message names.
func (i *identification) ask(ctx context.Context) error {
	if i.asked {
		return nil
	}
	i.asked = true
	c, err := i.s.Contract(ctx, word(i.in.Message.ContractID))
	if err != nil && callhome.KindOf(err) == callhome.KindNotFound {
		return nil
	}
	i.contract = c
	return err
}

// cover finds the contract that covers the device and lets it decide.
func (i *identification) cover(ctx context.Context) error {
	if i.changed("contract_id") && !i.dev.Owned && !i.dev.Origin.owns() { // nobody's yet: whose it may be, the contract says
		i.dev.Company = account.NoCompany
	}
	c, refusal, err := findContract(ctx, i.s, i.dev, i.in.ReceivedAt)
	if err != nil {
		return err
	}
	return settle(i.dev, c, refusal, i.in.ReceivedAt)
}

// findContract is the contract that covers a device: the one it names, else one that lists its serial number. nil with
// the reason when there is none.
func findContract(ctx context.Context, s Contracts, d *Device, at time.Time) (*Contract, Refusal, error) {
	if d.Contract != "" {
		c, err := s.Contract(ctx, d.Contract)
		if err != nil && callhome.KindOf(err) == callhome.KindNotFound {
			return nil, RefusedUnknown, nil
		}
		if err != nil {
			return nil, "", err
		}
		if refusal := fitting(c, d); refusal != "" {
			return nil, refusal, nil
		}
		return c, "", nil
	}
	listed, err := s.ContractsCovering(ctx, d.Serial)
	if err != nil {
		return nil, "", err
	}
	refusal := RefusedUnknown
	var best *Contract
	for k := range listed { // those that end last come first
		c := &listed[k]
		if refusal = fitting(c, d); refusal != "" {
			continue
		}
		if best == nil || best.At(at) != CoverBegan && c.At(at) == CoverBegan {
			best = c
		}
	}
	if best != nil {
		return best, "", nil
	}
	return nil, refusal, nil
}

// fitting holds a device against a contract and its company.
func fitting(c *Contract, d *Device) Refusal {
	if d.Company != account.NoCompany && c.Company != d.Company {
		return RefusedCompany
	}
	return c.Judge(d.claimed())
}

func (d *Device) claimed() Claimed {
	return Claimed{Model: d.Model, Serial: d.Serial, Email: d.ContactEmail, User: d.UserName}
}

// settle lets a contract, or the lack of one, decide about a device.
func settle(d *Device, c *Contract, _ Refusal, at time.Time) error {
	if c == nil {
		d.Entitlement = Entitlement{Registered: d.State == StateRegistered}
		if !d.State.Settled() {
			return nil
		}
		return move(d, CoverMissing, at)
	}
	registered := d.Entitlement.Registered
	d.Entitlement = c.entitles()
	d.Entitlement.Registered = registered
	if d.Company == account.NoCompany {
		d.Company = c.Company
	}
	if !d.State.Settled() {
		return nil
	}
	return move(d, c.At(at), at)
}

// inventory moves the registration on after a full inventory and asks the contact.
func (i *identification) inventory(ctx context.Context) error {
	what := InventoryNameless
	if plainAddress(i.dev.ContactEmail) {
		what = InventoryCame
	}
	if err := i.move(what); err != nil {
		return err
	}
	if !i.dev.State.Asking() {
		return nil
	}
	if i.trusted() {
		return i.confirmByCertificate()
	}
	if i.dev.State != StatePending {
		return nil
	}
	return i.mail(ctx)
}

// trusted reports whether the policy needs no person: the message came through an agent or gateway of the company whose
// contract covers the device.
func (i *identification) trusted() bool {
	return i.r.Policy.AutoConfirm == AutoConfirmCertificate && i.from.owns() && i.from.Company == i.dev.Company && i.dev.Entitlement.Contract != ""
}

func (i *identification) confirmByCertificate() error {
	if err := i.move(ConfirmedHappened); err != nil {
		return err
	}
	i.dev.ConfirmedAt, i.dev.Owned = i.in.ReceivedAt, true
	c := Contract{From: i.dev.Entitlement.From, Until: i.dev.Entitlement.Until}
	if err := i.move(c.At(i.in.ReceivedAt)); err != nil {
		return err
	}
	i.out.Notices = append(i.out.Notices, i.notice(NoticeRegistrationComplete, func(n *Notice) { n.To = i.dev.ContactEmail }))
	return nil
}

// mail asks the contact to confirm, at most once a day.
func (i *identification) mail(ctx context.Context) error {
	if !plainAddress(i.dev.ContactEmail) || !i.dev.MailedAt.IsZero() && i.in.ReceivedAt.Sub(i.dev.MailedAt) < mailPause {
		return nil
	}
	n, err := askContact(ctx, i.s, i.dev, i.in.ReceivedAt)
	if err != nil {
		return err
	}
	i.out.Notices = append(i.out.Notices, n)
	return nil
}

// heard notes a scheduled message.
func (i *identification) heard(ctx context.Context) error {
	if !i.dev.SilentSince.IsZero() {
		i.out.Spoke = append(i.out.Spoke, Silence{Device: *i.dev, LastAt: i.was.LastSeen, DueAt: i.dev.SilentSince})
		i.dev.SilentSince = time.Time{}
		if _, err := i.s.WatchDevice(ctx, i.dev.ID, i.in.ReceivedAt.Add(silentAfter), time.Time{}); err != nil {
			return err
		}
	}
	m := i.in.Message
	if !m.Group.Periodic() || m.Group == callhome.GroupInventory && !fullInventory(m) {
		return nil
	}
	sched, err := i.s.Schedule(ctx, i.dev.ID, m.Group)
	if err != nil && callhome.KindOf(err) != callhome.KindNotFound {
		return err
	}
	if err != nil {
		sched = &Schedule{Device: i.dev.ID, Group: m.Group}
	}
	before := *sched
	if sched.Heard(i.in.ReceivedAt) {
		i.out.Spoke = append(i.out.Spoke, Silence{Device: *i.dev, Group: m.Group, Period: before.Period, LastAt: before.LastAt, DueAt: before.DueAt})
	}
	return i.s.PutSchedule(ctx, sched)
}

// write stores the device when it changed, or only that it was heard when that was a while ago.
func (i *identification) write(ctx context.Context) error {
	at := i.in.ReceivedAt
	if *i.dev != i.was {
		if at.After(i.dev.LastSeen) {
			i.dev.LastSeen = at
		}
		return i.s.PutDevice(ctx, i.dev)
	}
	if at.Sub(i.dev.LastSeen) < touchPause {
		return nil
	}
	i.dev.LastSeen = at
	return i.s.Touch(ctx, i.dev.ID, at)
}
