package api

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"strings"

	"callhome"
	"callhome/server/account"
)

// SessionCookie is the name of the session's cookie, shared with the portal.
const SessionCookie = "callhome_session"

// caller is who asks.
type caller struct {
	account.Principal
	user    *account.User // of a session, else nil
	signed  bool          // there is a principal at all
	cookie  callhome.Secret
	secure  bool // the request came over TLS
	address string
	agent   string
}

// callerKey is under which the caller travels from the guard to the handlers, between which huma stands.
type callerKey struct{}

func callerOf(ctx context.Context) *caller {
	c, _ := ctx.Value(callerKey{}).(*caller)
	if c == nil {
		return &caller{}
	}
	return c
}

// longestToken is far above what a token or a cookie has.
const longestToken = 512

// identify finds out who asks. Nobody is no error; a token or cookie that does not hold is.
func (a *API) identify(r *http.Request) (*caller, error) {
	c := &caller{address: addressOf(r), agent: r.UserAgent(), secure: r.TLS != nil}
	headers := r.Header.Values("Authorization")
	switch {
	case len(headers) > 1:
		return nil, status(http.StatusBadRequest, callhome.KindInvalid, "the request has several Authorization headers")
	case len(headers) == 1:
		return c, a.byToken(r.Context(), c, headers[0])
	}
	for _, cookie := range r.CookiesNamed(SessionCookie) {
		return c, a.bySession(r.Context(), c, cookie.Value)
	}
	return c, nil
}

func (a *API) byToken(ctx context.Context, c *caller, header string) error {
	scheme, token, _ := strings.Cut(header, " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" || len(token) > longestToken {
		return unauthorized("give a token as Authorization: Bearer TOKEN")
	}
	p, err := a.office.Bearer(ctx, books{a.backend}, callhome.NewSecret(token))
	if err != nil {
		return refused(err)
	}
	c.Principal, c.signed = p, true
	return nil
}

func (a *API) bySession(ctx context.Context, c *caller, value string) error {
	if len(value) > longestToken {
		return unauthorized("the session's cookie is too long")
	}
	p, u, err := a.office.Signed(ctx, books{a.backend}, callhome.NewSecret(value))
	if err != nil {
		return refused(err)
	}
	c.Principal, c.user, c.cookie, c.signed = p, u, callhome.NewSecret(value), true
	return nil
}

// refused is an error of signing in: what is denied there is 401 here.
func refused(err error) error {
	var e *callhome.Error
	if errors.As(err, &e) && e.Kind == callhome.KindDenied {
		return unauthorized(err.Error())
	}
	return err
}

// addressOf is the peer's address without its port.
func addressOf(r *http.Request) string {
	if ap, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		return ap.Addr().Unmap().WithZone("").String()
	}
	return "unknown"
}
