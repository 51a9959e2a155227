package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/registry"
	"callhome/server/sqlstore"
)

// Registry holds a store to the promises of registry.Store, by what the registrar does with it.
func Registry(t *testing.T, open func(testing.TB) *sqlstore.Store) {
	for _, c := range []struct {
		name string
		run  func(*desk)
	}{
		{"from nothing to registered", deskRegisters},
		{"hot path writes little", deskHotPath},
		{"a change at the same moment", deskRaces},
		{"anonymous", deskAnonymous},
		{"no contract", deskNoContract},
		{"contract ends and is renewed", deskExpires},
		{"contact changes", deskReopens},
		{"conflict of models", deskModels},
		{"conflict of companies", deskCompanies},
		{"conflict of contracts", deskContracts},
		{"certificates confirm", deskAutoConfirms},
		{"wrong codes", deskWrongCodes},
		{"silence", deskSilence},
		{"silence of schedules", deskSchedules},
		{"import", deskImports},
		{"isolation", deskIsolation},
		{"groups", deskGroups},
		{"enrolment", deskEnrols},
		{"heartbeats", deskBeats},
		{"exceptions", deskExceptions},
		{"hostile", deskHostile},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(newDesk(t, open(t))) })
	}
}

// desk is a registrar with two companies and a contract of the first.
type desk struct {
	*testing.T
	clock      *clock
	store      *sqlstore.Store
	reg        *registry.Registrar
	office     *account.Office
	acme, blue account.CompanyID
	rita       account.Principal // leads acme
	archive    int64
}

func newDesk(t *testing.T, s *sqlstore.Store) *desk {
	c := newClock()
	d := &desk{T: t, clock: c, store: s, reg: &registry.Registrar{Now: c.now}, office: &account.Office{Now: c.now}}
	d.acme, d.blue = company(t, s, d.office, "Acme").ID, company(t, s, d.office, "Blue").ID
	d.rita = account.Principal{User: 7, Name: "rita", Role: account.RoleCompanyAdmin, Companies: []account.CompanyID{d.acme}, Scope: account.ScopeAdmin}
	d.contract("K-7781-22", d.acme, registry.Cover{Kind: registry.CoverSerial, Value: "QXA2613K0PZ"})
	return d
}

func (d *desk) tx(f func(registry.Store) error) {
	d.Helper()
	if err := d.store.InTx(context.Background(), func(tx *sqlstore.Tx) error { return f(tx.Registry()) }); err != nil {
		d.Fatal(err)
	}
}

func (d *desk) contract(number string, c account.CompanyID, covers ...registry.Cover) *registry.Contract {
	d.Helper()
	k := &registry.Contract{Number: number, Company: c, Tier: "gold", From: d.clock.now().AddDate(-1, 0, 0), Until: d.clock.now().AddDate(1, 0, 0), Covers: covers}
	d.tx(func(s registry.Store) error {
		_, err := d.reg.PutContract(context.Background(), s, k)
		return err
	})
	return k
}

// inventory is a full inventory of the usual device; change may be nil.
func (d *desk) inventory(change func(*registry.Input)) *registry.Input {
	d.archive++
	in := &registry.Input{
		Message: &callhome.Message{
			MessageID: callhome.MessageID(fmt.Sprintf("M%d:QXA2613K0PZ:69B529DD", d.archive)), Group: callhome.GroupInventory, Type: "inventory", Subtype: "full",
			DeviceID: "QX9006@C@QXA2613K0PZ", Model: "QX9006", Serial: "QXA2613K0PZ", SystemName: "edge-rtr-7", ContactEmail: "noc@ops.example",
			ContractID: "K-7781-22", CustomerID: "C-20417", SiteID: "Lisbon-DC2", SWVersion: "17.12.4", EventTime: callhome.At(d.clock.now()),
			FRUs: []callhome.FRU{{Name: "QX-LC24", Serial: "QXL2551Z0AA", Slot: "1"}},
		},
		Personality: "ios", ReceivedAt: d.clock.now(), ArchiveID: d.archive, Transport: "http", Peer: "192.0.2.7",
	}
	if change != nil {
		change(in)
	}
	return in
}

