package sqlstore

import (
	"context"
	"strings"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/registry"
)

// registryStore keeps devices, contracts and all that goes with them.
type registryStore struct{ *Tx }

// Registry is the registry's view of the transaction.
func (t *Tx) Registry() registry.Store { return registryStore{t} }

// RegistryInTx runs f in one transaction with the views that an enrolment needs.
func (s *Store) RegistryInTx(ctx context.Context, f func(registry.Ledger) error) error {
	return s.InTx(ctx, func(t *Tx) error { return f(t) })
}

// deviceColumns are read everywhere in this order; see scanDevice.
const deviceColumns = "SELECT id, model, serial, device_id, sys_name, personality, product_family, sw_version, company_id, site, customer_id, " +
	"contract, contact_email, contact_name, user_name, state, state_since, ent_contract, ent_tier, ent_from, ent_until, confirmed_by, " +
	"confirmed_at, owned, mailed_at, origin_enrolment, origin_company, origin_name, conflict, first_seen, last_seen, silent_at, version FROM devices"

// tallyDevices counts devices by state.
const tallyDevices = "device"

func scanDevice(r scanner) (d registry.Device, err error) {
	var since, from, until, confirmed, owned, mailed, first, last, silent int64
	err = r.Scan((*int64)(&d.ID), &d.Model, &d.Serial, (*string)(&d.DeviceID), &d.SystemName, &d.Personality, &d.ProductFamily, &d.SWVersion,
		(*int64)(&d.Company), &d.Site, &d.CustomerID, &d.Contract, &d.ContactEmail, &d.ContactName, &d.UserName, (*string)(&d.State), &since,
		&d.Entitlement.Contract, (*string)(&d.Entitlement.Tier), &from, &until, (*int64)(&d.ConfirmedBy), &confirmed, &owned, &mailed,
		(*int64)(&d.Origin.Enrolment), (*int64)(&d.Origin.Company), &d.Origin.Name, &d.Conflict, &first, &last, &silent, &d.Version)
	d.StateSince, d.Entitlement.From, d.Entitlement.Until = fromMicros(since), fromMicros(from), fromMicros(until)
	d.ConfirmedAt, d.Owned, d.MailedAt = fromMicros(confirmed), owned != 0, fromMicros(mailed)
	d.FirstSeen, d.LastSeen, d.SilentSince = fromMicros(first), fromMicros(last), fromMicros(silent)
	d.Entitlement.Registered = d.State == registry.StateRegistered
	return d, err
}

func deviceArgs(d *registry.Device) []any {
	return []any{
		int64(d.ID), d.Model, d.Serial, key(d.Serial), string(d.DeviceID), d.SystemName, key(d.SystemName), d.Personality, d.ProductFamily, d.SWVersion,
		int64(d.Company), d.Site, d.CustomerID, d.Contract, key(d.Contract), d.ContactEmail, d.ContactName, d.UserName, string(d.State), micros(d.StateSince),
		d.Entitlement.Contract, key(d.Entitlement.Contract), string(d.Entitlement.Tier), micros(d.Entitlement.From), micros(d.Entitlement.Until),
		int64(d.ConfirmedBy), micros(d.ConfirmedAt), flag(d.Owned), micros(d.MailedAt), int64(d.Origin.Enrolment), int64(d.Origin.Company), d.Origin.Name,
		d.Conflict, micros(d.FirstSeen), micros(d.LastSeen),
	}
}

// DeviceByKey is the device of a product model and serial number.
func (s registryStore) DeviceByKey(ctx context.Context, k registry.Key) (*registry.Device, error) {
	d, err := scanDevice(s.row(ctx, "registry_device_by_key", k.Serial, k.Model))
	return &d, one(err, "device")
}

// keysAtOnce bounds the values of one statement.
const keysAtOnce = 200

// DevicesByKey is DeviceByKey for many at once.
func (s registryStore) DevicesByKey(ctx context.Context, keys []registry.Key) (map[registry.Key]*registry.Device, error) {
	out := make(map[registry.Key]*registry.Device, len(keys))
	for len(keys) > 0 {
		n := min(len(keys), keysAtOnce)
		wanted, args := map[registry.Key]bool{}, make([]any, n)
		for i, k := range keys[:n] {
			wanted[k], args[i] = true, k.Serial
		}
		keys = keys[n:]
		l := newListing(deviceColumns)
		l.and("serial IN (?"+strings.Repeat(", ?", n-1)+")", args...)
		rows, err := s.ask(ctx, l.text(), l.args...)
		devices, err := collect(rows, err, scanDevice)
		if err != nil {
			return nil, err
		}
		for i := range devices {
			if k := (registry.Key{Model: devices[i].Model, Serial: devices[i].Serial}); wanted[k] {
				out[k] = &devices[i]
			}
		}
	}
	return out, nil
}

// Device is a device by its ID.
func (s registryStore) Device(ctx context.Context, id registry.ID) (*registry.Device, error) {
	d, err := scanDevice(s.row(ctx, "registry_device", int64(id)))
	return &d, one(err, "device")
}

// DevicesBySerial are devices of a serial number whatever their model.
func (s registryStore) DevicesBySerial(ctx context.Context, serial string, limit int) ([]registry.Device, error) {
	rows, err := s.query(ctx, "registry_devices_by_serial", key(serial), limit)
	return collect(rows, err, scanDevice)
}

