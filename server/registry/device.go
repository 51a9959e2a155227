package registry

import (
	"time"

	"callhome"
	"callhome/server/account"
)

// ID names a device for good; a device that changes its host name or company keeps it.
type ID int64

// State is where a registration stands.
type State string

// The states.
const (
	StateUnknown    State = "unknown"            // something was received, no full inventory yet
	StateInventory  State = "inventory-received" // a full inventory, but no contact address to ask
	StatePending    State = "pending"            // the contact was asked by mail
	StateConfirmed  State = "confirmed"          // a person confirmed; the contract has not begun yet
	StateRegistered State = "registered"
	StateNoContract State = "no-contract" // confirmed, but no contract covers the device
	StateExpired    State = "expired"     // its contract ended: messages are stored, not analysed
	StateRejected   State = "rejected"
	StateSuspended  State = "suspended"
)

// States are all states, in the order in which a page shows them.
var States = []State{
	StateUnknown, StateInventory, StatePending, StateConfirmed, StateRegistered, StateNoContract, StateExpired, StateRejected, StateSuspended,
}

// Mode is how much a device tells of itself.
type Mode string

// The modes.
const (
	Full      Mode = "full"
	Anonymous Mode = "anonymous" // never a device record: only counted
)

// Tier is the level of service of a contract: a word of the operator's choosing ("24x7x4"), shown and routed by.
type Tier string

// Entitlement is what a device may have, and why not.
type Entitlement struct {
	Contract   string    `json:"contract,omitempty"` // number of the contract that covers the device
	Tier       Tier      `json:"tier,omitempty"`
	From       time.Time `json:"from,omitzero"`
	Until      time.Time `json:"until,omitzero"` // first moment without service
	Registered bool      `json:"registered"`     // the registration was confirmed and is neither rejected nor suspended
}

// Covers reports whether the contract is in force at t.
func (e Entitlement) Covers(t time.Time) bool {
	return e.Contract != "" && !t.Before(e.From) && (e.Until.IsZero() || t.Before(e.Until))
}

// Full reports whether the full service is due at t: analysis, service requests, notifications.
func (e Entitlement) Full(t time.Time) bool { return e.Registered && e.Covers(t) }

// Device is one registration.
type Device struct {
	ID       ID                `json:"id"`
	DeviceID callhome.DeviceID `json:"device_id"` // type@Sid@serial, as the device writes it
	Model    string            `json:"model"`     // the type part
	Serial   string            `json:"serial"`

	SystemName    string            `json:"sys_name,omitempty"`
	Personality   string            `json:"personality,omitempty"` // ios, nxos, asa ...: the dialect of its messages
	ProductFamily string            `json:"product_family,omitempty"`
	SWVersion     string            `json:"sw_version,omitempty"`
	Company       account.CompanyID `json:"company,omitempty"`
	Site          string            `json:"site,omitempty"`     // as the device says; its SiteID
	Contract      string            `json:"contract,omitempty"` // number that the device names
	CustomerID    string            `json:"customer_id,omitempty"`
	ContactEmail  string            `json:"contact_email,omitempty"`
	ContactName   string            `json:"contact_name,omitempty"`
	UserName      string            `json:"user,omitempty"` // portal user (CCO ID) that the device names

	State       State          `json:"state"`
	Entitlement Entitlement    `json:"entitlement"`
	StateSince  time.Time      `json:"state_since,omitzero"`
	ConfirmedBy account.UserID `json:"confirmed_by,omitempty"`
	Owned       bool           `json:"-"` // a person confirmed or assigned it once: its company changes by people only
	ConfirmedAt time.Time      `json:"confirmed_at,omitzero"`

	Origin      Origin    `json:"origin"`                // where its messages come from
	Conflict    int64     `json:"conflict,omitempty"`    // an open conflict about it, 0 for none
	MailedAt    time.Time `json:"mailed_at,omitzero"`    // when the contact was last asked
	SilentSince time.Time `json:"silent_since,omitzero"` // raised as silent: nothing at all was heard
	FirstSeen   time.Time `json:"first_seen"`
	LastSeen    time.Time `json:"last_seen"` // to the minute
	Version     int64     `json:"-"`         // counts changes, for optimistic writes
}

// Origin is where messages of a device come from, as far as it was proven.
type Origin struct {
	Enrolment EnrolmentID       `json:"enrolment,omitempty"` // agent or gateway whose client certificate was shown; 0 for none
	Company   account.CompanyID `json:"company,omitempty"`   // of that enrolment
	Name      string            `json:"name,omitempty"`      // of that enrolment
}

// EnrolmentID names an enrolled agent or gateway.
type EnrolmentID int64
