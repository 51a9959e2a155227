package syslog

import (
	"time"

	"callhome"
	"callhome/codec/ciscolog"
)

// Clock is what a line says about the clock that stamped it.
type Clock string

// The states of a clock.
const (
	ClockUnstated        Clock = "unstated"
	ClockSynchronised    Clock = "synchronised"
	ClockWasSynchronised Clock = "was_synchronised" // "." before an IOS stamp: the time server is out of reach
	ClockUnsynchronised  Clock = "unsynchronised"   // "*" before an IOS stamp
	ClockNone            Clock = "no_clock"         // an uptime, or a date that clocks have when they start
)

// HostSource tells where a line's host was found.
type HostSource string

// The places. A receiver that fills Host from the peer's address uses HostFromPeer.
const (
	HostFromHeader HostSource = "header"
	HostFromRelay  HostSource = "relay"
	HostFromPeer   HostSource = "peer"
)

// Stamp is a time as a line wrote it.
type Stamp struct {
	Time   time.Time // the instant; with HasZone false the clock reading as if it were UTC, or in Parser.Zone. Zero: none
	Text   []byte    // the stamp as written, without accuracy mark and zone
	Zone   []byte    // the zone as written
	Offset int32     // seconds east of UTC; counts only with HasZone
	Digits uint8     // fraction digits written, 0..9
	// HasZone is set when the stamp names an offset, or a zone name that means one offset only.
	HasZone bool
	NoYear  bool // the year was inferred
}

// Line is one record. All slices alias the line that was parsed; they are valid as long as it is. A Line may be used
// again: Parse clears it.
type Line struct {
	Raw     []byte // as received, without framing
	Dialect Dialect
	Vendor  Vendor // narrower than Dialect, may be empty

	PRI         int16    // 0..191; -1 when there is none or it is no number in range
	Facility    int8     // 0..23 of PRI; -1 unknown
	PRISeverity Severity // of PRI
	Severity    Severity // the message's own, else PRI's
	OwnSeverity bool     // the message states its severity itself

	Seq     int64 // the device's sequence number, -1 unknown
	Counter int64 // a transport counter in front of Seq, -1 unknown; with FlagRepeated how often

	Host       []byte
	HostSource HostSource
	Node       []byte // module, slot, routing engine, stack member, distinguished name

	Stamp
	Clock    Clock
	Accuracy byte   // '*' or '.' directly before the stamp, else 0
	Uptime   []byte // the stamp when it is an uptime

	Program []byte // process, agent, task; APP-NAME of RFC 5424
	PID     []byte // PROCID of RFC 5424

	CoreFacility []byte // FACILITY of %FACILITY-SEVERITY-MNEMONIC, sub-facilities joined by their dashes
	Mnemonic     []byte // MNEMONIC; the TAG of Junos, MSGID of RFC 5424
	MessageID    []byte // ASA number, RFC 5424 MSGID, UCS fault code, ISE code, Fortinet logid
	EventState   callhome.EventState

	ParamForm   ParamForm
	ParamRegion []byte // where the parameters are; see Params

	Text []byte // the message, unchanged

	Relay Relay
	Flags Flags
	// CiscoLogFlags are the remarks of codec/ciscolog on a line of dialect ciscolog or ucm.
	CiscoLogFlags ciscolog.Flags

	Segment Segment
}

// Segment places one segment of an ISE message among the others. Total is 0 for a line that is none.
type Segment struct {
	Group []byte // message number
	Index int    // from 0
	Total int
	body  int // octets behind the index
}

// Relay is what a relay put in front of the device's own header.
type Relay struct {
	PRI  int16 // -1 none
	Time time.Time
	Host []byte
	Tag  []byte
}

// clear empties l for a new line.
func (l *Line) clear(raw []byte) {
	*l = Line{}
	l.Raw, l.Text, l.Dialect = raw, raw, Unknown
	l.PRI, l.Facility, l.PRISeverity, l.Severity = -1, -1, NoSeverity, NoSeverity
	l.Seq, l.Counter, l.Relay.PRI = -1, -1, -1
	l.Clock, l.EventState = ClockUnstated, callhome.StateNone
}

// Sequence is the number nearest to the time stamp: Seq, else Counter; -1 when there is none.
func (l *Line) Sequence() int64 {
	if l.Seq >= 0 || l.Flags.Has(FlagRepeated) {
		return l.Seq
	}
	return l.Counter
}

// Subfacility is the part of CoreFacility behind its first dash.
func (l *Line) Subfacility() []byte {
	for i, c := range l.CoreFacility {
		if c == '-' {
			return l.CoreFacility[i+1:]
		}
	}
	return nil
}

// Timestamp is the line's time in the vocabulary's form, zero when it has none.
func (l *Line) Timestamp() callhome.Timestamp {
	switch {
	case l.Time.IsZero():
		return callhome.Timestamp{}
	case l.HasZone:
		return callhome.At(l.Time.In(fixedZone(l.Offset)))
	}
	return callhome.Timestamp{Time: l.Wall(), NoZone: true}
}

// Wall is the clock reading of a stamp without a zone, as if it were UTC.
func (l *Line) Wall() time.Time { return l.Time.Add(time.Duration(l.Offset) * time.Second).UTC() }
