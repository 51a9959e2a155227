package storetest

import (
	"context"
	"slices"

	"callhome"
	"callhome/server/account"
	"callhome/server/registry"
	"callhome/server/sqlstore"
)

func deskModels(d *desk) {
	dev := d.registered()
	other := func(in *registry.Input) { in.Message.DeviceID, in.Message.Model = "QX1@C@QXA2613K0PZ", "QX1" }
	out := d.identify(d.inventory(other))
	if !out.Suspicious || out.Conflict == nil || out.Conflict.Kind != registry.ConflictModel || out.Conflict.Device != dev.ID || out.Device.State != registry.StateUnknown || out.Entitled {
		d.Fatalf("another model: %+v", out)
	}
	wantReasons(d, out, registry.ReasonConflict)
	if !slices.Equal(notices(out), []registry.NoticeKind{registry.NoticeConflict}) {
		d.Errorf("notices %v", notices(out))
	}
	out2 := d.identify(d.inventory(other))
	if !out2.Suspicious || out2.Conflict.ID != out.Conflict.ID || out2.Conflict.Count != 2 || len(out2.Notices) != 0 {
		d.Errorf("again: %+v", out2)
	}
	if out := d.identify(d.syslog(nil)); out.Suspicious || !out.Entitled {
		d.Errorf("the known device suffers: %+v", out)
	}
	d.resolve(out.Conflict.ID, registry.ConflictBoth)
	if out = d.identify(d.inventory(other)); out.Suspicious || out.Device.State != registry.StatePending || out.Device.Conflict != 0 {
		d.Errorf("after both were found right: %+v", out)
	}
	err := d.store.InTx(context.Background(), func(tx *sqlstore.Tx) error {
		_, err := d.reg.Resolve(context.Background(), tx.Registry(), out2.Conflict.ID, registry.ConflictKept, account.System())
		return err
	})
	wantKind(d.T, err, callhome.KindConflict)

	third := func(in *registry.Input) { in.Message.DeviceID, in.Message.Model = "QX2@C@QXA2613K0PZ", "QX2" }
	out = d.identify(d.inventory(third))
	d.resolve(out.Conflict.ID, registry.ConflictKept)
	d.wantState(out.Device.ID, registry.StateRejected)
	if out = d.identify(d.inventory(third)); out.Entitled || len(out.Notices) != 0 {
		d.Errorf("a rejected model: %+v", out)
	}
}

func (d *desk) resolve(id int64, how registry.ConflictState) {
	d.Helper()
	d.tx(func(s registry.Store) error {
		_, err := d.reg.Resolve(context.Background(), s, id, how, account.System())
		return err
	})
}

func (d *desk) enrolment(c account.CompanyID, name string) *registry.Enrolment {
	d.Helper()
	e := &registry.Enrolment{Kind: "gateway", Company: c, Name: name, JoinedAt: d.clock.now()}
	d.tx(func(s registry.Store) error { return s.AddEnrolment(context.Background(), e) })
	return e
}

func deskCompanies(d *desk) {
	dev := d.registered()
	ours, theirs := d.enrolment(d.acme, "gw-a"), d.enrolment(d.blue, "gw-b")
	by := func(e *registry.Enrolment) *registry.Input {
		return d.syslog(func(in *registry.Input) { in.Enrolment = e.ID })
	}
	if out := d.identify(by(theirs)); !out.Suspicious || out.Conflict.Kind != registry.ConflictCompany || out.Device.Company != d.acme {
		d.Fatalf("another company's gateway: %+v", out)
	}
	if out := d.identify(by(ours)); out.Suspicious || !out.Entitled || out.Device.Origin.Name != "gw-a" {
		d.Fatalf("our own gateway: %+v", out)
	}
	out := d.identify(d.syslog(func(in *registry.Input) { in.Message.SystemName = "forged" }))
	if !out.Suspicious || out.Conflict.Kind != registry.ConflictOrigin {
		d.Fatalf("without a certificate: %+v", out)
	}
	if got := d.wantState(dev.ID, registry.StateRegistered); got.SystemName != "edge-rtr-7" {
		d.Errorf("a suspicious message changed the name to %s", got.SystemName)
	}
	if moved := d.identify(by(d.enrolment(d.acme, "gw-c"))); moved.Suspicious || moved.Device.Origin.Name != "gw-c" || moved.Changes[0].Field != "origin" {
		d.Errorf("another gateway of the same company: %+v", moved)
	}
	open := must[[]registry.Conflict](d.T)(d.read().ListConflicts(context.Background(), account.Everywhere(), registry.ConflictOpen, account.Page{}))
	if len(open) != 2 {
		d.Fatalf("open conflicts: %+v", open)
	}
	d.resolve(open[1].ID, registry.ConflictDone) // the first: the device belongs to blue now
	got := d.wantState(dev.ID, registry.StatePending)
	if got.Company != d.blue || got.Origin.Name != "gw-b" {
		d.Errorf("after the move: %+v", got)
	}
	for c, want := range map[account.CompanyID]bool{d.acme: false, d.blue: true} {
		reach := account.Reach{Companies: []account.CompanyID{c}}
		conflicts := must[[]registry.Conflict](d.T)(d.read().ListConflicts(context.Background(), reach, "", account.Page{}))
		exceptions := must[[]registry.Exception](d.T)(d.read().ListExceptions(context.Background(), reach, registry.ExceptionFilter{}, account.Page{}))
		if len(conflicts) > 0 != want || len(exceptions) > 0 != want {
			d.Errorf("company %d sees %d conflicts and %d exceptions of a device that is blue's now", c, len(conflicts), len(exceptions))
		}
	}
	if out := d.identify(by(theirs)); out.Suspicious {
		d.Errorf("after the move its messages are suspicious: %+v", out.Conflict)
	}
}

func deskContracts(d *desk) {
	dev := d.registered()
	d.contract("K-BLUE", d.blue, registry.Cover{Kind: registry.CoverProduct, Value: "*"})
	d.contract("K-NEW", d.acme, registry.Cover{Kind: registry.CoverProduct, Value: "*"})
	for _, number := range []string{"K-BLUE", "K-NONE"} {
		out := d.identify(d.syslog(func(in *registry.Input) { in.Message.ContractID = number }))
		if !out.Suspicious || out.Conflict.Kind != registry.ConflictContract || out.Device.Company != d.acme {
			d.Errorf("contract %s: %+v", number, out)
		}
	}
	out := d.identify(d.syslog(func(in *registry.Input) { in.Message.ContractID = "K-NEW" }))
	if out.Suspicious || !out.Entitled || out.Entitlement.Contract != "K-NEW" {
		d.Errorf("another contract of the same company: %+v", out)
	}
	d.wantState(dev.ID, registry.StateRegistered)
}
