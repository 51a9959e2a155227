package personality

import (
	"strings"

	"callhome"
	"callhome/codec/syslog"
)

// Name is a personality's name in configurations.
type Name string

// The personalities.
const (
	IOS     Name = "ios"
	IOSXR   Name = "iosxr"
	NXOS    Name = "nxos"
	ASA     Name = "asa"
	UCM     Name = "ucm"
	Junos   Name = "junos"
	EOS     Name = "eos"
	Linux   Name = "linux"
	Generic Name = "generic"
)

// Personality is one platform. It is shared and must not be changed.
type Personality struct {
	Name     Name
	Title    string           // for people
	Dialects []syslog.Dialect // what its devices log in

	Groups           []Group // in the order of its show commands
	DefaultThreshold callhome.Level
	Throttle         Throttle
	Limits           Limits
	Time             TimeSyntax
	AML              AML
	LongText         string // dialect of the long text: A, B or C
	Subject          Subject

	// RequiredContact names what must be set before the service may be enabled.
	RequiredContact []string

	Rows  []Row   // the event table
	Named []Named // lines that carry a named alert

	// Contexts are the commands that run once in every context of a device that has several; all others run once, in
	// the system context.
	Contexts []string
	// Cluster are the commands whose output a cluster message carries, run on the master.
	Cluster []string

	profiles func() []callhome.Profile
}

// Group is an alert group as one platform has it.
type Group struct {
	Keyword     callhome.AlertGroup
	Label       string   // the platform's own spelling
	Description string   // as its alert group table prints it
	Commands    []string // run for every message of the group; {module} stands for the module concerned
	Full        []string // run instead when the detailed form is asked for; nil: Commands
	Disabled    bool     // off until enabled
	Unlisted    bool     // left out of the platform's alert group table
	CiscoTAC    bool     // its critical alerts are members of the Cisco-TAC group
}

// Module is the place of the module number in a command.
const Module = "{module}"

var all = [...]*Personality{&ios, &iosxr, &nxos, &asa, &ucm, &junos, &eos, &linux, &generic}

// ByName finds a personality; case does not count.
func ByName(name string) (*Personality, bool) {
	for _, p := range all {
		if strings.EqualFold(string(p.Name), name) {
			return p, true
		}
	}
	return nil, false
}

// Names lists the names in a fixed order.
func Names() []Name {
	out := make([]Name, len(all))
	for i, p := range all {
		out[i] = p.Name
	}
	return out
}

// All lists the personalities in the order of [Names].
func All() []*Personality { return append([]*Personality(nil), all[:]...) }

// ForDialect is the personality that a line of an unknown sender is judged by: the platform which logs like that, or
// generic where the dialect is spoken by all sorts of senders.
func ForDialect(d syslog.Dialect) *Personality {
	for _, p := range all {
		for _, have := range p.Dialects {
			if have == d {
				return p
			}
		}
	}
	return &generic
}

// ForLine is [ForDialect] for a parsed line: it also knows makers whose lines have a general header.
func ForLine(l *syslog.Line) *Personality {
	if l.Vendor == syslog.VendorJunos {
		return &junos
	}
	return ForDialect(l.Dialect)
}

// Group finds the platform's form of an alert group.
func (p *Personality) Group(g callhome.AlertGroup) (*Group, bool) {
	for i := range p.Groups {
		if p.Groups[i].Keyword == g {
			return &p.Groups[i], true
		}
	}
	return nil, false
}

// Commands are the commands of a message of group g, in the order their output is attached; nil where there are none.
// Messages of the Cisco-TAC group carry those of the group they come from.
func (p *Personality) Commands(g callhome.AlertGroup, detail callhome.Detail) []string {
	group, ok := p.Group(g)
	if !ok {
		return nil
	}
	if detail == callhome.DetailFull && group.Full != nil {
		return append([]string(nil), group.Full...)
	}
	return append([]string(nil), group.Commands...)
}

// CiscoTAC reports whether an alert belongs to the Cisco-TAC group, the group of all critical alerts of the others: the
// platform's table marks the groups whose alerts do, and where it marks none, all alerts of event groups at critical or
// above do.
func (p *Personality) CiscoTAC(g callhome.AlertGroup, l callhome.Level) bool {
	marked := false
	for i := range p.Groups {
		if p.Groups[i].CiscoTAC {
			if p.Groups[i].Keyword == g {
				return true
			}
			marked = true
		}
	}
	return !marked && g.HasThreshold() && l >= callhome.LevelCritical
}

// PerContext reports whether command runs in every context rather than once in the system context.
func (p *Personality) PerContext(command string) bool {
	for _, c := range p.Contexts {
		if c == command {
			return true
		}
	}
	return false
}

// Profiles are the predefined destination profiles, all inactive; the caller owns them.
func (p *Personality) Profiles() []callhome.Profile {
	if p.profiles == nil {
		return nil
	}
	return p.profiles()
}
