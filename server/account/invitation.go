package account

import (
	"context"
	"time"

	"callhome"
)

const (
	invitationLife   = 7 * 24 * time.Hour
	invitationPrefix = "chi_"
)

// Invitation asks a person to make an account. The link's token is sent once, to the address.
type Invitation struct {
	ID        int64       `json:"id"`
	Digest    string      `json:"-"`
	Email     string      `json:"email"`
	Role      Role        `json:"role"`
	Companies []CompanyID `json:"companies,omitempty"`
	By        UserID      `json:"by,omitempty"`
	CreatedAt time.Time   `json:"created_at"`
	Until     time.Time   `json:"until"`
}

// Invite makes an invitation; the secret belongs into the link that is mailed.
func (o *Office) Invite(ctx context.Context, s Store, p Principal, email string, role Role, companies ...CompanyID) (*Invitation, callhome.Secret, error) {
	var none callhome.Secret
	if err := MayGrant(p, role, companies); err != nil {
		return nil, none, err
	}
	probe := User{Name: "invited", Email: email, Role: role, Companies: companies}
	if err := probe.Check(); err != nil {
		return nil, none, err
	}
	secret, now := newSecret(invitationPrefix), o.now()
	i := &Invitation{Digest: digestOf(secret), Email: email, Role: role, Companies: companies, By: p.User, CreatedAt: now, Until: now.Add(invitationLife)}
	if err := s.AddInvitation(ctx, i); err != nil {
		return nil, none, err
	}
	return i, callhome.NewSecret(secret), o.note(ctx, s, p, "user.invite", "mail "+email, firstOf(companies), map[string]any{"role": role})
}

// errInvitation is the same whatever is wrong.
var errInvitation = callhome.Errorf(callhome.KindDenied, "the invitation is not known, was used, or ended; ask for a new one")

// Accept makes the account that an invitation is for: name and password are the person's choice, all else the
// invitation's.
func (o *Office) Accept(ctx context.Context, b Books, secret callhome.Secret, name, fullName string, password callhome.Secret) (*User, error) {
	digest := digestOf(secret.Reveal())
	i, err := o.invitation(ctx, b.Read(), digest)
	if err != nil {
		return nil, err
	}
	u := &User{Name: name, FullName: fullName, Email: i.Email, Role: i.Role, Companies: i.Companies}
	if password.IsZero() {
		return nil, callhome.Errorf(callhome.KindInvalid, "a password is needed")
	}
	if err := o.setPassword(ctx, u, password); err != nil {
		return nil, err
	}
	err = b.InTx(ctx, func(s Store) error {
		i, err := o.invitation(ctx, s, digest) // not used meanwhile
		if err != nil {
			return err
		}
		if err := s.DeleteInvitation(ctx, i.ID); err != nil {
			return err
		}
		u.ID = 0
		return o.addUser(ctx, s, Principal{Name: "invited " + i.Email}, u)
	})
	if err != nil {
		return nil, err
	}
	return u, nil
}

func (o *Office) invitation(ctx context.Context, s Store, digest string) (*Invitation, error) {
	i, err := s.InvitationByDigest(ctx, digest)
	if err != nil && callhome.KindOf(err) == callhome.KindNotFound || err == nil && !o.now().Before(i.Until) {
		return nil, errInvitation
	}
	return i, err
}
