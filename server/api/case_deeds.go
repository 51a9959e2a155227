package api

import (
	"context"
	"net/http"
	"time"

	"callhome/server/account"
	"callhome/server/casework"
)

// doer is a deed of the desk.
type doer func(ctx context.Context, id int64) ([]casework.Happening, error)

func addCaseDeeds(a *API) {
	do(a, "acknowledge", "Say that somebody looks into it: escalation rests", func(d *deed, _ *caseInput) (string, doer) {
		return "", func(ctx context.Context, id int64) ([]casework.Happening, error) {
			return d.api.desk.Acknowledge(ctx, d.Casework(), d.Reach(), id, d.by())
		}
	}, func(in *caseInput) string { return in.ID })
	do(a, "note", "Add a remark", func(d *deed, in *noteInput) (string, doer) {
		return "", func(ctx context.Context, id int64) ([]casework.Happening, error) {
			return d.api.desk.Note(ctx, d.Casework(), d.Reach(), id, in.Body.Text, d.by())
		}
	}, func(in *noteInput) string { return in.ID })
	do(a, "assign", "Give it to a person, or back to its team", func(d *deed, in *assignCaseInput) (string, doer) {
		return in.Body.Person, func(ctx context.Context, id int64) ([]casework.Happening, error) {
			return d.api.desk.Assign(ctx, d.Casework(), d.Reach(), id, in.Body.Person, d.by())
		}
	}, func(in *assignCaseInput) string { return in.ID })
	do(a, "route", "Give it to another team", func(d *deed, in *routeCaseInput) (string, doer) {
		return in.Body.Team, func(ctx context.Context, id int64) ([]casework.Happening, error) {
			return d.api.desk.Route(ctx, d.Casework(), d.Reach(), id, in.Body.Team, d.by())
		}
	}, func(in *routeCaseInput) string { return in.ID })
	do(a, "pend", "Say whom it waits for", func(d *deed, in *pendInput) (string, doer) {
		return string(in.Body.State), func(ctx context.Context, id int64) ([]casework.Happening, error) {
			return d.api.desk.Pend(ctx, d.Casework(), d.Reach(), id, in.Body.State, in.Body.Text, d.by())
		}
	}, func(in *pendInput) string { return in.ID })
	do(a, "snooze", "Quiet it until a time, unless it becomes worse", func(d *deed, in *snoozeInput) (string, doer) {
		return in.Body.Until.Format(time.RFC3339), func(ctx context.Context, id int64) ([]casework.Happening, error) {
			return d.api.desk.Snooze(ctx, d.Casework(), d.Reach(), id, in.Body.Until, d.by())
		}
	}, func(in *snoozeInput) string { return in.ID })
	for verb, ending := range map[string]struct {
		summary string
		do      func(*casework.Desk, context.Context, casework.Store, account.Reach, int64, string, casework.By) ([]casework.Happening, error)
	}{
		"resolve": {"Say that the trouble is over", (*casework.Desk).Resolve},
		"close":   {"Say that it is done with", (*casework.Desk).Close},
		"reopen":  {"Bring it back", (*casework.Desk).Reopen},
	} {
		do(a, verb, ending.summary, func(d *deed, in *endInput) (string, doer) {
			return "", func(ctx context.Context, id int64) ([]casework.Happening, error) {
				return ending.do(d.api.desk, ctx, d.Casework(), d.Reach(), id, in.Body.Text, d.by())
			}
		}, func(in *endInput) string { return in.ID })
	}
}

type noteInput struct {
	Repeatable
	ID   string `path:"id" maxLength:"32"`
	Body struct {
		Text string `json:"text" minLength:"1" maxLength:"65536"`
	}
}

type assignCaseInput struct {
	ID   string `path:"id" maxLength:"32"`
	Body struct {
		Person string `json:"person" maxLength:"128" doc:"Empty: back to the team"`
	}
}

type routeCaseInput struct {
	ID   string `path:"id" maxLength:"32"`
	Body struct {
		Team string `json:"team" minLength:"1" maxLength:"128"`
	}
}

type pendInput struct {
	ID   string `path:"id" maxLength:"32"`
	Body struct {
		State casework.State `json:"state" enum:"pending_customer,pending_vendor"`
		Text  string         `json:"text,omitempty" maxLength:"65536"`
	}
}

type snoozeInput struct {
	ID   string `path:"id" maxLength:"32"`
	Body struct {
		Until time.Time `json:"until" doc:"A time that is past wakes it"`
	}
}

type endInput struct {
	ID   string `path:"id" maxLength:"32"`
	Body struct {
		Text string `json:"text,omitempty" maxLength:"65536"`
	}
}

// do adds a deed about a service request: within reach, announced, and in the audit log.
func do[I any](a *API, verb, summary string, f func(d *deed, in *I) (detail string, what doer), id func(*I) string) {
	r := Route{Method: http.MethodPost, Path: "/service-requests/{id}/" + verb, Action: account.CaseWrite, Summary: summary}
	change(a, r, func(ctx context.Context, d *deed, in *I) (*caseOutput, error) {
		c, err := d.findCase(ctx, d.Casework(), id(in))
		if err != nil {
			return nil, err
		}
		if err := d.require(account.CaseWrite, c.Company, "service request"); err != nil {
			return nil, err
		}
		detail, what := f(d, in)
		happenings, err := what(ctx, c.ID)
		if err != nil {
			return nil, missing(err, "service request")
		}
		if err := d.api.announce(ctx, d.Views, happenings); err != nil {
			return nil, err
		}
		if c, err = d.Casework().Case(ctx, d.Reach(), c.ID); err != nil {
			return nil, err
		}
		return &caseOutput{Body: caseOf(c)}, d.note(ctx, account.CaseWrite, "service-request "+string(c.Number), c.Company, map[string]any{"deed": verb, "to": detail})
	})
}
