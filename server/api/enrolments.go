package api

import (
	"context"
	"net/http"
	"time"

	"callhome"
	"callhome/enrol"
	"callhome/server/account"
	"callhome/server/registry"
)

// Enrolment is an agent or gateway of ours that joined.
type Enrolment struct {
	ID        ID             `json:"id"`
	Kind      enrol.Kind     `json:"kind" doc:"agent or gateway"`
	Company   ID             `json:"company,omitempty"`
	Name      string         `json:"name"`
	JoinedAt  time.Time      `json:"joined_at"`
	By        ID             `json:"by,omitempty" doc:"Who made its token"`
	RevokedAt time.Time      `json:"revoked_at,omitzero"`
	Reason    string         `json:"reason,omitempty" doc:"Of the revocation"`
	Until     time.Time      `json:"certificate_until,omitzero" doc:"End of its newest certificate"`
	Late      bool           `json:"late" doc:"Heartbeats are missing"`
	Claims    enrol.Identity `json:"claims,omitzero" doc:"What it says of itself; no proof"`
	Beat      registry.Beat  `json:"heartbeat,omitzero" doc:"The latest"`
}

// JoinToken is a one-time token for one agent or gateway.
type JoinToken struct {
	ID        ID         `json:"id"`
	Prefix    string     `json:"prefix"`
	Kind      enrol.Kind `json:"kind"`
	Company   ID         `json:"company,omitempty"`
	Name      string     `json:"name,omitempty" doc:"That the holder gets; none: the one it asks for"`
	MadeBy    ID         `json:"made_by,omitempty"`
	MadeAt    time.Time  `json:"made_at"`
	Until     time.Time  `json:"until"`
	UsedAt    time.Time  `json:"used_at,omitzero"`
	Enrolment ID         `json:"enrolment,omitempty" doc:"Who used it"`
}

// NewJoinToken is a one-time token with its secret.
type NewJoinToken struct {
	JoinToken
	Secret string `json:"token" doc:"Shown this once"`
}

type newJoinTokenOutput struct{ Body NewJoinToken }

func (*newJoinTokenOutput) secretive() {}

type enrolmentsInput struct {
	Paging
	Name    string `query:"name" maxLength:"128"`
	Company int64  `query:"company" minimum:"1"`
	Revoked bool   `query:"revoked" doc:"Those that were revoked, too"`
}

type enrolmentOutput struct{ Body Enrolment }

type driftOutput struct{ Body registry.DriftView }

type joinTokensInput struct{ Paging }

func addEnrolments(a *API) {
	for path, kind := range map[string]enrol.Kind{"/agents": enrol.KindAgent, "/gateways": enrol.KindGateway} {
		addList[enrolmentsInput](a, listing[enrolmentsInput, Enrolment]{
			Route: listRoute(path, account.EnrolmentRead, "List "+path[1:]),
			key:   func(e *Enrolment) int64 { return int64(e.ID) },
			page: func(ctx context.Context, q *query, in *enrolmentsInput, p account.Page) ([]Enrolment, error) {
				list, err := q.Registry().ListEnrolments(ctx, q.within(in.Company), registry.EnrolmentFilter{Kind: kind, Name: in.Name, Revoked: in.Revoked}, p)
				return mapped(list, a.enrolmentOf), err
			},
		})
		look(a, Route{Path: path + "/{id}", Action: account.EnrolmentRead, Summary: "One of the " + path[1:]}, func(ctx context.Context, q *query, in *oneInput) (*enrolmentOutput, error) {
			e, err := q.findEnrolment(ctx, q.Registry(), kind, in.ID)
			if err != nil {
				return nil, err
			}
			return &enrolmentOutput{Body: a.enrolmentOf(e)}, nil
		})
		change(a, Route{Method: http.MethodPost, Path: path + "/{id}/revoke", Action: account.EnrolmentWrite, Success: http.StatusNoContent, Summary: "End a membership with all its certificates"},
			func(ctx context.Context, d *deed, in *revokeInput) (*nothing, error) { return d.revoke(ctx, kind, in) })
	}
	look(a, Route{Path: "/drift", Action: account.EnrolmentRead, Summary: "Which versions and configurations agents and gateways run"}, func(ctx context.Context, q *query, _ *nothing) (*driftOutput, error) {
		view, err := registry.ViewDrift(ctx, q.Registry(), q.Reach())
		if err != nil {
			return nil, err
		}
		return &driftOutput{Body: *view}, nil
	})
	addJoinTokens(a)
}

