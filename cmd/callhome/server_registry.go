package main

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"callhome"
	"callhome/control"
	"callhome/ctl"
	"callhome/server/account"
	"callhome/server/registry"
	"callhome/server/sqlstore"
)

// confirmAtOnce bounds how many devices one order confirms in one transaction.
const confirmAtOnce = 500

func (d *desk) serveRegistry(s *control.Server) {
	s.Handle(ctl.CallDeviceList, call(d.devices))
	s.Handle(ctl.CallDeviceShow, call(d.device))
	s.Handle(ctl.CallDeviceConfirm, call(d.confirm))
	s.Handle(ctl.CallDeviceDecide, call(func(ctx context.Context, o ctl.DeviceOrder) ([]ctl.DeviceResult, error) {
		return d.each(ctx, o.Devices, account.DeviceWrite, map[string]any{"happening": o.Happening},
			func(t *sqlstore.Tx, dev *registry.Device) (*registry.Device, []registry.Notice, error) {
				out, err := d.registrar.Decide(ctx, t.Registry(), dev.ID, o.Happening)
				return out, nil, err
			})
	}))
	s.Handle(ctl.CallDeviceAssign, call(func(ctx context.Context, o ctl.DeviceOrder) ([]ctl.DeviceResult, error) {
		company, err := d.company(ctx, d.store.Read(), o.Company)
		if err != nil {
			return nil, err
		}
		return d.each(ctx, o.Devices, account.DeviceWrite, map[string]any{"company": o.Company, "contract": o.Contract},
			func(t *sqlstore.Tx, dev *registry.Device) (*registry.Device, []registry.Notice, error) {
				out, err := d.registrar.Assign(ctx, t.Registry(), dev.ID, company, o.Contract)
				return out, nil, err
			})
	}))
	s.Handle(ctl.CallDeviceConflicts, call(func(ctx context.Context, q ctl.PageQuery) ([]registry.Conflict, error) {
		return d.store.Read().Registry().ListConflicts(ctx, account.Everywhere(), registry.ConflictState(q.Match), q.Page())
	}))
	s.Handle(ctl.CallDeviceResolve, call(func(ctx context.Context, o ctl.ResolveOrder) (none, error) {
		return none{}, d.tx(ctx, func(t *sqlstore.Tx) error {
			c, err := d.registrar.Resolve(ctx, t.Registry(), o.ID, o.Decision, account.System())
			if err != nil {
				return err
			}
			return d.note(ctx, t, account.DeviceResolve, "serial "+c.Serial, c.Company, map[string]any{"conflict": c.ID, "decision": o.Decision})
		})
	}))
	s.Handle(ctl.CallContractList, call(d.contracts))
	s.Handle(ctl.CallContractShow, call(d.contract))
	s.Handle(ctl.CallContractImport, call(d.importContracts))
	s.Handle(ctl.CallContractDelete, call(d.deleteContract))
	s.Handle(ctl.CallEnrolToken, call(d.enrolToken))
	s.Handle(ctl.CallEnrolList, call(d.enrolments))
	s.Handle(ctl.CallEnrolRevoke, call(func(ctx context.Context, o ctl.RevokeOrder) (none, error) {
		return none{}, d.tx(ctx, func(t *sqlstore.Tx) error {
			e, err := t.Registry().Enrolment(ctx, o.ID)
			if err != nil {
				return err
			}
			if err := d.registrar.Revoke(ctx, t.Registry(), o.ID, o.Reason); err != nil {
				return err
			}
			return d.note(ctx, t, "enrolment.revoke", string(e.Kind)+" "+e.Name, e.Company, map[string]any{"reason": o.Reason})
		})
	}))
	s.Handle(ctl.CallEnrolDrift, call(func(ctx context.Context, _ *none) (*registry.DriftView, error) {
		return registry.ViewDrift(ctx, d.store.Read().Registry(), account.Everywhere())
	}))
}

