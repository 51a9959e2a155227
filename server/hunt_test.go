package server_test

import (
	"context"
	"testing"
	"time"

	"callhome"
	"callhome/server"
	"callhome/server/account"
	"callhome/server/analysis"
	"callhome/server/sqlstore"
)

// hunted waits until a hunt has ended.
func (w *world) hunted(id int64) analysis.HuntRecord {
	w.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		h, ok, err := w.store.Read().Analysis().Hunt(context.Background(), account.Everywhere(), id)
		if err != nil || !ok {
			w.t.Fatal(ok, err)
		}
		if h.State != analysis.HuntRunning {
			return h
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("the hunt is still running: %+v", h)
		}
	}
}

func TestHunt(t *testing.T) {
	w := newWorld(t)
	d := w.register("FOX1")
	w.post(w.message("FOX1", callhome.GroupEnvironment, callhome.LevelFatal, fanFailed))
	w.post(w.message("FOX1", callhome.GroupEnvironment, callhome.LevelFatal, fanFailed))
	w.post(w.message("FOX9", callhome.GroupEnvironment, callhome.LevelFatal, fanFailed)) // nobody's
	w.settle()
	ctx, read := context.Background(), w.store.Read()
	first, err := read.Analysis().List(ctx, account.Everywhere(), analysis.Filter{}, account.Page{})
	if err != nil || len(first) == 0 {
		t.Fatal(first, err)
	}
	rule := first[0].Rule
	if _, err := w.server.StartHunt(ctx, []string{rule}, account.Principal{Name: "rita", Role: account.RoleViewer, Scope: account.ScopeAdmin}); callhome.KindOf(err) != callhome.KindDenied {
		t.Errorf("a viewer starts a hunt: %v", err)
	}
	if _, err := w.server.StartHunt(ctx, []string{"no-such-rule"}, account.System()); callhome.KindOf(err) != callhome.KindInvalid {
		t.Errorf("a hunt for a rule that is not there: %v", err)
	}
	h, err := w.server.Hunt(ctx, server.HuntOrder{Rules: []string{rule}, Company: d.Company}, account.System())
	if err != nil {
		t.Fatal(err)
	}
	h = w.hunted(h.ID)
	found, err := read.Analysis().List(ctx, account.Everywhere(), analysis.Filter{Hunt: h.ID}, account.Page{})
	if err != nil || h.State != analysis.HuntDone || h.Findings != 2 || len(found) != 2 || found[0].Company != d.Company || found[0].Case != 0 || found[0].MessageID == "" {
		t.Fatalf("hunt %+v found %+v, %v", h, found, err)
	}
	audit, err := read.Account().ListAudit(ctx, account.Everywhere(), account.AuditFilter{Action: "hunt"}, account.Page{})
	if err != nil || len(audit) != 1 {
		t.Errorf("audit: %+v, %v", audit, err)
	}
	if _, err := w.server.CancelHunt(ctx, h.ID, account.System()); callhome.KindOf(err) != callhome.KindConflict {
		t.Errorf("a hunt that is done was canceled: %v", err)
	}
	other, err := w.server.Hunt(ctx, server.HuntOrder{Rules: []string{rule}, Company: d.Company + 1}, account.System())
	if err != nil {
		t.Fatal(err)
	}
	if other = w.hunted(other.ID); other.Findings != 0 || other.Done != 0 {
		t.Errorf("a hunt in another company's messages: %+v", other)
	}
}

// TestHuntGoesOn: a process that died in the middle left a claim and half of the findings.
func TestHuntGoesOn(t *testing.T) {
	w := newWorld(t)
	w.register("FOX1")
	for range 3 {
		w.post(w.message("FOX1", callhome.GroupEnvironment, callhome.LevelFatal, fanFailed))
	}
	w.settle()
	ctx, read := context.Background(), w.store.Read()
	all, err := read.Analysis().List(ctx, account.Everywhere(), analysis.Filter{}, account.Page{})
	if err != nil || len(all) < 3 {
		t.Fatal(all, err)
	}
	half := all[len(all)-2] // of the second message
	h := analysis.HuntRecord{Rules: []string{half.Rule}, State: analysis.HuntRunning, By: "noc", StartedAt: time.Now(), UpdatedAt: time.Now().Add(-time.Hour)}
	h.Progress = analysis.Progress{Position: half.Message, Rewind: half.Message, Done: 2, Total: 3, Findings: 2}
	err = w.store.InTx(ctx, func(tx *sqlstore.Tx) (err error) {
		h.Until = tx.NewID()
		if h.ID, err = tx.Analysis().PutHunt(ctx, h); err != nil {
			return err
		}
		_, err = tx.Analysis().ClaimHunt(ctx, h.ID, 4711, time.Now().Add(-time.Hour), time.Now())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	h = w.hunted(h.ID)
	found, err := read.Analysis().List(ctx, account.Everywhere(), analysis.Filter{Hunt: h.ID}, account.Page{})
	if err != nil || h.State != analysis.HuntDone || h.Findings != 3 || h.Done != 3 || len(found) != 1 {
		t.Errorf("hunt %+v; found after the restart %d, %v", h, len(found), err)
	}
}
