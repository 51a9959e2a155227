package personality

import (
	"callhome"
	"callhome/codec/syslog"
)

// generic judges lines of senders nobody named: hosts, UCS and its kin, wireless and cloud gear, other makers. It has no
// commands: what cannot be named cannot be asked.
var generic = Personality{
	Name:  Generic,
	Title: "any sender of syslog",
	Dialects: []syslog.Dialect{
		syslog.RFC3164, syslog.RFC5424, syslog.CiscoLog, syslog.FXOS, syslog.UCS, syslog.Meraki, syslog.ISE, syslog.Unknown,
	},
	Groups: []Group{
		{Keyword: gConf, Label: "configuration", Description: "configuration info"},
		{Keyword: gCrsh, Label: "crash", Description: "crash info"},
		{Keyword: gDiag, Label: "diagnostic", Description: "diagnostic info"},
		{Keyword: gEnv, Label: "environment", Description: "environmental info"},
		{Keyword: gInv, Label: "inventory", Description: "inventory info"},
		{Keyword: gSnap, Label: "snapshot", Description: "snapshot info"},
		{Keyword: gSys, Label: "syslog", Description: "syslog info"},
		{Keyword: gTele, Label: "telemetry", Description: "telemetry info"},
		{Keyword: gThr, Label: "threat", Description: "threat info"},
		{Keyword: gTest, Label: "test", Description: "test info", Unlisted: true},
	},
	DefaultThreshold: callhome.LevelDebugging,
	Throttle:         Throttle{Repeat: day},
	Limits:           limitsOwn,
	Time:             timeColon,
	AML: AML{MessagePrefix: "M", GroupPrefix: "G", Builder: "Generic", Version: "2.0", Brand: "Generic",
		Series: "Devices", Additional: true, ContactName: true},
	LongText:        "A",
	Subject:         Subject{From: "From"},
	RequiredContact: []string{"email"},
	Rows:            append(append([]Row(nil), rowsGeneric...), rowsLinux...),
	profiles:        profilesOwn,
}
