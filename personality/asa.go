package personality

import (
	"callhome"
	"callhome/codec/syslog"
)

// limitsASA follow the Smart Call Home chapter of the ASA configuration guides.
var limitsASA = Limits{
	ProfileName:    Field{1, 20, CharsName},
	Profiles:       10,
	MessageSize:    Span{50, 5242880, 5242880},
	RateLimit:      Span{1, 60, 10},
	MailServers:    5,
	MailServer:     Field{1, 127, CharsName},
	MailPriority:   Span{1, 100, 0},
	Pattern:        Field{1, 80, CharsAny},
	Command:        Field{1, 127, CharsAny},
	CommandList:    Field{1, 512, CharsAny},
	TestText:       Field{0, 128, CharsAny},
	URL:            Field{8, 200, CharsName},
	Email:          Field{3, 127, CharsEmail},
	ContactName:    Field{0, 127, CharsAny},
	ContactEmail:   Field{3, 127, CharsEmail},
	Phone:          Field{1, 127, CharsPhoneFree},
	StreetAddress:  Field{1, 255, CharsPrintable},
	CustomerID:     Field{1, 127, CharsPrintable},
	ContractID:     Field{1, 127, CharsPrintable},
	SiteID:         Field{1, 127, CharsPrintable},
	Sender:         Field{0, 127, CharsEmail},
	ServiceRequest: Field{0, 32, CharsName},
	CCOID:          Field{0, 200, CharsName},
}

// asa is ASA and its kin (FTD, PIX, FWSM); groups and commands after the Anonymous Reporting and Smart Call Home chapter.
var asa = Personality{
	Name:     ASA,
	Title:    "Cisco ASA",
	Dialects: []syslog.Dialect{syslog.ASA},
	Groups: []Group{
		{
			Keyword: gConf, Label: "configuration", Description: "configuration info",
			Commands: []string{"show call-home registered-module status | exclude disabled",
				"show access-list | include elements", "show context"},
			Full: []string{"show call-home registered-module status | exclude disabled",
				"show access-list | include elements", "show context", "show running-config", "show startup-config"},
		},
		{
			Keyword: gDiag, Label: "diagnostic", Description: "diagnostic info",
			Commands: []string{"show failover", "show logging", "show crashinfo"},
		},
		{
			Keyword: gEnv, Label: "environment", Description: "environmental info",
			Commands: []string{"show environment"},
		},
		{
			Keyword: gInv, Label: "inventory", Description: "inventory info",
			Commands: []string{"show inventory", "show failover state", "show module", "show version", "show environment"},
		},
		{Keyword: gSnap, Label: "snapshot", Description: "snapshot info"},
		{
			Keyword: gSys, Label: "syslog", Description: "syslog info",
			Commands: []string{"show logging"},
		},
		{
			Keyword: gTele, Label: "telemetry", Description: "telemetry info",
			Commands: []string{
				"show perfmon detail", "show traffic", "show conn count", "show vpn-sessiondb summary",
				"show vpn load-balancing", "show local-host | include interface", "show memory", "show context",
				"show access-list | include elements", "show interface", "show threat-detection statistics protocol",
				"show phone-proxy media-sessions count", "show phone-proxy secure-phones count", "show route",
				"show xlate count",
			},
		},
		{
			Keyword: gThr, Label: "threat", Description: "threat info",
			Commands: []string{"show threat-detection rate", "show threat-detection shun", "show threat-detection statistics"},
		},
		{
			Keyword: gCrsh, Label: "crash", Description: "crash info", Unlisted: true,
			Commands: []string{"show version", "show crashinfo", "show logging"},
		},
		{
			Keyword: gTest, Label: "test", Description: "test info", Unlisted: true,
			Commands: []string{"show version", "show inventory"},
		},
	},
	DefaultThreshold: callhome.LevelDebugging,
	Throttle:         Throttle{Repeat: day},
	Limits:           limitsASA,
	Time:             timeColon,
	AML: AML{MessagePrefix: "M", GroupPrefix: "G", Builder: "ASA", Version: "2.0", Brand: "Cisco Systems",
		Series: "ASA 5500 Series", Additional: true, ContactName: true},
	LongText:        "A",
	Subject:         Subject{From: "From"},
	RequiredContact: []string{"email"},
	Rows:            rowsASA,
	Cluster:         []string{"show cluster info", "show cluster history"},
	Contexts: []string{
		"show running-config", "show startup-config", "show access-list | include elements", "show logging",
		"show conn count", "show local-host | include interface", "show interface", "show route", "show xlate count",
		"show perfmon detail", "show traffic", "show threat-detection rate", "show threat-detection shun",
		"show threat-detection statistics", "show threat-detection statistics protocol",
	},
	profiles: profilesASA,
}

// profilesASA are the factory profiles: CiscoTAC-1, inactive, and License, which only carries licence traffic.
func profilesASA() []callhome.Profile {
	tac := ciscoTAC(callhome.Subscription{Group: gDiag},
		callhome.Subscription{Group: gEnv},
		callhome.Subscription{Group: gInv, Periodic: monthly()},
		callhome.Subscription{Group: gConf, Periodic: monthly()},
		callhome.Subscription{Group: gTele, Periodic: daily()})
	return []callhome.Profile{
		tac,
		{Name: "License", Format: callhome.FormatXML, HTTP: []string{tacURL}, Predefined: true},
	}
}
