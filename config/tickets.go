package config

import (
	"errors"
	"fmt"

	"callhome/server/casework/jira"
	"callhome/server/casework/pagerduty"
	"callhome/server/casework/servicenow"
	"callhome/server/casework/ticketmail"
	"callhome/server/casework/webhook"
)

// Tickets are the systems that service requests are handed to. Teams name them.
type Tickets struct {
	Mail       []ticketmail.Config `yaml:"mail,omitempty" json:"mail,omitempty"`
	Webhook    []webhook.Config    `yaml:"webhook,omitempty" json:"webhook,omitempty"`
	Jira       []jira.Config       `yaml:"jira,omitempty" json:"jira,omitempty"`
	ServiceNow []servicenow.Config `yaml:"servicenow,omitempty" json:"servicenow,omitempty"`
	PagerDuty  []pagerduty.Config  `yaml:"pagerduty,omitempty" json:"pagerduty,omitempty"`
}

// validate names every fault, among them a name that two systems share, or that a team asks for and none has.
func (t *Tickets) validate(wanted []string) error {
	var errs []error
	names := map[string]bool{}
	check := func(block string, i int, name string, validate func(string) error) {
		path := fmt.Sprintf("tickets.%s[%d]", block, i)
		errs = append(errs, placed(validate(path)))
		if names[name] {
			errs = append(errs, fault(path+".name", "%q is the name of another ticket system, too", name))
		}
		names[name] = true
	}
	for i := range t.Mail {
		check("mail", i, t.Mail[i].Name, t.Mail[i].Validate)
	}
	for i := range t.Webhook {
		check("webhook", i, t.Webhook[i].Name, t.Webhook[i].Validate)
	}
	for i := range t.Jira {
		check("jira", i, t.Jira[i].Name, t.Jira[i].Validate)
	}
	for i := range t.ServiceNow {
		check("servicenow", i, t.ServiceNow[i].Name, t.ServiceNow[i].Validate)
	}
	for i := range t.PagerDuty {
		check("pagerduty", i, t.PagerDuty[i].Name, t.PagerDuty[i].Validate)
	}
	for _, name := range wanted {
		if !names[name] {
			errs = append(errs, fault("casework.teams", "the ticket system %q is not among tickets", name))
		}
	}
	return errors.Join(errs...)
}
