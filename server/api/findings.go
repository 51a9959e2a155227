package api

import (
	"context"
	"time"

	"callhome"
	"callhome/secrets"
	"callhome/server/account"
	"callhome/server/advisory"
	"callhome/server/analysis"
	"callhome/server/casework"
)

// Finding is what a rule found in a message.
type Finding struct {
	ID             ID                  `json:"id"`
	Company        ID                  `json:"company"`
	Device         ID                  `json:"device"`
	Rule           string              `json:"rule"`
	Pack           string              `json:"pack"`
	Version        string              `json:"version,omitempty" doc:"Of the pack"`
	Class          analysis.Class      `json:"class,omitempty"`
	Outcome        analysis.Outcome    `json:"outcome" doc:"information, recommendation or service_request"`
	Severity       int                 `json:"severity"`
	Level          string              `json:"level"`
	Title          string              `json:"title"`
	Diagnosis      string              `json:"diagnosis,omitempty"`
	Recommendation string              `json:"recommendation,omitempty"`
	Component      string              `json:"component,omitempty"`
	State          callhome.EventState `json:"state" doc:"raise, clear or none"`
	At             time.Time           `json:"event_time,omitzero"`
	StoredAt       time.Time           `json:"stored_at"`
	MessageID      string              `json:"message_id,omitempty"`
	Message        ID                  `json:"message,omitempty" doc:"id under messages; none of a silence"`
	Case           ID                  `json:"service_request,omitempty"`
	Hunt           ID                  `json:"hunt,omitempty" doc:"Found by a hunt, not when the message came"`
	References     []string            `json:"references,omitempty"`
	Evidence       []analysis.Quote    `json:"evidence,omitempty"`
}

// Deed is what became of one finding of one message.
type Deed struct {
	ID          ID                   `json:"id"`
	Device      ID                   `json:"device"`
	Rule        string               `json:"rule"`
	Part        string               `json:"part,omitempty" doc:"What of the device it is about"`
	MessageID   string               `json:"message_id,omitempty"`
	Message     ID                   `json:"message,omitempty" doc:"id under messages"`
	At          time.Time            `json:"at"`
	EventTime   time.Time            `json:"event_time,omitzero"`
	Severity    int                  `json:"severity"`
	Level       string               `json:"level"`
	Title       string               `json:"title,omitempty"`
	Disposition casework.Disposition `json:"disposition" doc:"opened, reopened, joined, cleared, nothing_open, maintenance, not_entitled, no_case or no_service"`
	Evidence    []Evidence           `json:"evidence,omitempty"`
}

// Evidence is one thing that shows why.
type Evidence struct {
	Message    ID     `json:"message,omitempty"`
	Attachment string `json:"attachment,omitempty" doc:"Its name: the command"`
	Quote      string `json:"quote,omitempty"`
}

type findingsInput struct {
	Paging
	Device  int64     `query:"device" minimum:"1"`
	Message int64     `query:"message" minimum:"1"`
	Case    int64     `query:"service_request" minimum:"1"`
	Rule    string    `query:"rule" maxLength:"128"`
	Outcome string    `query:"outcome" maxLength:"32"`
	Class   string    `query:"class" maxLength:"64"`
	Hunt    int64     `query:"hunt" minimum:"1"`
	Since   time.Time `query:"since"`
	Company int64     `query:"company" minimum:"1"`
}

func addFindings(a *API) {
	addList[findingsInput](a, listing[findingsInput, Finding]{
		Route: listRoute("/findings", account.DeviceRead, "List findings"),
		key:   func(f *Finding) int64 { return int64(f.ID) },
		page: func(ctx context.Context, q *query, in *findingsInput, p account.Page) ([]Finding, error) {
			f := analysis.Filter{
				Device: in.Device, Message: in.Message, Case: in.Case, Rule: in.Rule, Outcome: analysis.Outcome(in.Outcome), Class: analysis.Class(in.Class), Hunt: in.Hunt,
				Since: in.Since,
			}
			list, err := q.Analysis().List(ctx, q.within(in.Company), f, p)
			return mapped(list, findingOf), err
		},
	})
	look(a, Route{Path: "/findings/{id}", Action: account.DeviceRead, Summary: "One finding"}, func(ctx context.Context, q *query, in *oneInput) (*findingOutput, error) {
		f, ok, err := q.Analysis().Find(ctx, q.Reach(), in.ID)
		if err == nil && !ok {
			err = notFound("finding")
		}
		return &findingOutput{Body: findingOf(&f)}, err
	})
}

type findingOutput struct{ Body Finding }

// findingOf shows a finding; its quotes were masked when it was made.
func findingOf(r *analysis.Record) Finding {
	return Finding{
		ID: ID(r.ID), Company: ID(r.Company), Device: ID(r.Device), Rule: r.Rule, Pack: r.Pack, Version: r.Version, Class: r.Class, Outcome: r.Outcome,
		Severity: int(r.Level), Level: r.Level.String(), Title: r.Title, Diagnosis: r.Diagnosis, Recommendation: r.Recommendation, Component: r.Component,
		State: r.State, At: r.At, StoredAt: r.StoredAt, MessageID: r.MessageID, Message: ID(r.Message), Case: ID(r.Case), Hunt: ID(r.Hunt), References: r.References,
		Evidence: r.Evidence,
	}
}

// deedOf masks what is quoted for who may not see messages as received.
func (q *query) deedOf(d *casework.Deed) Deed {
	f := Deed{
		ID: ID(d.ID), Device: ID(d.Cause.Device), Rule: d.Cause.Rule, Part: d.Cause.Part, MessageID: d.Message, Message: ID(d.Archive), At: d.At,
		EventTime: d.EventAt, Severity: int(d.Level), Level: d.Level.String(), Title: d.Title, Disposition: d.Disposition,
	}
	raw := account.Can(q.Principal, account.MessageReadRaw, d.Company)
	for _, e := range d.Evidence {
		if !raw {
			e.Quote = secrets.Mask(e.Quote)
		}
		f.Evidence = append(f.Evidence, Evidence{Message: ID(e.Archive), Attachment: e.Attachment, Quote: e.Quote})
	}
	return f
}

// maskEvidence masks what advisories quote.
func maskEvidence(list []advisory.Evidence) []advisory.Evidence {
	out := make([]advisory.Evidence, len(list))
	for i, e := range list {
		e.Found = secrets.Mask(e.Found)
		out[i] = e
	}
	return out
}