func (d *desk) syslog(change func(*registry.Input)) *registry.Input {
	return d.inventory(func(in *registry.Input) {
		in.Message.Group, in.Message.Type, in.Message.Subtype, in.Message.FRUs = callhome.GroupSyslog, "syslog", "", nil
		if change != nil {
			change(in)
		}
	})
}

func (d *desk) identify(in *registry.Input) (out *registry.Identified) {
	d.Helper()
	d.tx(func(s registry.Store) (err error) {
		out, err = d.reg.Identify(context.Background(), s, in)
		return err
	})
	return out
}

func (d *desk) read() registry.Store { return d.store.Read().Registry() }

func (d *desk) confirm(o registry.ConfirmOrder) (dev *registry.Device, notices []registry.Notice, err error) {
	wrong := d.store.InTx(context.Background(), func(tx *sqlstore.Tx) error {
		dev, notices, err = d.reg.Confirm(context.Background(), tx.Registry(), o)
		if errors.Is(err, registry.ErrWrongCode) {
			return nil
		}
		return err
	})
	if err == nil {
		err = wrong
	}
	return dev, notices, err
}

// registered brings the usual device to its registration.
func (d *desk) registered() *registry.Device {
	d.Helper()
	out := d.identify(d.inventory(nil))
	dev, _, err := d.confirm(registry.ConfirmOrder{Device: out.Device.ID, Agreed: true, By: d.rita})
	if err != nil || dev.State != registry.StateRegistered {
		d.Fatalf("Confirm = %+v, %v", dev, err)
	}
	return dev
}

func (d *desk) wantState(id registry.ID, want registry.State) *registry.Device {
	d.Helper()
	dev, err := d.read().Device(context.Background(), id)
	if err != nil || dev.State != want {
		d.Fatalf("device is %+v, %v; want state %s", dev, err, want)
	}
	counts, err := d.read().CountDevices(context.Background(), account.Everywhere())
	if err != nil || counts[want] < 1 {
		d.Errorf("counters of devices: %v, %v; want %s counted", counts, err, want)
	}
	return dev
}

func wantReasons(t testing.TB, out *registry.Identified, want ...registry.Reason) {
	t.Helper()
	if !slices.Equal(out.Exceptions, want) {
		t.Errorf("got exceptions %v, want %v", out.Exceptions, want)
	}
}

func notices(out *registry.Identified) (kinds []registry.NoticeKind) {
	for _, n := range out.Notices {
		kinds = append(kinds, n.Kind)
	}
	return kinds
}

