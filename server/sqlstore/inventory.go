package sqlstore

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/inventory"
)

// Inventory is the transaction as inventory.Store.
func (t *Tx) Inventory() inventory.Store { return inventoryStore{t} }

type inventoryStore struct{ *Tx }

// Kinds of counters of inventories.
const (
	tallyFamily  = "inventory-family"
	tallyVersion = "inventory-version"
	tallyModel   = "inventory-model"
)

// Head implements [inventory.Store].
func (s inventoryStore) Head(ctx context.Context, device int64) (inventory.Head, bool, error) {
	h, err := scanHead(s.row(ctx, "inventory_head", device))
	ok, err := found(err)
	return h, ok, err
}

func scanHead(r scanner) (h inventory.Head, err error) {
	var at, incomplete int64
	err = r.Scan(&h.Device, &h.Company, &h.Number, &h.MessageID, &at, &h.Hash, &h.Reading, &incomplete, &h.Platform, &h.Family, &h.Model, &h.Serial,
		&h.PartNo, &h.HWVersion, &h.SWVersion, &h.Units)
	h.At, h.Incomplete = fromMicros(at), incomplete != 0
	return h, err
}

// Heads implements [inventory.Store].
func (s inventoryStore) Heads(ctx context.Context, after int64, limit int) ([]inventory.Head, error) {
	rows, err := s.query(ctx, "inventory_heads", after, limit)
	return collect(rows, err, scanHead)
}

// Current implements [inventory.Store].
func (s inventoryStore) Current(ctx context.Context, device int64) (i inventory.Inventory, err error) {
	var text string
	if ok, err := found(s.row(ctx, "inventory_current", device).Scan(&text)); !ok {
		return i, err
	}
	return i, fromJSON(text, &i)
}

func scanRevision(r scanner) (v inventory.Revision, err error) {
	var at, stored, whole, incomplete int64
	var changes, text string
	if err := r.Scan(&v.Device, &v.Company, &v.Number, &v.MessageID, &at, &stored, &whole, &incomplete, &v.Hash, &changes, &text); err != nil {
		return v, err
	}
	v.At, v.StoredAt, v.Full, v.Incomplete = fromMicros(at), fromMicros(stored), whole != 0, incomplete != 0
	if err := fromJSON(changes, &v.Changes); err != nil {
		return v, err
	}
	return v, fromJSON(text, &v.Inventory)
}

// ByMessage implements [inventory.Store].
func (s inventoryStore) ByMessage(ctx context.Context, device int64, id callhome.MessageID) (inventory.Revision, bool, error) {
	if id == "" {
		return inventory.Revision{}, false, nil
	}
	v, err := scanRevision(s.row(ctx, "inventory_by_message", device, string(id)))
	ok, err := found(err)
	return v, ok, err
}

// Put implements [inventory.Store].
func (s inventoryStore) Put(ctx context.Context, r inventory.Revision, reading string) error {
	changes, err := jsonText(r.Changes)
	if err != nil {
		return err
	}
	text, err := jsonText(r.Inventory)
	if err != nil {
		return err
	}
	if _, err := s.exec(ctx, "inventory_put_revision", r.Device, r.Number, int64(r.Company), string(r.MessageID), micros(r.At), micros(r.StoredAt),
		flag(r.Full), flag(r.Incomplete), r.Hash, changes, text); err != nil {
		return err
	}
	return s.makeLatest(ctx, r, reading)
}

// Amend implements [inventory.Store].
func (s inventoryStore) Amend(ctx context.Context, number int, r inventory.Revision, reading string) error {
	text, err := jsonText(r.Inventory)
	if err != nil {
		return err
	}
	if _, err := s.exec(ctx, "inventory_amend", r.Device, number, r.Hash, flag(r.Incomplete), text); err != nil {
		return err
	}
	old, ok, err := s.Head(ctx, r.Device)
	if err != nil {
		return err
	}
	r.Number = number
	if ok { // the details came later: who and when of the revision stay
		r.At, r.MessageID = old.At, old.MessageID
	}
	return s.makeLatest(ctx, r, reading)
}

// makeLatest brings head, units, homes and counters to a revision.
func (s inventoryStore) makeLatest(ctx context.Context, r inventory.Revision, reading string) error {
	old, known, err := s.Head(ctx, r.Device)
	if err != nil {
		return err
	}
	i := r.Inventory
	h := inventory.Head{Company: r.Company, Platform: i.Platform, Family: i.Family, Model: i.Model, SWVersion: i.SWVersion}
	if known {
		s.countDevice(old, -1)
	}
	s.countDevice(h, 1)
	if _, err := s.exec(ctx, "inventory_put_head", r.Device, int64(r.Company), r.Number, string(r.MessageID), micros(r.At), r.Hash, reading, flag(r.Incomplete),
		i.Platform, i.Family, i.Model, i.Serial, i.PartNo, i.HWVersion, i.SWVersion, len(i.Units)); err != nil {
		return err
	}
	return s.putUnits(ctx, r)
}

