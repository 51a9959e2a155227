package casework

import (
	"context"
	"time"

	"callhome"
	"callhome/server/account"
)

// CaseFilter chooses cases; empty fields choose all.
type CaseFilter struct {
	States   []State
	Active   bool // neither resolved nor closed
	Team     string
	Assignee string
	Device   int64
	Rule     string
	Site     string
	MinLevel callhome.Level
	Since    time.Time // opened at or after
	Until    time.Time // opened before
	Text     string    // in title, host or number; without regard to case
}

// DeedFilter chooses deeds; empty fields choose all.
type DeedFilter struct {
	Case        int64
	Device      int64
	Rule        string
	Disposition Disposition
}

// Tally is one maintained count: so many cases within the reach stand like this.
type Tally struct {
	Team  string         `json:"team"`
	State State          `json:"state"`
	Level callhome.Level `json:"level"`
	Cases int64          `json:"cases"`
}

// Store keeps cases in one transaction of the back end's database: everything a call of the Desk changes is kept
// together or not at all, and so are the other rooms' changes in that transaction. What "locks" a row keeps it from
// other transactions until this one ends, and sees what they committed. Lists are pages by ID, newest first, of what
// the reach may see; a record beyond the reach is callhome.KindNotFound.
type Store interface {
	SlotStore
	DeskStore
	CaseReader
	CalendarStore
	TicketStore
}

// SlotStore keeps causes and what became of findings.
type SlotStore interface {
	// LockSlot locks the row of a cause and makes it when it is missing.
	LockSlot(ctx context.Context, key CauseKey, company account.CompanyID) (Slot, error)
	// LockSlots locks the rows of all causes of a device and rule.
	LockSlots(ctx context.Context, device int64, rule string) ([]Slot, error)
	// LockHeld locks up to limit rows that hold a finding whose HeldDue has come; rows that others hold are left out.
	LockHeld(ctx context.Context, now time.Time, limit int) ([]Slot, error)
	// PutSlot replaces a locked row.
	PutSlot(ctx context.Context, slot *Slot) error
	// RouseHeld makes every row that holds a finding due.
	RouseHeld(ctx context.Context, now time.Time) error

	// AddDeed stores a deed and gives it its ID, unless one of the same device, message, rule and part is there: then
	// nothing is stored and fresh is false.
	AddDeed(ctx context.Context, deed *Deed) (fresh bool, err error)
	// PutDeed replaces disposition and case of the deed with the same device, message, rule and part.
	PutDeed(ctx context.Context, deed *Deed) error
	// DropDeeds deletes up to limit deeds that were made before a time and belong to no case that is not closed.
	DropDeeds(ctx context.Context, before time.Time, limit int) (int64, error)
}

// DeskStore keeps cases and their history.
type DeskStore interface {
	// NextNumber counts the installation's cases: 1, 2, 3 … A transaction that fails gives its number back.
	NextNumber(ctx context.Context) (int64, error)
	// AddCase stores a new case and gives it its ID.
	AddCase(ctx context.Context, c *Case) error
	// LockCase locks a case and reads it.
	LockCase(ctx context.Context, id int64) (*Case, error)
	// PutCase replaces a locked case and keeps the tallies.
	PutCase(ctx context.Context, c *Case) error
	// AddEvent stores a line of a case's history and gives it its ID. The same sequence number twice is a conflict.
	AddEvent(ctx context.Context, e *Event) error
	// TakeCode reserves a code, known by its CodeHash; ok is false when a case has it.
	TakeCode(ctx context.Context, hash string, id int64) (ok bool, err error)
	// FreeCode gives up the code of a case.
	FreeCode(ctx context.Context, id int64) error
	// CaseOfCode is the case that has a code, callhome.KindNotFound when none has.
	CaseOfCode(ctx context.Context, hash string) (int64, error)
	// DropCases deletes up to limit closed cases that were opened before a time, with all that belongs to them.
	DropCases(ctx context.Context, before time.Time, limit int) (int64, error)
	// CasesDue are up to limit cases whose DueAt has come, oldest first; those that others hold are left out.
	CasesDue(ctx context.Context, now time.Time, limit int) ([]int64, error)
}

