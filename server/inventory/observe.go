package inventory

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"callhome"
	"callhome/server/account"
)

// Observation is one message of a known device.
type Observation struct {
	Device   int64
	Company  account.CompanyID
	Received time.Time
	Message  *callhome.Message
}

// Result is what a message did to the inventory of its device.
type Result struct {
	Changed    bool     // a new revision was stored
	First      bool     // the device had none before; its units are then no changes
	Revision   int      // number of the latest revision; 0 when there is none
	Changes    []Change // of the new revision
	Incomplete string   // why a whole inventory could not be believed: the reason of an exception; "" otherwise
	// Facts reports whether anything that advisories are matched with may have changed.
	Facts bool
	// Inventory is the inventory now, where a revision was stored; nil otherwise.
	Inventory *Inventory
}

// Observe takes in what a message says about its device. It is idempotent: a message that is observed again stores
// nothing, and gives again what it changed the first time. Called within one transaction it happens once or not at all.
func Observe(ctx context.Context, store Store, o Observation) (Result, error) {
	r, id := Read(o.Message), callhome.MessageID(own(string(o.Message.MessageID)))
	head, known, err := store.Head(ctx, o.Device)
	if err != nil {
		return Result{}, err
	}
	res := Result{Revision: head.Number, Incomplete: r.Incomplete}
	if known && !r.Full && !r.Units && head.says(r.Inventory) {
		return res, nil
	}
	reading := r.hash()
	if known && head.Reading == reading {
		return res, nil
	}
	var old Inventory
	if known {
		if old, err = store.Current(ctx, o.Device); err != nil {
			return Result{}, err
		}
	}
	merged := Merge(old, r)
	head.Incomplete = head.Incomplete && !(r.Full && r.Incomplete == "") || !known && (!r.Full || r.Incomplete != "")
	head.Reading = reading
	hash := merged.Hash()
	if known && hash == head.Hash {
		return res, store.Touch(ctx, head)
	}
	if rev, ok, err := store.ByMessage(ctx, o.Device, id); err != nil || ok {
		return Result{Changed: ok, Revision: rev.Number, Changes: rev.Changes, First: rev.Number == 1, Incomplete: r.Incomplete}, err
	}
	rev := Revision{
		Device: o.Device, Company: o.Company, Number: head.Number + 1, MessageID: id, At: TimeOf(o.Message, o.Received), StoredAt: o.Received,
		Full: r.Full, Incomplete: head.Incomplete, Hash: hash, Inventory: merged,
	}
	rev.Changes = Compare(old, merged)
	if known && len(rev.Changes) == 0 { // details only: descriptions, pairs
		return res, store.Amend(ctx, head.Number, rev, reading)
	}
	if err := follow(ctx, store, &rev, known); err != nil {
		return Result{}, err
	}
	res = Result{Changed: true, First: !known, Revision: rev.Number, Changes: rev.Changes, Incomplete: r.Incomplete, Facts: true, Inventory: &rev.Inventory}
	return res, store.Put(ctx, rev, reading)
}

// follow finds units that come from another device of the company. A first inventory has no changes but those.
func follow(ctx context.Context, store Store, rev *Revision, known bool) error {
	var serials []string
	for _, c := range rev.Changes {
		if c.New != nil && (c.Kind == Added || c.Kind == Replaced) && len(c.New.Serial) >= minFollowed {
			serials = append(serials, c.New.Serial)
		}
	}
	var homes map[string]Place
	if len(serials) > 0 {
		var err error
		if homes, err = store.Homes(ctx, rev.Company, serials); err != nil {
			return err
		}
	}
	kept := rev.Changes[:0]
	for _, c := range rev.Changes {
		if c.New != nil && (c.Kind == Added || c.Kind == Replaced) {
			if home, ok := homes[c.New.Serial]; ok && home.Device != rev.Device && sameProduct(home.Unit.Product, c.New.Product) {
				c.From, c.FromDevice = home.Unit.Slot, home.Device
				if c.Kind == Added {
					c.Kind = Moved
				}
			}
		}
		if known || c.FromDevice != 0 {
			kept = append(kept, c)
		}
	}
	rev.Changes = kept
	return nil
}

// minFollowed is the shortest serial number that is looked for in other devices: shorter ones are counters of a kind.
const minFollowed = 6

// sameProduct guards against two makers with the same serial number.
func sameProduct(a, b string) bool { return a == "" || b == "" || a == b }

