package storetest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"callhome"
	"callhome/server/account"
	"callhome/server/archive"
	"callhome/server/sqlstore"
)

// archiveStart is when the first message of the suite came; the IDs are of that time.
var archiveStart = time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)

// Archive is the suite of [archive.Store].
func Archive(t *testing.T, open func(testing.TB) *sqlstore.Store) {
	t.Run("what was added is found", func(t *testing.T) { archiveList(t, open(t)) })
	t.Run("walk", func(t *testing.T) { archiveWalk(t, open(t)) })
	t.Run("search", func(t *testing.T) { archiveSearch(t, open(t)) })
	t.Run("change, count, purge", func(t *testing.T) { archiveCounts(t, open(t)) })
}

func archiveRecord(s *sqlstore.Store, n int) *archive.Record {
	return &archive.Record{
		ID: s.NewID(), ReceivedAt: time.Now().UTC().Truncate(time.Microsecond), EventTime: archiveStart.Add(time.Duration(n) * time.Second),
		Company: account.CompanyID(1 + n%2), Device: int64(10 + n%5), DeviceID: callhome.DeviceID(fmt.Sprintf("QX9006@C@FOX%04d", n%5)),
		SystemName: fmt.Sprintf("edge-%d", n%5), MessageID: callhome.MessageID(fmt.Sprintf("M%d:FOX", n)), Type: "environment", Group: callhome.GroupEnvironment,
		Severity: n % 10, Description: fmt.Sprintf("%%PLATFORM_ENV-1-FAN: Faulty fan %d detected, 100%% stopped_now", n), Format: callhome.FormatXML, Dialect: "ios",
		Origin: archive.Origin{Transport: callhome.TransportHTTP, Peer: "192.0.2.7", Gateway: []string{"", "gw-1"}[n%2]},
		Size:   1000 + n, Status: archive.StatusProcessed,
	}
}

func archiveBody(n int) []byte {
	return []byte(strings.Repeat(fmt.Sprintf("<message %d/>\x00\xff", n), 1+50*n))
}

