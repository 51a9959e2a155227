package callhome

import (
	"fmt"
	"strings"
)

// Format is the rendering a profile asks for.
type Format string

// The formats, by the words of the configuration; FormatMML is read, never written.
const (
	FormatXML   Format = "xml"
	FormatFull  Format = "long-text"
	FormatShort Format = "short-text"
	FormatMML   Format = "mml"
)

// formatAliases are the words of other platforms.
var formatAliases = map[string]Format{
	"xml": FormatXML, "long-text": FormatFull, "full-txt": FormatFull, "full-text": FormatFull, "fulltxt": FormatFull,
	"short-text": FormatShort, "short-txt": FormatShort, "shorttxt": FormatShort, "mml": FormatMML,
}

// UnmarshalText reads a format's name in any case, or another platform's word for it; nothing stays nothing.
func (f *Format) UnmarshalText(b []byte) error {
	v, ok := formatAliases[strings.ToLower(string(b))]
	if !ok && len(b) > 0 {
		return fmt.Errorf("format %q is not one of xml, long-text, short-text", b)
	}
	*f = v
	return nil
}

// Message is a described alert: the common data model behind all formats (the canonical fields). JSON names are those
// of the canonical fields; what is empty or unknown is left out.
type Message struct {
	Format    Format    `json:"format,omitempty"`
	Dialect   string    `json:"dialect,omitempty"` // of a decoded message: ios, nxos, asa, mds; A, B or C of long text
	MessageID MessageID `json:"message_id,omitempty"`
	GroupID   string    `json:"group_id,omitempty"`
	Block     *Block    `json:"block,omitempty"` // only when the message is one of several blocks

	EventTime      Timestamp  `json:"event_time,omitzero"`
	CreationTime   Timestamp  `json:"creation_time,omitzero"` // aml-block:CreationDate; EventTime where missing
	Name           string     `json:"message_name,omitempty"`
	Type           string     `json:"message_type,omitempty"`
	Subtype        string     `json:"message_subtype,omitempty"`
	MessageGroup   string     `json:"message_group,omitempty"` // reactive or proactive
	Group          AlertGroup `json:"alert_group,omitempty"`   // ours; derived from the type on decoding
	Severity       *Level     `json:"-"`                       // written as severity (number) and level (keyword)
	SwitchPriority *int       `json:"switch_priority,omitempty"`
	SourceID       string     `json:"source_id,omitempty"` // product family: ch:Series
	Brand          string     `json:"brand,omitempty"`
	Builder        string     `json:"builder,omitempty"`
	BuilderVersion string     `json:"builder_version,omitempty"`

	DeviceID   DeviceID `json:"device_id,omitempty"`
	CustomerID string   `json:"customer_id,omitempty"`
	ContractID string   `json:"contract_id,omitempty"`
	SiteID     string   `json:"site_id,omitempty"`
	ServerID   string   `json:"server_id,omitempty"`
	CCOID      string   `json:"ccoid,omitempty"`

	Description   string `json:"msg_desc,omitempty"`
	Fault         string `json:"-"` // the fault in words, for pagers; where empty, short text makes it of the description
	SystemName    string `json:"sys_name,omitempty"`
	ContactName   string `json:"contact_name,omitempty"`
	ContactEmail  string `json:"contact_email,omitempty"`
	ContactPhone  string `json:"contact_phone,omitempty"`
	StreetAddress string `json:"street_address,omitempty"`

	Model       string    `json:"model,omitempty"`
	Serial      string    `json:"serial,omitempty"`
	PartNo      string    `json:"part_no,omitempty"`
	HWVersion   string    `json:"hw_version,omitempty"`
	SWVersion   string    `json:"sw_version,omitempty"`
	SysObjectID string    `json:"sys_object_id,omitempty"`
	SysDescr    string    `json:"sys_descr,omitempty"`
	Additional  []Tag     `json:"additional,omitempty"` // further chassis AD pairs: ServiceNumber, ForwardAddress, PID …
	FRUs        []FRU     `json:"fru,omitempty"`
	Chassis     []FRU     `json:"chassis,omitempty"` // further chassis of a stack or cluster
	Processes   []Process `json:"process,omitempty"`

	Attachments []Attachment `json:"attachments,omitempty"`
	Pairs       []Tag        `json:"pairs,omitempty"`   // free name:value pairs: syslog_facility …
	Unknown     []Unknown    `json:"unknown,omitempty"` // kept but not understood
	Flags       []string     `json:"flags,omitempty"`   // what was out of form on decoding
}

// Block is the place of a message among the blocks of its group.
type Block struct {
	Number         int  `json:"number"` // from 0
	IsLast         bool `json:"is_last"`
	IsPrimary      bool `json:"is_primary"`
	WaitForPrimary bool `json:"wait_for_primary"`
}

// FRU is a field-replaceable unit: a card, a power supply, a fan, or a further chassis.
type FRU struct {
	Name       string `json:"name,omitempty"` // model or product ID
	Serial     string `json:"serial,omitempty"`
	PartNo     string `json:"part_no,omitempty"`
	Slot       string `json:"slot,omitempty"`
	HWVersion  string `json:"hw_version,omitempty"`
	SWVersion  string `json:"sw_version,omitempty"`
	Additional []Tag  `json:"additional,omitempty"`
}

// Process is a program that a crash or test message tells of.
type Process struct {
	Name      string `json:"name,omitempty"`
	ID        string `json:"id,omitempty"`
	State     string `json:"state,omitempty"`
	Exception string `json:"exception,omitempty"`
}

// Attachment is the output of one command.
type Attachment struct {
	Name     string `json:"name"`               // exactly the command
	Type     string `json:"type,omitempty"`     // inline (XML), command output (text)
	Encoding string `json:"encoding,omitempty"` // plain, text or base64
	Text     string `json:"text"`               // device bytes; not necessarily UTF-8
}

// Unknown is an element that was kept though no field is meant for it.
type Unknown struct {
	Path  string `json:"path"` // local names joined by "/"
	Value string `json:"value"`
}
