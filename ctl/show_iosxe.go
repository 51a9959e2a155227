package ctl

import (
	"bufio"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"callhome"
	"callhome/agent"
	"callhome/personality"
)

// The layouts of this file are those of IOS-XE (show call-home reference outputs), field for field.

func or(v, otherwise string) string {
	if v == "" {
		return otherwise
	}
	return v
}

func enabledWord(on bool) string {
	if on {
		return "enable"
	}
	return "disable"
}

// stamp is a time as show commands print it, n/a when there is none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "n/a"
	}
	return string(callhome.At(t.UTC()).AppendGMT(nil))
}

func iosSettings(w *bufio.Writer, st agent.Status, mail []MailServer) {
	line := func(label, value string) { fmt.Fprintf(w, "    %s: %s\n", label, or(value, notSet)) }
	fmt.Fprintln(w, "Current call home settings:")
	fmt.Fprintf(w, "    call home feature : %s\n", enabledWord(st.Enabled))
	line("call home message's from address", st.Sender.From)
	line("call home message's reply-to address", st.Sender.ReplyTo)
	fmt.Fprintln(w)
	line("vrf for call-home messages", st.Road.VRF)
	fmt.Fprintln(w)
	line("contact person's email address", st.Contact.Email)
	fmt.Fprintln(w)
	line("contact person's phone number", st.Contact.Phone)
	line("street address", st.Contact.StreetAddress)
	line("customer ID", st.CustomerID)
	line("contract ID", st.ContractID)
	line("site ID", st.SiteID)
	fmt.Fprintln(w)
	line("source ip address", st.Road.SourceAddress)
	line("source interface", st.Road.SourceInterface)
	iosMailServers(w, mail)
	line("http proxy", st.Road.HTTPProxy)
	check, order := "enabled", "default"
	if st.Road.NoIdentityCheck {
		check = "disabled"
	}
	if st.Road.IPv4First {
		order = "ipv4-first"
	}
	fmt.Fprintf(w, "    http secure:\n      server identity check: %s\n    http resolve-hostname: %s\n\n", check, order)
	fmt.Fprint(w, "    Diagnostic signature: disabled\n\n    Smart licensing messages: disabled\n\n")
	fmt.Fprint(w, "    aaa-authorization: disable\n    aaa-authorization username: callhome (default)\n")
	privacy := st.DataPrivacy
	if st.PrivacyHostname {
		privacy += " hostname"
	}
	line("data-privacy", privacy)
	line("syslog throttling", enabledWord(st.DuplicateThrottling))
	fmt.Fprintf(w, "\n    Rate-limit: %d message(s) per minute\n\n", st.RateLimit)
	iosSnapshot(w, st.SnapshotCommands)
	fmt.Fprintln(w)
	iosGroups(w, st)
	fmt.Fprintln(w, "\nProfiles:")
	for _, p := range predefinedFirst(st.Profiles) {
		fmt.Fprintf(w, "    Profile Name: %s\n", p.Name)
	}
}

// predefinedFirst is the order in which IOS lists profiles.
func predefinedFirst(profiles []callhome.Profile) []callhome.Profile {
	return slices.SortedStableFunc(slices.Values(profiles), func(a, b callhome.Profile) int {
		switch {
		case a.Predefined == b.Predefined:
			return 0
		case a.Predefined:
			return -1
		}
		return 1
	})
}

func iosMailServers(w *bufio.Writer, mail []MailServer) {
	if len(mail) == 0 {
		fmt.Fprintln(w, "    Mail-server: "+notSet)
	}
	for i, m := range mail {
		fmt.Fprintf(w, "    Mail-server[%d]: Address: %s Priority: %d Secure: %s\n", i+1, m.Address, m.Priority, m.Secure)
	}
}

func iosSnapshot(w *bufio.Writer, c agent.SnapshotCommands) {
	commands := slices.Concat(c.System, c.Context)
	if len(commands) == 0 {
		fmt.Fprintln(w, "    Snapshot command: "+notSet)
	}
	for i, command := range commands {
		fmt.Fprintf(w, "    Snapshot command[%d]: %s\n", i, command)
	}
}

func iosGroups(w *bufio.Writer, st agent.Status) {
	fmt.Fprint(w, "Available alert groups:\n    Keyword                  State   Description\n    ------------------------ ------- -------------------------------\n")
	groups := slices.SortedFunc(slices.Values(st.Groups), func(a, b agent.GroupStatus) int { return cmp.Compare(a.Keyword, b.Keyword) })
	for _, g := range groups {
		if g.Keyword == callhome.GroupTest && st.Personality != string(personality.NXOS) {
			continue // IOS-XE does not list it, NX-OS does
		}
		state := "Disable"
		if g.Enabled {
			state = "Enable"
		}
		fmt.Fprintf(w, "    %-24s %-7s %s\n", g.Keyword, state, g.Description)
	}
}

