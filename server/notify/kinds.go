package notify

import (
	"fmt"
	"strings"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/casework"
)

// day is how a date is written.
const day = "2 January 2006"

func about(sub *casework.Subject, kind Kind, key string, at time.Time) Notice {
	return Notice{
		Key: key, Kind: kind, Company: sub.Company, At: at, Device: sub.Device, Host: sub.Host, Groups: sub.Groups, Anonymous: sub.Anonymous,
		Content: Content{Facts: deviceFacts(sub), Link: fmt.Sprintf("/devices/%d", sub.Device)},
	}
}

func deviceFacts(sub *casework.Subject) []Fact {
	return []Fact{
		{"Device", nameOf(sub)}, {"Model", sub.Model}, {"Serial number", sub.Serial}, {"Software", sub.SWVersion}, {"Company", sub.CompanyName},
		{"Site", sub.Site}, {"Contract", sub.Contract},
	}
}

func nameOf(sub *casework.Subject) string {
	if sub.Host != "" {
		return sub.Host
	}
	return string(sub.DeviceID)
}

// RegistrationRequired asks a device's contact to register it. Link is the whole address of the confirmation page; code
// proves that the reader got this mail; the link works until a day.
func RegistrationRequired(sub *casework.Subject, link, code string, until, at time.Time) Notice {
	n := about(sub, KindRegistrationRequired, fmt.Sprintf("registration/%d/%s", sub.Device, at.UTC().Format(time.DateOnly)), at)
	n.Subject = "Register " + nameOf(sub)
	n.Content.Lead = nameOf(sub) + " has begun to call home. Until somebody registers it, its messages are kept but nobody looks into them."
	n.Content.Facts = append(n.Content.Facts, Fact{"Security code", code}, Fact{"Link works until", until.UTC().Format(day)})
	n.Content.Action = "Open the page below, sign in, and confirm the device with its contract. If the device is not yours, reject it there."
	n.Content.Link = link
	return n
}

// RegistrationComplete confirms a registration.
func RegistrationComplete(sub *casework.Subject, by string, at time.Time) Notice {
	n := about(sub, KindRegistrationComplete, fmt.Sprintf("registered/%d/%d", sub.Device, at.UnixMicro()), at)
	n.Subject = nameOf(sub) + " is registered"
	n.Content.Lead = nameOf(sub) + " is registered. From now on its messages are analysed, and service requests are opened for it."
	n.Content.Facts = append(n.Content.Facts, Fact{"Registered by", by})
	return n
}

// RegistrationExpiring warns that a device's registration ends with its contract.
func RegistrationExpiring(sub *casework.Subject, until, at time.Time) Notice {
	n := about(sub, KindRegistrationExpiring, fmt.Sprintf("expiring/%d/%d", sub.Device, until.Unix()), at)
	n.Subject = fmt.Sprintf("Registration of %s ends on %s", nameOf(sub), until.UTC().Format(day))
	n.Content.Lead = fmt.Sprintf("The contract that covers %s ends on %s. After that its messages are kept but not analysed.", nameOf(sub), until.UTC().Format(day))
	n.Content.Action = "Renew the contract, or assign the device to another one."
	return n
}

// ContractExpiring warns a company of the end of a contract.
func ContractExpiring(company account.CompanyID, number string, until time.Time, devices int64, at time.Time) Notice {
	return Notice{
		Key: fmt.Sprintf("contract/%s/%d", number, until.Unix()), Kind: KindContractExpiring, Company: company, At: at,
		Subject: fmt.Sprintf("Contract %s ends on %s", number, until.UTC().Format(day)),
		Content: Content{
			Lead:   fmt.Sprintf("Contract %s ends on %s. It covers %d devices.", number, until.UTC().Format(day), devices),
			Facts:  []Fact{{"Contract", number}, {"Ends", until.UTC().Format(day)}, {"Devices", fmt.Sprint(devices)}},
			Action: "Renew it in time: without a contract messages are kept but not analysed.", Link: "/contracts",
		},
	}
}

