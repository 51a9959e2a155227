package main

import (
	"context"
	"time"

	"callhome"
	"callhome/control"
	"callhome/ctl"
	"callhome/server"
	"callhome/server/account"
	"callhome/server/registry"
	"callhome/server/sqlstore"
)

// desk answers what the operator of a back end asks about accounts, devices, contracts and enrolment. Who reaches the
// control socket is the system itself: its owner.
type desk struct {
	store     *sqlstore.Store
	office    *account.Office
	registrar *registry.Registrar
	conductor *server.Server
	notices   func(context.Context, *sqlstore.Tx, []registry.Notice) error // hands notices to whoever tells people; may be nil
}

// serve registers all calls.
func (d *desk) serve(s *control.Server) {
	d.serveAccounts(s)
	d.serveRegistry(s)
	d.serveHunts(s)
	d.serveAdvisories(s)
}

func (d *desk) serveAccounts(s *control.Server) {
	s.Handle(ctl.CallCompanyAdd, call(func(ctx context.Context, o ctl.NameOrder) (c *account.Company, err error) {
		err = d.tx(ctx, func(t *sqlstore.Tx) error {
			c, err = d.office.NewCompany(ctx, t.Account(), account.System(), o.Name)
			return err
		})
		return c, err
	}))
	s.Handle(ctl.CallCompanyList, call(func(ctx context.Context, q ctl.PageQuery) ([]account.Company, error) {
		return d.store.Read().Account().ListCompanies(ctx, account.Everywhere(), q.Page())
	}))
	s.Handle(ctl.CallCompanyDisable, call(func(ctx context.Context, o ctl.NameOrder) (none, error) {
		return none{}, d.tx(ctx, func(t *sqlstore.Tx) error {
			id, err := d.company(ctx, t, o.Name)
			if err != nil {
				return err
			}
			return d.office.DisableCompany(ctx, t.Account(), account.System(), id, o.Disabled)
		})
	}))
	s.Handle(ctl.CallUserAdd, call(d.addUser))
	s.Handle(ctl.CallUserList, call(d.users))
	s.Handle(ctl.CallUserChange, call(d.changeUser))
	s.Handle(ctl.CallUserPassword, call(d.setPassword))
	s.Handle(ctl.CallUserDelete, call(func(ctx context.Context, o ctl.NameOrder) (none, error) {
		return none{}, d.tx(ctx, func(t *sqlstore.Tx) error {
			u, err := t.Account().UserByName(ctx, o.Name)
			if err != nil {
				return named(err, "user", o.Name)
			}
			return d.office.DeleteUser(ctx, t.Account(), account.System(), u.ID)
		})
	}))
	s.Handle(ctl.CallUserInvite, call(d.invite))
	s.Handle(ctl.CallTokenCreate, call(d.createToken))
	s.Handle(ctl.CallTokenList, call(d.tokens))
	s.Handle(ctl.CallTokenRevoke, call(func(ctx context.Context, id int64) (none, error) {
		return none{}, d.tx(ctx, func(t *sqlstore.Tx) error { return d.office.RevokeToken(ctx, t.Account(), account.System(), id) })
	}))
	s.Handle(ctl.CallAuditVerify, call(func(ctx context.Context, q ctl.VerifyQuery) (*account.Verdict, error) {
		return account.Verify(ctx, d.store.Read().Account(), q.Kept, nil)
	}))
	s.Handle(ctl.CallAuditList, call(func(ctx context.Context, q ctl.PageQuery) ([]account.Entry, error) {
		return d.store.Read().Account().ListAudit(ctx, account.Everywhere(), account.AuditFilter{Action: q.Match}, q.Page())
	}))
	s.Handle(ctl.CallAuditLink, call(func(ctx context.Context, _ *none) (account.Link, error) {
		return account.Checkpoint(ctx, d.store.Read().Account())
	}))
}

func (d *desk) tx(ctx context.Context, f func(*sqlstore.Tx) error) error { return d.store.InTx(ctx, f) }

// named says which record was not found.
func named(err error, what, name string) error {
	if err != nil && callhome.KindOf(err) == callhome.KindNotFound {
		return callhome.Errorf(callhome.KindNotFound, "there is no %s %q", what, name)
	}
	return err
}

// company is the ID of a company's name; no name is no company.
func (d *desk) company(ctx context.Context, t *sqlstore.Tx, name string) (account.CompanyID, error) {
	if name == "" {
		return account.NoCompany, nil
	}
	c, err := t.Account().CompanyByName(ctx, name)
	if err != nil {
		return account.NoCompany, named(err, "company", name)
	}
	return c.ID, nil
}

