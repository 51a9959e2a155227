package sqlstore

import (
	"context"
	"strings"
	"time"

	"callhome"
	"callhome/server/account"
)

// sessionKept is how long a session that nobody uses lies in the table; the account room ends it sooner.
const sessionKept = 7 * 24 * time.Hour

// Attempts are the failed sign-ins of a name.
func (s accountStore) Attempts(ctx context.Context, name string) (account.Attempts, error) {
	a, last := account.Attempts{Name: name}, int64(0)
	_, err := found(s.row(ctx, "account_attempts", name).Scan(&a.Failures, &last))
	a.LastAt = fromMicros(last)
	return a, err
}

// PutAttempts stores them.
func (s accountStore) PutAttempts(ctx context.Context, a account.Attempts) (err error) {
	if a.Failures == 0 {
		_, err = s.exec(ctx, "account_drop_attempts", a.Name)
		return err
	}
	_, err = s.exec(ctx, "account_put_attempts", a.Name, a.Failures, micros(a.LastAt))
	return err
}

// AddToken stores a token.
func (s accountStore) AddToken(ctx context.Context, t *account.Token) error {
	t.ID = s.NewID()
	_, err := s.exec(ctx, "account_add_token", t.ID, t.Name, t.Prefix, t.Digest, string(t.Scope), int64(t.User), int64(t.Company), micros(t.CreatedAt), micros(t.Until))
	return err
}

func scanToken(r scanner) (t account.Token, err error) {
	var created, until, used int64
	err = r.Scan(&t.ID, &t.Name, &t.Prefix, &t.Digest, (*string)(&t.Scope), (*int64)(&t.User), (*int64)(&t.Company), &created, &until, &used)
	t.CreatedAt, t.Until, t.LastUsed = fromMicros(created), fromMicros(until), fromMicros(used)
	return t, err
}

// Token is a token by its ID.
func (s accountStore) Token(ctx context.Context, id int64) (*account.Token, error) {
	t, err := scanToken(s.row(ctx, "account_token", id))
	return &t, one(err, "token")
}

// TokenByDigest is the token of a digest.
func (s accountStore) TokenByDigest(ctx context.Context, digest string) (*account.Token, error) {
	t, err := scanToken(s.row(ctx, "account_token_by_digest", digest))
	return &t, one(err, "token")
}

// ListTokens is a page of tokens.
func (s accountStore) ListTokens(ctx context.Context, reach account.Reach, user account.UserID, p account.Page) ([]account.Token, error) {
	l := newListing("SELECT id, name, prefix, digest, scope, user_id, company_id, created_at, until_at, last_used FROM api_tokens")
	l.andID("user_id", int64(user))
	if user == 0 && !reach.All {
		if len(reach.Companies) == 0 {
			l.and("1 = 0")
		} else {
			marks, args := "(?"+strings.Repeat(", ?", len(reach.Companies)-1)+")", companyArgs(reach)
			l.and("(company_id IN "+marks+" OR user_id IN (SELECT user_id FROM user_companies WHERE company_id IN "+marks+"))", append(args, args...)...)
		}
	}
	l.page("id", p)
	rows, err := s.ask(ctx, l.text(), l.args...)
	return collect(rows, err, scanToken)
}

// UseToken notes when a token was last used.
func (s accountStore) UseToken(ctx context.Context, id int64, at time.Time) error {
	_, err := s.exec(ctx, "account_use_token", id, micros(at))
	return err
}

// DeleteToken removes a token.
func (s accountStore) DeleteToken(ctx context.Context, id int64) error {
	n, err := s.exec(ctx, "account_delete_token", id)
	return stored(n, err, callhome.KindNotFound, "there is no token %d", id)
}

// AddSession stores a session.
func (s accountStore) AddSession(ctx context.Context, v *account.Session) error {
	_, err := s.exec(ctx, "account_add_session", v.Digest, int64(v.User), micros(v.CreatedAt), micros(v.LastSeen), v.Address, v.Agent)
	return err
}

// Session is the session of a digest.
func (s accountStore) Session(ctx context.Context, digest string) (*account.Session, error) {
	var v account.Session
	var created, seen int64
	err := s.row(ctx, "account_session", digest).Scan(&v.Digest, (*int64)(&v.User), &created, &seen, &v.Address, &v.Agent)
	v.CreatedAt, v.LastSeen = fromMicros(created), fromMicros(seen)
	return &v, one(err, "session")
}

// SeeSession notes when a session was last used.
func (s accountStore) SeeSession(ctx context.Context, digest string, at time.Time) error {
	_, err := s.exec(ctx, "account_see_session", digest, micros(at))
	return err
}

// DeleteSession ends a session.
func (s accountStore) DeleteSession(ctx context.Context, digest string) error {
	_, err := s.exec(ctx, "account_delete_session", digest)
	return err
}

// DeleteSessions ends all sessions of a user.
func (s accountStore) DeleteSessions(ctx context.Context, u account.UserID) error {
	_, err := s.exec(ctx, "account_delete_sessions_of", int64(u))
	return err
}

// AddInvitation stores an invitation.
func (s accountStore) AddInvitation(ctx context.Context, i *account.Invitation) error {
	i.ID = s.NewID()
	companies, err := jsonText(i.Companies)
	if err != nil {
		return err
	}
	first := account.NoCompany
	if len(i.Companies) > 0 {
		first = i.Companies[0]
	}
	_, err = s.exec(ctx, "account_add_invitation", i.ID, i.Digest, i.Email, string(i.Role), int64(first), companies, int64(i.By), micros(i.CreatedAt), micros(i.Until))
	return err
}

