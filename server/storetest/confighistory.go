package storetest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"callhome"
	"callhome/server/account"
	"callhome/server/confighistory"
	"callhome/server/sqlstore"
)

// ConfigHistory holds a confighistory.Store to its promises.
func ConfigHistory(t *testing.T, open func(testing.TB) *sqlstore.Store) {
	t.Run("Life", func(t *testing.T) { configLife(t, open(t)) })
	t.Run("Reach", func(t *testing.T) { configReach(t, open(t)) })
	t.Run("Search", func(t *testing.T) { configSearch(t, open(t)) })
	t.Run("Forget", func(t *testing.T) { configForget(t, open(t)) })
}

// configMessage carries a running configuration with a host name and a password, and a startup one where given.
func configMessage(n int, host, password, startupHost string) *callhome.Message {
	text := func(host string) string {
		return fmt.Sprintf("Building configuration...\n! Last configuration change at %02d:26:53 UTC Sat Mar 14 2026\nhostname %s\nsnmp-server community %s ro\nend\n", n, host, password)
	}
	m := &callhome.Message{MessageID: callhome.MessageID(fmt.Sprintf("M%d", n)), Group: callhome.GroupConfiguration}
	m.Attachments = append(m.Attachments, callhome.Attachment{Name: "show running-config", Text: text(host)})
	if startupHost != "" {
		m.Attachments = append(m.Attachments, callhome.Attachment{Name: "show startup-config", Text: text(startupHost)})
	}
	return m
}

