package outbox_test

import (
	"context"
	"testing"
	"time"

	"callhome"
	"callhome/outbox"
)

func TestHoldBeforeTheFirstEntry(t *testing.T) {
	q := open(t, nil).Queue
	dest := callhome.Destination{Transport: callhome.TransportHTTP, Address: "later"}
	q.Hold(dest, time.Now().Add(time.Hour))
	if err := q.Put(t.Context(), callhome.Envelope{MessageID: "1", Device: "d", Destination: dest, Body: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if l, err := q.Lease(ctx, outbox.Limits{}); err == nil {
		t.Fatalf("leased %d entries of a held destination", len(l.Entries))
	}
	q.Resume(dest)
	l, err := q.Lease(t.Context(), outbox.Limits{})
	if err != nil || len(l.Entries) != 1 {
		t.Fatalf("after Resume: %v %v", l, err)
	}
	if err := q.Settle(t.Context(), l); err != nil {
		t.Fatal(err)
	}
}

func TestConfirm(t *testing.T) {
	q := open(t, nil).Queue
	dest := callhome.Destination{Transport: callhome.TransportHTTP, Address: "a"}
	if err := q.Put(t.Context(), callhome.Envelope{MessageID: "1", Device: "d", Destination: dest, Body: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	list, err := q.List(t.Context(), outbox.Filter{})
	if err != nil || len(list) != 1 {
		t.Fatalf("%v %v", list, err)
	}
	if err := q.Confirm(t.Context(), list[0].ID, "by hand"); err != nil {
		t.Fatal(err)
	}
	lines, err := q.History(t.Context(), outbox.LedgerFilter{})
	if err != nil || len(lines) != 1 || lines[0].Status != outbox.StatusSent || lines[0].Detail != "by hand" {
		t.Errorf("history %+v, %v", lines, err)
	}
	if d, err := q.Depth(t.Context()); err != nil || d.Entries != 0 || d.EntryBytes != 0 {
		t.Errorf("depth %+v, %v", d, err)
	}
	if err := q.Confirm(t.Context(), list[0].ID, "again"); callhome.KindOf(err) != callhome.KindNotFound {
		t.Errorf("twice: %v", err)
	}
}