// iosProfiles prints profiles in full; indent is one column more for every line.
func iosProfiles(w *bufio.Writer, profiles []callhome.Profile, indent string) {
	profiles = predefinedFirst(profiles)
	for i := range profiles {
		if i > 0 || indent != "" {
			fmt.Fprintln(w)
		}
		iosProfile(w, &profiles[i], indent)
	}
}

func iosProfile(w *bufio.Writer, p *callhome.Profile, indent string) {
	out := func(format string, args ...any) { fmt.Fprintf(w, indent+format+"\n", args...) }
	out("Profile Name: %s", p.Name)
	status, mode := "INACTIVE", "Full Reporting"
	if p.Active {
		status = "ACTIVE"
	}
	if p.AnonymousOnly {
		mode = "Anonymous Reporting Only"
	}
	out("    Profile status: %s", status)
	out("    Profile mode: %s", mode)
	out("    Reporting Data: Smart Call Home")
	out("    Preferred Message Format: %s", or(string(p.Format), string(callhome.FormatXML)))
	out("    Message Size Limit: %d Bytes", sizeLimit(p))
	out("    Transport Method: %s", transports(p))
	iosAddresses(out, "HTTP  address:", p.HTTP)
	iosAddresses(out, "Email address(es):", p.Email)
	out("    Other address(es): default")
	fmt.Fprintln(w)
	for i := range p.Subscribe {
		if s := &p.Subscribe[i]; s.Periodic != nil {
			out("    Periodic %s info message is scheduled %s", s.Group, schedule(s.Periodic))
			fmt.Fprintln(w)
		}
	}
	iosSubscriptions(w, out, p)
}

func iosAddresses(out func(string, ...any), label string, addresses []string) {
	for i, a := range addresses {
		if i > 0 {
			label = strings.Repeat(" ", len(label))
		}
		out("    %s %s", label, a)
	}
}

// defaultSize is the size limit of IOS.
const defaultSize = 3145728

func sizeLimit(p *callhome.Profile) int {
	if p.MessageSizeLimit == nil {
		return defaultSize
	}
	return *p.MessageSizeLimit
}

func transports(p *callhome.Profile) string {
	switch {
	case len(p.HTTP) > 0 && len(p.Email) > 0:
		return "http and email"
	case len(p.HTTP) > 0:
		return "http"
	}
	return "email"
}

// schedule says when a periodic message is due; the agent has filled in every part.
func schedule(p *callhome.Periodic) string {
	switch {
	case p.Interval > 0:
		return fmt.Sprintf("every %d minutes", p.Interval)
	case p.Hourly != nil && p.Hourly.Minute != nil:
		return fmt.Sprintf("hourly at minute %d", *p.Hourly.Minute)
	case p.Daily != nil:
		return "daily at " + p.Daily.At
	case p.Weekly != nil && p.Weekly.Day != "":
		return fmt.Sprintf("every %s%s at %s", strings.ToUpper(p.Weekly.Day[:1]), p.Weekly.Day[1:], p.Weekly.At)
	case p.Monthly != nil:
		return fmt.Sprintf("every %d day of the month at %s", p.Monthly.Day, p.Monthly.At)
	}
	return "at times chosen for this device"
}

func iosSubscriptions(w *bufio.Writer, out func(string, ...any), p *callhome.Profile) {
	type row struct{ what, severity string }
	var groups, patterns []row
	for _, s := range p.Subscribe {
		severity := agent.ShownSeverity(&s).String()
		switch {
		case s.Group == callhome.GroupSyslog && s.Pattern != "":
			patterns = append(patterns, row{s.Pattern, severity})
		case len(s.MessageIDs) > 0:
			patterns = append(patterns, row{"message " + strings.Join(s.MessageIDs, ","), "any"})
		case s.Periodic != nil && s.Severity == nil: // its schedule is all there is to it, and stands above
		default:
			groups = append(groups, row{string(s.Group), severity})
		}
	}
	slices.SortStableFunc(groups, func(a, b row) int { return strings.Compare(a.what, b.what) })
	table := func(title string, rows []row) {
		out("    %-24s  %s", title, "Severity")
		out("    %s  %s", strings.Repeat("-", 24), strings.Repeat("-", 12))
		if len(rows) == 0 {
			rows = []row{{"N/A", "N/A"}}
		}
		for _, r := range rows {
			out("    %-24s  %s", r.what, r.severity)
		}
	}
	table("Alert-group", groups)
	fmt.Fprintln(w)
	table("Syslog-Pattern", patterns)
}
