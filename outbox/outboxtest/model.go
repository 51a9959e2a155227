package outboxtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"callhome"
	"callhome/outbox"

	"pgregory.net/rapid"
)

// patience is how long the model waits for a lease or an alert, in the bubble's time.
const patience = time.Millisecond

// Model holds a Queue on a Store to a simple model: random puts, leases, verdicts, operators' commands, restarts and
// passing time, after each of which both must agree; at the end everything is drained and the books are compared. Each
// run has a synctest bubble of its own, whose clock the passing time is.
func Model(t *testing.T, open func(t testing.TB) outbox.Store, reopen func(t testing.TB, s outbox.Store) outbox.Store) {
	rapid.Check(t, func(rt *rapid.T) {
		var failure any // rapid ends a run by a panic, which must not leave the bubble's goroutine
		synctest.Test(t, func(t *testing.T) {
			defer func() { failure = recover() }()
			runModel(t, rt, open, reopen)
		})
		if failure != nil {
			panic(failure)
		}
	})
}

func runModel(t *testing.T, rt *rapid.T, open func(t testing.TB) outbox.Store, reopen func(t testing.TB, s outbox.Store) outbox.Store) {
	m := &model{
		t: rt, reopen: func(s outbox.Store) outbox.Store { return reopen(t, s) }, store: open(t), numbers: map[uint64]string{},
		lanes: map[laneName][]*message{}, waiting: map[string][]*alertModel{}, work: map[string]*outbox.Pending{},
	}
	m.start()
	defer func() { _ = m.q.Close() }() // of a run that failed
	rt.Repeat(map[string]func(*rapid.T){
		"put": m.put, "accept": m.accept, "next": m.next, "retire": m.retire, "postpone": m.postpone, "lease": m.lease, "settle": m.settle,
		"pass time": m.pass, "restart": m.restart, "drop": m.drop, "retry": m.retry, "expire": m.expire,
		"": func(*rapid.T) { m.compare() },
	})
	m.drain()
}

type laneName struct {
	device  string
	address string
}

// message is what the model knows of one entry.
type message struct {
	id     callhome.MessageID
	queued time.Time
	due    time.Time // of the head, after a failure
}

type alertModel struct {
	text  string
	due   time.Time
	first uint64 // message number, once it is known
}

type leaseModel struct {
	lease *outbox.Lease
	lane  laneName
}

type model struct {
	t      *rapid.T
	q      *outbox.Queue
	store  outbox.Store
	reopen func(outbox.Store) outbox.Store

	puts    int
	numbers map[uint64]string // message number ▸ alert it was given to
	waiting map[string][]*alertModel
	work    map[string]*outbox.Pending // by device
	lanes   map[laneName][]*message
	leases  []leaseModel
	sent    int
	dropped int
	dead    []*message
	died    int
}

var modelDevices = []string{"", "core-1", "edge-2"}

var modelProfiles = map[callhome.ProfileName]callhome.Destination{"noc": mail, "backend": post}

func (m *model) start() {
	q, err := outbox.Open(context.Background(), m.store, outbox.Options{})
	if err != nil {
		m.t.Fatal(err)
	}
	m.q = q
}

func (m *model) put(t *rapid.T) {
	device := rapid.SampledFrom(modelDevices).Draw(t, "device")
	var alerts []callhome.Alert
	for range rapid.IntRange(1, 3).Draw(t, "count") {
		m.puts++
		a := callhome.Alert{Event: callhome.Event{Device: device, Text: fmt.Sprint("alert ", m.puts)}, Group: callhome.GroupSyslog}
		a.Profiles = rapid.SliceOfDistinct(rapid.SampledFrom([]callhome.ProfileName{"noc", "backend"}), rapid.ID).Draw(t, "profiles")
		alerts = append(alerts, a)
		m.waiting[device] = append(m.waiting[device], &alertModel{text: a.Text})
	}
	if _, err := m.q.PutAlerts(context.Background(), alerts); err != nil {
		t.Fatal(err)
	}
}