// hash is the same for the same reading.
func (r Reading) hash() string {
	b, err := json.Marshal(r)
	if err != nil { // strings, truth values and lists of them always marshal
		panic(err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}

// says reports whether a head already has all that a reading without units says.
func (h *Head) says(i Inventory) bool {
	agree := func(have, said string) bool { return said == "" || said == have }
	return agree(h.Model, i.Model) && agree(h.Serial, i.Serial) && agree(h.PartNo, i.PartNo) && agree(h.HWVersion, i.HWVersion) &&
		agree(h.SWVersion, i.SWVersion) && agree(h.Family, i.Family) && h.Platform == laterPlatform(h.Platform, i.Platform, h.SWVersion)
}

// Merge is what is known after a reading: a whole inventory replaces the units, anything else adds to them.
func Merge(old Inventory, r Reading) Inventory {
	out := old
	set := func(to *string, with string) {
		if with != "" {
			*to = with
		}
	}
	set(&out.Family, r.Inventory.Family)
	set(&out.Model, r.Inventory.Model)
	set(&out.Serial, r.Inventory.Serial)
	set(&out.PartNo, r.Inventory.PartNo)
	set(&out.HWVersion, r.Inventory.HWVersion)
	set(&out.SWVersion, r.Inventory.SWVersion)
	out.Platform = laterPlatform(old.Platform, r.Inventory.Platform, out.SWVersion)
	out.Further = mergeTags(old.Further, r.Inventory.Further)
	switch {
	case r.Full && r.Incomplete == "":
		out.Units = replaceUnits(old.Units, r.Inventory.Units)
	case r.Removal:
		out.Units = removeUnits(old.Units, r.Inventory.Units)
	default:
		out.Units = mergeUnits(old.Units, r.Inventory.Units)
	}
	out.sort()
	return out
}

func mergeTags(old, with []callhome.Tag) []callhome.Tag {
	out := append([]callhome.Tag(nil), with...)
	for _, t := range old {
		if !hasKey(out, t.Key) {
			out = append(out, t)
		}
	}
	return out
}

// replaceUnits takes the new units; what does not change in the life of a unit stays known from before.
func replaceUnits(old, with []Unit) []Unit {
	serials := index(old, func(u Unit) string { return u.Serial })
	out := append([]Unit(nil), with...)
	for i := range out {
		if at := serials[out[i].Serial]; out[i].Serial != "" && len(at) == 1 {
			was := old[at[0]]
			fill(&out[i].Product, was.Product)
			fill(&out[i].PartNo, was.PartNo)
			fill(&out[i].HWVersion, was.HWVersion)
			fill(&out[i].Descr, was.Descr)
		}
	}
	return out
}

// removeUnits takes away the units that a message names, by serial number, or by slot where it names none.
func removeUnits(old, gone []Unit) []Unit {
	var out []Unit
	for _, u := range old {
		if !named(u, gone) {
			out = append(out, u)
		}
	}
	return out
}

func named(u Unit, list []Unit) bool {
	for _, g := range list {
		if g.Serial != "" && g.Serial == u.Serial || g.Slot != "" && g.Slot == u.Slot && (g.Serial == "" || u.Serial == "") {
			return true
		}
	}
	return false
}

// mergeUnits brings in units one by one: a known serial number moves to its new slot, a new one takes the slot over.
func mergeUnits(old, with []Unit) []Unit {
	out := append([]Unit(nil), old...)
	for _, u := range with {
		at := findUnit(out, u)
		if at < 0 {
			out = append(out, u)
			continue
		}
		was := out[at]
		if u.Serial != "" && was.Serial != "" && u.Serial != was.Serial {
			out[at] = u // another unit in the slot
			continue
		}
		if u.Slot != "" && u.Slot != was.Slot { // it moved: what was in its new slot is gone
			out = append(out[:at], out[at+1:]...)
			if other := findSlot(out, u.Slot); other >= 0 {
				out = append(out[:other], out[other+1:]...)
			}
			out = append(out, overlay(was, u))
			continue
		}
		out[at] = overlay(was, u)
	}
	if len(out) > maxUnits {
		out = out[:maxUnits]
	}
	return out
}

// overlay is a unit with what is newly said about it.
func overlay(was, u Unit) Unit {
	tags := mergeTags(was.Further, u.Further)
	fillUnit(&u, was)
	u.Further = tags
	return u
}

func findUnit(units []Unit, u Unit) int {
	if u.Serial != "" {
		for i := range units {
			if units[i].Serial == u.Serial {
				return i
			}
		}
	}
	return findSlot(units, u.Slot)
}

func findSlot(units []Unit, slot string) int {
	if slot == "" {
		return -1
	}
	for i := range units {
		if units[i].Slot == slot {
			return i
		}
	}
	return -1
}
