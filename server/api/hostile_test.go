package api_test

import (
	"bufio"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"callhome/callhometest"
	"callhome/server/api"
)

// texts that somebody tries to make a database, a page, a spreadsheet or a log do something with.
var texts = []string{
	"'; DROP TABLE devices; --", "1 OR 1=1", "%' OR '1'='1", "$1", "\\'; SELECT 1", "<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "../../etc/passwd",
	"{{7*7}}", "${jndi:ldap://x}", "=cmd|' /C calc'!A0", strings.Repeat("A", 100_000), "\u202Eevil", "\x00null", "a\r\nSet-Cookie: x=1", "\xff\xfe",
}

func TestHostileTexts(t *testing.T) { testHostileTexts(t, newWorld(t, openSQLite(t))) }

func TestHostileFields(t *testing.T) { testHostileFields(t, newWorld(t, openSQLite(t))) }

// TestPeerHostilePostgres: the other database minds other texts.
func TestPeerHostilePostgres(t *testing.T) {
	w := newWorld(t, openStore(t, callhometest.Postgres(t)))
	testHostileTexts(t, w)
	testHostileFields(t, w)
}

func testHostileTexts(t *testing.T, w *world) {
	filters := []string{
		"/messages?message_id=", "/messages?q=", "/messages?device_id=", "/messages?status=", "/messages?since=", "/messages?severity=", "/messages?fields=", "/messages?cursor=",
		"/messages?limit=", "/messages.csv?q=", "/messages.ndjson?gateway=", "/devices?sys_name=", "/devices?serial=", "/devices?state=", "/service-requests?q=", "/service-requests?state=", "/service-requests/",
		"/contracts/", "/devices/", "/findings?rule=", "/units?product=", "/units?serial=", "/users?limit=", "/audit?actor=", "/audit?action=", "/audit?since=", "/advisories?cve=",
		"/configurations/search?q=", "/rules?q=", "/rules/", "/exceptions?reason=", "/events?kinds=", "/gateways?name=",
	}
	for _, text := range texts {
		for _, f := range filters {
			escape := url.QueryEscape
			if strings.HasSuffix(f, "/") {
				escape = url.PathEscape
			}
			r := w.do("operator", "GET", f+escape(text), nil)
			if r.status >= 500 || r.status >= 300 && r.header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("GET %s%.40q: %d %.200s", f, text, r.status, r.body)
			}
			if len(r.body) > 64<<10 {
				t.Errorf("GET %s%.40q: an answer of %d bytes", f, text, len(r.body))
			}
		}
	}
	if items, _ := itemsOf(t, w.do("operator", "GET", "/devices", nil)); len(items) != 4 {
		t.Errorf("%d devices are left, want 4", len(items))
	}
}

