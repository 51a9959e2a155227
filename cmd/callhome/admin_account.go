package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"callhome"
	"callhome/ctl"
	"callhome/server/account"
)

// serverSockets are tried in turn when neither --socket nor the environment names the back end's.
var serverSockets = []string{"data/server.sock", "/run/callhome/server.sock"}

// admins is the way to the running back end.
func (a *app) admins() *ctl.Admin {
	admin := &ctl.Admin{Shower: *a.shower()}
	if a.socket == "" && os.Getenv(socketEnv) == "" {
		admin.Client.Path = serverSockets[0]
		for _, p := range serverSockets {
			if _, err := os.Stat(p); err == nil {
				admin.Client.Path = p
				break
			}
		}
	}
	return admin
}

// paged adds the flags of a list.
func paged(c *cobra.Command, q *ctl.PageQuery) *cobra.Command {
	c.Flags().IntVar(&q.Limit, "limit", 0, fmt.Sprintf("records at most (default %d)", account.DefaultLimit))
	c.Flags().Int64Var(&q.After, "after", 0, "go on behind this ID")
	return c
}

// listing is a command that lists records.
func listing(short string, f func(context.Context, ctl.PageQuery) error) *cobra.Command {
	q := &ctl.PageQuery{}
	return paged(leaf("list", short, func(ctx context.Context) error { return f(ctx, *q) }), q)
}

// one is a command about one named record.
func one(use, short string, f func(ctx context.Context, name string) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Args: cobra.ExactArgs(1), RunE: func(c *cobra.Command, args []string) error { return f(c.Context(), args[0]) }}
}

func (a *app) adminCompany() *cobra.Command {
	return group("company", "Customers, whose records are apart",
		one("add NAME", "Make a company", func(ctx context.Context, name string) error { return a.admins().AddCompany(ctx, name) }),
		listing("List companies", func(ctx context.Context, q ctl.PageQuery) error { return a.admins().Companies(ctx, q) }),
		one("disable NAME", "Lock a company's people out", func(ctx context.Context, name string) error { return a.admins().DisableCompany(ctx, name, true) }),
		one("enable NAME", "Let a company's people in again", func(ctx context.Context, name string) error { return a.admins().DisableCompany(ctx, name, false) }))
}

func (a *app) adminUser() *cobra.Command {
	return group("user", "People and what they may do",
		a.userAdd(), a.userInvite(), a.userChange(), a.userPassword(),
		listing("List users", func(ctx context.Context, q ctl.PageQuery) error { return a.admins().Users(ctx, q) }),
		one("delete NAME", "Remove a user with sessions and tokens", func(ctx context.Context, name string) error { return a.admins().DeleteUser(ctx, name) }))
}

const (
	roleHelp    = "viewer, device-administrator, company-administrator, partner or operator"
	companyHelp = "company by name; several for a partner"
)

func (a *app) userAdd() *cobra.Command {
	var o ctl.UserOrder
	var file string
	c := one("add NAME --email ADDRESS --role ROLE", "Make a user", func(ctx context.Context, name string) (err error) {
		o.Name = name
		if file != "" {
			if o.Password, err = a.password(file); err != nil {
				return err
			}
		}
		return a.admins().AddUser(ctx, o)
	})
	userFlags(c, &o)
	c.Flags().StringVar(&o.FullName, "full-name", "", "first and last name")
	c.Flags().StringVar(&file, "password-file", "", "file with the password, - for standard input; without it the user signs in by OpenID Connect")
	_ = c.MarkFlagRequired("email")
	_ = c.MarkFlagRequired("role")
	return c
}

func userFlags(c *cobra.Command, o *ctl.UserOrder) {
	c.Flags().StringVar(&o.Email, "email", "", "mail address")
	c.Flags().StringVar((*string)(&o.Role), "role", "", roleHelp)
	c.Flags().StringSliceVar(&o.Companies, "company", nil, companyHelp)
}

func (a *app) userInvite() *cobra.Command {
	var o ctl.UserOrder
	c := one("invite ADDRESS --role ROLE", "Make an invitation and print its token, alone", func(ctx context.Context, address string) error {
		o.Email = address
		return a.admins().Invite(ctx, o)
	})
	c.Flags().StringVar((*string)(&o.Role), "role", "", roleHelp)
	c.Flags().StringSliceVar(&o.Companies, "company", nil, companyHelp)
	_ = c.MarkFlagRequired("role")
	return c
}

