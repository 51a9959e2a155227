package api

import (
	"context"
	"time"

	"callhome/secrets"
	"callhome/server/account"
	"callhome/server/casework"
)

// Finding is what a rule found in a message, and what became of it.
type Finding struct {
	ID          ID                   `json:"id"`
	Company     ID                   `json:"company"`
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
	Case        ID                   `json:"service_request,omitempty"`
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
	Device      int64  `query:"device" minimum:"1"`
	Case        int64  `query:"service_request" minimum:"1"`
	Rule        string `query:"rule" maxLength:"128"`
	Disposition string `query:"disposition" enum:"opened,reopened,joined,cleared,nothing_open,maintenance,not_entitled,no_case,no_service"`
	Company     int64  `query:"company" minimum:"1"`
}

func addFindings(a *API) {
	addList[findingsInput](a, listing[findingsInput, Finding]{
		Route: listRoute("/findings", account.CaseRead, "List findings and what became of them"),
		key:   func(f *Finding) int64 { return int64(f.ID) },
		page: func(ctx context.Context, q *query, in *findingsInput, p account.Page) ([]Finding, error) {
			f := casework.DeedFilter{Case: in.Case, Device: in.Device, Rule: in.Rule, Disposition: casework.Disposition(in.Disposition)}
			list, err := q.Casework().Deeds(ctx, q.within(in.Company), f, p)
			return mapped(list, q.findingOf), err
		},
	})
}

// findingOf masks what is quoted for who may not see messages as received.
func (q *query) findingOf(d *casework.Deed) Finding {
	f := Finding{
		ID: ID(d.ID), Company: ID(d.Company), Device: ID(d.Cause.Device), Rule: d.Cause.Rule, Part: d.Cause.Part, MessageID: d.Message, Message: ID(d.Archive), At: d.At,
		EventTime: d.EventAt, Severity: int(d.Level), Level: d.Level.String(), Title: d.Title, Disposition: d.Disposition, Case: ID(d.Case),
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
