package casework

import (
	"strings"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/analysis"
)

// Subject is the device that a finding is about, in the words of routing and of the replacement packet. The conductor
// fills it from server/registry.
type Subject struct {
	Device        int64             `json:"device"` // the registry's number, never 0
	DeviceID      callhome.DeviceID `json:"device_id"`
	Company       account.CompanyID `json:"company_id"`
	CompanyName   string            `json:"company,omitempty"`
	Host          string            `json:"host,omitempty"`
	Model         string            `json:"model,omitempty"`
	Serial        string            `json:"serial,omitempty"`
	Personality   string            `json:"personality,omitempty"`
	SWVersion     string            `json:"sw_version,omitempty"`
	Site          string            `json:"site,omitempty"`
	Groups        []string          `json:"groups,omitempty"` // device groups
	Labels        map[string]string `json:"labels,omitempty"`
	Contract      string            `json:"contract,omitempty"`
	ContactName   string            `json:"contact_name,omitempty"`
	ContactEmail  string            `json:"contact_email,omitempty"`
	ContactPhone  string            `json:"contact_phone,omitempty"`
	StreetAddress string            `json:"street_address,omitempty"`

	Entitled  bool `json:"entitled"` // registered, and a contract is valid now
	Anonymous bool `json:"-"`        // such a message never makes a case
}

// Evidence is one thing that shows why: an attachment of an archived message, or the line that a rule quotes.
type Evidence struct {
	Archive    int64  `json:"archive_id,omitempty"` // of the message that holds it
	Attachment string `json:"attachment,omitempty"` // its name: the command
	Quote      string `json:"quote,omitempty"`
}

// Cause is a finding together with the message it was made of. The conductor fills it from server/analysis.
type Cause struct {
	MessageID callhome.MessageID  `json:"message_id,omitempty"`
	Archive   int64               `json:"archive_id,omitempty"` // of the message
	Group     callhome.AlertGroup `json:"alert_group,omitempty"`
	At        time.Time           `json:"at"` // of the event, for people; order is the order of the calls

	Rule           string              `json:"rule"`
	Pack           string              `json:"pack,omitempty"`
	Version        string              `json:"version,omitempty"`
	Outcome        analysis.Outcome    `json:"outcome"`
	Level          callhome.Level      `json:"level"`
	Title          string              `json:"title"`
	Diagnosis      string              `json:"diagnosis,omitempty"`
	Recommendation string              `json:"recommendation,omitempty"`
	Component      string              `json:"component,omitempty"` // such as a slot or a power supply
	Key            string              `json:"key,omitempty"`       // with device and rule it names the trouble; empty: the component does
	State          callhome.EventState `json:"state"`
	Clears         []string            `json:"clears,omitempty"` // further rules whose causes a clear ends
	Team           string              `json:"team,omitempty"`   // whom the rule proposes, where no route fits
	Labels         map[string]string   `json:"labels,omitempty"` // "class" among them
	Evidence       []Evidence          `json:"evidence,omitempty"`
}

// CauseKey names a cause: at most one case of it is open at a time.
type CauseKey struct {
	Device int64
	Rule   string
	Part   string // key of the finding, or else its component
}

// maxPart bounds a part in bytes: it is a key of the database.
const maxPart = 300

func part(component, key string) string {
	if key == "" {
		key = component
	}
	return clip(clean(key), maxPart)
}

// clean takes controls out of a device's words.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// clip cuts s to n bytes at most, between characters.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

// CauseKey names the cause of a finding about a device.
func (c *Cause) CauseKey(device int64) CauseKey {
	return CauseKey{device, clip(clean(c.Rule), maxPart), part(c.Component, c.Key)}
}

// Disposition is what became of one finding. The list is closed.
type Disposition string

// The dispositions.
const (
	DispositionOpened      Disposition = "opened"
	DispositionReopened    Disposition = "reopened"
	DispositionJoined      Disposition = "joined"
	DispositionCleared     Disposition = "cleared"
	DispositionNothingOpen Disposition = "nothing_open" // a clear that met no case
	DispositionMaintenance Disposition = "maintenance"  // held back; looked at again after the window
	DispositionNotEntitled Disposition = "not_entitled"
	DispositionNoCase      Disposition = "no_case"    // information or recommendation
	DispositionNoService   Disposition = "no_service" // inventory and configuration messages never open a case
	DispositionAnonymous   Disposition = "anonymous"
	DispositionRepeated    Disposition = "repeated" // the same finding of the same message was seen: nothing was done
)

// Deed is the row that says what became of one finding of one message; it is also the case's evidence. (device, message,
// rule, part) is unique: acting on it twice does nothing the second time.
type Deed struct {
	ID          int64             `json:"id"`
	Company     account.CompanyID `json:"company_id"`
	Cause       CauseKey          `json:"-"`
	Message     string            `json:"message"` // the message ID, or "archive:N" where the device sent none
	Archive     int64             `json:"archive_id,omitempty"`
	At          time.Time         `json:"at"` // when it was acted on
	EventAt     time.Time         `json:"event_at,omitzero"`
	Disposition Disposition       `json:"disposition"`
	Case        int64             `json:"case_id,omitempty"`
	Level       callhome.Level    `json:"level"`
	Title       string            `json:"title,omitempty"`
	Evidence    []Evidence        `json:"evidence,omitempty"`
}

// Slot is the one row of a cause. It is locked while the cause is worked.
type Slot struct {
	Key     CauseKey          `json:"-"`
	Company account.CompanyID `json:"-"`
	Case    int64             `json:"-"` // the latest case of the cause; 0: there was none

	Flaps     int       `json:"flaps,omitempty"` // times it came back since FlapSince
	FlapSince time.Time `json:"flap_since,omitzero"`

	Held    *Held     `json:"held,omitempty"` // raised during maintenance
	HeldDue time.Time `json:"-"`              // when to look at it again
}

// Held is a finding that waits for the end of a maintenance window.
type Held struct {
	Subject Subject   `json:"subject"`
	Cause   Cause     `json:"cause"`
	Since   time.Time `json:"since"`
	Count   int       `json:"count"` // findings held since then
}

// message is the key of a deed.
func (c *Cause) message() string {
	if c.MessageID != "" {
		return clip(clean(string(c.MessageID)), maxPart)
	}
	return archiveKey(c.Archive)
}