func (a *app) userChange() *cobra.Command {
	var o ctl.UserOrder
	var disable, enable bool
	c := one("change NAME", "Change a user; what is not given stays", func(ctx context.Context, name string) error {
		o.Name = name
		if disable || enable {
			o.Disabled = &disable
		}
		return a.admins().ChangeUser(ctx, o)
	})
	userFlags(c, &o)
	c.Flags().StringVar(&o.FullName, "full-name", "", "first and last name")
	c.Flags().BoolVar(&disable, "disable", false, "lock the user out")
	c.Flags().BoolVar(&enable, "enable", false, "let the user in again")
	c.MarkFlagsMutuallyExclusive("disable", "enable")
	return c
}

func (a *app) userPassword() *cobra.Command {
	var file string
	c := one("password NAME", "Set a user's password, and end the user's sessions", func(ctx context.Context, name string) error {
		password, err := a.password(file)
		if err != nil {
			return err
		}
		return a.admins().SetPassword(ctx, name, callhome.NewSecret(password))
	})
	c.Flags().StringVar(&file, "password-file", "-", "file with the password, - for standard input")
	return c
}

// maxPasswordFile bounds what is read where a password is expected.
const maxPasswordFile = 4096

// password reads the first line of a file, or of standard input: a password on a command line would be seen by others.
func (a *app) password(file string) (string, error) {
	r := a.stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return "", callhome.Errorf(callhome.KindInvalid, "the password cannot be read: %w", err)
		}
		defer f.Close()
		r = f
	}
	b, err := io.ReadAll(io.LimitReader(r, maxPasswordFile))
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(b), "\n")
	return strings.TrimSuffix(line, "\r"), nil
}

func (a *app) adminToken() *cobra.Command {
	var o ctl.TokenOrder
	var days int
	create := one("create NAME --scope {read|write|admin}", "Make an API token and print it, alone", func(ctx context.Context, name string) error {
		o.Name, o.Lifetime = name, time.Duration(days)*24*time.Hour
		return a.admins().CreateToken(ctx, o)
	})
	create.Flags().StringVar((*string)(&o.Scope), "scope", "", "read, write or admin")
	create.Flags().StringVar(&o.User, "user", "", "the token acts as this user")
	create.Flags().StringVar(&o.Company, "company", "", "the token reaches this company only")
	create.Flags().IntVar(&days, "days", 0, "lifetime; 0: until it is revoked")
	create.MarkFlagsMutuallyExclusive("user", "company")
	_ = create.MarkFlagRequired("scope")
	return group("token", "API tokens", create,
		listing("List API tokens", func(ctx context.Context, q ctl.PageQuery) error { return a.admins().Tokens(ctx, q) }),
		one("revoke ID", "End an API token", func(ctx context.Context, id string) error {
			n, err := number(id)
			if err != nil {
				return err
			}
			return a.admins().RevokeToken(ctx, n)
		}))
}

func number(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, usageError{fmt.Errorf("%q is not an ID; `list` shows them", s)}
	}
	return n, nil
}

func (a *app) adminAudit() *cobra.Command {
	q := &ctl.PageQuery{}
	list := paged(leaf("list", "List the audit log", func(ctx context.Context) error { return a.admins().Audit(ctx, *q) }), q)
	list.Flags().StringVar(&q.Match, "action", "", "only this action, or those that begin with it: token, token.create")
	var kept string
	verify := leaf("verify", "Check that no entry was changed, taken out or cut off", func(ctx context.Context) error {
		var query ctl.VerifyQuery
		if kept != "" {
			links, err := readLinks(kept)
			if err != nil {
				return err
			}
			query.Kept = links
		}
		return a.admins().VerifyAudit(ctx, query)
	})
	verify.Flags().StringVar(&kept, "kept", "", "file of links that `callhome admin audit checkpoint` printed, one a line")
	return group("audit", "The audit log", list, verify,
		leaf("checkpoint", "Print the newest link, to be kept elsewhere", func(ctx context.Context) error { return a.admins().AuditLink(ctx) }))
}

// readLinks reads links, one after the other.
func readLinks(file string) (links []account.Link, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, callhome.Errorf(callhome.KindInvalid, "the kept links cannot be read: %w", err)
	}
	defer f.Close()
	for dec := json.NewDecoder(f); ; {
		var l account.Link
		switch err := dec.Decode(&l); {
		case err == io.EOF: //nolint:errorlint // Decode gives it bare
			return links, nil
		case err != nil:
			return nil, callhome.Errorf(callhome.KindInvalid, "%s is not a file of links: %w", file, err)
		}
		links = append(links, l)
	}
}
