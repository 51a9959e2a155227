package casework_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"callhome"
	"callhome/server/account"
	"callhome/server/casework"
)

// TestLifeOfCases lets devices, people and time do what they like, in any order, and holds the cases to these promises:
// never two open cases of one cause; a raise outside maintenance leaves one open; the same message twice changes
// nothing; events are numbered without holes and end in the case's state; counts agree with the cases; and when all is
// cleared and quiet, nothing is open.
func TestLifeOfCases(t *testing.T) {
	b := newBench(t, config())
	device := int64(0)
	rapid.Check(t, func(t *rapid.T) {
		device++ // each run has a device of its own on the same store
		m := &life{bench: b, sub: sub(device), raised: map[string]bool{}}
		m.sub.Company = account.CompanyID(device)
		t.Repeat(map[string]func(*rapid.T){
			"raise": m.raiseOne, "clear": m.clearOne, "again": m.again, "time": m.pass, "person": m.person, "maintenance": m.window, "": m.check,
		})
		m.end(t)
	})
}

type life struct {
	*bench
	sub    casework.Subject
	last   *casework.Cause
	raised map[string]bool
	win    *casework.Window
}

func (m *life) key(t *rapid.T) string { return rapid.SampledFrom([]string{"A", "B"}).Draw(t, "key") }

func (m *life) maintained() bool { return m.win != nil && m.now.Before(m.win.Until) }

func (m *life) raiseOne(t *rapid.T) {
	key := m.key(t)
	c := m.cause(key, rapid.SampledFrom([]callhome.Level{callhome.LevelMinor, callhome.LevelMajor, callhome.LevelFatal}).Draw(t, "level"), callhome.StateRaise)
	m.last = &c
	m.raised[key] = true
	r := m.act(t, m.sub, c)
	open := m.open(t, key)
	switch {
	case r.Disposition == casework.DispositionMaintenance:
		if !m.maintained() || open != 0 {
			t.Fatalf("held back although maintained is %v and %d are open", m.maintained(), open)
		}
	case open != 1:
		t.Fatalf("after a raise (%s) %d cases of the cause are open", r.Disposition, open)
	}
}

func (m *life) clearOne(t *rapid.T) {
	key := m.key(t)
	c := m.cause(key, callhome.LevelNormal, callhome.StateClear)
	m.last = &c
	m.raised[key] = false
	m.act(t, m.sub, c)
}

func (m *life) again(t *rapid.T) {
	if m.last == nil {
		t.Skip("nothing was sent yet")
	}
	before := m.all(t)
	if r := m.act(t, m.sub, *m.last); r.Disposition != casework.DispositionRepeated {
		t.Fatalf("the same message again: %+v", r)
	}
	after := m.all(t)
	for i := range after {
		if after[i].Seq != before[i].Seq || after[i].Repeats != before[i].Repeats || after[i].State != before[i].State {
			t.Fatalf("the same message again changed %+v to %+v", before[i], after[i])
		}
	}
}

func (m *life) pass(t *rapid.T) {
	m.after(t, rapid.SampledFrom([]time.Duration{time.Second, 5 * time.Minute, 20 * time.Minute, 2 * time.Hour, 30 * time.Hour, 8 * 24 * time.Hour}).Draw(t, "time"))
}

func (m *life) window(t *rapid.T) {
	if m.maintained() {
		m.tx(t, func(s casework.Store) error { return m.desk.EndWindow(ctx, s, every, m.win.ID) })
		m.win = nil
		return
	}
	m.win = &casework.Window{Company: m.sub.Company, Scope: casework.ScopeCompany, From: m.now, Until: m.now.Add(time.Hour)}
	m.tx(t, func(s casework.Store) error { return m.desk.OpenWindow(ctx, s, m.win) })
}

