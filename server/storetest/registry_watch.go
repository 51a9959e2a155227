package storetest

import (
	"context"
	"strings"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/registry"
	"callhome/server/sqlstore"
)

func (d *desk) silent() (all []registry.Silence) {
	d.Helper()
	for done := false; !done; {
		d.tx(func(s registry.Store) error {
			n, finished, err := d.reg.Silent(context.Background(), s, d.clock.now(), 10)
			all, done = append(all, n...), finished
			return err
		})
	}
	return all
}

func deskSilence(d *desk) {
	dev := d.registered()
	d.clock.pass(34 * 24 * time.Hour)
	d.identify(d.syslog(nil))
	d.clock.pass(34 * 24 * time.Hour)
	if s := d.silent(); len(s) != 0 {
		d.Errorf("a device that spoke 34 days ago: %+v", s)
	}
	d.clock.pass(2 * 24 * time.Hour)
	if s := d.silent(); len(s) != 1 || s[0].Device.ID != dev.ID || s[0].Group != "" {
		d.Errorf("after 36 days: %+v", s)
	}
	if s := d.silent(); len(s) != 0 {
		d.Errorf("raised twice: %+v", s)
	}
	if n := must[int64](d.T)(d.read().CountSilent(context.Background(), account.Reach{Companies: []account.CompanyID{d.acme}})); n != 1 {
		d.Errorf("%d silent devices, want 1", n)
	}
	if out := d.identify(d.syslog(nil)); len(out.Spoke) != 1 {
		d.Errorf("it spoke again: %+v", out.Spoke)
	}
	if out := d.identify(d.syslog(nil)); len(out.Spoke) != 0 {
		d.Errorf("it spoke again, again: %+v", out.Spoke)
	}
	if s := d.silent(); len(s) != 0 {
		d.Errorf("after it spoke: %+v", s)
	}
	d.clock.pass(36 * 24 * time.Hour)
	if s := d.silent(); len(s) != 1 {
		d.Errorf("silent a second time: %+v", s)
	}
}

func deskSchedules(d *desk) {
	dev := d.registered()
	for range 3 {
		d.clock.pass(24 * time.Hour)
		d.identify(d.inventory(nil))
	}
	d.clock.pass(2*24*time.Hour + time.Hour)
	d.identify(d.syslog(nil)) // it speaks, but not on schedule
	if s := d.silent(); len(s) != 0 {
		d.Errorf("before two periods and their grace: %+v", s)
	}
	d.clock.pass(4 * time.Hour)
	s := d.silent()
	if len(s) != 1 || s[0].Device.ID != dev.ID || s[0].Group != callhome.GroupInventory || s[0].Period != 24*time.Hour {
		d.Fatalf("after two periods: %+v", s)
	}
	if s := d.silent(); len(s) != 0 {
		d.Errorf("raised twice: %+v", s)
	}
	if out := d.identify(d.inventory(nil)); len(out.Spoke) != 1 || out.Spoke[0].Group != callhome.GroupInventory {
		d.Errorf("the inventory came: %+v", out.Spoke)
	}
	d.tx(func(s registry.Store) error {
		return d.reg.TellSchedule(context.Background(), s, dev.ID, callhome.GroupSnapshot, 30*time.Minute)
	})
	d.clock.pass(2 * time.Hour)
	if s := d.silent(); len(s) != 1 || s[0].Group != callhome.GroupSnapshot {
		d.Errorf("a schedule that was told: %+v", s)
	}
}

func (d *desk) load(csv string, o registry.ImportOptions) (out *registry.Imported) {
	d.Helper()
	ctx := context.Background()
	err := d.store.InTx(ctx, func(tx *sqlstore.Tx) (err error) {
		o.Company = func(ctx context.Context, name string) (account.CompanyID, error) {
			c, err := tx.Account().CompanyByName(ctx, name)
			if err != nil {
				return 0, err
			}
			return c.ID, nil
		}
		out, err = d.reg.Import(ctx, tx.Registry(), strings.NewReader(csv), o)
		return err
	})
	if err != nil {
		d.Fatal(err)
	}
	return out
}

func deskImports(d *desk) {
	const file = "contract,company,tier,from,until,serial,product,email\n" +
		"K-1,Acme,gold,2026-01-01,2026-12-31,QX1,,@ops.example\n" +
		"K-1,,,,,QX2,,\n" +
		"K-2,Blue,silver,,,,QX90*,\n"
	if got := d.load(file, registry.ImportOptions{DryRun: true}); got.Added != 2 || len(got.Faults) != 0 {
		d.Fatalf("dry run: %+v", got)
	}
	if _, err := d.read().Contract(context.Background(), "K-1"); callhome.KindOf(err) != callhome.KindNotFound {
		d.Errorf("the dry run stored a contract: %v", err)
	}
	if got := d.load(file, registry.ImportOptions{}); got.Added != 2 {
		d.Fatalf("import: %+v", got)
	}
	if got := d.load(file, registry.ImportOptions{}); got.Unchanged != 2 || got.Added+got.Changed != 0 {
		d.Errorf("import again: %+v", got)
	}
	c := must[*registry.Contract](d.T)(d.read().Contract(context.Background(), "k-1"))
	if len(c.Covers) != 2 || len(c.Claims) != 1 || c.Until != time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC) || c.Company != d.acme {
		d.Errorf("stored contract %+v", c)
	}
	short := strings.Replace(file, "K-1,,,,,QX2,,\n", "", 1)
	if got := d.load(short, registry.ImportOptions{}); got.Unchanged != 2 {
		d.Errorf("without replace less takes nothing away: %+v", got)
	}
	if got := d.load(short, registry.ImportOptions{Replace: true}); got.Changed != 1 {
		d.Errorf("with replace: %+v", got)
	}
	got := d.load("contract,company\nK-9,Nobody\n", registry.ImportOptions{})
	if len(got.Faults) != 1 || got.Faults[0].Line != 2 || got.Faults[0].Column != "company" {
		d.Errorf("an unknown company: %+v", got)
	}
	id := d.identify(d.inventory(func(in *registry.Input) {
		in.Message.DeviceID, in.Message.Serial, in.Message.ContractID = "QX9006@C@QX7", "QX7", ""
	})).Device.ID
	d.load("contract,company,serial\nK-7,Acme,QX7\n", registry.ImportOptions{}) // covers it by serial number
	if dev := must[*registry.Device](d.T)(d.read().Device(context.Background(), id)); dev.Entitlement.Contract != "K-7" || dev.Company != d.acme {
		d.Errorf("after the import the device is %+v", dev)
	}
}