func deskRegisters(d *desk) {
	out := d.identify(d.syslog(nil))
	if !out.New || out.Device.State != registry.StateUnknown || out.Entitled || len(out.Notices) != 0 {
		d.Fatalf("first message: %+v", out)
	}
	wantReasons(d, out, registry.ReasonNotRegistered)

	out = d.identify(d.inventory(nil))
	if out.New || out.Device.State != registry.StatePending || out.Device.Company != d.acme || !slices.Equal(notices(out), []registry.NoticeKind{registry.NoticeRegistrationRequired}) {
		d.Fatalf("inventory: %+v", out)
	}
	ask := out.Notices[0]
	if ask.To != "noc@ops.example" || ask.Link.IsZero() || ask.Code.IsZero() || ask.Until.Sub(d.clock.now()) != 30*24*time.Hour {
		d.Errorf("question: %+v", ask)
	}
	d.clock.pass(23 * time.Hour)
	if out = d.identify(d.inventory(nil)); len(out.Notices) != 0 {
		d.Errorf("asked twice within a day: %v", notices(out))
	}
	d.clock.pass(2 * time.Hour)
	if out = d.identify(d.inventory(nil)); len(out.Notices) != 1 {
		d.Errorf("not asked again after a day: %v", notices(out))
	}
	stranger := account.Principal{User: 9, Name: "olga", Role: account.RoleDeviceAdmin, Companies: []account.CompanyID{d.blue}, Scope: account.ScopeAdmin}
	_, _, err := d.confirm(registry.ConfirmOrder{Device: out.Device.ID, Agreed: true, By: stranger})
	wantKind(d.T, err, callhome.KindNotFound)
	_, _, err = d.confirm(registry.ConfirmOrder{Token: ask.Link, By: d.rita})
	wantKind(d.T, err, callhome.KindInvalid) // the agreement

	dev, told, err := d.confirm(registry.ConfirmOrder{Token: ask.Link, Agreed: true, By: d.rita}) // the first mail's link still works
	if err != nil || dev.State != registry.StateRegistered || len(told) != 1 || told[0].Kind != registry.NoticeRegistrationComplete || dev.ConfirmedBy != 7 {
		d.Fatalf("Confirm = %+v, %v, %v", dev, told, err)
	}
	d.wantState(dev.ID, registry.StateRegistered)
	_, _, err = d.confirm(registry.ConfirmOrder{Token: ask.Link, Agreed: true, By: d.rita})
	wantKind(d.T, err, callhome.KindNotFound) // used up
	out = d.identify(d.syslog(nil))
	if !out.Entitled || out.Entitlement.Tier != "gold" || out.Entitlement.Contract != "K-7781-22" {
		d.Errorf("after registration: %+v", out)
	}
	wantReasons(d, out)
}

func deskHotPath(d *desk) {
	dev := d.registered()
	before := must[*registry.Device](d.T)(d.read().Device(context.Background(), dev.ID))
	d.clock.pass(30 * time.Second)
	if out := d.identify(d.syslog(nil)); len(out.Changes) != 0 {
		d.Errorf("changes %v", out.Changes)
	}
	after := must[*registry.Device](d.T)(d.read().Device(context.Background(), dev.ID))
	if *after != *before {
		d.Errorf("a message within the minute wrote %+v over %+v", after, before)
	}
	d.clock.pass(30 * time.Second)
	d.identify(d.syslog(nil))
	after = must[*registry.Device](d.T)(d.read().Device(context.Background(), dev.ID))
	if !after.LastSeen.Equal(d.clock.now()) || after.Version != before.Version {
		d.Errorf("after a minute: %+v", after)
	}
	out := d.identify(d.syslog(func(in *registry.Input) { in.Message.SWVersion, in.Message.SystemName = "17.12.5", "edge-rtr-8" }))
	if len(out.Changes) != 2 || out.Changes[1] != (registry.Change{Field: "sw_version", Before: "17.12.4", After: "17.12.5"}) {
		d.Errorf("changes %+v", out.Changes)
	}
	found := must[map[registry.Key]*registry.Device](d.T)(d.read().DevicesByKey(context.Background(), []registry.Key{{Model: "QX9006", Serial: "QXA2613K0PZ"}, {Model: "no", Serial: "QXA2613K0PZ"}}))
	if len(found) != 1 || found[registry.Key{Model: "QX9006", Serial: "QXA2613K0PZ"}].SystemName != "edge-rtr-8" {
		d.Errorf("DevicesByKey = %v", found)
	}
}

// meddler changes a device behind the back of whoever read it, once.
type meddler struct {
	registry.Store
	meddle func()
}

// PutDevice meddles first.
func (m *meddler) PutDevice(ctx context.Context, v *registry.Device) error {
	if m.meddle != nil {
		m.meddle()
		m.meddle = nil
	}
	return m.Store.PutDevice(ctx, v)
}

