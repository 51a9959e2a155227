package agent

import (
	"regexp"
	"strconv"

	"callhome"
)

// memberLine is a member in the output of `show cluster info`: its own line, and one for every other unit.
var memberLine = regexp.MustCompile(`(?mi)^\s*(?:This is|Unit) .* in state (\S+)`)

// inactiveStates are those of units that take no part.
var inactiveStates = map[string]bool{"DISABLED": true, "ELECTION": true, "ONCALL": true, "SLAVE_COLD": true}

// clusterMembers tells, as a pair of the message, how many units are active; nothing where no output says so.
func clusterMembers(attachments []callhome.Attachment) []callhome.Tag {
	n := 0
	for _, a := range attachments {
		if a.Name != "show cluster info" {
			continue
		}
		for _, m := range memberLine.FindAllStringSubmatch(a.Text, -1) {
			if !inactiveStates[m[1]] {
				n++
			}
		}
	}
	if n == 0 {
		return nil
	}
	return []callhome.Tag{{Key: "active_members", Value: strconv.Itoa(n)}}
}
