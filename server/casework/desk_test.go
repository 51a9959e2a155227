package casework_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/analysis"
	"callhome/server/casework"
	"callhome/server/sqlstore"
)

// bench is a desk on a SQLite store with a clock of its own.
type bench struct {
	store *sqlstore.Store
	desk  *casework.Desk
	now   time.Time
	n     int
}

var (
	ctx   = context.Background()
	every = account.Everywhere()
	ana   = casework.By{Who: "ana", Via: casework.ViaPerson}
)

func config() casework.Config {
	cfg := casework.DefaultConfig()
	cfg.People = []casework.Person{{Name: "ana", Pager: "ana@pager.example"}, {Name: "bob", Email: "bob@ops.example"}, {Name: "eve", Email: "eve@ops.example"}}
	cfg.Rotas = []casework.Rota{{Name: "first", Layers: []casework.Layer{{Members: []string{"ana"}, Start: "2026-01-05"}}}}
	cfg.Policies = []casework.Policy{{Name: "usual", Steps: []casework.Step{{Notify: []string{"rota:first"}}, {After: 15 * time.Minute, Notify: []string{"person:bob", "team:support"}}}, Repeat: 1}}
	cfg.Teams = []casework.Team{{Name: "support", Escalation: "usual", Members: []string{"bob", "eve"}}, {Name: "network"}}
	return cfg
}

