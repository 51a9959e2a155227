package account

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"callhome"
)

const (
	flowLife   = 10 * time.Minute // a person types a password and a second factor
	flowPrefix = "chf_"
)

// ProviderConfig names an OpenID Connect provider at which people may sign in. Who signs in there needs an account here:
// one that is linked already or, the first time, one with the same mail address, which the provider must call verified.
type ProviderConfig struct {
	Issuer       string          `json:"issuer" yaml:"issuer"` // https://…, as the provider writes itself
	ClientID     string          `json:"client_id" yaml:"client_id"`
	ClientSecret callhome.Secret `json:"client_secret,omitzero" yaml:"client_secret"` // none for a public client
	SecretFile   string          `json:"client_secret_file,omitempty" yaml:"client_secret_file,omitempty"`
	RedirectURL  string          `json:"redirect_url" yaml:"redirect_url"`
	Scopes       []string        `json:"scopes,omitempty" yaml:"scopes"` // besides openid, profile, email
}

// Flow is a sign-in at an identity provider that has begun. It is used once.
type Flow struct {
	Digest   string // SHA-256 of the state
	Nonce    string
	Verifier string // PKCE
	Return   string // path of the page to go back to
	Until    time.Time
}

// Provider signs people in at an identity provider: authorization code flow with PKCE, state and nonce.
type Provider struct {
	office   *Office
	issuer   string
	oauth    oauth2.Config
	verifier *oidc.IDTokenVerifier
}

// NewProvider asks the provider for its addresses and keys. ctx carries the HTTP client, by oidc.ClientContext; it must
// live as long as the Provider, which fetches keys when they change.
func (o *Office) NewProvider(ctx context.Context, c ProviderConfig) (*Provider, error) {
	if c.ClientID == "" || c.RedirectURL == "" {
		return nil, callhome.Errorf(callhome.KindInvalid, "oidc: client_id and redirect_url are needed")
	}
	p, err := oidc.NewProvider(ctx, c.Issuer)
	if err != nil {
		return nil, callhome.Errorf(callhome.KindUnavailable, "oidc: the provider %s does not answer as one: %w", c.Issuer, err)
	}
	return &Provider{
		office: o, issuer: c.Issuer,
		oauth: oauth2.Config{
			ClientID: c.ClientID, ClientSecret: c.ClientSecret.Reveal(), RedirectURL: c.RedirectURL, Endpoint: p.Endpoint(),
			Scopes: append([]string{oidc.ScopeOpenID, "profile", "email"}, c.Scopes...),
		},
		verifier: p.VerifierContext(ctx, &oidc.Config{ClientID: c.ClientID, Now: o.now}),
	}, nil
}

// Begin starts a sign-in: the browser is sent to address, and keeps state in a cookie of its own (HttpOnly, SameSite=Lax,
// ten minutes), which Finish wants back.
func (p *Provider) Begin(ctx context.Context, s Store, returnTo string) (address string, state callhome.Secret, err error) {
	secret := newSecret(flowPrefix)
	f := &Flow{Digest: digestOf(secret), Nonce: newSecret(""), Verifier: oauth2.GenerateVerifier(), Return: localPath(returnTo), Until: p.office.now().Add(flowLife)}
	if err := s.AddFlow(ctx, f); err != nil {
		return "", callhome.Secret{}, err
	}
	address = p.oauth.AuthCodeURL(secret, oidc.Nonce(f.Nonce), oauth2.S256ChallengeOption(f.Verifier))
	return address, callhome.NewSecret(secret), nil
}

// localPath is a path of this portal, "/" for anything else: a sign-in must not send people to other sites.
func localPath(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") || strings.ContainsAny(s, "\\\x00\r\n\t") {
		return "/"
	}
	return s
}

// claims are what the provider says of a person.
type claims struct {
	Subject  string `json:"sub"`
	Email    string `json:"email"`
	Verified bool   `json:"email_verified"`
	Name     string `json:"name"`
}

// errFlow is the same whatever is wrong with a sign-in that came back.
var errFlow = callhome.Errorf(callhome.KindDenied, "the sign-in was not begun here, or ended; begin again")

