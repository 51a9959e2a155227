package api_test

import (
	"strings"
	"testing"
)

func TestRepeatedRequestsDoNothing(t *testing.T) {
	w := newWorld(t, openSQLite(t))
	open := func(caller, key, title string) *reply {
		return w.do(caller, "POST", "/service-requests", map[string]any{"device": itoa(w.alpha.device), "title": title}, "Idempotency-Key", key)
	}
	first := open("device-administrator", "k1", "fan is loud")
	again := open("device-administrator", "k1", "fan is loud")
	if first.status != 201 || again.status != 201 || string(first.body) != string(again.body) {
		t.Fatalf("%d %s\n%d %s", first.status, first.body, again.status, again.body)
	}
	if r := open("device-administrator", "k1", "another thing"); r.status != 409 {
		t.Errorf("another request with the key: %d, want 409", r.status)
	}
	if r := open("company-administrator", "k1", "fan is loud"); r.status != 201 || string(r.body) == string(first.body) {
		t.Errorf("somebody else's key: %d %s", r.status, r.body)
	}
	items, _ := itemsOf(t, w.do("viewer", "GET", "/service-requests?q=fan", nil))
	if len(items) != 2 {
		t.Errorf("%d service requests, want 2", len(items))
	}
}

func TestRepeatedSecretsAreNotShownAgain(t *testing.T) {
	w := newWorld(t, openSQLite(t))
	make := func() *reply {
		return w.do("viewer", "POST", "/tokens", map[string]any{"name": "script", "scope": "read"}, "Idempotency-Key", "t1")
	}
	first := make()
	secret, _ := first.json(t)["token"].(string)
	if first.status != 201 || !strings.HasPrefix(secret, "cht_") {
		t.Fatalf("%d %s", first.status, first.body)
	}
	if again := make(); again.status != 409 || strings.Contains(string(again.body), secret) {
		t.Errorf("again: %d %s", again.status, again.body)
	}
	w.tokens["made"] = secret
	if r := w.do("made", "GET", "/devices", nil); r.status != 200 {
		t.Errorf("the token: %d", r.status)
	}
	if r := w.do("made", "POST", "/notifications/read", map[string]any{}); r.status != 403 {
		t.Errorf("a change by a token for reading: %d, want 403", r.status)
	}
}

// TestChangesAreInTheAuditLog looks for the line of each kind of change, and that the chain holds.
func TestChangesAreInTheAuditLog(t *testing.T) {
	w := newWorld(t, openSQLite(t))
	for path, c := range map[string]struct {
		body   any
		action string
	}{
		"POST /service-requests/" + w.alpha.number + "/note":       {map[string]any{"text": "x"}, "case.write"},
		"PATCH /devices/" + itoa(w.alpha.device):                   {map[string]any{"contract": w.alpha.contract}, "device.assign"},
		"POST /registrations/" + itoa(w.alpha.pending) + "/reject": {nil, "device.rejected"},
		"PUT /groups/" + itoa(w.alpha.group):                       {map[string]any{"name": "renamed"}, "group.write"},
		"POST /agents/" + itoa(w.alpha.agent) + "/revoke":          {map[string]any{"reason": "lost"}, "enrolment.revoke"},
		"DELETE /maintenance/" + itoa(w.alpha.window):              {nil, "maintenance.end"},
		"PUT /contracts/" + w.alpha.contract:                       {map[string]any{"company": itoa(int64(w.alpha.company)), "tier": "silver"}, "contract.write"},
		"PATCH /users/" + itoa(w.alpha.user):                       {map[string]any{"full_name": "Anna"}, "user.change"},
		"POST /conflicts/" + itoa(w.alpha.conflict) + "/resolve":   {map[string]any{"decision": "kept"}, "device.resolve"},
		"PUT /preferences":                                         {map[string]any{"hour": 6}, "preference.write"},
	} {
		method, where, _ := strings.Cut(path, " ")
		if r := w.do("operator", method, where, c.body); r.status >= 300 {
			t.Errorf("%s: %d %s", path, r.status, r.body)
			continue
		}
		items, _ := itemsOf(t, w.do("operator", "GET", "/audit?action="+c.action, nil))
		if len(items) != 1 || items[0]["actor"] != "op by token operator" {
			t.Errorf("%s: the audit log says %v", path, items)
		}
	}
	v := w.do("operator", "GET", "/audit/verify", nil).json(t)
	if v["broken"] != nil || v["entries"].(float64) < 20 {
		t.Errorf("the chain: %v", v)
	}
}
