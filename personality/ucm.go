package personality

import (
	"callhome"
	"callhome/codec/syslog"
)

// limitsUCM follow the Call Home chapter of the Unified CM Administration Guide.
var limitsUCM = Limits{
	ProfileName:    Field{1, 31, CharsName},
	MessageSize:    Span{50, 5242880, 3145728},
	RateLimit:      Span{1, 60, 20},
	MailServers:    5,
	MailServer:     Field{1, 255, CharsName},
	MailPriority:   Span{1, 100, 0},
	Pattern:        Field{1, 80, CharsAny},
	Command:        Field{1, 127, CharsAny},
	CommandList:    Field{1, 512, CharsAny},
	TestText:       Field{0, 128, CharsAny},
	URL:            Field{8, 200, CharsName},
	Email:          Field{3, 255, CharsEmail},
	ContactName:    Field{0, 128, CharsContactName},
	ContactEmail:   Field{3, 255, CharsEmail},
	Phone:          Field{1, 32, CharsPhoneFree},
	StreetAddress:  Field{0, 1024, CharsAny},
	CustomerID:     Field{0, 255, CharsAny},
	ContractID:     Field{0, 255, CharsPrintable},
	SiteID:         Field{0, 255, CharsPrintable},
	Sender:         Field{0, 255, CharsEmail},
	ServiceRequest: Field{0, 32, CharsName},
	CCOID:          Field{0, 200, CharsName},
}

// ucm is Unified Communications Manager and its kin. Messages go out on the first day of a month; a raised alert is
// repeated for the same node after a day at the earliest.
var ucm = Personality{
	Name:     UCM,
	Title:    "Cisco Unified Communications Manager",
	Dialects: []syslog.Dialect{syslog.UCM},
	Groups: []Group{
		{
			Keyword: gConf, Label: "configuration", Description: "tables and their row counts",
			Commands: []string{"show tech database summary", "show version active"},
			Full:     []string{"show tech database", "show version active"},
		},
		{
			Keyword: gCrsh, Label: "crash", Description: "core files",
			Commands: []string{"utils core active list", "show status", "show version active"},
		},
		{
			Keyword: gDiag, Label: "alerts", Description: "performance, database, failed call and service alerts",
			Commands: []string{"show status", "utils service list", "show process load", "utils dbreplication runtimestate"},
		},
		{
			Keyword: gEnv, Label: "environment", Description: "hardware sensors",
			Commands: []string{"show hardware", "show environment fans", "show environment power-supply",
				"show environment temperatures"},
		},
		{
			Keyword: gInv, Label: "inventory", Description: "hardware, software and services",
			Commands: []string{"show version active", "show version inactive", "show hardware", "show status",
				"utils service list", "show memory count", "show network cluster"},
		},
		{Keyword: gSnap, Label: "snapshot", Description: "snapshot info", Unlisted: true},
		{
			Keyword: gSys, Label: "syslog", Description: "alarms",
			Commands: []string{"file tail activelog syslog/CiscoSyslog recent 100"},
		},
		{
			Keyword: gTele, Label: "telemetry", Description: "devices, users and calls",
			Commands: []string{"show status", "show perf query class \"Cisco CallManager\"", "show tech devdefaults"},
		},
		{
			Keyword: gTest, Label: "test", Description: "test info", Unlisted: true,
			Commands: []string{"show version active", "show status"},
		},
	},
	DefaultThreshold: callhome.LevelDebugging,
	Throttle:         Throttle{Repeat: day},
	Limits:           limitsUCM,
	Time:             timeColon,
	AML: AML{MessagePrefix: "M", GroupPrefix: "G", Builder: "CUCM", Version: "2.0", Brand: "Cisco Systems",
		Series: "Unified Communications Manager", Additional: true, ContactName: true},
	LongText:        "A",
	Subject:         Subject{From: "From"},
	RequiredContact: []string{"email"},
	Rows:            rowsUCM,
	Named: []Named{
		{On: "%*-RTMT_ALERT", After: "AlertName="},
		{On: "%*-RTMT-ERROR-ALERT", After: "Alert Name:"},
		{On: "%*-RTMT_ALERT", After: "Alert Name:"},
	},
	profiles: profilesUCM,
}

// profilesUCM is CiscoTAC-1 with the schedule of the administration guide: the first day of every month.
func profilesUCM() []callhome.Profile {
	first := func() *callhome.Periodic { return &callhome.Periodic{Monthly: &callhome.Monthly{Day: 1}} }
	tac := ciscoTAC(callhome.Subscription{Group: gConf, Periodic: first()},
		callhome.Subscription{Group: gCrsh},
		callhome.Subscription{Group: gDiag, Severity: level(callhome.LevelDebugging)},
		callhome.Subscription{Group: gEnv, Severity: level(callhome.LevelDebugging)},
		callhome.Subscription{Group: gInv, Periodic: first()},
		callhome.Subscription{Group: gTele, Periodic: first()})
	return []callhome.Profile{tac}
}