func deskRaces(d *desk) {
	ctx, dev := context.Background(), d.registered()
	d.tx(func(s registry.Store) error {
		m := &meddler{Store: s, meddle: func() {
			other := must[*registry.Device](d.T)(s.Device(ctx, dev.ID))
			other.Site = "Porto"
			if err := s.PutDevice(ctx, other); err != nil {
				d.Error(err)
			}
		}}
		out, err := d.reg.Identify(ctx, m, d.syslog(func(in *registry.Input) { in.Message.SystemName, in.Message.SiteID = "edge-rtr-9", "" }))
		if err == nil && (out.Device.SystemName != "edge-rtr-9" || out.Device.Site != "Porto") {
			d.Errorf("after both changes: %+v", out.Device)
		}
		return err
	})
	stale := *dev
	err := d.store.InTx(ctx, func(tx *sqlstore.Tx) error { return tx.Registry().PutDevice(ctx, &stale) })
	wantKind(d.T, err, callhome.KindConflict)
	if err := d.store.InTx(ctx, func(tx *sqlstore.Tx) error { return tx.Registry().AddDevice(ctx, &stale) }); callhome.KindOf(err) != callhome.KindConflict {
		d.Errorf("the same device again: %v", err)
	}
	d.wantState(dev.ID, registry.StateRegistered)
}

func deskAnonymous(d *desk) {
	for range 3 {
		out := d.identify(d.inventory(func(in *registry.Input) {
			m := in.Message
			m.SystemName, m.ContactEmail, m.ContractID, m.CustomerID, m.SiteID = "", "", "", "", ""
		}))
		if out.Mode != registry.Anonymous || out.Device != nil || len(out.Notices)+len(out.Exceptions) != 0 {
			d.Fatalf("anonymous: %+v", out)
		}
	}
	if devices := must[[]registry.Device](d.T)(d.read().ListDevices(context.Background(), account.Everywhere(), registry.DeviceFilter{}, account.Page{})); len(devices) != 0 {
		d.Errorf("anonymous messages made devices %v", devices)
	}
	counts := must[[]registry.AnonymousCount](d.T)(d.read().AnonymousCounts(context.Background(), d.clock.now(), 10))
	if len(counts) != 1 || counts[0] != (registry.AnonymousCount{Day: "2026-03-14", Model: "QX9006", Group: callhome.GroupInventory, N: 3}) {
		d.Errorf("counts %+v", counts)
	}
}

func deskNoContract(d *desk) {
	out := d.identify(d.inventory(func(in *registry.Input) {
		in.Message.DeviceID, in.Message.Serial, in.Message.ContractID = "QX9006@C@QXOTHER", "QXOTHER", "K-0"
	}))
	wantReasons(d, out, registry.ReasonNotRegistered, registry.ReasonNoContract)
	id := out.Device.ID
	dev, _, err := d.confirm(registry.ConfirmOrder{Token: out.Notices[0].Link, Agreed: true, By: d.rita})
	if err != nil || dev.State != registry.StateNoContract || dev.Company != d.acme {
		d.Fatalf("Confirm = %+v, %v", dev, err)
	}
	d.contract("K-0", d.acme, registry.Cover{Kind: registry.CoverProduct, Value: "QX90*"})
	d.wantState(id, registry.StateRegistered)
	d.contract("K-0", d.acme, registry.Cover{Kind: registry.CoverProduct, Value: "ZZ*"})
	d.wantState(id, registry.StateNoContract)
	out = d.identify(d.syslog(func(in *registry.Input) {
		in.Message.DeviceID, in.Message.Serial, in.Message.ContractID = "QX9006@C@QXOTHER", "QXOTHER", "K-0"
	}))
	wantReasons(d, out, registry.ReasonNoContract)
}

func (d *desk) sweep() (all []registry.Notice) {
	d.Helper()
	for done := false; !done; {
		d.tx(func(s registry.Store) error {
			n, finished, err := d.reg.Sweep(context.Background(), s, 10)
			all, done = append(all, n...), finished
			return err
		})
	}
	return all
}

