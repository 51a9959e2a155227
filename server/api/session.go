package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"callhome"
	"callhome/server/account"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// Provider signs people in at an identity provider; [account.Provider] does.
type Provider interface {
	Begin(ctx context.Context, s account.Store, returnTo string) (address string, state callhome.Secret, err error)
	Finish(ctx context.Context, b account.Books, cookie callhome.Secret, state, code string) (*account.User, string, error)
}

// flowCookie holds the state of a sign-in at an identity provider, for as long as that may take.
const (
	flowCookie = "callhome_flow"
	flowTime   = 10 * time.Minute
)

// Session tells a caller who they are and what they may do.
type Session struct {
	User      ID               `json:"user,omitempty" doc:"None of a token without a person"`
	Name      string           `json:"name"`
	Role      account.Role     `json:"role"`
	Companies []ID             `json:"companies,omitempty" doc:"Whose records are within reach; none of an operator, who reaches all"`
	Scope     account.Scope    `json:"scope"`
	May       []account.Action `json:"may" doc:"What is allowed, each within reach"`
}

type sessionOutput struct{ Body Session }

type signInInput struct {
	Body struct {
		Name     string `json:"name" maxLength:"256"`
		Password string `json:"password" maxLength:"1024"`
	}
}

type signInOutput struct {
	Cookie string `header:"Set-Cookie"`
	Body   Session
}

type signOutOutput struct {
	Cookie string `header:"Set-Cookie"`
}

func addSession(a *API) {
	add(a, Route{Method: http.MethodPost, Path: "/session", Open: true, Summary: "Sign in by name and password"}, a.signIn)
	look(a, Route{Path: "/session", Own: true, Summary: "Who the caller is and what they may do"}, func(_ context.Context, q *query, _ *nothing) (*sessionOutput, error) {
		return &sessionOutput{Body: sessionOf(&q.Principal)}, nil
	})
	change(a, Route{Method: http.MethodDelete, Path: "/session", Own: true, Success: http.StatusNoContent, Summary: "Sign out"}, signOut)
	add(a, Route{Method: http.MethodPut, Path: "/session/password", Own: true, Success: http.StatusNoContent, Summary: "Change one's own password; all sessions end"}, a.changePassword)
	add(a, Route{Method: http.MethodGet, Path: "/session/oidc", Open: true, Summary: "Go to the identity provider to sign in"}, a.beginSignIn)
	add(a, Route{Method: http.MethodGet, Path: "/session/oidc/callback", Open: true, Further: true, Summary: "Where the identity provider sends the browser back to"}, a.finishSignIn)
}

func sessionOf(p *account.Principal) Session {
	s := Session{User: ID(p.User), Name: p.Name, Role: p.Role, Companies: idsOf(p.Companies), Scope: p.Scope, May: []account.Action{}}
	for _, action := range account.Actions() {
		if account.CanSomewhere(*p, action) {
			s.May = append(s.May, action)
		}
	}
	return s
}

// signIn opens a session. The answer to a wrong name and to a wrong password is the same.
func (a *API) signIn(ctx context.Context, c *caller, in *signInInput) (*signInOutput, error) {
	u, err := a.office.SignIn(ctx, books{a.backend}, in.Body.Name, callhome.NewSecret(in.Body.Password))
	if err != nil {
		a.failures.allow(c.address, a.now())
		return nil, refused(err)
	}
	cookie, err := a.openSession(ctx, c, u)
	if err != nil {
		return nil, err
	}
	p := u.Principal()
	return &signInOutput{Cookie: cookie, Body: sessionOf(&p)}, nil
}

// openSession gives the cookie of a new session; the one that the browser had before ends.
func (a *API) openSession(ctx context.Context, c *caller, u *account.User) (string, error) {
	var secret callhome.Secret
	err := a.backend.Change(ctx, func(v Views) (err error) {
		if !c.cookie.IsZero() {
			if err := a.office.CloseSession(ctx, v.Account(), c.cookie); err != nil {
				return err
			}
		}
		secret, err = a.office.OpenSession(ctx, v.Account(), u, c.address, c.agent)
		return err
	})
	return c.setCookie(SessionCookie, secret.Reveal(), 0, http.SameSiteStrictMode), err
}

