package confighistory

import (
	"context"
	"time"

	"callhome"
	"callhome/server/account"
)

// Revision is a configuration as it was from one message on until the next revision of its kind.
type Revision struct {
	ID        int64              `json:"id"`
	Device    int64              `json:"device_id"`
	Company   account.CompanyID  `json:"-"`
	Kind      Kind               `json:"kind"`
	Number    int                `json:"revision"` // from 1, for each device and kind
	Command   string             `json:"command"`
	MessageID callhome.MessageID `json:"message_id,omitempty"`
	At        time.Time          `json:"at"`        // the event's own time
	StoredAt  time.Time          `json:"stored_at"` // when we took it in
	Form      string             `json:"hash"`      // hash of the normal form
	Blob      string             `json:"-"`         // hash of the text as it came
	Size      int                `json:"size"`      // bytes of the text as it came
	Lines     int                `json:"lines"`
	Added     int                `json:"added"` // lines, against the revision before
	Removed   int                `json:"removed"`
}

// Head is the latest revision of a kind, with what is noted of later messages that changed nothing.
type Head struct {
	Revision
	SeenAt    time.Time          `json:"seen_at"`               // event time of the last message that had this configuration
	Salted    string             `json:"-"`                     // hash of its salted hashes
	SaltedAt  time.Time          `json:"passwords_at,omitzero"` // when salted hashes last changed though nothing else did
	SaltedMsg callhome.MessageID `json:"passwords_message,omitempty"`
}

// Store keeps configurations. The methods without a Reach serve the back end itself, those with one serve people and find
// nothing beyond it: what is out of reach is NotFound.
type Store interface {
	// Head gives the latest revision of a kind; ok is false when there is none.
	Head(ctx context.Context, device int64, kind Kind) (h Head, ok bool, err error)
	// ByMessage gives the revision of a kind that a message made; ok is false when it made none or the ID is empty.
	ByMessage(ctx context.Context, device int64, kind Kind, id callhome.MessageID) (r Revision, ok bool, err error)
	// Put stores a revision, whose number is new, with its text, and makes it the head.
	Put(ctx context.Context, h Head, b Blob) error
	// Touch keeps what a head notes of later messages.
	Touch(ctx context.Context, h Head) error
	// Blob gives the compressed text of a hash.
	Blob(ctx context.Context, hash string) ([]byte, error)
	// SetCompany gives a device's records to another company.
	SetCompany(ctx context.Context, device int64, company account.CompanyID) error
	// Forget removes all that is kept of a device, and texts that no other device has.
	Forget(ctx context.Context, device int64) error

	// Revision gives one revision; number 0 is the latest.
	Revision(ctx context.Context, reach account.Reach, device int64, kind Kind, number int) (Revision, error)
	// Revisions lists the revisions of a device, newest first, of one kind or all when it is empty. Page.After is an ID.
	Revisions(ctx context.Context, reach account.Reach, device int64, kind Kind, page account.Page) ([]Revision, error)
	// Heads lists the latest revisions, newest first, of one kind or all, of one device or all when it is 0. Page.After
	// is an ID.
	Heads(ctx context.Context, reach account.Reach, device int64, kind Kind, page account.Page) ([]Head, error)
}
