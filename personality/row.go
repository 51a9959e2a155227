package personality

import "callhome"

// FromSyslog as a row's level: 7 minus the severity of the line.
const FromSyslog callhome.Level = -1

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

	none  = callhome.StateNone
	raise = callhome.StateRaise
	clear = callhome.StateClear
)
