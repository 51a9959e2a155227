package ctl

import (
	"bufio"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"callhome"
	"callhome/agent"
)

// printed is what f prints.
func printed(f func(w *bufio.Writer)) string {
	var b strings.Builder
	w := bufio.NewWriter(&b)
	f(w)
	_ = w.Flush()
	return b.String()
}

func level(l callhome.Level) *callhome.Level { return &l }

// A group that is only scheduled stands among the schedules and not in the table of severities; predefined profiles
// come first.
func TestProfileAsIOSPrintsIt(t *testing.T) {
	profiles := []callhome.Profile{
		{
			Name: "ops", Active: true, Format: callhome.FormatXML,
			HTTP:  []string{"https://relay.ops.example/Transportgateway/services/DeviceRequestHandler"},
			Email: []string{"noc@ops.example", "oncall@ops.example"},
			Subscribe: []callhome.Subscription{
				{Group: callhome.GroupInventory, Periodic: &callhome.Periodic{Monthly: &callhome.Monthly{Day: 7, At: "06:30"}}},
				{Group: callhome.GroupSnapshot, Periodic: &callhome.Periodic{Daily: &callhome.Daily{At: "00:00"}}},
				{Group: callhome.GroupEnvironment, Severity: level(callhome.LevelWarning)},
				{Group: callhome.GroupSyslog, Severity: level(callhome.LevelMajor), Pattern: ".*"},
			},
		},
		{Name: "CiscoTAC-1", Predefined: true, Email: []string{"tac@ops.example"}},
	}
	got := printed(func(w *bufio.Writer) { iosProfiles(w, profiles, "") })
	want := `Profile Name: CiscoTAC-1
    Profile status: INACTIVE
    Profile mode: Full Reporting
    Reporting Data: Smart Call Home
    Preferred Message Format: xml
    Message Size Limit: 3145728 Bytes
    Transport Method: email
    Email address(es): tac@ops.example
    Other address(es): default

    Alert-group               Severity
    ------------------------  ------------
    N/A                       N/A

    Syslog-Pattern            Severity
    ------------------------  ------------
    N/A                       N/A

Profile Name: ops
    Profile status: ACTIVE
    Profile mode: Full Reporting
    Reporting Data: Smart Call Home
    Preferred Message Format: xml
    Message Size Limit: 3145728 Bytes
    Transport Method: http and email
    HTTP  address: https://relay.ops.example/Transportgateway/services/DeviceRequestHandler
    Email address(es): noc@ops.example
                       oncall@ops.example
    Other address(es): default

    Periodic inventory info message is scheduled every 7 day of the month at 06:30

    Periodic snapshot info message is scheduled daily at 00:00

    Alert-group               Severity
    ------------------------  ------------
    environment               warning

    Syslog-Pattern            Severity
    ------------------------  ------------
    .*                        major
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// The groups are those that IOS-XE lists; a test is none of them.
func TestGroupsAsIOSPrintsThem(t *testing.T) {
	st := agent.Status{Groups: []agent.GroupStatus{
		{Keyword: callhome.GroupSyslog, Description: "syslog info", Enabled: true},
		{Keyword: callhome.GroupTest, Description: "test info", Enabled: true},
		{Keyword: callhome.GroupCrash, Description: "crash and traceback info"},
	}}
	got := printed(func(w *bufio.Writer) { iosGroups(w, st) })
	want := `Available alert groups:
    Keyword                  State   Description
    ------------------------ ------- -------------------------------
    crash                    Disable crash and traceback info
    syslog                   Enable  syslog info
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// The line under the heading of the statistics is as wide as the columns.
func TestStatisticsAlign(t *testing.T) {
	lines := strings.Split(printed(func(w *bufio.Writer) { iosStatistics(w, agent.Statistics{}) }), "\n")
	if len(lines) < 2 {
		t.Fatal("no statistics")
	}
	for _, word := range []string{"Total", "Email", "HTTP"} {
		if at := strings.Index(lines[0], word); lines[1][at-1] != ' ' || lines[1][at] != '-' {
			t.Errorf("%s begins a column at %d, but the line below is %q", word, at, lines[1])
		}
	}
}
