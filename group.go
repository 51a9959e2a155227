package callhome

import (
	"fmt"
	"strings"
)

// AlertGroup is a predefined family of events; every message belongs to exactly one.
type AlertGroup string

// The alert groups all personalities share, and those that only some have.
const (
	GroupConfiguration AlertGroup = "configuration"
	GroupCrash         AlertGroup = "crash"
	GroupDiagnostic    AlertGroup = "diagnostic"
	GroupEnvironment   AlertGroup = "environment"
	GroupInventory     AlertGroup = "inventory"
	GroupSnapshot      AlertGroup = "snapshot"
	GroupSyslog        AlertGroup = "syslog"
	GroupTelemetry     AlertGroup = "telemetry"
	GroupThreat        AlertGroup = "threat"
	GroupTest          AlertGroup = "test"

	GroupCiscoTAC        AlertGroup = "cisco-tac"         // all critical alerts of the other groups
	GroupLicense         AlertGroup = "license"           // NX-OS, UCS
	GroupLinecard        AlertGroup = "linecard"          // NX-OS, UCS
	GroupSupervisor      AlertGroup = "supervisor"        // NX-OS, UCS
	GroupSystem          AlertGroup = "system"            // NX-OS, UCS
	GroupEEM             AlertGroup = "eem"               // NX-OS
	GroupSyslogGroupPort AlertGroup = "syslog-group-port" // NX-OS
	GroupRequest         AlertGroup = "request"           // call-home request: not subscribed to, always on demand
	GroupSendCLI         AlertGroup = "send-cli"          // call-home send "command": likewise
)

// GroupAll in a subscription stands for every group; it is never the group of a message.
const GroupAll AlertGroup = "all"

var alertGroups = []AlertGroup{
	GroupConfiguration, GroupCrash, GroupDiagnostic, GroupEnvironment, GroupInventory, GroupSnapshot, GroupSyslog,
	GroupTelemetry, GroupThreat, GroupTest, GroupCiscoTAC, GroupLicense, GroupLinecard, GroupSupervisor, GroupSystem,
	GroupEEM, GroupSyslogGroupPort, GroupRequest, GroupSendCLI,
}

// groupAliases are the spellings of other platforms and tools.
var groupAliases = map[string]AlertGroup{
	"config": GroupConfiguration, "conf": GroupConfiguration,
	"environmental": GroupEnvironment, "env": GroupEnvironment,
	"diag": GroupDiagnostic, "ciscotac": GroupCiscoTAC, "cisco-tac": GroupCiscoTAC, "ciscotac-1": GroupCiscoTAC,
	"linecard-hardware": GroupLinecard, "supervisor-hardware": GroupSupervisor,
	"syslogport": GroupSyslogGroupPort, "syslog-port": GroupSyslogGroupPort,
}

// AlertGroups lists every group a message may have, in a fixed order.
func AlertGroups() []AlertGroup { return append([]AlertGroup(nil), alertGroups...) }

// ParseAlertGroup reads a group's name in any case, in our spelling or another platform's, or "all".
func ParseAlertGroup(s string) (AlertGroup, error) {
	word := strings.ToLower(strings.TrimSpace(s))
	if word == string(GroupAll) {
		return GroupAll, nil
	}
	for _, g := range alertGroups {
		if string(g) == word {
			return g, nil
		}
	}
	if g, ok := groupAliases[word]; ok {
		return g, nil
	}
	return "", fmt.Errorf("alert group %q is unknown; use one of configuration, crash, diagnostic, environment, inventory, snapshot, syslog, telemetry, threat, test, cisco-tac", s)
}

// UnmarshalText reads what [ParseAlertGroup] reads; nothing stays nothing.
func (g *AlertGroup) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*g = ""
		return nil
	}
	v, err := ParseAlertGroup(string(b))
	if err != nil {
		return err
	}
	*g = v
	return nil
}

// Periodic reports whether subscriptions to g may have a schedule.
func (g AlertGroup) Periodic() bool {
	switch g {
	case GroupConfiguration, GroupInventory, GroupSnapshot, GroupTelemetry:
		return true
	}
	return false
}

// HasThreshold reports whether a subscription's severity counts for g.
func (g AlertGroup) HasThreshold() bool {
	switch g {
	case GroupConfiguration, GroupInventory, GroupSnapshot, GroupTelemetry, GroupTest, GroupCrash:
		return false
	}
	return true
}
