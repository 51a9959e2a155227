package notify

import (
	"fmt"
	"strings"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/casework"
)

// UnitChange is one difference between two inventories, in words.
type UnitChange struct {
	What string // added, removed, replaced, moved, software
	Slot string
	Was  string // name and serial number, or version
	Now  string
}

// InventoryChanged tells what was added, removed or replaced. Revision is the number of the new inventory.
func InventoryChanged(sub *casework.Subject, revision int64, changes []UnitChange, at time.Time) Notice {
	n := about(sub, KindInventoryChange, fmt.Sprintf("inventory/%d/%d", sub.Device, revision), at)
	n.Subject = fmt.Sprintf("%s: inventory changed", nameOf(sub))
	n.Content.Lead = fmt.Sprintf("The inventory of %s has changed in %d places.", nameOf(sub), len(changes))
	if len(changes) == 1 {
		n.Content.Lead = fmt.Sprintf("The inventory of %s has changed.", nameOf(sub))
	}
	var b strings.Builder
	for _, c := range changes {
		line := strings.TrimSpace(c.What + " " + c.Slot)
		switch {
		case c.Was != "" && c.Now != "":
			fmt.Fprintf(&b, "%s: %s -> %s\n", line, c.Was, c.Now)
		default:
			fmt.Fprintf(&b, "%s: %s\n", line, c.Was+c.Now)
		}
	}
	n.Content.Sections = []Section{{"Changes", b.String(), true}}
	n.Content.Link += "/inventory"
	return n
}

// ConfigurationChanged tells that a configuration changed. Diff is the difference, with secrets masked.
func ConfigurationChanged(sub *casework.Subject, revision int64, added, removed int, diff string, at time.Time) Notice {
	n := about(sub, KindConfigurationChange, fmt.Sprintf("configuration/%d/%d", sub.Device, revision), at)
	n.Subject = fmt.Sprintf("%s: configuration changed", nameOf(sub))
	n.Content.Lead = fmt.Sprintf("The configuration of %s has changed: %d lines added, %d removed.", nameOf(sub), added, removed)
	n.Content.Sections = []Section{{"Difference", diff, true}}
	n.Content.Action = "If nobody of you made this change, find out who did."
	n.Content.Link += "/configuration"
	return n
}

// Output is the output of one command, with secrets masked.
type Output struct{ Command, Text string }

// CommandOutput forwards the output of commands to whom the device named.
func CommandOutput(sub *casework.Subject, id callhome.MessageID, request string, outputs []Output, at time.Time) Notice {
	n := about(sub, KindCommandOutput, fmt.Sprintf("output/%d/%s", sub.Device, id), at)
	n.Subject = fmt.Sprintf("%s: output of %d commands", nameOf(sub), len(outputs))
	n.Content.Lead = fmt.Sprintf("An operator of %s sent this output.", nameOf(sub))
	n.Content.Facts = append(n.Content.Facts, Fact{"Service request", request})
	for _, o := range outputs {
		n.Content.Sections = append(n.Content.Sections, Section{o.Command, o.Text, true})
	}
	return n
}

// RequestResult answers `call-home request`. Service is one of output-analysis, config-sanity, bugs-list,
// command-reference, product-advisory.
func RequestResult(sub *casework.Subject, id callhome.MessageID, service string, results []Section, at time.Time) Notice {
	n := about(sub, KindRequestResult, fmt.Sprintf("result/%d/%s", sub.Device, id), at)
	n.Subject = fmt.Sprintf("%s: %s", nameOf(sub), strings.ReplaceAll(service, "-", " "))
	n.Content.Lead = fmt.Sprintf("The answer to a request for %s from %s.", strings.ReplaceAll(service, "-", " "), nameOf(sub))
	if n.Content.Sections = results; len(results) == 0 {
		n.Content.Lead += " Nothing was found that is worth telling."
	}
	return n
}

// Exception is a message that could not be worked, and why.
type Exception struct {
	At     time.Time
	Host   string
	Serial string
	Reason string // of the registry's list
	Detail string
}

// maxExceptions is how many a report names.
const maxExceptions = 50

// ExceptionReport tells a company which messages could not be worked since a time. Total may exceed the list.
func ExceptionReport(company account.CompanyID, since time.Time, total int64, list []Exception, at time.Time) Notice {
	var b strings.Builder
	for _, e := range list[:min(len(list), maxExceptions)] {
		fmt.Fprintf(&b, "%s  %-20s %-14s %s\n", e.At.UTC().Format("2006-01-02 15:04"), oneLine(e.Host), oneLine(e.Serial), strings.TrimSpace(oneLine(strings.ReplaceAll(e.Reason, "_", " ")+" "+e.Detail)))
	}
	return Notice{
		Key: fmt.Sprintf("exceptions/%d/%d", company, since.Unix()), Kind: KindExceptionReport, Company: company, At: at,
		Subject: fmt.Sprintf("%d messages could not be worked", total),
		Content: Content{
			Lead:     fmt.Sprintf("Since %s %d messages arrived that could not be worked. They are kept.", since.UTC().Format(day), total),
			Sections: []Section{{"Messages", b.String(), true}},
			Action:   "Register the devices, mend their contracts or clocks, or look at what they send.", Link: "/exceptions",
		},
	}
}