// OfCase tells what happened to a service request; ok is false for what people need not hear of.
func OfCase(h *casework.Happening) (n Notice, ok bool) {
	c, e := &h.Case, &h.Event
	if h.Quiet || c.Subject.Anonymous {
		return n, false
	}
	kind := KindCaseUpdated
	switch e.Kind {
	case casework.EventPaged:
		return page(h), true
	case casework.EventOpened:
		kind = KindCaseOpened
	case casework.EventResolved, casework.EventClosed:
		kind = KindCaseResolved
	case casework.EventCleared, casework.EventRaised, casework.EventLinked:
		return n, false
	}
	n = about(&c.Subject, kind, fmt.Sprintf("case/%d/%d", c.ID, e.Seq), e.At)
	n.Case, n.Number, n.Level = c.ID, c.Number, c.Level
	n.Subject = fmt.Sprintf("[%s] %s %s: %s", c.Number, strings.ToUpper(c.Level.String()), nameOf(&c.Subject), c.Title)
	n.Content.Lead = e.Sentence()
	if kind == KindCaseOpened {
		n.Content.Lead = fmt.Sprintf("Service request %s was opened for %s: %s", c.Number, nameOf(&c.Subject), c.Title)
		n.Content.Action = c.Recommendation
	} else {
		n.Content.Facts = append([]Fact{{"Problem", c.Title}}, n.Content.Facts...)
	}
	n.Content.Facts = append([]Fact{
		{"Service request", string(c.Number)}, {"State", strings.ReplaceAll(string(c.State), "_", " ")}, {"Level", c.Level.String()},
		{"Priority", fmt.Sprintf("P%d", c.Priority)}, {"Team", c.Team}, {"Assigned to", c.Assignee}, {"Messages", fmt.Sprint(c.Repeats + 1)},
	}, n.Content.Facts...)
	if kind == KindCaseOpened || e.Kind == casework.EventEscalated {
		n.Content.Sections = append(n.Content.Sections, Section{Title: "Diagnosis", Text: c.Diagnosis})
	}
	if h.Cause != nil {
		n.Attach = append([]casework.Evidence{{Archive: h.Cause.Archive}}, h.Cause.Evidence...)
		for _, ev := range h.Cause.Evidence {
			n.Content.Sections = append(n.Content.Sections, Section{Title: "Evidence: " + ev.Attachment, Text: ev.Quote, Exact: true})
		}
	}
	n.Content.Link = "/service-requests/" + string(c.Number)
	return n, true
}

// page calls somebody about a service request. Its short text has at most 160 characters, the code among them.
func page(h *casework.Happening) Notice {
	c := &h.Case
	n := about(&c.Subject, KindPage, fmt.Sprintf("page/%d/%d", c.ID, h.Event.Seq), h.Event.At)
	n.Case, n.Number, n.Level = c.ID, c.Number, c.Level
	n.Subject = fmt.Sprintf("%s %s", c.Number, strings.ToUpper(c.Level.String()))
	n.Content.Short = Short(string(c.Number), c.Level, nameOf(&c.Subject), c.Title, c.Code)
	n.Content.Lead = fmt.Sprintf("You are called about %s: %s on %s", c.Number, c.Title, nameOf(&c.Subject))
	n.Content.Facts = append(n.Content.Facts, Fact{"Code to acknowledge", c.Code})
	n.Content.Action = "Acknowledge with the code, or on the page below; otherwise the next person is called."
	n.Content.Link = "/service-requests/" + string(c.Number)
	return n
}

// shortLimit is the length of a page in characters.
const shortLimit = 160

// Short is a page: number, level, host, fault, and the code, which is never cut.
func Short(number string, level callhome.Level, host, title, code string) string {
	head := fmt.Sprintf("%s %s ", number, level)
	tail := ""
	if code != "" {
		tail = " ACK " + code
	}
	room := max(0, shortLimit-len([]rune(head))-len([]rune(tail)))
	host = string([]rune(oneLine(host))[:min(len([]rune(oneLine(host))), room/3)])
	middle := []rune(strings.TrimPrefix(host+": ", ": ") + oneLine(title))
	if len(middle) > room {
		middle = append(middle[:max(0, room-1)], '…')
	}
	return head + string(middle) + tail
}

// Recommended tells advice that needs no service request.
func Recommended(sub *casework.Subject, cause *casework.Cause, at time.Time) Notice {
	return advice(KindRecommendation, sub, cause, at, "An alert was processed. No service request was opened, but there is a recommendation.")
}

// ConfigurationFound tells what a rule found in a configuration.
func ConfigurationFound(sub *casework.Subject, cause *casework.Cause, at time.Time) Notice {
	return advice(KindConfigurationFinding, sub, cause, at, "The configuration was checked, and something in it should be changed.")
}

func advice(kind Kind, sub *casework.Subject, cause *casework.Cause, at time.Time, why string) Notice {
	n := about(sub, kind, fmt.Sprintf("%s/%d/%s/%s/%s", kind, sub.Device, firstOf(string(cause.MessageID), fmt.Sprint(cause.Archive)), cause.Rule, cause.Key), at)
	n.Level = cause.Level
	n.Subject = fmt.Sprintf("%s: %s", nameOf(sub), cause.Title)
	n.Content.Lead = why
	n.Content.Facts = append([]Fact{{"Finding", cause.Title}, {"Level", cause.Level.String()}, {"Component", cause.Component}, {"Rule", cause.Rule}}, n.Content.Facts...)
	n.Content.Sections = []Section{{Title: "Diagnosis", Text: cause.Diagnosis}}
	for _, e := range cause.Evidence {
		n.Content.Sections = append(n.Content.Sections, Section{Title: "Evidence: " + e.Attachment, Text: e.Quote, Exact: true})
	}
	n.Content.Action = cause.Recommendation
	return n
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
