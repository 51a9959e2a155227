package casework

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"callhome"
	"callhome/server/account"
)

// CaseNumber is what people call a case: a prefix and a number counted per installation, such as SR-000123.
type CaseNumber string

// numberDigits keeps the first million numbers of one width.
const numberDigits = 6

// MakeCaseNumber joins prefix and number; an empty prefix is DefaultPrefix.
func MakeCaseNumber(prefix string, n int64) CaseNumber {
	if prefix == "" {
		prefix = DefaultPrefix
	}
	return CaseNumber(fmt.Sprintf("%s-%0*d", prefix, numberDigits, n))
}

// ParseCaseNumber reads a number as people type it: any case, with or without leading zeros, blanks around it.
func ParseCaseNumber(s string) (CaseNumber, error) {
	prefix, digits, ok := strings.Cut(strings.ToUpper(strings.TrimSpace(s)), "-")
	n, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || n <= 0 || !prefixForm.MatchString(prefix) {
		return "", callhome.Errorf(callhome.KindInvalid, "%q is not a service request number; they look like SR-000123", s)
	}
	return MakeCaseNumber(prefix, n), nil
}

// State is where a case stands.
type State string

// The states. See docs/state-machines.md for the drawing.
const (
	StateNew             State = "new"          // with a team, no person has it yet
	StateOpen            State = "open"         // a person has it
	StateAcknowledged    State = "acknowledged" // somebody said that they look into it: escalation rests
	StatePendingCustomer State = "pending_customer"
	StatePendingVendor   State = "pending_vendor" // a part is on its way, or another supplier works
	StateResolved        State = "resolved"       // the trouble is over; may be reopened
	StateClosed          State = "closed"         // done with
)

// States lists all of them in the order of a life.
func States() []State {
	return []State{StateNew, StateOpen, StateAcknowledged, StatePendingCustomer, StatePendingVendor, StateResolved, StateClosed}
}

// Active reports whether somebody still has to act: neither resolved nor closed.
func (s State) Active() bool { return s != StateResolved && s != StateClosed && s != "" }

// moves says which state may follow which.
var moves = map[State][]State{
	StateNew:             {StateOpen, StateAcknowledged, StatePendingCustomer, StatePendingVendor, StateResolved, StateClosed},
	StateOpen:            {StateNew, StateAcknowledged, StatePendingCustomer, StatePendingVendor, StateResolved, StateClosed},
	StateAcknowledged:    {StateNew, StateOpen, StatePendingCustomer, StatePendingVendor, StateResolved, StateClosed},
	StatePendingCustomer: {StateOpen, StateAcknowledged, StatePendingVendor, StateResolved, StateClosed},
	StatePendingVendor:   {StateOpen, StateAcknowledged, StatePendingCustomer, StateResolved, StateClosed},
	StateResolved:        {StateOpen, StateClosed},
	StateClosed:          {StateOpen},
}

// MayBecome reports whether a case in state s may go to state to.
func (s State) MayBecome(to State) bool { return slices.Contains(moves[s], to) }

// Priority is how soon a team has to act: 1 (at once) to 4.
type Priority int

// Priorities by level: fatal and worse stop a service, critical endangers it, major does not wait for next week.
const (
	PriorityHighest Priority = 1
	PriorityLowest  Priority = 4
)

func priorityOf(l callhome.Level) Priority {
	switch {
	case l >= callhome.LevelFatal:
		return 1
	case l >= callhome.LevelCritical:
		return 2
	case l >= callhome.LevelMajor:
		return 3
	}
	return PriorityLowest
}

