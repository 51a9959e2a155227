package outbox

import (
	"time"

	"callhome"
)

// EntryID names an entry or dead letter; later entries have higher IDs, and an ID is never used twice.
type EntryID int64

// Status tells what became of a message.
type Status string

// The statuses of entries, of ledger lines and of statistics.
const (
	StatusQueued  Status = "queued"  // not delivered yet
	StatusSent    Status = "sent"    // the destination took it
	StatusDropped Status = "dropped" // left out on purpose; the reason says why
	StatusDead    Status = "dead"    // given up: refused for good, or older than max_age; kept as a dead letter
)

// Entry is an envelope in the queue, or a dead letter.
type Entry struct {
	ID        EntryID           `json:"id"`
	Status    Status            `json:"status"` // queued or dead
	Envelope  callhome.Envelope `json:"envelope"`
	Size      int               `json:"size"`              // bytes of the body
	Stored    int               `json:"stored"`            // bytes it takes in the store, compressed
	QueuedAt  time.Time         `json:"queued_at"`         // max_age counts from here
	Attempts  int               `json:"attempts"`          // tries that failed
	TriedAt   time.Time         `json:"tried_at,omitzero"` // last try
	RetryAt   time.Time         `json:"retry_at,omitzero"` // not before
	LastError string            `json:"last_error,omitempty"`
	Reason    callhome.Reason   `json:"reason,omitempty"` // of a dead letter: expired, or empty when it was refused for good
	DiedAt    time.Time         `json:"died_at,omitzero"` // of a dead letter

	Road   RoadID `json:"-"` // of its destination
	Packed []byte `json:"-"` // the body as stored; see pack.go
}

// Pending is an alert that waits for collection and was handed out by NextAlert.
type Pending struct {
	Alert      callhome.Alert
	AcceptedAt time.Time // when it became durable: the same after a crash, so fit for the creation time of its messages

	first uint64
}

// MessageNumber is the number reserved for this alert's message to a profile; it goes into the MessageID, is the same
// after a crash and is never used for another message. All profiles the alert does not name share one number, which
// serves messages on demand.
func (p *Pending) MessageNumber(profile callhome.ProfileName) uint64 {
	for i, name := range p.Alert.Profiles {
		if name.Equal(profile) {
			return p.first + uint64(i)
		}
	}
	return p.first + uint64(len(p.Alert.Profiles))
}

// numbersFor is how many message numbers an alert reserves: one a profile and one for messages on demand.
func numbersFor(a *callhome.Alert) uint64 { return uint64(len(a.Profiles)) + 1 }

// Outcome is a line of the ledger: what became of one alert for one profile and destination.
type Outcome struct {
	ID          int64                `json:"id,omitempty"` // order in the ledger; 0 for what is still queued
	At          time.Time            `json:"at"`
	Status      Status               `json:"status"`
	Reason      callhome.Reason      `json:"reason,omitempty"`
	AlertID     callhome.AlertID     `json:"alert_id,omitempty"`
	MessageID   callhome.MessageID   `json:"message_id,omitempty"`
	Device      string               `json:"device"`
	Group       callhome.AlertGroup  `json:"alert_group"`
	Profile     callhome.ProfileName `json:"profile,omitempty"`
	Destination callhome.Destination `json:"destination,omitzero"`
	Attempts    int                  `json:"attempts,omitempty"` // tries made, the successful one included
	QueuedAt    time.Time            `json:"queued_at,omitzero"`
	Detail      string               `json:"detail,omitempty"` // the receiver's words, or why it was dropped
}

// Count is one cell of the statistics. Statistics of status queued go down again; all others only grow.
type Count struct {
	Group     callhome.AlertGroup `json:"alert_group"`
	Transport callhome.Transport  `json:"transport,omitempty"` // empty for what was dropped before it had a destination
	Status    Status              `json:"status"`
	Reason    callhome.Reason     `json:"reason,omitempty"`
	N         int64               `json:"n"`
}

// Statistics is what `show call-home statistics` is made of.
type Statistics struct {
	Counts     []Count   `json:"counts"` // sorted by group, transport, status, reason; zero cells are left out
	LastSentAt time.Time `json:"last_sent_at,omitzero"`
}

// Depth tells how full the queue is.
type Depth struct {
	Alerts      int64     `json:"alerts"`  // not yet collected
	Entries     int64     `json:"entries"` // not yet delivered
	DeadLetters int64     `json:"dead_letters"`
	AlertBytes  int64     `json:"alert_bytes"` // as stored
	EntryBytes  int64     `json:"entry_bytes"`
	DeadBytes   int64     `json:"dead_bytes"`
	LimitBytes  int64     `json:"limit_bytes"`
	OldestAt    time.Time `json:"oldest_at,omitzero"` // of the oldest entry, or else the oldest alert
}

// Filter chooses entries; empty fields choose all.
type Filter struct {
	Status      Status // queued (also when empty) or dead
	MessageID   callhome.MessageID
	Device      *string
	Destination *callhome.Destination
	After       EntryID // only higher IDs; with Newest only lower ones, 0 meaning no bound
	Newest      bool    // highest IDs first
	Limit       int     // 0: DefaultLimit
}

// LedgerFilter chooses lines of the ledger, newest first.
type LedgerFilter struct {
	MessageID callhome.MessageID // empty: all
	Before    int64              // only lines with a lower ID; 0: from the newest on
	Limit     int                // 0: DefaultLimit
}

// DefaultLimit is how many rows a list gives when no limit is asked for: a few screens.
const DefaultLimit = 200
