package api

import (
	"context"
	"net/http"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/casework"
	"callhome/server/notify"
)

// Notification is a notice in the caller's inbox.
type Notification struct {
	ID      ID                  `json:"id"`
	Kind    notify.Kind         `json:"kind"`
	At      time.Time           `json:"at"`
	ReadAt  time.Time           `json:"read_at,omitzero" doc:"None: not read yet"`
	Level   string              `json:"level"`
	Subject string              `json:"subject"`
	Host    string              `json:"sys_name,omitempty"`
	Company ID                  `json:"company,omitempty"`
	Device  ID                  `json:"device,omitempty"`
	Case    ID                  `json:"service_request,omitempty"`
	Number  casework.CaseNumber `json:"number,omitempty"`
	Content notify.Content      `json:"content"`
}

type inboxInput struct {
	Paging
	Unread bool `query:"unread"`
}

type unreadOutput struct {
	Body struct {
		Unread int64 `json:"unread"`
	}
}

type readInput struct {
	Body struct {
		IDs []ID `json:"ids,omitempty" maxItems:"1000" doc:"None: all of them"`
	}
}

// Preferences are when a person wants to hear of what.
type Preferences struct {
	Hour    int             `json:"hour" minimum:"0" maximum:"23" doc:"Of the daily digest"`
	Zone    string          `json:"zone,omitempty" maxLength:"64" doc:"Of hour, an IANA name; none: UTC"`
	Choices []notify.Choice `json:"choices,omitempty" maxItems:"1000" doc:"Of several that fit the one that says more counts"`
}

type preferencesOutput struct{ Body Preferences }

type preferencesInput struct{ Body Preferences }

var errNobody = callhome.Errorf(callhome.KindInvalid, "this token is nobody's, so it has neither inbox nor preferences")

func addInbox(a *API) {
	addList[inboxInput](a, listing[inboxInput, Notification]{
		Route: listRoute("/notifications", account.NotificationRead, "List one's notifications"),
		key:   func(n *Notification) int64 { return int64(n.ID) },
		page: func(ctx context.Context, q *query, in *inboxInput, p account.Page) ([]Notification, error) {
			if q.User == 0 {
				return nil, errNobody
			}
			list, err := q.Notify().Inbox(ctx, q.Reach(), q.User, in.Unread, p)
			return mapped(list, notificationOf), err
		},
	})
	look(a, Route{Path: "/notifications/unread", Action: account.NotificationRead, Summary: "How many of one's notifications are not read yet"}, func(ctx context.Context, q *query, _ *nothing) (*unreadOutput, error) {
		if q.User == 0 {
			return nil, errNobody
		}
		out := &unreadOutput{}
		var err error
		out.Body.Unread, err = q.Notify().Unread(ctx, q.User)
		return out, err
	})
	change(a, Route{Method: http.MethodPost, Path: "/notifications/read", Action: account.PreferenceWrite, Success: http.StatusNoContent, Summary: "Mark notifications as read"}, markRead)
	look(a, Route{Path: "/preferences", Action: account.NotificationRead, Summary: "When one wants to hear of what"}, func(ctx context.Context, q *query, _ *nothing) (*preferencesOutput, error) {
		if q.User == 0 {
			return nil, errNobody
		}
		s, err := a.announcer.SettingsOf(ctx, q.Notify(), q.User)
		if err != nil {
			return nil, err
		}
		return &preferencesOutput{Body: Preferences{Hour: s.Hour, Zone: s.Zone, Choices: s.Choices}}, nil
	})
	change(a, Route{Method: http.MethodPut, Path: "/preferences", Action: account.PreferenceWrite, Summary: "Choose when one wants to hear of what"}, choose)
}

func notificationOf(e *notify.Entry) Notification {
	n := &e.Notice
	return Notification{
		ID: ID(e.ID), Kind: n.Kind, At: n.At, ReadAt: e.ReadAt, Level: n.Level.String(), Subject: n.Subject, Host: n.Host, Company: ID(n.Company), Device: ID(n.Device),
		Case: ID(n.Case), Number: n.Number, Content: n.Content,
	}
}

// markRead is the one change that the audit log does not tell of: it is nobody's business what a person has read.
func markRead(ctx context.Context, d *deed, in *readInput) (*nothing, error) {
	if d.User == 0 {
		return nil, errNobody
	}
	d.noted = true
	return &nothing{}, d.Notify().MarkRead(ctx, d.User, d.api.now(), numbersOf[int64](in.Body.IDs)...)
}

func choose(ctx context.Context, d *deed, in *preferencesInput) (*preferencesOutput, error) {
	if d.User == 0 {
		return nil, errNobody
	}
	err := d.api.announcer.Choose(ctx, d.Notify(), &notify.Settings{User: d.User, Hour: in.Body.Hour, Zone: in.Body.Zone, Choices: in.Body.Choices})
	if err != nil {
		return nil, err
	}
	return &preferencesOutput{Body: in.Body}, d.note(ctx, account.PreferenceWrite, "user "+d.Name, firstCompany(d.Companies), map[string]any{"choices": len(in.Body.Choices)})
}
