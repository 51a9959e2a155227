package account

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"callhome"
)

// TestCanStaysWithinReach tries every action as every role and scope on every company.
func TestCanStaysWithinReach(t *testing.T) {
	for action, rule := range table {
		for _, role := range Roles {
			for _, scope := range Scopes {
				p := Principal{Name: "p", Role: role, Scope: scope, Companies: []CompanyID{1}}
				if role == RoleOperator {
					p.Companies = nil
				}
				if role == RolePartner {
					p.Companies = []CompanyID{1, 2}
				}
				has := slices.Contains(rule.roles, role) && scope.Includes(rule.scope)
				for c, within := range map[CompanyID]bool{
					0: role == RoleOperator || shared[action], 1: true, 2: role == RoleOperator || role == RolePartner, 3: role == RoleOperator,
				} {
					if got := Can(p, action, c); got != (has && within) {
						t.Errorf("%s of %s with scope %s on company %d: %v", action, role, scope, c, got)
					}
					if err := Require(p, action, c); (err == nil) != Can(p, action, c) || err != nil && callhome.KindOf(err) != callhome.KindDenied {
						t.Errorf("Require(%s) = %v", action, err)
					}
				}
			}
		}
		if Can(Principal{}, action, 0) || Can(Principal{}, action, 1) {
			t.Errorf("nobody may do %s", action)
		}
		if !Can(System(), action, 7) {
			t.Errorf("the system may not do %s", action)
		}
		if roles, least, ok := Allowed(action); !ok || len(roles) == 0 || least == "" {
			t.Errorf("Allowed(%s) = %v, %s, %v", action, roles, least, ok)
		}
	}
	if Can(System(), "no.such", 1) {
		t.Error("an action that does not exist is allowed")
	}
}

// TestRolesIncludeEachOther: who leads may do whatever those below may.
func TestRolesIncludeEachOther(t *testing.T) {
	for action := range table {
		for _, pair := range [][2]Role{{RoleViewer, RoleDeviceAdmin}, {RoleDeviceAdmin, RoleCompanyAdmin}, {RoleDeviceAdmin, RolePartner}, {RoleCompanyAdmin, RoleOperator}} {
			less, more := Principal{Role: pair[0], Scope: ScopeAdmin, Companies: []CompanyID{1}}, Principal{Role: pair[1], Scope: ScopeAdmin, Companies: []CompanyID{1}}
			if Can(less, action, 1) && !Can(more, action, 1) {
				t.Errorf("%s: a %s may, a %s may not", action, pair[0], pair[1])
			}
		}
	}
}

func TestNobodyGrantsMoreThanTheyHave(t *testing.T) {
	lead := Principal{User: 1, Name: "rita", Role: RoleCompanyAdmin, Companies: []CompanyID{1}, Scope: ScopeAdmin}
	narrow := lead
	narrow.Scope = ScopeWrite
	for _, c := range []struct {
		p         Principal
		role      Role
		companies []CompanyID
		ok        bool
	}{
		{lead, RoleViewer, []CompanyID{1}, true}, {lead, RoleCompanyAdmin, []CompanyID{1}, true}, {lead, RoleViewer, []CompanyID{2}, false},
		{lead, RoleViewer, []CompanyID{1, 2}, false}, {lead, RolePartner, []CompanyID{1}, false}, {lead, RoleOperator, nil, false},
		{lead, RoleViewer, nil, false}, {narrow, RoleViewer, []CompanyID{1}, false}, {System(), RoleOperator, nil, true},
		{Principal{Role: RolePartner, Companies: []CompanyID{1}, Scope: ScopeAdmin}, RoleViewer, []CompanyID{1}, false},
	} {
		if err := MayGrant(c.p, c.role, c.companies); (err == nil) != c.ok {
			t.Errorf("MayGrant(%s %s, %s, %v) = %v, want allowed=%v", c.p.Role, c.p.Scope, c.role, c.companies, err, c.ok)
		}
	}
}

