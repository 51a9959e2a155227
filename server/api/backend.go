package api

import (
	"context"
	"time"

	"callhome/server/account"
	"callhome/server/advisory"
	"callhome/server/analysis"
	"callhome/server/archive"
	"callhome/server/casework"
	"callhome/server/confighistory"
	"callhome/server/inventory"
	"callhome/server/notify"
	"callhome/server/registry"
)

// Views are the rooms' records, in one transaction or as committed.
type Views interface {
	Account() account.Store
	Archive() archive.Store
	Registry() registry.Store
	Inventory() inventory.Store
	ConfigHistory() confighistory.Store
	Advisory() advisory.Store
	Analysis() analysis.Store
	Casework() casework.Store
	Notify() notify.Store
	Answers
	Feed
}

// Answers keeps what was answered to requests with an Idempotency-Key.
type Answers interface {
	// Answer is what was answered to a key, and the digest of the request; ok is false when the key is new.
	Answer(ctx context.Context, key string) (request string, answer []byte, ok bool, err error)
	// KeepAnswer keeps an answer; KindConflict when the key has one.
	KeepAnswer(ctx context.Context, key, request string, answer []byte, at time.Time) error
	// ForgetAnswers removes up to limit answers given before a moment.
	ForgetAnswers(ctx context.Context, before time.Time, limit int) (int64, error)
}

// Feed is what happened lately, for the stream of events.
type Feed interface {
	// FeedAfter calls f for up to limit entries with an ID above after, in the order of their IDs.
	FeedAfter(ctx context.Context, after int64, limit int, f func(id int64, kind string, company account.CompanyID, objects []int64)) error
	// FeedHead is the newest entry's ID, 0 when there is none.
	FeedHead(ctx context.Context) (int64, error)
	// Rewind is an ID as it could have been made a while before another.
	Rewind(id int64, by time.Duration) int64
	// ForgetFeed removes up to limit entries with an ID below before.
	ForgetFeed(ctx context.Context, before int64, limit int) (int64, error)
}

// Backend is where records are: server/sqlstore behind the conductor.
type Backend interface {
	// Read sees what is committed.
	Read() Views
	// Change runs f in one transaction, again when another was in its way; an error of f undoes everything.
	Change(ctx context.Context, f func(Views) error) error
	// NewID makes an ID of the database, which grows with time: events are found by it.
	NewID() int64
}

// books are the accounts of a Backend.
type books struct{ Backend }

// Read sees what is committed.
func (b books) Read() account.Store { return b.Backend.Read().Account() }

// InTx runs f in one transaction.
func (b books) InTx(ctx context.Context, f func(account.Store) error) error {
	return b.Change(ctx, func(v Views) error { return f(v.Account()) })
}
