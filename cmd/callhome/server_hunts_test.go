package main

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"callhome/ctl"
	"callhome/server"
	"callhome/server/account"
	"callhome/server/analysis"
	"callhome/server/archive/journal"
	"callhome/server/casework"
	"callhome/server/notify"
	"callhome/server/sqlstore"
)

// conduct gives a back end a conductor that works.
func (b *backEnd) conduct() {
	b.Helper()
	j, err := journal.Open(filepath.Join(b.dir, "journal"), journal.Options{NewID: b.store.NewID, Known: b.store.Known})
	if err != nil {
		b.Fatal(err)
	}
	rules, err := analysis.New(analysis.Shipped()...)
	if err != nil {
		b.Fatal(err)
	}
	b.desk.conductor, err = server.New(server.Options{
		Config: server.DefaultConfig(), Database: database{b.store}, Intake: journalIntake{sqlstore.NewJournalIntake(b.store, j, journal.Position{})}, Rules: rules,
		Desk: casework.New(casework.DefaultConfig()), Registrar: b.desk.registrar, Announcer: notify.New(notify.DefaultConfig()),
	})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = b.desk.conductor.Run(ctx) }()
	b.Cleanup(func() { cancel(); <-done; _ = j.Close() })
}

func TestAdminHunts(t *testing.T) {
	b := newBackEnd(t)
	b.conduct()
	b.run(0, "", "company", "add", "Acme")
	b.want(b.run(2, "", "rule", "hunt", "start", "no-such-rule"), "no-such-rule")
	b.want(b.run(1, "", "rule", "hunt", "start", "ios-fan-failed", "--company", "None"), `no company "None"`)
	b.want(b.run(0, "", "rule", "hunt", "start", "ios-fan-failed", "--company", "Acme"), "is done", "0 findings")
	var started ctl.HuntRow
	if err := json.Unmarshal([]byte(b.run(0, "", "--json", "rule", "hunt", "start", "--detach", "ios-fan-failed")), &started); err != nil || started.State != analysis.HuntRunning {
		t.Fatalf("%+v, %v", started, err)
	}
	b.want(b.run(0, "", "rule", "hunt", "list"), "ios-fan-failed", "0 of 0")
	b.run(2, "", "rule", "hunt", "show", "x")
	b.want(b.run(1, "", "rule", "hunt", "show", "12"), "no hunt 12")
	// One that waits for its turn is ended at once.
	id := int64(0)
	err := b.store.InTx(context.Background(), func(tx *sqlstore.Tx) (err error) {
		if id, err = tx.Analysis().PutHunt(context.Background(), analysis.HuntRecord{Rules: []string{"ios-fan-failed"}, State: analysis.HuntRunning, UpdatedAt: time.Now()}); err != nil {
			return err
		}
		_, err = tx.Analysis().ClaimHunt(context.Background(), id, 4711, time.Now(), time.Now()) // by another server
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	name := strconv.FormatInt(id, 10)
	b.want(b.run(0, "", "rule", "hunt", "cancel", name), "is canceled")
	b.want(b.run(1, "", "rule", "hunt", "cancel", name), "is canceled")
	b.want(b.run(0, "", "rule", "hunt", "show", name), "rule ios-fan-failed")
	if got, err := b.store.Read().Account().ListAudit(context.Background(), account.Everywhere(), account.AuditFilter{Action: "hunt"}, account.Page{}); err != nil || len(got) != 3 {
		t.Errorf("audit: %+v, %v", got, err)
	}
}
