package inventory

import (
	"context"
	"time"

	"callhome"
	"callhome/server/account"
)

// Head is the latest revision of a device without its units: what lists show and what most messages are held against.
type Head struct {
	Device     int64              `json:"device_id"`
	Company    account.CompanyID  `json:"-"`
	Number     int                `json:"revision"`
	MessageID  callhome.MessageID `json:"message_id,omitempty"`
	At         time.Time          `json:"at"`
	Hash       string             `json:"hash"`
	Reading    string             `json:"-"` // hash of the last reading that was merged
	Incomplete bool               `json:"incomplete"`
	Platform   string             `json:"platform,omitempty"`
	Family     string             `json:"family,omitempty"`
	Model      string             `json:"model,omitempty"`
	Serial     string             `json:"serial,omitempty"`
	PartNo     string             `json:"part_no,omitempty"`
	HWVersion  string             `json:"hw_version,omitempty"`
	SWVersion  string             `json:"sw_version,omitempty"`
	Units      int                `json:"units"`
}

// Place is a unit where it is, or was last seen. The chassis itself is a place with the empty slot.
type Place struct {
	ID      int64             `json:"id"`
	Device  int64             `json:"device_id"`
	Company account.CompanyID `json:"-"`
	Unit    Unit              `json:"unit"`
	Since   time.Time         `json:"since"` // event time of the message that first told of it in this slot
}

// UnitFilter chooses units; what is empty does not narrow.
type UnitFilter struct {
	Device    int64
	Serial    string // whole, whatever its case
	Product   string // from its beginning, whatever its case
	PartNo    string // from its beginning, whatever its case
	SWVersion string // whole
}

// DeviceFilter chooses devices by their latest revision; what is empty does not narrow.
type DeviceFilter struct {
	Platform, Family, Model, SWVersion string // whole
	Incomplete                         bool   // only those whose inventory is not complete
}

// By is what a summary counts by.
type By string

// The summaries.
const (
	ByFamily  By = "family"
	ByVersion By = "version" // platform and software version: "iosxe 17.12.4"
	ByModel   By = "model"
)

// Count is one row of a summary.
type Count struct {
	Word    string `json:"word"` // "" is unknown
	Devices int64  `json:"devices"`
}

// Store keeps inventories. The methods without a Reach serve the back end itself, those with one serve people and find
// nothing beyond it: what is out of reach is NotFound.
type Store interface {
	// Head gives the latest revision of a device; ok is false when there is none.
	Head(ctx context.Context, device int64) (h Head, ok bool, err error)
	// Heads gives the latest revisions of all devices above an ID in its order, at most limit: for batches.
	Heads(ctx context.Context, after int64, limit int) ([]Head, error)
	// Current gives the latest inventory of a device, empty when there is none.
	Current(ctx context.Context, device int64) (Inventory, error)
	// ByMessage gives the revision that a message made; ok is false when it made none or the ID is empty.
	ByMessage(ctx context.Context, device int64, id callhome.MessageID) (r Revision, ok bool, err error)
	// Put stores a revision, whose number is new, and makes it the latest: head, units, homes of serial numbers and the
	// counts of summaries. Reading is kept for Head.
	Put(ctx context.Context, r Revision, reading string) error
	// Amend puts details into the revision of a number, which is the latest, without making another.
	Amend(ctx context.Context, number int, r Revision, reading string) error
	// Touch keeps Reading and Incomplete of a head.
	Touch(ctx context.Context, h Head) error
	// Homes tells where units of a company were seen last, by serial number; unknown ones are left out.
	Homes(ctx context.Context, company account.CompanyID, serials []string) (map[string]Place, error)
	// SetCompany gives a device's records to another company.
	SetCompany(ctx context.Context, device int64, company account.CompanyID) error
	// Forget removes all that is kept of a device.
	Forget(ctx context.Context, device int64) error

	// Revision gives one revision of a device; number 0 is the latest.
	Revision(ctx context.Context, reach account.Reach, device int64, number int) (Revision, error)
	// Revisions lists the revisions of a device, newest first, without their inventories. Page.After is a number.
	Revisions(ctx context.Context, reach account.Reach, device int64, page account.Page) ([]Revision, error)
	// Units lists units of the latest revisions, newest first.
	Units(ctx context.Context, reach account.Reach, f UnitFilter, page account.Page) ([]Place, error)
	// Devices lists the latest revisions, newest device first. Page.After is a device.
	Devices(ctx context.Context, reach account.Reach, f DeviceFilter, page account.Page) ([]Head, error)
	// Summary counts devices, most first, from maintained counters.
	Summary(ctx context.Context, reach account.Reach, by By) ([]Count, error)
}