func deskExpires(d *desk) {
	dev := d.registered()
	if n := d.sweep(); len(n) != 0 {
		d.Errorf("a year before the end: %+v", n)
	}
	d.clock.pass(340 * 24 * time.Hour)
	if n := d.sweep(); len(n) != 1 || n[0].Kind != registry.NoticeRegistrationExpiring || n[0].Devices != 1 || n[0].Company != d.acme {
		d.Errorf("a month before the end: %+v", n)
	}
	if n := d.sweep(); len(n) != 0 {
		d.Errorf("warned twice: %+v", n)
	}
	d.clock.pass(30 * 24 * time.Hour)
	out := d.identify(d.syslog(nil)) // the message itself finds the end, sweep or not
	if out.Entitled || out.Device.State != registry.StateExpired {
		d.Errorf("after the end: %+v", out)
	}
	wantReasons(d, out, registry.ReasonNoContract)
	if n := d.sweep(); len(n) != 1 || n[0].Kind != registry.NoticeRegistrationExpired {
		d.Errorf("at the end: %+v", n)
	}
	d.contract("K-7781-22", d.acme, registry.Cover{Kind: registry.CoverSerial, Value: "QXA2613K0PZ"}) // renewed
	d.wantState(dev.ID, registry.StateRegistered)
	if out = d.identify(d.syslog(nil)); !out.Entitled {
		d.Errorf("after renewal: %+v", out)
	}
}

func deskReopens(d *desk) {
	dev := d.registered()
	d.clock.pass(time.Hour)
	out := d.identify(d.syslog(func(in *registry.Input) { in.Message.ContactEmail = "new@ops.example" }))
	if out.Device.State != registry.StatePending || out.Entitled {
		d.Fatalf("after a new contact: %+v", out.Device)
	}
	if !slices.Equal(notices(out), []registry.NoticeKind{registry.NoticeContactChanged, registry.NoticeRegistrationRequired}) || out.Notices[0].To != "noc@ops.example" || out.Notices[1].To != "new@ops.example" {
		d.Errorf("notices %+v", out.Notices)
	}
	out = d.identify(d.syslog(func(in *registry.Input) { in.Message.ContactEmail = "NEW@ops.example" }))
	if len(out.Notices) != 0 {
		d.Errorf("the same address in other case: %+v", out.Notices)
	}
	if dev, _, err := d.confirm(registry.ConfirmOrder{Device: dev.ID, Agreed: true, By: d.rita}); err != nil || dev.State != registry.StateRegistered {
		d.Errorf("Confirm = %+v, %v", dev, err)
	}
	out = d.identify(d.syslog(func(in *registry.Input) {
		in.Message.ContactEmail, in.Message.CustomerID = "new@ops.example", "C-9"
	}))
	if out.Device.State != registry.StatePending {
		d.Errorf("another customer: %s", out.Device.State)
	}
}

func deskAutoConfirms(d *desk) {
	d.reg.Policy.AutoConfirm = registry.AutoConfirmCertificate
	gw, theirs := d.enrolment(d.acme, "gw-a"), d.enrolment(d.blue, "gw-b")
	out := d.identify(d.inventory(func(in *registry.Input) { in.Enrolment = theirs.ID }))
	if out.Entitled || out.Device.State != registry.StatePending { // blue's gateway does not make it acme's device
		d.Errorf("through another company's gateway: %+v", out.Device)
	}
	d.contract("K-2", d.acme, registry.Cover{Kind: registry.CoverSerial, Value: "QX2"})
	out = d.identify(d.inventory(func(in *registry.Input) {
		in.Enrolment, in.Message.DeviceID, in.Message.Serial, in.Message.ContractID = gw.ID, "QX9006@C@QX2", "QX2", ""
	}))
	if !out.Entitled || out.Device.State != registry.StateRegistered || !slices.Equal(notices(out), []registry.NoticeKind{registry.NoticeRegistrationComplete}) {
		d.Errorf("through the company's own gateway: %+v %v", out.Device, notices(out))
	}
}

