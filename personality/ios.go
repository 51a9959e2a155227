package personality

import (
	"time"

	"callhome"
	"callhome/codec/syslog"
)

// day is the window in which a repeat of the same alert is held back.
const day = 24 * time.Hour

// limitsIOS follow the Cisco-IOS-XE-call-home model, CISCO-CALLHOME-MIB and CISCO-CALLHOME-CAPABILITY.
var limitsIOS = Limits{
	ProfileName:     Field{1, 31, CharsName},
	ReservedProfile: []string{"all"},
	URLs:            1,
	MessageSize:     Span{50, 3145728, 3145728},
	RateLimit:       Span{1, 60, 20},
	MailServers:     5,
	MailServer:      Field{1, 64, CharsName},
	MailPriority:    Span{1, 100, 0},
	Pattern:         Field{1, 80, CharsAny},
	Command:         Field{1, 127, CharsAny},
	CommandList:     Field{1, 127, CharsAny},
	TestText:        Field{0, 128, CharsAny},
	URL:             Field{8, 200, CharsName},
	Email:           Field{5, 200, CharsEmail},
	ContactName:     Field{0, 200, CharsAny},
	ContactEmail:    Field{3, 200, CharsEmail},
	Phone:           Field{12, 17, CharsPhone},
	StreetAddress:   Field{1, 200, CharsPrintable},
	CustomerID:      Field{1, 64, CharsPrintable},
	ContractID:      Field{1, 64, CharsPrintable},
	SiteID:          Field{1, 200, CharsPrintable},
	Sender:          Field{0, 200, CharsEmail},
	ServiceRequest:  Field{0, 32, CharsName},
	CCOID:           Field{0, 200, CharsName},
}

// ios is IOS and IOS XE; the commands are those of routers, which recent switches take as well.
var ios = Personality{
	Name:     IOS,
	Title:    "Cisco IOS and IOS XE",
	Dialects: []syslog.Dialect{syslog.IOS, syslog.AireOS},
	Groups: []Group{
		{
			Keyword: gConf, Label: "configuration", Description: "configuration info",
			Commands: []string{"show platform", "show inventory", "show version"},
			Full: []string{"show platform", "show inventory", "show running-config all", "show startup-config",
				"show version"},
		},
		{
			Keyword: gCrsh, Label: "crash", Description: "crash and traceback info",
			Commands: []string{"show version", "show logging", "show region", "show stack"},
		},
		{
			Keyword: gDiag, Label: "diagnostic", Description: "diagnostic info",
			Commands: []string{"show module", "show version", "show inventory", "show buffers", "show logging",
				"show diagnostic result module {module} detail", "show diagnostic result module all"},
		},
		{
			Keyword: gEnv, Label: "environment", Description: "environmental info",
			Commands: []string{"show environment", "show logging", "show inventory", "show environment trace", "show diag"},
		},
		{
			Keyword: gInv, Label: "inventory", Description: "inventory info",
			Commands: []string{"show inventory oid", "show version"},
			Full:     []string{"show inventory oid", "show version", "show platform", "show diag all eeprom detail"},
		},
		{Keyword: gSnap, Label: "snapshot", Description: "snapshot info"},
		{
			Keyword: gSys, Label: "syslog", Description: "syslog info",
			Commands: []string{"show logging", "show inventory"},
		},
		{
			Keyword: gTest, Label: "test", Description: "test info", Unlisted: true,
			Commands: []string{"show platform", "show version", "show inventory"},
		},
	},
	DefaultThreshold: callhome.LevelDebugging,
	Throttle:         Throttle{Repeat: day},
	Limits:           limitsIOS,
	Time:             timeColon,
	AML: AML{MessagePrefix: "M", GroupPrefix: "G", Builder: "IOS", Version: "2.0", Brand: "Cisco Systems",
		Series: "IOS Devices", Additional: true},
	LongText:        "A",
	Subject:         Subject{From: "From"},
	RequiredContact: []string{"email"},
	Rows:            rowsIOS,
	profiles:        profilesIOS,
}

// profilesIOS is CiscoTAC-1 as recent IOS XE shows it, but inactive. The configuration message follows the inventory
// message of the same day by a quarter of an hour; day and hour are the device's choice.
func profilesIOS() []callhome.Profile {
	tac := ciscoTAC(callhome.Subscription{Group: gConf, Periodic: monthly()},
		callhome.Subscription{Group: gCrsh, Severity: level(callhome.LevelDebugging)},
		callhome.Subscription{Group: gDiag, Severity: level(callhome.LevelMinor)},
		callhome.Subscription{Group: gEnv, Severity: level(callhome.LevelWarning)},
		callhome.Subscription{Group: gInv, Severity: level(callhome.LevelNormal), Periodic: monthly()},
		callhome.Subscription{Group: gSys, Severity: level(callhome.LevelWarning), Pattern: `APF-.-WLC_.*`},
		callhome.Subscription{Group: gSys, Severity: level(callhome.LevelMajor), Pattern: `.*`})
	tac.MessageSizeLimit = new(limitsIOS.MessageSize.Default)
	return []callhome.Profile{tac}
}