// Milestone is a date in the life of a product.
type Milestone struct {
	Name string // such as end of sale
	On   time.Time
}

// EndOfLife tells that a product nears its end. Devices is how many of it the company has.
func EndOfLife(company account.CompanyID, product, id string, milestones []Milestone, devices int64, replacement string, at time.Time) Notice {
	n := Notice{
		Key: fmt.Sprintf("eol/%d/%s/%s", company, id, product), Kind: KindEndOfLife, Company: company, At: at,
		Subject: fmt.Sprintf("%s: end of life", product),
		Content: Content{
			Lead:   fmt.Sprintf("The maker has announced the end of life of %s, of which you have %d.", product, devices),
			Facts:  []Fact{{"Product", product}, {"Announcement", id}, {"Devices", fmt.Sprint(devices)}},
			Action: "Plan the replacement.", Link: "/advisories/" + id,
		},
	}
	if replacement != "" {
		n.Content.Action = "Plan the replacement; the maker names " + replacement + "."
	}
	for _, m := range milestones {
		n.Content.Facts = append(n.Content.Facts, Fact{m.Name, m.On.UTC().Format(day)})
	}
	return n
}

// AdvisoryAffects tells that a security advisory or field notice affects a device. Sort is the word for it, such as
// "security advisory"; evidence is what the match rests on; revision is the notice's.
func AdvisoryAffects(sub *casework.Subject, sort, id, revision, title, impact string, level callhome.Level, evidence []string, remedy string, at time.Time) Notice {
	n := about(sub, KindAdvisory, fmt.Sprintf("advisory/%d/%s/%s", sub.Device, id, revision), at)
	n.Level = level
	n.Subject = fmt.Sprintf("%s: %s %s affects it", nameOf(sub), sort, id)
	n.Content.Lead = fmt.Sprintf("The %s %q affects %s.", sort, title, nameOf(sub))
	n.Content.Facts = append([]Fact{{"Notice", id}, {"Title", title}, {"Impact", impact}}, n.Content.Facts...)
	n.Content.Sections = []Section{{"Why we think so", strings.Join(evidence, "\n"), true}}
	n.Content.Action = remedy
	n.Content.Link = "/advisories/" + id
	return n
}

// DeviceSilent tells that a device has not called though it was due. Last is its last message, zero when there was none.
func DeviceSilent(sub *casework.Subject, last, due, at time.Time) Notice {
	n := about(sub, KindDeviceSilent, fmt.Sprintf("silent/%d/%d", sub.Device, due.Unix()), at)
	n.Level = callhome.LevelWarning
	n.Subject = nameOf(sub) + " is silent"
	n.Content.Lead = fmt.Sprintf("%s has not called home though it was due on %s.", nameOf(sub), due.UTC().Format(day+" 15:04 MST"))
	said := "never"
	if !last.IsZero() {
		said = last.UTC().Format(day + " 15:04 MST")
	}
	n.Content.Facts = append(n.Content.Facts, Fact{"Last message", said})
	n.Content.Action = "See whether the device is up, whether its call-home profile is active, and whether it reaches us: send a test message from it."
	return n
}

// AgentLate tells that the heartbeats of an agent or a gateway stay away. Those who want to know of silent devices are
// told: what it spoke for is likely silent, too.
func AgentLate(company account.CompanyID, kind, name string, last, at time.Time) Notice {
	said := "never"
	if !last.IsZero() {
		said = last.UTC().Format(day + " 15:04 MST")
	}
	return Notice{
		Key: fmt.Sprintf("late/%s/%s/%d", kind, name, last.Unix()), Kind: KindDeviceSilent, Company: company, At: at, Level: callhome.LevelWarning,
		Host: name, Subject: fmt.Sprintf("The %s %s is silent", kind, name),
		Content: Content{
			Lead:   fmt.Sprintf("The %s %s sends no heartbeats. What it takes from devices does not reach us while it is down or cut off.", kind, name),
			Facts:  []Fact{{"Last heartbeat", said}},
			Action: fmt.Sprintf("See whether the %s runs and reaches us; its queue keeps what it took.", kind),
		},
	}
}

// TestSuccess answers a test message.
func TestSuccess(sub *casework.Subject, id callhome.MessageID, received, at time.Time) Notice {
	n := about(sub, KindTestSuccess, fmt.Sprintf("test/%d/%s", sub.Device, id), at)
	n.Subject = fmt.Sprintf("Test message of %s arrived", nameOf(sub))
	n.Content.Lead = fmt.Sprintf("The test message of %s has arrived and was understood.", nameOf(sub))
	n.Content.Facts = append(n.Content.Facts, Fact{"Message", string(id)}, Fact{"Received", received.UTC().Format(day + " 15:04:05 MST")})
	return n
}