func deskWrongCodes(d *desk) {
	out := d.identify(d.inventory(nil))
	code := out.Notices[0].Code.Reveal()
	partner := account.Principal{User: 8, Name: "paula", Role: account.RolePartner, Companies: []account.CompanyID{d.blue}, Scope: account.ScopeAdmin}
	order := registry.ConfirmOrder{Device: out.Device.ID, Agreed: true, By: partner, Code: callhome.NewSecret("0000000000")}
	_, _, err := d.confirm(order)
	wantKind(d.T, err, callhome.KindDenied)
	order.Code = callhome.NewSecret(strings.ToLower(code[:5]) + "-" + code[5:])
	dev, _, err := d.confirm(order) // possession proves what the contract does not
	if err != nil || dev.State != registry.StateRegistered || dev.Company != d.acme {
		d.Errorf("with the code: %+v, %v", dev, err)
	}
	d.contract("K-3", d.acme, registry.Cover{Kind: registry.CoverSerial, Value: "QX3"})
	out = d.identify(d.inventory(func(in *registry.Input) {
		in.Message.DeviceID, in.Message.Serial, in.Message.ContractID = "QX9006@C@QX3", "QX3", "K-3"
	}))
	order.Device, order.Code = out.Device.ID, callhome.NewSecret("0000000000")
	for range 10 {
		_, _, err = d.confirm(order)
		wantKind(d.T, err, callhome.KindDenied)
	}
	order.Code = out.Notices[0].Code
	_, _, err = d.confirm(order)
	wantKind(d.T, err, callhome.KindDenied) // too many failures
}

