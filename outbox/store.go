package outbox

import (
	"context"
	"time"

	"callhome"
)

// RoadID numbers destinations; road 0 is the way of alerts to collection.
type RoadID int64

// collectRoad is where alerts wait.
const collectRoad RoadID = 0

// Road is a destination known to the store.
type Road struct {
	ID          RoadID
	Destination callhome.Destination
}

// AlertRow is an alert as stored.
type AlertRow struct {
	ID         int64
	Device     string
	First      uint64 // first of the message numbers reserved for it
	AcceptedAt time.Time
	RetryAt    time.Time // zero, or not before: it was postponed
	Packed     []byte    // the alert as JSON; see pack.go
}

// Mark is the queue's bookkeeping: highest numbers given out, totals, and the time of the last delivery.
type Mark struct {
	LastAlert  int64
	LastNumber uint64
	LastEntry  EntryID
	LastRoad   RoadID

	Alerts, AlertBytes  int64
	Entries, EntryBytes int64
	DeadLetters         int64
	DeadBytes           int64
	LastSentAt          time.Time
}

// Retrial is a failed try: the entry stays, with these fields changed.
type Retrial struct {
	ID        EntryID
	Attempts  int
	TriedAt   time.Time
	RetryAt   time.Time
	LastError string
}

// Burial makes a dead letter of an entry.
type Burial struct {
	ID        EntryID
	Reason    callhome.Reason
	Attempts  int
	DiedAt    time.Time
	LastError string
}

// Revival makes an entry of a dead letter again, under a new ID at the end of its lane, with no attempts made.
type Revival struct {
	ID       EntryID // of the dead letter
	As       EntryID
	QueuedAt time.Time
}

// Delay postpones an alert.
type Delay struct {
	ID      int64
	RetryAt time.Time
}

// Batch is one transaction. A store applies the fields in the order in which they stand here.
type Batch struct {
	Roads      []Road
	Alerts     []AlertRow
	Delays     []Delay
	Retired    []int64 // alerts that are done with
	Entries    []Entry // new; Road and Packed set, Envelope without body
	Removed    []EntryID
	Retrials   []Retrial
	Buried     []Burial
	Revived    []Revival
	Discarded  []EntryID // dead letters to delete
	Ledger     []Outcome // the store numbers them
	Forget     *Forget
	Increments []Count
	Mark       Mark // replaces the stored one
}

// Forget shortens the ledger from its old end.
type Forget struct {
	Before time.Time // lines older than this go
	Keep   int64     // of the newest at most so many stay
	Max    int       // at most so many lines go in this transaction
	Gone   int       // set by Apply: so many went
}

// Loaded is what a store knows at start.
type Loaded struct {
	Mark   Mark
	Roads  []Road // with entries or dead letters; a store may forget others
	Counts []Count
}

// Store keeps the queue's rows. The Queue calls Apply from one goroutine at a time and the reading methods from many.
//
// Apply is all or nothing and durable when it returns nil: it must survive a kill -9 and, as far as the disk keeps its
// word, a power cut. An error of [callhome.KindUnavailable] (disk full, busy) means that the same batch may succeed
// later; any other error means that it will not. Reads see everything that Apply has finished. A returned row belongs
// to the caller.
type Store interface {
	Load(ctx context.Context) (Loaded, error)
	Apply(ctx context.Context, b *Batch) error

	// FirstAlert is the oldest alert of a device, nil if there is none.
	FirstAlert(ctx context.Context, device string) (*AlertRow, error)
	// FirstEntries are the oldest entries of a lane, oldest first, with Packed: at least one if there is any, at most
	// limit, and no further one once they hold maxBytes.
	FirstEntries(ctx context.Context, road RoadID, device string, limit, maxBytes int) ([]Entry, error)
	// Devices lists, in order, devices that have alerts (road 0) or entries on a road; after is exclusive, nil starts
	// at the beginning.
	Devices(ctx context.Context, road RoadID, after *string, limit int) ([]string, error)

	// Entry is one entry or dead letter with Packed, nil if there is none.
	Entry(ctx context.Context, id EntryID) (*Entry, error)
	// List gives entries without Packed.
	List(ctx context.Context, f Filter) ([]Entry, error)
	// Ledger gives lines newest first.
	Ledger(ctx context.Context, f LedgerFilter) ([]Outcome, error)
	// Oldest is when the oldest entry was queued or, if there is none, the oldest alert was accepted; zero if neither.
	Oldest(ctx context.Context) (time.Time, error)

	// Rest gives back memory that a busy time has left; nothing else changes.
	Rest(ctx context.Context)

	// Close ends the store's use; Apply is not under way.
	Close() error
}
