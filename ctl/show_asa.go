package ctl

import (
	"bufio"
	"fmt"
	"strings"

	"callhome"
	"callhome/agent"
)

// The layouts of this file follow the show commands of the ASA (monitoring chapter of the ASDM guide).

func asaSettings(w *bufio.Writer, st agent.Status, mail []MailServer) {
	line := func(label, value string) { fmt.Fprintf(w, "    %s: %s\n", label, or(value, notSet)) }
	fmt.Fprintln(w, "Current Smart Call-Home settings:")
	fmt.Fprintf(w, "    Smart Call-Home feature : %s\n", enabledWord(st.Enabled))
	line("Smart Call-Home message's from address", st.Sender.From)
	line("Smart Call-Home message's reply-to address", st.Sender.ReplyTo)
	line("contact person's name", st.Contact.Name)
	line("contact person's email", st.Contact.Email)
	line("contact person's phone", st.Contact.Phone)
	line("street address", st.Contact.StreetAddress)
	line("customer ID", st.CustomerID)
	line("contract ID", st.ContractID)
	line("site ID", st.SiteID)
	if len(mail) == 0 {
		line("Mail-server", "")
	}
	for i, m := range mail {
		fmt.Fprintf(w, "    Mail-server[%d]: Address: %s Priority: %d\n", i+1, m.Address, m.Priority)
	}
	fmt.Fprintf(w, "    Rate-limit: %d message(s) per minute\n\n", st.RateLimit)
	asaGroups(w, st)
	fmt.Fprintln(w, "Profiles:")
	for _, p := range st.Profiles {
		fmt.Fprintf(w, "    Profile Name: %s\n", p.Name)
	}
}

func asaGroups(w *bufio.Writer, st agent.Status) {
	fmt.Fprint(w, "Available alert groups:\n    Keyword                  State\n    ------------------------ -------\n")
	for _, g := range st.Groups {
		state := "Disable"
		if g.Enabled {
			state = "Enable"
		}
		fmt.Fprintf(w, "    %-24s %s\n", g.Keyword, state)
	}
}

func asaProfiles(w *bufio.Writer, profiles []callhome.Profile) {
	for i := range profiles {
		p := &profiles[i]
		status := "INACTIVE"
		if p.Active {
			status = "ACTIVE"
		}
		fmt.Fprintf(w, "\nProfile Name: %s\nProfile status: %s Preferred Message Format: %s\n", p.Name, status, or(string(p.Format), string(callhome.FormatXML)))
		limit := 5 << 20
		if p.MessageSizeLimit != nil {
			limit = *p.MessageSizeLimit
		}
		fmt.Fprintf(w, "Message Size Limit: %d Bytes\nEmail address(es): %s\nHTTP address(es): %s\n", limit, or(strings.Join(p.Email, ", "), notSet), or(strings.Join(p.HTTP, ", "), notSet))
		for _, s := range p.Subscribe {
			if s.Periodic != nil {
				fmt.Fprintf(w, "Periodic %s message is scheduled %s\n", s.Group, schedule(s.Periodic))
			}
		}
		fmt.Fprintln(w)
		iosSubscriptions(w, func(format string, args ...any) { fmt.Fprintf(w, strings.TrimPrefix(format, "    ")+"\n", args...) }, p)
	}
}