// testHostileFields puts such texts into every text of every body, and reads them back as they were.
func testHostileFields(t *testing.T, w *world) {
	for _, text := range texts {
		for _, c := range []struct {
			method, path string
			body         map[string]any
		}{
			{"POST", "/service-requests", map[string]any{"device": itoa(w.alpha.device), "title": text, "text": text, "team": text}},
			{"POST", "/service-requests/" + w.alpha.number + "/note", map[string]any{"text": text}},
			{"POST", "/groups", map[string]any{"company": itoa(int64(w.alpha.company)), "kind": "site", "name": text, "address": text, "contact": text}},
			{"POST", "/companies", map[string]any{"name": text}},
			{"POST", "/users", map[string]any{"name": text, "email": text, "full_name": text, "role": "viewer", "companies": []string{itoa(int64(w.alpha.company))}, "time_zone": text}},
			{"POST", "/tokens", map[string]any{"name": text, "scope": "read"}},
			{"POST", "/maintenance", map[string]any{"company": itoa(int64(w.alpha.company)), "scope": "site", "target": text, "from": w.now, "until": w.now.Add(time.Hour), "reason": text}},
			{"PUT", "/contracts/K-9", map[string]any{"company": itoa(int64(w.alpha.company)), "tier": text, "name": text}},
			{"POST", "/enrolment-tokens", map[string]any{"kind": "agent", "company": itoa(int64(w.alpha.company)), "name": text}},
			{"PUT", "/preferences", map[string]any{"hour": 1, "zone": text}},
			{"POST", "/session", map[string]any{"name": text, "password": text}},
			{"POST", "/registrations/confirm", map[string]any{"token": text, "code": text, "contract": text, "agreed": true}},
		} {
			r := w.do("operator", c.method, c.path, c.body)
			if r.status >= 500 {
				t.Errorf("%s %s with %.40q: %d %.300s", c.method, c.path, text, r.status, r.body)
			}
			if strings.Contains(string(r.body), "<script") || r.header.Get("Set-Cookie") != "" {
				t.Errorf("%s %s with %.40q gives it back as markup: %v %.300s", c.method, c.path, text, r.header, r.body)
			}
		}
	}
	r := w.do("operator", "POST", "/service-requests/"+w.alpha.number+"/note", map[string]any{"text": "<b>'; DROP TABLE x</b> é \u202E"})
	items, _ := itemsOf(t, w.do("viewer", "GET", "/service-requests/"+w.alpha.number+"/events?limit=1", nil))
	if r.status != 200 || items[0]["text"] != "<b>'; DROP TABLE x</b> é \u202E" {
		t.Errorf("%d, and it reads %v", r.status, items[0]["text"])
	}
}

