package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/casework"
)

// ServiceRequest is a case: somebody must act.
type ServiceRequest struct {
	ID             ID                  `json:"id"`
	Number         casework.CaseNumber `json:"number"`
	Company        ID                  `json:"company"`
	Device         ID                  `json:"device"`
	DeviceID       callhome.DeviceID   `json:"device_id,omitempty"`
	Host           string              `json:"sys_name,omitempty"`
	Model          string              `json:"model,omitempty"`
	Serial         string              `json:"serial,omitempty"`
	Site           string              `json:"site_id,omitempty"`
	Contract       string              `json:"contract,omitempty"`
	ContactName    string              `json:"contact_name,omitempty"`
	ContactEmail   string              `json:"contact_email,omitempty"`
	Rule           string              `json:"rule,omitempty"`
	Component      string              `json:"component,omitempty"`
	Title          string              `json:"title"`
	Diagnosis      string              `json:"diagnosis,omitempty"`
	Recommendation string              `json:"recommendation,omitempty"`
	Severity       int                 `json:"severity" doc:"0 to 9, the worst seen"`
	Level          string              `json:"level" doc:"severity in a word"`
	Priority       int                 `json:"priority" doc:"1 (at once) to 4"`
	State          casework.State      `json:"state" doc:"new, open, acknowledged, pending_customer, pending_vendor, resolved or closed"`
	Team           string              `json:"team"`
	Assignee       string              `json:"assignee,omitempty"`
	Repeats        int64               `json:"repeats" doc:"Messages that joined after the first"`
	Escalations    int                 `json:"escalations"`
	Reopened       int                 `json:"reopened"`
	Flapping       bool                `json:"flapping"`
	OpenedAt       time.Time           `json:"opened_at"`
	UpdatedAt      time.Time           `json:"updated_at"`
	AckedAt        time.Time           `json:"acknowledged_at,omitzero"`
	ResolvedAt     time.Time           `json:"resolved_at,omitzero"`
	ClosedAt       time.Time           `json:"closed_at,omitzero"`
	SnoozedUntil   time.Time           `json:"snoozed_until,omitzero"`
}

type caseOutput struct{ Body ServiceRequest }

type casesInput struct {
	Paging
	State    string    `query:"state" doc:"One or several, separated by commas"  maxLength:"128"`
	Active   bool      `query:"active" doc:"Neither resolved nor closed"`
	Team     string    `query:"team" maxLength:"128"`
	Assignee string    `query:"assignee" maxLength:"128"`
	Device   int64     `query:"device" minimum:"1"`
	Rule     string    `query:"rule" maxLength:"128"`
	Site     string    `query:"site_id" maxLength:"128"`
	Severity int       `query:"severity" minimum:"0" maximum:"9" doc:"This level or worse"`
	Since    time.Time `query:"since" doc:"Opened at or after"`
	Until    time.Time `query:"until" doc:"Opened before"`
	Company  int64     `query:"company" minimum:"1"`
	Text     string    `query:"q" maxLength:"256" doc:"In title, host or number"`
}

func (in *casesInput) filter() (casework.CaseFilter, error) {
	f := casework.CaseFilter{
		Active: in.Active, Team: in.Team, Assignee: in.Assignee, Device: in.Device, Rule: in.Rule, Site: in.Site, MinLevel: callhome.Level(in.Severity),
		Since: in.Since, Until: in.Until, Text: in.Text,
	}
	if in.State == "" {
		return f, nil
	}
	for word := range strings.SplitSeq(in.State, ",") {
		if !casework.IsState(word) {
			return f, invalid("query.state", "there is no such state; there are "+join(casework.States()))
		}
		f.States = append(f.States, casework.State(word))
	}
	return f, nil
}

func join[T ~string](list []T) string {
	words := make([]string, len(list))
	for i, w := range list {
		words[i] = string(w)
	}
	return strings.Join(words, ", ")
}