// Case is a service request: somebody must act.
type Case struct {
	ID      int64             `json:"id"`
	Number  CaseNumber        `json:"number"`
	Company account.CompanyID `json:"company_id"`
	Subject Subject           `json:"subject"` // the device as it was when the case was opened or last reopened

	Rule      string `json:"rule"`
	Pack      string `json:"pack,omitempty"`
	Version   string `json:"version,omitempty"` // of the pack
	Component string `json:"component,omitempty"`
	Key       string `json:"key,omitempty"`
	Part      string `json:"part"` // see CauseKey

	Title          string         `json:"title"`
	Diagnosis      string         `json:"diagnosis,omitempty"`
	Recommendation string         `json:"recommendation,omitempty"`
	Level          callhome.Level `json:"level"` // the worst seen
	Priority       Priority       `json:"priority"`

	State    State  `json:"state"`
	Team     string `json:"team"`
	Assignee string `json:"assignee,omitempty"` // name of a person
	Code     string `json:"code,omitempty"`     // acknowledges it; unique among cases that are not closed

	Repeats     int64 `json:"repeats"` // messages that joined after the first
	Escalations int   `json:"escalations"`
	Reopened    int   `json:"reopened"`
	Flapping    bool  `json:"flapping"`

	OpenedAt     time.Time `json:"opened_at"`
	UpdatedAt    time.Time `json:"updated_at"`
	AckedAt      time.Time `json:"acked_at,omitzero"`
	ResolvedAt   time.Time `json:"resolved_at,omitzero"`
	ClosedAt     time.Time `json:"closed_at,omitzero"`
	SnoozedUntil time.Time `json:"snoozed_until,omitzero"`
	SettleAt     time.Time `json:"settle_at,omitzero"` // a clear came; resolved then unless it comes back before
	ToldAt       time.Time `json:"told_at,omitzero"`   // people last heard of further messages

	Step   int       `json:"step"`             // of the escalation policy, the next one
	Round  int       `json:"round,omitempty"`  // of the policy's repeats
	StepAt time.Time `json:"step_at,omitzero"` // when it is due; zero: escalation rests

	Seq   int64     `json:"seq"`             // number of its last event
	DueAt time.Time `json:"due_at,omitzero"` // when Tick has to look at it; zero: never by itself
}

// CauseKey names the cause that the case is about.
func (c *Case) CauseKey() CauseKey { return CauseKey{c.Subject.Device, c.Rule, c.Part} }

// EventKind is what happened to a case.
type EventKind string

// The kinds of events.
const (
	EventOpened       EventKind = "opened"
	EventJoined       EventKind = "joined"    // a further message; at most one each Config.TellEvery
	EventEscalated    EventKind = "escalated" // it repeats, or has become worse
	EventAssigned     EventKind = "assigned"
	EventRouted       EventKind = "routed" // to another team
	EventAcknowledged EventKind = "acknowledged"
	EventState        EventKind = "state" // any other change of state
	EventNoted        EventKind = "noted"
	EventCleared      EventKind = "cleared"  // the device says that it is over; the quiet time runs
	EventRaised       EventKind = "raised"   // it came back within the quiet time
	EventFlapping     EventKind = "flapping" // told once
	EventResolved     EventKind = "resolved"
	EventReopened     EventKind = "reopened"
	EventClosed       EventKind = "closed"
	EventSnoozed      EventKind = "snoozed"
	EventAwake        EventKind = "awake" // the snooze is over
	EventPaged        EventKind = "paged"
	EventLinked       EventKind = "linked" // the other side has it, under the name in Text
)

// By is who did something: a person's or a rule's name, and the road it came by.
type By struct {
	Who string `json:"who"`
	Via string `json:"via"` // one of the constants below, or the name of an adapter
}

// The roads, besides the names of adapters.
const (
	ViaMessage = "message" // a device's message
	ViaTimer   = "timer"
	ViaPerson  = "person" // portal, API or command
	ViaCode    = "code"   // the short code of a page
)

// Event is one line of a case's history. It is never changed.
type Event struct {
	ID   int64     `json:"id"`
	Case int64     `json:"case_id"`
	Seq  int64     `json:"seq"` // 1, 2, 3 … within the case, without holes
	At   time.Time `json:"at"`
	By   By        `json:"by"`
	Kind EventKind `json:"kind"`
	From string    `json:"from,omitempty"` // what was before: state, level, team, person
	To   string    `json:"to,omitempty"`
	Text string    `json:"text,omitempty"`
}