// maker makes the alerts of an accept that are drawn to be ready.
type maker struct {
	m     *model
	ready map[string]bool // by text

	mu   sync.Mutex // guards made
	made map[string]*outbox.Pending
}

// Ready implements outbox.Maker. An alert that would overtake another must not be asked for.
func (k *maker) Ready(a *callhome.Alert) bool {
	if n := len(k.m.waiting[a.Device]); n > 0 {
		k.m.t.Fatalf("%q would overtake %d alerts of %q", a.Text, n, a.Device)
	}
	return k.ready[a.Text]
}

// Make implements outbox.Maker.
func (k *maker) Make(p *outbox.Pending) ([]callhome.Envelope, []outbox.Outcome) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.made[p.Alert.Text] = p
	envelopes, outcomes := madeOf(p)
	return envelopes, outcomes
}

// accept puts alerts of which some are made at once.
func (m *model) accept(t *rapid.T) {
	k := &maker{m: m, ready: map[string]bool{}, made: map[string]*outbox.Pending{}}
	var alerts []callhome.Alert
	for range rapid.IntRange(1, 4).Draw(t, "count") {
		m.puts++
		a := callhome.Alert{Group: callhome.GroupSyslog}
		a.Device, a.Text = rapid.SampledFrom(modelDevices).Draw(t, "device"), fmt.Sprint("alert ", m.puts)
		a.Profiles = rapid.SliceOfDistinct(rapid.SampledFrom([]callhome.ProfileName{"noc", "backend"}), rapid.ID).Draw(t, "profiles")
		k.ready[a.Text] = rapid.IntRange(0, 3).Draw(t, "ready") > 0
		alerts = append(alerts, a)
	}
	prepared := []*outbox.Prepared{m.q.Prepare(alerts, k)}
	if rapid.Bool().Draw(t, "split") {
		prepared = prepared[0].Split()
	}
	for _, p := range prepared {
		if _, err := m.q.Accept(context.Background(), p); err != nil {
			t.Fatal(err)
		}
	}
	for _, a := range alerts {
		made := k.made[a.Text]
		if made == nil {
			m.waiting[a.Device] = append(m.waiting[a.Device], &alertModel{text: a.Text})
			continue
		}
		if len(m.waiting[a.Device]) > 0 {
			t.Fatalf("%q overtook an alert of the same batch", a.Text)
		}
		m.number(made)
		m.retired(made)
	}
}

// madeOf is what an alert comes to.
func madeOf(p *outbox.Pending) (envelopes []callhome.Envelope, outcomes []outbox.Outcome) {
	for _, profile := range p.Alert.Profiles {
		id := callhome.MakeMessageID("M", p.MessageNumber(profile), "QXA2613K0PZ", p.AcceptedAt)
		envelopes = append(envelopes, callhome.Envelope{MessageID: id, Profile: profile, Group: p.Alert.Group, Destination: modelProfiles[profile], Body: []byte("body of " + id)})
	}
	if len(envelopes) == 0 {
		outcomes = append(outcomes, outbox.Outcome{Status: outbox.StatusDropped, Reason: callhome.ReasonProfileInactive, Group: p.Alert.Group})
	}
	return envelopes, outcomes
}

// retired enters what an alert came to.
func (m *model) retired(p *outbox.Pending) {
	envelopes, outcomes := madeOf(p)
	for i := range envelopes {
		lane := laneName{p.Alert.Device, envelopes[i].Destination.Address}
		m.lanes[lane] = append(m.lanes[lane], &message{id: envelopes[i].MessageID, queued: time.Now()})
	}
	m.dropped += len(outcomes)
}

// number checks that an alert's message numbers are its own.
func (m *model) number(p *outbox.Pending) {
	for profile := range modelProfiles {
		n := p.MessageNumber(profile)
		key := fmt.Sprint(p.Alert.Text, p.MessageNumber(profile)-p.MessageNumber("other"))
		if owner, used := m.numbers[n]; used && owner != key {
			m.t.Fatalf("number %d was given to %s and to %s", n, owner, key)
		}
		m.numbers[n] = key
	}
}