// setCookie is a cookie that no script reads and, over TLS, that never travels without.
func (c *caller) setCookie(name, value string, age int, same http.SameSite) string {
	return (&http.Cookie{ //nolint:gosec // Secure is set wherever there is TLS; plain HTTP is for loopback only, where such a cookie would be lost
		Name: name, Value: value, Path: "/", HttpOnly: true, Secure: c.secure, SameSite: same, MaxAge: age}).String()
}

func signOut(ctx context.Context, d *deed, _ *nothing) (*signOutOutput, error) {
	if d.cookie.IsZero() {
		return nil, callhome.Errorf(callhome.KindInvalid, "a token has no session; revoke it under tokens")
	}
	if err := d.api.office.CloseSession(ctx, d.Account(), d.cookie); err != nil {
		return nil, err
	}
	return &signOutOutput{Cookie: d.setCookie(SessionCookie, "", -1, http.SameSiteStrictMode)}, d.note(ctx, "session.close", "user "+d.Name, firstCompany(d.Companies), nil)
}

func firstCompany(companies []account.CompanyID) account.CompanyID {
	if len(companies) == 0 {
		return account.NoCompany
	}
	return companies[0]
}

type passwordInput struct {
	Body struct {
		Old string `json:"old" minLength:"1" maxLength:"1024"`
		New string `json:"new" minLength:"1" maxLength:"1024"`
	}
}

func (a *API) changePassword(ctx context.Context, c *caller, in *passwordInput) (*nothing, error) {
	if c.user == nil {
		return nil, callhome.Errorf(callhome.KindDenied, "a password is changed by who signed in with it, not by a token")
	}
	err := a.office.ChangePassword(ctx, books{a.backend}, c.Principal, c.User, callhome.NewSecret(in.Body.Old), callhome.NewSecret(in.Body.New))
	return &nothing{}, err
}

type beginInput struct {
	Return string `query:"return" maxLength:"512" doc:"The page to go to afterwards: a path here"`
}

type redirectOutput struct {
	Status   int
	Location string `header:"Location"`
	Cookie   string `header:"Set-Cookie"`
}

var errNoProvider = callhome.Errorf(callhome.KindNotFound, "there is no identity provider here; sign in by name and password")

// ownPath is a path here, whatever a link says: never another site's.
func ownPath(path string) string {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") {
		return "/"
	}
	return path
}

func (a *API) beginSignIn(ctx context.Context, c *caller, in *beginInput) (*redirectOutput, error) {
	if a.provider == nil {
		return nil, errNoProvider
	}
	var address string
	var state callhome.Secret
	err := a.backend.Change(ctx, func(v Views) (err error) {
		address, state, err = a.provider.Begin(ctx, v.Account(), ownPath(in.Return))
		return err
	})
	if err != nil {
		return nil, err
	}
	return &redirectOutput{Status: http.StatusFound, Location: address, Cookie: c.setCookie(flowCookie, state.Reveal(), int(flowTime.Seconds()), http.SameSiteLaxMode)}, nil
}

type finishInput struct {
	State string `query:"state" maxLength:"512"`
	Code  string `query:"code" maxLength:"4096"`
	Error string `query:"error" maxLength:"256" doc:"Why the identity provider refused"`
	Flow  string `cookie:"callhome_flow"`
}

// finishSignIn opens the session. The answer is a page that goes on, not a redirect: browsers leave a SameSite=Strict
// cookie out of a redirect that began at another site.
func (a *API) finishSignIn(ctx context.Context, c *caller, in *finishInput) (*huma.StreamResponse, error) {
	if a.provider == nil {
		return nil, errNoProvider
	}
	if in.Error != "" {
		return nil, unauthorized("the identity provider refused: " + shorten(in.Error))
	}
	u, page, err := a.provider.Finish(ctx, books{a.backend}, callhome.NewSecret(in.Flow), in.State, in.Code)
	if err != nil {
		a.failures.allow(c.address, a.now())
		return nil, refused(err)
	}
	cookie, err := a.openSession(ctx, c, u)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		_, w := humago.Unwrap(hc)
		hc.AppendHeader("Set-Cookie", cookie)
		hc.AppendHeader("Set-Cookie", c.setCookie(flowCookie, "", -1, http.SameSiteLaxMode))
		hc.SetHeader("Content-Type", "text/html; charset=utf-8")
		hc.SetStatus(http.StatusOK)
		_ = goOn.Execute(w, ownPath(page)) // a browser that is gone signs in again
	}}, nil
}