func deskIsolation(d *desk) {
	ctx := context.Background()
	d.registered()
	d.contract("K-B", d.blue, registry.Cover{Kind: registry.CoverProduct, Value: "QXB"})
	theirs := d.identify(d.inventory(func(in *registry.Input) {
		in.Message.DeviceID, in.Message.Model, in.Message.Serial, in.Message.ContractID = "QXB@C@QXB1", "QXB", "QXB1", "K-B"
	}))
	if theirs.Device.Company != d.blue {
		d.Fatalf("the other company's device: %+v", theirs.Device)
	}
	for _, c := range []account.CompanyID{d.acme, d.blue} {
		e := d.enrolment(c, "gw")
		d.tx(func(s registry.Store) error {
			if err := s.PutConflict(ctx, &registry.Conflict{Device: registry.ID(c), Company: c, Kind: registry.ConflictOrigin, Now: "x", State: registry.ConflictOpen}); err != nil {
				return err
			}
			if _, _, err := d.reg.NewJoinToken(ctx, s, registry.JoinOrder{Kind: "agent", Company: c}); err != nil {
				return err
			}
			return s.AddGroup(ctx, &registry.Group{Company: c, Kind: registry.GroupOfDevices, Name: e.Name})
		})
	}
	s, reach := d.read(), account.Reach{Companies: []account.CompanyID{d.acme}}
	check := func(list string, companies []account.CompanyID, err error) {
		d.Helper()
		if err != nil || len(companies) == 0 {
			d.Errorf("%s: %v, %v; want some of Acme's", list, companies, err)
		}
		for _, c := range companies {
			if c != d.acme {
				d.Errorf("%s: Acme sees what is of company %d", list, c)
			}
		}
	}
	p := account.Page{}
	devices, err := s.ListDevices(ctx, reach, registry.DeviceFilter{}, p)
	check("devices", companiesOf(devices, func(v registry.Device) account.CompanyID { return v.Company }), err)
	exceptions, err := s.ListExceptions(ctx, reach, registry.ExceptionFilter{}, p)
	check("exceptions", companiesOf(exceptions, func(v registry.Exception) account.CompanyID { return v.Company }), err)
	conflicts, err := s.ListConflicts(ctx, reach, "", p)
	check("conflicts", companiesOf(conflicts, func(v registry.Conflict) account.CompanyID { return v.Company }), err)
	groups, err := s.ListGroups(ctx, reach, "", p)
	check("groups", companiesOf(groups, func(v registry.Group) account.CompanyID { return v.Company }), err)
	contracts, err := s.ListContracts(ctx, reach, registry.ContractFilter{}, p)
	check("contracts", companiesOf(contracts, func(v registry.Contract) account.CompanyID { return v.Company }), err)
	tokens, err := s.ListJoinTokens(ctx, reach, p)
	check("tokens", companiesOf(tokens, func(v registry.JoinToken) account.CompanyID { return v.Company }), err)
	fleet, err := s.ListEnrolments(ctx, reach, registry.EnrolmentFilter{}, p)
	check("enrolments", companiesOf(fleet, func(v registry.Enrolment) account.CompanyID { return v.Company }), err)
	counts, err := s.CountDevices(ctx, reach)
	if err != nil || len(counts) != 1 || counts[registry.StateRegistered] != 1 {
		d.Errorf("counters: %v, %v", counts, err)
	}
	rows, err := s.Drift(ctx, reach)
	if err != nil || len(rows) != 1 || rows[0].N != 1 {
		d.Errorf("drift: %+v, %v", rows, err)
	}
	all, err := s.ListDevices(ctx, account.Everywhere(), registry.DeviceFilter{}, account.Page{Limit: 1})
	if err != nil || len(all) != 1 {
		d.Fatalf("first page %+v, %v", all, err)
	}
	rest, err := s.ListDevices(ctx, account.Everywhere(), registry.DeviceFilter{}, account.Page{Limit: 1, After: int64(all[0].ID)})
	if err != nil || len(rest) != 1 || rest[0].ID >= all[0].ID {
		d.Errorf("second page %+v, %v", rest, err)
	}
}

func companiesOf[T any](list []T, of func(T) account.CompanyID) (out []account.CompanyID) {
	for _, v := range list {
		out = append(out, of(v))
	}
	return out
}

func deskGroups(d *desk) {
	ctx, dev := context.Background(), d.registered()
	g := &registry.Group{Company: d.acme, Kind: registry.GroupIsSite, Name: "Lisbon", Rule: registry.GroupRule{Site: "lisbon*", Model: "QX9?06"}, Owners: []account.UserID{7}}
	d.tx(func(s registry.Store) error {
		if err := s.AddGroup(ctx, g); err != nil {
			return err
		}
		return s.SetMembers(ctx, g.ID, true, dev.ID)
	})
	got := must[*registry.Group](d.T)(d.read().Group(ctx, g.ID))
	if !got.Takes(dev) || (&registry.Group{Company: d.blue, Rule: got.Rule}).Takes(dev) || (&registry.Group{Company: d.acme}).Takes(dev) {
		d.Errorf("rule of %+v", got)
	}
	if hand := must[[]int64](d.T)(d.read().GroupsByHand(ctx, dev.ID)); !slices.Equal(hand, []int64{g.ID}) {
		d.Errorf("groups by hand %v", hand)
	}
	if list := must[[]registry.Device](d.T)(d.read().ListDevices(ctx, account.Everywhere(), registry.DeviceFilter{Group: g.ID, Name: "EDGE", Serial: "qxa2613k0pz"}, account.Page{})); len(list) != 1 {
		d.Errorf("devices of the group: %+v", list)
	}
	d.tx(func(s registry.Store) error { return s.DeleteGroup(ctx, g.ID) })
	if hand := must[[]int64](d.T)(d.read().GroupsByHand(ctx, dev.ID)); len(hand) != 0 {
		d.Errorf("groups by hand after the group went: %v", hand)
	}
}

