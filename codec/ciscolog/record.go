package ciscolog

import (
	"bytes"
	"time"
)

// Limits of the format, Managed Services Guide chapter 6.
const (
	MaxLength    = 800       // octets of a message without PRI and line end; leaves room for what relays add
	MaxLengthPRI = 805       // the same with the longest PRI
	MaxHost      = 255       // octets of HOST
	MaxApp       = 24        // octets of APPNAME
	MaxName      = 30        // octets of MSGNAME
	MinName      = 2         // octets of APPNAME and of MSGNAME
	MaxZone      = 7         // octets of TIMEZONE
	MaxSeq       = 1<<32 - 1 // largest sequence number; the next is 0
	noClockStamp = "--- 00 0000 00:00:00.000 ---"
	unknownHost  = "0.0.0.0" // written by who does not know its own name
)

// maxCounters is how many relay counters of one line are kept; two are seen in practice.
const maxCounters = 4

// maxSkew is the difference between stamp and receipt beyond which a clock is called wrong.
const maxSkew = 24 * time.Hour

// Accuracy is what the sender says of its clock.
type Accuracy string

// The four states. No prefix does not mean that the clock is right: the convention is optional.
const (
	AccuracyUnstated        Accuracy = "unstated"         // no prefix
	AccuracyUnsynchronised  Accuracy = "unsynchronised"   // "*": never set by a time server
	AccuracyWasSynchronised Accuracy = "was_synchronised" // ".": set once, no server in reach now
	AccuracyNoClock         Accuracy = "no_clock"         // the constant stamp of a device without a date
)

// TimeSource says where Record.Time comes from.
type TimeSource string

// The two sources.
const (
	TimeFromHeader  TimeSource = "header"
	TimeFromReceipt TimeSource = "received"
)

// HostSource says where the name given by Record.BestHost comes from.
type HostSource string

// The sources, best first.
const (
	HostFromHeader HostSource = "header"
	HostFromNodeID HostSource = "node_id"
	HostFromRelay  HostSource = "relay"
	HostUnknown    HostSource = ""
)

// Dialect is the name under which a line is shown.
type Dialect string

// The dialects this package can tell apart.
const (
	DialectCiscoLog Dialect = "ciscolog" // conforms
	DialectUCM      Dialect = "ucm"      // the way Unified CM really sends it
	DialectNone     Dialect = ""         // readable as CiscoLog, but neither
)

// Part is the value of the tag part: number N of Total parts, of which the first had the sequence number First.
type Part struct {
	First uint32
	N     uint32 // from 1
	Total uint32
}

// Record is one line, taken apart. All byte slices alias the parsed line and are nil for what is not there: Clone before
// the line's buffer is used again. The zero Record is ready for Parse; a Record may be used for any number of lines.
type Record struct {
	Raw []byte // the line as given, PRI included

	PRI    int    // 0..191; -1 when missing or invalid
	Seq    uint64 // above MaxSeq with FlagSeqRange
	HasSeq bool

	RelayTime []byte // stamp a relay put in front, as sent
	RelayHost []byte // name a relay put in front
	RelayTag  []byte // tag a relay put in front, with its process number

	Host     []byte // as sent; nil or "0.0.0.0" when the sender does not know it
	Accuracy Accuracy

	Stamp       []byte        // TIMESTAMP as sent, with accuracy prefix and zone
	Time        time.Time     // the instant, in UTC; time of receipt where TimeSource says so
	TimeSource  TimeSource    // where Time comes from
	Precision   time.Duration // unit of the last digit of the time: 1 s .. 1 ns; 0 when Time is of receipt
	Zone        []byte        // as sent
	Offset      int           // seconds east of UTC with which Time was computed
	OffsetKnown bool          // Offset follows from Zone; else it is the default zone's

	App      []byte // APPNAME, with the sub-facility of older senders: CCM_RTMT-RTMT
	Sub      []byte // the sub-facility alone: RTMT; nil when there is none
	Severity int8   // 0..7, 0 is worst; -1 only before a parse
	Name     []byte // MSGNAME

	TagRegion []byte // the tags with their brackets, as sent; read them with Tags
	Text      []byte // MESSAGE as sent; may have control characters and octets that are not UTF-8

	Uptime    time.Duration // of the tag uptime, for devices without a clock
	HasUptime bool
	Part      Part
	HasPart   bool // Part is usable

	Flags    Flags
	Conforms bool // every strict rule is kept
	UCM      bool // as Unified CM and its sister products send it: their names, a space before the stamp's colon, a NodeID

	counters  [maxCounters]uint64
	nCounters uint8
	looseTags bool // TagRegion is to be read by the tolerant scan
}

// Options tell Parse what is known of the sender.
type Options struct {
	// DefaultZone is where stamps without a usable zone are taken to be from; nil is UTC.
	DefaultZone *time.Location
	// Zones gives seconds east of UTC for zone names of this sender, such as IST; it goes before the built-in table,
	// which has unambiguous names only.
	Zones map[string]int
	// ICM reads a text that begins with "[" as tags, as Contact Center Enterprise sends them. Applications called ICM_…
	// are read so anyway.
	ICM bool
}

// RelayCounters are the numbers in front of the sequence number, outermost first; at most four. The slice aliases r.
func (r *Record) RelayCounters() []uint64 { return r.counters[:r.nCounters] }

// Dialect is ciscolog for a line that conforms, ucm for one that is as Unified CM sends it, and empty for any other.
func (r *Record) Dialect() Dialect {
	switch {
	case r.Conforms:
		return DialectCiscoLog
	case r.UCM:
		return DialectUCM
	}
	return DialectNone
}

// BestHost is the best name of the sender: the header's, else of the tag NodeID, else the relay's name for it. It is a
// claim of the line, not a proof.
func (r *Record) BestHost() ([]byte, HostSource) {
	if hostKnown(r.Host) {
		return r.Host, HostFromHeader
	}
	if node := r.NodeID(); hostKnown(node) {
		return node, HostFromNodeID
	}
	if hostKnown(r.RelayHost) {
		return r.RelayHost, HostFromRelay
	}
	return nil, HostUnknown
}

// hostKnown tells a name from the ways to say that there is none.
func hostKnown(host []byte) bool {
	return len(host) > 0 && string(host) != "-" && string(host) != unknownHost
}

// Clone returns a Record that shares no memory with the parsed line.
func (r *Record) Clone() Record {
	c := *r
	c.Raw = bytes.Clone(r.Raw)
	for _, field := range []*[]byte{
		&c.RelayTime, &c.RelayHost, &c.RelayTag, &c.Host, &c.Stamp, &c.Zone, &c.App, &c.Sub, &c.Name, &c.TagRegion, &c.Text,
	} {
		*field = r.moved(*field, c.Raw)
	}
	return c
}

// moved gives the octets of a field in a copy of the line; a field that is not in the line is copied by itself.
func (r *Record) moved(field, raw []byte) []byte {
	if len(field) == 0 {
		return bytes.Clone(field)
	}
	// A slice of the line reaches to the end of the line's buffer, so capacities tell where it begins.
	at := cap(r.Raw) - cap(field)
	if at >= 0 && at+len(field) <= len(r.Raw) && &r.Raw[at] == &field[0] {
		return raw[at : at+len(field)]
	}
	return bytes.Clone(field)
}

// reset makes r empty for a line.
func (r *Record) reset(line []byte) {
	*r = Record{Raw: line, PRI: -1, Severity: -1, Accuracy: AccuracyUnstated, TimeSource: TimeFromHeader}
}
