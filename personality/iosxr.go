package personality

import (
	"callhome"
	"callhome/codec/syslog"
)

// limitsIOSXR follow the Cisco-IOS-XR-um-call-home-cfg model.
var limitsIOSXR = Limits{
	ProfileName:     Field{1, 31, CharsName},
	ReservedProfile: []string{"all"},
	MessageSize:     Span{50, 3145728, 3145728},
	RateLimit:       Span{1, 5, 5},
	MailServers:     5,
	MailServer:      Field{1, 64, CharsName},
	MailPriority:    Span{1, 100, 0},
	ThresholdMin:    callhome.LevelNormal,
	Pattern:         Field{1, 80, CharsAny},
	Command:         Field{1, 127, CharsAny},
	CommandList:     Field{1, 127, CharsAny},
	TestText:        Field{0, 128, CharsAny},
	URL:             Field{8, 200, CharsName},
	Email:           Field{3, 200, CharsEmail},
	ContactName:     Field{0, 200, CharsAny},
	ContactEmail:    Field{3, 64, CharsEmail},
	Phone:           Field{12, 16, CharsPhone},
	StreetAddress:   Field{1, 200, CharsPrintable},
	CustomerID:      Field{1, 64, CharsPrintable},
	ContractID:      Field{1, 64, CharsPrintable},
	SiteID:          Field{1, 200, CharsPrintable},
	Sender:          Field{0, 800, CharsEmail},
	ServiceRequest:  Field{0, 32, CharsName},
	CCOID:           Field{0, 200, CharsName},
}

// iosxr is IOS XR; commands after the Call Home chapter of the ASR 9000 System Management Configuration Guide.
var iosxr = Personality{
	Name:     IOSXR,
	Title:    "Cisco IOS XR",
	Dialects: []syslog.Dialect{syslog.IOSXR},
	Groups: []Group{
		{
			Keyword: gConf, Label: "configuration", Description: "configuration info",
			Commands: []string{"admin show version", "admin show inventory"},
			Full:     []string{"admin show version", "admin show running-config all", "show running-config", "admin show inventory"},
		},
		{
			Keyword: gDiag, Label: "diagnostic", Description: "diagnostic info",
			Commands: []string{"admin show platform", "admin show version", "show logging",
				"admin show diagnostic result location {module} detail", "admin show diagnostic result location all"},
		},
		{
			Keyword: gEnv, Label: "environment", Description: "environmental info",
			Commands: []string{"show environment", "show logging", "show inventory", "show environment trace", "show diag"},
		},
		{
			Keyword: gInv, Label: "inventory", Description: "inventory info",
			Commands: []string{"admin show platform", "admin show version", "admin show diag", "admin show inventory oid"},
		},
		{
			Keyword: gSys, Label: "syslog", Description: "syslog info",
			Commands: []string{"admin show version", "admin show logging", "admin show inventory"},
		},
		{
			Keyword: gCrsh, Label: "crash", Description: "crash and traceback info",
			Commands: []string{"admin show version", "show logging", "show context all", "show processes aborts"},
		},
		{Keyword: gSnap, Label: "snapshot", Description: "snapshot info"},
		{
			Keyword: gTest, Label: "test", Description: "test info", Unlisted: true,
			Commands: []string{"admin show platform", "admin show version", "admin show inventory"},
		},
	},
	DefaultThreshold: callhome.LevelDebugging,
	Throttle:         Throttle{Repeat: day},
	Limits:           limitsIOSXR,
	Time:             timeColon,
	AML: AML{MessagePrefix: "M", GroupPrefix: "G", Builder: "IOS-XR", Version: "2.0", Brand: "Cisco Systems",
		Series: "IOS XR Routers", Additional: true},
	LongText:        "A",
	Subject:         Subject{From: "From"},
	RequiredContact: []string{"email"},
	Rows:            rowsIOSXR,
	profiles:        profilesIOSXR,
}

func profilesIOSXR() []callhome.Profile {
	tac := ciscoTAC(callhome.Subscription{Group: gConf, Periodic: monthly()},
		callhome.Subscription{Group: gCrsh},
		callhome.Subscription{Group: gDiag, Severity: level(callhome.LevelMinor)},
		callhome.Subscription{Group: gEnv, Severity: level(callhome.LevelMinor)},
		callhome.Subscription{Group: gInv, Periodic: monthly()},
		callhome.Subscription{Group: gSys, Severity: level(callhome.LevelMajor), Pattern: `.*`})
	return []callhome.Profile{tac}
}
