package account

import (
	"context"
	"time"
)

// Store keeps accounts within one transaction of its caller. A record that is not there is an error of
// callhome.KindNotFound. No method keeps what it is given.
type Store interface {
	// AddCompany stores a new company and sets its ID; KindConflict when there is one of that name.
	AddCompany(ctx context.Context, c *Company) error
	// PutCompany stores a changed company.
	PutCompany(ctx context.Context, c *Company) error
	// Company is a company by its ID.
	Company(ctx context.Context, id CompanyID) (*Company, error)
	// CompanyByName is a company by its name, whatever its case.
	CompanyByName(ctx context.Context, name string) (*Company, error)
	// ListCompanies is a page, newest first.
	ListCompanies(ctx context.Context, reach Reach, p Page) ([]Company, error)

	// AddUser stores a new user with companies and sets the ID; KindConflict when name or identity is taken.
	AddUser(ctx context.Context, u *User) error
	// PutUser stores a changed user with companies.
	PutUser(ctx context.Context, u *User) error
	// User is a user by ID.
	User(ctx context.Context, id UserID) (*User, error)
	// UserByName is a user by name, whatever its case.
	UserByName(ctx context.Context, name string) (*User, error)
	// UserByEmail is the only user of a mail address, whatever its case; KindConflict when there are several.
	UserByEmail(ctx context.Context, email string) (*User, error)
	// UserByIdentity is the user of an identity provider's subject.
	UserByIdentity(ctx context.Context, issuer, subject string) (*User, error)
	// ListUsers is a page of users who share a company with reach, newest first.
	ListUsers(ctx context.Context, reach Reach, p Page) ([]User, error)
	// CountUsers is how many users a company has.
	CountUsers(ctx context.Context, c CompanyID) (int64, error)
	// SeeUser notes a sign-in.
	SeeUser(ctx context.Context, id UserID, at time.Time) error
	// DeleteUser removes a user with sessions and tokens.
	DeleteUser(ctx context.Context, id UserID) error

	// Attempts are the failed sign-ins of a name, known or not; none is no error.
	Attempts(ctx context.Context, name string) (Attempts, error)
	// PutAttempts stores them; with no failures they are forgotten.
	PutAttempts(ctx context.Context, a Attempts) error

	// AddToken stores a token and sets its ID.
	AddToken(ctx context.Context, t *Token) error
	// Token is a token by its ID.
	Token(ctx context.Context, id int64) (*Token, error)
	// TokenByDigest is the token of a digest.
	TokenByDigest(ctx context.Context, digest string) (*Token, error)
	// ListTokens is a page of the tokens of a user, or of all in reach when user is 0; newest first.
	ListTokens(ctx context.Context, reach Reach, user UserID, p Page) ([]Token, error)
	// UseToken notes when a token was last used.
	UseToken(ctx context.Context, id int64, at time.Time) error
	// DeleteToken removes a token.
	DeleteToken(ctx context.Context, id int64) error

	// AddSession stores a session.
	AddSession(ctx context.Context, s *Session) error
	// Session is the session of a digest.
	Session(ctx context.Context, digest string) (*Session, error)
	// SeeSession notes when a session was last used.
	SeeSession(ctx context.Context, digest string, at time.Time) error
	// DeleteSession ends a session; none is no error.
	DeleteSession(ctx context.Context, digest string) error
	// DeleteSessions ends all sessions of a user.
	DeleteSessions(ctx context.Context, u UserID) error

	// AddInvitation stores an invitation and sets its ID.
	AddInvitation(ctx context.Context, i *Invitation) error
	// InvitationByDigest is the invitation of a token's digest.
	InvitationByDigest(ctx context.Context, digest string) (*Invitation, error)
	// ListInvitations is a page, newest first.
	ListInvitations(ctx context.Context, reach Reach, p Page) ([]Invitation, error)
	// DeleteInvitation removes one.
	DeleteInvitation(ctx context.Context, id int64) error

	// AddFlow stores a sign-in at an identity provider that has begun.
	AddFlow(ctx context.Context, f *Flow) error
	// TakeFlow gives the flow of a state's digest and removes it: each is used once.
	TakeFlow(ctx context.Context, digest string) (*Flow, error)

	// Forget removes sessions, invitations and flows that ended, and attempts older than a day, at most limit of each.
	Forget(ctx context.Context, now time.Time, limit int) (int64, error)

	Journal
}

// Journal keeps the audit log.
type Journal interface {
	// AuditHead is the newest link of the chain, locked against others until the transaction ends; zero before the first.
	AuditHead(ctx context.Context) (Link, error)
	// AddAudit stores an entry as the new head.
	AddAudit(ctx context.Context, e *Entry) error
	// AuditFrom are entries in order from seq on.
	AuditFrom(ctx context.Context, seq int64, limit int) ([]Entry, error)
	// ListAudit is a page, newest first; Page.After is a sequence number.
	ListAudit(ctx context.Context, reach Reach, f AuditFilter, p Page) ([]Entry, error)
}

// Books are the store and its transactions, for what must not hash passwords or talk to others within one.
type Books interface {
	// Read sees what is committed.
	Read() Store
	// InTx runs f in one transaction, again when another was in its way.
	InTx(ctx context.Context, f func(Store) error) error
}
