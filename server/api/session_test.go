package api_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"callhome"
	"callhome/server/account"
	"callhome/server/api"
	"callhome/server/sqlstore"
)

const goodPassword = "seventeen green ladders"

// withPassword makes a person of alpha who signs in by password.
func (w *world) withPassword(name string, role account.Role) {
	w.t.Helper()
	u := account.User{Name: name, Email: name + "@example.net", Role: role, Companies: []account.CompanyID{w.alpha.company}}
	if _, err := office.NewUser(context.Background(), storeBooks{w.store}, account.System(), u, callhome.NewSecret(goodPassword)); err != nil {
		w.t.Fatal(err)
	}
}

type storeBooks struct{ *sqlstore.Store }

func (b storeBooks) Read() account.Store { return b.Store.Read().Account() }

func (b storeBooks) InTx(ctx context.Context, f func(account.Store) error) error {
	return b.Store.InTx(ctx, func(tx *sqlstore.Tx) error { return f(tx.Account()) })
}

func cookieOf(t *testing.T, r *reply) string {
	t.Helper()
	cookies := (&http.Response{Header: r.header}).Cookies()
	if len(cookies) != 1 || cookies[0].Name != api.SessionCookie {
		t.Fatalf("cookies: %v, status %d %s", cookies, r.status, r.body)
	}
	c := cookies[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" {
		t.Errorf("the cookie is not shut: %v", c)
	}
	return c.Name + "=" + c.Value
}

func TestSessions(t *testing.T) {
	w := newWorld(t, openSQLite(t))
	w.withPassword("rita", account.RoleDeviceAdmin)
	in := func(password string) *reply {
		return w.do("", "POST", "/session", map[string]any{"name": "rita", "password": password})
	}
	if r := in("wrong"); r.status != 401 || r.header.Get("Set-Cookie") != "" {
		t.Errorf("a wrong password: %d %v", r.status, r.header)
	}
	r := in(goodPassword)
	if r.status != 200 || !strings.Contains(string(r.body), `"device-administrator"`) {
		t.Fatalf("signing in: %d %s", r.status, r.body)
	}
	cookie := cookieOf(t, r)
	if r := w.do("", "GET", "/devices", nil, "Cookie", cookie); r.status != 200 {
		t.Errorf("with the cookie: %d %s", r.status, r.body)
	}
	note := func(header ...string) int {
		return w.do("", "POST", "/service-requests/"+w.alpha.number+"/note", map[string]any{"text": "x"}, append(header, "Cookie", cookie)...).status
	}
	for name, c := range map[string]struct {
		header []string
		want   int
	}{
		"a program":            {nil, 200},
		"our own page":         {[]string{"Sec-Fetch-Site", "same-origin", "Origin", strings.TrimSuffix(w.url, api.Prefix)}, 200},
		"another site":         {[]string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, 403},
		"another site, old":    {[]string{"Origin", "https://evil.example"}, 403},
		"a neighbour":          {[]string{"Sec-Fetch-Site", "same-site", "Origin", "https://sister.example"}, 403},
		"an opaque origin":     {[]string{"Origin", "null"}, 403},
		"a form with a method": {[]string{"Sec-Fetch-Site", "cross-site", "X-HTTP-Method-Override", "GET"}, 403},
	} {
		if got := note(c.header...); got != c.want {
			t.Errorf("a change from %s: %d, want %d", name, got, c.want)
		}
	}
	if r := w.do("", "DELETE", "/session", nil, "Cookie", cookie); r.status != 204 {
		t.Errorf("signing out: %d %s", r.status, r.body)
	}
	if r := w.do("", "GET", "/devices", nil, "Cookie", cookie); r.status != 401 {
		t.Errorf("after signing out: %d, want 401", r.status)
	}
}

func TestOwnPassword(t *testing.T) {
	w := newWorld(t, openSQLite(t))
	w.withPassword("rita", account.RoleViewer)
	cookie := cookieOf(t, w.do("", "POST", "/session", map[string]any{"name": "rita", "password": goodPassword}))
	if r := w.do("", "PUT", "/session/password", map[string]any{"old": "wrong", "new": "eleven blue horses run"}, "Cookie", cookie); r.status != 403 {
		t.Errorf("with a wrong old one: %d %s", r.status, r.body)
	}
	if r := w.do("", "PUT", "/session/password", map[string]any{"old": goodPassword, "new": "eleven blue horses run"}, "Cookie", cookie); r.status != 204 {
		t.Fatalf("changing: %d %s", r.status, r.body)
	}
	if r := w.do("", "GET", "/session", nil, "Cookie", cookie); r.status != 401 && r.status != 200 {
		t.Errorf("%d", r.status)
	}
	if r := w.do("", "GET", "/devices", nil, "Cookie", cookie); r.status != 401 {
		t.Errorf("the old session: %d, want 401", r.status)
	}
	if r := w.do("", "POST", "/session", map[string]any{"name": "rita", "password": "eleven blue horses run"}); r.status != 200 {
		t.Errorf("the new password: %d", r.status)
	}
}

// fakeProvider signs everyone in whose code is right.
type fakeProvider struct {
	user *account.User
	page string
}

func (p *fakeProvider) Begin(_ context.Context, _ account.Store, returnTo string) (string, callhome.Secret, error) {
	p.page = returnTo
	return "https://login.example/auth?state=s1", callhome.NewSecret("flow-1"), nil
}

func (p *fakeProvider) Finish(_ context.Context, _ account.Books, cookie callhome.Secret, state, code string) (*account.User, string, error) {
	if cookie.Reveal() != "flow-1" || state != "s1" || code != "c1" {
		return nil, "", callhome.Errorf(callhome.KindDenied, "the sign-in is not known, or ended")
	}
	return p.user, p.page, nil
}

func TestSignInElsewhere(t *testing.T) {
	w := newWorld(t, openSQLite(t))
	for page, want := range map[string]string{"/devices": "/devices", "https://evil.example/": "/", "//evil.example": "/", "/\\evil.example": "/"} {
		url := w.serve(api.New(api.Options{Backend: w.backend(), Provider: &fakeProvider{user: w.alpha.users[account.RoleViewer]}}))
		w.url = url
		r := w.do("", "GET", "/session/oidc?return="+strings.ReplaceAll(page, "\\", "%5C"), nil)
		if r.status != 302 || r.header.Get("Location") != "https://login.example/auth?state=s1" || !strings.Contains(r.header.Get("Set-Cookie"), "HttpOnly") {
			t.Fatalf("%d %v %s", r.status, r.header, r.body)
		}
		flow, _, _ := strings.Cut(r.header.Get("Set-Cookie"), ";")
		if r := w.do("", "GET", "/session/oidc/callback?state=s2&code=c1&iss=x", nil, "Cookie", flow); r.status != 401 {
			t.Errorf("a wrong state: %d", r.status)
		}
		r = w.do("", "GET", "/session/oidc/callback?state=s1&code=c1&iss=https://login.example", nil, "Cookie", flow)
		if r.status != 200 || !strings.Contains(string(r.body), `content="0;url=`+want+`"`) || len(r.header.Values("Set-Cookie")) != 2 {
			t.Errorf("return %s: %d %v %s", page, r.status, r.header, r.body)
		}
	}
}