// DevicesOfContract are devices that name a contract or are covered by it.
func (s registryStore) DevicesOfContract(ctx context.Context, number string, after registry.ID, limit int) ([]registry.Device, error) {
	rows, err := s.query(ctx, "registry_devices_of_contract", key(number), int64(after), limit)
	return collect(rows, err, scanDevice)
}

// AddDevice stores a new device.
func (s registryStore) AddDevice(ctx context.Context, d *registry.Device) error {
	d.ID, d.Version = registry.ID(s.NewID()), 1
	n, err := s.exec(ctx, "registry_add_device", deviceArgs(d)...)
	if err := stored(n, err, callhome.KindConflict, "device %s is known already", d.DeviceID); err != nil {
		return err
	}
	s.count(tallyDevices, d.Company, string(d.State), 1)
	s.publish("device", d.Company, int64(d.ID))
	return nil
}

// PutDevice stores all of a changed device.
func (s registryStore) PutDevice(ctx context.Context, d *registry.Device) error {
	var company account.CompanyID
	var state string
	if err := one(s.row(ctx, "registry_device_place", int64(d.ID)).Scan((*int64)(&company), &state), "device"); err != nil {
		return err
	}
	n, err := s.exec(ctx, "registry_put_device", append(deviceArgs(d), d.Version)...)
	if err := stored(n, err, callhome.KindConflict, "device %s was changed by another at the same time", d.DeviceID); err != nil {
		return err
	}
	d.Version++
	s.count(tallyDevices, company, state, -1)
	s.count(tallyDevices, d.Company, string(d.State), 1)
	s.publish("device", d.Company, int64(d.ID))
	if company != d.Company {
		s.publish("device", company, int64(d.ID)) // it is gone from there
		return s.follow(ctx, d)
	}
	return nil
}

// follow gives what the rooms know of a device to its company, so that nobody goes on seeing a device that is not theirs.
func (s registryStore) follow(ctx context.Context, d *registry.Device) error {
	for _, query := range []string{"registry_move_exceptions", "registry_move_conflicts"} {
		if _, err := s.exec(ctx, query, int64(d.ID), int64(d.Company)); err != nil {
			return err
		}
	}
	if err := s.Inventory().SetCompany(ctx, int64(d.ID), d.Company); err != nil {
		return err
	}
	if err := s.ConfigHistory().SetCompany(ctx, int64(d.ID), d.Company); err != nil {
		return err
	}
	return s.Advisory().SetCompany(ctx, int64(d.ID), d.Company)
}

// Touch stores only when the device was last seen.
func (s registryStore) Touch(ctx context.Context, id registry.ID, at time.Time) error {
	_, err := s.exec(ctx, "registry_touch", int64(id), micros(at))
	return err
}

// prefixEnd is behind every string that begins with what stands before it.
const prefixEnd = "\U0010FFFF"

// ListDevices is a page of devices, newest first.
func (s registryStore) ListDevices(ctx context.Context, reach account.Reach, f registry.DeviceFilter, p account.Page) ([]registry.Device, error) {
	l := newListing(deviceColumns)
	l.reach("company_id", reach)
	l.andText("state", string(f.State))
	l.andText("model", f.Model)
	l.andText("serial_key", key(f.Serial))
	l.andText("device_id", string(f.DeviceID))
	l.andText("sw_version", f.Version)
	l.andText("site", f.Site)
	if f.Asking {
		l.and("state IN (?, ?, ?)", string(registry.StateUnknown), string(registry.StateInventory), string(registry.StatePending))
	}
	if f.Name != "" {
		l.and("name_key >= ? AND name_key < ?", key(f.Name), key(f.Name)+prefixEnd)
	}
	if f.Contract != "" {
		l.and("(contract_key = ? OR ent_contract_key = ?)", key(f.Contract), key(f.Contract))
	}
	if f.Group != 0 {
		l.and("id IN (SELECT device FROM group_members WHERE group_id = ?)", f.Group)
	}
	if f.Silent {
		l.and(silentDevice)
	}
	if f.Conflict {
		l.and("conflict <> 0")
	}
	l.page("id", p)
	rows, err := s.ask(ctx, l.text(), l.args...)
	return collect(rows, err, scanDevice)
}

// silentDevice is the condition of a silent device.
const silentDevice = "(silent_at > 0 OR id IN (SELECT device FROM schedules WHERE raised_at > 0))"

// CountSilent is how many devices of a reach are silent.
func (s registryStore) CountSilent(ctx context.Context, reach account.Reach) (n int64, err error) {
	l := newListing("SELECT COUNT(*) FROM devices")
	l.reach("company_id", reach)
	l.and(silentDevice)
	rows, err := s.ask(ctx, l.text(), l.args...)
	counts, err := collect(rows, err, func(r scanner) (n int64, err error) { return n, r.Scan(&n) })
	if err != nil || len(counts) == 0 {
		return 0, err
	}
	return counts[0], nil
}

// CountDevices are how many devices of a reach are in each state.
func (s registryStore) CountDevices(ctx context.Context, reach account.Reach) (map[registry.State]int64, error) {
	words, err := s.tallies(ctx, tallyDevices, reach, time.Time{})
	out := make(map[registry.State]int64, len(words))
	for w, n := range words {
		if n != 0 {
			out[registry.State(w)] = n
		}
	}
	return out, err
}
