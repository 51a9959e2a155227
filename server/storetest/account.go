package storetest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/sqlstore"
)

const goodPassword = "four quiet words today"

// Account holds a store to the promises of account.Store.
func Account(t *testing.T, open func(testing.TB) *sqlstore.Store) {
	t.Run("people", func(t *testing.T) { accountPeople(t, open(t)) })
	t.Run("lockout", func(t *testing.T) { accountLockout(t, open(t)) })
	t.Run("sessions", func(t *testing.T) { accountSessions(t, open(t)) })
	t.Run("tokens", func(t *testing.T) { accountTokens(t, open(t)) })
	t.Run("invitations", func(t *testing.T) { accountInvitations(t, open(t)) })
	t.Run("isolation", func(t *testing.T) { accountIsolation(t, open(t)) })
	t.Run("audit", func(t *testing.T) { accountAudit(t, open(t)) })
	t.Run("audit of many at once", func(t *testing.T) { accountAuditTogether(t, open(t)) })
	t.Run("forget", func(t *testing.T) { accountForget(t, open(t)) })
}

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func wantKind(t *testing.T, err error, want callhome.Kind) {
	t.Helper()
	if err == nil || callhome.KindOf(err) != want {
		t.Errorf("got error %v (%s), want one of kind %s", err, callhome.KindOf(err), want)
	}
}

