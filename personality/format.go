package personality

// Layouts for time.Format, as the Call Home message tables of the platforms' configuration guides print them.
const (
	layoutColon   = "2006-01-02 15:04:05 GMT-07:00"
	layoutNoColon = "2006-01-02 15:04:05 GMT-0700"
	layoutMinutes = "2006-01-02 15:04 GMT-07:00"
	layoutLocal   = "2006-01-02T15:04:05"
)

// TimeSyntax holds layouts in the form of package time.
type TimeSyntax struct {
	XML      string // event time and creation date
	LongText string
	Subject  string
	Show     string // last message sent, in show commands
}

// AML is a platform's variant of the XML message.
type AML struct {
	MessagePrefix string // before the number of a message ID: M, or nothing
	GroupPrefix   string // likewise for group IDs: G, or nothing
	Builder       string // default builder name; a device's product short name where known
	Version       string // builder version
	Brand         string // default brand
	Series        string // default product family
	OmitUnset     bool   // customer, site and contract IDs are left out when not configured
	Additional    bool   // chassis carry additional information
	ContactName   bool   // the contact element is filled
	// SyslogPrefix goes before the description of a syslog message.
	SyslogPrefix string
}

// Subject is a platform's way to write the subject of a mailed message.
type Subject struct {
	From    string // "From" or "from"
	Subtype bool   // the subtype follows the type after a colon
}

var (
	timeColon   = TimeSyntax{XML: layoutColon, LongText: layoutMinutes, Subject: layoutColon, Show: layoutColon}
	timeNoColon = TimeSyntax{XML: layoutNoColon, LongText: layoutLocal, Subject: layoutColon, Show: layoutColon}
)
