package api

import (
	"context"
	"net/http"
	"time"

	"callhome"
	"callhome/server/account"
)

// Company is a customer of whoever runs the back end.
type Company struct {
	ID        ID        `json:"id"`
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at"`
	Disabled  bool      `json:"disabled" doc:"Its people cannot sign in"`
}

type companyOutput struct{ Body Company }

type companiesInput struct{ Paging }

func companyOf(c *account.Company) Company {
	return Company{ID: ID(c.ID), Name: c.Name, CreatedAt: c.CreatedAt, Disabled: c.Disabled}
}

func addCompanies(a *API) {
	addList[companiesInput](a, listing[companiesInput, Company]{
		Route: listRoute("/companies", account.CompanyRead, "List companies"),
		key:   func(c *Company) int64 { return int64(c.ID) },
		page: func(ctx context.Context, q *query, _ *companiesInput, p account.Page) ([]Company, error) {
			list, err := q.Account().ListCompanies(ctx, q.Reach(), p)
			return mapped(list, companyOf), err
		},
	})
	look(a, Route{Path: "/companies/{id}", Action: account.CompanyRead, Summary: "One company"}, func(ctx context.Context, q *query, in *oneInput) (*companyOutput, error) {
		c, err := q.findCompany(ctx, q.Account(), in.ID)
		if err != nil {
			return nil, err
		}
		return &companyOutput{Body: companyOf(c)}, nil
	})
	change(a, Route{Method: http.MethodPost, Path: "/companies", Action: account.CompanyWrite, Success: http.StatusCreated, Summary: "Make a company"}, newCompany)
	change(a, Route{Method: http.MethodPatch, Path: "/companies/{id}", Action: account.CompanyWrite, Summary: "Lock a company's people out, or let them in again"}, disableCompany)
}

func (c *caller) findCompany(ctx context.Context, s account.Store, id int64) (*account.Company, error) {
	if !c.Reach().Has(account.CompanyID(id)) {
		return nil, notFound("company")
	}
	company, err := s.Company(ctx, account.CompanyID(id))
	if err != nil && callhome.KindOf(err) == callhome.KindNotFound {
		return nil, notFound("company")
	}
	return company, err
}

type newCompanyInput struct {
	Repeatable
	Body struct {
		Name string `json:"name" maxLength:"256"`
	}
}

func newCompany(ctx context.Context, d *deed, in *newCompanyInput) (*companyOutput, error) {
	d.roomNotes()
	c, err := d.api.office.NewCompany(ctx, d.Account(), d.Principal, in.Body.Name)
	if err != nil {
		return nil, err
	}
	return &companyOutput{Body: companyOf(c)}, nil
}

type disableCompanyInput struct {
	ID   int64 `path:"id" minimum:"1"`
	Body struct {
		Disabled bool `json:"disabled"`
	}
}

func disableCompany(ctx context.Context, d *deed, in *disableCompanyInput) (*companyOutput, error) {
	if _, err := d.findCompany(ctx, d.Account(), in.ID); err != nil {
		return nil, err
	}
	d.roomNotes()
	if err := d.api.office.DisableCompany(ctx, d.Account(), d.Principal, account.CompanyID(in.ID), in.Body.Disabled); err != nil {
		return nil, err
	}
	c, err := d.findCompany(ctx, d.Account(), in.ID)
	if err != nil {
		return nil, err
	}
	return &companyOutput{Body: companyOf(c)}, nil
}
