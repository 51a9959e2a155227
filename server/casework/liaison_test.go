package casework_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"callhome/server/account"
	"callhome/server/casework"
	"callhome/server/sqlstore"
)

// far is a ticket system that keeps the promises of casework.Adapter, and fails as told.
type far struct {
	mu     sync.Mutex
	state  string
	made   map[string]string // by the case's number: its name
	log    []string
	faults []error // of the next pushes, after the work was done
}

func (f *far) Name() string { return "far" }

var farWords = map[casework.State]string{
	casework.StateNew: "todo", casework.StateOpen: "todo", casework.StateAcknowledged: "doing", casework.StatePendingCustomer: "doing",
	casework.StatePendingVendor: "doing", casework.StateResolved: "done", casework.StateClosed: "done",
}

func (f *far) Push(_ context.Context, p *casework.Push, l *casework.Link) (r casework.Receipt, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := string(p.Snapshot.Case.Number)
	switch p.Kind {
	case casework.PushCreate:
		if f.made[n] == "" {
			f.made[n] = "T" + n
			f.log = append(f.log, "create "+n)
		}
		r = casework.Receipt{Remote: f.made[n], State: "todo"}
	case casework.PushState:
		f.state = farWords[p.Snapshot.Case.State]
		r.State = f.state
		f.log = append(f.log, f.state+" "+l.Remote)
	default:
		f.log = append(f.log, string(p.Kind)+" "+l.Remote)
	}
	if len(f.faults) > 0 {
		err, f.faults = f.faults[0], f.faults[1:]
	}
	return r, err
}

func liaison(b *bench, f *far) *casework.Liaison {
	return &casework.Liaison{
		Desk: b.desk, Adapters: []casework.Adapter{f}, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return b.now },
		Transact: func(ctx context.Context, do func(casework.Store) ([]casework.Happening, error)) error {
			return b.store.InTx(ctx, func(tx *sqlstore.Tx) error { _, err := do(tx.Casework()); return err })
		},
	}
}

func newFar(t testing.TB) (*bench, *far, *casework.Liaison) {
	cfg := config()
	cfg.Teams[0].Tickets = []string{"far"}
	b, f := newBench(t, cfg), &far{made: map[string]string{}}
	return b, f, liaison(b, f)
}

