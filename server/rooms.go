package server

import (
	"context"

	"callhome/server/account"
	"callhome/server/advisory"
	"callhome/server/analysis"
	"callhome/server/archive"
	"callhome/server/casework"
	"callhome/server/confighistory"
	"callhome/server/ingest"
	"callhome/server/inventory"
	"callhome/server/notify"
	"callhome/server/registry"
)

// Rooms are the stores of all rooms in one transaction, or in a sight of what is committed.
type Rooms interface {
	NewID() int64
	Account() account.Store
	Archive() archive.Store
	Ingest() ingest.Store
	Registry() registry.Store
	Inventory() inventory.Store
	ConfigHistory() confighistory.Store
	Advisory() advisory.Store
	Analysis() analysis.Store
	Casework() casework.Store
	Notify() notify.Store
}

// Database is where the rooms keep what they know.
type Database interface {
	// InTx runs f in one transaction, again when another was in its way.
	InTx(ctx context.Context, f func(Rooms) error) error
	Read() Rooms
}

// Intake keeps arrivals and hands them out to be worked.
type Intake interface {
	archive.Intake
	// Work waits for arrivals and hands up to limit of them to f in one transaction, those of one device in order. When f
	// fails nothing has happened and they come again. They were prepared before, perhaps while another batch was worked.
	Work(ctx context.Context, limit int, prepare archive.Prepare, f func(Rooms, []archive.Arrival) error) (int, error)
	// Pressed reports whether senders are waiting for the machine; what was taken then waits a little longer.
	Pressed() bool
}