// person does something to some case; what the life of a case does not allow is a conflict, and nothing else.
func (m *life) person(t *rapid.T) {
	list := m.all(t)
	if len(list) == 0 {
		t.Skip("no case")
	}
	id := rapid.SampledFrom(list).Draw(t, "case").ID
	what := rapid.SampledFrom([]string{"ack", "assign", "unassign", "route", "note", "customer", "vendor", "resolve", "close", "reopen", "snooze", "code"}).Draw(t, "what")
	err := m.try(func(s casework.Store) (err error) {
		switch d := m.desk; what {
		case "ack":
			_, err = d.Acknowledge(ctx, s, every, id, ana)
		case "assign":
			_, err = d.Assign(ctx, s, every, id, "bob", ana)
		case "unassign":
			_, err = d.Assign(ctx, s, every, id, "", ana)
		case "route":
			_, err = d.Route(ctx, s, every, id, rapid.SampledFrom([]string{"support", "network"}).Draw(t, "team"), ana)
		case "note":
			_, err = d.Note(ctx, s, every, id, "hm", ana)
		case "customer":
			_, err = d.Pend(ctx, s, every, id, casework.StatePendingCustomer, "", ana)
		case "vendor":
			_, err = d.Pend(ctx, s, every, id, casework.StatePendingVendor, "", ana)
		case "resolve":
			_, err = d.Resolve(ctx, s, every, id, "", ana)
		case "close":
			_, err = d.Close(ctx, s, every, id, "", ana)
		case "reopen":
			_, err = d.Reopen(ctx, s, every, id, "", ana)
		case "snooze":
			_, err = d.Snooze(ctx, s, every, id, m.now.Add(time.Hour), ana)
		case "code":
			var c *casework.Case
			if c, err = s.Case(ctx, every, id); err == nil && c.Code != "" {
				_, _, err = d.AcknowledgeCode(ctx, s, c.Code, fmt.Sprint("source", m.n, m.now))
			}
		}
		return err
	})
	if kind := callhome.KindOf(err); err != nil && kind != callhome.KindConflict && kind != callhome.KindUnavailable {
		t.Fatalf("%s: %v", what, err)
	}
}

func (m *life) all(t fataler) []casework.Case {
	list, err := m.store.Read().Casework().Cases(ctx, every, casework.CaseFilter{Device: m.sub.Device}, account.Page{Limit: account.MaxLimit})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func (m *life) open(t fataler, key string) (n int) {
	for _, c := range m.all(t) {
		if c.Part == key && c.State.Active() {
			n++
		}
	}
	return n
}

// stateKinds are the events whose From and To are states.
var stateKinds = []casework.EventKind{
	casework.EventAcknowledged, casework.EventState, casework.EventResolved, casework.EventReopened, casework.EventClosed,
}

func (m *life) check(t *rapid.T) {
	read := m.store.Read().Casework()
	want := map[casework.Tally]int64{}
	codes := map[string]bool{}
	for _, c := range m.all(t) {
		want[casework.Tally{Team: c.Team, State: c.State, Level: c.Level}]++
		if (c.Code == "") != (c.State == casework.StateClosed) || codes[c.Code] && c.Code != "" {
			t.Fatalf("%s is %s and has code %q", c.Number, c.State, c.Code)
		}
		codes[c.Code] = true
		events, err := read.Events(ctx, every, c.ID, account.Page{Limit: account.MaxLimit})
		if err != nil || int64(len(events)) != c.Seq {
			t.Fatalf("%s has %d events, and counts %d: %v", c.Number, len(events), c.Seq, err)
		}
		slices.Reverse(events)
		state := casework.StateNew
		for i, e := range events {
			if e.Seq != int64(i+1) {
				t.Fatalf("event %d of %s has number %d", i+1, c.Number, e.Seq)
			}
			if slices.Contains(stateKinds, e.Kind) {
				fresh := func(s casework.State) bool {
					return s == casework.StateNew || s == casework.StateOpen || s == casework.StateAcknowledged
				}
				if casework.State(e.From) != state && !(fresh(casework.State(e.From)) && fresh(state)) { // assigning moves between these
					t.Fatalf("%s: event %d goes from %s, but it was %s", c.Number, e.Seq, e.From, state)
				}
				if state = casework.State(e.To); !casework.State(e.From).MayBecome(state) {
					t.Fatalf("%s went from %s to %s", c.Number, e.From, e.To)
				}
			}
		}
		if state.Active() != c.State.Active() {
			t.Fatalf("%s is %s, its history says %s", c.Number, c.State, state)
		}
	}
	got, err := read.Tallies(ctx, account.Reach{Companies: []account.CompanyID{m.sub.Company}})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range got {
		n := g.Cases
		g.Cases = 0
		if want[g] != n {
			t.Fatalf("the count of %+v is %d, want %d", g, n, want[g])
		}
		delete(want, g)
	}
	if len(want) > 0 {
		t.Fatalf("no count of %v", want)
	}
	for _, key := range []string{"A", "B"} {
		if n := m.open(t, key); n > 1 {
			t.Fatalf("%d cases of one cause are open", n)
		}
	}
}

// end clears everything and lets it rest.
func (m *life) end(t *rapid.T) {
	if m.maintained() {
		m.after(t, time.Hour)
	}
	for _, key := range []string{"A", "B"} {
		m.act(t, m.sub, m.cause(key, callhome.LevelNormal, callhome.StateClear))
	}
	for range 3 {
		m.after(t, 2*time.Hour)
	}
	for _, c := range m.all(t) {
		if c.State.Active() {
			t.Fatalf("all is over, and %s is %s: %+v", c.Number, c.State, c)
		}
	}
}
