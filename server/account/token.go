package account

import (
	"context"
	"time"

	"callhome"
)

// TokenPrefix begins every API token, so that people and scanners for secrets know one when they see it.
const TokenPrefix = "cht_"

const (
	prefixShown   = len(TokenPrefix) + 6 // of a token, to recognise it by
	maxTokenLife  = 10 * 365 * 24 * time.Hour
	lastUsedPause = time.Minute // LastUsed is written no more often
)

// Token is an API token. The token itself is shown once, when it is made.
type Token struct {
	ID        int64     `json:"id"`
	Name      string    `json:"name"`
	Prefix    string    `json:"prefix"`
	Digest    string    `json:"-"`
	Scope     Scope     `json:"scope"`
	User      UserID    `json:"user,omitempty"`    // it acts as this person; 0: as the back end, within Company
	Company   CompanyID `json:"company,omitempty"` // of a token without a person: whose records; 0: all
	CreatedAt time.Time `json:"created_at"`
	Until     time.Time `json:"until,omitzero"` // zero: until it is revoked
	LastUsed  time.Time `json:"last_used,omitzero"`
}

// TokenOrder asks for a new token.
type TokenOrder struct {
	Name     string        `json:"name"`
	Scope    Scope         `json:"scope"`
	Company  CompanyID     `json:"company,omitempty"`
	Lifetime time.Duration `json:"lifetime,omitempty"` // 0: until it is revoked
}

// NewToken makes a token for p and notes it in the audit log; the secret is in the answer only. A token for a person acts
// as that person; one for the back end itself (System) acts as an operator or, within a company, as its administrator.
func (o *Office) NewToken(ctx context.Context, s Store, p Principal, order TokenOrder) (*Token, callhome.Secret, error) {
	var none callhome.Secret
	if err := checkName("a token", order.Name); err != nil {
		return nil, none, err
	}
	if _, err := ParseScope(string(order.Scope)); err != nil {
		return nil, none, err
	}
	if !p.Scope.Includes(order.Scope) || !CanSomewhere(p, TokenWrite) {
		return nil, none, callhome.Errorf(callhome.KindDenied, "%s may not make a token of scope %s", p.Name, order.Scope)
	}
	if order.Lifetime < 0 || order.Lifetime > maxTokenLife {
		return nil, none, callhome.Errorf(callhome.KindInvalid, "a token lives at most ten years")
	}
	if p.User != 0 && order.Company != NoCompany {
		return nil, none, callhome.Errorf(callhome.KindInvalid, "a person's token reaches what the person does; it has no company")
	}
	secret, now := newSecret(TokenPrefix), o.now()
	t := &Token{
		Name: order.Name, Prefix: secret[:prefixShown], Digest: digestOf(secret), Scope: order.Scope, User: p.User, Company: order.Company, CreatedAt: now,
	}
	if order.Lifetime > 0 {
		t.Until = now.Add(order.Lifetime)
	}
	if err := s.AddToken(ctx, t); err != nil {
		return nil, none, err
	}
	return t, callhome.NewSecret(secret), o.note(ctx, s, p, "token.create", "token "+t.Name, order.Company, map[string]any{"prefix": t.Prefix, "scope": t.Scope})
}

// errBearer is the same whatever is wrong with a token.
var errBearer = callhome.Errorf(callhome.KindDenied, "the token is not known, was revoked, or ended")

// Bearer is who an API token speaks for.
func (o *Office) Bearer(ctx context.Context, b Books, secret callhome.Secret) (Principal, error) {
	s, now := b.Read(), o.now()
	t, err := s.TokenByDigest(ctx, digestOf(secret.Reveal()))
	if err != nil && callhome.KindOf(err) == callhome.KindNotFound || err == nil && !t.Until.IsZero() && !now.Before(t.Until) {
		return Principal{}, errBearer
	}
	if err != nil {
		return Principal{}, err
	}
	p := Principal{Name: "token " + t.Name, Role: RoleOperator, Scope: t.Scope}
	switch {
	case t.User != 0:
		u, err := o.active(ctx, s, t.User)
		if err != nil {
			return Principal{}, errBearer
		}
		p.User, p.Role, p.Companies, p.Name = u.ID, u.Role, u.Companies, u.Name+" by token "+t.Name
	case t.Company != NoCompany:
		p.Role, p.Companies = RoleCompanyAdmin, []CompanyID{t.Company}
	}
	if now.Sub(t.LastUsed) >= lastUsedPause {
		err = b.InTx(ctx, func(s Store) error { return s.UseToken(ctx, t.ID, now) })
	}
	return p, err
}

// active is a person who may sign in: neither they nor all of their companies are disabled.
func (o *Office) active(ctx context.Context, s Store, id UserID) (*User, error) {
	u, err := s.User(ctx, id)
	if err != nil {
		return nil, err
	}
	if u.Disabled {
		return nil, errBearer
	}
	if len(u.Companies) == 0 {
		return u, nil
	}
	open := u.Companies[:0:0]
	for _, c := range u.Companies {
		company, err := s.Company(ctx, c)
		if err != nil {
			return nil, err
		}
		if !company.Disabled {
			open = append(open, c)
		}
	}
	if len(open) == 0 {
		return nil, errBearer
	}
	u.Companies = open
	return u, nil
}

// RevokeToken ends a token: one's own, or, with user.write, one of a person or company within reach.
func (o *Office) RevokeToken(ctx context.Context, s Store, p Principal, id int64) error {
	t, err := s.Token(ctx, id)
	if err != nil {
		return err
	}
	own := p.User != 0 && t.User == p.User && Can(p, TokenWrite, NoCompany)
	if !own {
		if err := o.mayManage(ctx, s, p, t); err != nil {
			return err
		}
	}
	if err := s.DeleteToken(ctx, id); err != nil {
		return err
	}
	return o.note(ctx, s, p, "token.revoke", "token "+t.Name, t.Company, map[string]any{"prefix": t.Prefix})
}

// mayManage reports whether p administers whoever a token belongs to.
func (o *Office) mayManage(ctx context.Context, s Store, p Principal, t *Token) error {
	if t.User == 0 {
		return Require(p, UserWrite, t.Company)
	}
	u, err := s.User(ctx, t.User)
	if err != nil {
		return err
	}
	return MayGrant(p, u.Role, u.Companies)
}
