package personality

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"callhome"
)

// FromSyslog as a row's level: 7 minus the severity of the line.
const FromSyslog callhome.Level = -1

// Types of the events that a cluster message is about; their level is critical.
const (
	TypeClusterJoin            = "CLUSTER_JOIN"
	TypeClusterLeave           = "CLUSTER_LEAVE"
	TypeClusterMaster          = "CLUSTER_MASTER"
	TypeClusterSecondaryFailed = "CLUSTER_SECONDARY_FAILED"
)

// Row is one line of an event table; the package comment explains On, Has and Object.
type Row struct {
	On      string
	Has     string
	Group   callhome.AlertGroup
	Type    string // event type; what raises and what clears share one
	Subtype string
	Level   callhome.Level // FromSyslog or the level the table sets
	State   callhome.EventState
	Object  string
}

// Rule names the row in verdicts and statistics.
func (r *Row) Rule() string {
	if r.Has == "" {
		return r.On
	}
	return r.On + " " + r.Has
}

// KeyKind says what a row's On recognises a line by.
type KeyKind uint8

// The kinds, the more exact first.
const (
	KeyName    KeyKind = iota // @Name
	KeyNumber                 // #N or #N-M
	KeyCore                   // %FAC-MNEM, either part may be *
	KeyProgram                // name:
)

// Key is On, taken apart.
type Key struct {
	Kind     KeyKind
	Name     string // of an alert or a program; "*" is any program
	Facility string // "*" is any
	Mnemonic string // "*" is any
	Min, Max uint32 // of message numbers
}

// ParseKey takes a row's On apart.
func ParseKey(on string) (Key, error) {
	switch {
	case on == "":
		return Key{}, errors.New("a row needs a key")
	case on[0] == '@' && len(on) > 1:
		return Key{Kind: KeyName, Name: on[1:]}, nil
	case on[0] == '#':
		return parseNumbers(on[1:])
	case on[0] == '%':
		i := strings.LastIndexByte(on, '-')
		if strings.HasPrefix(on, "%*-") { // here the mnemonic may have dashes of its own
			i = len("%*")
		}
		if i > 1 && i < len(on)-1 {
			return Key{Kind: KeyCore, Facility: on[1:i], Mnemonic: on[i+1:]}, nil
		}
	case len(on) > 1 && on[len(on)-1] == ':':
		return Key{Kind: KeyProgram, Name: on[:len(on)-1]}, nil
	}
	return Key{}, fmt.Errorf("key %q has no known form", on)
}

func parseNumbers(s string) (Key, error) {
	lo, hi, ok := strings.Cut(s, "-")
	if !ok {
		hi = lo
	}
	a, errA := strconv.ParseUint(lo, 10, 32)
	b, errB := strconv.ParseUint(hi, 10, 32)
	if errA != nil || errB != nil || a > b {
		return Key{}, fmt.Errorf("%q is no message number and no range of them", s)
	}
	return Key{Kind: KeyNumber, Min: uint32(a), Max: uint32(b)}, nil
}

// Phrases are the parts of Has.
func (r *Row) Phrases() []string {
	if r.Has == "" {
		return nil
	}
	return strings.Split(r.Has, "&")
}

// Valid says what is wrong with a row.
func (r *Row) Valid() error {
	_, err := ParseKey(r.On)
	errs := []error{err}
	for _, p := range r.Phrases() {
		if p == "" {
			errs = append(errs, fmt.Errorf("phrases %q hold an empty one", r.Has))
		}
	}
	if r.Type == "" || r.Group == "" {
		errs = append(errs, errors.New("a row needs a group and a type"))
	}
	if r.Level != FromSyslog && !r.Level.Valid() {
		errs = append(errs, fmt.Errorf("level %d is none", r.Level))
	}
	switch r.State {
	case none, raise, clears:
	default:
		errs = append(errs, fmt.Errorf("state %q is none", r.State))
	}
	return errors.Join(errs...)
}

// Named points at the alert name that lines of one key carry: the token after After.
type Named struct {
	On    string // as in Row
	After string
}

// Verdict is what a line means.
type Verdict struct {
	Group   callhome.AlertGroup
	Level   callhome.Level
	Type    string
	Subtype string
	State   callhome.EventState
	Object  [2][]byte // aliases the line; a second part only where one does not tell things apart
	Rule    string    // Row.Rule of the row that decided; "" when none did and the line is plain syslog

	Personality Name
}

// ObjectText is what the alert is about, "" when the text does not say; two parts are joined by one blank.
func (v *Verdict) ObjectText() string {
	if len(v.Object[1]) == 0 {
		return string(v.Object[0])
	}
	return string(v.Object[0]) + " " + string(v.Object[1])
}

// Short words for the tables.
const (
	fs = FromSyslog

	gConf = callhome.GroupConfiguration
	gCrsh = callhome.GroupCrash
	gDiag = callhome.GroupDiagnostic
	gEnv  = callhome.GroupEnvironment
	gInv  = callhome.GroupInventory
	gSnap = callhome.GroupSnapshot
	gSys  = callhome.GroupSyslog
	gTele = callhome.GroupTelemetry
	gThr  = callhome.GroupThreat
	gTest = callhome.GroupTest
	gTAC  = callhome.GroupCiscoTAC
	gLic  = callhome.GroupLicense
	gLC   = callhome.GroupLinecard
	gSup  = callhome.GroupSupervisor
	gSyst = callhome.GroupSystem
	gEEM  = callhome.GroupEEM
	gPort = callhome.GroupSyslogGroupPort

	none   = callhome.StateNone
	raise  = callhome.StateRaise
	clears = callhome.StateClear
)
