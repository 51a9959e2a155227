package storetest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/analysis"
	"callhome/server/casework"
	"callhome/server/sqlstore"
)

// Casework holds an implementation of casework.Store to its promises, through a Desk.
func Casework(t *testing.T, open func(testing.TB) *sqlstore.Store) {
	for name, test := range map[string]func(*testing.T, *caseBench){
		"one case for one cause":      caseOnce,
		"the same finding twice":      caseRepeated,
		"many at once":                caseCrowd,
		"undone with its transaction": caseUndone,
		"reach":                       caseReach,
		"tallies":                     caseTallies,
		"lists by key":                casePages,
		"held by maintenance":         caseHeld,
		"codes":                       caseCodes,
		"pushes in order":             casePushes,
		"polls take turns":            casePolls,
		"forgetting":                  caseForget,
	} {
		t.Run(name, func(t *testing.T) { test(t, newCaseBench(t, open(t))) })
	}
}

type caseBench struct {
	store *sqlstore.Store
	desk  *casework.Desk
	now   time.Time
	n     int
}

func newCaseBench(t testing.TB, s *sqlstore.Store) *caseBench {
	cfg := casework.DefaultConfig()
	cfg.Teams[0].Tickets = []string{"jira"}
	b := &caseBench{store: s, desk: casework.New(cfg), now: time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)}
	b.desk.Now = func() time.Time { return b.now }
	return b
}

func caseSubject(device int64) casework.Subject {
	return casework.Subject{Device: device, DeviceID: callhome.DeviceID(fmt.Sprintf("X@C@S%d", device)), Company: account.CompanyID(device), Entitled: true, Host: fmt.Sprintf("host-%d", device)}
}

func (b *caseBench) cause(rule, key string) casework.Cause {
	b.n++
	return casework.Cause{
		MessageID: callhome.MessageID(fmt.Sprintf("M%d", b.n)), Archive: int64(b.n), At: b.now, Rule: rule, Key: key, Level: callhome.LevelMajor,
		Outcome: analysis.OutcomeServiceRequest, State: callhome.StateRaise, Title: "trouble with " + key,
		Evidence: []casework.Evidence{{Archive: int64(b.n), Attachment: "show environment"}},
	}
}

func (b *caseBench) act(t testing.TB, sub casework.Subject, causes ...casework.Cause) (out []casework.Result) {
	t.Helper()
	b.tx(t, func(s casework.Store) (err error) {
		out, err = b.desk.Act(context.Background(), s, sub, causes)
		return err
	})
	return out
}

func (b *caseBench) tx(t testing.TB, f func(casework.Store) error) {
	t.Helper()
	if err := b.store.InTx(context.Background(), func(tx *sqlstore.Tx) error { return f(tx.Casework()) }); err != nil {
		t.Fatal(err)
	}
}

