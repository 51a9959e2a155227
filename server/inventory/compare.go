package inventory

import (
	"cmp"
	"slices"
	"strings"
)

// ChangeKind says what happened to a unit or the device.
type ChangeKind string

// The kinds of change.
const (
	Added    ChangeKind = "added"    // a unit where none was
	Removed  ChangeKind = "removed"  // a unit that is gone
	Replaced ChangeKind = "replaced" // another unit in the same slot
	Moved    ChangeKind = "moved"    // the same serial number in another slot, or from another device
	Software ChangeKind = "software" // version of the software of the device or a unit
	Hardware ChangeKind = "hardware" // version or part number of the hardware of the device or a unit
	Chassis  ChangeKind = "chassis"  // model or serial number of the device itself
)

// Change is one difference between two revisions.
type Change struct {
	Kind ChangeKind `json:"kind"`
	Slot string     `json:"slot,omitempty"` // "" is the device itself
	Old  *Unit      `json:"old,omitempty"`
	New  *Unit      `json:"new,omitempty"`
	From string     `json:"from,omitempty"` // value before, of versions; of moves the slot before
	To   string     `json:"to,omitempty"`
	// FromDevice is the device that a moved unit was in before; 0 when it is the same one.
	FromDevice int64 `json:"from_device,omitempty"`
}

// Text is the change in words, for mails and pages.
func (c Change) Text() string {
	where := "the chassis"
	if c.Slot != "" {
		where = "slot " + c.Slot
	}
	switch c.Kind {
	case Added:
		return c.New.label() + " was added in " + where
	case Removed:
		return c.Old.label() + " was removed from " + where
	case Replaced:
		return c.Old.label() + " in " + where + " was replaced by " + c.New.label()
	case Moved:
		from := "slot " + c.From
		if c.FromDevice != 0 {
			from += " of another device"
		}
		return c.New.label() + " moved from " + from + " to " + where
	case Software:
		return "software of " + where + " changed from " + orNone(c.From) + " to " + orNone(c.To)
	case Hardware:
		return "hardware version of " + where + " changed from " + orNone(c.From) + " to " + orNone(c.To)
	}
	return "the chassis changed from " + orNone(c.From) + " to " + orNone(c.To)
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func (u *Unit) label() string {
	name := cmp.Or(u.Product, u.Descr, u.PartNo, "a unit")
	if u.Serial != "" {
		name += " (serial number " + u.Serial + ")"
	}
	return name
}

// Compare tells what changed from one inventory to another, in the order of the slots. Pairs and descriptions make no
// change by themselves.
func Compare(from, to Inventory) []Change {
	var out []Change
	if from.Model != to.Model || from.Serial != to.Serial {
		out = append(out, Change{Kind: Chassis, From: strings.TrimSpace(from.Model + " " + from.Serial), To: strings.TrimSpace(to.Model + " " + to.Serial)})
	}
	if from.SWVersion != to.SWVersion {
		out = append(out, Change{Kind: Software, From: from.SWVersion, To: to.SWVersion})
	}
	if from.HWVersion != to.HWVersion || from.PartNo != to.PartNo {
		out = append(out, Change{Kind: Hardware, From: hardwareOf(from.HWVersion, from.PartNo), To: hardwareOf(to.HWVersion, to.PartNo)})
	}
	return append(out, compareUnits(from.Units, to.Units)...)
}

func hardwareOf(version, part string) string { return strings.TrimSpace(version + " " + part) }

// compareUnits pairs units by serial number first, then by slot; what is left was removed or added.
func compareUnits(from, to []Unit) []Change {
	pairs := make([]int, len(to)) // index into from, -1: none
	taken := make([]bool, len(from))
	bySerial, bySlot := index(from, func(u Unit) string { return u.Serial }), index(from, func(u Unit) string { return u.Slot })
	for i := range to {
		pairs[i] = -1
		if f, ok := bySerial.take(to[i].Serial, to[i].Slot, from, taken); ok {
			pairs[i] = f
		}
	}
	for i := range to {
		if pairs[i] >= 0 || to[i].Slot == "" {
			continue
		}
		if f, ok := bySlot.take(to[i].Slot, to[i].Slot, from, taken); ok {
			pairs[i] = f
		}
	}
	var out []Change
	for i := range to {
		if pairs[i] < 0 {
			out = append(out, Change{Kind: Added, Slot: to[i].Slot, New: &to[i]})
			continue
		}
		out = append(out, comparePair(&from[pairs[i]], &to[i])...)
	}
	for i := range from {
		if !taken[i] {
			out = append(out, Change{Kind: Removed, Slot: from[i].Slot, Old: &from[i]})
		}
	}
	slices.SortStableFunc(out, func(a, b Change) int { return compareSlots(a.Slot, b.Slot) })
	return out
}

func comparePair(from, to *Unit) []Change {
	sameUnit := from.Serial == to.Serial || from.Serial == "" || to.Serial == ""
	if !sameUnit || from.Serial == "" && to.Serial == "" && from.Product != to.Product && from.Product != "" && to.Product != "" {
		return []Change{{Kind: Replaced, Slot: to.Slot, Old: from, New: to}}
	}
	var out []Change
	if from.Slot != to.Slot && from.Serial != "" {
		out = append(out, Change{Kind: Moved, Slot: to.Slot, From: from.Slot, To: to.Slot, Old: from, New: to})
	}
	if from.SWVersion != to.SWVersion {
		out = append(out, Change{Kind: Software, Slot: to.Slot, From: from.SWVersion, To: to.SWVersion, New: to})
	}
	if from.HWVersion != to.HWVersion || from.PartNo != to.PartNo {
		out = append(out, Change{Kind: Hardware, Slot: to.Slot, From: hardwareOf(from.HWVersion, from.PartNo), To: hardwareOf(to.HWVersion, to.PartNo), New: to})
	}
	return out
}

// lookup finds units by a word; several may have the same one.
type lookup map[string][]int

func index(units []Unit, key func(Unit) string) lookup {
	l := make(lookup, len(units))
	for i, u := range units {
		if k := key(u); k != "" {
			l[k] = append(l[k], i)
		}
	}
	return l
}

// take gives the unit of a word that nobody took yet, rather one in the same slot.
func (l lookup) take(word, slot string, units []Unit, taken []bool) (int, bool) {
	found := -1
	for _, i := range l[word] {
		if !taken[i] && (found < 0 || units[i].Slot == slot) {
			found = i
		}
	}
	if found < 0 {
		return 0, false
	}
	taken[found] = true
	return found, true
}