func scanInvitation(r scanner) (i account.Invitation, err error) {
	var companies string
	var created, until int64
	if err = r.Scan(&i.ID, &i.Digest, &i.Email, (*string)(&i.Role), &companies, (*int64)(&i.By), &created, &until); err != nil {
		return i, err
	}
	i.CreatedAt, i.Until = fromMicros(created), fromMicros(until)
	return i, fromJSON(companies, &i.Companies)
}

// InvitationByDigest is the invitation of a token's digest.
func (s accountStore) InvitationByDigest(ctx context.Context, digest string) (*account.Invitation, error) {
	i, err := scanInvitation(s.row(ctx, "account_invitation_by_digest", digest))
	return &i, one(err, "invitation")
}

// ListInvitations is a page, newest first.
func (s accountStore) ListInvitations(ctx context.Context, reach account.Reach, p account.Page) ([]account.Invitation, error) {
	l := newListing("SELECT id, digest, email, role, companies, by_user, created_at, until_at FROM invitations")
	l.reach("company_id", reach)
	l.page("id", p)
	rows, err := s.ask(ctx, l.text(), l.args...)
	return collect(rows, err, scanInvitation)
}

// DeleteInvitation removes one.
func (s accountStore) DeleteInvitation(ctx context.Context, id int64) error {
	n, err := s.exec(ctx, "account_delete_invitation", id)
	return stored(n, err, callhome.KindNotFound, "there is no invitation %d", id)
}

// AddFlow stores a sign-in that has begun.
func (s accountStore) AddFlow(ctx context.Context, f *account.Flow) error {
	_, err := s.exec(ctx, "account_add_flow", f.Digest, f.Nonce, f.Verifier, f.Return, micros(f.Until))
	return err
}

// TakeFlow gives a flow and removes it.
func (s accountStore) TakeFlow(ctx context.Context, digest string) (*account.Flow, error) {
	var f account.Flow
	var until int64
	err := s.row(ctx, "account_take_flow", digest).Scan(&f.Digest, &f.Nonce, &f.Verifier, &f.Return, &until)
	f.Until = fromMicros(until)
	return &f, one(err, "sign-in")
}

// Forget removes what ended.
func (s accountStore) Forget(ctx context.Context, now time.Time, limit int) (sum int64, err error) {
	for _, f := range []struct {
		query  string
		before time.Time
	}{
		{"account_forget_sessions", now.Add(-sessionKept)}, {"account_forget_invitations", now}, {"account_forget_flows", now},
		{"account_forget_attempts", now.AddDate(0, 0, -1)},
	} {
		n, err := s.exec(ctx, f.query, micros(f.before), limit)
		if err != nil {
			return sum, err
		}
		sum += n
	}
	return sum, nil
}

// AuditHead is the newest link of the chain; a transaction locks it.
func (s accountStore) AuditHead(ctx context.Context) (l account.Link, err error) {
	query := "account_audit_head"
	if s.writes {
		query = "account_audit_lock"
	}
	var at int64
	err = s.row(ctx, query).Scan(&l.Seq, &l.Hash, &at)
	l.At = fromMicros(at)
	return l, err
}

// AddAudit stores an entry as the new head.
func (s accountStore) AddAudit(ctx context.Context, e *account.Entry) error {
	if _, err := s.exec(ctx, "account_add_audit", e.Seq, micros(e.At), e.Actor, e.Action, e.Object, int64(e.Company), e.Text, e.Prev, e.Hash); err != nil {
		return err
	}
	n, err := s.exec(ctx, "account_set_audit_head", e.Seq, e.Hash, micros(e.At))
	return stored(n, err, callhome.KindInternal, "audit entry %d does not follow the head", e.Seq)
}

func scanEntry(r scanner) (e account.Entry, err error) {
	var at int64
	err = r.Scan(&e.Seq, &at, &e.Actor, &e.Action, &e.Object, (*int64)(&e.Company), &e.Text, &e.Prev, &e.Hash)
	e.At = fromMicros(at)
	return e, err
}

// AuditFrom are entries in order from seq on.
func (s accountStore) AuditFrom(ctx context.Context, seq int64, limit int) ([]account.Entry, error) {
	rows, err := s.query(ctx, "account_audit_from", seq, limit)
	return collect(rows, err, scanEntry)
}

// ListAudit is a page, newest first.
func (s accountStore) ListAudit(ctx context.Context, reach account.Reach, f account.AuditFilter, p account.Page) ([]account.Entry, error) {
	l := newListing("SELECT seq, at, actor, action, object, company_id, detail, prev, hash FROM audit")
	l.reach("company_id", reach)
	l.andText("actor", f.Actor)
	if f.Action != "" {
		l.and("(action = ? OR action LIKE ?)", f.Action, strings.NewReplacer("%", "", "_", "").Replace(f.Action)+".%")
	}
	if !f.Since.IsZero() {
		l.and("at >= ?", micros(f.Since))
	}
	l.page("seq", p)
	rows, err := s.ask(ctx, l.text(), l.args...)
	return collect(rows, err, scanEntry)
}