func (b *caseBench) cases(t testing.TB, f casework.CaseFilter) []casework.Case {
	t.Helper()
	list, err := b.store.Read().Casework().Cases(context.Background(), account.Everywhere(), f, account.Page{Limit: account.MaxLimit})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func caseOnce(t *testing.T, b *caseBench) {
	sub := caseSubject(1)
	for i, want := range []casework.Disposition{casework.DispositionOpened, casework.DispositionJoined, casework.DispositionJoined} {
		if got := b.act(t, sub, b.cause("psu", "PSU1"))[0]; got.Disposition != want || got.Number != "SR-000001" {
			t.Errorf("message %d: got %s %s, want %s SR-000001", i, got.Disposition, got.Number, want)
		}
	}
	if got := b.act(t, sub, b.cause("psu", "PSU2"))[0]; got.Number != "SR-000002" {
		t.Errorf("the second power supply is hidden by the first: %+v", got)
	}
	deeds, err := b.store.Read().Casework().Deeds(context.Background(), account.Everywhere(), casework.DeedFilter{Case: b.cases(t, casework.CaseFilter{Text: "PSU1"})[0].ID}, account.Page{})
	if err != nil || len(deeds) != 3 || deeds[2].Evidence[0].Archive != 1 {
		t.Errorf("evidence: got %+v, %v; want three messages", deeds, err)
	}
}

func caseRepeated(t *testing.T, b *caseBench) {
	cause := b.cause("psu", "PSU1")
	b.act(t, caseSubject(1), cause)
	before := b.cases(t, casework.CaseFilter{})[0]
	b.now = b.now.Add(time.Hour)
	if got := b.act(t, caseSubject(1), cause)[0]; got.Disposition != casework.DispositionRepeated || len(got.Happenings) != 0 {
		t.Errorf("got %+v, want repeated and nothing told", got)
	}
	if after := b.cases(t, casework.CaseFilter{})[0]; after.Repeats != before.Repeats || after.Seq != before.Seq || !after.UpdatedAt.Equal(before.UpdatedAt) {
		t.Errorf("the case was changed: %+v, before %+v", after, before)
	}
}

func caseCrowd(t *testing.T, b *caseBench) {
	const workers, each = 8, 5
	causes := make([]casework.Cause, workers*each)
	for i := range causes {
		causes[i] = b.cause("psu", "PSU1")
	}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				err := b.store.InTx(context.Background(), func(tx *sqlstore.Tx) error {
					_, err := b.desk.Act(context.Background(), tx.Casework(), caseSubject(1), causes[w*each+i:w*each+i+1])
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	list := b.cases(t, casework.CaseFilter{})
	if len(list) != 1 || list[0].Repeats != workers*each-1 {
		t.Errorf("got %d cases, the first with %d repeats; want one with %d", len(list), list[0].Repeats, workers*each-1)
	}
}

func caseUndone(t *testing.T, b *caseBench) {
	cause := b.cause("psu", "PSU1")
	oops := callhome.Errorf(callhome.KindInternal, "the process died")
	err := b.store.InTx(context.Background(), func(tx *sqlstore.Tx) error {
		if _, err := b.desk.Act(context.Background(), tx.Casework(), caseSubject(1), []casework.Cause{cause}); err != nil {
			return err
		}
		return oops
	})
	if callhome.KindOf(err) != callhome.KindInternal || len(b.cases(t, casework.CaseFilter{})) != 0 {
		t.Errorf("after %v there are cases", err)
	}
	if got := b.act(t, caseSubject(1), cause)[0]; got.Disposition != casework.DispositionOpened || got.Number != "SR-000001" {
		t.Errorf("done again: got %+v, want SR-000001 opened", got)
	}
}

func caseReach(t *testing.T, b *caseBench) {
	ctx := context.Background()
	for d := int64(1); d <= 3; d++ {
		b.act(t, caseSubject(d), b.cause("psu", "PSU1"))
	}
	b.tx(t, func(s casework.Store) error {
		return b.desk.OpenWindow(ctx, s, &casework.Window{Company: 2, Scope: casework.ScopeCompany, From: b.now, Until: b.now.Add(time.Hour)})
	})
	read := b.store.Read().Casework()
	other := b.cases(t, casework.CaseFilter{Device: 2})[0]
	for _, c := range []struct {
		reach account.Reach
		cases int
	}{{account.Everywhere(), 3}, {account.Reach{Companies: []account.CompanyID{1, 3}}, 2}, {account.Reach{}, 0}} {
		list, err := read.Cases(ctx, c.reach, casework.CaseFilter{}, account.Page{})
		deeds, err2 := read.Deeds(ctx, c.reach, casework.DeedFilter{}, account.Page{})
		if err != nil || err2 != nil || len(list) != c.cases || len(deeds) != c.cases {
			t.Errorf("%+v sees %d cases, %d deeds, %v %v; want %d", c.reach, len(list), len(deeds), err, err2, c.cases)
		}
	}
	narrow := account.Reach{Companies: []account.CompanyID{1, 3}}
	_, err := read.Case(ctx, narrow, other.ID)
	_, err2 := read.CaseByNumber(ctx, narrow, other.Number)
	events, err3 := read.Events(ctx, narrow, other.ID, account.Page{})
	windows, err4 := read.Windows(ctx, narrow, account.Page{})
	if callhome.KindOf(err) != callhome.KindNotFound || callhome.KindOf(err2) != callhome.KindNotFound || len(events) != 0 || len(windows) != 0 || err3 != nil || err4 != nil {
		t.Errorf("another company's case is seen: %v, %v, %d events, %d windows", err, err2, len(events), len(windows))
	}
	err = b.store.InTx(ctx, func(tx *sqlstore.Tx) error {
		_, err := b.desk.Close(ctx, tx.Casework(), narrow, other.ID, "", casework.By{Who: "mallory", Via: casework.ViaPerson})
		return err
	})
	if callhome.KindOf(err) != callhome.KindNotFound || b.cases(t, casework.CaseFilter{Device: 2})[0].State != casework.StateNew {
		t.Errorf("another company's case was closed: %v", err)
	}
}

func caseTallies(t *testing.T, b *caseBench) {
	ctx := context.Background()
	for d := int64(1); d <= 4; d++ {
		b.act(t, caseSubject(d), b.cause("psu", "PSU1"))
	}
	by := casework.By{Who: "ana", Via: casework.ViaPerson}
	list := b.cases(t, casework.CaseFilter{})
	b.tx(t, func(s casework.Store) error {
		if _, err := b.desk.Acknowledge(ctx, s, account.Everywhere(), list[0].ID, by); err != nil {
			return err
		}
		_, err := b.desk.Resolve(ctx, s, account.Everywhere(), list[1].ID, "done", by)
		return err
	})
	b.checkTallies(t)
	own, err := b.store.Read().Casework().Tallies(ctx, account.Reach{Companies: []account.CompanyID{1}})
	if err != nil || len(own) != 1 || own[0].Cases != 1 {
		t.Errorf("one company's tallies: %+v, %v", own, err)
	}
}

// checkTallies compares the maintained counts with the cases.
func (b *caseBench) checkTallies(t testing.TB) {
	t.Helper()
	want := map[casework.Tally]int64{}
	for _, c := range b.cases(t, casework.CaseFilter{}) {
		want[casework.Tally{Team: c.Team, State: c.State, Level: c.Level}]++
	}
	got, err := b.store.Read().Casework().Tallies(context.Background(), account.Everywhere())
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range got {
		n := g.Cases
		g.Cases = 0
		if want[g] != n {
			t.Errorf("tally %+v is %d, want %d", g, n, want[g])
		}
		delete(want, g)
	}
	if len(want) > 0 {
		t.Errorf("no tally for %v", want)
	}
}

func casePages(t *testing.T, b *caseBench) {
	for i := range 7 {
		b.act(t, caseSubject(1), b.cause("psu", fmt.Sprint("PSU", i)))
	}
	var got []int64
	page := account.Page{Limit: 3}
	for {
		list, err := b.store.Read().Casework().Cases(context.Background(), account.Everywhere(), casework.CaseFilter{Active: true, MinLevel: callhome.LevelMajor}, page)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			break
		}
		for _, c := range list {
			got = append(got, c.ID)
		}
		page.After = got[len(got)-1]
	}
	if len(got) != 7 || !slices.IsSortedFunc(got, func(a, b int64) int { return int(b - a) }) {
		t.Errorf("pages give %v, want seven, newest first", got)
	}
	if n := len(b.cases(t, casework.CaseFilter{Text: "%"})); n != 0 {
		t.Errorf("a search for %% finds %d", n)
	}
}

func caseHeld(t *testing.T, b *caseBench) {
	ctx := context.Background()
	sub := caseSubject(1)
	b.tx(t, func(s casework.Store) error {
		return b.desk.OpenWindow(ctx, s, &casework.Window{Company: 1, Scope: casework.ScopeDevice, Target: string(sub.DeviceID), From: b.now, Until: b.now.Add(time.Hour)})
	})
	gone := b.cause("psu", "PSU2")
	for _, c := range []casework.Cause{b.cause("psu", "PSU1"), gone} {
		if got := b.act(t, sub, c)[0]; got.Disposition != casework.DispositionMaintenance || got.Number != "" {
			t.Errorf("in maintenance: got %+v", got)
		}
	}
	over := b.cause("psu", "PSU2")
	over.State = callhome.StateClear
	b.act(t, sub, over)
	tick := func() (told []casework.Happening) {
		b.tx(t, func(s casework.Store) (err error) { told, err = b.desk.Tick(ctx, s, 10); return err })
		return told
	}
	b.now = b.now.Add(59 * time.Minute)
	if told := tick(); len(told) != 0 {
		t.Errorf("before the end: %+v", told)
	}
	b.now = b.now.Add(time.Minute)
	if told := tick(); len(told) != 1 || told[0].Event.Kind != casework.EventOpened {
		t.Errorf("after the end: %+v, want PSU1 opened", told)
	}
	list := b.cases(t, casework.CaseFilter{})
	if len(list) != 1 || list[0].Part != "PSU1" {
		t.Errorf("got %+v", list)
	}
	if told := tick(); len(told) != 0 {
		t.Errorf("a second time: %+v", told)
	}
}

func caseCodes(t *testing.T, b *caseBench) {
	ctx := context.Background()
	b.act(t, caseSubject(1), b.cause("psu", "PSU1"))
	c := b.cases(t, casework.CaseFilter{})[0]
	b.tx(t, func(s casework.Store) error {
		ok, err := s.TakeCode(ctx, casework.CodeHash(c.Code), 99)
		if ok {
			t.Error("two cases have one code")
		}
		return err
	})
	b.tx(t, func(s casework.Store) error {
		got, told, err := b.desk.AcknowledgeCode(ctx, s, c.Code, "pager")
		if err == nil && (got.State != casework.StateAcknowledged || len(told) != 1) {
			t.Errorf("got %+v, %+v", got, told)
		}
		return err
	})
	b.tx(t, func(s casework.Store) error {
		_, err := b.desk.Close(ctx, s, account.Everywhere(), c.ID, "", casework.By{Who: "ana", Via: casework.ViaPerson})
		return err
	})
	b.tx(t, func(s casework.Store) error {
		_, _, err := b.desk.AcknowledgeCode(ctx, s, c.Code, "pager")
		if callhome.KindOf(err) != callhome.KindNotFound {
			t.Errorf("the code of a closed case: %v", err)
		}
		return nil
	})
}

func casePushes(t *testing.T, b *caseBench) {
	ctx := context.Background()
	b.act(t, caseSubject(1), b.cause("psu", "PSU1"))
	b.act(t, caseSubject(1), b.cause("psu", "PSU2"))
	c := b.cases(t, casework.CaseFilter{})[0]
	b.tx(t, func(s casework.Store) error {
		_, err := b.desk.Note(ctx, s, account.Everywhere(), c.ID, "looks bad", casework.By{Who: "ana", Via: casework.ViaPerson})
		return err
	})
	claim := func() (out []casework.Push) {
		b.tx(t, func(s casework.Store) (err error) {
			out, err = s.ClaimPushes(ctx, b.now, b.now.Add(time.Minute), 10)
			return err
		})
		return out
	}
	first := claim()
	if len(first) != 2 || first[0].Kind != casework.PushCreate || first[1].Kind != casework.PushCreate || first[0].Snapshot.Case.Code != "" {
		t.Fatalf("got %+v, want the two creations, without codes", first)
	}
	if again := claim(); len(again) != 0 {
		t.Errorf("leased pushes were claimed again: %+v", again)
	}
	b.now = b.now.Add(2 * time.Minute)
	if again := claim(); len(again) != 2 || again[0].Kind != casework.PushCreate {
		t.Errorf("after the lease: %+v", again)
	}
	b.tx(t, func(s casework.Store) error {
		for i := range first {
			first[i].State = casework.PushDone
			if err := s.PutPush(ctx, &first[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if next := claim(); len(next) != 1 || next[0].Kind != casework.PushComment || next[0].Case != c.ID {
		t.Errorf("then: %+v, want the comment", next)
	}
	b.tx(t, func(s casework.Store) error {
		l, err := s.LinkOf(ctx, c.ID, "jira")
		if err != nil {
			return err
		}
		l.Remote = "OPS-1"
		if err := s.PutLink(ctx, l); err != nil {
			return err
		}
		got, err := s.LinkByRemote(ctx, "jira", "OPS-1")
		if err == nil && got.Case != c.ID {
			t.Errorf("got %+v", got)
		}
		return err
	})
}

func casePolls(t *testing.T, b *caseBench) {
	ctx := context.Background()
	claim := func() (since time.Time, ok bool) {
		b.tx(t, func(s casework.Store) (err error) {
			since, ok, err = s.ClaimPoll(ctx, "jira", b.now, b.now.Add(time.Minute))
			return err
		})
		return since, ok
	}
	if since, ok := claim(); !ok || !since.IsZero() {
		t.Errorf("first turn: %v, %v", since, ok)
	}
	if _, ok := claim(); ok {
		t.Error("two have the same turn")
	}
	b.tx(t, func(s casework.Store) error { return s.PutPoll(ctx, "jira", b.now) })
	known := b.now
	b.now = b.now.Add(time.Minute)
	if since, ok := claim(); !ok || !since.Equal(known) {
		t.Errorf("second turn: %v, %v; want %v", since, ok, known)
	}
}

func caseForget(t *testing.T, b *caseBench) {
	ctx := context.Background()
	b.act(t, caseSubject(1), b.cause("psu", "PSU1"))
	idle := b.cause("hint", "")
	idle.Outcome = analysis.OutcomeRecommendation
	b.act(t, caseSubject(1), idle)
	b.tx(t, func(s casework.Store) error {
		n, err := s.DropDeeds(ctx, time.Now().Add(time.Hour), 10)
		if n != 1 {
			t.Errorf("%d deeds were forgotten, want the one without a case", n)
		}
		for range 2 {
			fresh, err := s.AddInbound(ctx, "jira", "e1", b.now)
			if err != nil {
				return err
			}
			if !fresh {
				n, err := s.DropInbound(ctx, b.now.Add(time.Second))
				if n != 1 || err != nil {
					t.Errorf("%d events were forgotten, %v", n, err)
				}
				return nil
			}
		}
		t.Error("the same event was taken twice")
		return err
	})
}
