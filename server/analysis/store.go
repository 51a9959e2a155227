package analysis

import (
	"context"
	"time"

	"callhome/server/account"
)

// Record is a finding as stored.
type Record struct {
	ID        int64             `json:"id"`
	Company   account.CompanyID `json:"company_id"`
	Device    int64             `json:"device_id"`
	Message   int64             `json:"message_id"` // the archive's number; 0 for a silence
	MessageID string            `json:"message"`    // the device's own
	Case      int64             `json:"case_id,omitempty"`
	Hunt      int64             `json:"hunt_id,omitempty"` // found by a hunt, not when the message came
	StoredAt  time.Time         `json:"stored_at"`
	ToldAt    time.Time         `json:"told_at,omitzero"` // when people were last told of it, by this finding or one before
	Finding
}

// Filter chooses among stored findings; empty fields choose all.
type Filter struct {
	Device  int64
	Message int64
	Rule    string
	Outcome Outcome
	Class   Class
	Case    int64
	Hunt    int64
	Since   time.Time // by the time they were stored
}

// Counts are how many findings there were.
type Counts struct {
	ByOutcome map[Outcome]int64 `json:"by_outcome"`
	ByRule    map[string]int64  `json:"by_rule"`
}

// HuntState is how far a hunt is.
type HuntState string

// The states of a hunt.
const (
	HuntRunning  HuntState = "running"
	HuntDone     HuntState = "done"
	HuntCanceled HuntState = "canceled"
	HuntFailed   HuntState = "failed"
)

// HuntRecord is a hunt as stored: what it looks for, how far it is.
type HuntRecord struct {
	ID        int64             `json:"id"`
	Company   account.CompanyID `json:"company_id"` // who may see it; 0: the operator
	Rules     []string          `json:"rules"`
	State     HuntState         `json:"state"`
	By        string            `json:"by"` // who asked for it
	StartedAt time.Time         `json:"started_at"`
	UpdatedAt time.Time         `json:"updated_at"`
	Error     string            `json:"error,omitempty"`
	Progress
}

// Store keeps findings, what rules counted, and hunts. It is a transaction's view: all effects of a message are stored
// or none.
type Store interface {
	History

	// Add stores a finding and gives its ID; r.ID and r.StoredAt are ignored. The same device, message, rule, key, state
	// and hunt again changes nothing and gives the ID there is.
	Add(ctx context.Context, r Record) (id int64, err error)
	// Find gives a finding within reach; ok is false where there is none.
	Find(ctx context.Context, reach account.Reach, id int64) (r Record, ok bool, err error)
	// List gives findings within reach, the newest first.
	List(ctx context.Context, reach account.Reach, f Filter, p account.Page) ([]Record, error)
	// Latest gives the newest finding of a rule about a key of a device, without those of hunts: a recommendation that a
	// person was given last week need not be given again. ok is false where there is none.
	Latest(ctx context.Context, device int64, rule, key string) (r Record, ok bool, err error)
	// SetCase says which case a finding belongs to. An unknown finding is an error of kind NotFound.
	SetCase(ctx context.Context, id, caseID int64) error
	// MoveDevice gives the findings of a device to another company.
	MoveDevice(ctx context.Context, device int64, company account.CompanyID) error

	// Counts reads maintained counters of findings within reach, of all time or since a moment (to the hour), without those
	// of hunts: by outcome and by rule.
	Counts(ctx context.Context, reach account.Reach, since time.Time) (Counts, error)

	// Observe stores what counts; every call adds, so it belongs in the transaction of its message.
	Observe(ctx context.Context, device int64, observations ...Observation) error
	// PurgeObservations drops at most limit observations that no rule needs any more and tells how many.
	PurgeObservations(ctx context.Context, now time.Time, limit int) (int, error)
	// Purge drops at most limit findings stored before, without those of a case, and tells how many.
	Purge(ctx context.Context, before time.Time, limit int) (int, error)

	// PutHunt stores a hunt; ID 0 makes a new one. It gives its ID.
	PutHunt(ctx context.Context, h HuntRecord) (id int64, err error)
	// Hunt gives a hunt within reach; ok is false where there is none.
	Hunt(ctx context.Context, reach account.Reach, id int64) (h HuntRecord, ok bool, err error)
	// Hunts lists hunts within reach, the newest first.
	Hunts(ctx context.Context, reach account.Reach, p account.Page) ([]HuntRecord, error)

	// FreeHunts gives at most limit running hunts that nobody works on, or whose worker was last heard of before a moment,
	// the oldest first.
	FreeHunts(ctx context.Context, silent time.Time, limit int) ([]int64, error)
	// ClaimHunt makes owner the one who works on a running hunt and notes that it was heard of now. It is false where
	// another holds it who was heard of since silent, and where the hunt is not running any more. Repeating it says that the
	// owner lives.
	ClaimHunt(ctx context.Context, id, owner int64, now, silent time.Time) (bool, error)
	// AdvanceHunt stores state, error, progress and UpdatedAt of a running hunt that owner holds. It is false where owner
	// lost it, or somebody canceled it: then nothing of the batch may be kept.
	AdvanceHunt(ctx context.Context, h HuntRecord, owner int64) (bool, error)
	// ReleaseHunt lets another one go on with a hunt that owner holds.
	ReleaseHunt(ctx context.Context, id, owner int64) error
	// CancelHunt ends a running hunt; false where it was not running.
	CancelHunt(ctx context.Context, id int64, now time.Time) (bool, error)
}
