package sqlstore

import (
	"context"
	"strings"
	"time"

	"callhome"
	"callhome/server/account"
)

// accountStore keeps companies, people and what they sign in with.
type accountStore struct{ *Tx }

// Account is the account room's view of the transaction.
func (t *Tx) Account() account.Store { return accountStore{t} }

// AccountBooks are the account room's view of the store.
func (s *Store) AccountBooks() account.Books { return accountBooks{s} }

type accountBooks struct{ store *Store }

// Read sees what is committed.
func (b accountBooks) Read() account.Store { return b.store.Read().Account() }

// InTx runs f in one transaction.
func (b accountBooks) InTx(ctx context.Context, f func(account.Store) error) error {
	return b.store.InTx(ctx, func(t *Tx) error { return f(t.Account()) })
}

// key is a name as compared.
func key(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// one makes "no row" an error of KindNotFound that names what was looked for.
func one(err error, what string) error {
	ok, err := found(err)
	if err == nil && !ok {
		return callhome.Errorf(callhome.KindNotFound, "there is no such %s", what)
	}
	return err
}

// stored makes "no row changed" an error.
func stored(n int64, err error, kind callhome.Kind, format string, args ...any) error {
	if err == nil && n == 0 {
		return callhome.Errorf(kind, format, args...)
	}
	return err
}

// AddCompany stores a new company.
func (s accountStore) AddCompany(ctx context.Context, c *account.Company) error {
	c.ID = account.CompanyID(s.NewID())
	n, err := s.exec(ctx, "account_add_company", int64(c.ID), c.Name, key(c.Name), micros(c.CreatedAt), flag(c.Disabled))
	return stored(n, err, callhome.KindConflict, "there is a company %q already", c.Name)
}

// PutCompany stores a changed company.
func (s accountStore) PutCompany(ctx context.Context, c *account.Company) error {
	n, err := s.exec(ctx, "account_put_company", int64(c.ID), c.Name, key(c.Name), flag(c.Disabled))
	return stored(n, err, callhome.KindNotFound, "there is no company %d", c.ID)
}

// Company is a company by its ID.
func (s accountStore) Company(ctx context.Context, id account.CompanyID) (*account.Company, error) {
	c, err := scanCompany(s.row(ctx, "account_company", int64(id)))
	return &c, one(err, "company")
}

// CompanyByName is a company by its name.
func (s accountStore) CompanyByName(ctx context.Context, name string) (*account.Company, error) {
	c, err := scanCompany(s.row(ctx, "account_company_by_name", key(name)))
	return &c, one(err, "company")
}

func scanCompany(r scanner) (c account.Company, err error) {
	var created, disabled int64
	err = r.Scan((*int64)(&c.ID), &c.Name, &created, &disabled)
	c.CreatedAt, c.Disabled = fromMicros(created), disabled != 0
	return c, err
}

// ListCompanies is a page, newest first.
func (s accountStore) ListCompanies(ctx context.Context, reach account.Reach, p account.Page) ([]account.Company, error) {
	l := newListing("SELECT id, name, created_at, disabled FROM companies")
	l.reach("id", reach)
	l.page("id", p)
	rows, err := s.ask(ctx, l.text(), l.args...)
	return collect(rows, err, scanCompany)
}

// AddUser stores a new user.
func (s accountStore) AddUser(ctx context.Context, u *account.User) error {
	u.ID = account.UserID(s.NewID())
	n, err := s.exec(ctx, "account_add_user", userArgs(u)...)
	if err := stored(n, err, callhome.KindConflict, "there is a user %q already", u.Name); err != nil {
		return err
	}
	return s.putCompanies(ctx, u)
}

// PutUser stores a changed user.
func (s accountStore) PutUser(ctx context.Context, u *account.User) error {
	n, err := s.exec(ctx, "account_put_user", userArgs(u)...)
	if err := stored(n, err, callhome.KindNotFound, "there is no user %d", u.ID); err != nil {
		return err
	}
	if _, err := s.exec(ctx, "account_drop_user_companies", int64(u.ID)); err != nil {
		return err
	}
	return s.putCompanies(ctx, u)
}

func userArgs(u *account.User) []any {
	return []any{
		int64(u.ID), u.Name, key(u.Name), u.Email, key(u.Email), u.FullName, string(u.Role), u.TimeZone, flag(u.Disabled), micros(u.CreatedAt),
		micros(u.LastSeen), u.Password, u.Issuer, u.Subject,
	}
}

func (s accountStore) putCompanies(ctx context.Context, u *account.User) error {
	for _, c := range u.Companies {
		if _, err := s.exec(ctx, "account_add_user_company", int64(u.ID), int64(c)); err != nil {
			return err
		}
	}
	return nil
}

func scanUser(r scanner) (u account.User, err error) {
	var disabled, created, seen int64
	err = r.Scan((*int64)(&u.ID), &u.Name, &u.Email, &u.FullName, (*string)(&u.Role), &u.TimeZone, &disabled, &created, &seen, &u.Password, &u.Issuer, &u.Subject)
	u.Disabled, u.CreatedAt, u.LastSeen = disabled != 0, fromMicros(created), fromMicros(seen)
	return u, err
}

// user reads one user with companies.
func (s accountStore) user(ctx context.Context, query string, args ...any) (*account.User, error) {
	u, err := scanUser(s.row(ctx, query, args...))
	if err := one(err, "user"); err != nil {
		return nil, err
	}
	return &u, s.readCompanies(ctx, &u)
}

func (s accountStore) readCompanies(ctx context.Context, u *account.User) (err error) {
	rows, err := s.query(ctx, "account_user_companies", int64(u.ID))
	u.Companies, err = collect(rows, err, func(r scanner) (c account.CompanyID, err error) { return c, r.Scan((*int64)(&c)) })
	return err
}

// User is a user by ID.
func (s accountStore) User(ctx context.Context, id account.UserID) (*account.User, error) {
	return s.user(ctx, "account_user", int64(id))
}

// UserByName is a user by name.
func (s accountStore) UserByName(ctx context.Context, name string) (*account.User, error) {
	return s.user(ctx, "account_user_by_name", key(name))
}

// UserByIdentity is the user of an identity provider's subject.
func (s accountStore) UserByIdentity(ctx context.Context, issuer, subject string) (*account.User, error) {
	return s.user(ctx, "account_user_by_identity", issuer, subject)
}

// UserByEmail is the only user of a mail address.
func (s accountStore) UserByEmail(ctx context.Context, email string) (*account.User, error) {
	rows, err := s.query(ctx, "account_users_by_email", key(email))
	users, err := collect(rows, err, scanUser)
	switch {
	case err != nil:
		return nil, err
	case len(users) == 0:
		return nil, callhome.Errorf(callhome.KindNotFound, "there is no such user")
	case len(users) > 1:
		return nil, callhome.Errorf(callhome.KindConflict, "several users have the mail address %s", email)
	}
	return &users[0], s.readCompanies(ctx, &users[0])
}

// ListUsers is a page of users who share a company with reach. Of a partner's companies only those within reach are told.
func (s accountStore) ListUsers(ctx context.Context, reach account.Reach, p account.Page) ([]account.User, error) {
	l := newListing("SELECT id, name, email, full_name, role, time_zone, disabled, created_at, last_seen, password, issuer, subject FROM users")
	sharing(l, "id", reach)
	l.page("id", p)
	rows, err := s.ask(ctx, l.text(), l.args...)
	users, err := collect(rows, err, scanUser)
	for k := range users {
		if err == nil {
			err = s.readCompanies(ctx, &users[k])
		}
		seen := users[k].Companies[:0]
		for _, c := range users[k].Companies {
			if reach.Has(c) {
				seen = append(seen, c)
			}
		}
		users[k].Companies = seen
	}
	return users, err
}

// sharing keeps to users who share a company with reach.
func sharing(l *listing, column string, reach account.Reach) {
	switch {
	case reach.All:
	case len(reach.Companies) == 0:
		l.and("1 = 0")
	default:
		l.and(column+" IN (SELECT user_id FROM user_companies WHERE company_id IN (?"+strings.Repeat(", ?", len(reach.Companies)-1)+"))", companyArgs(reach)...)
	}
}

func companyArgs(reach account.Reach) []any {
	args := make([]any, len(reach.Companies))
	for k, c := range reach.Companies {
		args[k] = int64(c)
	}
	return args
}

// CountUsers is how many users a company has.
func (s accountStore) CountUsers(ctx context.Context, c account.CompanyID) (n int64, err error) {
	return n, s.row(ctx, "account_count_users", int64(c)).Scan(&n)
}

// SeeUser notes a sign-in.
func (s accountStore) SeeUser(ctx context.Context, id account.UserID, at time.Time) error {
	_, err := s.exec(ctx, "account_see_user", int64(id), micros(at))
	return err
}

// DeleteUser removes a user with sessions and tokens.
func (s accountStore) DeleteUser(ctx context.Context, id account.UserID) error {
	for _, query := range []string{"account_delete_tokens_of", "account_delete_sessions_of", "account_drop_user_companies"} {
		if _, err := s.exec(ctx, query, int64(id)); err != nil {
			return err
		}
	}
	n, err := s.exec(ctx, "account_delete_user", int64(id))
	return stored(n, err, callhome.KindNotFound, "there is no user %d", id)
}