func drain(t *testing.T, l *casework.Liaison) {
	t.Helper()
	for {
		n, err := l.Step(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

func TestPushesArriveInOrderAndOnce(t *testing.T) {
	b, f, l := newFar(t)
	b.raise(t, "Fan 2")
	id := b.latest(t).ID
	for _, do := range []func(casework.Store) ([]casework.Happening, error){
		func(s casework.Store) ([]casework.Happening, error) {
			return b.desk.Acknowledge(ctx, s, every, id, ana)
		},
		func(s casework.Store) ([]casework.Happening, error) { return b.desk.Note(ctx, s, every, id, "hm", ana) },
		func(s casework.Store) ([]casework.Happening, error) {
			return b.desk.Resolve(ctx, s, every, id, "", ana)
		},
	} {
		b.tx(t, func(s casework.Store) error { _, err := do(s); return err })
	}
	f.faults = []error{errors.New("the answer was lost"), nil, casework.Later(time.Hour, errors.New("busy")), nil}
	drain(t, l)
	if got := strings.Join(f.log, ", "); got != "create SR-000001" {
		t.Errorf("got %s", got)
	}
	b.now = b.now.Add(10 * time.Second)
	drain(t, l)
	b.now = b.now.Add(2 * time.Hour)
	drain(t, l)
	if got := strings.Join(f.log, ", "); got != "create SR-000001, doing TSR-000001, doing TSR-000001, comment TSR-000001, done TSR-000001" {
		t.Errorf("got %s", got)
	}
	links, err := b.store.Read().Casework().LinksOf(ctx, id)
	if err != nil || len(links) != 1 || links[0].Remote != "TSR-000001" || links[0].State != "done" {
		t.Errorf("links: %+v, %v", links, err)
	}
}

func TestARefusedPushHidesNoOther(t *testing.T) {
	b, f, l := newFar(t)
	b.raise(t, "Fan 2")
	id := b.latest(t).ID
	drain(t, l)
	for range 2 {
		b.tx(t, func(s casework.Store) error { _, err := b.desk.Note(ctx, s, every, id, "hm", ana); return err })
	}
	f.faults = []error{casework.Refuse(errors.New("no")), nil}
	drain(t, l)
	pushes, err := b.store.Read().Casework().Pushes(ctx, casework.PushFilter{State: casework.PushDead}, account.Page{})
	if err != nil || len(pushes) != 1 || pushes[0].LastError != "no" {
		t.Errorf("dead: %+v, %v", pushes, err)
	}
	if done, _ := b.store.Read().Casework().Pushes(ctx, casework.PushFilter{State: casework.PushDone}, account.Page{}); len(done) != 2 {
		t.Errorf("%d were done, want the creation and the second note", len(done))
	}
}

func TestACrashBetweenTheOtherSideAndTheMark(t *testing.T) {
	b, f, l := newFar(t)
	b.raise(t, "Fan 2")
	crash := *l
	calls := 0
	crash.Transact = func(ctx context.Context, do func(casework.Store) ([]casework.Happening, error)) error {
		if calls++; calls > 1 {
			return errors.New("killed")
		}
		return l.Transact(ctx, do)
	}
	if _, err := crash.Step(ctx); err == nil {
		t.Fatal("it was not killed")
	}
	drain(t, l)
	if len(f.log) != 1 || b.latest(t).Seq != 1 {
		t.Errorf("the lease was not honoured: %v", f.log)
	}
	b.now = b.now.Add(10 * time.Minute)
	drain(t, l)
	if len(f.log) != 1 {
		t.Errorf("it was made twice: %v", f.log)
	}
	if link, err := b.store.Read().Casework().LinkOf(ctx, b.latest(t).ID, "far"); err != nil || link.Remote == "" {
		t.Errorf("%+v, %v", link, err)
	}
}

func TestNothingGoesRoundInCircles(t *testing.T) {
	b, f, l := newFar(t)
	b.raise(t, "Fan 2")
	id := b.latest(t).ID
	drain(t, l)
	states := map[string]casework.State{"todo": casework.StateOpen, "doing": casework.StateAcknowledged, "done": casework.StateResolved}
	n := 0
	hear := func(word, comment string) {
		t.Helper()
		n++
		u := casework.Update{Remote: "TSR-000001", EventID: string(rune('a' + n)), At: b.now, Who: "zoe", Word: word, State: states[word], Comment: comment}
		if err := l.Take(ctx, "far", []casework.Update{u, u}); err != nil { // each comes twice
			t.Fatal(err)
		}
	}
	do := func(f func(casework.Store) ([]casework.Happening, error)) {
		t.Helper()
		b.tx(t, func(s casework.Store) error { _, err := f(s); return err })
	}
	// Ours goes there and comes back as an echo.
	do(func(s casework.Store) ([]casework.Happening, error) {
		return b.desk.Pend(ctx, s, every, id, casework.StatePendingVendor, "", ana)
	})
	drain(t, l)
	seq, sent := b.latest(t).Seq, len(f.log)
	hear("doing", casework.Signed("Moved", "SR-000001/2/abc"))
	drain(t, l)
	if c := b.latest(t); c.State != casework.StatePendingVendor || c.Seq != seq || len(f.log) != sent {
		t.Errorf("the echo changed it to %s; sent: %v", c.State, f.log[sent:])
	}
	// Theirs is taken, and not sent back.
	b.now = b.now.Add(time.Minute)
	hear("done", "replaced the fan")
	drain(t, l)
	if c := b.latest(t); c.State != casework.StateResolved || len(f.log) != sent {
		t.Errorf("theirs: %s; sent: %v", c.State, f.log[sent:])
	}
	events, _ := b.store.Read().Casework().Events(ctx, every, id, account.Page{})
	if events[0].By != (casework.By{Who: "zoe", Via: "far"}) || events[1].Text != "replaced the fan" || events[2].Kind == casework.EventNoted {
		t.Errorf("history: %+v", events[:3])
	}
	// Both at once: ours is on its way, so ours counts.
	b.now = b.now.Add(time.Minute)
	do(func(s casework.Store) ([]casework.Happening, error) {
		return b.desk.Reopen(ctx, s, every, id, "no", ana)
	})
	b.now = b.now.Add(time.Second)
	hear("doing", "")
	drain(t, l)
	if c := b.latest(t); c.State != casework.StateOpen || f.state != "todo" {
		t.Errorf("here %s, there %s", c.State, f.state)
	}
	// An older change of theirs, and one of a ticket that is not ours.
	hearAt := b.now.Add(-time.Hour)
	for _, u := range []casework.Update{{Remote: "TSR-000001", EventID: "x", At: hearAt, Word: "done", State: casework.StateResolved}, {Remote: "T999", EventID: "y", At: b.now, State: casework.StateClosed}, {}} {
		if err := l.Take(ctx, "far", []casework.Update{u}); err != nil {
			t.Error(err)
		}
	}
	if c := b.latest(t); c.State != casework.StateOpen {
		t.Errorf("an older change made it %s", c.State)
	}
}

func TestTheirReopeningMeetsANewerCase(t *testing.T) {
	b, _, l := newFar(t)
	b.raise(t, "Fan 2")
	id := b.latest(t).ID
	drain(t, l)
	b.tx(t, func(s casework.Store) error { _, err := b.desk.Close(ctx, s, every, id, "", ana); return err })
	drain(t, l)
	b.now = b.now.Add(48 * time.Hour)
	b.raise(t, "Fan 2")
	if err := l.Take(ctx, "far", []casework.Update{{Remote: "TSR-000001", EventID: "r", At: b.now, Word: "todo", State: casework.StateOpen}}); err != nil {
		t.Fatal(err)
	}
	open, err := b.store.Read().Casework().Cases(ctx, every, casework.CaseFilter{Active: true}, account.Page{})
	if err != nil || len(open) != 1 || open[0].Number != "SR-000002" {
		t.Errorf("open are %+v, %v", open, err)
	}
}

func TestAnotherTeamsTicketSystem(t *testing.T) {
	cfg := config()
	cfg.Teams[1].Tickets = []string{"far"}
	b, f := newBench(t, cfg), &far{made: map[string]string{}}
	l := liaison(b, f)
	b.raise(t, "Fan 2")
	id := b.latest(t).ID
	drain(t, l)
	if len(f.log) != 0 {
		t.Errorf("a case of another team went there: %v", f.log)
	}
	b.tx(t, func(s casework.Store) error { _, err := b.desk.Route(ctx, s, every, id, "network", ana); return err })
	b.tx(t, func(s casework.Store) error { _, err := b.desk.Route(ctx, s, every, id, "support", ana); return err })
	drain(t, l)
	if got := strings.Join(f.log, ", "); got != "create SR-000001, update TSR-000001" {
		t.Errorf("got %s", got)
	}
}

// asked is a far side that has to be asked.
type asked struct {
	far
	since []time.Time
	news  []casework.Update
}

func (a *asked) PollEvery() time.Duration { return time.Minute }

func (a *asked) Poll(_ context.Context, since time.Time) ([]casework.Update, time.Time, error) {
	a.since = append(a.since, since)
	return a.news, since.Add(10 * time.Minute), nil
}

func TestPollingTakesTurns(t *testing.T) {
	b, _, l := newFar(t)
	b.raise(t, "Fan 2")
	drain(t, l)
	a := &asked{news: []casework.Update{{Remote: "TSR-000001", EventID: "n", At: b.now, Word: "done", State: casework.StateResolved}}}
	for range 3 {
		if err := l.PollOnce(ctx, "far", a); err != nil {
			t.Fatal(err)
		}
	}
	if len(a.since) != 1 || b.latest(t).State != casework.StateResolved {
		t.Errorf("asked %d times, the case is %s", len(a.since), b.latest(t).State)
	}
	b.now = b.now.Add(time.Minute)
	if err := l.PollOnce(ctx, "far", a); err != nil || len(a.since) != 2 || !a.since[1].After(a.since[0]) {
		t.Errorf("then: %v, %v", a.since, err)
	}
}