func addJoinTokens(a *API) {
	addList[joinTokensInput](a, listing[joinTokensInput, JoinToken]{
		Route: listRoute("/enrolment-tokens", account.EnrolmentRead, "List one-time tokens of agents and gateways"),
		key:   func(t *JoinToken) int64 { return int64(t.ID) },
		page: func(ctx context.Context, q *query, _ *joinTokensInput, p account.Page) ([]JoinToken, error) {
			list, err := q.Registry().ListJoinTokens(ctx, q.Reach(), p)
			return mapped(list, joinTokenOf), err
		},
	})
	change(a, Route{Method: http.MethodPost, Path: "/enrolment-tokens", Action: account.EnrolmentWrite, Success: http.StatusCreated, Summary: "Make a one-time token"}, newJoinToken)
	change(a, Route{Method: http.MethodDelete, Path: "/enrolment-tokens/{id}", Action: account.EnrolmentWrite, Success: http.StatusNoContent, Summary: "Remove a one-time token"}, func(ctx context.Context, d *deed, in *oneInput) (*nothing, error) {
		if err := d.Registry().DeleteJoinToken(ctx, d.Reach(), in.ID); err != nil {
			if callhome.KindOf(err) == callhome.KindNotFound {
				err = notFound("token")
			}
			return nil, err
		}
		return &nothing{}, d.note(ctx, "enrolment.delete-token", "token "+ID(in.ID).String(), firstCompany(d.Companies), nil)
	})
}

func (a *API) enrolmentOf(e *registry.Enrolment) Enrolment {
	return Enrolment{
		ID: ID(e.ID), Kind: e.Kind, Company: ID(e.Company), Name: e.Name, JoinedAt: e.JoinedAt, By: ID(e.By), RevokedAt: e.RevokedAt, Reason: e.Reason, Until: e.Until,
		Late: e.Late(a.now()), Claims: e.Claims, Beat: e.Beat,
	}
}

func joinTokenOf(t *registry.JoinToken) JoinToken {
	return JoinToken{
		ID: ID(t.ID), Prefix: t.Prefix, Kind: t.Kind, Company: ID(t.Company), Name: t.Name, MadeBy: ID(t.MadeBy), MadeAt: t.MadeAt, Until: t.Until, UsedAt: t.UsedAt,
		Enrolment: ID(t.Enrolment),
	}
}

func (c *caller) findEnrolment(ctx context.Context, s registry.Enrolments, kind enrol.Kind, id int64) (*registry.Enrolment, error) {
	e, err := s.Enrolment(ctx, registry.EnrolmentID(id))
	if err != nil && callhome.KindOf(err) != callhome.KindNotFound {
		return nil, err
	}
	if err != nil || !c.Reach().Has(e.Company) || e.Kind != kind {
		return nil, notFound(string(kind))
	}
	return e, nil
}

type revokeInput struct {
	ID   int64 `path:"id" minimum:"1"`
	Body struct {
		Reason string `json:"reason" maxLength:"256"`
	}
}

func (d *deed) revoke(ctx context.Context, kind enrol.Kind, in *revokeInput) (*nothing, error) {
	e, err := d.findEnrolment(ctx, d.Registry(), kind, in.ID)
	if err != nil {
		return nil, err
	}
	if err := d.require(account.EnrolmentWrite, e.Company, string(kind)); err != nil {
		return nil, err
	}
	if err := d.api.registrar.Revoke(ctx, d.Registry(), e.ID, in.Body.Reason); err != nil {
		return nil, err
	}
	return &nothing{}, d.note(ctx, "enrolment.revoke", string(kind)+" "+e.Name, e.Company, map[string]any{"reason": in.Body.Reason})
}

type newJoinTokenInput struct {
	Repeatable
	Body struct {
		Kind    enrol.Kind `json:"kind" enum:"agent,gateway"`
		Company ID         `json:"company,omitempty" doc:"None: for an operator's own gateway, which speaks for all"`
		Name    string     `json:"name,omitempty" maxLength:"64"`
		Days    int        `json:"days,omitempty" minimum:"0" maximum:"365" doc:"How long it waits to be used; 0: seven"`
	}
}

func newJoinToken(ctx context.Context, d *deed, in *newJoinTokenInput) (*newJoinTokenOutput, error) {
	company := account.CompanyID(in.Body.Company)
	if company != account.NoCompany {
		if _, err := d.findCompany(ctx, d.Account(), int64(company)); err != nil {
			return nil, err
		}
	} else if !d.Reach().All {
		return nil, invalid("body.company", "is needed: only an operator's gateway speaks for all")
	}
	if err := d.require(account.EnrolmentWrite, company, "company"); err != nil {
		return nil, err
	}
	t, secret, err := d.api.registrar.NewJoinToken(ctx, d.Registry(), registry.JoinOrder{
		Kind: in.Body.Kind, Company: company, Name: in.Body.Name, Lifetime: time.Duration(in.Body.Days) * 24 * time.Hour, By: d.Principal,
	})
	if err != nil {
		return nil, err
	}
	return &newJoinTokenOutput{Body: NewJoinToken{JoinToken: joinTokenOf(t), Secret: secret.Reveal()}},
		d.note(ctx, "enrolment.token", string(t.Kind)+" "+t.Name, company, map[string]any{"prefix": t.Prefix})
}
