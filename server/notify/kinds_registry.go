package notify

import (
	"fmt"
	"time"

	"callhome/server/account"
	"callhome/server/casework"
)

// ContractEnded tells that a contract has ended: messages of its devices are kept and not analysed.
func ContractEnded(company account.CompanyID, number string, until time.Time, devices int64, at time.Time) Notice {
	return Notice{
		Key: fmt.Sprintf("ended/%s/%d", number, until.Unix()), Kind: KindContractExpiring, Company: company, At: at,
		Subject: fmt.Sprintf("Contract %s has ended", number),
		Content: Content{
			Lead:   fmt.Sprintf("Contract %s ended on %s. It covered %d devices: their messages are kept but not analysed.", number, until.UTC().Format(day), devices),
			Facts:  []Fact{{"Contract", number}, {"Ended", until.UTC().Format(day)}, {"Devices", fmt.Sprint(devices)}},
			Action: "Renew it, or register the devices under another contract.", Link: "/contracts",
		},
	}
}

// ContactChanged tells whoever was the contact of a device that a message names somebody else from now on.
func ContactChanged(sub *casework.Subject, detail string, at time.Time) Notice {
	n := about(sub, KindRegistrationComplete, fmt.Sprintf("contact/%d/%d", sub.Device, at.Unix()), at)
	n.Subject = fmt.Sprintf("%s: another contact", nameOf(sub))
	n.Content.Lead = fmt.Sprintf("%s names another contact in its messages. You are told since you were the contact before.", nameOf(sub))
	if detail != "" {
		n.Content.Facts = append(n.Content.Facts, Fact{"Change", detail})
	}
	n.Content.Action = "If nobody of you changed it, find out who did: whoever is the contact can confirm the device."
	return n
}

// ConflictFound tells operators that messages claim to be of a device and come from elsewhere than its others.
func ConflictFound(sub *casework.Subject, conflict int64, detail string, at time.Time) Notice {
	n := about(sub, KindExceptionReport, fmt.Sprintf("conflict/%d", conflict), at)
	n.Company = account.NoCompany // for operators: the customer may be the one who is wronged
	n.Subject = fmt.Sprintf("%s: conflicting messages", nameOf(sub))
	n.Content.Lead = fmt.Sprintf("Messages claim to be of %s and come from elsewhere than its others. They are kept and change nothing until it is decided.", nameOf(sub))
	if detail != "" {
		n.Content.Facts = append(n.Content.Facts, Fact{"Conflict", detail})
	}
	n.Content.Action = "Look at both and decide: callhome admin device conflicts."
	n.Content.Link = "/conflicts"
	return n
}

// LifeMilestone tells that a day in the end of a product's life comes. Devices is how many of it the company has.
func LifeMilestone(company account.CompanyID, title, id, word string, on time.Time, devices int64, replacement string, at time.Time) Notice {
	n := Notice{
		Key: fmt.Sprintf("eol/%d/%s/%s/%d", company, id, word, on.Unix()), Kind: KindEndOfLife, Company: company, At: at,
		Subject: fmt.Sprintf("%s: %s on %s", title, word, on.UTC().Format(day)),
		Content: Content{
			Lead:   fmt.Sprintf("%s: %s comes on %s. You have %d devices that it concerns.", title, word, on.UTC().Format(day), devices),
			Facts:  []Fact{{"Announcement", id}, {"Day", on.UTC().Format(day)}, {"Devices", fmt.Sprint(devices)}},
			Action: "Plan the replacement.", Link: "/advisories/" + id,
		},
	}
	if devices == 1 {
		n.Content.Lead = fmt.Sprintf("%s: %s comes on %s. You have a device that it concerns.", title, word, on.UTC().Format(day))
	}
	if replacement != "" {
		n.Content.Action = "Plan the replacement; the maker names " + replacement + "."
	}
	return n
}
