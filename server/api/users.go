package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"callhome"
	"callhome/server/account"
)

// User is a person's account.
type User struct {
	ID        ID           `json:"id"`
	Name      string       `json:"name" doc:"To sign in with"`
	Email     string       `json:"email"`
	FullName  string       `json:"full_name,omitempty"`
	Role      account.Role `json:"role"`
	Companies []ID         `json:"companies,omitempty" doc:"Those within the reach of the caller"`
	TimeZone  string       `json:"time_zone,omitempty"`
	Disabled  bool         `json:"disabled"`
	CreatedAt time.Time    `json:"created_at"`
	LastSeen  time.Time    `json:"last_seen,omitzero"`
	Provider  string       `json:"provider,omitempty" doc:"Identity provider that the person signs in at"`
}

type userOutput struct{ Body User }

type usersInput struct{ Paging }

func addAccounts(a *API) {
	addList[usersInput](a, listing[usersInput, User]{
		Route: listRoute("/users", account.UserRead, "List people"),
		key:   func(u *User) int64 { return int64(u.ID) },
		page: func(ctx context.Context, q *query, _ *usersInput, p account.Page) ([]User, error) {
			list, err := q.Account().ListUsers(ctx, q.Reach(), p)
			return mapped(list, q.caller.userOf), err
		},
	})
	look(a, Route{Path: "/users/{id}", Action: account.UserRead, Summary: "One person"}, func(ctx context.Context, q *query, in *oneInput) (*userOutput, error) {
		u, err := q.findUser(ctx, q.Account(), in.ID)
		if err != nil {
			return nil, err
		}
		return &userOutput{Body: q.userOf(u)}, nil
	})
	add(a, Route{Method: http.MethodPost, Path: "/users", Action: account.UserWrite, Success: http.StatusCreated, Summary: "Make a person's account"}, a.newUser)
	change(a, Route{Method: http.MethodPatch, Path: "/users/{id}", Action: account.UserWrite, Summary: "Change a person's account"}, changeUser)
	change(a, Route{Method: http.MethodDelete, Path: "/users/{id}", Action: account.UserWrite, Success: http.StatusNoContent, Summary: "Remove a person's account"}, deleteUser)
	add(a, Route{Method: http.MethodPut, Path: "/users/{id}/password", Action: account.UserWrite, Success: http.StatusNoContent, Summary: "Set a person's password; their sessions end"}, a.setPassword)
}

func mapped[T, U any](list []T, f func(*T) U) []U {
	out := make([]U, len(list))
	for i := range list {
		out[i] = f(&list[i])
	}
	return out
}

// userOf shows of a person's companies those that the caller may know of.
func (c *caller) userOf(u *account.User) User {
	reach := c.Reach()
	companies := slices.DeleteFunc(slices.Clone(u.Companies), func(id account.CompanyID) bool { return !reach.Has(id) })
	return User{
		ID: ID(u.ID), Name: u.Name, Email: u.Email, FullName: u.FullName, Role: u.Role, Companies: idsOf(companies), TimeZone: u.TimeZone, Disabled: u.Disabled,
		CreatedAt: u.CreatedAt, LastSeen: u.LastSeen, Provider: u.Issuer,
	}
}

// findUser is a person who shares a company with the caller.
func (c *caller) findUser(ctx context.Context, s account.Store, id int64) (*account.User, error) {
	u, err := s.User(ctx, account.UserID(id))
	if callhome.KindOf(err) == callhome.KindNotFound && err != nil {
		return nil, notFound("user")
	}
	if err != nil {
		return nil, err
	}
	if !c.Reach().All && !slices.ContainsFunc(u.Companies, c.Reach().Has) {
		return nil, notFound("user")
	}
	return u, nil
}

type newUserInput struct {
	Body struct {
		Name      string       `json:"name" maxLength:"128"`
		Email     string       `json:"email" maxLength:"254"`
		FullName  string       `json:"full_name,omitempty" maxLength:"256"`
		Role      account.Role `json:"role" enum:"viewer,device-administrator,company-administrator,partner,operator" doc:"The first person of a company becomes its administrator, whatever is given"`
		Companies []ID         `json:"companies,omitempty" maxItems:"1000"`
		TimeZone  string       `json:"time_zone,omitempty" maxLength:"64"`
		Password  string       `json:"password,omitempty" maxLength:"1024" doc:"None: the person signs in at an identity provider"`
	}
}

