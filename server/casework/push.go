package casework

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"callhome/server/account"
)

// PushKind is what a ticket system has to be told.
type PushKind string

// The kinds.
const (
	PushCreate  PushKind = "create"  // it does not have the case yet
	PushComment PushKind = "comment" // something to read
	PushUpdate  PushKind = "update"  // level, priority, team or person changed
	PushState   PushKind = "state"   // the case moved
)

// Progress is how far a push has come.
type Progress string

// The states.
const (
	PushWaiting Progress = "waiting"
	PushDone    Progress = "done"
	PushDead    Progress = "dead" // the other side refused it for good, or it grew too old
)

// Push is one thing that one ticket system has to be told about one case. It is stored in the transaction of the event
// it tells of, so none is forgotten; Key is the same in every try, so a repeat after a crash can be recognised.
type Push struct {
	ID        int64             `json:"id"`
	Case      int64             `json:"case_id"`
	Company   account.CompanyID `json:"company_id"`
	Adapter   string            `json:"adapter"`
	Seq       int64             `json:"seq"` // of the event; pushes of one case and adapter go in this order
	Kind      PushKind          `json:"kind"`
	Key       string            `json:"key"`
	Snapshot  Snapshot          `json:"snapshot"`
	State     Progress          `json:"state"`
	Tries     int               `json:"tries"`
	AddedAt   time.Time         `json:"added_at"`
	DueAt     time.Time         `json:"due_at"`
	LastError string            `json:"last_error,omitempty"`
}

// Snapshot is the case as it was when the push was made, and the event.
type Snapshot struct {
	Case  Case  `json:"case"` // without its short code
	Event Event `json:"event"`
}

// PushFilter chooses pushes; empty fields choose all.
type PushFilter struct {
	Case    int64
	Adapter string
	State   Progress
}

// Link is the other side's name of a case.
type Link struct {
	Case     int64             `json:"case_id"`
	Company  account.CompanyID `json:"company_id"`
	Number   CaseNumber        `json:"number"`
	Adapter  string            `json:"adapter"`
	Remote   string            `json:"remote,omitempty"` // empty: not created yet
	URL      string            `json:"url,omitempty"`
	State    string            `json:"state,omitempty"`    // the other side's word, as last heard
	RemoteAt time.Time         `json:"remote_at,omitzero"` // of the last change that was taken from there
	AddedAt  time.Time         `json:"added_at"`
}

// Receipt is what a ticket system answered. Empty fields change nothing.
type Receipt struct {
	Remote string
	URL    string
	State  string
}

// Adapter brings cases to one ticket system.
type Adapter interface {
	// Name is how teams and links name it.
	Name() string
	// Push tells the other side. It may be called again with the same push after an answer was lost, and then must not
	// do it twice: what the other side offers (keys, searches) is used for that. The link's Remote is empty for
	// PushCreate only. An error made by Refuse is for good, one by Later names a time, all others are tried again.
	Push(ctx context.Context, p *Push, l *Link) (Receipt, error)
}

// Receiver is an adapter whose other side calls us.
type Receiver interface {
	// Receive checks the signature of a request and reads it. A wrong or old signature is callhome.KindDenied, a body
	// that cannot be read callhome.KindInvalid; what is of no interest gives no updates.
	Receive(header http.Header, body []byte, now time.Time) ([]Update, error)
}

// Poller is an adapter whose other side has to be asked.
type Poller interface {
	// PollEvery is the pause between two questions; 0: never.
	PollEvery() time.Duration
	// Poll gives the changes since a time, and the time up to which they are known.
	Poll(ctx context.Context, since time.Time) ([]Update, time.Time, error)
}

// Update is something that happened on the other side.
type Update struct {
	Remote   string    // its name of the case
	EventID  string    // names the event; the same again is ignored; empty: cannot be known
	At       time.Time // there
	Who      string
	State    State  // ours, mapped; empty: not about the state
	Word     string // theirs
	Comment  string
	Assignee string
}

// marker ends what we write on the other side, so that it is known when it comes back to us.
var marker = regexp.MustCompile(`\[callhome [A-Z]{1,8}-[0-9]{6,}/[0-9]+/[0-9a-z]+\]\s*$`)

// Signed appends the mark of a push to a text for the other side.
func Signed(text, key string) string {
	return strings.TrimRight(text, " \n") + "\n\n[callhome " + key + "]"
}

// Ours reports whether a text that comes from the other side was written by us.
func Ours(text string) bool { return marker.MatchString(text) }

// pushKinds are the events that the other side hears of, besides what creates it there.
var pushKinds = map[EventKind]PushKind{
	EventJoined: PushComment, EventNoted: PushComment, EventFlapping: PushComment, EventSnoozed: PushComment, EventAwake: PushComment,
	EventEscalated: PushUpdate, EventAssigned: PushUpdate, EventRouted: PushUpdate,
	EventAcknowledged: PushState, EventState: PushState, EventResolved: PushState, EventReopened: PushState, EventClosed: PushState,
}

// push stores what ticket systems have to hear of the change.
func (ch *change) push(ctx context.Context) error {
	if len(ch.events) == 0 || len(ch.d.cfg.TicketSystems()) == 0 {
		return nil
	}
	links, err := ch.s.LinksOf(ctx, ch.c.ID)
	if err != nil {
		return err
	}
	var known []string
	for _, l := range links {
		known = append(known, l.Adapter)
	}
	if t := ch.d.cfg.team(ch.c.Team); t != nil && ch.c.State.Active() {
		for _, name := range t.Tickets {
			if slices.Contains(known, name) {
				continue
			}
			fresh, err := ch.s.AddLink(ctx, &Link{Case: ch.c.ID, Company: ch.c.Company, Number: ch.c.Number, Adapter: name, AddedAt: ch.now})
			if err != nil {
				return err
			}
			if fresh {
				if err := ch.addPush(ctx, name, PushCreate, &ch.events[len(ch.events)-1].Event); err != nil {
					return err
				}
			}
		}
	}
	for _, name := range known {
		if err := ch.pushEvents(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

func (ch *change) pushEvents(ctx context.Context, adapter string) error {
	if ch.by.Via == adapter {
		return nil // it comes from there
	}
	for i := range ch.events {
		e := &ch.events[i].Event
		kind, ok := pushKinds[e.Kind]
		if !ok {
			continue
		}
		if err := ch.addPush(ctx, adapter, kind, e); err != nil {
			return err
		}
	}
	return nil
}

func (ch *change) addPush(ctx context.Context, adapter string, kind PushKind, e *Event) error {
	snapshot := Snapshot{Case: *ch.c, Event: *e}
	snapshot.Case.Code = ""
	return ch.s.AddPush(ctx, &Push{
		Case: ch.c.ID, Company: ch.c.Company, Adapter: adapter, Seq: e.Seq, Kind: kind, State: PushWaiting, Snapshot: snapshot,
		Key: fmt.Sprintf("%s/%d/%s", ch.c.Number, e.Seq, strconv.FormatInt(ch.c.ID, 36)), AddedAt: ch.now, DueAt: ch.now,
	})
}
