package archive

import (
	"context"
	"time"

	"callhome"
	"callhome/server/account"
)

// Status is what became of a message.
type Status string

// The statuses.
const (
	StatusProcessed Status = "processed" // known device, entitled: worked to the end
	StatusMarked    Status = "marked"    // stored, not analysed; Reasons say why: not registered, no contract …
	StatusAnonymous Status = "anonymous" // counted, and not followed up
	StatusWaiting   Status = "waiting"   // a block whose siblings have not come yet
	StatusJoined    Status = "joined"    // a block, told with its siblings under another record
	StatusFailed    Status = "failed"    // could not be read or worked; Reasons say why, the bytes are kept
)

// Statuses lists all of them.
func Statuses() []Status {
	return []Status{StatusProcessed, StatusMarked, StatusAnonymous, StatusWaiting, StatusJoined, StatusFailed}
}

// Record is a message in the archive, without its body.
type Record struct {
	ID          int64               `json:"id,string"` // of its arrival
	ReceivedAt  time.Time           `json:"received_at"`
	EventTime   time.Time           `json:"event_time,omitzero"`
	Company     account.CompanyID   `json:"company_id,omitempty"`
	Device      int64               `json:"device,omitempty,string"` // registry.Device; 0: none
	DeviceID    callhome.DeviceID   `json:"device_id,omitempty"`
	SystemName  string              `json:"sys_name,omitempty"`
	MessageID   callhome.MessageID  `json:"message_id,omitempty"`
	Type        string              `json:"message_type,omitempty"`
	Subtype     string              `json:"message_subtype,omitempty"`
	Group       callhome.AlertGroup `json:"alert_group,omitempty"`
	Severity    int                 `json:"severity"`           // 0..9; -1 when the message names none
	Description string              `json:"msg_desc,omitempty"` // cut to MaxDescription
	Format      callhome.Format     `json:"format,omitempty"`
	Dialect     string              `json:"dialect,omitempty"`
	Origin      Origin              `json:"origin"`
	Size        int                 `json:"size"` // bytes as received
	Status      Status              `json:"status"`
	Reasons     []string            `json:"reasons,omitempty"`     // why it was not worked to the end, most weighty first
	Case        int64               `json:"case,omitempty,string"` // service request it belongs to; 0: none
	JoinedInto  int64               `json:"joined_into,omitempty,string"`
}

// MaxDescription bounds the description in a record, in bytes; the body has all of it.
const MaxDescription = 1024

// Filter chooses records; empty fields choose all.
type Filter struct {
	Reach     account.Reach
	Company   account.CompanyID
	Device    int64
	DeviceID  callhome.DeviceID
	MessageID callhome.MessageID
	Type      string
	Group     callhome.AlertGroup
	Status    Status
	Severity  *int // this level or worse
	Gateway   string
	Since     time.Time // by time of receipt
	Until     time.Time
	Case      int64
	Text      string // substring of description, system name or device ID, whatever its case; three characters at least
	Page      account.Page
}

// MinText is the shortest text that is searched for: the index is one of three-letter pieces.
const MinText = 3

// Counts are maintained counters of the archive.
type Counts struct {
	ByStatus   map[Status]int64              `json:"by_status"`
	BySeverity map[int]int64                 `json:"by_severity"`
	ByGroup    map[callhome.AlertGroup]int64 `json:"by_group"`
	Bytes      int64                         `json:"bytes"` // as received
}

// Class chooses what one retention rule is about.
type Class struct {
	Company account.CompanyID // 0: every company without a rule of its own
	Groups  []callhome.AlertGroup
	Status  Status
}

// Store keeps records and bodies. All methods but the reading ones are called within a transaction.
type Store interface {
	// Add stores a record and its body. The ID must be new.
	Add(ctx context.Context, r *Record, body []byte) error
	// Change updates status, reasons, company, device, case and joined-into of a stored record.
	Change(ctx context.Context, r *Record) error

	// Record gives one record within reach; ok is false where there is none.
	Record(ctx context.Context, id int64, reach account.Reach) (r Record, ok bool, err error)
	// Body gives the bytes as received.
	Body(ctx context.Context, id int64) (body []byte, ok bool, err error)
	// List gives a page of records, newest first.
	List(ctx context.Context, f Filter) ([]Record, error)
	// Walk gives records the other way round, oldest first: those with IDs above f.Page.After. It searches no text.
	Walk(ctx context.Context, f Filter) ([]Record, error)
	// Counts reads the maintained counters, of all time or since a moment (to the hour).
	Counts(ctx context.Context, reach account.Reach, since time.Time) (Counts, error)

	// Purge deletes up to limit records of a class received before a moment, oldest first, with bodies and index, and
	// tells how many went and how many bytes they were as received.
	Purge(ctx context.Context, c Class, before time.Time, limit int) (records, bytes int64, err error)
	// ForgetKeys deletes up to limit keys of repeats that came before a moment.
	ForgetKeys(ctx context.Context, before time.Time, limit int) (int64, error)
}
