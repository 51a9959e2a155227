package registry

import (
	"strconv"
	"strings"
	"time"
	"unicode"

	"callhome"
	"callhome/server/account"
)

// Input is one decoded message with what is known of its way here.
type Input struct {
	Message     *callhome.Message
	Personality string    // platform by ingest: ios, nxos …; empty: not recognised
	ReceivedAt  time.Time // when the archive took it
	ArchiveID   int64

	Fingerprint string      // of the client certificate, trustpoint.Fingerprint; "" without one
	Enrolment   EnrolmentID // of that certificate, where the receiver looked it up already; else Fingerprint is looked up
	Transport   string      // http, smtp, mailbox, bundle
	Gateway     string      // name of the gateway that passed it on, "" without one
	Peer        string      // address that handed it over
	Stored      bool        // it was stored on its way: an old event time is no wonder
	Anonymous   bool        // the sender says that it is anonymous; LooksAnonymous is asked anyway
	Faults      []Reason    // what ingest found already: ReasonSize, ReasonUnsupported
}

// Key names a device: product model and chassis serial number, compared exactly.
type Key struct{ Model, Serial string }

// Longest parts of a key: the longest published ones are below 40, and hostile ones shall not fill an index.
const maxKeyPart = 128

// KeyOf is the key of a message's device: of its device ID, else of its chassis. ok is false when the message names none.
func KeyOf(m *callhome.Message) (k Key, id callhome.DeviceID, ok bool) {
	model, _, serial, whole := m.DeviceID.Parts()
	id = m.DeviceID
	if !whole || model == "" || serial == "" {
		model, serial = m.Model, m.Serial
		id = callhome.MakeDeviceID(model, serial)
	}
	k = Key{Model: strings.TrimSpace(model), Serial: strings.TrimSpace(serial)}
	return k, id, plainWord(k.Model) && plainWord(k.Serial)
}

// plainWord reports whether s can name something: not empty, not endless, printable.
func plainWord(s string) bool {
	return s != "" && len(s) <= maxKeyPart && strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }) < 0
}

// anonymousGroups are what anonymous reporting sends.
var anonymousGroups = map[callhome.AlertGroup]bool{
	callhome.GroupCrash: true, callhome.GroupInventory: true, callhome.GroupTest: true, callhome.GroupTelemetry: true,
}

// LooksAnonymous reports whether a message tells nothing of who sends it (section 6 of the specification): one of the
// groups of anonymous reporting, and no name, contact, contract or site.
func LooksAnonymous(m *callhome.Message) bool {
	if !anonymousGroups[m.Group] {
		return false
	}
	for _, s := range []string{m.SystemName, m.ContactName, m.ContactEmail, m.ContactPhone, m.StreetAddress, m.CustomerID, m.ContractID, m.SiteID, m.CCOID} {
		if strings.TrimSpace(s) != "" {
			return false
		}
	}
	return true
}

// fullInventory reports whether a message is the full inventory that registration begins with.
func fullInventory(m *callhome.Message) bool {
	return m.Group == callhome.GroupInventory && !strings.EqualFold(m.Subtype, "delta")
}

// complete reports whether an inventory tells what the device is made of.
func complete(m *callhome.Message) bool {
	return m.Model != "" && m.Serial != "" && (len(m.FRUs) > 0 || len(m.Attachments) > 0)
}

// maxSkew is how far a device's clock may be off before its messages are shown as exceptions.
const maxSkew = time.Hour

// zoneSlack widens the skew of a time without a zone: offsets reach from -12 to +14 hours.
const zoneSlack = 14 * time.Hour

// skewed reports how far the device's clock is off, when it is too far. A message that was stored on its way may be old.
func skewed(in *Input) (off time.Duration, bad bool) {
	at := in.Message.CreationTime
	if at.IsZero() {
		at = in.Message.EventTime
	}
	if at.IsZero() || in.ReceivedAt.IsZero() {
		return 0, false
	}
	limit := maxSkew
	if at.NoZone {
		limit += zoneSlack
	}
	off = at.Sub(in.ReceivedAt)
	return off, off > limit || off < -limit && !in.Stored
}

// Lengths of words that a device gives and that are stored; longer ones are cut.
const maxWord = 256

func word(s string) string {
	s = strings.ToValidUTF8(strings.TrimSpace(s), "\uFFFD")
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
	if len(s) > maxWord {
		s = strings.ToValidUTF8(s[:maxWord], "")
	}
	return s
}

func sameWord(a, b string) bool { return strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b)) }

// String names the origin for people.
func (o Origin) String() string {
	if o.Enrolment == 0 {
		return "nobody we enrolled"
	}
	name := o.Name
	if name == "" {
		name = "number " + strconv.FormatInt(int64(o.Enrolment), 10)
	}
	return name
}

// owns reports whether the origin speaks for a company.
func (o Origin) owns() bool { return o.Enrolment != 0 && o.Company != account.NoCompany }
