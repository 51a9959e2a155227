package inventory

import (
	"slices"
	"strings"
	"time"

	"callhome"
)

// Reading is what one message says about the inventory of its device.
type Reading struct {
	Inventory  Inventory
	Full       bool   // it is a whole inventory and replaces what is known
	Removal    bool   // the units it names were taken out
	Incomplete string // why a whole inventory cannot be believed to be whole; "" when it can
	Units      bool   // it names units at all; without, only the device's own fields count
}

// maxUnits bounds the units of one device: the largest chassis with all optics have some thousand.
const maxUnits = 8192

// Read takes the inventory out of a message: chassis, units, further chassis, pairs, and what the outputs of inventory
// commands add. It keeps no reference to the attachments' text.
func Read(m *callhome.Message) Reading {
	r := Reading{Inventory: Inventory{
		Platform: PlatformOf(m), Family: own(m.SourceID), Model: own(m.Model), Serial: own(RealSerial(m.Serial)), PartNo: own(m.PartNo),
		HWVersion: own(m.HWVersion), SWVersion: softwareOf(m.SWVersion),
	}}
	model, _, serial, _ := m.DeviceID.Parts()
	if r.Inventory.Model == "" {
		r.Inventory.Model = own(model)
	}
	if r.Inventory.Serial == "" {
		r.Inventory.Serial = own(RealSerial(serial))
	}
	whole := isInventory(m)
	r.Removal = isRemoval(m)
	r.Full = whole && !strings.EqualFold(m.Subtype, "delta") && !r.Removal && !isInsertion(m)
	for _, t := range m.Additional {
		if keepPair[strings.ToLower(t.Key)] && t.Value != "" {
			r.Inventory.Further = append(r.Inventory.Further, callhome.Tag{Key: own(t.Key), Value: own(t.Value)})
		}
	}
	units := make([]Unit, 0, len(m.FRUs)+len(m.Chassis))
	for i := range m.FRUs {
		units = addUnit(units, unitOf(&m.FRUs[i], ""))
	}
	for i := range m.Chassis {
		units = addUnit(units, unitOf(&m.Chassis[i], KindChassis))
	}
	cut := false
	if whole || r.Inventory.SWVersion == "" {
		var outputs output
		for i := range m.Attachments {
			outputs.read(&m.Attachments[i], r.Inventory.Platform)
		}
		// Outputs that ride along with other messages describe the moment, and may be cut; they count in inventories only.
		if whole && !r.Removal { // the outputs of a removal list what stayed
			units = outputs.join(units, &r.Inventory)
			cut = outputs.cut
		}
		if r.Inventory.SWVersion == "" {
			r.Inventory.SWVersion = outputs.device.SWVersion
		}
	}
	if len(units) > maxUnits {
		units, cut = units[:maxUnits], true
	}
	if !whole { // a unit that an event is about may be anything: only a serial number makes it known
		units = slices.DeleteFunc(units, func(u Unit) bool { return u.Serial == "" })
	}
	r.Inventory.Units, r.Units = units, len(units) > 0
	r.Inventory.sort()
	if r.Full {
		r.Incomplete = incomplete(&r.Inventory, cut)
	}
	return r
}

// isInventory reports whether a message is about the inventory as such.
func isInventory(m *callhome.Message) bool {
	return m.Group == callhome.GroupInventory || strings.Contains(strings.ToLower(m.Type), "inventory")
}

// softwareOf is a version without what some platforms print around it: "Version 17.12.4, RELEASE SOFTWARE (fc2)".
func softwareOf(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), ",")
	if len(s) > 8 && strings.EqualFold(s[:8], "version ") {
		s = s[8:]
	}
	return own(s)
}

// incomplete says what a whole inventory lacks.
func incomplete(i *Inventory, cut bool) string {
	switch {
	case i.Model == "":
		return "the chassis has no model"
	case i.Serial == "":
		return "the chassis has no serial number"
	case cut:
		return "an output was cut"
	case len(i.Units) == 0 && i.Platform != "linux" && i.Platform != "ucm":
		return "it names no unit"
	}
	return ""
}

// keepPair are the pairs of a chassis that describe it; others, such as ServiceNumber, are about the message.
var keepPair = map[string]bool{
	"pid": true, "vid": true, "flashsize": true, "dramsize": true, "clei": true, "chassisname": true, "sysobjectid": true, "systemobjectid": true,
	"memorysize": true, "bootimage": true, "systemimage": true, "configregister": true, "manufacturedate": true,
}