func TestUserCheck(t *testing.T) {
	good := User{Name: "rita", Email: "rita@ops.example", Role: RoleViewer, Companies: []CompanyID{1}, TimeZone: "Europe/Lisbon"}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*User){
		"no name":                 func(u *User) { u.Name = "" },
		"blank around":            func(u *User) { u.Name = " rita" },
		"control character":       func(u *User) { u.Name = "ri\x00ta" },
		"long name":               func(u *User) { u.Name = strings.Repeat("r", 200) },
		"no address":              func(u *User) { u.Email = "rita" },
		"a header in the address": func(u *User) { u.Email = "rita@ops.example\r\nBcc: x@y.example" },
		"a name in the address":   func(u *User) { u.Email = "Rita <rita@ops.example>" },
		"no role":                 func(u *User) { u.Role = "" },
		"another role":            func(u *User) { u.Role = "root" },
		"a viewer of two":         func(u *User) { u.Companies = []CompanyID{1, 2} },
		"a viewer of none":        func(u *User) { u.Companies = nil },
		"a viewer of no company":  func(u *User) { u.Companies = []CompanyID{0} },
		"an operator of one":      func(u *User) { u.Role = RoleOperator },
		"time zone":               func(u *User) { u.TimeZone = "Mars/Olympus" },
	} {
		u := good
		change(&u)
		if err := u.Check(); err == nil || callhome.KindOf(err) != callhome.KindInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheckPassword(t *testing.T) {
	u := &User{Name: "rita", Email: "moura@ops.example"}
	for password, ok := range map[string]bool{
		"four quiet words today": true, "ééééabcdefgh": true, "short": false, "aaaaaaaaaaaa": false, "121212121212": false,
		"Password1234": false, "cisco1234567": false, "i am RITA today": false, "hello moura hello": false, strings.Repeat("abcde", 60): false, "\xff23456789012": false,
	} {
		if err := CheckPassword(password, u); (err == nil) != ok {
			t.Errorf("CheckPassword(%q) = %v, want good=%v", password, err, ok)
		}
	}
}

func TestPasswords(t *testing.T) {
	ctx := context.Background()
	hash, err := hashPassword(ctx, "four quiet words today")
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=65536,t=1,p=2$") {
		t.Fatalf("hash %q, %v", hash, err)
	}
	for _, c := range []struct {
		password, hash string
		want           bool
	}{{"four quiet words today", hash, true}, {"four quiet words todax", hash, false}, {"", "", false}, {"four quiet words today", "", false}} {
		if got, err := verifyPassword(ctx, c.password, c.hash); err != nil || got != c.want {
			t.Errorf("verifyPassword(%q, %q) = %v, %v", c.password, c.hash, got, err)
		}
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	for range hashersAtOnce {
		hashers <- struct{}{}
	}
	_, err = hashPassword(ended, "x")
	for range hashersAtOnce {
		<-hashers
	}
	if callhome.KindOf(err) != callhome.KindUnavailable {
		t.Errorf("with all hashers busy: %v", err)
	}
}

func TestLock(t *testing.T) {
	at := time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
	for failures, want := range map[int]time.Duration{0: 0, 4: 0, 5: 30 * time.Second, 6: time.Minute, 11: 32 * time.Minute, 12: time.Hour, 1 << 30: time.Hour} {
		until := Attempts{Failures: failures, LastAt: at}.lockedUntil()
		if want == 0 && !until.IsZero() || want != 0 && !until.Equal(at.Add(want)) {
			t.Errorf("after %d failures locked until %s, want %s", failures, until, want)
		}
	}
}

func TestLocalPath(t *testing.T) {
	for s, want := range map[string]string{
		"/devices?state=pending": "/devices?state=pending", "": "/", "https://evil.example/": "/", "//evil.example": "/", `/\evil.example`: "/",
		"javascript:alert(1)": "/", "/a\r\nSet-Cookie: x": "/", "devices": "/",
	} {
		if got := localPath(s); got != want {
			t.Errorf("localPath(%q) = %q, want %q", s, got, want)
		}
	}
}

// memoryJournal is an audit log in memory that can be tampered with.
type memoryJournal struct{ entries []Entry }

func (m *memoryJournal) AuditHead(context.Context) (Link, error) {
	if len(m.entries) == 0 {
		return Link{}, nil
	}
	e := m.entries[len(m.entries)-1]
	return Link{Seq: e.Seq, Hash: e.Hash, At: e.At}, nil
}

func (m *memoryJournal) AddAudit(_ context.Context, e *Entry) error {
	m.entries = append(m.entries, *e)
	return nil
}

func (m *memoryJournal) AuditFrom(_ context.Context, seq int64, limit int) (out []Entry, err error) {
	for _, e := range m.entries {
		if e.Seq >= seq && len(out) < limit {
			out = append(out, e)
		}
	}
	return out, nil
}

func (m *memoryJournal) ListAudit(context.Context, Reach, AuditFilter, Page) ([]Entry, error) {
	return nil, nil
}

// TestTamperingIsFound changes a whole log in one place and wants that place named.
func TestTamperingIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ctx, m := context.Background(), &memoryJournal{}
		n := rapid.IntRange(2, 20).Draw(t, "entries")
		for k := range n {
			e := Entry{At: time.Unix(int64(k), 0), Actor: rapid.String().Draw(t, "actor"), Action: "a.b", Object: rapid.String().Draw(t, "object"), Company: CompanyID(k), Detail: map[string]any{"k": k}}
			if err := Append(ctx, m, e); err != nil {
				t.Fatal(err)
			}
		}
		if v, err := Verify(ctx, m, nil, nil); err != nil || !v.OK() || v.Entries != int64(n) {
			t.Fatalf("a whole log: %+v, %v", v, err)
		}
		at := rapid.IntRange(0, n-2).Draw(t, "at")
		e := &m.entries[at]
		want := e.Seq
		switch rapid.IntRange(0, 7).Draw(t, "tampering") {
		case 0:
			e.Actor += "x"
		case 1:
			e.Object, e.Action = e.Action, e.Object+"."
		case 2:
			e.Company++
		case 3:
			e.At = e.At.Add(time.Microsecond)
		case 4:
			e.Text += " "
		case 5: // taken out
			m.entries = slices.Delete(m.entries, at, at+1)
		case 6: // changed with its hash: the next one does not follow
			e.Actor += "x"
			e.Hash = e.sum()
			want++
		case 7: // two in another order
			m.entries[at], m.entries[at+1] = m.entries[at+1], m.entries[at]
			m.entries[at].Seq, m.entries[at+1].Seq = m.entries[at+1].Seq, m.entries[at].Seq
		}
		v, err := Verify(ctx, m, nil, nil)
		if err != nil || v.Broken != want || v.Because == "" {
			t.Fatalf("broken at %d because %q, %v; want %d", v.Broken, v.Because, err, want)
		}
	})
}