// countDevice changes the counters that summaries read.
func (s inventoryStore) countDevice(h inventory.Head, n int64) {
	s.count(tallyFamily, h.Company, h.Family, n)
	s.count(tallyVersion, h.Company, strings.TrimSpace(h.Platform+" "+h.SWVersion), n)
	s.count(tallyModel, h.Company, h.Model, n)
}

// storedUnit is a row of a device's units.
type storedUnit struct {
	id   int64
	text string
	unit inventory.Unit
}

// inPlace is what makes a unit the same one in the same place.
type inPlace struct{ slot, serial string }

// putUnits brings the rows of a device's units to its latest revision, touching those that changed.
func (s inventoryStore) putUnits(ctx context.Context, r inventory.Revision) error {
	rows, err := s.query(ctx, "inventory_units_of", r.Device)
	stored, err := collect(rows, err, func(r scanner) (u storedUnit, err error) {
		if err = r.Scan(&u.id, &u.text); err == nil {
			err = fromJSON(u.text, &u.unit)
		}
		return u, err
	})
	if err != nil {
		return err
	}
	there := map[inPlace][]storedUnit{}
	for _, u := range stored {
		k := inPlace{u.unit.Slot, u.unit.Serial}
		there[k] = append(there[k], u)
	}
	i := r.Inventory
	chassis := inventory.Unit{Kind: inventory.KindChassis, Product: i.Model, Serial: i.Serial, PartNo: i.PartNo, HWVersion: i.HWVersion, SWVersion: i.SWVersion}
	for _, u := range append([]inventory.Unit{chassis}, i.Units...) {
		k := inPlace{u.Slot, u.Serial}
		if had := there[k]; len(had) > 0 {
			there[k] = had[1:]
			if err := s.changeUnit(ctx, had[0], u); err != nil {
				return err
			}
			continue
		}
		if err := s.addUnit(ctx, r, u); err != nil {
			return err
		}
	}
	for _, gone := range there {
		for _, u := range gone {
			if _, err := s.exec(ctx, "inventory_drop_unit", u.id); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s inventoryStore) changeUnit(ctx context.Context, had storedUnit, u inventory.Unit) error {
	text, err := jsonText(u)
	if err != nil || text == had.text {
		return err
	}
	_, err = s.exec(ctx, "inventory_change_unit", had.id, unitKey(u.Product), unitKey(u.PartNo), u.SWVersion, text)
	return err
}

func (s inventoryStore) addUnit(ctx context.Context, r inventory.Revision, u inventory.Unit) error {
	text, err := jsonText(u)
	if err != nil {
		return err
	}
	if _, err := s.exec(ctx, "inventory_put_unit", s.NewID(), r.Device, int64(r.Company), u.Slot, unitKey(u.Serial), unitKey(u.Product), unitKey(u.PartNo),
		u.SWVersion, micros(r.At), text); err != nil || u.Serial == "" {
		return err
	}
	_, err = s.exec(ctx, "inventory_put_home", int64(r.Company), u.Serial, r.Device, u.Slot, u.Product, micros(r.At))
	return err
}

// unitKey is a word as the indexes have it.
func unitKey(s string) []byte { return []byte(strings.ToUpper(s)) }

// Touch implements [inventory.Store].
func (s inventoryStore) Touch(ctx context.Context, h inventory.Head) error {
	_, err := s.exec(ctx, "inventory_touch", h.Device, h.Reading, flag(h.Incomplete))
	return err
}

// homesAtOnce bounds the values of one query.
const homesAtOnce = 500

// Homes implements [inventory.Store].
func (s inventoryStore) Homes(ctx context.Context, company account.CompanyID, serials []string) (map[string]inventory.Place, error) {
	out := map[string]inventory.Place{}
	for part := range slices.Chunk(serials, homesAtOnce) {
		l := newListing("SELECT serial, device_id, slot, product, since FROM inventory_homes")
		l.and("company_id = ?", int64(company))
		l.and("serial IN (?"+strings.Repeat(", ?", len(part)-1)+")", anyOf(part)...)
		rows, err := s.ask(ctx, l.text(), l.args...)
		places, err := collect(rows, err, func(r scanner) (p inventory.Place, err error) {
			var since int64
			err = r.Scan(&p.Unit.Serial, &p.Device, &p.Unit.Slot, &p.Unit.Product, &since)
			p.Company, p.Since = company, fromMicros(since)
			return p, err
		})
		if err != nil {
			return nil, err
		}
		for _, p := range places {
			out[p.Unit.Serial] = p
		}
	}
	return out, nil
}

func anyOf[T any](list []T) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = v
	}
	return out
}

// SetCompany implements [inventory.Store].
func (s inventoryStore) SetCompany(ctx context.Context, device int64, company account.CompanyID) error {
	h, ok, err := s.Head(ctx, device)
	if err != nil || !ok || h.Company == company {
		return err
	}
	s.countDevice(h, -1)
	h.Company = company
	s.countDevice(h, 1)
	for _, name := range []string{"inventory_move_revisions", "inventory_move_head", "inventory_move_units", "inventory_clear_homes", "inventory_move_homes"} {
		if _, err := s.exec(ctx, name, device, int64(company)); err != nil {
			return err
		}
	}
	return nil
}

