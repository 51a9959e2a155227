package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/advisory"
	"callhome/server/sqlstore"
)

// Advisory holds an advisory.Store to its promises.
func Advisory(t *testing.T, open func(testing.TB) *sqlstore.Store) {
	t.Run("Import", func(t *testing.T) { advisoryImport(t, open(t)) })
	t.Run("Device", func(t *testing.T) { advisoryDevice(t, open(t)) })
	t.Run("Batch", func(t *testing.T) { advisoryBatch(t, open(t)) })
	t.Run("Lists", func(t *testing.T) { advisoryLists(t, open(t)) })
}

// someNotice concerns IOS XE before a version, or a product.
func someNotice(ident, before string, products ...string) advisory.Notice {
	n := advisory.Notice{Publisher: "Quillon", Ident: ident, Sort: advisory.SecurityAdvisory, Version: "1", Status: advisory.Final, Title: "Notice " + ident, Impact: "high", CVEs: []string{"CVE-2026-" + ident}}
	it := advisory.Item{Claim: advisory.ClaimAffected, Products: products}
	if before != "" {
		it.Platform, it.Versions = "iosxe", "prior to "+before
	}
	n.Items = []advisory.Item{it}
	return n
}

func importNotice(t *testing.T, s *sqlstore.Store, n advisory.Notice) (out advisory.Imported) {
	t.Helper()
	err := s.InTx(context.Background(), func(tx *sqlstore.Tx) (err error) {
		out, err = advisory.Import(context.Background(), tx.Advisory(), n, inventoryTime)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func matchDevice(t *testing.T, s *sqlstore.Store, device int64) (events []advisory.Event) {
	t.Helper()
	ctx := context.Background()
	err := s.InTx(ctx, func(tx *sqlstore.Tx) (err error) {
		events, err = advisory.Review(ctx, tx.Advisory(), tx.Inventory(), tx.ConfigHistory(), device, inventoryTime)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return events
}

func advisoryImport(t *testing.T, s *sqlstore.Store) {
	first := someNotice("100", "17.12.5")
	second := first
	second.Version, second.Title = "2", "Notice 100, corrected"
	third := second
	third.Version, third.Status = "3", advisory.Withdrawn
	for i, step := range []struct {
		n       advisory.Notice
		want    advisory.Outcome
		rematch bool
	}{
		{first, advisory.OutcomeNew, true}, {first, advisory.OutcomeUnchanged, false}, {second, advisory.OutcomeUpdated, true}, {first, advisory.OutcomeOlder, false},
		{third, advisory.OutcomeWithdrawn, true}, {third, advisory.OutcomeUnchanged, false}, {second, advisory.OutcomeOlder, false},
	} {
		if got := importNotice(t, s, step.n); got.Outcome != step.want || got.Rematch != step.rematch || got.Notice.ID == 0 {
			t.Errorf("step %d: %+v, want %s", i, got, step.want)
		}
	}
	ctx := context.Background()
	n, ok, err := s.Read().Advisory().ByIdent(ctx, "QUILLON", "100")
	if err != nil || !ok || n.Status != advisory.Withdrawn || len(n.Items) != 1 {
		t.Fatalf("ByIdent = %+v, %v, %v", n, ok, err)
	}
	editions, err := s.Read().Advisory().Editions(ctx, n.ID)
	if err != nil || len(editions) != 3 || editions[0].Version != "3" {
		t.Errorf("Editions = %+v, %v", editions, err)
	}
}

func advisoryDevice(t *testing.T, s *sqlstore.Store) {
	ctx := context.Background()
	observe(t, s, 1, 7, wholeInventory(1, 1, "1", "CARDAAA"))
	id := importNotice(t, s, someNotice("100", "17.12.5")).Notice.ID
	importNotice(t, s, someNotice("101", "17.9.1"))
	importNotice(t, s, someNotice("102", "", "QX-LC*"))
	importNotice(t, s, someNotice("103", "", "QX-OTHER"))
	events := matchDevice(t, s, 1)
	if len(events) != 2 || !events[0].Newly() || events[0].Notice.Ident != "100" || events[0].Company != 7 || events[1].Notice.Ident != "102" || len(events[0].Evidence) == 0 {
		t.Fatalf("events = %+v", events)
	}
	if again := matchDevice(t, s, 1); len(again) != 0 {
		t.Errorf("again: %+v", again)
	}
	observe(t, s, 1, 7, &callhome.Message{MessageID: "M9", Group: callhome.GroupSyslog, SWVersion: "17.12.5"})
	observe(t, s, 1, 7, &callhome.Message{MessageID: "M10", Description: "HARDWARE_REMOVAL", Group: callhome.GroupInventory, FRUs: []callhome.FRU{{Slot: "1", Serial: "CARDAAA"}}})
	events = matchDevice(t, s, 1)
	if len(events) != 2 || events[0].From != advisory.Affected || events[0].To != advisory.NotAffected || events[1].To != advisory.NotAffected {
		t.Errorf("after the change of software and the removal: %+v", events)
	}
	counts, err := s.Read().Advisory().Counts(ctx, account.Everywhere())
	if err != nil || counts[id][advisory.Affected] != 0 || counts[id][advisory.NotAffected] != 1 {
		t.Errorf("counts = %+v, %v", counts, err)
	}
	for _, step := range []struct {
		do   func(advisory.Store) error
		own  int
		next int
	}{
		{func(a advisory.Store) error { return a.SetCompany(ctx, 1, 8) }, 0, 2},
		{func(a advisory.Store) error { return a.Forget(ctx, 1) }, 0, 0},
	} {
		if err := s.InTx(ctx, func(tx *sqlstore.Tx) error { return step.do(tx.Advisory()) }); err != nil {
			t.Fatal(err)
		}
		for company, want := range map[account.CompanyID]int{7: step.own, 8: step.next} {
			reach := account.Reach{Companies: []account.CompanyID{company}}
			list, err := s.Read().Advisory().Answers(ctx, reach, advisory.ResultFilter{Device: 1}, account.Page{})
			counts, err2 := s.Read().Advisory().Counts(ctx, reach)
			if err != nil || err2 != nil || len(list) != want || len(counts) != want {
				t.Errorf("company %d: %d answers, counts %v, want %d (%v, %v)", company, len(list), counts, want, err, err2)
			}
		}
	}
}

func advisoryBatch(t *testing.T, s *sqlstore.Store) {
	ctx := context.Background()
	for device := range int64(5) {
		observe(t, s, device+1, account.CompanyID(7+device%2), wholeInventory(device+1, 1, "1", fmt.Sprintf("CARD%03d", device)))
	}
	run := func(n advisory.Notice) (events []advisory.Event, batches int) {
		out := importNotice(t, s, n)
		n.ID = out.Notice.ID
		for next := int64(0); ; {
			var some []advisory.Event
			err := s.InTx(ctx, func(tx *sqlstore.Tx) (err error) {
				some, next, err = advisory.MatchBatch(ctx, tx.Advisory(), tx.Inventory(), tx.ConfigHistory(), &n, next, 2, inventoryTime.Add(time.Hour))
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			events = append(events, some...)
			if batches++; next == 0 {
				return events, batches
			}
		}
	}
	n := someNotice("200", "17.12.5")
	if events, batches := run(n); len(events) != 5 || batches != 3 {
		t.Errorf("%d events in %d batches, want 5 in 3", len(events), batches)
	}
	if events, _ := run(n); len(events) != 0 {
		t.Errorf("again: %+v", events)
	}
	n.Version, n.Status = "2", advisory.Withdrawn
	if events, _ := run(n); len(events) != 5 || events[0].To != advisory.NotAffected {
		t.Errorf("after it was withdrawn: %+v", events)
	}
	reach := account.Reach{Companies: []account.CompanyID{8}}
	if list, err := s.Read().Advisory().Answers(ctx, reach, advisory.ResultFilter{State: advisory.NotAffected, Sort: advisory.SecurityAdvisory}, account.Page{}); err != nil || len(list) != 2 || list[0].Ident != "200" {
		t.Errorf("within reach: %+v, %v", list, err)
	}
}

func advisoryLists(t *testing.T, s *sqlstore.Store) {
	ctx := context.Background()
	for i := range 5 {
		importNotice(t, s, someNotice(fmt.Sprint(300+i), "17.12.5"))
	}
	eol := someNotice("400", "", "QX1")
	eol.Sort, eol.Impact = advisory.EndOfLife, ""
	eol.Milestones.LastSupport = inventoryTime.AddDate(0, 0, 20)
	importNotice(t, s, eol)
	store := s.Read().Advisory()
	for days, want := range map[int]int{10: 0, 30: 1} {
		due, err := advisory.Due(ctx, store, inventoryTime, inventoryTime.AddDate(0, 0, days))
		if err != nil || len(due) != want || want == 1 && due[0].Word != "end of support" {
			t.Errorf("due in %d days: %+v, %v", days, due, err)
		}
	}
	for _, c := range []struct {
		f    advisory.NoticeFilter
		want int
	}{
		{advisory.NoticeFilter{}, 6}, {advisory.NoticeFilter{Sort: advisory.EndOfLife}, 1}, {advisory.NoticeFilter{Impact: "High"}, 5}, {advisory.NoticeFilter{CVE: "cve-2026-302"}, 1},
		{advisory.NoticeFilter{Ident: "303"}, 1}, {advisory.NoticeFilter{Status: advisory.Withdrawn}, 0},
	} {
		list, err := store.Notices(ctx, c.f, account.Page{})
		if err != nil || len(list) != c.want {
			t.Errorf("%+v: %d notices, %v; want %d", c.f, len(list), err, c.want)
		}
	}
	first, err := store.Notices(ctx, advisory.NoticeFilter{}, account.Page{Limit: 2})
	if err != nil || len(first) != 2 {
		t.Fatal(first, err)
	}
	second, err := store.Notices(ctx, advisory.NoticeFilter{}, account.Page{After: first[1].ID, Limit: 2})
	if err != nil || len(second) != 2 || second[0].ID >= first[1].ID {
		t.Errorf("the second page is %+v, %v", second, err)
	}
	if _, err := store.Notice(ctx, 1); callhome.KindOf(err) != callhome.KindNotFound {
		t.Errorf("Notice(1) = %v, want not found", err)
	}
}