func TestHostileRequests(t *testing.T) {
	w := newWorld(t, openSQLite(t))
	note := "/service-requests/" + w.alpha.number + "/note"
	deep := strings.Repeat(`{"text":`, 20_000) + `"x"` + strings.Repeat("}", 20_000)
	for name, c := range map[string]struct {
		method, path string
		body         any
		header       []string
		want         int
	}{
		"an unknown parameter":          {"GET", "/messages?colour=red", nil, nil, 400},
		"a parameter twice":             {"GET", "/messages?limit=1&limit=2", nil, nil, 400},
		"a negative limit":              {"GET", "/messages?limit=-1", nil, nil, 400},
		"a limit of none":               {"GET", "/messages?limit=0", nil, nil, 400},
		"a limit too high":              {"GET", "/messages?limit=1001", nil, nil, 400},
		"a limit beyond numbers":        {"GET", "/messages?limit=99999999999999999999", nil, nil, 400},
		"a limit in words":              {"GET", "/messages?limit=all", nil, nil, 400},
		"a made-up cursor":              {"GET", "/messages?cursor=abc", nil, nil, 400},
		"a negative cursor":             {"GET", "/messages?cursor=k-1", nil, nil, 400},
		"a huge cursor":                 {"GET", "/messages?cursor=" + strings.Repeat("z", 3000), nil, nil, 400},
		"a cursor beyond numbers":       {"GET", "/messages?cursor=kzzzzzzzzzzzzzzzz", nil, nil, 400},
		"a time that is none":           {"GET", "/messages?since=yesterday", nil, nil, 400},
		"a search for two letters":      {"GET", "/messages?q=ab", nil, nil, 400},
		"an ID that is none":            {"GET", "/devices/abc", nil, nil, 400},
		"a negative ID":                 {"GET", "/devices/-1", nil, nil, 400},
		"an ID beyond numbers":          {"GET", "/devices/99999999999999999999", nil, nil, 400},
		"a broken escape":               {"GET", "/messages?q=%zz", nil, nil, 400},
		"a semicolon in the query":      {"GET", "/messages?q=abc;limit=1", nil, nil, 400},
		"a long address":                {"GET", "/messages?q=" + strings.Repeat("a", 5000), nil, nil, 414},
		"up in the path":                {"GET", "/devices/../users", nil, nil, 404},
		"up in the path, escaped":       {"GET", "/devices/%2e%2e/users", nil, nil, 404},
		"a slash, escaped":              {"GET", "/contracts/a%2fb", nil, nil, 404},
		"a double slash":                {"GET", "//devices", nil, nil, 404},
		"a null in the path":            {"GET", "/devices/1%00", nil, nil, 404},
		"a path parameter":              {"GET", "/devices;x=1", nil, nil, 404},
		"an address that is not there":  {"GET", "/secrets", nil, nil, 404},
		"another method":                {"DELETE", "/messages", nil, nil, 405},
		"a method that nobody has":      {"BREW", "/messages", nil, nil, 405},
		"TRACE":                         {"TRACE", "/messages", nil, nil, 405},
		"OPTIONS from another site":     {"OPTIONS", "/messages", nil, []string{"Origin", "https://evil.example", "Access-Control-Request-Method", "POST"}, 405},
		"no body":                       {"POST", note, nil, nil, 400},
		"an empty body":                 {"POST", note, "", nil, 400},
		"half a body":                   {"POST", note, `{"text":`, nil, 400},
		"a list for an object":          {"POST", note, `["text"]`, nil, 400},
		"a number for a text":           {"POST", note, `{"text":1}`, nil, 400},
		"a field that nobody asked for": {"POST", note, `{"text":"x","state":"closed"}`, nil, 400},
		"two bodies":                    {"POST", note, `{"text":"x"}{"text":"y"}`, nil, 400},
		"a deep body":                   {"POST", note, deep, nil, 400},
		"a body too large":              {"POST", note, `{"text":"` + strings.Repeat("x", 300<<10) + `"}`, nil, 413},
		"a form":                        {"POST", note, "text=x", []string{"Content-Type", "application/x-www-form-urlencoded"}, 415},
		"text for JSON":                 {"POST", note, `{"text":"x"}`, []string{"Content-Type", "text/plain"}, 415},
		"XML":                           {"POST", note, "<text>x</text>", []string{"Content-Type", "application/xml"}, 415},
		"a body that says it is packed": {"POST", note, "\x1f\x8b", []string{"Content-Encoding", "gzip"}, 415},
		"JSON for CSV":                  {"POST", "/contracts/import", "{}", nil, 415},
		"a CSV that is none":            {"POST", "/contracts/import", "\x00\x01", []string{"Content-Type", "text/csv"}, 400},
		"a scheme that is none":         {"GET", "/messages", nil, []string{"Authorization", "Basic b3A6eA=="}, 401},
		"a token that is none":          {"GET", "/messages", nil, []string{"Authorization", "Bearer cht_x"}, 401},
		"an empty token":                {"GET", "/messages", nil, []string{"Authorization", "Bearer "}, 401},
		"a huge token":                  {"GET", "/messages", nil, []string{"Authorization", "Bearer " + strings.Repeat("x", 5000)}, 401},
		"another method by a header":    {"POST", "/messages", nil, []string{"X-HTTP-Method-Override", "GET"}, 405},
		"another address by a header":   {"GET", "/secrets", nil, []string{"X-Original-URL", "/api/v1/users", "X-Rewrite-URL", "/api/v1/users"}, 404},
		"a key that is too long":        {"POST", note, `{"text":"x"}`, []string{"Idempotency-Key", strings.Repeat("k", 300)}, 400},
		"an unknown state":              {"GET", "/service-requests?state=gone", nil, nil, 400},
		"an order that is none":         {"POST", "/service-requests", `{"device":"1e3","title":"x"}`, nil, 400},
		"a device that is not there":    {"POST", "/service-requests", `{"device":"1","title":"x"}`, nil, 404},
		"accepting only what we do not": {"GET", "/devices", nil, []string{"Accept", "application/xml"}, 200},
		"a Last-Event-ID that is none":  {"GET", "/events", nil, []string{"Last-Event-ID", "-1"}, 400},
		"a return to another site":      {"GET", "/session/oidc?return=https://evil.example", nil, nil, 404},
	} {
		r := w.do("operator", c.method, c.path, c.body, c.header...)
		if r.status != c.want {
			t.Errorf("%s: %d, want %d: %.300s", name, r.status, c.want, r.body)
			continue
		}
		if c.want < 400 {
			continue
		}
		var p api.Problem
		if err := json.Unmarshal(r.body, &p); err != nil || p.Status != c.want || p.Kind == "" || p.Detail == "" && len(p.Errors) == 0 || len(r.body) > 16<<10 {
			t.Errorf("%s: the problem is %.300s", name, r.body)
		}
		if strings.Contains(string(r.body), "SQL") || strings.Contains(string(r.body), ".go:") {
			t.Errorf("%s: the problem tells of our insides: %s", name, r.body)
		}
	}
	if r := w.do("operator", "GET", "/messages?colour=red", nil); !strings.Contains(string(r.body), "colour") {
		t.Errorf("the unknown parameter is not named: %s", r.body)
	}
}

