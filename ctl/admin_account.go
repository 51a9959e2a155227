package ctl

import (
	"bufio"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"callhome"
	"callhome/server/account"
)

// The calls about accounts that a running back end answers.
const (
	CallCompanyAdd     = "company-add"
	CallCompanyList    = "company-list"
	CallCompanyDisable = "company-disable"
	CallUserAdd        = "user-add"
	CallUserList       = "user-list"
	CallUserChange     = "user-change"
	CallUserPassword   = "user-password"
	CallUserDelete     = "user-delete"
	CallUserInvite     = "user-invite"
	CallTokenCreate    = "token-create"
	CallTokenList      = "token-list"
	CallTokenRevoke    = "token-revoke"
	CallAuditVerify    = "audit-verify"
	CallAuditList      = "audit-list"
	CallAuditLink      = "audit-checkpoint"
)

// Admin is what the operator of a back end does through its control socket.
type Admin struct{ Shower }

// PageQuery chooses part of a list; newest first.
type PageQuery struct {
	After int64  `json:"after,omitempty"`
	Limit int    `json:"limit,omitempty"`
	Match string `json:"match,omitempty"` // what the list is about says its command
}

// Page is the query as the rooms take it.
func (q PageQuery) Page() account.Page { return account.Page{After: q.After, Limit: q.Limit} }

// NameOrder names one record, by name.
type NameOrder struct {
	Name     string `json:"name"`
	Disabled bool   `json:"disabled,omitempty"`
}

// UserOrder makes or changes a user. Companies are names.
type UserOrder struct {
	Name      string       `json:"name"`
	Email     string       `json:"email,omitempty"`
	FullName  string       `json:"full_name,omitempty"`
	Role      account.Role `json:"role,omitempty"`
	Companies []string     `json:"companies,omitempty"`
	Password  string       `json:"password,omitempty"` // crosses the socket, which only its owner reaches
	Disabled  *bool        `json:"disabled,omitempty"`
}

// TokenOrder makes an API token.
type TokenOrder struct {
	Name     string        `json:"name"`
	Scope    account.Scope `json:"scope"`
	User     string        `json:"user,omitempty"`    // acts as this person
	Company  string        `json:"company,omitempty"` // or within this company; neither: everywhere
	Lifetime time.Duration `json:"lifetime,omitempty"`
}

// Issued is a secret that is shown once.
type Issued struct {
	Secret string    `json:"secret"`
	ID     int64     `json:"id,omitempty"`
	Name   string    `json:"name,omitempty"`
	Until  time.Time `json:"until,omitzero"`
}

// UserRow is a user with the names of their companies.
type UserRow struct {
	account.User
	CompanyNames []string `json:"company_names,omitempty"`
}

// TokenRow is a token with the name of whom it acts as.
type TokenRow struct {
	account.Token
	UserName    string `json:"user_name,omitempty"`
	CompanyName string `json:"company_name,omitempty"`
}

// VerifyQuery asks for a check of the audit log against links that were kept elsewhere.
type VerifyQuery struct {
	Kept []account.Link `json:"kept,omitempty"`
}

// done calls for a change and prints one sentence when it happened.
func (a *Admin) done(ctx context.Context, call string, order any, format string, args ...any) error {
	err := a.Client.Call(ctx, call, order, nil)
	if err != nil || a.JSON {
		return a.orJSON(map[string]bool{"done": true}, err)
	}
	_, err = fmt.Fprintf(a.Out, format+"\n", args...)
	return err
}

// issue calls for a secret and prints it, alone.
func (a *Admin) issue(ctx context.Context, call string, order any) error {
	var out Issued
	err := a.Client.Call(ctx, call, order, &out)
	if err != nil || a.JSON {
		return a.orJSON(out, err)
	}
	_, err = fmt.Fprintln(a.Out, out.Secret)
	return err
}

// AddCompany makes a company.
func (a *Admin) AddCompany(ctx context.Context, name string) error {
	return a.done(ctx, CallCompanyAdd, NameOrder{Name: name}, "company %s is made", name)
}

// DisableCompany locks a company's people out, or lets them in again.
func (a *Admin) DisableCompany(ctx context.Context, name string, disabled bool) error {
	word := "enabled"
	if disabled {
		word = "disabled"
	}
	return a.done(ctx, CallCompanyDisable, NameOrder{Name: name, Disabled: disabled}, "company %s is %s", name, word)
}

// Companies lists companies.
func (a *Admin) Companies(ctx context.Context, q PageQuery) error {
	var rows []account.Company
	err := a.Client.Call(ctx, CallCompanyList, q, &rows)
	if err != nil || a.JSON {
		return a.orJSON(rows, err)
	}
	return a.print(func(w *bufio.Writer) {
		t := table{columns: []column{{"ID", 19, 8}, {"Company", 30, 10}, {"Made (UTC)", 19, 10}, {"State", 8, 8}}}
		for _, c := range rows {
			state := "enabled"
			if c.Disabled {
				state = "disabled"
			}
			t.add(strconv.FormatInt(int64(c.ID), 10), c.Name, when(c.CreatedAt, "n/a"), state)
		}
		t.print(w, a.width())
	})
}