// archiveFill adds n records and gives them newest first.
func archiveFill(t *testing.T, s *sqlstore.Store, n int) []archive.Record {
	t.Helper()
	ctx := context.Background()
	all := make([]archive.Record, n)
	err := s.InTx(ctx, func(tx *sqlstore.Tx) error {
		for i := range n {
			r := archiveRecord(s, i)
			if i%7 == 3 {
				r.Status, r.Reasons = archive.StatusMarked, []string{"no_contract", "clock_skew"}
			}
			if i == 8 {
				r.Case = 99
			}
			if err := tx.Archive().Add(ctx, r, archiveBody(i)); err != nil {
				return err
			}
			all[n-1-i] = *r
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func archiveList(t *testing.T, s *sqlstore.Store) {
	ctx := context.Background()
	all := archiveFill(t, s, 40)
	five := 5
	for name, c := range map[string]struct {
		filter archive.Filter
		keep   func(r archive.Record) bool
	}{
		"all":        {archive.Filter{}, func(archive.Record) bool { return true }},
		"company":    {archive.Filter{Company: 2}, func(r archive.Record) bool { return r.Company == 2 }},
		"device":     {archive.Filter{Device: 12}, func(r archive.Record) bool { return r.Device == 12 }},
		"device ID":  {archive.Filter{DeviceID: "QX9006@C@FOX0003"}, func(r archive.Record) bool { return r.DeviceID == "QX9006@C@FOX0003" }},
		"message ID": {archive.Filter{MessageID: "M7:FOX"}, func(r archive.Record) bool { return r.MessageID == "M7:FOX" }},
		"severity":   {archive.Filter{Severity: &five}, func(r archive.Record) bool { return r.Severity >= 5 }},
		"status":     {archive.Filter{Status: archive.StatusMarked}, func(r archive.Record) bool { return r.Status == archive.StatusMarked }},
		"gateway":    {archive.Filter{Gateway: "gw-1"}, func(r archive.Record) bool { return r.Origin.Gateway == "gw-1" }},
		"case":       {archive.Filter{Case: 99}, func(r archive.Record) bool { return r.Case == 99 }},
		"since":      {archive.Filter{Since: time.Now().Add(-time.Hour)}, func(archive.Record) bool { return true }},
		"until":      {archive.Filter{Until: time.Now().Add(-time.Hour)}, func(archive.Record) bool { return false }},
		"both": {archive.Filter{Company: 1, Type: "environment", Group: callhome.GroupEnvironment, Severity: &five},
			func(r archive.Record) bool { return r.Company == 1 && r.Severity >= 5 }},
		"group": {archive.Filter{Group: callhome.GroupCrash}, func(archive.Record) bool { return false }},
	} {
		var want []archive.Record
		for _, r := range all {
			if c.keep(r) {
				want = append(want, r)
			}
		}
		c.filter.Reach = account.Everywhere()
		c.filter.Page.Limit = 7
		var got []archive.Record
		for {
			page, err := s.Read().Archive().List(ctx, c.filter)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			got = append(got, page...)
			if len(page) < 7 {
				break
			}
			c.filter.Page.After = page[len(page)-1].ID
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	archiveReach(t, s, all)
}

func archiveReach(t *testing.T, s *sqlstore.Store, all []archive.Record) {
	t.Helper()
	ctx, a := context.Background(), s.Read().Archive()
	for _, reach := range []account.Reach{{}, {Companies: []account.CompanyID{1}}, {Companies: []account.CompanyID{2, 3}}} {
		got, err := a.List(ctx, archive.Filter{Reach: reach})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range got {
			if !reach.Has(r.Company) {
				t.Errorf("%+v sees a message of company %d", reach, r.Company)
			}
		}
		if _, ok, err := a.Record(ctx, all[0].ID, reach); err != nil || ok != reach.Has(all[0].Company) {
			t.Errorf("%+v: Record = %v, %v", reach, ok, err)
		}
	}
	body, ok, err := a.Body(ctx, all[0].ID)
	if err != nil || !ok || string(body) != string(archiveBody(len(all)-1)) {
		t.Errorf("Body = %d bytes, %v, %v", len(body), ok, err)
	}
	if _, ok, err := a.Body(ctx, 1); ok || err != nil {
		t.Errorf("a body that is not there: %v, %v", ok, err)
	}
}

func archiveSearch(t *testing.T, s *sqlstore.Store) {
	ctx := context.Background()
	all := archiveFill(t, s, 40)
	for text, want := range map[string]int{
		"fan 17 detected": 1, "FAN 17": 1, "faulty fan": 40, "edge-3": 8, "m39:fox": 0, "fox0004": 8, "stopped_now": 40, "100% stop": 40, "no such thing": 0,
		"' OR 1=1 --": 0, `"fan" OR`: 0, "fan%17": 0, "détect": 0,
	} {
		var got int
		f := archive.Filter{Reach: account.Everywhere(), Text: text, Page: account.Page{Limit: 6}}
		for {
			page, err := s.Read().Archive().List(ctx, f)
			if err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			got += len(page)
			if len(page) < 6 {
				break
			}
			f.Page.After = page[len(page)-1].ID
		}
		if got != want {
			t.Errorf("search for %q finds %d, want %d", text, got, want)
		}
	}
	if _, err := s.Read().Archive().List(ctx, archive.Filter{Reach: account.Everywhere(), Text: "ab"}); callhome.KindOf(err) != callhome.KindInvalid {
		t.Errorf("a text too short gives %v", err)
	}
	one, err := s.Read().Archive().List(ctx, archive.Filter{Reach: account.Reach{Companies: []account.CompanyID{2}}, Text: "fan 17 d", Device: all[22].Device})
	if err != nil || len(one) != 1 {
		t.Errorf("a search with other filters finds %d, %v", len(one), err)
	}
}

func archiveCounts(t *testing.T, s *sqlstore.Store) {
	ctx := context.Background()
	all := archiveFill(t, s, 40)
	counts := func() archive.Counts {
		c, err := s.Read().Archive().Counts(ctx, account.Everywhere(), time.Now().Add(-2*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	before := counts()
	if before.ByStatus[archive.StatusMarked] != 6 || before.ByStatus[archive.StatusProcessed] != 34 || before.BySeverity[9] != 4 || before.ByGroup[callhome.GroupEnvironment] != 40 {
		t.Errorf("got %+v", before)
	}
	r := all[0]
	r.Status, r.Reasons, r.Company, r.Device, r.Case = archive.StatusFailed, []string{"unparsable"}, 7, 77, 5
	if err := s.InTx(ctx, func(tx *sqlstore.Tx) error { return tx.Archive().Change(ctx, &r) }); err != nil {
		t.Fatal(err)
	}
	if got, _, err := s.Read().Archive().Record(ctx, r.ID, account.Everywhere()); err != nil || cmp.Diff(r, got) != "" {
		t.Errorf("after a change: %v %s", err, cmp.Diff(r, got))
	}
	if c := counts(); c.ByStatus[archive.StatusFailed] != 1 || c.ByStatus[archive.StatusProcessed] != 33 {
		t.Errorf("after a change: %+v", c)
	}
	var n, bytes int64
	err := s.InTx(ctx, func(tx *sqlstore.Tx) (err error) {
		n, bytes, err = tx.Archive().Purge(ctx, archive.Class{Groups: []callhome.AlertGroup{callhome.GroupEnvironment, callhome.GroupCrash}, Status: archive.StatusProcessed}, time.Now().Add(time.Hour), 10)
		return err
	})
	if err != nil || n != 10 || bytes < 10_000 {
		t.Errorf("Purge = %d, %d, %v", n, bytes, err)
	}
	if c := counts(); c.ByStatus[archive.StatusProcessed] != 23 || c.Bytes != before.Bytes-bytes {
		t.Errorf("after a purge: %+v, want 23 and %d bytes", c, before.Bytes-bytes)
	}
	left, err := s.Read().Archive().List(ctx, archive.Filter{Reach: account.Everywhere(), Text: "faulty fan", Page: account.Page{Limit: 100}})
	if err != nil || len(left) != 30 {
		t.Errorf("%d are left, %v", len(left), err)
	}
	if _, ok, _ := s.Read().Archive().Body(ctx, all[len(all)-1].ID); ok {
		t.Error("the oldest body is still there")
	}
}

func archiveWalk(t *testing.T, s *sqlstore.Store) {
	ctx := context.Background()
	all := archiveFill(t, s, 40)
	var ids []int64
	for after := int64(0); ; {
		page, err := s.Read().Archive().Walk(ctx, archive.Filter{Reach: account.Everywhere(), Company: 2, Page: account.Page{After: after, Limit: 3}})
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, r := range page {
			if r.ID <= after || r.Company != 2 {
				t.Errorf("record %d of company %d after %d", r.ID, r.Company, after)
			}
			after = r.ID
			ids = append(ids, r.ID)
		}
	}
	want := 0
	for i := range all {
		if all[i].Company == 2 {
			want++
		}
	}
	if len(ids) != want || want == 0 {
		t.Errorf("walked over %d records, want %d", len(ids), want)
	}
}
