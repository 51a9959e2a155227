package ctl

import (
	"bufio"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"callhome"
	"callhome/agent"
	"callhome/outbox"
	"callhome/personality"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil { //nolint:gosec // a golden file is public
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// fixedStatus is the status of a device of a platform: its groups and predefined profiles, and one profile of each kind.
func fixedStatus(t *testing.T, name personality.Name) agent.Status {
	t.Helper()
	p, ok := personality.ByName(string(name))
	if !ok {
		t.Fatalf("there is no personality %s", name)
	}
	minute := 20
	st := agent.Status{
		Version: "1.4.0", Personality: string(name), Enabled: true,
		Contact:    agent.Contact{Name: "Ola Nordmann", Email: "noc@acme.example", Phone: "+47-22-555-0100", StreetAddress: "Storgata 1, Oslo"},
		CustomerID: "acme-7", ContractID: "K-1", RateLimit: p.Limits.RateLimit.Default, DuplicateThrottling: true, DataPrivacy: "normal",
		Devices:   []agent.DeviceStatus{{Hostname: "core-1", Address: "192.0.2.7", Personality: "iosxr", Model: "HR-9", Serial: "HX1", Commands: true}},
		Strangers: []agent.Stranger{{Name: "192.0.2.99", Last: time.Date(2027, 1, 9, 4, 5, 6, 0, time.UTC)}},
		Profiles: []callhome.Profile{{
			Name: "ops", Active: true, Format: callhome.FormatXML, HTTP: []string{"https://relay.acme.example/its"}, Email: []string{"noc@acme.example", "oncall@acme.example"},
			Subscribe: []callhome.Subscription{
				{Group: callhome.GroupInventory, Periodic: &callhome.Periodic{Weekly: &callhome.Weekly{Day: "monday", At: "08:00"}}},
				{Group: callhome.GroupSnapshot, Periodic: &callhome.Periodic{Hourly: &callhome.Hourly{Minute: &minute}}},
				{Group: callhome.GroupCrash},
				{Group: callhome.GroupEnvironment, Severity: level(callhome.LevelWarning)},
				{Group: callhome.GroupSyslog, Severity: level(callhome.LevelMajor), Pattern: "LINK-.*"},
			},
		}, {Name: "idle", Format: callhome.FormatShort, Email: []string{"night@acme.example"}}},
	}
	for _, g := range p.Groups {
		st.Groups = append(st.Groups, agent.GroupStatus{Keyword: g.Keyword, Label: g.Label, Description: g.Description, Enabled: g.Keyword != callhome.GroupSnapshot})
	}
	for _, predefined := range p.Profiles() {
		for i := range predefined.Subscribe {
			switch s := &predefined.Subscribe[i]; {
			case s.Periodic == nil:
			case s.Periodic.Monthly != nil:
				s.Periodic = &callhome.Periodic{Monthly: &callhome.Monthly{Day: 14, At: "09:00"}}
			case s.Periodic.Daily != nil:
				s.Periodic = &callhome.Periodic{Daily: &callhome.Daily{At: "09:00"}}
			}
		}
		st.Profiles = append(st.Profiles, predefined)
	}
	return st
}

// TestLayouts prints every show command in the three layouts.
func TestLayouts(t *testing.T) {
	mail := []MailServer{
		{Address: "relay1.acme.example", Priority: 1, Secure: "none", State: "available"},
		{Address: "relay2.acme.example", Priority: 20, Secure: "tls", State: "not_available", Error: "554 no\r\n\x1b[2Jservice"},
	}
	statistics := agent.Statistics{
		Statistics: outbox.Statistics{LastSentAt: time.Date(2027, 1, 9, 4, 5, 6, 0, time.UTC), Counts: []outbox.Count{
			{Group: callhome.GroupSyslog, Transport: callhome.TransportHTTP, Status: outbox.StatusSent, N: 41},
			{Group: callhome.GroupCrash, Transport: callhome.TransportEmail, Status: outbox.StatusSent, N: 2},
			{Group: callhome.GroupThreat, Transport: callhome.TransportHTTP, Status: outbox.StatusQueued, N: 3},
			{Group: callhome.GroupInventory, Transport: callhome.TransportEmail, Status: outbox.StatusDead, N: 1},
			{Group: callhome.GroupSyslog, Status: outbox.StatusDropped, Reason: callhome.ReasonRateLimited, N: 7},
		}},
		Dropped: map[callhome.Reason]int64{callhome.ReasonRateLimited: 7}, Depth: outbox.Depth{Alerts: 5},
		Sequences: []agent.Sequence{
			{Device: "core-1", Missed: 7, Late: 6, Gaps: 2, Last: time.Date(2027, 1, 9, 4, 5, 6, 0, time.UTC)},
			{Device: "edge\x1b[2J", Missed: 40, Hinted: 40, Gaps: 1, Restarts: 3, Last: time.Date(2027, 1, 9, 4, 5, 7, 0, time.UTC)},
		},
	}
	for _, name := range []personality.Name{personality.IOS, personality.NXOS, personality.ASA} {
		st := fixedStatus(t, name)
		for what, print := range map[string]func(*bufio.Writer){
			"settings":     func(w *bufio.Writer) { printSettings(w, st, mail, false) },
			"detail":       func(w *bufio.Writer) { printSettings(w, st, mail, true) },
			"groups":       func(w *bufio.Writer) { printGroups(w, st) },
			"profiles":     func(w *bufio.Writer) { printProfiles(w, st, st.Profiles) },
			"mail-servers": func(w *bufio.Writer) { printMailServers(w, st.Personality, mail) },
			"statistics":   func(w *bufio.Writer) { printStatistics(w, st.Personality, statistics) },
			"unset": func(w *bufio.Writer) {
				printSettings(w, agent.Status{Personality: string(name), DataPrivacy: "normal"}, nil, false)
				printMailServers(w, string(name), nil)
				printStatistics(w, string(name), agent.Statistics{})
			},
		} {
			t.Run(string(name)+"/"+what, func(t *testing.T) { golden(t, string(name)+"-"+what+".txt", printed(print)) })
		}
	}
	golden(t, "version.txt", printed(func(w *bufio.Writer) { printVersion(w, agent.Status{Version: "1.4.0"}) }))
	golden(t, "reloaded.txt", printed(func(w *bufio.Writer) {
		printReloaded(w, &Reloaded{Profiles: 2, Devices: 14, MailServers: 1, Restart: []string{"intake", "queue"}, Warnings: []string{"agent.yaml:3:4: no mail"}})
	}))
	golden(t, "modules.txt", printed(func(w *bufio.Writer) {
		printModules(w, []agent.ModuleStatus{{Name: "syslog", Enabled: true, Events: 1204}, {Name: "logfile"}})
	}))
	golden(t, "events.txt", printed(func(w *bufio.Writer) {
		printEvents(w, []agent.EventStatus{
			{Profile: "ops", Group: callhome.GroupCrash, Index: 1, Of: 2, Severity: callhome.LevelDebugging, Subscription: "normal"},
			{Profile: "ops", Group: callhome.GroupTest, Index: 2, Of: 2, Severity: callhome.LevelNormal, Subscription: "normal", Last: time.Date(2027, 1, 9, 4, 5, 6, 0, time.UTC)},
		})
	}))
}