// maxField bounds a field in bytes: an index takes no more, and no real one comes near it.
const maxField = 240

// own is a field as it is kept: a copy, so that a stored inventory does not hold a whole document in memory, without
// control characters and broken ones, and not longer than maxField.
func own(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > maxField {
		s = s[:maxField]
	}
	s = strings.ToValidUTF8(s, "")
	return strings.Clone(strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)))
}

func unitOf(f *callhome.FRU, kind Kind) Unit {
	u := Unit{
		Slot: normalSlot(f.Slot), Kind: kind, Product: own(f.Name), Serial: own(RealSerial(f.Serial)), PartNo: own(f.PartNo),
		HWVersion: own(f.HWVersion), SWVersion: own(f.SWVersion),
	}
	for _, t := range f.Additional {
		switch key := strings.ToLower(t.Key); {
		case key == "partnumber" && u.PartNo == "":
			u.PartNo = own(t.Value)
		case key == "softwareversion" && u.SWVersion == "":
			u.SWVersion = own(t.Value)
		case t.Value != "":
			u.Further = append(u.Further, callhome.Tag{Key: own(t.Key), Value: own(t.Value)})
		}
	}
	if u.Kind == "" {
		u.Kind = kindOf(u.Slot + " " + u.Product)
	}
	if u.Kind == KindOther && u.Slot != "" && u.Slot[0] >= '0' && u.Slot[0] <= '9' {
		u.Kind = KindModule
	}
	return u
}

// addUnit keeps a unit that says anything.
func addUnit(units []Unit, u Unit) []Unit {
	if u.Product == "" && u.Serial == "" && u.PartNo == "" {
		return units
	}
	return append(units, u)
}

// slotWords may stand before the number of a slot without adding to it.
var slotWords = []string{"slot ", "module ", "linecard ", "line card ", "slot:", "mod "}

// normalSlot is a slot in one spelling: blanks single, "slot 1" and "module 1" as "1".
func normalSlot(s string) string {
	s = strings.Join(strings.Fields(own(s)), " ")
	lower := strings.ToLower(s)
	for _, w := range slotWords {
		if rest, ok := strings.CutPrefix(lower, w); ok && rest != "" && rest[0] >= '0' && rest[0] <= '9' {
			return strings.Clone(s[len(w):])
		}
	}
	return s
}

// kindMarks tell a unit's kind by the words about it, the more exact first.
var kindMarks = []struct {
	word string
	kind Kind
}{
	{"transceiver", KindOptic}, {"sfp", KindOptic}, {"qsfp", KindOptic}, {"xfp", KindOptic}, {"gbic", KindOptic}, {"xcvr", KindOptic},
	{"fan", KindFan}, {"power", KindPower}, {"psu", KindPower}, {"pwr", KindPower}, {"pem ", KindPower}, {"ssd", KindDisk}, {"disk", KindDisk},
	{"chassis", KindChassis}, {"module", KindModule}, {"supervisor", KindModule}, {"linecard", KindModule}, {"line card", KindModule},
	{"fpc", KindModule}, {"pic ", KindModule}, {"routing engine", KindModule}, {"/cpu", KindModule}, {"slot", KindModule},
}

func kindOf(words string) Kind {
	lower := strings.ToLower(words)
	for _, k := range kindMarks {
		if strings.Contains(lower, k.word) {
			return k.kind
		}
	}
	return KindOther
}

// removalWords and insertionWords are the names of events by which devices tell what became of the units they name.
var (
	removalWords   = []string{"HARDWARE_REMOVAL", "REMCARD", "CARD_REMOVED", "FRU_REMOVED", "OIR-6-REMCARD", "-REMOVED"}
	insertionWords = []string{"HARDWARE_INSERTION", "INSCARD", "CARD_INSERTED", "FRU_INSERTED"}
)

func isRemoval(m *callhome.Message) bool { return mentions(m, removalWords) }

func isInsertion(m *callhome.Message) bool { return mentions(m, insertionWords) }

func mentions(m *callhome.Message, words []string) bool {
	for _, text := range []string{m.Name, m.Description} {
		upper := strings.ToUpper(text[:min(len(text), 512)])
		for _, w := range words {
			if strings.Contains(upper, w) {
				return true
			}
		}
	}
	return false
}

// TimeOf is when a message's event happened: its own time where it names one with a zone, else the time of receipt.
func TimeOf(m *callhome.Message, received time.Time) time.Time {
	if t := m.EventTime; !t.IsZero() {
		return t.Time
	}
	return received
}