// mayNext reports whether some device has an alert that may be worked now.
func (m *model) mayNext() bool {
	for device, list := range m.waiting {
		if m.work[device] == nil && len(list) > 0 && !list[0].due.After(time.Now()) {
			return true
		}
	}
	return false
}

func (m *model) next(t *rapid.T) {
	may := m.mayNext()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	p, err := m.q.NextAlert(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		if may {
			t.Fatal("an alert may be worked, none was handed out")
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	list := m.waiting[p.Alert.Device]
	switch {
	case m.work[p.Alert.Device] != nil:
		t.Fatalf("two alerts of %q in work", p.Alert.Device)
	case len(list) == 0 || list[0].text != p.Alert.Text:
		t.Fatalf("got %q of device %q out of order", p.Alert.Text, p.Alert.Device)
	case list[0].due.After(time.Now()):
		t.Fatalf("%q is postponed until %v", p.Alert.Text, list[0].due)
	}
	m.number(p)
	if list[0].first == 0 {
		list[0].first = p.MessageNumber("noc")
	}
	if list[0].first != p.MessageNumber("noc") {
		t.Fatalf("%q had number %d before the restart, now %d", p.Alert.Text, list[0].first, p.MessageNumber("noc"))
	}
	m.work[p.Alert.Device] = p
}

// inWork picks an alert in work.
func (m *model) inWork(t *rapid.T) *outbox.Pending {
	for _, device := range rapid.Permutation(modelDevices).Draw(t, "order") {
		if p := m.work[device]; p != nil {
			return p
		}
	}
	t.Skip("nothing in work")
	return nil
}

func (m *model) retire(t *rapid.T) {
	p := m.inWork(t)
	device := p.Alert.Device
	envelopes, outcomes := madeOf(p)
	m.retired(p)
	if err := m.q.Retire(context.Background(), p.Alert.ID, envelopes, outcomes); err != nil {
		t.Fatal(err)
	}
	if err := m.q.Retire(context.Background(), p.Alert.ID, envelopes, outcomes); callhome.KindOf(err) != callhome.KindConflict {
		t.Fatalf("retired twice: got %v, want a conflict", err)
	}
	delete(m.work, device)
	m.waiting[device] = m.waiting[device][1:]
}

func (m *model) postpone(t *rapid.T) {
	p := m.inWork(t)
	until := time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
	if err := m.q.Postpone(context.Background(), p.Alert.ID, until); err != nil {
		t.Fatal(err)
	}
	delete(m.work, p.Alert.Device)
	m.waiting[p.Alert.Device][0].due = until
}

func (m *model) leased(lane laneName) bool {
	for _, l := range m.leases {
		if l.lane == lane {
			return true
		}
	}
	return false
}

func (m *model) mayLease() bool {
	for lane, list := range m.lanes {
		if len(list) > 0 && !list[0].due.After(time.Now()) && !m.leased(lane) {
			return true
		}
	}
	return false
}

func (m *model) lease(t *rapid.T) {
	limit := rapid.IntRange(1, 4).Draw(t, "limit")
	may := m.mayLease()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	l, err := m.q.Lease(ctx, outbox.Limits{Entries: limit})
	if errors.Is(err, context.DeadlineExceeded) {
		if may {
			t.Fatal("a lane may be worked, none was leased")
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	lane := laneName{l.Device, l.Destination.Address}
	list := m.lanes[lane]
	switch {
	case m.leased(lane):
		t.Fatalf("lane %v is leased twice", lane)
	case len(l.Entries) == 0 || len(l.Entries) > len(list) || len(l.Entries) > limit:
		t.Fatalf("lease of %d entries, limit %d, lane has %d", len(l.Entries), limit, len(list))
	case list[0].due.After(time.Now()):
		t.Fatalf("lane %v has to wait until %v", lane, list[0].due)
	}
	for i := range l.Entries {
		e := &l.Entries[i].Envelope
		if e.MessageID != list[i].id || string(e.Body) != "body of "+string(e.MessageID) {
			t.Fatalf("lane %v: got %s (%q) in place %d, want %s", lane, e.MessageID, e.Body, i, list[i].id)
		}
	}
	m.leases = append(m.leases, leaseModel{l, lane})
}

func (m *model) settle(t *rapid.T) {
	if len(m.leases) == 0 {
		t.Skip("nothing leased")
	}
	i := rapid.IntRange(0, len(m.leases)-1).Draw(t, "lease")
	l := m.leases[i]
	m.leases = append(m.leases[:i:i], m.leases[i+1:]...)
	m.say(t, l)
	if err := m.q.Settle(context.Background(), l.lease); err != nil {
		t.Fatal(err)
	}
}

// say gives verdicts to some of a lease's entries, and changes the model accordingly.
func (m *model) say(t *rapid.T, l leaseModel) {
	list := m.lanes[l.lane]
	why := errors.New("a reason")
	for i := range l.lease.Entries {
		switch rapid.SampledFrom([]string{"sent", "sent", "sent", "retry", "dead", "dropped", "stop"}).Draw(t, "verdict") {
		case "sent":
			l.lease.Delivered(i)
			m.sent++
		case "dead":
			l.lease.Dead(i, "", why)
			m.dead = append(m.dead, list[0])
			m.died++
		case "dropped":
			l.lease.Dropped(i, callhome.ReasonExpired, why)
			m.dropped++
		case "retry":
			list[0].due = time.Now().Add(time.Minute).Truncate(time.Microsecond)
			l.lease.RetryAt(i, list[0].due, why)
			m.lanes[l.lane] = list
			return
		case "stop":
			m.lanes[l.lane] = list
			return
		}
		list = list[1:]
	}
	m.lanes[l.lane] = list
}

func (m *model) pass(t *rapid.T) {
	time.Sleep(time.Duration(rapid.IntRange(1, 90).Draw(t, "minutes")) * time.Minute) // the bubble's clock
}

// restart closes the queue and opens it again: what was in work or leased is free again, retry times stay.
func (m *model) restart(t *rapid.T) {
	if err := m.q.Close(); err != nil {
		t.Fatal(err)
	}
	m.store = m.reopen(m.store)
	m.work, m.leases = map[string]*outbox.Pending{}, nil
	m.start()
}

// pick chooses an entry or dead letter as an operator does, from a list.
func (m *model) pick(t *rapid.T, status outbox.Status) *outbox.Entry {
	entries, err := m.q.List(context.Background(), outbox.Filter{Status: status})
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) == 0 {
		t.Skip("nothing to choose from")
	}
	return &entries[rapid.IntRange(0, len(entries)-1).Draw(t, "entry")]
}

func without(list []*message, id callhome.MessageID) []*message {
	out := make([]*message, 0, len(list))
	for _, msg := range list {
		if msg.id != id {
			out = append(out, msg)
		}
	}
	return out
}

func (m *model) drop(t *rapid.T) {
	e := m.pick(t, rapid.SampledFrom([]outbox.Status{outbox.StatusQueued, outbox.StatusDead}).Draw(t, "status"))
	err := m.q.Drop(context.Background(), e.ID, "dropped by the model")
	lane := laneName{e.Envelope.Device, e.Envelope.Destination.Address}
	if e.Status == outbox.StatusQueued && m.leased(lane) {
		if callhome.KindOf(err) != callhome.KindConflict {
			t.Fatalf("drop of a leased entry: got %v, want a conflict", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if e.Status == outbox.StatusDead {
		m.dead = without(m.dead, e.Envelope.MessageID)
		return
	}
	m.lanes[lane] = without(m.lanes[lane], e.Envelope.MessageID)
	m.dropped++
}

func (m *model) retry(t *rapid.T) {
	e := m.pick(t, rapid.SampledFrom([]outbox.Status{outbox.StatusQueued, outbox.StatusDead}).Draw(t, "status"))
	as, err := m.q.Retry(context.Background(), e.ID)
	lane := laneName{e.Envelope.Device, e.Envelope.Destination.Address}
	if e.Status == outbox.StatusQueued && m.leased(lane) {
		if callhome.KindOf(err) != callhome.KindConflict {
			t.Fatalf("retry of a leased entry: got %v, want a conflict", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if e.Status == outbox.StatusQueued {
		m.lanes[lane][0].due = time.Time{}
		return
	}
	if as <= e.ID {
		t.Fatalf("dead letter %d came back as %d", e.ID, as)
	}
	m.dead = without(m.dead, e.Envelope.MessageID)
	m.lanes[lane] = append(m.lanes[lane], &message{id: e.Envelope.MessageID, queued: time.Now()})
}

func (m *model) expire(t *rapid.T) {
	before := time.Now().Add(-3 * time.Hour).Truncate(time.Microsecond)
	want := 0
	for lane, list := range m.lanes {
		for !m.leased(lane) && len(list) > 0 && list[0].queued.Truncate(time.Microsecond).Before(before) {
			m.dead = append(m.dead, list[0])
			list = list[1:]
			want++
		}
		m.lanes[lane] = list
	}
	m.died += want
	got, err := m.q.Expire(context.Background(), before)
	if err != nil || got != want {
		t.Fatalf("expired: got %d (%v), want %d", got, err, want)
	}
}

// compare holds the queue's books to the model.
func (m *model) compare() {
	d, err := m.q.Depth(context.Background())
	if err != nil {
		m.t.Fatal(err)
	}
	alerts, entries := 0, 0
	for _, list := range m.waiting {
		alerts += len(list)
	}
	for _, list := range m.lanes {
		entries += len(list)
	}
	if d.Alerts != int64(alerts) || d.Entries != int64(entries) || d.DeadLetters != int64(len(m.dead)) {
		m.t.Fatalf("depth: got %d alerts, %d entries, %d dead letters; want %d, %d, %d", d.Alerts, d.Entries, d.DeadLetters, alerts, entries, len(m.dead))
	}
	if (d.Alerts == 0) != (d.AlertBytes == 0) || (d.Entries == 0) != (d.EntryBytes == 0) || (d.DeadLetters == 0) != (d.DeadBytes == 0) {
		m.t.Fatalf("bytes do not fit the numbers: %+v", d)
	}
	sums := map[outbox.Status]int64{}
	for _, c := range m.q.Statistics().Counts {
		sums[c.Status] += c.N
	}
	for status, want := range map[outbox.Status]int{
		outbox.StatusQueued: entries, outbox.StatusSent: m.sent, outbox.StatusDead: m.died, outbox.StatusDropped: m.dropped,
	} {
		if sums[status] != int64(want) {
			m.t.Fatalf("statistics of %s: got %d, want %d", status, sums[status], want)
		}
	}
}

// drain works everything that is left, and expects to meet all of it.
func (m *model) drain() {
	for _, l := range m.leases {
		for i := range l.lease.Entries {
			l.lease.Delivered(i)
			m.sent++
		}
		m.lanes[l.lane] = m.lanes[l.lane][len(l.lease.Entries):]
		if err := m.q.Settle(context.Background(), l.lease); err != nil {
			m.t.Fatal(err)
		}
	}
	m.leases = nil
	time.Sleep(2 * time.Hour) // the bubble's clock: no retry time is left
	for m.mayNext() || len(m.work) > 0 {
		if len(m.work) == 0 {
			m.next(m.t)
		}
		for _, p := range m.work {
			if err := m.q.Retire(context.Background(), p.Alert.ID, nil, nil); err != nil {
				m.t.Fatal(err)
			}
			m.waiting[p.Alert.Device] = m.waiting[p.Alert.Device][1:]
			delete(m.work, p.Alert.Device)
		}
	}
	for m.mayLease() {
		m.lease(m.t)
		l := m.leases[0]
		m.leases = nil
		for i := range l.lease.Entries {
			l.lease.Delivered(i)
			m.sent++
		}
		m.lanes[l.lane] = m.lanes[l.lane][len(l.lease.Entries):]
		if err := m.q.Settle(context.Background(), l.lease); err != nil {
			m.t.Fatal(err)
		}
	}
	m.compare()
	if d, err := m.q.Depth(context.Background()); err != nil || d.Alerts != 0 || d.Entries != 0 {
		m.t.Fatalf("after draining: %+v (%v)", d, err)
	}
}
