package server_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"callhome"
	"callhome/receive"
	"callhome/server"
	"callhome/server/account"
	"callhome/server/analysis"
	"callhome/server/archive"
	"callhome/server/casework"
	"callhome/server/notify"
)

// inbox is what rita was told, the newest first.
func (w *world) inbox(kind notify.Kind) []notify.Notice {
	w.t.Helper()
	ctx, read := context.Background(), w.store.Read()
	users, err := read.Account().ListUsers(ctx, account.Everywhere(), account.Page{})
	if err != nil || len(users) == 0 {
		w.t.Fatal(users, err)
	}
	entries, err := read.Notify().Inbox(ctx, account.Everywhere(), users[len(users)-1].ID, false, account.Page{Limit: 100})
	if err != nil {
		w.t.Fatal(err)
	}
	var out []notify.Notice
	for i := range entries {
		if entries[i].Notice.Kind == kind {
			out = append(out, entries[i].Notice)
		}
	}
	return out
}

const noPower = "*Mar 14 09:26:53.114: %C6KPWR-SP-4-INSUFFICIENTPOWER: insufficient power to power up module in slot 7 (power denied)."

// TestARecommendationIsToldOnce: the same advice by every message is one notice, until a while has passed.
func TestARecommendationIsToldOnce(t *testing.T) {
	w := newWorld(t)
	w.register("FOX1")
	for range 3 {
		w.post(w.message("FOX1", callhome.GroupSyslog, callhome.LevelMajor, noPower))
		w.settle()
	}
	found, err := w.store.Read().Analysis().List(context.Background(), account.Everywhere(), analysis.Filter{Rule: "ios-power-denied"}, account.Page{})
	if err != nil || len(found) != 3 {
		t.Fatalf("%d findings, %v", len(found), err)
	}
	if !found[0].ToldAt.Equal(found[2].ToldAt) || found[0].ToldAt.IsZero() {
		t.Errorf("told at %v and %v", found[2].ToldAt, found[0].ToldAt)
	}
	if got := w.inbox(notify.KindRecommendation); len(got) != 1 {
		t.Errorf("%d notices: %+v", len(got), got)
	}
	// Another device is another thing.
	w.register("FOX2")
	w.post(w.message("FOX2", callhome.GroupSyslog, callhome.LevelMajor, noPower))
	w.settle()
	if got := w.inbox(notify.KindRecommendation); len(got) != 2 {
		t.Errorf("%d notices after another device", len(got))
	}
}

const silencePack = `name: site-silence
version: "1"
description: A device that is silent is a service request here.
rules:
  - id: site-telemetry-silent
    name: Silent
    class: hardware
    match: {silence: {groups: [telemetry], missed: 2}}
    outcome: service_request
    severity: minor
    state: raise
    component: telemetry
    title: Telemetry stays away
    diagnosis: It came by schedule.
    recommendation: Look.
    samples:
      positive: [{silence: {group: telemetry, missed: 2}}]
      negative: [{silence: {group: telemetry, missed: 1}}]
`

// TestADeviceThatSpeaksAgainEndsItsSilence: what the silence opened is cleared by the message that ends it.
func TestADeviceThatSpeaksAgainEndsItsSilence(t *testing.T) {
	pack, err := analysis.ParsePack("silence.yaml", []byte(silencePack))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorldWith(t, func(o *server.Options) {
		if o.Rules, err = analysis.New(pack); err != nil {
			t.Fatal(err)
		}
		o.Now = func() time.Time { return time.Now().Add(60 * 24 * time.Hour) }
	})
	w.register("FOX1")
	at := time.Now()
	say := func(day int) {
		t.Helper()
		if _, err := w.server.Accept(context.Background(), &receive.Submission{
			Body: w.xml(w.message("FOX1", callhome.GroupTelemetry, callhome.LevelNotification, "telemetry")), Transport: callhome.TransportHTTP, ReceivedAt: at.Add(time.Duration(day) * 24 * time.Hour),
			Peer: netip.MustParseAddrPort("192.0.2.7:4711"), HTTP: &receive.HTTP{Path: "/x"},
		}); err != nil {
			t.Fatal(err)
		}
		w.settle()
	}
	for day := 7; day <= 28; day += 7 {
		say(day)
	}
	ctx := context.Background()
	if err := w.server.KeepHouse(ctx); err != nil { // on day 60
		t.Fatal(err)
	}
	cases, err := w.store.Read().Casework().Cases(ctx, account.Everywhere(), casework.CaseFilter{}, account.Page{})
	if err != nil || len(cases) != 1 || !cases[0].SettleAt.IsZero() || cases[0].State != casework.StateNew {
		t.Fatalf("after the silence: %+v, %v", cases, err)
	}
	say(61)
	if got := w.records(archive.Filter{}); got[0].Status != archive.StatusProcessed {
		t.Fatalf("the message that ends the silence is %s, %v", got[0].Status, got[0].Reasons)
	}
	cases, err = w.store.Read().Casework().Cases(ctx, account.Everywhere(), casework.CaseFilter{}, account.Page{})
	if err != nil || len(cases) != 1 || cases[0].SettleAt.IsZero() && cases[0].State != casework.StateResolved {
		t.Errorf("after the device spoke: %+v, %v", cases, err)
	}
}
