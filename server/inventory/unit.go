package inventory

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"callhome"
	"callhome/server/account"
)

// Kind says what sort of thing a unit is.
type Kind string

// The kinds.
const (
	KindChassis Kind = "chassis" // a further chassis: member of a stack or cluster
	KindModule  Kind = "module"
	KindPower   Kind = "power"
	KindFan     Kind = "fan"
	KindOptic   Kind = "optic"
	KindDisk    Kind = "disk"
	KindOther   Kind = ""
)

// Unit is one field-replaceable unit in its place.
type Unit struct {
	Slot      string         `json:"slot,omitempty"`   // where it sits, as the device names it: "1", "0/1/CPU0", "Power Supply 1"
	Parent    string         `json:"parent,omitempty"` // slot of the unit it sits in; "" is the chassis itself
	Kind      Kind           `json:"kind,omitempty"`
	Product   string         `json:"product,omitempty"` // product ID or model
	Serial    string         `json:"serial,omitempty"`
	PartNo    string         `json:"part_no,omitempty"`
	HWVersion string         `json:"hw_version,omitempty"`
	SWVersion string         `json:"sw_version,omitempty"`
	Descr     string         `json:"descr,omitempty"`
	Further   []callhome.Tag `json:"additional,omitempty"` // CLEI, memory sizes and the like, by key
}

// Inventory is what a device is made of. Units are in the order of their slots.
type Inventory struct {
	Platform  string         `json:"platform,omitempty"` // software platform: ios, iosxe, iosxr, nxos, asa, ucm, junos, eos, linux
	Family    string         `json:"family,omitempty"`   // product family, as the device calls it
	Model     string         `json:"model,omitempty"`
	Serial    string         `json:"serial,omitempty"`
	PartNo    string         `json:"part_no,omitempty"`
	HWVersion string         `json:"hw_version,omitempty"`
	SWVersion string         `json:"sw_version,omitempty"`
	Further   []callhome.Tag `json:"additional,omitempty"` // memory sizes, boot image and the like, by key
	Units     []Unit         `json:"units,omitempty"`
}

// Revision is an inventory as it was from one message on until the next revision.
type Revision struct {
	Device     int64              `json:"device_id"`
	Company    account.CompanyID  `json:"-"`
	Number     int                `json:"revision"` // from 1
	MessageID  callhome.MessageID `json:"message_id,omitempty"`
	At         time.Time          `json:"at"`         // the event's own time
	StoredAt   time.Time          `json:"stored_at"`  // when we took it in
	Full       bool               `json:"full"`       // it came from a full inventory
	Incomplete bool               `json:"incomplete"` // no full inventory that names chassis and units has come yet
	Hash       string             `json:"hash"`       // of Inventory
	Changes    []Change           `json:"changes"`    // against the revision before
	Inventory  Inventory          `json:"inventory"`
}

// Hash is the same for the same content, whatever the order it was told in.
func (i Inventory) Hash() string {
	b, err := json.Marshal(i)
	if err != nil { // strings and lists of them always marshal
		panic(err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}

// sort brings units and pairs into one order, and finds each unit's parent.
func (i *Inventory) sort() {
	slices.SortStableFunc(i.Units, func(a, b Unit) int {
		return cmp.Or(compareSlots(a.Slot, b.Slot), strings.Compare(a.Serial, b.Serial), strings.Compare(a.Product, b.Product))
	})
	sortTags(i.Further)
	slots := make(map[string]bool, len(i.Units))
	for _, u := range i.Units {
		slots[u.Slot] = true
	}
	for n := range i.Units {
		sortTags(i.Units[n].Further)
		i.Units[n].Parent = parentOf(i.Units[n].Slot, slots)
	}
}

func sortTags(tags []callhome.Tag) {
	slices.SortStableFunc(tags, func(a, b callhome.Tag) int { return strings.Compare(a.Key, b.Key) })
}

// parentOf is the longest slot above: "1/0/2" sits in "1/0" where that is a unit, else in "1". The words of `show
// inventory`, "subslot 0/1 transceiver 0", are cut at blanks.
func parentOf(slot string, slots map[string]bool) string {
	for s := slot; ; {
		i := strings.LastIndexAny(s, "/ ")
		if i <= 0 {
			return ""
		}
		if s = s[:i]; slots[s] {
			return s
		}
	}
}

// compareSlots orders numbers by their value and all else as text.
func compareSlots(a, b string) int {
	for a != "" && b != "" {
		na, ra := cutNumber(a)
		nb, rb := cutNumber(b)
		if na != "" && nb != "" {
			if c := cmp.Or(cmp.Compare(len(na), len(nb)), strings.Compare(na, nb)); c != 0 {
				return c
			}
			a, b = ra, rb
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(a[0], b[0])
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}

// cutNumber takes the digits off the front, without leading zeros but at least one digit.
func cutNumber(s string) (digits, rest string) {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	digits = strings.TrimLeft(s[:n], "0")
	if n > 0 && digits == "" {
		digits = "0"
	}
	return digits, s[n:]
}

// noSerials are what devices print in the place of a serial number they do not have.
var noSerials = map[string]bool{
	"N/A": true, "NA": true, "NONE": true, "UNKNOWN": true, "NOT AVAILABLE": true, "UNSPECIFIED": true, "NOT SPECIFIED": true, "TO BE FILLED BY O.E.M.": true,
	"BUILTIN": true, "BUILT-IN": true, "DEFAULT STRING": true, "UNDEFINED": true, "SYSTEM SERIAL NUMBER": true, "-": true, "--": true,
}

// RealSerial is the serial number without the blanks around it, "" for what only stands in the place of one.
func RealSerial(s string) string {
	s = strings.TrimSpace(s)
	if noSerials[strings.ToUpper(s)] || strings.Trim(s, "0 .-_xX#*?") == "" {
		return ""
	}
	return s
}
