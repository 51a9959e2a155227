package callhome

import "time"

// EventState tells whether an event reports trouble, the end of trouble, or neither.
type EventState string

// The three states.
const (
	StateNone  EventState = "none"
	StateRaise EventState = "raise"
	StateClear EventState = "clear"
)

// Source names the kind of place an event came from.
type Source string

// The sources an agent has.
const (
	SourceSyslog   Source = "syslog"   // a line by network or unix socket
	SourceLogfile  Source = "logfile"  // a line read from a file
	SourceJournald Source = "journald" // an entry of the journal
	SourcePeriodic Source = "periodic" // a schedule came due
	SourceOperator Source = "operator" // test, send, request, preview
	SourceSensor   Source = "sensor"   // polled hardware
	SourceAgent    Source = "agent"    // the agent itself: digests, cluster, storage trouble
)

// Tag is one key and value; keys may repeat and their order counts.
type Tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Event is something that happened, before anyone judged it. An event of a log line keeps the line as received.
type Event struct {
	Source     Source    `json:"source"`
	ReceivedAt time.Time `json:"received_at"`
	Time       time.Time `json:"time"`             // the event's own time; ReceivedAt where the device's clock cannot be believed
	Device     string    `json:"device"`           // hostname of the device it belongs to
	Peer       string    `json:"peer,omitempty"`   // sender's address: a claim, not a proof
	Secure     bool      `json:"secure,omitempty"` // the sender was authenticated (TLS client certificate)

	Raw           []byte `json:"raw,omitempty"`   // the line as received, without framing
	Text          string `json:"text,omitempty"`  // the message text, unchanged
	Words         string `json:"words,omitempty"` // what it says, without header and codes: for pagers
	Dialect       string `json:"dialect,omitempty"`
	Severity      int    `json:"severity"` // syslog severity 0..7; -1 when unknown
	Facility      string `json:"facility,omitempty"`
	Mnemonic      string `json:"mnemonic,omitempty"`
	MessageNumber string `json:"message_number,omitempty"` // ASA number, RFC 5424 MSGID, UCS fault code
	Program       string `json:"program,omitempty"`
	Tags          []Tag  `json:"tags,omitempty"`
}

// Alert is an event that was judged and that at least one profile wants. It is durable before its commands run.
type Alert struct {
	ID AlertID `json:"id"`
	Event
	Group       AlertGroup `json:"alert_group"`
	Level       Level      `json:"level"`
	Type        string     `json:"event_type,omitempty"`    // such as FAN_FAILURE
	Subtype     string     `json:"event_subtype,omitempty"` // such as delta, minor
	State       EventState `json:"event_state,omitempty"`
	Personality string     `json:"personality,omitempty"`
	Rule        string     `json:"rule,omitempty"`   // the row of the personality's table that decided
	Object      string     `json:"object,omitempty"` // what it is about: interface, slot, neighbour; for duplicates and clearing

	Profiles []ProfileName `json:"profiles"`           // who gets it
	Detail   Detail        `json:"detail,omitempty"`   // configuration messages: basic or full
	Commands []string      `json:"commands,omitempty"` // on demand: run these instead of the group's
	Request  *Request      `json:"request,omitempty"`
	To       []Destination `json:"to,omitempty"`     // on demand: send here instead of to the profiles' destinations
	Format   Format        `json:"format,omitempty"` // of what goes to To
}

// AlertID names one alert from the moment the outbox took it.
type AlertID string

// Detail chooses between the two forms of a configuration message.
type Detail string

// The two forms; empty means basic.
const (
	DetailBasic Detail = "basic" // ASA: export minimum
	DetailFull  Detail = "full"
)

// Request is what an operator asks of the back end with `call-home request` or `call-home send`.
type Request struct {
	Service        string `json:"service,omitempty"`         // output-analysis, config-sanity, bugs-list, command-reference, product-advisory
	CCOID          string `json:"ccoid,omitempty"`           // user the answer goes to
	ServiceRequest string `json:"service_request,omitempty"` // SR number
	ForwardAddress string `json:"forward_address,omitempty"` // mail address the back end answers to
}

// Reason says why an alert was sent or not. The list is closed: metrics, statistics, ledger and `callhome explain` use
// these words and no others.
type Reason string

// The reasons.
const (
	ReasonSent              Reason = "sent"
	ReasonNotSubscribed     Reason = "not_subscribed"
	ReasonBelowSeverity     Reason = "below_severity"
	ReasonPatternMismatch   Reason = "pattern_mismatch"
	ReasonMessageIDMismatch Reason = "message_id_mismatch"
	ReasonTagMismatch       Reason = "tag_mismatch"
	ReasonGroupDisabled     Reason = "group_disabled"
	ReasonProfileInactive   Reason = "profile_inactive"
	ReasonServiceDisabled   Reason = "service_disabled"
	ReasonRateLimited       Reason = "rate_limited"
	ReasonDuplicate         Reason = "duplicate"
	ReasonFlapping          Reason = "flapping"
	ReasonMaintenance       Reason = "maintenance"
	ReasonPrivacy           Reason = "privacy"
	ReasonSize              Reason = "size"
	ReasonQueueFull         Reason = "queue_full"
	ReasonAnonymousOnly     Reason = "anonymous_only"
	ReasonNotMaster         Reason = "not_master"
	ReasonExpired           Reason = "expired"
)

// Reasons lists all of them in a fixed order.
func Reasons() []Reason {
	return []Reason{
		ReasonSent, ReasonNotSubscribed, ReasonBelowSeverity, ReasonPatternMismatch, ReasonMessageIDMismatch,
		ReasonTagMismatch, ReasonGroupDisabled, ReasonProfileInactive, ReasonServiceDisabled, ReasonRateLimited,
		ReasonDuplicate, ReasonFlapping, ReasonMaintenance, ReasonPrivacy, ReasonSize, ReasonQueueFull,
		ReasonAnonymousOnly, ReasonNotMaster, ReasonExpired,
	}
}
