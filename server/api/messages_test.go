package api_test

import (
	"strings"
	"testing"

	"callhome"
	"callhome/codec/aml"
)

// archivedXML is a message as a device posts it.
func archivedXML(t testing.TB, m *callhome.Message) []byte {
	t.Helper()
	v, ok := aml.VariantFor("ios")
	if !ok {
		t.Fatal("there is no variant ios")
	}
	b, err := aml.Append(nil, m, v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestMessages(t *testing.T) {
	w := newWorld(t, openSQLite(t))
	r := w.do("viewer", "GET", "/messages", nil)
	if r.status != 200 {
		t.Fatalf("GET messages: %d %s", r.status, r.body)
	}
	items := r.json(t)["items"].([]any)
	if len(items) != 1 || items[0].(map[string]any)["message_id"] != "M1:alpha1:0A0B0C01" {
		t.Errorf("a viewer of alpha sees %s", r.body)
	}
	if n := len(w.do("operator", "GET", "/messages", nil).json(t)["items"].([]any)); n != 2 {
		t.Errorf("an operator sees %d messages, want 2", n)
	}
	path := "/messages/" + items[0].(map[string]any)["id"].(string)
	for caller, secret := range map[string]bool{"viewer": false, "device-administrator": true} {
		one := w.do(caller, "GET", path, nil)
		if one.status != 200 || !strings.Contains(string(one.body), "hostname alpha-router") {
			t.Fatalf("%s: %d %s", caller, one.status, one.body)
		}
		if got := strings.Contains(string(one.body), "alpha-pass-1"); got != secret {
			t.Errorf("%s sees secrets: %v, want %v", caller, got, secret)
		}
	}
	raw := w.do("device-administrator", "GET", path+"/raw", nil)
	if raw.status != 200 || !strings.Contains(string(raw.body), "<soap-env:Envelope") && !strings.Contains(string(raw.body), "Envelope") ||
		!strings.HasPrefix(raw.header.Get("Content-Type"), "text/plain") || !strings.HasPrefix(raw.header.Get("Content-Disposition"), "attachment") || raw.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("raw: %d %v %.80s", raw.status, raw.header, raw.body)
	}
	if got := w.do("viewer", "GET", path+"/raw", nil); got.status != 403 {
		t.Errorf("raw by a viewer: %d, want 403", got.status)
	}
}
