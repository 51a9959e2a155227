package api

import (
	"context"
	"net/http"
	"time"

	"callhome"
	"callhome/server/account"
)

// Token is an API token, without what it is known by.
type Token struct {
	ID        ID            `json:"id"`
	Name      string        `json:"name"`
	Prefix    string        `json:"prefix" doc:"Its first characters"`
	Scope     account.Scope `json:"scope"`
	User      ID            `json:"user,omitempty" doc:"It acts as this person; none: as the back end, within company"`
	Company   ID            `json:"company,omitempty"`
	CreatedAt time.Time     `json:"created_at"`
	Until     time.Time     `json:"until,omitzero" doc:"None: until it is revoked"`
	LastUsed  time.Time     `json:"last_used,omitzero"`
}

// NewToken is a token with its secret, which is shown once.
type NewToken struct {
	Token
	Secret string `json:"token" doc:"Shown this once"`
}

type newTokenOutput struct{ Body NewToken }

func (*newTokenOutput) secretive() {}

func tokenOf(t *account.Token) Token {
	return Token{
		ID: ID(t.ID), Name: t.Name, Prefix: t.Prefix, Scope: t.Scope, User: ID(t.User), Company: ID(t.Company), CreatedAt: t.CreatedAt, Until: t.Until, LastUsed: t.LastUsed,
	}
}

type tokensInput struct {
	Paging
	All bool `query:"all" doc:"Those of all people within reach, which takes user.read"`
}

func addTokens(a *API) {
	addList[tokensInput](a, listing[tokensInput, Token]{
		Route: Route{Path: "/tokens", Own: true, Summary: "List one's tokens"},
		key:   func(t *Token) int64 { return int64(t.ID) },
		page: func(ctx context.Context, q *query, in *tokensInput, p account.Page) ([]Token, error) {
			user := q.User
			if in.All || user == 0 {
				if !account.CanSomewhere(q.Principal, account.UserRead) {
					return nil, denied(q.caller, account.UserRead)
				}
				user = 0
			}
			list, err := q.Account().ListTokens(ctx, q.Reach(), user, p)
			return mapped(list, tokenOf), err
		},
	})
	change(a, Route{Method: http.MethodPost, Path: "/tokens", Action: account.TokenWrite, Success: http.StatusCreated, Summary: "Make a token that acts as the caller"}, newToken)
	change(a, Route{Method: http.MethodDelete, Path: "/tokens/{id}", Action: account.TokenWrite, Success: http.StatusNoContent, Summary: "Revoke a token"}, revokeToken)
}

type newTokenInput struct {
	Repeatable
	Body struct {
		Name    string        `json:"name" maxLength:"128"`
		Scope   account.Scope `json:"scope" enum:"read,write,admin"`
		Company ID            `json:"company,omitempty" doc:"Of a token without a person: whose records it reaches"`
		Days    int           `json:"days,omitempty" minimum:"0" maximum:"3650" doc:"How long it lives; 0: until it is revoked"`
	}
}

func newToken(ctx context.Context, d *deed, in *newTokenInput) (*newTokenOutput, error) {
	if err := d.ownsTokens(in.Body.Company); err != nil {
		return nil, err
	}
	d.roomNotes()
	t, secret, err := d.api.office.NewToken(ctx, d.Account(), d.Principal, account.TokenOrder{
		Name: in.Body.Name, Scope: in.Body.Scope, Company: account.CompanyID(in.Body.Company), Lifetime: time.Duration(in.Body.Days) * 24 * time.Hour,
	})
	if err != nil {
		return nil, err
	}
	return &newTokenOutput{Body: NewToken{Token: tokenOf(t), Secret: secret.Reveal()}}, nil
}

// ownsTokens keeps a token without a person from making one that reaches further than itself.
func (c *caller) ownsTokens(company ID) error {
	if c.User != 0 || c.Reach().All {
		return nil
	}
	if company == 0 {
		return invalid("body.company", "is needed: this token acts for a company, and so does what it makes")
	}
	if !c.Reach().Has(account.CompanyID(company)) {
		return notFound("company")
	}
	return nil
}

func revokeToken(ctx context.Context, d *deed, in *oneInput) (*nothing, error) {
	t, err := d.Account().Token(ctx, in.ID)
	if err != nil && callhome.KindOf(err) == callhome.KindNotFound {
		return nil, notFound("token")
	}
	if err != nil {
		return nil, err
	}
	if err := d.seesToken(ctx, t); err != nil {
		return nil, err
	}
	d.roomNotes()
	return &nothing{}, d.api.office.RevokeToken(ctx, d.Account(), d.Principal, in.ID)
}

func (d *deed) seesToken(ctx context.Context, t *account.Token) error {
	switch {
	case t.User == d.User && d.User != 0:
		return nil
	case t.User == 0 && !d.Reach().Has(t.Company), !account.CanSomewhere(d.Principal, account.UserRead):
		return notFound("token")
	case t.User != 0:
		if _, err := d.findUser(ctx, d.Account(), int64(t.User)); err != nil {
			return notFound("token")
		}
	}
	return nil
}
