package account

import (
	"context"
	"time"

	"callhome"
)

// Sign-in gets slower with every failure, whether the name exists or not.
const (
	freeAttempts  = 5 // a tired person's
	firstLock     = 30 * time.Second
	longestLock   = time.Hour
	attemptsFade  = 24 * time.Hour // after so long without a failure all are forgotten
	sessionIdle   = 12 * time.Hour // a shift
	sessionLife   = 7 * 24 * time.Hour
	sessionTouch  = time.Minute // LastSeen is written no more often
	sessionPrefix = "chs_"
)

// Attempts are the failed sign-ins of one name.
type Attempts struct {
	Name     string // folded
	Failures int
	LastAt   time.Time
}

// lockedUntil is when the next try is allowed.
func (a Attempts) lockedUntil() time.Time {
	over := a.Failures - freeAttempts
	if over < 0 {
		return time.Time{}
	}
	lock := firstLock
	for ; over > 0 && lock < longestLock; over-- {
		lock *= 2
	}
	return a.LastAt.Add(min(lock, longestLock))
}

// errSignIn is the same whatever is wrong, so that nobody learns which names exist.
var errSignIn = callhome.Errorf(callhome.KindDenied, "name or password is wrong")

// SignIn is who a name and a password belong to. It takes as long for a name that does not exist. After five failures of
// a name further ones are held off for 30 seconds, doubling up to an hour; that is KindUnavailable.
func (o *Office) SignIn(ctx context.Context, b Books, name string, password callhome.Secret) (*User, error) {
	name = folded(clean(name))
	if len(name) > maxName {
		name = name[:maxName]
	}
	s, now := b.Read(), o.now()
	attempts, err := s.Attempts(ctx, name)
	if err != nil {
		return nil, err
	}
	if until := attempts.lockedUntil(); now.Before(until) {
		return nil, callhome.Errorf(callhome.KindUnavailable, "too many failed sign-ins; try again in %s", until.Sub(now).Round(time.Second))
	}
	u, err := s.UserByName(ctx, name)
	if err != nil && callhome.KindOf(err) != callhome.KindNotFound {
		return nil, err
	}
	hash := ""
	if err == nil {
		hash = u.Password
	}
	fits, err := verifyPassword(ctx, password.Reveal(), hash)
	if err != nil {
		return nil, err
	}
	if fits {
		u, err = o.active(ctx, s, u.ID)
		fits = err == nil
	}
	if !fits {
		return nil, o.failed(ctx, b, name, now)
	}
	return u, b.InTx(ctx, func(s Store) error {
		if err := s.PutAttempts(ctx, Attempts{Name: name}); err != nil {
			return err
		}
		return s.SeeUser(ctx, u.ID, now)
	})
}

// failed counts a failure; the count is read again in the transaction, so that many at once all count.
func (o *Office) failed(ctx context.Context, b Books, name string, now time.Time) error {
	err := b.InTx(ctx, func(s Store) error {
		a, err := s.Attempts(ctx, name)
		if err != nil {
			return err
		}
		if now.Sub(a.LastAt) > attemptsFade {
			a.Failures = 0
		}
		a.Name, a.Failures, a.LastAt = name, a.Failures+1, now
		if err := s.PutAttempts(ctx, a); err != nil {
			return err
		}
		if a.Failures != freeAttempts {
			return nil
		}
		return o.note(ctx, s, Principal{Name: "somebody"}, "sign-in.locked", "user "+name, NoCompany, map[string]any{"failures": a.Failures})
	})
	if err != nil {
		return err
	}
	return errSignIn
}

// Session is a signed-in browser.
type Session struct {
	Digest    string // SHA-256 of the cookie's value
	User      UserID
	CreatedAt time.Time
	LastSeen  time.Time
	Address   string // from where it was opened
	Agent     string // program that opened it, as it says
}

// OpenSession signs a person in; the secret is the cookie's value.
func (o *Office) OpenSession(ctx context.Context, s Store, u *User, address, agent string) (callhome.Secret, error) {
	secret, now := newSecret(sessionPrefix), o.now()
	session := &Session{Digest: digestOf(secret), User: u.ID, CreatedAt: now, LastSeen: now, Address: clean(address), Agent: clean(agent)}
	if err := s.AddSession(ctx, session); err != nil {
		return callhome.Secret{}, err
	}
	return callhome.NewSecret(secret), o.note(ctx, s, u.Principal(), "session.open", "user "+u.Name, firstOf(u.Companies), map[string]any{"address": session.Address})
}

// errSession tells that there is no session any more.
var errSession = callhome.Errorf(callhome.KindDenied, "the session ended; sign in again")

// Signed is who a session's cookie belongs to.
func (o *Office) Signed(ctx context.Context, b Books, secret callhome.Secret) (Principal, *User, error) {
	s, now := b.Read(), o.now()
	session, err := s.Session(ctx, digestOf(secret.Reveal()))
	if err != nil && callhome.KindOf(err) == callhome.KindNotFound {
		return Principal{}, nil, errSession
	}
	if err != nil {
		return Principal{}, nil, err
	}
	if now.Sub(session.LastSeen) > sessionIdle || now.Sub(session.CreatedAt) > sessionLife {
		return Principal{}, nil, errSession
	}
	u, err := o.active(ctx, s, session.User)
	if err != nil {
		return Principal{}, nil, errSession
	}
	if now.Sub(session.LastSeen) >= sessionTouch {
		err = b.InTx(ctx, func(s Store) error { return s.SeeSession(ctx, session.Digest, now) })
	}
	return u.Principal(), u, err
}

// CloseSession signs out.
func (o *Office) CloseSession(ctx context.Context, s Store, secret callhome.Secret) error {
	return s.DeleteSession(ctx, digestOf(secret.Reveal()))
}
