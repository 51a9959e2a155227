package server_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"callhome/server"
	"callhome/server/account"
	"callhome/server/advisory"
	"callhome/server/notify"
)

func TestMilestonesAreToldInTimeAndOnce(t *testing.T) {
	began := time.Now()
	var skew atomic.Int64 // hours
	clock := func() time.Time { return began.Add(time.Duration(skew.Load()) * time.Hour) }
	w := newWorldWith(t, func(o *server.Options) {
		o.Config.KeepInbox = 100 * 24 * time.Hour
		o.Now = clock
	})
	d := w.register("FOX1")
	ctx := context.Background()
	n := advisory.Notice{
		Publisher: "QX", Ident: "EOL-7", Sort: advisory.EndOfLife, Version: "1", Status: advisory.Final, Title: "QX9006 chassis",
		Milestones: advisory.Milestones{EndOfSale: began.Add(-time.Hour), LastSupport: began.Add(40 * 24 * time.Hour), Replacement: "QX9106"},
		Items:      []advisory.Item{{Claim: advisory.ClaimAffected, Products: []string{"QX9006"}}},
	}
	out, err := w.server.ImportNotices(ctx, []advisory.Notice{n}, account.System())
	if err != nil || out.Notices != 1 || out.Affected != 1 {
		t.Fatalf("%+v, %v", out, err)
	}
	for range 2 { // the first look of this day may have been before the import
		skew.Add(25)
		if err := w.server.KeepHouse(ctx); err != nil {
			t.Fatal(err)
		}
	}
	count := 0
	for _, n := range w.inbox(notify.KindEndOfLife) {
		if strings.Contains(n.Content.Lead, " comes on ") {
			count++
			if n.Company != d.Company || !strings.Contains(n.Content.Action, "QX9106") {
				t.Errorf("told: %+v", n)
			}
		}
	}
	if count != 1 {
		t.Errorf("told %d times, want once", count)
	}
}
