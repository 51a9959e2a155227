package personality

import (
	"callhome"
	"callhome/codec/syslog"
)

// limitsOwn hold where a platform has no Call Home of its own: those of IOS, with room for longer lists.
var limitsOwn = Limits{
	ProfileName:     Field{1, 31, CharsName},
	ReservedProfile: []string{"all"},
	MessageSize:     Span{0, 10485760, 3145728},
	SizeZero:        true,
	RateLimit:       Span{1, 60, 20},
	MailServers:     5,
	MailServer:      Field{1, 255, CharsName},
	MailPriority:    Span{1, 100, 0},
	Pattern:         Field{1, 200, CharsAny},
	Command:         Field{1, 600, CharsAny},
	CommandList:     Field{1, 600, CharsAny},
	TestText:        Field{0, 200, CharsAny},
	URL:             Field{8, 255, CharsName},
	Email:           Field{3, 255, CharsEmail},
	ContactName:     Field{0, 255, CharsAny},
	ContactEmail:    Field{3, 255, CharsEmail},
	Phone:           Field{1, 32, CharsPhoneFree},
	StreetAddress:   Field{0, 255, CharsAny},
	CustomerID:      Field{0, 255, CharsPrintable},
	ContractID:      Field{0, 255, CharsPrintable},
	SiteID:          Field{0, 255, CharsPrintable},
	Sender:          Field{0, 255, CharsEmail},
	ServiceRequest:  Field{0, 32, CharsName},
	CCOID:           Field{0, 200, CharsName},
}

// profilesOwn is CiscoTAC-1 for platforms whose maker predefines none.
func profilesOwn() []callhome.Profile {
	tac := ciscoTAC(callhome.Subscription{Group: gConf, Periodic: monthly()},
		callhome.Subscription{Group: gCrsh},
		callhome.Subscription{Group: gDiag, Severity: level(callhome.LevelMinor)},
		callhome.Subscription{Group: gEnv, Severity: level(callhome.LevelWarning)},
		callhome.Subscription{Group: gInv, Periodic: monthly()},
		callhome.Subscription{Group: gSys, Severity: level(callhome.LevelMajor), Pattern: `.*`})
	return []callhome.Profile{tac}
}

// junos is Junos; it has no Call Home, groups and commands are ours.
var junos = Personality{
	Name:     Junos,
	Title:    "Juniper Junos",
	Dialects: []syslog.Dialect{syslog.Junos},
	Groups: []Group{
		{
			Keyword: gConf, Label: "configuration", Description: "configuration info",
			Commands: []string{"show system commit", "show version"},
			Full:     []string{"show system commit", "show version", "show configuration"},
		},
		{
			Keyword: gCrsh, Label: "crash", Description: "core dump info",
			Commands: []string{"show version", "show system core-dumps", "show system processes extensive",
				"show log messages | last 200"},
		},
		{
			Keyword: gDiag, Label: "diagnostic", Description: "diagnostic info",
			Commands: []string{"show version", "show chassis alarms", "show system alarms", "show chassis hardware",
				"show chassis fpc", "show chassis routing-engine", "show log messages | last 200"},
		},
		{
			Keyword: gEnv, Label: "environment", Description: "environmental info",
			Commands: []string{"show chassis environment", "show chassis alarms", "show chassis power", "show chassis fan",
				"show chassis hardware", "show log messages | last 100"},
		},
		{
			Keyword: gInv, Label: "inventory", Description: "inventory info",
			Commands: []string{"show version", "show chassis hardware", "show system license", "show system uptime"},
			Full: []string{"show version", "show chassis hardware detail", "show chassis firmware",
				"show system license", "show system uptime", "show virtual-chassis"},
		},
		{Keyword: gSnap, Label: "snapshot", Description: "snapshot info"},
		{
			Keyword: gSys, Label: "syslog", Description: "syslog info",
			Commands: []string{"show log messages | last 100", "show system alarms"},
		},
		{
			Keyword: gThr, Label: "threat", Description: "threat info",
			Commands: []string{"show security alarms", "show ddos-protection protocols violations"},
		},
		{
			Keyword: gTest, Label: "test", Description: "test info", Unlisted: true,
			Commands: []string{"show version", "show chassis hardware"},
		},
	},
	DefaultThreshold: callhome.LevelDebugging,
	Throttle:         Throttle{Repeat: day},
	Limits:           limitsOwn,
	Time:             timeColon,
	AML: AML{MessagePrefix: "M", GroupPrefix: "G", Builder: "Junos", Version: "2.0", Brand: "Juniper Networks",
		Series: "Junos Devices", Additional: true, ContactName: true},
	LongText:        "A",
	Subject:         Subject{From: "From"},
	RequiredContact: []string{"email"},
	Rows:            rowsJunos,
	profiles:        profilesOwn,
}