func (d *desk) devices(ctx context.Context, q ctl.DeviceQuery) ([]ctl.DeviceRow, error) {
	devices, err := d.store.Read().Registry().ListDevices(ctx, account.Everywhere(), q.Filter, q.Page())
	rows, n := make([]ctl.DeviceRow, 0, len(devices)), d.names()
	for _, dev := range devices {
		row := ctl.DeviceRow{Device: dev}
		if row.CompanyName, err = n.of(ctx, dev.Company); err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, err
}

func (d *desk) device(ctx context.Context, o ctl.DeviceOrder) (row ctl.DeviceRow, err error) {
	if len(o.Devices) != 1 {
		return row, callhome.Errorf(callhome.KindInvalid, "name one device")
	}
	dev, err := findDevice(ctx, d.store.Read().Registry(), o.Devices[0])
	if err != nil {
		return row, err
	}
	row.Device = *dev
	if row.CompanyName, err = d.names().of(ctx, dev.Company); err != nil {
		return row, err
	}
	row.Schedules, err = d.store.Read().Registry().Schedules(ctx, dev.ID)
	return row, err
}

// findDevice finds a device by its number, its device ID or its serial number.
func findDevice(ctx context.Context, s registry.Store, name string) (*registry.Device, error) {
	if strings.Contains(name, "@") {
		model, _, serial, _ := callhome.DeviceID(name).Parts()
		dev, err := s.DeviceByKey(ctx, registry.Key{Model: model, Serial: serial})
		return dev, named(err, "device", name)
	}
	found, err := s.DevicesBySerial(ctx, name, 2)
	switch {
	case err != nil:
		return nil, err
	case len(found) == 1:
		return &found[0], nil
	case len(found) > 1:
		return nil, callhome.Errorf(callhome.KindConflict, "several devices have the serial number %q; name one by its device ID, such as %s", name, found[0].DeviceID)
	}
	id, err := strconv.ParseInt(name, 10, 64)
	if err != nil {
		return nil, callhome.Errorf(callhome.KindNotFound, "there is no device %q", name)
	}
	dev, err := s.Device(ctx, registry.ID(id))
	return dev, named(err, "device", name)
}

// each changes devices, each in a transaction of its own, and tells what became of it.
func (d *desk) each(ctx context.Context, devices []string, action account.Action, detail map[string]any,
	f func(*sqlstore.Tx, *registry.Device) (*registry.Device, []registry.Notice, error),
) ([]ctl.DeviceResult, error) {
	out := make([]ctl.DeviceResult, 0, len(devices))
	for _, name := range devices {
		result := ctl.DeviceResult{Device: callhome.DeviceID(name)}
		err := d.tx(ctx, func(t *sqlstore.Tx) error {
			dev, err := findDevice(ctx, t.Registry(), name)
			if err != nil {
				return err
			}
			dev, notices, err := f(t, dev)
			if err != nil {
				return err
			}
			result.Device, result.State = dev.DeviceID, dev.State
			if d.notices != nil && len(notices) > 0 {
				if err := d.notices(ctx, t, notices); err != nil {
					return err
				}
			}
			return d.note(ctx, t, action, "device "+string(dev.DeviceID), dev.Company, detail)
		})
		var known *callhome.Error
		if err != nil && (!errors.As(err, &known) || known.Kind == callhome.KindInternal || known.Kind == callhome.KindUnavailable) {
			return out, err
		}
		if err != nil {
			result.Error = err.Error()
		}
		out = append(out, result)
	}
	return out, nil
}

// confirm registers devices in the operator's name: those that are named, or all that wait and that a contract covers.
func (d *desk) confirm(ctx context.Context, o ctl.DeviceOrder) ([]ctl.DeviceResult, error) {
	if o.AllAsking {
		page := account.Page{Limit: confirmAtOnce}
		for {
			waiting, err := d.store.Read().Registry().ListDevices(ctx, account.Everywhere(), registry.DeviceFilter{Asking: true}, page)
			if err != nil {
				return nil, err
			}
			for k := range waiting {
				page.After = int64(waiting[k].ID)
				if waiting[k].Entitlement.Contract != "" && waiting[k].Conflict == 0 {
					o.Devices = append(o.Devices, strconv.FormatInt(int64(waiting[k].ID), 10))
				}
			}
			if len(waiting) < confirmAtOnce {
				break
			}
		}
	}
	return d.each(ctx, o.Devices, account.DeviceConfirm, map[string]any{"contract": o.Contract},
		func(t *sqlstore.Tx, dev *registry.Device) (*registry.Device, []registry.Notice, error) {
			return d.registrar.Confirm(ctx, t.Registry(), registry.ConfirmOrder{Device: dev.ID, Contract: o.Contract, Agreed: true, By: account.System()})
		})
}

func (d *desk) contracts(ctx context.Context, q ctl.PageQuery) ([]ctl.ContractRow, error) {
	read := d.store.Read().Registry()
	list, err := read.ListContracts(ctx, account.Everywhere(), registry.ContractFilter{Number: q.Match}, q.Page())
	rows, n := make([]ctl.ContractRow, 0, len(list)), d.names()
	for _, c := range list {
		row := ctl.ContractRow{Contract: c}
		if row.CompanyName, err = n.of(ctx, c.Company); err != nil {
			return nil, err
		}
		if row.Devices, err = read.CountContractDevices(ctx, c.Number); err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, err
}

func (d *desk) contract(ctx context.Context, o ctl.NameOrder) (row ctl.ContractRow, err error) {
	read := d.store.Read().Registry()
	c, err := read.Contract(ctx, o.Name)
	if err != nil {
		return row, named(err, "contract", o.Name)
	}
	row.Contract = *c
	if row.CompanyName, err = d.names().of(ctx, c.Company); err != nil {
		return row, err
	}
	row.Devices, err = read.CountContractDevices(ctx, c.Number)
	return row, err
}

func (d *desk) importContracts(ctx context.Context, o ctl.ImportOrder) (out *registry.Imported, err error) {
	err = d.tx(ctx, func(t *sqlstore.Tx) (err error) {
		out, err = d.registrar.Import(ctx, t.Registry(), strings.NewReader(o.CSV), registry.ImportOptions{
			DryRun: o.DryRun, Replace: o.Replace,
			Company: func(ctx context.Context, name string) (account.CompanyID, error) { return d.company(ctx, t, name) },
		})
		if err != nil || o.DryRun || len(out.Faults) > 0 {
			return err
		}
		return d.note(ctx, t, account.ContractWrite, "contracts", account.NoCompany, map[string]any{"added": out.Added, "changed": out.Changed})
	})
	return out, err
}

func (d *desk) deleteContract(ctx context.Context, o ctl.NameOrder) (none, error) {
	return none{}, d.tx(ctx, func(t *sqlstore.Tx) error {
		c, err := t.Registry().Contract(ctx, o.Name)
		if err != nil {
			return named(err, "contract", o.Name)
		}
		if err := t.Registry().DeleteContract(ctx, c.ID); err != nil {
			return err
		}
		if _, err := d.registrar.Recover(ctx, t.Registry(), c.Number); err != nil {
			return err
		}
		return d.note(ctx, t, account.ContractWrite, "contract "+c.Number, c.Company, map[string]any{"removed": true})
	})
}

func (d *desk) enrolToken(ctx context.Context, o ctl.EnrolOrder) (out ctl.Issued, err error) {
	err = d.tx(ctx, func(t *sqlstore.Tx) error {
		company, err := d.company(ctx, t, o.Company)
		if err != nil {
			return err
		}
		k, secret, err := d.registrar.NewJoinToken(ctx, t.Registry(), registry.JoinOrder{
			Kind: o.Kind, Company: company, Name: o.Name, Lifetime: o.Lifetime, By: account.System(),
		})
		if err != nil {
			return err
		}
		out = ctl.Issued{Secret: secret.Reveal(), ID: k.ID, Name: k.Name, Until: k.Until}
		return d.note(ctx, t, account.EnrolmentWrite, "token "+k.Prefix, company, map[string]any{"kind": o.Kind, "name": o.Name})
	})
	return out, err
}

func (d *desk) enrolments(ctx context.Context, q ctl.PageQuery) ([]ctl.EnrolmentRow, error) {
	list, err := d.store.Read().Registry().ListEnrolments(ctx, account.Everywhere(), registry.EnrolmentFilter{Name: q.Match, Revoked: true}, q.Page())
	rows, n := make([]ctl.EnrolmentRow, 0, len(list)), d.names()
	for _, e := range list {
		row := ctl.EnrolmentRow{Enrolment: e, Late: e.Late(d.now())}
		if row.CompanyName, err = n.of(ctx, e.Company); err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, err
}
