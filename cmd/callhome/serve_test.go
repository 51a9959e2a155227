package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"callhome"
	"callhome/control"
	"callhome/ctl"
	"callhome/outbox"
	"callhome/outbox/spool"
)

// What the control socket answers holds no password of a destination; the queue keeps it.
func TestServedQueueShowsNoPassword(t *testing.T) {
	dir := t.TempDir()
	store, err := spool.Open(t.Context(), filepath.Join(dir, outboxFile), spool.Options{})
	if err != nil {
		t.Fatal(err)
	}
	q, err := outbox.Open(t.Context(), store, outbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	to := callhome.Destination{Transport: callhome.TransportHTTP, Address: "https://ops:hunter2@x.example/y"}
	if err := q.Put(t.Context(), callhome.Envelope{MessageID: "M1", Device: "a", Destination: to, Body: []byte("body")}); err != nil {
		t.Fatal(err)
	}
	s := &control.Server{Path: filepath.Join(dir, "control"), Log: slog.New(slog.DiscardHandler)}
	serveQueue(s, q)
	if err := s.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	defer func() { stop(); <-done }()
	client := &control.Client{Path: filepath.Join(dir, "control")}
	for name, args := range map[string]any{
		ctl.CallHistory: ctl.HistoryQuery{}, ctl.CallQueueList: ctl.QueueQuery{}, ctl.CallQueueShow: outbox.EntryID(1),
	} {
		var answer json.RawMessage
		if err := client.Call(t.Context(), name, args, &answer); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := string(answer); strings.Contains(got, "hunter2") || !strings.Contains(got, "x.example") {
			t.Errorf("%s: %s, want the address without its password", name, got)
		}
	}
	l, err := q.Lease(t.Context(), outbox.Limits{})
	if err != nil || l.Destination != to {
		t.Errorf("leased for %v (%v), want the address as it is", l.Destination, err)
	}
}

func TestPrintedPreviewShowsNoPassword(t *testing.T) {
	k := kept{Number: 1, Envelopes: []ctl.PreviewEnvelope{{Envelope: callhome.Envelope{
		Destination: callhome.Destination{Transport: callhome.TransportHTTP, Address: "https://ops:hunter2@x.example/y"},
	}}}}
	for _, asJSON := range []bool{false, true} {
		var out strings.Builder
		if err := (&app{json: asJSON, stdout: &out, stderr: &out}).printPreview(k); err != nil {
			t.Fatal(err)
		}
		if got := out.String(); strings.Contains(got, "hunter2") || !strings.Contains(got, "x.example") {
			t.Errorf("json %v: %s", asJSON, got)
		}
	}
	if !strings.Contains(k.Envelopes[0].Destination.Address, "hunter2") {
		t.Error("what is sent after it was printed has lost its password")
	}
}
