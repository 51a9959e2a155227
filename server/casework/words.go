package casework

import (
	"fmt"
	"strings"
	"time"
)

// Describe is a case in plain text, for other systems.
func Describe(c *Case) string {
	var b strings.Builder
	line := func(name, value string) {
		if value = strings.TrimSpace(value); value != "" {
			fmt.Fprintf(&b, "%s: %s\n", name, clean(value))
		}
	}
	line("Service request", string(c.Number))
	line("Device", firstOf(c.Subject.Host, string(c.Subject.DeviceID)))
	line("Model", c.Subject.Model)
	line("Serial number", c.Subject.Serial)
	line("Software", c.Subject.SWVersion)
	line("Company", c.Subject.CompanyName)
	line("Site", c.Subject.Site)
	line("Contract", c.Subject.Contract)
	line("Component", c.Component)
	line("Level", c.Level.String())
	line("Priority", fmt.Sprintf("P%d", c.Priority))
	line("Rule", strings.TrimSpace(c.Rule+" "+c.Pack+" "+c.Version))
	line("Opened", c.OpenedAt.UTC().Format(time.RFC3339))
	line("Messages", fmt.Sprint(c.Repeats+1))
	if c.Diagnosis != "" {
		fmt.Fprintf(&b, "\nDiagnosis:\n%s\n", strings.TrimSpace(c.Diagnosis))
	}
	if c.Recommendation != "" {
		fmt.Fprintf(&b, "\nRecommendation:\n%s\n", strings.TrimSpace(c.Recommendation))
	}
	return b.String()
}

// Sentence is an event in plain words.
func (e *Event) Sentence() string {
	var s string
	switch e.Kind {
	case EventOpened:
		s = "Opened"
	case EventJoined:
		s = "More messages of the same cause"
	case EventEscalated:
		s = fmt.Sprintf("Escalated from %s to %s", e.From, e.To)
	case EventAssigned:
		if s = "Assigned to " + e.To; e.To == "" {
			s = "Given back to the team"
		}
	case EventRouted:
		s = fmt.Sprintf("Moved from team %s to team %s", e.From, e.To)
	case EventAcknowledged:
		s = "Acknowledged"
	case EventState:
		s = fmt.Sprintf("Moved from %s to %s", e.From, e.To)
	case EventNoted:
		s = "Note"
	case EventCleared:
		s = "The device reports that it is over; waiting whether it stays so"
	case EventRaised:
		s = "It came back"
	case EventFlapping:
		s = "Flapping: comes and goes; further changes are not told"
	case EventResolved:
		s = "Resolved"
	case EventReopened:
		s = "Reopened"
	case EventClosed:
		s = "Closed"
	case EventSnoozed:
		s = "Snoozed until " + e.To
	case EventAwake:
		s = "The snooze is over"
	case EventPaged:
		s = "Called " + e.To
	case EventLinked:
		s = "Linked"
	default:
		s = string(e.Kind)
	}
	if e.By.Who != "" && e.By.Via != ViaTimer && e.By.Via != ViaMessage {
		s += " by " + e.By.Who
	}
	if e.Text != "" && e.Kind != EventOpened {
		s += ": " + e.Text
	}
	return s
}