// newUser is not one transaction with its body: hashing a password takes too long for that. The room makes the account and
// its line in the audit log together.
func (a *API) newUser(ctx context.Context, c *caller, in *newUserInput) (*userOutput, error) {
	u := account.User{
		Name: in.Body.Name, Email: in.Body.Email, FullName: in.Body.FullName, Role: in.Body.Role, Companies: numbersOf[account.CompanyID](in.Body.Companies),
		TimeZone: in.Body.TimeZone,
	}
	if err := c.reachAll(u.Companies); err != nil {
		return nil, err
	}
	made, err := a.office.NewUser(ctx, books{a.backend}, c.Principal, u, callhome.NewSecret(in.Body.Password))
	if err != nil {
		return nil, err
	}
	return &userOutput{Body: c.userOf(made)}, nil
}

// reachAll refuses companies beyond reach as ones that are not there.
func (c *caller) reachAll(companies []account.CompanyID) error {
	for _, id := range companies {
		if !c.Reach().Has(id) || id == account.NoCompany {
			return notFound("company")
		}
	}
	return nil
}

type changeUserInput struct {
	ID   int64 `path:"id" minimum:"1"`
	Body struct {
		Name      *string       `json:"name,omitempty" maxLength:"128"`
		Email     *string       `json:"email,omitempty" maxLength:"254"`
		FullName  *string       `json:"full_name,omitempty" maxLength:"256"`
		Role      *account.Role `json:"role,omitempty" enum:"viewer,device-administrator,company-administrator,partner,operator"`
		Companies *[]ID         `json:"companies,omitempty" maxItems:"1000"`
		TimeZone  *string       `json:"time_zone,omitempty" maxLength:"64"`
		Disabled  *bool         `json:"disabled,omitempty"`
	}
}

func changeUser(ctx context.Context, d *deed, in *changeUserInput) (*userOutput, error) {
	u, err := d.findUser(ctx, d.Account(), in.ID)
	if err != nil {
		return nil, err
	}
	b := &in.Body
	set(&u.Name, b.Name)
	set(&u.Email, b.Email)
	set(&u.FullName, b.FullName)
	set(&u.Role, b.Role)
	set(&u.TimeZone, b.TimeZone)
	set(&u.Disabled, b.Disabled)
	if b.Companies != nil {
		u.Companies = numbersOf[account.CompanyID](*b.Companies)
		if err := d.reachAll(u.Companies); err != nil {
			return nil, err
		}
	}
	d.roomNotes()
	if err := d.api.office.ChangeUser(ctx, d.Account(), d.Principal, *u); err != nil {
		return nil, err
	}
	return &userOutput{Body: d.userOf(u)}, nil
}

// set takes a value that was given.
func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

func deleteUser(ctx context.Context, d *deed, in *oneInput) (*nothing, error) {
	if _, err := d.findUser(ctx, d.Account(), in.ID); err != nil {
		return nil, err
	}
	d.roomNotes()
	return &nothing{}, d.api.office.DeleteUser(ctx, d.Account(), d.Principal, account.UserID(in.ID))
}

type setPasswordInput struct {
	ID   int64 `path:"id" minimum:"1"`
	Body struct {
		Password string `json:"password" minLength:"1" maxLength:"1024"`
	}
}

func (a *API) setPassword(ctx context.Context, c *caller, in *setPasswordInput) (*nothing, error) {
	if _, err := c.findUser(ctx, a.backend.Read().Account(), in.ID); err != nil {
		return nil, err
	}
	if c.User == account.UserID(in.ID) {
		return nil, callhome.Errorf(callhome.KindDenied, "one's own password is changed under session/password, with the old one")
	}
	return &nothing{}, a.office.ChangePassword(ctx, books{a.backend}, c.Principal, account.UserID(in.ID), callhome.Secret{}, callhome.NewSecret(in.Body.Password))
}
