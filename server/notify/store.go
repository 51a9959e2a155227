package notify

import (
	"context"
	"time"

	"callhome/server/account"
)

// MailState is how far a mail has come.
type MailState string

// The states.
const (
	MailWaiting MailState = "waiting"
	MailSent    MailState = "sent"    // in the outbox, whose ledger tells the rest
	MailDropped MailState = "dropped" // never to be sent, for Reason
)

// Reason says why a mail was dropped, or held back. The list is closed.
type Reason string

// The reasons.
const (
	ReasonOwnAddress  Reason = "own_address"  // it would come back to us
	ReasonAutomatic   Reason = "automatic"    // a program reads that mailbox
	ReasonBadAddress  Reason = "bad_address"  // no mail can be written to it
	ReasonRateLimited Reason = "rate_limited" // held back into a digest
	ReasonNoSender    Reason = "no_sender"    // notify.from is not configured
)

// Mail is one notice for one address.
type Mail struct {
	ID      int64
	Notice  Notice
	User    account.UserID
	Name    string
	Address string
	Pager   bool
	Digest  int64 // the digest it goes with; 0: by itself
	State   MailState
	Reason  Reason
	AddedAt time.Time
	DueAt   time.Time
}

// Digest is one mail that holds several notices for one address.
type Digest struct {
	ID      int64
	User    account.UserID
	Address string
	DueAt   time.Time
	Held    bool   // what the rate limit held back, and not what somebody wanted once a day
	Mails   []Mail // oldest first, at most as many as asked for
	Total   int64  // all of them
}

// Entry is a notice in somebody's inbox.
type Entry struct {
	ID     int64     `json:"id"`
	Notice Notice    `json:"notice"`
	ReadAt time.Time `json:"read_at,omitzero"` // zero: unread
}

// Store keeps notices in one transaction of the back end's database: see casework.Store.
type Store interface {
	// AddNotice stores a notice and gives it its ID, unless one with its key is there: then fresh is false.
	AddNotice(ctx context.Context, n *Notice) (fresh bool, err error)
	// AddEntry puts a stored notice into a person's inbox, unread, once.
	AddEntry(ctx context.Context, user account.UserID, n *Notice) error
	// AddMail stores a mail about a stored notice and gives it its ID. It counts what is dropped by its reason.
	AddMail(ctx context.Context, m *Mail) error
	// TakeDigest gives the digest of an address that is due at a time, and makes it when it is missing. Open is false
	// when it is being sent or was sent: then the next one has to be taken.
	TakeDigest(ctx context.Context, d *Digest) (open bool, err error)

	// ClaimMails leases up to limit mails that go by themselves and are due, oldest first; those that others hold are
	// left out. A lease that runs out is claimed again.
	ClaimMails(ctx context.Context, now, until time.Time, limit int) ([]Mail, error)
	// ClaimDigests does the same with digests, each with up to items of its mails.
	ClaimDigests(ctx context.Context, now, until time.Time, limit, items int) ([]Digest, error)
	// CountSend adds one to the mails of an address, or its pages, in the hour of a time, and gives the number.
	CountSend(ctx context.Context, address string, pages bool, t time.Time) (int64, error)
	// PutMail stores state, reason and digest of a mail and ends its lease. It counts by state and reason.
	PutMail(ctx context.Context, m *Mail) error
	// DigestSent marks a digest and all its mails as sent.
	DigestSent(ctx context.Context, id int64, now time.Time) error

	// Inbox is a page of a person's inbox, newest first, of what the reach may see now.
	Inbox(ctx context.Context, reach account.Reach, user account.UserID, unread bool, page account.Page) ([]Entry, error)
	// Unread is a maintained count.
	Unread(ctx context.Context, user account.UserID) (int64, error)
	// MarkRead marks entries of a person as read, all of them when none is named.
	MarkRead(ctx context.Context, user account.UserID, now time.Time, ids ...int64) error
	// Settings are a person's; ok is false when they have made none.
	Settings(ctx context.Context, user account.UserID) (s Settings, ok bool, err error)
	PutSettings(ctx context.Context, s *Settings) error
	// Mails are those of a notice or of an address, newest first, for explaining what became of a notice.
	Mails(ctx context.Context, reach account.Reach, notice int64, address string, page account.Page) ([]Mail, error)
	// Counts are maintained: mails by "sent" or the reason why not, since a time, or ever when it is zero.
	Counts(ctx context.Context, reach account.Reach, since time.Time) (map[string]int64, error)
	// DropNotices deletes up to limit notices announced before a time, with their entries and mails, unless a mail waits.
	DropNotices(ctx context.Context, before time.Time, limit int) (int64, error)
}
