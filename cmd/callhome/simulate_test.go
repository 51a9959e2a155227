package main

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"callhome/codec/aml"
)

// TestSimulateAgainstAReceiver posts a fleet's messages to a receiver by HTTPS that acknowledges all but every fourth.
func TestSimulateAgainstAReceiver(t *testing.T) {
	var mu sync.Mutex
	ids := map[string]bool{}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		m, err := aml.Decode(body, aml.Options{})
		if err != nil {
			t.Errorf("a message cannot be read: %v", err)
			return
		}
		mu.Lock()
		ids[string(m.MessageID)] = true
		n := len(ids)
		mu.Unlock()
		if n%4 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
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