func openStore(t testing.TB) *sqlstore.Store {
	s, err := sqlstore.Open(ctx, filepath.Join(t.TempDir(), "server.db"), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func newBench(t testing.TB, cfg casework.Config) *bench {
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	b := &bench{store: openStore(t), desk: casework.New(cfg), now: time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)}
	b.desk.Now = func() time.Time { return b.now }
	return b
}

func sub(device int64) casework.Subject {
	return casework.Subject{Device: device, DeviceID: callhome.DeviceID(fmt.Sprint("X@C@S", device)), Company: 1, Entitled: true, Host: "core-1", Site: "LIS-2"}
}

func (b *bench) cause(key string, level callhome.Level, state callhome.EventState) casework.Cause {
	b.n++
	return casework.Cause{
		MessageID: callhome.MessageID(fmt.Sprintf("M%d", b.n)), Archive: int64(b.n), At: b.now, Rule: "fan", Key: key, Level: level,
		Outcome: analysis.OutcomeServiceRequest, State: state, Title: "trouble with " + key,
	}
}

type fataler interface {
	Helper()
	Fatal(...any)
}

func (b *bench) tx(t fataler, f func(casework.Store) error) {
	t.Helper()
	if err := b.try(f); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) try(f func(casework.Store) error) error {
	return b.store.InTx(ctx, func(tx *sqlstore.Tx) error { return f(tx.Casework()) })
}

func (b *bench) act(t fataler, s casework.Subject, c casework.Cause) (r casework.Result) {
	t.Helper()
	b.tx(t, func(st casework.Store) error {
		out, err := b.desk.Act(ctx, st, s, []casework.Cause{c})
		if err == nil {
			r = out[0]
		}
		return err
	})
	return r
}

func (b *bench) raise(t fataler, key string) casework.Result {
	t.Helper()
	return b.act(t, sub(1), b.cause(key, callhome.LevelMajor, callhome.StateRaise))
}

func (b *bench) clear(t fataler, key string) casework.Result {
	t.Helper()
	return b.act(t, sub(1), b.cause(key, callhome.LevelNormal, callhome.StateClear))
}

// after lets time pass and ticks.
func (b *bench) after(t fataler, d time.Duration) (told []casework.Happening) {
	t.Helper()
	b.now = b.now.Add(d)
	b.tx(t, func(s casework.Store) (err error) { told, err = b.desk.Tick(ctx, s, 100); return err })
	return told
}

func (b *bench) latest(t fataler) casework.Case {
	t.Helper()
	list, err := b.store.Read().Casework().Cases(ctx, every, casework.CaseFilter{}, account.Page{Limit: 1})
	if err != nil || len(list) == 0 {
		t.Fatal("no case", err)
	}
	return list[0]
}

func kinds(told []casework.Happening) string {
	var out []string
	for _, h := range told {
		word := string(h.Event.Kind)
		if h.Quiet {
			word = "(" + word + ")"
		}
		out = append(out, word)
	}
	return strings.Join(out, " ")
}

func wantKinds(t *testing.T, what string, told []casework.Happening, want string) {
	t.Helper()
	if got := kinds(told); got != want {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func TestAClearResolvesWhatItOpened(t *testing.T) {
	b := newBench(t, config())
	wantKinds(t, "raise", b.raise(t, "Fan 2").Happenings, "opened")
	b.raise(t, "Fan 3")
	if got := b.clear(t, "Fan 2"); got.Disposition != casework.DispositionCleared {
		t.Errorf("clear: %+v", got)
	}
	told := b.after(t, 9*time.Minute)
	for _, h := range told {
		if h.Event.Kind == casework.EventResolved {
			t.Error("resolved within the quiet time")
		}
	}
	told = b.after(t, 2*time.Minute)
	if !strings.Contains(kinds(told), "resolved") {
		t.Errorf("after the quiet time: %s", kinds(told))
	}
	open, err := b.store.Read().Casework().Cases(ctx, every, casework.CaseFilter{Active: true}, account.Page{})
	if err != nil || len(open) != 1 || open[0].Part != "Fan 3" {
		t.Errorf("open are %+v, want the other fan", open)
	}
	wantKinds(t, "it comes back", b.raise(t, "Fan 2").Happenings, "reopened")
	if got := b.clear(t, "Fan 9"); got.Disposition != casework.DispositionNothingOpen {
		t.Errorf("a clear of nothing: %+v", got)
	}
}

func TestAClearMayNameOtherRules(t *testing.T) {
	b := newBench(t, config())
	b.raise(t, "Fan 2")
	c := b.cause("Fan 2", callhome.LevelNormal, callhome.StateClear)
	c.Rule, c.Clears, c.Outcome = "fan-ok", []string{"fan"}, analysis.OutcomeInformation
	if got := b.act(t, sub(1), c); got.Disposition != casework.DispositionCleared || got.Number != "SR-000001" {
		t.Errorf("got %+v", got)
	}
}

func TestFlappingIsToldOnce(t *testing.T) {
	b := newBench(t, config())
	b.raise(t, "Fan 2")
	var words []string
	for range 10 {
		b.now = b.now.Add(time.Minute)
		words = append(words, kinds(b.clear(t, "Fan 2").Happenings))
		b.now = b.now.Add(time.Minute)
		words = append(words, kinds(b.raise(t, "Fan 2").Happenings))
	}
	all := strings.Join(words, " ")
	if strings.Count(all, "flapping") != 1 || strings.Count(all, "escalated") != 1 { // the tenth message
		t.Errorf("told: %s", all)
	}
	if list, _ := b.store.Read().Casework().Cases(ctx, every, casework.CaseFilter{}, account.Page{}); len(list) != 1 || !list[0].Flapping {
		t.Errorf("cases: %+v", list)
	}
	b.clear(t, "Fan 2")
	b.after(t, 30*time.Minute)
	if b.latest(t).State == casework.StateResolved {
		t.Error("what flaps was resolved after the common quiet time")
	}
	b.after(t, 31*time.Minute)
	if c := b.latest(t); c.State != casework.StateResolved || c.Flapping {
		t.Errorf("after the long quiet time: %s, flapping %v", c.State, c.Flapping)
	}
}

func TestEscalatesWhenItRepeatsOrWorsens(t *testing.T) {
	b := newBench(t, config())
	b.raise(t, "Fan 2")
	id := b.latest(t).ID
	b.after(t, 0)
	b.tx(t, func(s casework.Store) error { _, err := b.desk.Acknowledge(ctx, s, every, id, ana); return err })
	b.tx(t, func(s casework.Store) error {
		_, err := b.desk.Snooze(ctx, s, every, id, b.now.Add(time.Hour), ana)
		return err
	})
	for i := 2; i < 10; i++ {
		if told := b.raise(t, "Fan 2").Happenings; len(told) != 0 {
			t.Errorf("message %d: %s", i, kinds(told))
		}
	}
	wantKinds(t, "tenth message", b.raise(t, "Fan 2").Happenings, "escalated")
	if c := b.latest(t); c.Priority != 2 || c.Repeats != 9 || c.SnoozedUntil.IsZero() {
		t.Errorf("got %+v", c)
	}
	r := b.act(t, sub(1), b.cause("Fan 2", callhome.LevelCritical, callhome.StateRaise))
	wantKinds(t, "worse", r.Happenings, "escalated (state)")
	if c := b.latest(t); c.Level != callhome.LevelCritical || c.State != casework.StateOpen || !c.SnoozedUntil.IsZero() {
		t.Errorf("it should be awake, open and critical: %+v", c)
	}
	wantKinds(t, "called again", b.after(t, 0), "paged")
	r = b.act(t, sub(1), b.cause("Fan 2", callhome.LevelWarning, callhome.StateRaise))
	if c := b.latest(t); c.Level != callhome.LevelCritical || len(r.Happenings) != 0 {
		t.Errorf("a milder message: %s, level %s", kinds(r.Happenings), c.Level)
	}
}

func TestWhatOpensNoCase(t *testing.T) {
	b := newBench(t, config())
	for want, spoil := range map[casework.Disposition]func(*casework.Subject, *casework.Cause){
		casework.DispositionNotEntitled: func(s *casework.Subject, _ *casework.Cause) { s.Entitled = false },
		casework.DispositionAnonymous:   func(s *casework.Subject, _ *casework.Cause) { s.Anonymous = true },
		casework.DispositionNoService:   func(_ *casework.Subject, c *casework.Cause) { c.Group = callhome.GroupInventory },
		casework.DispositionNoCase:      func(_ *casework.Subject, c *casework.Cause) { c.Outcome = analysis.OutcomeRecommendation },
	} {
		s, c := sub(1), b.cause("Fan 2", callhome.LevelMajor, callhome.StateNone)
		spoil(&s, &c)
		if got := b.act(t, s, c); got.Disposition != want || len(got.Happenings) != 0 {
			t.Errorf("got %+v, want %s", got, want)
		}
	}
	if list, _ := b.store.Read().Casework().Cases(ctx, every, casework.CaseFilter{}, account.Page{}); len(list) != 0 {
		t.Errorf("there are %d cases", len(list))
	}
	deeds, err := b.store.Read().Casework().Deeds(ctx, every, casework.DeedFilter{}, account.Page{})
	if err != nil || len(deeds) != 3 || slices.ContainsFunc(deeds, func(d casework.Deed) bool { return d.Disposition == casework.DispositionAnonymous }) {
		t.Errorf("findings are recorded with their reason, anonymous ones not at all: %+v", deeds)
	}
}

func TestEscalationCallsOneAfterTheOther(t *testing.T) {
	b := newBench(t, config())
	b.raise(t, "Fan 2")
	call := func(d time.Duration) string {
		var names []string
		for _, h := range b.after(t, d) {
			for _, p := range h.Call {
				names = append(names, p.Name)
			}
		}
		return strings.Join(names, " ")
	}
	for i, step := range []struct {
		d    time.Duration
		want string
	}{{0, "ana"}, {14 * time.Minute, ""}, {time.Minute, "bob eve"}, {15 * time.Minute, "ana"}, {15 * time.Minute, "bob eve"}, {24 * time.Hour, ""}} {
		if got := call(step.d); got != step.want {
			t.Errorf("step %d: called %q, want %q", i, got, step.want)
		}
	}
	b.raise(t, "Fan 3")
	if got := call(0); got != "ana" {
		t.Errorf("the next case calls %q", got)
	}
	c := b.latest(t)
	b.tx(t, func(s casework.Store) error {
		_, _, err := b.desk.AcknowledgeCode(ctx, s, strings.ToLower(c.Code[:3])+" "+c.Code[3:], "pager")
		return err
	})
	if got := call(time.Hour); got != "" {
		t.Errorf("after the acknowledgement %q were called", got)
	}
}

func TestMaintenanceCallsNobody(t *testing.T) {
	b := newBench(t, config())
	b.raise(t, "Fan 2")
	w := casework.Window{Company: 1, Scope: casework.ScopeSite, Target: "lis-2", From: b.now.Add(-time.Minute), Until: b.now.Add(time.Hour)}
	b.tx(t, func(s casework.Store) error { return b.desk.OpenWindow(ctx, s, &w) })
	wantKinds(t, "a case that is open", b.after(t, time.Minute), "")
	b.now = b.now.Add(30 * time.Minute)
	r := b.act(t, sub(1), b.cause("Fan 2", callhome.LevelCritical, callhome.StateRaise))
	wantKinds(t, "worse, but in maintenance", r.Happenings, "(escalated)")
	if got := b.raise(t, "Fan 3"); got.Disposition != casework.DispositionMaintenance {
		t.Errorf("a new one: %+v", got)
	}
	b.tx(t, func(s casework.Store) error { return b.desk.EndWindow(ctx, s, every, w.ID) })
	told := kinds(b.after(t, 0))
	if !strings.Contains(told, "opened") {
		t.Errorf("the window ended early: %s", told)
	}
	deeds, err := b.store.Read().Casework().Deeds(ctx, every, casework.DeedFilter{Disposition: casework.DispositionOpened}, account.Page{})
	if err != nil || len(deeds) != 2 {
		t.Errorf("deeds: %+v, %v", deeds, err)
	}
}

func TestSnoozeEnds(t *testing.T) {
	b := newBench(t, config())
	b.raise(t, "Fan 2")
	id := b.latest(t).ID
	b.tx(t, func(s casework.Store) error {
		_, err := b.desk.Snooze(ctx, s, every, id, b.now.Add(time.Hour), ana)
		return err
	})
	wantKinds(t, "asleep", b.after(t, 59*time.Minute), "")
	wantKinds(t, "awake", b.after(t, time.Minute), "awake paged")
	if err := b.try(func(s casework.Store) error {
		_, err := b.desk.Snooze(ctx, s, every, id, b.now.AddDate(1, 0, 0), ana)
		return err
	}); callhome.KindOf(err) != callhome.KindInvalid {
		t.Errorf("a year of sleep: %v", err)
	}
}

func TestReopeningByPeople(t *testing.T) {
	b := newBench(t, config())
	b.raise(t, "Fan 2")
	first := b.latest(t)
	do := func(f func(casework.Store) ([]casework.Happening, error)) error {
		return b.try(func(s casework.Store) error { _, err := f(s); return err })
	}
	if err := do(func(s casework.Store) ([]casework.Happening, error) {
		return b.desk.Close(ctx, s, every, first.ID, "", ana)
	}); err != nil {
		t.Fatal(err)
	}
	b.after(t, 25*time.Hour)
	if got := b.raise(t, "Fan 2"); got.Number != "SR-000002" {
		t.Errorf("after the window: %+v, want a new case", got)
	}
	err := do(func(s casework.Store) ([]casework.Happening, error) {
		return b.desk.Reopen(ctx, s, every, first.ID, "", ana)
	})
	if callhome.KindOf(err) != callhome.KindConflict || !strings.Contains(err.Error(), "SR-000002") {
		t.Errorf("two open cases of one cause: %v", err)
	}
	second := b.latest(t)
	for _, f := range []func(casework.Store) ([]casework.Happening, error){
		func(s casework.Store) ([]casework.Happening, error) {
			return b.desk.Resolve(ctx, s, every, second.ID, "done", ana)
		},
		func(s casework.Store) ([]casework.Happening, error) {
			return b.desk.Reopen(ctx, s, every, second.ID, "not done", ana)
		},
	} {
		if err := do(f); err != nil {
			t.Error(err)
		}
	}
	if c := b.latest(t); c.State != casework.StateOpen || c.Reopened != 1 {
		t.Errorf("got %+v", c)
	}
	if err := do(func(s casework.Store) ([]casework.Happening, error) {
		return b.desk.Resolve(ctx, s, every, second.ID, "", ana)
	}); err != nil {
		t.Fatal(err)
	}
	b.after(t, 8*24*time.Hour)
	c := b.latest(t)
	if c.State != casework.StateClosed || c.Code != "" {
		t.Errorf("a week later it is %s, code %q", c.State, c.Code)
	}
	err = do(func(s casework.Store) ([]casework.Happening, error) {
		return b.desk.Reopen(ctx, s, every, c.ID, "", ana)
	})
	if err != nil { // closed a moment ago: within the window
		t.Error(err)
	}
	b.after(t, 0)
}

func TestCodesCannotBeGuessedFast(t *testing.T) {
	b := newBench(t, config())
	b.raise(t, "Fan 2")
	refused := 0
	for i := range 100 {
		err := b.try(func(s casework.Store) error {
			_, _, err := b.desk.AcknowledgeCode(ctx, s, "AAAAAA", fmt.Sprint("192.0.2.", i%3))
			return err
		})
		if callhome.KindOf(err) == callhome.KindUnavailable {
			refused++
		}
	}
	if refused < 85 {
		t.Errorf("%d of 100 tries were refused", refused)
	}
	b.now = b.now.Add(time.Minute)
	if err := b.try(func(s casework.Store) error {
		_, _, err := b.desk.AcknowledgeCode(ctx, s, b.latest(t).Code, "192.0.2.1")
		return err
	}); err != nil {
		t.Errorf("a minute later: %v", err)
	}
}

func TestAssignRouteNoteAndOpen(t *testing.T) {
	b := newBench(t, config())
	var c *casework.Case
	b.tx(t, func(s casework.Store) (err error) {
		c, _, err = b.desk.Open(ctx, s, sub(1), casework.Request{Title: "Please look", Text: "It is slow.", Level: callhome.LevelMinor}, ana)
		return err
	})
	step := func(want string, state casework.State, f func(casework.Store) ([]casework.Happening, error)) {
		t.Helper()
		b.tx(t, func(s casework.Store) error {
			told, err := f(s)
			if got := kinds(told); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			return err
		})
		if got := b.latest(t).State; got != state {
			t.Errorf("state is %s, want %s", got, state)
		}
	}
	step("assigned", casework.StateOpen, func(s casework.Store) ([]casework.Happening, error) {
		return b.desk.Assign(ctx, s, every, c.ID, "ana", ana)
	})
	step("", casework.StateOpen, func(s casework.Store) ([]casework.Happening, error) {
		return b.desk.Assign(ctx, s, every, c.ID, "ana", ana)
	})
	step("noted", casework.StateOpen, func(s casework.Store) ([]casework.Happening, error) {
		return b.desk.Note(ctx, s, every, c.ID, "seen", ana)
	})
	step("state", casework.StatePendingVendor, func(s casework.Store) ([]casework.Happening, error) {
		return b.desk.Pend(ctx, s, every, c.ID, casework.StatePendingVendor, "part ordered", ana)
	})
	step("routed", casework.StatePendingVendor, func(s casework.Store) ([]casework.Happening, error) {
		return b.desk.Route(ctx, s, every, c.ID, "network", ana)
	})
	step("closed", casework.StateClosed, func(s casework.Store) ([]casework.Happening, error) {
		return b.desk.Close(ctx, s, every, c.ID, "", ana)
	})
	if err := b.try(func(s casework.Store) error { _, err := b.desk.Resolve(ctx, s, every, c.ID, "", ana); return err }); callhome.KindOf(err) != callhome.KindConflict {
		t.Errorf("resolving a closed case: %v", err)
	}
	events, err := b.store.Read().Casework().Events(ctx, every, c.ID, account.Page{})
	if err != nil || len(events) != 6 || events[5].Kind != casework.EventOpened || events[0].By != ana || events[1].From != "support" {
		t.Errorf("history: %+v, %v", events, err)
	}
}

func TestADeviceThatChangesHands(t *testing.T) {
	b := newBench(t, config())
	b.raise(t, "Fan 2")
	moved := sub(1)
	moved.Company = 2
	r := b.act(t, moved, b.cause("Fan 2", callhome.LevelMajor, callhome.StateRaise))
	wantKinds(t, "raised at another company", r.Happenings, "closed opened")
	if r.Number != "SR-000002" || r.Happenings[0].Case.Company != 1 || r.Happenings[1].Case.Company != 2 {
		t.Errorf("got %+v", r)
	}
	for company, want := range map[account.CompanyID]int{1: 1, 2: 1} {
		reach := account.Reach{Companies: []account.CompanyID{company}}
		list, err := b.store.Read().Casework().Cases(ctx, reach, casework.CaseFilter{}, account.Page{})
		if err != nil || len(list) != want || list[0].Repeats != 0 {
			t.Errorf("company %d sees %+v, %v", company, list, err)
		}
	}
	if got := b.clear(t, "Fan 2"); got.Disposition != casework.DispositionNothingOpen {
		t.Errorf("a clear from the old company: %+v", got)
	}
}

func TestOldCasesAreForgotten(t *testing.T) {
	b := newBench(t, config())
	b.raise(t, "Fan 2")
	b.raise(t, "Fan 3")
	id := b.latest(t).ID
	b.tx(t, func(s casework.Store) error { _, err := b.desk.Close(ctx, s, every, id, "", ana); return err })
	b.tx(t, func(s casework.Store) error {
		n, err := s.DropCases(ctx, time.Now().Add(time.Hour), 10)
		if n != 1 {
			t.Errorf("%d cases were dropped, want the closed one", n)
		}
		return err
	})
	read := b.store.Read().Casework()
	events, err := read.Events(ctx, every, id, account.Page{})
	tallies, err2 := read.Tallies(ctx, every)
	if err != nil || err2 != nil || len(events) != 0 || len(tallies) != 1 || tallies[0].Cases != 1 {
		t.Errorf("left are %d events, %+v, %v %v", len(events), tallies, err, err2)
	}
	if got := b.raise(t, "Fan 3"); got.Disposition != casework.DispositionOpened || got.Number != "SR-000003" {
		t.Errorf("raised again: %+v", got)
	}
}
