package account

import (
	"context"
	"slices"
	"time"

	"callhome"
)

// Office does what people ask about accounts. It keeps nothing but its settings, which are set before use; records are in
// the Store or Books that each call is given.
type Office struct {
	Now func() time.Time // nil: time.Now
}

func (o *Office) now() time.Time {
	if o.Now != nil {
		return o.Now()
	}
	return time.Now()
}

// note writes the audit log.
func (o *Office) note(ctx context.Context, s Journal, p Principal, action, object string, c CompanyID, detail map[string]any) error {
	return Append(ctx, s, Entry{At: o.now(), Actor: orNobody(p.Name), Action: action, Object: object, Company: c, Detail: detail})
}

// Note writes the audit log for a principal, in the caller's transaction: what other rooms' faces do is noted here.
func (o *Office) Note(ctx context.Context, s Journal, p Principal, action Action, object string, c CompanyID, detail map[string]any) error {
	return o.note(ctx, s, p, string(action), object, c, detail)
}

// NewCompany makes a company.
func (o *Office) NewCompany(ctx context.Context, s Store, p Principal, name string) (*Company, error) {
	if err := Require(p, CompanyWrite, NoCompany); err != nil {
		return nil, err
	}
	if err := checkName("a company", name); err != nil {
		return nil, err
	}
	c := &Company{Name: name, CreatedAt: o.now()}
	if err := s.AddCompany(ctx, c); err != nil {
		return nil, err
	}
	return c, o.note(ctx, s, p, "company.create", "company "+name, c.ID, nil)
}

// DisableCompany locks a company's people out, or lets them in again.
func (o *Office) DisableCompany(ctx context.Context, s Store, p Principal, id CompanyID, disabled bool) error {
	if err := Require(p, CompanyWrite, NoCompany); err != nil {
		return err
	}
	c, err := s.Company(ctx, id)
	if err != nil {
		return err
	}
	c.Disabled = disabled
	if err := s.PutCompany(ctx, c); err != nil {
		return err
	}
	return o.note(ctx, s, p, "company.disable", "company "+c.Name, id, map[string]any{"disabled": disabled})
}

// NewUser makes a person's account. The first person of a company becomes its administrator, whatever role was asked for.
// password may be empty: then the person signs in at an identity provider, or by an invitation.
func (o *Office) NewUser(ctx context.Context, b Books, p Principal, u User, password callhome.Secret) (*User, error) {
	if err := MayGrant(p, u.Role, u.Companies); err != nil {
		return nil, err
	}
	if err := o.setPassword(ctx, &u, password); err != nil {
		return nil, err
	}
	err := b.InTx(ctx, func(s Store) error { return o.addUser(ctx, s, p, &u) })
	if err != nil {
		return nil, err
	}
	return &u, nil
}

func (o *Office) setPassword(ctx context.Context, u *User, password callhome.Secret) (err error) {
	if password.IsZero() {
		return nil
	}
	if err := CheckPassword(password.Reveal(), u); err != nil {
		return err
	}
	u.Password, err = hashPassword(ctx, password.Reveal())
	return err
}

// addUser stores a new account; the first of a company leads it.
func (o *Office) addUser(ctx context.Context, s Store, p Principal, u *User) error {
	if (u.Role == RoleViewer || u.Role == RoleDeviceAdmin) && len(u.Companies) == 1 {
		n, err := s.CountUsers(ctx, u.Companies[0])
		if err != nil {
			return err
		}
		if n == 0 {
			u.Role = RoleCompanyAdmin
		}
	}
	if err := u.Check(); err != nil {
		return err
	}
	for _, c := range u.Companies {
		if _, err := s.Company(ctx, c); err != nil {
			return err
		}
	}
	u.CreatedAt = o.now()
	if err := s.AddUser(ctx, u); err != nil {
		return err
	}
	return o.note(ctx, s, p, "user.create", "user "+u.Name, firstOf(u.Companies), map[string]any{"role": u.Role, "companies": u.Companies})
}

func firstOf(companies []CompanyID) CompanyID {
	if len(companies) == 0 {
		return NoCompany
	}
	return companies[0]
}

// ChangeUser stores a changed account: role, companies, names, disabled. What p may not grant, p may not change either.
func (o *Office) ChangeUser(ctx context.Context, s Store, p Principal, u User) error {
	have, err := s.User(ctx, u.ID)
	if err != nil {
		return err
	}
	if err := MayGrant(p, have.Role, have.Companies); err != nil {
		return err
	}
	if err := MayGrant(p, u.Role, u.Companies); err != nil {
		return err
	}
	u.Password, u.Issuer, u.Subject, u.CreatedAt, u.LastSeen = have.Password, have.Issuer, have.Subject, have.CreatedAt, have.LastSeen
	if err := u.Check(); err != nil {
		return err
	}
	if err := s.PutUser(ctx, &u); err != nil {
		return err
	}
	if u.Disabled || u.Role != have.Role || !slices.Equal(u.Companies, have.Companies) {
		if err := s.DeleteSessions(ctx, u.ID); err != nil {
			return err
		}
	}
	return o.note(ctx, s, p, "user.change", "user "+u.Name, firstOf(u.Companies),
		map[string]any{"role": u.Role, "companies": u.Companies, "disabled": u.Disabled, "role_before": have.Role, "companies_before": have.Companies})
}

// DeleteUser removes an account with its sessions and tokens. Its name stays in the audit log.
func (o *Office) DeleteUser(ctx context.Context, s Store, p Principal, id UserID) error {
	u, err := s.User(ctx, id)
	if err != nil {
		return err
	}
	if err := MayGrant(p, u.Role, u.Companies); err != nil {
		return err
	}
	if p.User == id {
		return callhome.Errorf(callhome.KindConflict, "nobody removes their own account")
	}
	if err := s.DeleteUser(ctx, id); err != nil {
		return err
	}
	return o.note(ctx, s, p, "user.delete", "user "+u.Name, firstOf(u.Companies), nil)
}

// ChangePassword sets a person's password and ends all of their sessions. A person gives the old one; who may write users
// does not. A password set for someone else is noted as such.
func (o *Office) ChangePassword(ctx context.Context, b Books, p Principal, id UserID, old, password callhome.Secret) error {
	u, err := b.Read().User(ctx, id)
	if err != nil {
		return err
	}
	if p.User == id && !old.IsZero() {
		if _, err := o.SignIn(ctx, b, u.Name, old); err != nil {
			return err
		}
	} else if err := MayGrant(p, u.Role, u.Companies); err != nil {
		return err
	}
	if password.IsZero() {
		return callhome.Errorf(callhome.KindInvalid, "a password is needed")
	}
	if err := o.setPassword(ctx, u, password); err != nil {
		return err
	}
	return b.InTx(ctx, func(s Store) error {
		fresh, err := s.User(ctx, id)
		if err != nil {
			return err
		}
		fresh.Password = u.Password
		if err := s.PutUser(ctx, fresh); err != nil {
			return err
		}
		if err := s.DeleteSessions(ctx, id); err != nil {
			return err
		}
		return o.note(ctx, s, p, "user.password", "user "+u.Name, firstOf(u.Companies), nil)
	})
}
