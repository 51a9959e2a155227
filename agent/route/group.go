package route

import "callhome"

// groups is the number of alert groups and one for what is none; levels that of levels.
const (
	groups       = 20
	levels       = 10
	groupUnknown = groups - 1
)

// Subjects come in four kinds: inside or outside Cisco-TAC, logged or not.
const (
	kindTAC    = 1
	kindLogged = 2
	kinds      = 4
)

func kindOf(tac, logged bool) int {
	k := 0
	if tac {
		k |= kindTAC
	}
	if logged {
		k |= kindLogged
	}
	return k
}

// groupIndex numbers the alert groups in the order of [callhome.AlertGroups]. A switch is several times faster than a
// map, and this runs for every line.
func groupIndex(g callhome.AlertGroup) int {
	switch g {
	case callhome.GroupConfiguration:
		return 0
	case callhome.GroupCrash:
		return 1
	case callhome.GroupDiagnostic:
		return 2
	case callhome.GroupEnvironment:
		return 3
	case callhome.GroupInventory:
		return 4
	case callhome.GroupSnapshot:
		return 5
	case callhome.GroupSyslog:
		return 6
	case callhome.GroupTelemetry:
		return 7
	case callhome.GroupThreat:
		return 8
	case callhome.GroupTest:
		return 9
	case callhome.GroupCiscoTAC:
		return 10
	case callhome.GroupLicense:
		return 11
	case callhome.GroupLinecard:
		return 12
	case callhome.GroupSupervisor:
		return 13
	case callhome.GroupSystem:
		return 14
	case callhome.GroupEEM:
		return 15
	case callhome.GroupSyslogGroupPort:
		return 16
	case callhome.GroupRequest:
		return 17
	case callhome.GroupSendCLI:
		return 18
	}
	return groupUnknown
}

var groupNames = callhome.AlertGroups()

func groupName(i int) callhome.AlertGroup {
	if i < len(groupNames) {
		return groupNames[i]
	}
	return ""
}

// groupSet is a set of group numbers.
type groupSet uint32

func (s *groupSet) add(i int)     { *s |= 1 << i }
func (s groupSet) has(i int) bool { return s&(1<<i) != 0 }
