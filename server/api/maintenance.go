package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/casework"
)

// Window is a time in which devices are worked on: nothing is opened and nobody called.
type Window struct {
	ID      ID             `json:"id"`
	Company ID             `json:"company"`
	Scope   casework.Scope `json:"scope" doc:"device, site, group or company"`
	Target  string         `json:"target,omitempty" doc:"What of that; none of a company"`
	From    time.Time      `json:"from"`
	Until   time.Time      `json:"until" doc:"Exclusive"`
	Reason  string         `json:"reason,omitempty"`
	By      string         `json:"by,omitempty"`
}

type windowOutput struct{ Body Window }

type windowsInput struct {
	Paging
	Company int64 `query:"company" minimum:"1"`
}

func addMaintenance(a *API) {
	addList[windowsInput](a, listing[windowsInput, Window]{
		Route: listRoute("/maintenance", account.CaseRead, "List maintenance windows"),
		key:   func(w *Window) int64 { return int64(w.ID) },
		page: func(ctx context.Context, q *query, in *windowsInput, p account.Page) ([]Window, error) {
			list, err := q.Casework().Windows(ctx, q.within(in.Company), p)
			return mapped(list, windowOf), err
		},
	})
	change(a, Route{Method: http.MethodPost, Path: "/maintenance", Action: account.CaseWrite, Success: http.StatusCreated, Summary: "Announce maintenance"}, openWindow)
	change(a, Route{Method: http.MethodDelete, Path: "/maintenance/{id}", Action: account.CaseWrite, Success: http.StatusNoContent, Summary: "End maintenance now, or take it back"}, endWindow)
}

func windowOf(w *casework.Window) Window {
	return Window{ID: ID(w.ID), Company: ID(w.Company), Scope: w.Scope, Target: w.Target, From: w.From, Until: w.Until, Reason: w.Reason, By: w.By}
}

type openWindowInput struct {
	Repeatable
	Body struct {
		Company ID             `json:"company"`
		Scope   casework.Scope `json:"scope" enum:"device,site,group,company"`
		Target  string         `json:"target,omitempty" maxLength:"256"`
		From    time.Time      `json:"from"`
		Until   time.Time      `json:"until"`
		Reason  string         `json:"reason,omitempty" maxLength:"1024"`
	}
}

func openWindow(ctx context.Context, d *deed, in *openWindowInput) (*windowOutput, error) {
	b := &in.Body
	c, err := d.findCompany(ctx, d.Account(), int64(b.Company))
	if err != nil {
		return nil, err
	}
	if err := d.require(account.CaseWrite, c.ID, "company"); err != nil {
		return nil, err
	}
	w := &casework.Window{Company: c.ID, Scope: b.Scope, Target: b.Target, From: b.From, Until: b.Until, Reason: b.Reason, By: d.Name}
	if err := w.Validate(); err != nil {
		return nil, err
	}
	if err := d.api.desk.OpenWindow(ctx, d.Casework(), w); err != nil {
		return nil, err
	}
	return &windowOutput{Body: windowOf(w)}, d.note(ctx, "maintenance.open", string(w.Scope)+" "+w.Target, c.ID, map[string]any{"from": w.From, "until": w.Until})
}

func endWindow(ctx context.Context, d *deed, in *oneInput) (*nothing, error) {
	if err := d.api.desk.EndWindow(ctx, d.Casework(), d.Reach(), in.ID); err != nil {
		if callhome.KindOf(err) == callhome.KindNotFound {
			err = notFound("maintenance window")
		}
		return nil, err
	}
	return &nothing{}, d.note(ctx, "maintenance.end", "maintenance "+strconv.FormatInt(in.ID, 10), firstCompany(d.Companies), nil)
}
