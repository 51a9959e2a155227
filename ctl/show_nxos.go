package ctl

import (
	"bufio"
	"fmt"
	"slices"
	"strings"

	"callhome"
	"callhome/agent"
)

// The layouts of this file are those of NX-OS (NX-API CLI reference, callhome commands).

// nxosFormats are NX-OS's words for the formats.
var nxosFormats = map[callhome.Format]string{"": "XML", callhome.FormatXML: "XML", callhome.FormatFull: "full-txt", callhome.FormatShort: "short-txt"}

// lowestPriority is NX-OS's default switch priority.
const lowestPriority = 7

func nxosSettings(w *bufio.Writer, st agent.Status) {
	priority := lowestPriority
	if st.SwitchPriority != nil {
		priority = *st.SwitchPriority
	}
	state := func(on bool) string { return enabledWord(on) + "d" }
	fmt.Fprintf(w, "callhome %s\nCallhome Information:\n", state(st.Enabled))
	fmt.Fprintf(w, "contact person name(sysContact):%s\ncontact person's email:%s\ncontact person's phone number:%s\n", st.Contact.Name, st.Contact.Email, st.Contact.Phone)
	fmt.Fprintf(w, "street addr:%s\nsite id:%s\ncustomer id:%s\ncontract id:%s\nswitch priority:%d\n", st.Contact.StreetAddress, st.SiteID, st.CustomerID, st.ContractID, priority)
	fmt.Fprintf(w, "duplicate message throttling : %s\n", state(st.DuplicateThrottling))
	periodic := nxosInventory(st.Profiles)
	fmt.Fprintf(w, "periodic inventory : %s\n", state(periodic != nil))
	if periodic != nil {
		days, at := nxosPeriod(periodic)
		fmt.Fprintf(w, "periodic inventory time-period : %d days\nperiodic inventory timeofday : %s (HH:MM)\n", days, at)
	}
	fmt.Fprintln(w, "Distribution : Disabled")
}

// nxosInventory is the first schedule of an active profile's inventory messages.
func nxosInventory(profiles []callhome.Profile) *callhome.Periodic {
	for i := range profiles {
		for _, s := range profiles[i].Subscribe {
			if profiles[i].Active && s.Group == callhome.GroupInventory && s.Periodic != nil {
				return s.Periodic
			}
		}
	}
	return nil
}

func nxosPeriod(p *callhome.Periodic) (days int, at string) {
	const noTime = "00:00"
	switch {
	case p.Weekly != nil:
		return 7, or(p.Weekly.At, noTime)
	case p.Monthly != nil:
		return 30, or(p.Monthly.At, noTime)
	case p.Daily != nil:
		return 1, or(p.Daily.At, noTime)
	}
	return 1, noTime
}

func nxosProfiles(w *bufio.Writer, st agent.Status, profiles []callhome.Profile) {
	for i := range profiles {
		p := &profiles[i]
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%s destination profile information\nmaximum message size:%d\nmessage format:%s\nmessage-level:%d\n", p.Name, nxosSize(p), nxosFormats[p.Format], nxosLevel(p))
		fmt.Fprintf(w, "transport-method:%s\nemail addresses configured:\n", strings.ReplaceAll(transports(p), " and ", ","))
		for _, a := range p.Email {
			fmt.Fprintln(w, a)
		}
		fmt.Fprintln(w, "url addresses configured:")
		for _, u := range p.HTTP {
			fmt.Fprintln(w, u)
		}
		fmt.Fprintln(w, "\nalert groups configured:")
		for _, g := range nxosGroups(st, p) {
			fmt.Fprintln(w, g)
		}
	}
}

// nxosSize is a profile's size limit; NX-OS's own default is 2500000.
func nxosSize(p *callhome.Profile) int {
	if p.MessageSizeLimit == nil {
		return 2500000
	}
	return *p.MessageSizeLimit
}

// nxosLevel is the lowest threshold of the profile: NX-OS has one for all groups.
func nxosLevel(p *callhome.Profile) callhome.Level {
	lowest := callhome.LevelCatastrophic
	for _, s := range p.Subscribe {
		if s.Severity == nil {
			return callhome.LevelDebugging
		}
		lowest = min(lowest, *s.Severity)
	}
	if len(p.Subscribe) == 0 {
		return callhome.LevelDebugging
	}
	return lowest
}

// nxosGroups are the profile's groups in the platform's spelling.
func nxosGroups(st agent.Status, p *callhome.Profile) []string {
	var out []string
	for _, s := range p.Subscribe {
		label := string(s.Group)
		for _, g := range st.Groups {
			if g.Keyword == s.Group && g.Label != "" {
				label = g.Label
			}
		}
		if !slices.Contains(out, label) {
			out = append(out, label)
		}
	}
	return out
}
