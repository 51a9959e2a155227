package outboxtest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"callhome"
	"callhome/outbox"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// Run holds a Store to its promises. open gives an empty one, and reopen a new value on what the old one stored.
func Run(t *testing.T, open func(t testing.TB) outbox.Store, reopen func(t testing.TB, s outbox.Store) outbox.Store) {
	for name, test := range map[string]func(*testing.T, outbox.Store){
		"alerts": storeAlerts, "entries": storeEntries, "first entries": storeFirstEntries, "dead letters": storeDeadLetters,
		"devices": storeDevices, "list": storeList, "ledger": storeLedger, "all or nothing": storeAllOrNothing,
		"oldest": storeOldest, "empty": storeEmpty,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
	t.Run("load", func(t *testing.T) { storeLoad(t, open(t), reopen) })
}

var base = time.Date(2026, 3, 14, 9, 26, 53, 123456000, time.UTC)

func at(seconds int) time.Time { return base.Add(time.Duration(seconds) * time.Second) }

var (
	mail = callhome.Destination{Transport: callhome.TransportEmail, Address: "noc@ops.example"}
	post = callhome.Destination{Transport: callhome.TransportHTTP, Address: "https://backend.example/callhome"}
)

func entry(id outbox.EntryID, road outbox.RoadID, dest callhome.Destination, device string) outbox.Entry {
	return outbox.Entry{
		ID: id, Status: outbox.StatusQueued, Road: road, Size: 5, Stored: 6, QueuedAt: at(int(id)), Packed: []byte(fmt.Sprintf("\x00%05d", id)),
		Envelope: callhome.Envelope{
			MessageID: callhome.MessageID(fmt.Sprintf("M%d:QXA2613K0PZ:69B52A1D", id)), AlertID: "A7", Device: device, Profile: "noc",
			Group: callhome.GroupEnvironment, Format: callhome.FormatXML, Destination: dest, From: "callhome@ops.example",
			ContentType: "text/xml", Truncated: id%2 == 0, Anonymous: id%3 == 0,
		},
	}
}

func apply(t testing.TB, s outbox.Store, b outbox.Batch) {
	t.Helper()
	if err := s.Apply(context.Background(), &b); err != nil {
		t.Fatalf("apply: %v", err)
	}
}

func same[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

var roads = []outbox.Road{{ID: 1, Destination: mail}, {ID: 2, Destination: post}}

func storeAlerts(t *testing.T, s outbox.Store) {
	ctx := context.Background()
	row := func(id int64, device string) outbox.AlertRow {
		return outbox.AlertRow{ID: id, Device: device, First: uint64(10 * id), AcceptedAt: at(int(id)), Packed: []byte{0, byte(id)}}
	}
	apply(t, s, outbox.Batch{Alerts: []outbox.AlertRow{row(1, "a"), row(2, ""), row(3, "a")}})
	got := must[*outbox.AlertRow](t)(s.FirstAlert(ctx, "a"))
	want := row(1, "a")
	same(t, "first of a", got, &want)
	same(t, "first of the own host", must[*outbox.AlertRow](t)(s.FirstAlert(ctx, "")).ID, int64(2))
	apply(t, s, outbox.Batch{Delays: []outbox.Delay{{ID: 1, RetryAt: at(99)}}})
	same(t, "retry time", must[*outbox.AlertRow](t)(s.FirstAlert(ctx, "a")).RetryAt, at(99))
	apply(t, s, outbox.Batch{Retired: []int64{1, 2}})
	same(t, "next of a", must[*outbox.AlertRow](t)(s.FirstAlert(ctx, "a")).ID, int64(3))
	same(t, "none", must[*outbox.AlertRow](t)(s.FirstAlert(ctx, "")), nil)
}

func storeEntries(t *testing.T, s outbox.Store) {
	ctx := context.Background()
	apply(t, s, outbox.Batch{Roads: roads, Entries: []outbox.Entry{entry(6, 1, mail, "a"), entry(7, 2, post, "a"), entry(8, 1, mail, "a")}})
	want := entry(6, 1, mail, "a")
	same(t, "one", must[*outbox.Entry](t)(s.Entry(ctx, 6)), &want)
	apply(t, s, outbox.Batch{Retrials: []outbox.Retrial{{ID: 6, Attempts: 2, TriedAt: at(1), RetryAt: at(2), LastError: "refused"}}})
	want.Attempts, want.TriedAt, want.RetryAt, want.LastError = 2, at(1), at(2), "refused"
	same(t, "after a try", must[*outbox.Entry](t)(s.Entry(ctx, 6)), &want)
	same(t, "the lane", must[[]outbox.Entry](t)(s.FirstEntries(ctx, 1, "a", 9, 1000)), []outbox.Entry{want, entry(8, 1, mail, "a")})
	apply(t, s, outbox.Batch{Removed: []outbox.EntryID{6, 99}})
	same(t, "gone", must[*outbox.Entry](t)(s.Entry(ctx, 6)), nil)
}

func storeFirstEntries(t *testing.T, s outbox.Store) {
	var entries []outbox.Entry
	for id := outbox.EntryID(1); id <= 10; id++ {
		entries = append(entries, entry(id, 1, mail, "a"))
	}
	apply(t, s, outbox.Batch{Roads: roads, Entries: entries})
	for _, tt := range []struct{ limit, bytes, want int }{{3, 1000, 3}, {20, 1000, 10}, {20, 12, 2}, {20, 13, 3}, {20, 1, 1}} {
		got := must[[]outbox.Entry](t)(s.FirstEntries(context.Background(), 1, "a", tt.limit, tt.bytes))
		if len(got) != tt.want || got[0].ID != 1 {
			t.Errorf("limit %d, %d bytes: got %d entries, want %d", tt.limit, tt.bytes, len(got), tt.want)
		}
	}
	same(t, "another lane", must[[]outbox.Entry](t)(s.FirstEntries(context.Background(), 2, "a", 9, 1000)), nil)
}

func storeDeadLetters(t *testing.T, s outbox.Store) {
	ctx := context.Background()
	apply(t, s, outbox.Batch{Roads: roads, Entries: []outbox.Entry{entry(1, 1, mail, "a"), entry(2, 1, mail, "a")}})
	apply(t, s, outbox.Batch{Buried: []outbox.Burial{{ID: 1, Reason: callhome.ReasonExpired, Attempts: 4, DiedAt: at(50), LastError: "gone"}}})
	want := entry(1, 1, mail, "a")
	want.Status, want.Reason, want.Attempts, want.DiedAt, want.LastError = outbox.StatusDead, callhome.ReasonExpired, 4, at(50), "gone"
	same(t, "dead letter", must[*outbox.Entry](t)(s.Entry(ctx, 1)), &want)
	same(t, "its lane", must[[]outbox.Entry](t)(s.FirstEntries(ctx, 1, "a", 9, 1000)), []outbox.Entry{entry(2, 1, mail, "a")})
	want.Packed = nil
	same(t, "list", must[[]outbox.Entry](t)(s.List(ctx, outbox.Filter{Status: outbox.StatusDead, Limit: 9})), []outbox.Entry{want})
	apply(t, s, outbox.Batch{Revived: []outbox.Revival{{ID: 1, As: 3, QueuedAt: at(60)}}})
	again := entry(1, 1, mail, "a")
	again.ID, again.QueuedAt = 3, at(60)
	same(t, "revived", must[*outbox.Entry](t)(s.Entry(ctx, 3)), &again)
	same(t, "the old ID", must[*outbox.Entry](t)(s.Entry(ctx, 1)), nil)
	apply(t, s, outbox.Batch{Buried: []outbox.Burial{{ID: 3, DiedAt: at(70)}}})
	apply(t, s, outbox.Batch{Discarded: []outbox.EntryID{3}})
	same(t, "discarded", must[*outbox.Entry](t)(s.Entry(ctx, 3)), nil)
}

func storeDevices(t *testing.T, s outbox.Store) {
	ctx := context.Background()
	b := outbox.Batch{Roads: roads}
	for i, device := range []string{"c", "", "a", "b", "a", "c"} {
		b.Entries = append(b.Entries, entry(outbox.EntryID(i+1), 1, mail, device))
		b.Alerts = append(b.Alerts, outbox.AlertRow{ID: int64(i + 1), Device: "x" + device, Packed: []byte{0}})
	}
	apply(t, s, b)
	ptr := func(s string) *string { return &s }
	for _, tt := range []struct {
		road  outbox.RoadID
		after *string
		limit int
		want  []string
	}{
		{1, nil, 9, []string{"", "a", "b", "c"}},
		{1, nil, 2, []string{"", "a"}},
		{1, ptr(""), 2, []string{"a", "b"}},
		{1, ptr("b"), 9, []string{"c"}},
		{1, ptr("c"), 9, nil},
		{2, nil, 9, nil},
		{0, nil, 9, []string{"x", "xa", "xb", "xc"}},
		{0, ptr("xa"), 1, []string{"xb"}},
	} {
		same(t, fmt.Sprintf("road %d", tt.road), must[[]string](t)(s.Devices(ctx, tt.road, tt.after, tt.limit)), tt.want)
	}
}

func storeList(t *testing.T, s outbox.Store) {
	a, b := "a", "b"
	apply(t, s, outbox.Batch{Roads: roads, Entries: []outbox.Entry{
		entry(1, 1, mail, a), entry(2, 2, post, a), entry(3, 1, mail, b), entry(4, 2, post, b), entry(5, 1, mail, a)}})
	for _, tt := range []struct {
		name string
		f    outbox.Filter
		want []outbox.EntryID
	}{
		{"all", outbox.Filter{Limit: 9}, []outbox.EntryID{1, 2, 3, 4, 5}},
		{"page", outbox.Filter{After: 2, Limit: 2}, []outbox.EntryID{3, 4}},
		{"newest", outbox.Filter{Newest: true, Limit: 2}, []outbox.EntryID{5, 4}},
		{"older page", outbox.Filter{Newest: true, After: 4, Limit: 2}, []outbox.EntryID{3, 2}},
		{"device", outbox.Filter{Device: &b, Limit: 9}, []outbox.EntryID{3, 4}},
		{"destination", outbox.Filter{Destination: &mail, Limit: 9}, []outbox.EntryID{1, 3, 5}},
		{"both", outbox.Filter{Destination: &post, Device: &a, Limit: 9}, []outbox.EntryID{2}},
		{"message", outbox.Filter{MessageID: "M4:QXA2613K0PZ:69B52A1D", Limit: 9}, []outbox.EntryID{4}},
		{"dead", outbox.Filter{Status: outbox.StatusDead, Limit: 9}, nil},
	} {
		var ids []outbox.EntryID
		for _, e := range must[[]outbox.Entry](t)(s.List(context.Background(), tt.f)) {
			ids = append(ids, e.ID)
			if e.Packed != nil || e.Stored != 6 {
				t.Errorf("%s: entry %d has a body of %d bytes, stored %d; want none, 6", tt.name, e.ID, len(e.Packed), e.Stored)
			}
		}
		same(t, tt.name, ids, tt.want)
	}
}

func storeLedger(t *testing.T, s outbox.Store) {
	ctx := context.Background()
	line := func(n int) outbox.Outcome {
		return outbox.Outcome{
			At: at(n), Status: outbox.StatusSent, Reason: callhome.ReasonSent, AlertID: "A1", MessageID: callhome.MessageID(fmt.Sprint("M", n%3)),
			Device: "a", Group: callhome.GroupTest, Profile: "noc", Destination: post, Attempts: n, QueuedAt: at(0), Detail: "ok",
		}
	}
	var b outbox.Batch
	for n := range 10 {
		b.Ledger = append(b.Ledger, line(n))
	}
	apply(t, s, b)
	got := must[[]outbox.Outcome](t)(s.Ledger(ctx, outbox.LedgerFilter{Limit: 2}))
	if len(got) != 2 || got[0].Attempts != 9 || got[1].Attempts != 8 {
		t.Fatalf("newest: got %+v, want 9 and 8", got)
	}
	want := line(9)
	want.ID = got[0].ID
	same(t, "a line", got[0], want)
	older := must[[]outbox.Outcome](t)(s.Ledger(ctx, outbox.LedgerFilter{Limit: 1, Before: got[1].ID}))
	same(t, "older", older[0].Attempts, 7)
	var of []int
	for _, o := range must[[]outbox.Outcome](t)(s.Ledger(ctx, outbox.LedgerFilter{MessageID: "M1", Limit: 9})) {
		of = append(of, o.Attempts)
	}
	same(t, "of one message", of, []int{7, 4, 1})

	apply(t, s, outbox.Batch{Forget: &outbox.Forget{Before: at(4), Keep: 100, Max: 3}})
	same(t, "forgotten by age, in steps", left(t, s), []int{9, 8, 7, 6, 5, 4, 3})
	step := &outbox.Forget{Before: at(4), Keep: 100, Max: 3}
	apply(t, s, outbox.Batch{Forget: step})
	same(t, "lines gone", step.Gone, 1)
	same(t, "the next step", left(t, s), []int{9, 8, 7, 6, 5, 4})
	apply(t, s, outbox.Batch{Forget: &outbox.Forget{Before: at(0), Keep: 2, Max: 100}})
	same(t, "forgotten by number", left(t, s), []int{9, 8})
}

func left(t *testing.T, s outbox.Store) (n []int) {
	t.Helper()
	for _, o := range must[[]outbox.Outcome](t)(s.Ledger(context.Background(), outbox.LedgerFilter{Limit: 99})) {
		n = append(n, o.Attempts)
	}
	return n
}

func storeAllOrNothing(t *testing.T, s outbox.Store) {
	ctx := context.Background()
	apply(t, s, outbox.Batch{Roads: roads, Entries: []outbox.Entry{entry(1, 1, mail, "a")}, Mark: outbox.Mark{LastEntry: 1, Entries: 1}})
	err := s.Apply(ctx, &outbox.Batch{
		Alerts:  []outbox.AlertRow{{ID: 1, Device: "a", Packed: []byte{0}}},
		Entries: []outbox.Entry{entry(2, 1, mail, "a"), entry(1, 1, mail, "a")}, // 1 is taken
		Removed: []outbox.EntryID{1},
		Mark:    outbox.Mark{LastEntry: 2},
	})
	if err == nil || callhome.KindOf(err) == callhome.KindUnavailable {
		t.Fatalf("an ID used twice: got %v, want an error that no repetition mends", err)
	}
	same(t, "the alert", must[*outbox.AlertRow](t)(s.FirstAlert(ctx, "a")), nil)
	same(t, "the lane", must[[]outbox.Entry](t)(s.FirstEntries(ctx, 1, "a", 9, 1000)), []outbox.Entry{entry(1, 1, mail, "a")})
	apply(t, s, outbox.Batch{Entries: []outbox.Entry{entry(2, 1, mail, "a")}, Mark: outbox.Mark{LastEntry: 2}})
	same(t, "the mark", must[outbox.Loaded](t)(s.Load(ctx)).Mark, outbox.Mark{LastEntry: 2})
}

func storeOldest(t *testing.T, s outbox.Store) {
	ctx := context.Background()
	apply(t, s, outbox.Batch{Alerts: []outbox.AlertRow{{ID: 5, Device: "a", AcceptedAt: at(5), Packed: []byte{0}}}})
	same(t, "of alerts", must[time.Time](t)(s.Oldest(ctx)), at(5))
	apply(t, s, outbox.Batch{Roads: roads, Entries: []outbox.Entry{entry(8, 1, mail, "a"), entry(9, 1, mail, "b")}})
	same(t, "of entries", must[time.Time](t)(s.Oldest(ctx)), at(8))
}

func storeEmpty(t *testing.T, s outbox.Store) {
	ctx := context.Background()
	same(t, "load", must[outbox.Loaded](t)(s.Load(ctx)), outbox.Loaded{})
	same(t, "oldest", must[time.Time](t)(s.Oldest(ctx)), time.Time{})
	apply(t, s, outbox.Batch{})
	apply(t, s, outbox.Batch{Forget: &outbox.Forget{Before: at(0), Keep: 5, Max: 5}})
	same(t, "ledger", left(t, s), nil)
}

func storeLoad(t *testing.T, s outbox.Store, reopen func(testing.TB, outbox.Store) outbox.Store) {
	mark := outbox.Mark{
		LastAlert: 1, LastNumber: 1 << 40, LastEntry: 3, LastRoad: 2, Alerts: 5, AlertBytes: 6, Entries: 7, EntryBytes: 8,
		DeadLetters: 9, DeadBytes: 10, LastSentAt: at(11),
	}
	count := outbox.Count{Group: callhome.GroupTest, Transport: callhome.TransportHTTP, Status: outbox.StatusDropped, Reason: callhome.ReasonSize, N: 3}
	apply(t, s, outbox.Batch{Roads: roads, Entries: []outbox.Entry{entry(3, 2, post, "a")}, Increments: []outbox.Count{count}, Mark: mark})
	apply(t, s, outbox.Batch{Increments: []outbox.Count{count}, Mark: mark})
	s = reopen(t, s)
	count.N = 6
	same(t, "after a restart", must[outbox.Loaded](t)(s.Load(context.Background())),
		outbox.Loaded{Mark: mark, Roads: roads[1:], Counts: []outbox.Count{count}})
}
