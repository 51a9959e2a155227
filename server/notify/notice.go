package notify

import (
	"strings"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/casework"
)

// Kind is what a notice is about. People choose by it.
type Kind string

// The kinds: those of section 10.3 of the specification, and ours.
const (
	KindRegistrationRequired Kind = "registration_required"
	KindRegistrationComplete Kind = "registration_complete"
	KindRegistrationExpiring Kind = "registration_expiring"
	KindCaseOpened           Kind = "case_opened"
	KindCaseUpdated          Kind = "case_updated"
	KindCaseResolved         Kind = "case_resolved"
	KindRecommendation       Kind = "recommendation" // an alert was processed; no service request, but advice
	KindInventoryChange      Kind = "inventory_change"
	KindConfigurationChange  Kind = "configuration_change"
	KindCommandOutput        Kind = "command_output" // output of commands that an operator had sent
	KindRequestResult        Kind = "request_result" // output analysis, configuration sanity, bugs list, command reference, product advisory
	KindExceptionReport      Kind = "exception_report"
	KindEndOfLife            Kind = "end_of_life"
	KindAdvisory             Kind = "advisory" // a security advisory or field notice affects a device
	KindConfigurationFinding Kind = "configuration_finding"
	KindContractExpiring     Kind = "contract_expiring"
	KindDeviceSilent         Kind = "device_silent"
	KindPage                 Kind = "page"
	KindTestSuccess          Kind = "test_success"
)

// Kinds lists all of them in the order in which a form shows them.
func Kinds() []Kind {
	return []Kind{
		KindCaseOpened, KindCaseUpdated, KindCaseResolved, KindRecommendation, KindPage, KindInventoryChange, KindConfigurationChange,
		KindConfigurationFinding, KindAdvisory, KindEndOfLife, KindDeviceSilent, KindContractExpiring, KindRegistrationRequired,
		KindRegistrationComplete, KindRegistrationExpiring, KindExceptionReport, KindCommandOutput, KindRequestResult, KindTestSuccess,
	}
}

// Notice is one thing to tell, complete: what it says does not change after it was announced.
type Notice struct {
	ID      int64             `json:"id"`
	Key     string            `json:"-"` // announcing the same key again does nothing
	Kind    Kind              `json:"kind"`
	Company account.CompanyID `json:"company_id"`
	At      time.Time         `json:"at"`
	Level   callhome.Level    `json:"level"`

	Device  int64               `json:"device,omitempty"` // the registry's number; 0: about none
	Host    string              `json:"host,omitempty"`
	Groups  []string            `json:"-"` // device groups, by which people choose
	Case    int64               `json:"case_id,omitempty"`
	Number  casework.CaseNumber `json:"number,omitempty"`
	Subject string              `json:"subject"` // one line

	Content   Content             `json:"content"`
	Attach    []casework.Evidence `json:"attach,omitempty"` // diagnostic data that the mail carries
	Anonymous bool                `json:"-"`                // of an anonymous message: Announce does nothing
}

// Content is what a notice says, without its form.
type Content struct {
	Lead     string    `json:"lead"` // the whole of it in a sentence or two
	Facts    []Fact    `json:"facts,omitempty"`
	Sections []Section `json:"sections,omitempty"`
	Action   string    `json:"action,omitempty"` // what the reader should do now
	Link     string    `json:"link,omitempty"`   // path in the portal, such as /service-requests/SR-000123
	Short    string    `json:"short,omitempty"`  // for pagers
}

// Fact is a name and a value.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Section is a longer text with a title. Lines of Exact keep their form: output, differences.
type Section struct {
	Title string `json:"title"`
	Text  string `json:"text"`
	Exact bool   `json:"exact,omitempty"`
}

// Bounds of a notice, in bytes; the portal has the whole.
const (
	maxSubject = 200
	maxSection = 64 << 10
	maxSets    = 200 // facts, sections
)

// bounded cuts what is too long and takes controls out.
func (n *Notice) bounded() {
	n.Subject = clip(oneLine(n.Subject), maxSubject)
	c := &n.Content
	c.Lead = clip(oneLine(c.Lead), maxSection)
	facts := c.Facts[:0:0]
	for _, f := range c.Facts {
		if v := clip(oneLine(f.Value), maxSubject*5); v != "" && len(facts) < maxSets {
			facts = append(facts, Fact{oneLine(f.Name), v})
		}
	}
	c.Facts = facts
	sections := c.Sections[:0:0]
	for _, s := range c.Sections {
		if text := strings.TrimRight(printable(s.Text), " \n"); text != "" && len(sections) < maxSets {
			if len(text) > maxSection {
				text = clip(text, maxSection) + "\n… (cut; the portal has all of it)"
			}
			sections = append(sections, Section{oneLine(s.Title), text, s.Exact})
		}
	}
	c.Sections = sections
	c.Short = clip(oneLine(c.Short), maxSubject)
}

func oneLine(s string) string { return strings.Join(strings.Fields(printable(s)), " ") }

// printable keeps line ends and tabs and replaces other controls.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == '\r':
			return -1
		case r < ' ' || r >= 0x7f && r <= 0x9f || r == '\u2028' || r == '\u2029' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069':
			return '\uFFFD' // the last two ranges turn the direction of text
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}