// CaseReader reads for pages and lists.
type CaseReader interface {
	Case(ctx context.Context, reach account.Reach, id int64) (*Case, error)
	CaseByNumber(ctx context.Context, reach account.Reach, number CaseNumber) (*Case, error)
	Cases(ctx context.Context, reach account.Reach, f CaseFilter, page account.Page) ([]Case, error)
	// Events are those of one case.
	Events(ctx context.Context, reach account.Reach, id int64, page account.Page) ([]Event, error)
	Deeds(ctx context.Context, reach account.Reach, f DeedFilter, page account.Page) ([]Deed, error)
	// Tallies are maintained counts; reading them costs as much as there are teams, levels and states, not cases.
	Tallies(ctx context.Context, reach account.Reach) ([]Tally, error)
}

// CalendarStore keeps maintenance windows and who is on call out of turn.
type CalendarStore interface {
	AddWindow(ctx context.Context, w *Window) error
	// EndWindow sets the end of a window that began before now to now, and deletes one that has not begun.
	EndWindow(ctx context.Context, reach account.Reach, id int64, now time.Time) error
	// WindowsAt are a company's windows that hold at a time.
	WindowsAt(ctx context.Context, company account.CompanyID, t time.Time) ([]Window, error)
	Windows(ctx context.Context, reach account.Reach, page account.Page) ([]Window, error)

	AddOverride(ctx context.Context, o *Override) error
	DropOverride(ctx context.Context, id int64) error
	// OverridesAt are those that hold at a time, of all rotas.
	OverridesAt(ctx context.Context, t time.Time) ([]Override, error)
	Overrides(ctx context.Context, page account.Page) ([]Override, error)
}

// TicketStore keeps what other ticket systems have of our cases, and what they still have to get.
type TicketStore interface {
	// AddLink notes that a ticket system shall have a case; fresh is false when that is known.
	AddLink(ctx context.Context, l *Link) (fresh bool, err error)
	PutLink(ctx context.Context, l *Link) error
	LinksOf(ctx context.Context, id int64) ([]Link, error)
	// LinkByRemote finds the link by the other side's name of the case, callhome.KindNotFound when it has none of ours.
	LinkByRemote(ctx context.Context, adapter, remote string) (*Link, error)
	// LinkOf finds the link of a case in one ticket system.
	LinkOf(ctx context.Context, id int64, adapter string) (*Link, error)

	AddPush(ctx context.Context, p *Push) error
	// ClaimPushes leases up to limit pushes that are due until a time: the first of each case and ticket system, and
	// only where none before it waits. A lease that runs out is claimed again, by whatever server.
	ClaimPushes(ctx context.Context, now, until time.Time, limit int) ([]Push, error)
	// PutPush replaces the state, tries and due time of a push and ends its lease. A push that is done is deleted by
	// DropPushes later.
	PutPush(ctx context.Context, p *Push) error
	// StatePending reports whether a push of a state waits for a case and ticket system.
	StatePending(ctx context.Context, id int64, adapter string) (bool, error)
	// Pushes are for operators: they are not narrowed to a reach.
	Pushes(ctx context.Context, f PushFilter, page account.Page) ([]Push, error)
	// DropPushes deletes up to limit pushes that are done or dead and were made before a time.
	DropPushes(ctx context.Context, before time.Time, limit int) (int64, error)

	// AddInbound notes an event of the other side by its ID; fresh is false when it was noted before.
	AddInbound(ctx context.Context, adapter, event string, at time.Time) (fresh bool, err error)
	// DropInbound forgets events noted before a time.
	DropInbound(ctx context.Context, before time.Time) (int64, error)

	// ClaimPoll takes a ticket system's turn to be polled, when it is due, and sets the next one: one server polls.
	ClaimPoll(ctx context.Context, adapter string, now, next time.Time) (since time.Time, ok bool, err error)
	// PutPoll notes up to what time the other side's changes are known.
	PutPoll(ctx context.Context, adapter string, since time.Time) error
}