// Forget implements [inventory.Store].
func (s inventoryStore) Forget(ctx context.Context, device int64) error {
	h, ok, err := s.Head(ctx, device)
	if err != nil {
		return err
	}
	if ok {
		s.countDevice(h, -1)
	}
	for _, name := range []string{"inventory_forget_revisions", "inventory_forget_head", "inventory_forget_units", "inventory_forget_homes"} {
		if _, err := s.exec(ctx, name, device); err != nil {
			return err
		}
	}
	return nil
}

// Revision implements [inventory.Store].
func (s inventoryStore) Revision(ctx context.Context, reach account.Reach, device int64, number int) (inventory.Revision, error) {
	row := s.row(ctx, "inventory_latest", device)
	if number != 0 {
		row = s.row(ctx, "inventory_revision", device, number)
	}
	v, err := scanRevision(row)
	ok, err := found(err)
	if err == nil && (!ok || !reach.All && !reach.Has(v.Company)) {
		err = callhome.Errorf(callhome.KindNotFound, "device %d has no inventory of this number", device)
	}
	if err != nil {
		return inventory.Revision{}, err
	}
	return v, nil
}

// Revisions implements [inventory.Store].
func (s inventoryStore) Revisions(ctx context.Context, reach account.Reach, device int64, page account.Page) ([]inventory.Revision, error) {
	l := newListing("SELECT device_id, company_id, number, message_id, at, stored_at, whole, incomplete, hash, changes, '' FROM inventory_revisions")
	l.and("device_id = ?", device)
	l.reach("company_id", reach)
	l.page("number", page)
	rows, err := s.ask(ctx, l.text(), l.args...)
	return collect(rows, err, scanRevision)
}

// Units implements [inventory.Store].
func (s inventoryStore) Units(ctx context.Context, reach account.Reach, f inventory.UnitFilter, page account.Page) ([]inventory.Place, error) {
	l := newListing("SELECT id, device_id, company_id, since, unit FROM inventory_units")
	l.andID("device_id", f.Device)
	if f.Serial != "" {
		l.and("serial_key = ?", unitKey(f.Serial))
	}
	l.andPrefix("product_key", f.Product)
	l.andPrefix("part_key", f.PartNo)
	l.andText("sw_version", f.SWVersion)
	l.reach("company_id", reach)
	l.page("id", page)
	rows, err := s.ask(ctx, l.text(), l.args...)
	return collect(rows, err, func(r scanner) (p inventory.Place, err error) {
		var since int64
		var text string
		if err = r.Scan(&p.ID, &p.Device, &p.Company, &since, &text); err != nil {
			return p, err
		}
		p.Since = fromMicros(since)
		return p, fromJSON(text, &p.Unit)
	})
}

// andPrefix finds the beginning of a key made by unitKey.
func (l *listing) andPrefix(column, prefix string) {
	if prefix != "" {
		key := unitKey(prefix)
		l.and(column+" >= ? AND "+column+" < ?", key, append(slices.Clone(key), 0xff)) // no byte of UTF-8 is 0xff
	}
}

// Devices implements [inventory.Store].
func (s inventoryStore) Devices(ctx context.Context, reach account.Reach, f inventory.DeviceFilter, page account.Page) ([]inventory.Head, error) {
	l := newListing("SELECT device_id, company_id, number, message_id, at, hash, reading, incomplete, platform, family, model, serial, part_no, hw_version, sw_version, units FROM inventory_heads")
	l.andText("platform", f.Platform)
	l.andText("family", f.Family)
	l.andText("model", f.Model)
	l.andText("sw_version", f.SWVersion)
	if f.Incomplete {
		l.and("incomplete = ?", 1)
	}
	l.reach("company_id", reach)
	l.page("device_id", page)
	rows, err := s.ask(ctx, l.text(), l.args...)
	return collect(rows, err, scanHead)
}

// Summary implements [inventory.Store].
func (s inventoryStore) Summary(ctx context.Context, reach account.Reach, by inventory.By) ([]inventory.Count, error) {
	kind, ok := map[inventory.By]string{inventory.ByFamily: tallyFamily, inventory.ByVersion: tallyVersion, inventory.ByModel: tallyModel}[by]
	if !ok {
		return nil, callhome.Errorf(callhome.KindInvalid, "there is no summary by %q; use family, version or model", by)
	}
	words, err := s.tallies(ctx, kind, reach, time.Time{})
	if err != nil {
		return nil, err
	}
	out := make([]inventory.Count, 0, len(words))
	for w, n := range words {
		if n > 0 {
			out = append(out, inventory.Count{Word: w, Devices: n})
		}
	}
	slices.SortFunc(out, func(a, b inventory.Count) int {
		return cmp.Or(cmp.Compare(b.Devices, a.Devices), strings.Compare(a.Word, b.Word))
	})
	return out, nil
}
