package ctl

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"callhome"
	"callhome/agent"
	"callhome/outbox"
	"callhome/personality"
)

// statisticRows are the rows of every block of IOS-XE's statistics, in its order and spelling.
var statisticRows = []struct {
	label  string
	groups []callhome.AlertGroup
}{
	{"Config", []callhome.AlertGroup{callhome.GroupConfiguration}},
	{"Crash", []callhome.AlertGroup{callhome.GroupCrash}},
	{"Diagnostic", []callhome.AlertGroup{callhome.GroupDiagnostic}},
	{"Environment", []callhome.AlertGroup{callhome.GroupEnvironment}},
	{"Inventory", []callhome.AlertGroup{callhome.GroupInventory}},
	{"Snapshot", []callhome.AlertGroup{callhome.GroupSnapshot}},
	{"SysLog", []callhome.AlertGroup{callhome.GroupSyslog, callhome.GroupSyslogGroupPort}},
	{"Test", []callhome.AlertGroup{callhome.GroupTest}},
	{"Request", []callhome.AlertGroup{callhome.GroupRequest}},
	{"Send-CLI", []callhome.AlertGroup{callhome.GroupSendCLI}},
	{"SCH", []callhome.AlertGroup{
		callhome.GroupTelemetry, callhome.GroupThreat, callhome.GroupCiscoTAC, callhome.GroupLicense, callhome.GroupLinecard,
		callhome.GroupSupervisor, callhome.GroupSystem, callhome.GroupEEM,
	}},
}

// Statistics prints what was sent, is queued, failed and was held back.
func (s *Shower) Statistics(ctx context.Context) error {
	var st agent.Statistics
	err := s.Client.Call(ctx, CallStatistics, nil, &st)
	if err != nil || s.JSON {
		return s.orJSON(st, err)
	}
	status, err := s.status(ctx)
	if err != nil {
		return err
	}
	return s.print(func(w *bufio.Writer) { printStatistics(w, status.Personality, st) })
}

func printStatistics(w *bufio.Writer, personal string, st agent.Statistics) {
	if layoutOf(personal) == string(personality.ASA) {
		asaStatistics(w, st)
	} else {
		iosStatistics(w, st)
	}
	printSequences(w, st.Sequences)
}

// maxSequences is how many devices with gaps are printed, those that most lines are missing of; --json has all.
const maxSequences = 20

// printSequences lists the devices whose numbered lines show gaps or restarts.
func printSequences(w *bufio.Writer, all []agent.Sequence) {
	if len(all) == 0 {
		return
	}
	worst := slices.Clone(all)
	slices.SortStableFunc(worst, func(a, b agent.Sequence) int { return cmp.Compare(b.Missed-b.Late, a.Missed-a.Late) })
	fmt.Fprintf(w, "\nNumbered lines since the start:\n    %-24s %-8s %-8s %-8s %-8s %s\n", "Device", "Missed", "Hinted", "Late", "Restarts", "Last")
	for _, s := range worst[:min(len(worst), maxSequences)] {
		fmt.Fprintf(w, "    %-24s %-8d %-8d %-8d %-8d %s\n", oneLine(s.Device), s.Missed, s.Hinted, s.Late, s.Restarts, stamp(s.Last))
	}
	if more := len(worst) - maxSequences; more > 0 {
		fmt.Fprintf(w, "    and %d more\n", more)
	}
}

// tally adds up the cells of a status: in all, by mail, by HTTP.
func tally(st agent.Statistics, groups []callhome.AlertGroup, want func(outbox.Count) bool) (total, email, http int64) {
	for _, c := range st.Counts {
		if !want(c) || groups != nil && !slices.Contains(groups, c.Group) {
			continue
		}
		total += c.N
		switch c.Transport {
		case callhome.TransportEmail:
			email += c.N
		case callhome.TransportHTTP:
			http += c.N
		}
	}
	return total, email, http
}

func iosStatistics(w *bufio.Writer, st agent.Statistics) {
	fmt.Fprintf(w, "%-16s %-20s %-20s %s\n", "Message Types", "Total", "Email", "HTTP")
	fmt.Fprintln(w, "---------------- -------------------- -------------------- ------------------")
	blocks := []struct {
		label, more string
		want        func(outbox.Count) bool
	}{
		{"Total Success", "", func(c outbox.Count) bool { return c.Status == outbox.StatusSent }},
		{"Total In-Queue", "", func(c outbox.Count) bool { return c.Status == outbox.StatusQueued }},
		{"Total Failed", "", func(c outbox.Count) bool { return c.Status == outbox.StatusDead }},
		{"Total Ratelimit", "      -dropped", func(c outbox.Count) bool {
			return c.Status == outbox.StatusDropped && c.Reason == callhome.ReasonRateLimited
		}},
	}
	row := func(label string, total, email, http int64) {
		fmt.Fprintf(w, "%-16s %-20d %-20d %d\n", label, total, email, http)
	}
	for _, b := range blocks {
		total, email, http := tally(st, nil, b.want)
		row(b.label, total, email, http)
		if b.more != "" {
			fmt.Fprintln(w, b.more)
		}
		for _, r := range statisticRows {
			total, email, http := tally(st, r.groups, b.want)
			row("    "+r.label, total, email, http)
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "Last call-home message sent time: %s\n", stamp(st.LastSentAt))
}

func asaStatistics(w *bufio.Writer, st agent.Statistics) {
	fmt.Fprintf(w, "%-28s %s\n", "Message Types", "Total")
	row := func(label string, want func(outbox.Count) bool) {
		total, _, _ := tally(st, nil, want)
		fmt.Fprintf(w, "%-28s %d\n", label, total)
		for _, g := range callhome.AlertGroups() {
			if n, _, _ := tally(st, []callhome.AlertGroup{g}, want); n > 0 {
				fmt.Fprintf(w, "    %-24s %d\n", g, n)
			}
		}
	}
	row("Total Success", func(c outbox.Count) bool { return c.Status == outbox.StatusSent })
	row("Total In-Queue", func(c outbox.Count) bool { return c.Status == outbox.StatusQueued })
	row("Total Dropped", func(c outbox.Count) bool { return c.Status == outbox.StatusDead })
	fmt.Fprintf(w, "\n%-28s %s\n", "Event Types", "Total")
	var dropped int64
	for _, n := range st.Dropped {
		dropped += n
	}
	fmt.Fprintf(w, "%-28s %d\n", "Total In-Queue", st.Depth.Alerts)
	fmt.Fprintf(w, "%-28s %d\n", "Total Dropped", dropped)
	for _, reason := range slices.Sorted(maps.Keys(st.Dropped)) {
		fmt.Fprintf(w, "    %-24s %d\n", reason, st.Dropped[reason])
	}
	fmt.Fprintf(w, "\nLast call-home message sent time: %s\n", stamp(st.LastSentAt))
}