func deskExceptions(d *desk) {
	for range 3 {
		d.identify(d.inventory(func(in *registry.Input) {
			in.Message.EventTime = callhome.At(d.clock.now().Add(2 * time.Hour))
			in.Message.FRUs = nil
			in.Faults = []registry.Reason{registry.ReasonSize}
		}))
	}
	broken := d.identify(&registry.Input{Message: &callhome.Message{}, Faults: []registry.Reason{registry.ReasonUnparsable}, ReceivedAt: d.clock.now(), Transport: "http", Peer: "192.0.2.9"})
	wantReasons(d, broken, registry.ReasonUnparsable)
	out := d.identify(d.inventory(func(in *registry.Input) {
		in.Message.EventTime, in.Stored = callhome.At(d.clock.now().Add(-72*time.Hour)), true // waited in a gateway
	}))
	wantReasons(d, out, registry.ReasonNotRegistered)
	got := map[registry.Reason]int64{}
	for _, e := range must[[]registry.Exception](d.T)(d.read().ListExceptions(context.Background(), account.Everywhere(), registry.ExceptionFilter{}, account.Page{})) {
		got[e.Reason] = e.Count
		if e.Reason == registry.ReasonUnparsable {
			continue
		}
		if e.Serial != "QXA2613K0PZ" || e.Transport != "http" || e.ArchiveID == 0 {
			d.Errorf("exception %+v", e)
		}
	}
	want := map[registry.Reason]int64{registry.ReasonSize: 3, registry.ReasonIncomplete: 3, registry.ReasonClockSkew: 3, registry.ReasonNotRegistered: 4, registry.ReasonUnparsable: 1}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		d.Errorf("exceptions %v, want %v", got, want)
	}
}

func deskHostile(d *desk) {
	long := strings.Repeat("A", 1<<20)
	for _, m := range []func(*callhome.Message){
		func(m *callhome.Message) { m.DeviceID, m.Model, m.Serial = "", "", "" },
		func(m *callhome.Message) {
			m.DeviceID, m.Serial = callhome.DeviceID("QX@C@"+long), long
		},
		func(m *callhome.Message) { m.DeviceID, m.Serial = "QX@C@a\x00b", "a\x00b" },
		func(m *callhome.Message) { m.DeviceID, m.Serial = "QX@C@a\nb", "a\xff" },
	} {
		out := d.identify(d.inventory(func(in *registry.Input) { m(in.Message) }))
		if out.Device != nil || !slices.Contains(out.Exceptions, registry.ReasonUnidentified) {
			d.Errorf("a device that has no name: %+v", out)
		}
	}
	out := d.identify(d.inventory(func(in *registry.Input) {
		m := in.Message
		m.DeviceID, m.Serial = "QX@C@Robert'); DROP TABLE devices;--", "Robert'); DROP TABLE devices;--"
		m.Model = "QX"
		m.SystemName, m.ContactName, m.SiteID, m.SWVersion = long, "<script>\x00\xff", "a\r\nBcc: x@y", "\x1b[2J"
		m.ContactEmail, m.ContractID = "a@b.example\r\nBcc: all@c.example", "' OR '1'='1"
		in.Personality, in.Gateway, in.Peer = long, "gw\x00", long
	}))
	if out.Device == nil || out.Device.State != registry.StateInventory || len(out.Notices) != 0 {
		d.Fatalf("a hostile device: %+v", out)
	}
	dev := d.wantState(out.Device.ID, registry.StateInventory)
	for _, s := range []string{dev.SystemName, dev.ContactName, dev.Site, dev.SWVersion, dev.ContactEmail, dev.Personality} {
		if len(s) > 256 || strings.ContainsAny(s, "\x00\r\n\x1b") {
			d.Errorf("stored word %q", s[:min(len(s), 60)])
		}
	}
}
