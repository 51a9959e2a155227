package registry

import (
	"time"

	"callhome"
	"callhome/server/account"
)

// Reason is why a message is shown among the exceptions.
type Reason string

// The reasons. The first seven are those of section 10.3 of the specification.
const (
	ReasonNoContract    Reason = "no_contract"
	ReasonNotRegistered Reason = "device_not_registered"
	ReasonIncomplete    Reason = "inventory_incomplete"
	ReasonUnparsable    Reason = "unparsable"
	ReasonUnsupported   Reason = "unsupported_type"
	ReasonSize          Reason = "size"
	ReasonClockSkew     Reason = "clock_skew"
	ReasonUnidentified  Reason = "unidentified" // it names no device
	ReasonConflict      Reason = "conflict"     // its serial number belongs to another device; see Conflict
)

// Reasons are all reasons.
var Reasons = []Reason{
	ReasonNoContract, ReasonNotRegistered, ReasonIncomplete, ReasonUnparsable, ReasonUnsupported, ReasonSize, ReasonClockSkew,
	ReasonUnidentified, ReasonConflict,
}

// Exception is what a page shows of messages with a fault. Messages of one device (or, without one, of one peer) with
// one reason on one day are one exception with a count, so that a device that sends thousands hides no other.
type Exception struct {
	ID         int64             `json:"id"`
	Day        string            `json:"day"` // 2026-03-14, UTC
	Device     ID                `json:"device,omitempty"`
	Company    account.CompanyID `json:"company,omitempty"`
	DeviceID   callhome.DeviceID `json:"device_id,omitempty"`
	SystemName string            `json:"sys_name,omitempty"`
	Serial     string            `json:"serial,omitempty"`
	Reason     Reason            `json:"reason"`
	Detail     string            `json:"detail,omitempty"` // of the latest
	Transport  string            `json:"transport,omitempty"`
	Gateway    string            `json:"gateway,omitempty"`
	Peer       string            `json:"peer,omitempty"`
	FirstAt    time.Time         `json:"first_at"`
	LastAt     time.Time         `json:"last_at"`
	Count      int64             `json:"count"`
	ArchiveID  int64             `json:"archive_id,omitempty"` // the latest message, as received
}

// NoticeKind is what people are told.
type NoticeKind string

// The kinds.
const (
	NoticeRegistrationRequired NoticeKind = "registration_required"
	NoticeRegistrationComplete NoticeKind = "registration_complete"
	NoticeRegistrationExpiring NoticeKind = "registration_expiring"
	NoticeRegistrationExpired  NoticeKind = "registration_expired"
	NoticeContactChanged       NoticeKind = "contact_changed" // to the address that was the contact before
	NoticeConflict             NoticeKind = "conflict"        // to operators
)

// Notice is something to tell people. The registry sends nothing: whoever asked it hands notices to the notify room, in
// the same transaction.
type Notice struct {
	Kind     NoticeKind        `json:"kind"`
	To       string            `json:"to,omitempty"` // mail address; none: the company's people by their preferences
	Company  account.CompanyID `json:"company,omitempty"`
	Device   ID                `json:"device,omitempty"`
	DeviceID callhome.DeviceID `json:"device_id,omitempty"`
	Serial   string            `json:"serial,omitempty"`
	System   string            `json:"sys_name,omitempty"`
	Contract string            `json:"contract,omitempty"`
	Until    time.Time         `json:"until,omitzero"`    // of the link, or of the contract
	Devices  int64             `json:"devices,omitempty"` // that a contract's end concerns
	Link     callhome.Secret   `json:"-"`                 // the token of the confirmation link; the path is the portal's
	Code     callhome.Secret   `json:"-"`                 // the security code
	Conflict int64             `json:"conflict,omitempty"`
	Detail   string            `json:"detail,omitempty"`
}
