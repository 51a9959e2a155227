package personality

import (
	"time"

	"callhome"
	"callhome/codec/syslog"
)

// limitsNXOS follow the Cisco-NX-OS-device model, CISCO-CALLHOME-MIB and the Nexus system management guides. No rate
// limit is published; the range of IOS stands in, without a default.
var limitsNXOS = Limits{
	ProfileName:    Field{1, 31, CharsName},
	Recipients:     50,
	URLs:           50,
	MessageSize:    Span{0, 5000000, 2500000},
	SizeZero:       true,
	RateLimit:      Span{1, 60, 20},
	MailServers:    5,
	MailServer:     Field{1, 255, CharsName},
	MailPriority:   Span{0, 100, 50},
	Pattern:        Field{1, 80, CharsAny},
	UserCommands:   5,
	Command:        Field{1, 600, CharsAny},
	CommandList:    Field{1, 600, CharsAny},
	TestText:       Field{0, 128, CharsAny},
	URL:            Field{11, 255, CharsName},
	Email:          Field{3, 255, CharsEmail},
	ContactName:    Field{0, 255, CharsAny},
	ContactEmail:   Field{3, 255, CharsEmail},
	Phone:          Field{2, 17, CharsPhone},
	StreetAddress:  Field{1, 255, CharsPrintable},
	CustomerID:     Field{1, 255, CharsPrintable},
	ContractID:     Field{1, 255, CharsPrintable},
	SiteID:         Field{1, 255, CharsPrintable},
	Sender:         Field{0, 255, CharsEmail},
	ServiceRequest: Field{0, 32, CharsName},
	CCOID:          Field{0, 200, CharsName},
	SwitchPriority: Span{0, 7, 7},
	InventoryDays:  Span{1, 30, 7},
}

// hardwareNXOS is what diagnostic, line card and supervisor messages attach.
var hardwareNXOS = []string{
	"show diagnostic result module all detail", "show diagnostic result module {module} detail", "show hardware",
	"show logging last 200", "show module", "show sprom all", "show tech-support gold", "show tech-support ethpm",
	"show tech-support platform", "show version",
}

// nxos is NX-OS on Nexus and MDS; groups, events and commands after the Smart Call Home chapters of the Nexus guides.
var nxos = Personality{
	Name:     NXOS,
	Title:    "Cisco NX-OS",
	Dialects: []syslog.Dialect{syslog.NXOS},
	Groups: []Group{
		{Keyword: gTAC, Label: "Cisco-TAC", Description: "critical alerts of the other groups"},
		{
			Keyword: gConf, Label: "Configuration", Description: "configuration info",
			Commands: []string{"show module", "show version"},
			Full:     []string{"show module", "show version", "show running-config all", "show startup-config"},
		},
		{
			Keyword: gDiag, Label: "Diagnostic", Description: "diagnostic info",
			Commands: []string{"show diagnostic result module all detail",
				"show diagnostic result module {module} detail", "show hardware", "show logging last 200", "show module",
				"show sprom all", "show tech-support gold", "show tech-support platform", "show version"},
		},
		{
			Keyword: gEEM, Label: "EEM", Description: "embedded event manager",
			Commands: []string{"show diagnostic result module all detail", "show module", "show tech-support gold",
				"show tech-support platform"},
		},
		{
			Keyword: gEnv, Label: "Environmental", Description: "environmental info", CiscoTAC: true,
			Commands: []string{"show environment", "show logging last 200", "show module", "show version"},
		},
		{
			Keyword: gInv, Label: "Inventory", Description: "inventory info", CiscoTAC: true,
			Commands: []string{"show inventory", "show license usage", "show module", "show sprom all",
				"show system uptime", "show version"},
		},
		{
			Keyword: gLic, Label: "License", Description: "license info",
			Commands: []string{"show license usage all", "show logging last 200"},
		},
		{Keyword: gLC, Label: "Linecard-Hardware", Description: "line card hardware", CiscoTAC: true, Commands: hardwareNXOS},
		{Keyword: gSup, Label: "Supervisor-Hardware", Description: "supervisor hardware", CiscoTAC: true, Commands: hardwareNXOS},
		{
			Keyword: gPort, Label: "Syslog-group-port", Description: "port facility messages",
			Commands: []string{"show license usage", "show logging last 200"},
		},
		{
			Keyword: gSyst, Label: "System", Description: "software failures", CiscoTAC: true,
			Commands: []string{"show diagnostic result module all detail", "show hardware", "show logging last 200",
				"show module", "show tech-support ethpm", "show tech-support gold", "show tech-support platform"},
		},
		{
			Keyword: gTest, Label: "Test", Description: "test info", CiscoTAC: true,
			Commands: []string{"show module", "show version"},
		},
		{
			Keyword: gCrsh, Label: "crash", Description: "crash info", Unlisted: true,
			Commands: []string{"show version", "show cores", "show process log", "show logging last 200"},
		},
		{
			Keyword: gSys, Label: "syslog", Description: "syslog info", Unlisted: true,
			Commands: []string{"show license usage", "show logging last 200"},
		},
		{Keyword: gSnap, Label: "snapshot", Description: "snapshot info", Unlisted: true},
	},
	DefaultThreshold: callhome.LevelDebugging,
	Throttle:         Throttle{PerType: 30, Window: 2 * time.Hour},
	Limits:           limitsNXOS,
	Time:             timeNoColon,
	AML: AML{Builder: "DC3", Version: "4.1", Brand: "Cisco", Series: "Nexus7000", OmitUnset: true,
		SyslogPrefix: "SYSLOG_ALERT "},
	LongText:        "B",
	Subject:         Subject{From: "from", Subtype: true},
	RequiredContact: []string{"name", "phone", "street_address"},
	Rows:            rowsNXOS,
	profiles:        profilesNXOS,
}

// Sizes of the two text profiles, after the Nexus guides.
const (
	sizeFullText  = 2500000
	sizeShortText = 4000
)

func profilesNXOS() []callhome.Profile {
	tac := ciscoTAC(callhome.Subscription{Group: gTAC, Severity: level(callhome.LevelDebugging)})
	tac.HTTP, tac.Email = nil, []string{tacEmail}
	all := []callhome.Subscription{{Group: callhome.GroupAll, Severity: level(callhome.LevelDebugging)}}
	return []callhome.Profile{
		tac,
		{Name: "full-txt-destination", Format: callhome.FormatFull, LongTextDialect: "B", MessageSizeLimit: size(sizeFullText),
			Subscribe: all, Predefined: true},
		{Name: "short-txt-destination", Format: callhome.FormatShort, MessageSizeLimit: size(sizeShortText),
			Subscribe: append([]callhome.Subscription(nil), all...), Predefined: true},
	}
}
