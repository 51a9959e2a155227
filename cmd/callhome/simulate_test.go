package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"callhome"
	"callhome/codec/aml"
	"callhome/config"
	"callhome/receive/httprecv"
	"callhome/server/account"
	"callhome/server/archive"
	"callhome/server/registry"
)

// TestSimulateAgainstAReceiver posts a fleet's messages to a receiver by HTTPS that acknowledges all but every fourth.
func TestSimulateAgainstAReceiver(t *testing.T) {
	var mu sync.Mutex
	ids, introduced := map[string]bool{}, map[string]bool{}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		m, err := aml.Decode(body, aml.Options{})
		if err != nil {
			t.Errorf("a message cannot be read: %v", err)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		ids[string(m.MessageID)] = true
		if want := !introduced[m.Serial]; want != (m.Group == callhome.GroupInventory) {
			t.Errorf("%s sent %s; the inventory comes first, until it is acknowledged, and once", m.Serial, m.Group)
		}
		if len(ids)%4 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		introduced[m.Serial] = true
		_, _ = w.Write(aml.AppendAck(nil, m.MessageID, aml.ResultAccepted))
	}))
	defer server.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	code := run([]string{"--json", "simulate", "--target", server.URL, "--ca-file", ca, "--devices", "5", "--rate", "100", "--for", "300ms"},
		strings.NewReader(""), &out, &errs)
	if code != exitOK {
		t.Fatalf("got exit code %d: %s%s", code, out.String(), errs.String())
	}
	var got struct {
		Sent, Acknowledged, Lost int
		Latency                  struct{ P50, P90, P99, Max float64 } `json:"latency_ms"`
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Sent == 0 || got.Sent != len(ids) || got.Lost != got.Sent/4 || got.Acknowledged+got.Lost != got.Sent {
		t.Errorf("the receiver counted %d messages; the report says %+v", len(ids), got)
	}
	if l := got.Latency; !(l.P50 > 0 && l.P50 <= l.P90 && l.P90 <= l.P99 && l.P99 <= l.Max) {
		t.Errorf("the percentiles %+v do not grow", l)
	}
}

// TestSimulateAgainstABackEnd: what a fleet is told was taken is in the archive, once, and every device is known.
func TestSimulateAgainstABackEnd(t *testing.T) {
	const devices = 40
	cfg, err := config.ParseServer(filepath.Join(t.TempDir(), "server.yaml"), []byte(`{listen: {devices: ["http://127.0.0.1:0"]}}`))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	b, err := newBackend(ctx, cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	ended := make(chan error, 1)
	go func() { ended <- b.run(ctx) }()

	var out, errs bytes.Buffer
	code := run([]string{"--json", "simulate", "--target", b.posts.URLs()[0] + httprecv.PathDDCE, "--devices", fmt.Sprint(devices), "--rate", "200", "--for", "800ms"},
		strings.NewReader(""), &out, &errs)
	if code != exitOK {
		t.Fatalf("got exit code %d: %s%s", code, out.String(), errs.String())
	}
	var got struct{ Sent, Acknowledged, Lost int }
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Lost != 0 || got.Acknowledged < 2*devices {
		t.Errorf("got %+v, want nothing lost and two messages at least of every device", got)
	}
	h := &home{back: b}
	for n, err := h.backlog(ctx); n > 0 || err != nil; n, err = h.backlog(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond) // the work has no end to wait for
	}
	read := b.store.Read()
	counts, err := read.Archive().Counts(ctx, account.Everywhere(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if n := archived(counts); n != int64(got.Acknowledged) || counts.ByGroup[callhome.GroupInventory] != devices {
		t.Errorf("the archive has %d messages, %d of them inventories; want %d and %d", n, counts.ByGroup[callhome.GroupInventory], got.Acknowledged, devices)
	}
	if n := counts.ByStatus[archive.StatusFailed]; n != 0 {
		t.Errorf("%d messages failed", n)
	}
	known, err := read.Registry().ListDevices(ctx, account.Everywhere(), registry.DeviceFilter{State: registry.StatePending}, account.Page{Limit: 2 * devices})
	if err != nil || len(known) != devices {
		t.Errorf("%d devices wait for a person (%v), want %d", len(known), err, devices)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