// Finish ends a sign-in: state and code are of the request that the provider sent the browser back with, cookie is what
// Begin gave. It gives the person and the page to go back to.
func (p *Provider) Finish(ctx context.Context, b Books, cookie callhome.Secret, state, code string) (*User, string, error) {
	if state == "" || !sameSecret(state, cookie.Reveal()) {
		return nil, "", errFlow
	}
	var f *Flow
	err := b.InTx(ctx, func(s Store) (err error) {
		f, err = s.TakeFlow(ctx, digestOf(state))
		return err
	})
	if err != nil && callhome.KindOf(err) == callhome.KindNotFound || err == nil && !p.office.now().Before(f.Until) {
		return nil, "", errFlow
	}
	if err != nil {
		return nil, "", err
	}
	who, err := p.exchange(ctx, f, code)
	if err != nil {
		return nil, "", err
	}
	var u *User
	err = b.InTx(ctx, func(s Store) (err error) {
		u, err = p.match(ctx, s, who)
		return err
	})
	return u, f.Return, err
}

// exchange gets the ID token and checks it.
func (p *Provider) exchange(ctx context.Context, f *Flow, code string) (*claims, error) {
	answer, err := p.oauth.Exchange(ctx, code, oauth2.VerifierOption(f.Verifier))
	if err != nil {
		return nil, callhome.Errorf(callhome.KindDenied, "oidc: the provider refused the code: %w", err)
	}
	raw, ok := answer.Extra("id_token").(string)
	if !ok {
		return nil, callhome.Errorf(callhome.KindDenied, "oidc: the provider's answer has no ID token")
	}
	token, err := p.verifier.Verify(ctx, raw)
	if err != nil {
		return nil, callhome.Errorf(callhome.KindDenied, "oidc: the ID token does not hold: %w", err)
	}
	if !sameSecret(token.Nonce, f.Nonce) {
		return nil, callhome.Errorf(callhome.KindDenied, "oidc: the ID token is of another sign-in")
	}
	if token.AccessTokenHash != "" {
		if err := token.VerifyAccessToken(answer.AccessToken); err != nil {
			return nil, callhome.Errorf(callhome.KindDenied, "oidc: the access token is not the ID token's: %w", err)
		}
	}
	var who claims
	if err := token.Claims(&who); err != nil || who.Subject == "" {
		return nil, callhome.Errorf(callhome.KindDenied, "oidc: the ID token names nobody")
	}
	return &who, nil
}

// match finds the account of a person, and links it the first time.
func (p *Provider) match(ctx context.Context, s Store, who *claims) (*User, error) {
	o := p.office
	u, err := s.UserByIdentity(ctx, p.issuer, who.Subject)
	if err != nil && callhome.KindOf(err) == callhome.KindNotFound {
		u, err = p.link(ctx, s, who)
	}
	if err != nil {
		return nil, err
	}
	if u, err = o.active(ctx, s, u.ID); err != nil {
		return nil, callhome.Errorf(callhome.KindDenied, "the account is disabled")
	}
	return u, s.SeeUser(ctx, u.ID, o.now())
}

func (p *Provider) link(ctx context.Context, s Store, who *claims) (*User, error) {
	denied := callhome.Errorf(callhome.KindDenied, "%s has no account here; ask your administrator for one with the mail address of your identity provider", who.Email)
	if who.Email == "" || !who.Verified {
		return nil, callhome.Errorf(callhome.KindDenied, "your identity provider does not vouch for a mail address; ask your administrator")
	}
	u, err := s.UserByEmail(ctx, who.Email)
	if err != nil && (callhome.KindOf(err) == callhome.KindNotFound || callhome.KindOf(err) == callhome.KindConflict) {
		return nil, denied
	}
	if err != nil {
		return nil, err
	}
	if u.Subject != "" { // linked to somebody else
		return nil, denied
	}
	u.Issuer, u.Subject = p.issuer, who.Subject
	if err := s.PutUser(ctx, u); err != nil {
		return nil, err
	}
	return u, p.office.note(ctx, s, u.Principal(), "user.link", "user "+u.Name, firstOf(u.Companies), map[string]any{"issuer": p.issuer})
}