func observeConfig(t *testing.T, s *sqlstore.Store, device int64, company account.CompanyID, m *callhome.Message) (res confighistory.Result) {
	t.Helper()
	err := s.InTx(context.Background(), func(tx *sqlstore.Tx) (err error) {
		res, err = confighistory.Observe(context.Background(), tx.ConfigHistory(), confighistory.Observation{Device: device, Company: company, Received: inventoryTime, Message: m})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func configLife(t *testing.T, s *sqlstore.Store) {
	ctx, all := context.Background(), account.Everywhere()
	for i, step := range []struct {
		m    *callhome.Message
		want int // new revisions
	}{
		{configMessage(1, "a", "s3cretword", "a"), 2},
		{configMessage(2, "a", "s3cretword", "a"), 0},
		{configMessage(3, "b", "s3cretword", "a"), 1},
		{configMessage(3, "b", "s3cretword", "a"), 0},
		{configMessage(4, "b", "0therword", "a"), 2},
		{configMessage(1, "a", "s3cretword", "a"), 2}, // seen before: told again, stored once
	} {
		if res := observeConfig(t, s, 1, 7, step.m); len(res.Changed) != step.want {
			t.Errorf("step %d: %d new revisions, want %d", i, len(res.Changed), step.want)
		}
	}
	store := s.Read().ConfigHistory()
	list, err := store.Revisions(ctx, all, 1, confighistory.Running, account.Page{})
	if err != nil || len(list) != 3 || list[0].Number != 3 || list[0].Added != 1 || list[0].Removed != 1 {
		t.Fatalf("Revisions = %+v, %v", list, err)
	}
	rest, err := store.Revisions(ctx, all, 1, "", account.Page{After: list[1].ID, Limit: 2})
	if err != nil || len(rest) != 2 || rest[0].ID >= list[1].ID {
		t.Errorf("the next page = %+v, %v", rest, err)
	}
	for _, unmasked := range []bool{false, true} {
		_, text, err := confighistory.Text(ctx, store, all, 1, confighistory.Running, 1, unmasked)
		if err != nil || strings.Contains(text, "s3cretword") != unmasked || !strings.Contains(text, "Building configuration") {
			t.Errorf("Text(unmasked %v) = %q, %v", unmasked, text, err)
		}
		diff, err := confighistory.Diff(ctx, store, all, 1, confighistory.Running, 1, 0, unmasked)
		if err != nil || !strings.Contains(diff, "-hostname a") || strings.Contains(diff, "s3cretword") != unmasked || strings.Contains(diff, "Last configuration") {
			t.Errorf("Diff(unmasked %v) = %q, %v", unmasked, diff, err)
		}
	}
	drift, err := confighistory.DriftOf(ctx, store, all, 1, false)
	if err != nil || drift.Same || !strings.Contains(drift.Diff, "+hostname b") {
		t.Errorf("DriftOf = %+v, %v", drift, err)
	}
	if text, err := confighistory.Latest(ctx, store, 1); err != nil || !strings.Contains(text, "0therword") {
		t.Errorf("Latest = %q, %v", text, err)
	}
}

func configReach(t *testing.T, s *sqlstore.Store) {
	ctx, other := context.Background(), account.Reach{Companies: []account.CompanyID{8}}
	observeConfig(t, s, 1, 7, configMessage(1, "a", "s3cretword", "a"))
	store := s.Read().ConfigHistory()
	if _, _, err := confighistory.Text(ctx, store, other, 1, confighistory.Running, 0, true); callhome.KindOf(err) != callhome.KindNotFound {
		t.Errorf("another company's text: %v, want not found", err)
	}
	list, err1 := store.Revisions(ctx, other, 1, "", account.Page{})
	heads, err2 := store.Heads(ctx, other, 0, "", account.Page{})
	hits, _, err3 := confighistory.Search(ctx, store, other, "", "hostname", true, account.Page{})
	if len(list)+len(heads)+len(hits) != 0 || err1 != nil || err2 != nil || err3 != nil {
		t.Errorf("another company sees %v %v %v (%v %v %v)", list, heads, hits, err1, err2, err3)
	}
	if err := s.InTx(ctx, func(tx *sqlstore.Tx) error { return tx.ConfigHistory().SetCompany(ctx, 1, 8) }); err != nil {
		t.Fatal(err)
	}
	if heads, err := store.Heads(ctx, other, 1, confighistory.Running, account.Page{}); err != nil || len(heads) != 1 {
		t.Errorf("after it changed hands: %v, %v", heads, err)
	}
}

func configSearch(t *testing.T, s *sqlstore.Store) {
	ctx, all := context.Background(), account.Everywhere()
	for device := range int64(3) {
		observeConfig(t, s, device+1, 7, configMessage(1, fmt.Sprintf("host-%d", device+1), "s3cretword", ""))
	}
	store := s.Read().ConfigHistory()
	for _, c := range []struct {
		needle   string
		unmasked bool
		want     int
	}{{"HOST-2", false, 1}, {"hostname", false, 3}, {"s3cretword", false, 0}, {"s3cretword", true, 3}} {
		hits, next, err := confighistory.Search(ctx, store, all, confighistory.Running, c.needle, c.unmasked, account.Page{})
		if err != nil || len(hits) != c.want || next != 0 {
			t.Errorf("%q: %+v, %d, %v; want %d hits", c.needle, hits, next, err, c.want)
		}
	}
	hits, next, err := confighistory.Search(ctx, store, all, confighistory.Running, "hostname", false, account.Page{Limit: 1})
	if err != nil || len(hits) != 1 || next == 0 || hits[0].Device != 3 || hits[0].Line != 3 {
		t.Errorf("first page: %+v, %d, %v", hits, next, err)
	}
}

func configForget(t *testing.T, s *sqlstore.Store) {
	ctx := context.Background()
	observeConfig(t, s, 1, 7, configMessage(1, "a", "s3cretword", ""))
	observeConfig(t, s, 2, 7, configMessage(1, "a", "s3cretword", ""))
	for _, device := range []int64{1, 2} {
		if text, err := confighistory.Latest(ctx, s.Read().ConfigHistory(), 2); err != nil || text == "" {
			t.Errorf("before device %d is forgotten: %q, %v", device, text, err)
		}
		if err := s.InTx(ctx, func(tx *sqlstore.Tx) error { return tx.ConfigHistory().Forget(ctx, device) }); err != nil {
			t.Fatal(err)
		}
	}
	if text, err := confighistory.Latest(ctx, s.Read().ConfigHistory(), 2); err != nil || text != "" {
		t.Errorf("after both are forgotten: %q, %v", text, err)
	}
}
