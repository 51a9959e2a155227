package advisory

import (
	"context"
	"time"

	"callhome/server/account"
)

// Stored is the answer for a notice and a device as it is kept. A device that a notice does not affect, and never did, has
// none.
type Stored struct {
	ID      int64             `json:"id"`
	Notice  int64             `json:"notice_id"`
	Device  int64             `json:"device_id"`
	Company account.CompanyID `json:"-"`
	State   State             `json:"state"`
	Since   time.Time         `json:"since"`      // when the state last changed
	Checked time.Time         `json:"checked_at"` // when it was last found so
	Result  Result            `json:"result"`
	// Of the notice, for lists.
	Sort   Sort   `json:"sort,omitempty"`
	Ident  string `json:"ident,omitempty"`
	Title  string `json:"title,omitempty"`
	Impact string `json:"impact,omitempty"`
}

// Edition is one version of a notice as it was imported.
type Edition struct {
	Version  string    `json:"version"`
	Status   Status    `json:"status"`
	StoredAt time.Time `json:"stored_at"`
	Hash     string    `json:"hash"`
}

// NoticeFilter chooses notices; what is empty does not narrow.
type NoticeFilter struct {
	Sort   Sort
	Status Status
	Impact string
	Ident  string // whole, whatever its case
	CVE    string // whole, whatever its case
}

// ResultFilter chooses answers; what is empty does not narrow.
type ResultFilter struct {
	Notice, Device int64
	State          State
	Sort           Sort
}

// Store keeps notices and answers. Notices belong to all; answers are found within a reach only.
type Store interface {
	// ByIdent gives the notice of a publisher and ID, whatever their case; ok is false when there is none.
	ByIdent(ctx context.Context, publisher, ident string) (n Notice, ok bool, err error)
	// PutNotice stores a notice. Without an ID it is new and gets one; otherwise it takes the place of the one before,
	// whose edition stays listed.
	PutNotice(ctx context.Context, n *Notice, at time.Time) error
	// Candidates gives the notices, not withdrawn, that share a key with a device, in the order of their IDs.
	Candidates(ctx context.Context, keys []string) ([]int64, error)
	// AnswersOf gives all answers kept of a device by notice, AnswersFor those of a notice with devices above an ID, in
	// its order, at most limit.
	AnswersOf(ctx context.Context, device int64) (map[int64]Stored, error)
	AnswersFor(ctx context.Context, notice, after int64, limit int) ([]Stored, error)
	// PutAnswer stores an answer in the place of the one before.
	PutAnswer(ctx context.Context, s Stored) error
	// SetCompany gives a device's answers to another company, Forget removes them.
	SetCompany(ctx context.Context, device int64, company account.CompanyID) error
	Forget(ctx context.Context, device int64) error

	// Notice gives one notice whole.
	Notice(ctx context.Context, id int64) (Notice, error)
	// Editions lists what was imported of a notice, newest first.
	Editions(ctx context.Context, id int64) ([]Edition, error)
	// Notices lists notices without their items, newest first.
	Notices(ctx context.Context, f NoticeFilter, page account.Page) ([]Notice, error)
	// Answers lists answers, newest first.
	Answers(ctx context.Context, reach account.Reach, f ResultFilter, page account.Page) ([]Stored, error)
	// Counts gives the number of devices by notice and state, from maintained counters.
	Counts(ctx context.Context, reach account.Reach) (map[int64]map[State]int64, error)
}

// Keys are what a store finds a notice by: those that devices share, and its vulnerabilities.
func (n *Notice) Keys() []string { return append(keysOf(n), cveKeys(n.CVEs)...) }