func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func company(t testing.TB, s *sqlstore.Store, o *account.Office, name string) *account.Company {
	t.Helper()
	var c *account.Company
	err := s.AccountBooks().InTx(context.Background(), func(a account.Store) (err error) {
		c, err = o.NewCompany(context.Background(), a, account.System(), name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func person(t testing.TB, s *sqlstore.Store, o *account.Office, name string, role account.Role, companies ...account.CompanyID) *account.User {
	t.Helper()
	u, err := o.NewUser(context.Background(), s.AccountBooks(), account.System(),
		account.User{Name: name, Email: name + "@ops.example", Role: role, Companies: companies}, callhome.NewSecret(goodPassword))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func accountPeople(t *testing.T, s *sqlstore.Store) {
	ctx, b, o := context.Background(), s.AccountBooks(), &account.Office{Now: newClock().now}
	acme, blue := company(t, s, o, "Acme"), company(t, s, o, "Blue")
	err := b.InTx(ctx, func(a account.Store) error {
		_, err := o.NewCompany(ctx, a, account.System(), "ACME")
		return err
	})
	wantKind(t, err, callhome.KindConflict)

	first := person(t, s, o, "rita", account.RoleViewer, acme.ID)
	if first.Role != account.RoleCompanyAdmin {
		t.Errorf("the first person of a company became %s, want its administrator", first.Role)
	}
	if second := person(t, s, o, "joao", account.RoleViewer, acme.ID); second.Role != account.RoleViewer {
		t.Errorf("the second person became %s, want viewer", second.Role)
	}
	partner := person(t, s, o, "paula", account.RolePartner, acme.ID, blue.ID)
	got, err := b.Read().UserByName(ctx, "PAULA")
	if err != nil || got.ID != partner.ID || len(got.Companies) != 2 || got.Email != "paula@ops.example" {
		t.Errorf("UserByName = %+v, %v", got, err)
	}
	_, err = o.NewUser(ctx, b, account.System(), account.User{Name: "Rita", Email: "x@ops.example", Role: account.RoleOperator}, callhome.Secret{})
	wantKind(t, err, callhome.KindConflict)
	_, err = o.NewUser(ctx, b, first.Principal(), account.User{Name: "eve", Email: "e@ops.example", Role: account.RoleViewer, Companies: []account.CompanyID{blue.ID}}, callhome.Secret{})
	wantKind(t, err, callhome.KindDenied)
	_, err = o.NewUser(ctx, b, first.Principal(), account.User{Name: "eve", Email: "e@ops.example", Role: account.RoleOperator}, callhome.Secret{})
	wantKind(t, err, callhome.KindDenied)
	_, err = b.Read().User(ctx, 1)
	wantKind(t, err, callhome.KindNotFound)
}

func accountLockout(t *testing.T, s *sqlstore.Store) {
	ctx, c := context.Background(), newClock()
	b, o := s.AccountBooks(), &account.Office{Now: c.now}
	person(t, s, o, "rita", account.RoleOperator)
	good, bad := callhome.NewSecret(goodPassword), callhome.NewSecret("four loud words today")
	for _, name := range []string{"rita", "nobody"} {
		for range 5 {
			_, err := o.SignIn(ctx, b, name, bad)
			wantKind(t, err, callhome.KindDenied)
		}
		_, err := o.SignIn(ctx, b, name, good)
		wantKind(t, err, callhome.KindUnavailable)
	}
	c.pass(31 * time.Second)
	_, err := o.SignIn(ctx, b, "rita", bad)
	wantKind(t, err, callhome.KindDenied)
	c.pass(31 * time.Second) // the lock has doubled
	_, err = o.SignIn(ctx, b, "rita", good)
	wantKind(t, err, callhome.KindUnavailable)
	c.pass(31 * time.Second)
	if u, err := o.SignIn(ctx, b, "Rita", good); err != nil || u.Name != "rita" {
		t.Fatalf("SignIn = %v, %v", u, err)
	}
	if a, err := b.Read().Attempts(ctx, "rita"); err != nil || a.Failures != 0 {
		t.Errorf("after a sign-in there are attempts %+v, %v", a, err)
	}
}

func accountSessions(t *testing.T, s *sqlstore.Store) {
	ctx, c := context.Background(), newClock()
	b, o := s.AccountBooks(), &account.Office{Now: c.now}
	acme := company(t, s, o, "Acme")
	u := person(t, s, o, "rita", account.RoleViewer, acme.ID)
	openSession := func() (secret callhome.Secret) {
		err := b.InTx(ctx, func(a account.Store) (err error) {
			secret, err = o.OpenSession(ctx, a, u, "192.0.2.7", "test\x00agent")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return secret
	}
	secret := openSession()
	p, _, err := o.Signed(ctx, b, secret)
	if err != nil || p.User != u.ID || !account.Can(p, account.UserWrite, acme.ID) {
		t.Fatalf("Signed = %+v, %v", p, err)
	}
	_, _, err = o.Signed(ctx, b, callhome.NewSecret(secret.Reveal()+"x"))
	wantKind(t, err, callhome.KindDenied)
	c.pass(11 * time.Hour)
	if _, _, err = o.Signed(ctx, b, secret); err != nil {
		t.Errorf("after 11 hours: %v", err)
	}
	c.pass(13 * time.Hour)
	_, _, err = o.Signed(ctx, b, secret)
	wantKind(t, err, callhome.KindDenied)

	secret = openSession()
	if err := b.InTx(ctx, func(a account.Store) error { return o.DisableCompany(ctx, a, account.System(), acme.ID, true) }); err != nil {
		t.Fatal(err)
	}
	_, _, err = o.Signed(ctx, b, secret)
	wantKind(t, err, callhome.KindDenied)
	_, err = o.SignIn(ctx, b, "rita", callhome.NewSecret(goodPassword))
	wantKind(t, err, callhome.KindDenied)
}

func accountTokens(t *testing.T, s *sqlstore.Store) {
	ctx, c := context.Background(), newClock()
	b, o := s.AccountBooks(), &account.Office{Now: c.now}
	acme := company(t, s, o, "Acme")
	rita := person(t, s, o, "rita", account.RoleViewer, acme.ID)
	make1 := func(p account.Principal, order account.TokenOrder) (tok *account.Token, secret callhome.Secret, err error) {
		err = b.InTx(ctx, func(a account.Store) (err error) {
			tok, secret, err = o.NewToken(ctx, a, p, order)
			return err
		})
		return tok, secret, err
	}
	tok, secret, err := make1(account.System(), account.TokenOrder{Name: "backup", Scope: account.ScopeRead, Lifetime: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	p, err := o.Bearer(ctx, b, secret)
	if err != nil || !account.Can(p, account.DeviceRead, acme.ID) || account.Can(p, account.DeviceWrite, acme.ID) {
		t.Errorf("Bearer = %+v, %v", p, err)
	}
	if stored, err := b.Read().Token(ctx, tok.ID); err != nil || !stored.LastUsed.Equal(c.now()) || stored.Digest == secret.Reveal() {
		t.Errorf("stored token %+v, %v", stored, err)
	}
	c.pass(time.Hour)
	_, err = o.Bearer(ctx, b, secret)
	wantKind(t, err, callhome.KindDenied)

	tok, secret, err = make1(rita.Principal(), account.TokenOrder{Name: "mine", Scope: account.ScopeWrite})
	if err != nil {
		t.Fatal(err)
	}
	if p, err = o.Bearer(ctx, b, secret); err != nil || p.User != rita.ID || p.Reach().All || !p.Reach().Has(acme.ID) {
		t.Errorf("Bearer = %+v, %v", p, err)
	}
	_, _, err = make1(p, account.TokenOrder{Name: "more", Scope: account.ScopeAdmin})
	wantKind(t, err, callhome.KindDenied)
	other := person(t, s, o, "olga", account.RoleViewer, company(t, s, o, "Blue").ID)
	err = b.InTx(ctx, func(a account.Store) error { return o.RevokeToken(ctx, a, other.Principal(), tok.ID) })
	wantKind(t, err, callhome.KindDenied)
	if err = b.InTx(ctx, func(a account.Store) error { return o.RevokeToken(ctx, a, rita.Principal(), tok.ID) }); err != nil {
		t.Error(err)
	}
	_, err = o.Bearer(ctx, b, secret)
	wantKind(t, err, callhome.KindDenied)
}

func accountInvitations(t *testing.T, s *sqlstore.Store) {
	ctx, c := context.Background(), newClock()
	b, o := s.AccountBooks(), &account.Office{Now: c.now}
	acme := company(t, s, o, "Acme")
	var secret callhome.Secret
	invite := func() {
		err := b.InTx(ctx, func(a account.Store) (err error) {
			_, secret, err = o.Invite(ctx, a, account.System(), "rita@ops.example", account.RoleViewer, acme.ID)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	invite()
	_, err := o.Accept(ctx, b, secret, "rita", "Rita Moura", callhome.NewSecret("short"))
	wantKind(t, err, callhome.KindInvalid)
	u, err := o.Accept(ctx, b, secret, "rita", "Rita Moura", callhome.NewSecret(goodPassword))
	if err != nil || u.Role != account.RoleCompanyAdmin {
		t.Fatalf("Accept = %+v, %v", u, err)
	}
	_, err = o.Accept(ctx, b, secret, "rita2", "", callhome.NewSecret(goodPassword))
	wantKind(t, err, callhome.KindDenied)
	invite()
	c.pass(8 * 24 * time.Hour)
	_, err = o.Accept(ctx, b, secret, "rita3", "", callhome.NewSecret(goodPassword))
	wantKind(t, err, callhome.KindDenied)
}

func accountIsolation(t *testing.T, s *sqlstore.Store) {
	ctx, b, o := context.Background(), s.AccountBooks(), &account.Office{Now: newClock().now}
	acme, blue := company(t, s, o, "Acme"), company(t, s, o, "Blue")
	rita, olga := person(t, s, o, "rita", account.RoleViewer, acme.ID), person(t, s, o, "olga", account.RoleViewer, blue.ID)
	person(t, s, o, "paula", account.RolePartner, acme.ID, blue.ID)
	for _, u := range []*account.User{rita, olga} {
		err := b.InTx(ctx, func(a account.Store) error {
			if _, _, err := o.NewToken(ctx, a, u.Principal(), account.TokenOrder{Name: u.Name, Scope: account.ScopeRead}); err != nil {
				return err
			}
			_, _, err := o.Invite(ctx, a, u.Principal(), "new-"+u.Email, account.RoleViewer, u.Companies...)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	a, reach := b.Read(), rita.Principal().Reach()
	for _, u := range must[[]account.User](t)(a.ListUsers(ctx, reach, account.Page{})) {
		for _, c := range u.Companies {
			if c != acme.ID {
				t.Errorf("Acme sees company %d of user %s", c, u.Name)
			}
		}
		if len(u.Companies) == 0 {
			t.Errorf("Acme sees user %s, who is not of theirs", u.Name)
		}
	}
	if got := must[[]account.Token](t)(a.ListTokens(ctx, reach, 0, account.Page{})); len(got) != 1 || got[0].User != rita.ID {
		t.Errorf("Acme sees tokens %+v", got)
	}
	if got := must[[]account.Invitation](t)(a.ListInvitations(ctx, reach, account.Page{})); len(got) != 1 || got[0].Companies[0] != acme.ID {
		t.Errorf("Acme sees invitations %+v", got)
	}
	if got := must[[]account.Company](t)(a.ListCompanies(ctx, reach, account.Page{})); len(got) != 1 || got[0].ID != acme.ID {
		t.Errorf("Acme sees companies %+v", got)
	}
	entries := must[[]account.Entry](t)(a.ListAudit(ctx, reach, account.AuditFilter{}, account.Page{}))
	if len(entries) == 0 {
		t.Error("Acme sees no audit entries")
	}
	for _, e := range entries {
		if e.Company != acme.ID {
			t.Errorf("Acme sees audit entry %+v", e)
		}
	}
	if got := must[[]account.User](t)(a.ListUsers(ctx, account.Reach{}, account.Page{})); len(got) != 0 {
		t.Errorf("nobody sees users %+v", got)
	}
}

func accountAudit(t *testing.T, s *sqlstore.Store) {
	ctx, b := context.Background(), s.AccountBooks()
	at := newClock().now()
	var kept account.Link
	for k := range 30 {
		err := b.InTx(ctx, func(a account.Store) error {
			return account.Append(ctx, a, account.Entry{At: at.Add(time.Duration(k) * 1234567), Actor: "rita\x00", Action: "test.do", Object: "thing \xff", Company: account.CompanyID(k % 3), Detail: map[string]any{"k": k, "text": "a\x00b"}})
		})
		if err != nil {
			t.Fatal(err)
		}
		if k == 20 {
			kept = must[account.Link](t)(account.Checkpoint(ctx, b.Read()))
		}
	}
	if v, err := account.Verify(ctx, b.Read(), []account.Link{kept}, nil); err != nil || !v.OK() || v.Entries != 30 {
		t.Errorf("Verify = %+v, %v", v, err)
	}
	if v, err := account.Verify(ctx, b.Read(), []account.Link{{Seq: 21, Hash: "other"}}, nil); err != nil || v.Broken != 21 {
		t.Errorf("Verify with another kept link = %+v, %v", v, err)
	}
	if v, err := account.Verify(ctx, b.Read(), []account.Link{{Seq: 31, Hash: "cut"}}, nil); err != nil || v.Broken != 31 {
		t.Errorf("Verify with a longer log = %+v, %v", v, err)
	}
	undone := errors.New("undone")
	err := b.InTx(ctx, func(a account.Store) error {
		if err := account.Append(ctx, a, account.Entry{At: at, Actor: "x", Action: "y.z"}); err != nil {
			return err
		}
		return undone
	})
	if !errors.Is(err, undone) {
		t.Errorf("InTx = %v", err)
	}
	if head, err := b.Read().AuditHead(ctx); err != nil || head.Seq != 30 {
		t.Errorf("after an undone transaction the head is %+v, %v", head, err)
	}
	page := must[[]account.Entry](t)(b.Read().ListAudit(ctx, account.Everywhere(), account.AuditFilter{Action: "test"}, account.Page{After: 11, Limit: 5}))
	if len(page) != 5 || page[0].Seq != 10 || page[4].Seq != 6 {
		t.Errorf("page of the audit log: %+v", page)
	}
}

func accountAuditTogether(t *testing.T, s *sqlstore.Store) {
	ctx, b := context.Background(), s.AccountBooks()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10 {
				err := b.InTx(ctx, func(a account.Store) error {
					return account.Append(ctx, a, account.Entry{At: time.Now(), Actor: "many", Action: "test.race"})
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if v, err := account.Verify(ctx, b.Read(), nil, nil); err != nil || !v.OK() || v.Entries != 80 {
		t.Errorf("Verify = %+v, %v; want 80 whole entries", v, err)
	}
}

func accountForget(t *testing.T, s *sqlstore.Store) {
	ctx, c := context.Background(), newClock()
	b, o := s.AccountBooks(), &account.Office{Now: c.now}
	_, err := o.SignIn(ctx, b, "nobody", callhome.NewSecret("x"))
	wantKind(t, err, callhome.KindDenied)
	err = b.InTx(ctx, func(a account.Store) error {
		return a.AddFlow(ctx, &account.Flow{Digest: "d", Until: c.now().Add(time.Minute)})
	})
	if err != nil {
		t.Fatal(err)
	}
	c.pass(25 * time.Hour)
	var n int64
	err = b.InTx(ctx, func(a account.Store) (err error) {
		n, err = a.Forget(ctx, c.now(), 10)
		return err
	})
	if err != nil || n != 2 {
		t.Errorf("Forget = %d, %v; want the attempt and the flow", n, err)
	}
	err = b.InTx(ctx, func(a account.Store) error {
		_, err := a.TakeFlow(ctx, "d")
		return err
	})
	wantKind(t, err, callhome.KindNotFound)
}
