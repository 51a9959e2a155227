package personality

import (
	"callhome"
	"callhome/codec/syslog"
)

// eos is Arista EOS; it has no Call Home, groups and commands are ours.
var eos = Personality{
	Name:     EOS,
	Title:    "Arista EOS",
	Dialects: []syslog.Dialect{syslog.EOS},
	Groups: []Group{
		{
			Keyword: gConf, Label: "configuration", Description: "configuration info",
			Commands: []string{"show version", "show running-config diffs"},
			Full:     []string{"show version", "show running-config diffs", "show running-config all", "show startup-config"},
		},
		{
			Keyword: gCrsh, Label: "crash", Description: "agent crash info",
			Commands: []string{"show version", "show agent logs crash", "show reload cause", "show logging last 1 hours"},
		},
		{
			Keyword: gDiag, Label: "diagnostic", Description: "diagnostic info",
			Commands: []string{"show version", "show module", "show hardware counter drop", "show processes top once",
				"show logging last 1 hours"},
		},
		{
			Keyword: gEnv, Label: "environment", Description: "environmental info",
			Commands: []string{"show system environment all", "show environment power", "show environment temperature",
				"show environment cooling", "show inventory", "show logging last 1 hours"},
		},
		{
			Keyword: gInv, Label: "inventory", Description: "inventory info",
			Commands: []string{"show version", "show inventory", "show module"},
			Full:     []string{"show version detail", "show inventory", "show module", "show boot-config", "show extensions"},
		},
		{Keyword: gSnap, Label: "snapshot", Description: "snapshot info"},
		{
			Keyword: gSys, Label: "syslog", Description: "syslog info",
			Commands: []string{"show logging last 1 hours"},
		},
		{
			Keyword: gThr, Label: "threat", Description: "threat info",
			Commands: []string{"show aaa sessions", "show logging last 1 hours"},
		},
		{
			Keyword: gTest, Label: "test", Description: "test info", Unlisted: true,
			Commands: []string{"show version", "show inventory"},
		},
	},
	DefaultThreshold: callhome.LevelDebugging,
	Throttle:         Throttle{Repeat: day},
	Limits:           limitsOwn,
	Time:             timeColon,
	AML: AML{MessagePrefix: "M", GroupPrefix: "G", Builder: "EOS", Version: "2.0", Brand: "Arista Networks",
		Series: "EOS Switches", Additional: true, ContactName: true},
	LongText:        "A",
	Subject:         Subject{From: "From"},
	RequiredContact: []string{"email"},
	Rows:            rowsEOS,
	profiles:        profilesOwn,
}