func addCases(a *API) {
	addList[casesInput](a, listing[casesInput, ServiceRequest]{
		Route: listRoute("/service-requests", account.CaseRead, "List service requests"),
		key:   func(c *ServiceRequest) int64 { return int64(c.ID) },
		page: func(ctx context.Context, q *query, in *casesInput, p account.Page) ([]ServiceRequest, error) {
			f, err := in.filter()
			if err != nil {
				return nil, err
			}
			list, err := q.Casework().Cases(ctx, q.within(in.Company), f, p)
			return mapped(list, caseOf), err
		},
	})
	look(a, Route{Path: "/service-requests/{id}", Action: account.CaseRead, Summary: "One service request"}, func(ctx context.Context, q *query, in *caseInput) (*caseOutput, error) {
		c, err := q.findCase(ctx, q.Casework(), in.ID)
		if err != nil {
			return nil, err
		}
		return &caseOutput{Body: caseOf(c)}, nil
	})
	change(a, Route{Method: http.MethodPost, Path: "/service-requests", Action: account.CaseWrite, Success: http.StatusCreated, Summary: "Open a service request about a device"}, openCase)
	addCaseParts(a)
	addCaseDeeds(a)
}

func caseOf(c *casework.Case) ServiceRequest {
	s := &c.Subject
	return ServiceRequest{
		ID: ID(c.ID), Number: c.Number, Company: ID(c.Company), Device: ID(s.Device), DeviceID: s.DeviceID, Host: s.Host, Model: s.Model, Serial: s.Serial, Site: s.Site,
		Contract: s.Contract, ContactName: s.ContactName, ContactEmail: s.ContactEmail, Rule: c.Rule, Component: c.Component, Title: c.Title, Diagnosis: c.Diagnosis,
		Recommendation: c.Recommendation, Severity: int(c.Level), Level: c.Level.String(), Priority: int(c.Priority), State: c.State, Team: c.Team, Assignee: c.Assignee,
		Repeats: c.Repeats, Escalations: c.Escalations, Reopened: c.Reopened, Flapping: c.Flapping, OpenedAt: c.OpenedAt, UpdatedAt: c.UpdatedAt, AckedAt: c.AckedAt,
		ResolvedAt: c.ResolvedAt, ClosedAt: c.ClosedAt, SnoozedUntil: c.SnoozedUntil,
	}
}

// caseInput names a service request by its ID or its number.
type caseInput struct {
	ID string `path:"id" maxLength:"32" doc:"The id, or the number such as SR-000123"`
}

func (c *caller) findCase(ctx context.Context, s casework.CaseReader, id string) (*casework.Case, error) {
	var n ID
	if err := n.UnmarshalJSON([]byte(id)); err == nil && n > 0 {
		found, err := s.Case(ctx, c.Reach(), int64(n))
		return found, missing(err, "service request")
	}
	number, err := casework.ParseCaseNumber(id)
	if err != nil {
		return nil, notFound("service request")
	}
	found, err := s.CaseByNumber(ctx, c.Reach(), number)
	return found, missing(err, "service request")
}

type openCaseInput struct {
	Repeatable
	Body struct {
		Device   ID     `json:"device"`
		Title    string `json:"title" minLength:"1" maxLength:"256"`
		Text     string `json:"text,omitempty" maxLength:"65536"`
		Severity int    `json:"severity,omitempty" minimum:"0" maximum:"9"`
		Team     string `json:"team,omitempty" maxLength:"128" doc:"None: as the routes say"`
	}
}

func openCase(ctx context.Context, d *deed, in *openCaseInput) (*caseOutput, error) {
	b := &in.Body
	dev, err := d.findDevice(ctx, d.Registry(), int64(b.Device))
	if err != nil {
		return nil, err
	}
	if err := d.require(account.CaseWrite, dev.Company, "device"); err != nil {
		return nil, err
	}
	sub, err := d.subject(ctx, dev)
	if err != nil {
		return nil, err
	}
	c, happenings, err := d.api.desk.Open(ctx, d.Casework(), *sub, casework.Request{Title: b.Title, Text: b.Text, Level: callhome.Level(b.Severity), Team: b.Team}, d.by())
	if err != nil {
		return nil, err
	}
	if err := d.api.announce(ctx, d.Views, happenings); err != nil {
		return nil, err
	}
	return &caseOutput{Body: caseOf(c)}, d.note(ctx, account.CaseWrite, "service-request "+string(c.Number), c.Company, map[string]any{"deed": "open"})
}

func (d *deed) by() casework.By { return casework.By{Who: d.Name, Via: casework.ViaPerson} }