// AddUser makes a user.
func (a *Admin) AddUser(ctx context.Context, o UserOrder) error {
	var u UserRow
	err := a.Client.Call(ctx, CallUserAdd, o, &u)
	if err != nil || a.JSON {
		return a.orJSON(u, err)
	}
	_, err = fmt.Fprintf(a.Out, "user %s is made: %s\n", u.Name, u.Role)
	return err
}

// Users lists users.
func (a *Admin) Users(ctx context.Context, q PageQuery) error {
	var rows []UserRow
	err := a.Client.Call(ctx, CallUserList, q, &rows)
	if err != nil || a.JSON {
		return a.orJSON(rows, err)
	}
	return a.print(func(w *bufio.Writer) {
		t := table{columns: []column{{"User", 16, 8}, {"Mail", 24, 10}, {"Role", 21, 8}, {"Companies", 20, 8}, {"Last seen (UTC)", 19, 10}, {"State", 8, 8}}}
		for _, u := range rows {
			state := "enabled"
			if u.Disabled {
				state = "disabled"
			}
			t.add(u.Name, u.Email, string(u.Role), strings.Join(u.CompanyNames, ", "), when(u.LastSeen, "never"), state)
		}
		t.print(w, a.width())
	})
}

// ChangeUser changes a user; what the order leaves out stays.
func (a *Admin) ChangeUser(ctx context.Context, o UserOrder) error {
	return a.done(ctx, CallUserChange, o, "user %s is changed", o.Name)
}

// SetPassword sets a user's password.
func (a *Admin) SetPassword(ctx context.Context, name string, password callhome.Secret) error {
	return a.done(ctx, CallUserPassword, UserOrder{Name: name, Password: password.Reveal()}, "user %s has a new password and no session", name)
}

// DeleteUser removes a user.
func (a *Admin) DeleteUser(ctx context.Context, name string) error {
	return a.done(ctx, CallUserDelete, NameOrder{Name: name}, "user %s is removed", name)
}

// Invite makes an invitation and prints its token, alone.
func (a *Admin) Invite(ctx context.Context, o UserOrder) error {
	return a.issue(ctx, CallUserInvite, o)
}

// CreateToken makes an API token and prints it, alone.
func (a *Admin) CreateToken(ctx context.Context, o TokenOrder) error {
	return a.issue(ctx, CallTokenCreate, o)
}

// Tokens lists API tokens.
func (a *Admin) Tokens(ctx context.Context, q PageQuery) error {
	var rows []TokenRow
	err := a.Client.Call(ctx, CallTokenList, q, &rows)
	if err != nil || a.JSON {
		return a.orJSON(rows, err)
	}
	return a.print(func(w *bufio.Writer) {
		t := table{columns: []column{{"ID", 19, 8}, {"Token", 16, 8}, {"Begins", 10, 10}, {"Scope", 5, 5}, {"Acts as", 20, 8}, {"Until (UTC)", 19, 10}, {"Last used (UTC)", 19, 10}}}
		for _, k := range rows {
			who := "the back end"
			switch {
			case k.UserName != "":
				who = "user " + k.UserName
			case k.CompanyName != "":
				who = "company " + k.CompanyName
			}
			t.add(strconv.FormatInt(k.ID, 10), k.Name, k.Prefix, string(k.Scope), who, when(k.Until, "no end"), when(k.LastUsed, "never"))
		}
		t.print(w, a.width())
	})
}

// RevokeToken ends an API token.
func (a *Admin) RevokeToken(ctx context.Context, id int64) error {
	return a.done(ctx, CallTokenRevoke, id, "token %d is revoked", id)
}

// VerifyAudit checks the audit log. A broken chain is an error of KindConflict.
func (a *Admin) VerifyAudit(ctx context.Context, q VerifyQuery) error {
	var v account.Verdict
	if err := a.Client.Call(ctx, CallAuditVerify, q, &v); err != nil {
		return err
	}
	if a.JSON {
		if err := a.orJSON(v, nil); err != nil {
			return err
		}
	}
	if !v.OK() {
		return callhome.Errorf(callhome.KindConflict, "the audit log is broken at entry %d: %s", v.Broken, v.Because)
	}
	if a.JSON {
		return nil
	}
	_, err := fmt.Fprintf(a.Out, "the audit log is whole: %d entries, the newest is %d with hash %s\n", v.Entries, v.Head.Seq, v.Head.Hash)
	return err
}

// Audit lists the audit log.
func (a *Admin) Audit(ctx context.Context, q PageQuery) error {
	var rows []account.Entry
	err := a.Client.Call(ctx, CallAuditList, q, &rows)
	if err != nil || a.JSON {
		return a.orJSON(rows, err)
	}
	return a.print(func(w *bufio.Writer) {
		t := table{columns: []column{{"Entry", 8, 4}, {"At (UTC)", 19, 19}, {"Who", 20, 8}, {"Did", 18, 10}, {"To", 24, 8}, {"Detail", wordy(a.width()), 8}}}
		for _, e := range rows {
			t.add(strconv.FormatInt(e.Seq, 10), when(e.At, ""), e.Actor, e.Action, e.Object, e.Text)
		}
		t.print(w, a.width())
	})
}

// AuditLink prints the newest link of the audit log as one line of JSON, to be kept elsewhere.
func (a *Admin) AuditLink(ctx context.Context) error {
	var l account.Link
	err := a.Client.Call(ctx, CallAuditLink, struct{}{}, &l)
	return a.orJSON(l, err)
}