func (d *desk) companies(ctx context.Context, t *sqlstore.Tx, names []string) (ids []account.CompanyID, err error) {
	for _, name := range names {
		id, err := d.company(ctx, t, name)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// names are the names of companies, as far as they are asked for.
type names struct {
	read  account.Store
	known map[account.CompanyID]string
}

func (d *desk) names() *names {
	return &names{read: d.store.Read().Account(), known: map[account.CompanyID]string{account.NoCompany: ""}}
}

func (n *names) of(ctx context.Context, id account.CompanyID) (string, error) {
	if name, ok := n.known[id]; ok {
		return name, nil
	}
	c, err := n.read.Company(ctx, id)
	if err != nil && callhome.KindOf(err) != callhome.KindNotFound {
		return "", err
	}
	n.known[id] = c.Name
	return c.Name, nil
}

func (d *desk) row(ctx context.Context, u account.User, n *names) (ctl.UserRow, error) {
	row := ctl.UserRow{User: u}
	for _, c := range u.Companies {
		name, err := n.of(ctx, c)
		if err != nil {
			return row, err
		}
		row.CompanyNames = append(row.CompanyNames, name)
	}
	return row, nil
}

func (d *desk) addUser(ctx context.Context, o ctl.UserOrder) (ctl.UserRow, error) {
	ids, err := d.companies(ctx, d.store.Read(), o.Companies)
	if err != nil {
		return ctl.UserRow{}, err
	}
	u, err := d.office.NewUser(ctx, d.store.AccountBooks(), account.System(),
		account.User{Name: o.Name, Email: o.Email, FullName: o.FullName, Role: o.Role, Companies: ids}, callhome.NewSecret(o.Password))
	if err != nil {
		return ctl.UserRow{}, err
	}
	return d.row(ctx, *u, d.names())
}

func (d *desk) users(ctx context.Context, q ctl.PageQuery) ([]ctl.UserRow, error) {
	users, err := d.store.Read().Account().ListUsers(ctx, account.Everywhere(), q.Page())
	rows, n := make([]ctl.UserRow, 0, len(users)), d.names()
	for _, u := range users {
		row, err := d.row(ctx, u, n)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, err
}

func (d *desk) changeUser(ctx context.Context, o ctl.UserOrder) (none, error) {
	return none{}, d.tx(ctx, func(t *sqlstore.Tx) error {
		u, err := t.Account().UserByName(ctx, o.Name)
		if err != nil {
			return named(err, "user", o.Name)
		}
		if o.Email != "" {
			u.Email = o.Email
		}
		if o.FullName != "" {
			u.FullName = o.FullName
		}
		if o.Role != "" {
			u.Role = o.Role
		}
		if len(o.Companies) > 0 || u.Role == account.RoleOperator {
			if u.Companies, err = d.companies(ctx, t, o.Companies); err != nil {
				return err
			}
		}
		if o.Disabled != nil {
			u.Disabled = *o.Disabled
		}
		return d.office.ChangeUser(ctx, t.Account(), account.System(), *u)
	})
}

func (d *desk) setPassword(ctx context.Context, o ctl.UserOrder) (none, error) {
	u, err := d.store.Read().Account().UserByName(ctx, o.Name)
	if err != nil {
		return none{}, named(err, "user", o.Name)
	}
	return none{}, d.office.ChangePassword(ctx, d.store.AccountBooks(), account.System(), u.ID, callhome.Secret{}, callhome.NewSecret(o.Password))
}

func (d *desk) invite(ctx context.Context, o ctl.UserOrder) (out ctl.Issued, err error) {
	err = d.tx(ctx, func(t *sqlstore.Tx) error {
		ids, err := d.companies(ctx, t, o.Companies)
		if err != nil {
			return err
		}
		i, secret, err := d.office.Invite(ctx, t.Account(), account.System(), o.Email, o.Role, ids...)
		if err == nil {
			out = ctl.Issued{Secret: secret.Reveal(), ID: i.ID, Name: i.Email, Until: i.Until}
		}
		return err
	})
	return out, err
}

func (d *desk) createToken(ctx context.Context, o ctl.TokenOrder) (out ctl.Issued, err error) {
	err = d.tx(ctx, func(t *sqlstore.Tx) error {
		who := account.System()
		if o.User != "" {
			u, err := t.Account().UserByName(ctx, o.User)
			if err != nil {
				return named(err, "user", o.User)
			}
			who = u.Principal()
		}
		id, err := d.company(ctx, t, o.Company)
		if err != nil {
			return err
		}
		k, secret, err := d.office.NewToken(ctx, t.Account(), who, account.TokenOrder{Name: o.Name, Scope: o.Scope, Company: id, Lifetime: o.Lifetime})
		if err == nil {
			out = ctl.Issued{Secret: secret.Reveal(), ID: k.ID, Name: k.Name, Until: k.Until}
		}
		return err
	})
	return out, err
}

func (d *desk) tokens(ctx context.Context, q ctl.PageQuery) ([]ctl.TokenRow, error) {
	read := d.store.Read().Account()
	tokens, err := read.ListTokens(ctx, account.Everywhere(), 0, q.Page())
	rows, n := make([]ctl.TokenRow, 0, len(tokens)), d.names()
	for _, k := range tokens {
		row := ctl.TokenRow{Token: k}
		if row.CompanyName, err = n.of(ctx, k.Company); err != nil {
			return nil, err
		}
		if k.User != 0 {
			u, err := read.User(ctx, k.User)
			if err != nil {
				return nil, err
			}
			row.UserName = u.Name
		}
		rows = append(rows, row)
	}
	return rows, err
}

// note writes the audit log for what the operator did at the control socket.
func (d *desk) note(ctx context.Context, t *sqlstore.Tx, action account.Action, object string, c account.CompanyID, detail map[string]any) error {
	return d.office.Note(ctx, t.Account(), account.System(), action, object, c, detail)
}

func (d *desk) now() time.Time {
	if d.office.Now != nil {
		return d.office.Now()
	}
	return time.Now()
}