func TestEveryAnswerIsGuarded(t *testing.T) {
	w := newWorld(t, openSQLite(t))
	for _, path := range []string{"/messages", "/messages.csv", "/nothing", "/openapi.json", "/session", "/messages/" + itoa(w.alpha.message) + "/raw"} {
		for _, caller := range []string{"", "operator"} {
			h := w.do(caller, "GET", path, nil, "Origin", "https://evil.example").header
			for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"} {
				if h.Get(name) != want {
					t.Errorf("%s: %s is %q, want %q", path, name, h.Get(name), want)
				}
			}
			if !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") || h.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s: %v", path, h)
			}
		}
	}
}

// TestSmuggling sends what two readers of HTTP might read in two ways.
func TestSmuggling(t *testing.T) {
	w := newWorld(t, openSQLite(t))
	address := strings.TrimPrefix(strings.TrimSuffix(w.url, api.Prefix), "http://")
	for name, request := range map[string]string{
		"two lengths":          "POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 50\r\n\r\n{}",
		"length and chunks":    "POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /api/v1/users HTTP/1.1\r\nHost: x\r\n\r\n",
		"an odd encoding":      "POST /api/v1/session HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
		"a name with a blank":  "GET /api/v1/session HTTP/1.1\r\nHost: x\r\nAuthorization : Bearer x\r\n\r\n",
		"a folded header":      "GET /api/v1/session HTTP/1.1\r\nHost: x\r\nX-A: b\r\n Authorization: Bearer x\r\n\r\n",
		"two hosts":            "GET /api/v1/session HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
		"two authorizations":   "GET /api/v1/session HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + w.tokens["operator"] + "\r\nAuthorization: Bearer x\r\n\r\n",
		"a line feed in a URL": "GET /api/v1/session?a=\nX: y HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
		_, _ = conn.Write([]byte(request))
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		_ = conn.Close()
		if err == nil && res.StatusCode < 400 {
			t.Errorf("%s: %d", name, res.StatusCode)
		}
	}
}

func TestRates(t *testing.T) {
	w := newWorld(t, openSQLite(t))
	now := time.Now()
	a := api.New(api.Options{Backend: w.backend(), Now: func() time.Time { return now }, Rates: api.Rates{Caller: 5, Address: 10, Failures: 1}})
	w.url = w.serve(a)
	count := func(caller string, n int) (ok, limited int) {
		for range n {
			switch r := w.do(caller, "GET", "/session", nil); {
			case r.status == 429 && r.header.Get("Retry-After") != "":
				limited++
			case r.status == 200 || r.status == 401:
				ok++
			}
		}
		return ok, limited
	}
	if ok, limited := count("viewer", 25); ok != 20 || limited != 5 {
		t.Errorf("one token: %d ok, %d limited, want 20 and 5", ok, limited)
	}
	now = now.Add(time.Second)
	if ok, _ := count("viewer", 8); ok != 5 {
		t.Errorf("a second later: %d ok, want 5", ok)
	}
	now = now.Add(time.Hour)
	if ok, limited := count("revoked", 30); ok != 20 || limited != 10 {
		t.Errorf("a token that is none: %d answered, %d limited, want 20 and 10", ok, limited)
	}
	if ok, _ := count("operator", 1); ok != 0 {
		t.Error("an address that guesses is let through with a good token at once: a guess would be told by it")
	}
	now = now.Add(time.Minute)
	if ok, _ := count("operator", 1); ok != 1 {
		t.Error("the address is locked out for good")
	}
}
