package pagerduty

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"callhome"
	"callhome/callhometest"
	"callhome/server/casework"
)

// fake behaves as "Send an Alert Event" says: 202 with status, message and dedup_key; 400 for an event that is not
// valid (no summary, source or severity, a summary over 1024 characters, a dedup_key over 255); events with the
// dedup_key of an open alert join it. Notes as in "Create a note on an incident": Authorization: Token token=…, From.
type fake struct {
	mu     sync.Mutex
	alerts map[string]string // by dedup_key: status
	log    []event
	notes  []string
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.URL.Path == "/v2/enqueue" {
		f.enqueue(w, r)
		return
	}
	if r.Header.Get("Authorization") != "Token token=sesame" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	switch r.Method + " " + r.URL.Path {
	case "GET /incidents":
		list := []any{}
		if _, ok := f.alerts[r.URL.Query().Get("incident_key")]; ok {
			list = append(list, map[string]string{"id": "PT4KHLK"})
		}
		say(w, http.StatusOK, map[string]any{"incidents": list})
	case "GET /incidents/PT4KHLK/notes":
		list := []any{}
		for _, n := range f.notes {
			list = append(list, map[string]string{"content": n})
		}
		say(w, http.StatusOK, map[string]any{"notes": list})
	case "POST /incidents/PT4KHLK/notes":
		var in struct {
			Note struct {
				Content string `json:"content"`
			} `json:"note"`
		}
		if json.NewDecoder(r.Body).Decode(&in) != nil || in.Note.Content == "" || r.Header.Get("From") == "" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		f.notes = append(f.notes, in.Note.Content)
		say(w, http.StatusCreated, map[string]any{})
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (f *fake) enqueue(w http.ResponseWriter, r *http.Request) {
	var e event
	err := json.NewDecoder(r.Body).Decode(&e)
	p := e.Payload
	switch {
	case err != nil, e.RoutingKey != "R0UT1NGKEY", e.DedupKey == "", len(e.DedupKey) > 255,
		e.Action == "trigger" && (p == nil || p.Summary == "" || len([]rune(p.Summary)) > 1024 || p.Source == "" || !strings.Contains("critical error warning info", p.Severity)):
		say(w, http.StatusBadRequest, map[string]any{"status": "invalid event", "message": "Event object is invalid"})
		return
	}
	f.log = append(f.log, e)
	switch e.Action {
	case "trigger":
		if f.alerts[e.DedupKey] == "" || f.alerts[e.DedupKey] == "resolved" {
			f.alerts[e.DedupKey] = "triggered"
		}
	case "acknowledge", "resolve":
		f.alerts[e.DedupKey] = states[e.Action]
	}
	say(w, http.StatusAccepted, map[string]string{"status": "success", "message": "Event processed", "dedup_key": e.DedupKey})
}

func say(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func setUp(t *testing.T) (*fake, *callhometest.Hostile, *Adapter) {
	f := &fake{alerts: map[string]string{}}
	h := callhometest.NewHostile(t, f)
	cfg := Config{
		Name: "pd", RoutingKey: callhome.NewSecret("R0UT1NGKEY"), Token: callhome.NewSecret("sesame"), From: "bot@ops.example", Secret: callhome.NewSecret("hook"),
		EventsURL: h.URL, APIURL: h.URL + "/", Portal: "https://portal.example",
	}
	if err := cfg.Validate("pagerduty[0]"); err != nil {
		t.Fatal(err)
	}
	return f, h, New(cfg, h.TLS)
}

func push(kind casework.PushKind, state casework.State, seq int64) *casework.Push {
	c := casework.Case{
		ID: 1234567, Number: "SR-000123", Title: strings.Repeat("long ", 400), State: state, Level: callhome.LevelMajor, Priority: 3,
		Subject: casework.Subject{DeviceID: "X@C@S1"},
	}
	return &casework.Push{
		Kind: kind, Key: fmt.Sprintf("SR-000123/%d/abc", seq), Seq: seq,
		Snapshot: casework.Snapshot{Case: c, Event: casework.Event{Seq: seq, At: time.Unix(1773480413, 0), Kind: casework.EventNoted, Text: "seen"}},
	}
}

func TestContractOfPagerDuty(t *testing.T) {
	f, h, a := setUp(t)
	ctx := context.Background()
	h.Fail(callhometest.Fault{Done: true}, callhometest.Fault{Half: true}, callhometest.Fault{Status: 429}, callhometest.Fault{Status: 500})
	for i := range 4 {
		if _, err := a.Push(ctx, push(casework.PushCreate, casework.StateNew, 1), &casework.Link{}); err == nil || casework.IsRefused(err) {
			t.Errorf("fault %d: %v", i, err)
		}
	}
	r, err := a.Push(ctx, push(casework.PushCreate, casework.StateNew, 1), &casework.Link{})
	if err != nil || len(f.alerts) != 1 || f.alerts[r.Remote] != "triggered" || r.State != "triggered" {
		t.Fatalf("create: %+v, %v, %v", r, err, f.alerts)
	}
	l := &casework.Link{Remote: r.Remote}
	for _, c := range []struct {
		kind  casework.PushKind
		state casework.State
		want  string
	}{
		{casework.PushState, casework.StateAcknowledged, "acknowledged"}, {casework.PushState, casework.StatePendingVendor, "acknowledged"},
		{casework.PushUpdate, casework.StateAcknowledged, "acknowledged"}, {casework.PushState, casework.StateResolved, "resolved"},
		{casework.PushState, casework.StateOpen, "triggered"}, {casework.PushState, casework.StateClosed, "resolved"},
	} {
		if _, err := a.Push(ctx, push(c.kind, c.state, 2), l); err != nil || f.alerts[r.Remote] != c.want {
			t.Errorf("%s %s: %v, alert is %s, want %s", c.kind, c.state, err, f.alerts[r.Remote], c.want)
		}
	}
	note := push(casework.PushComment, casework.StateNew, 7)
	for try := range 3 {
		note.Tries = try
		if _, err := a.Push(ctx, note, l); err != nil || len(f.notes) != 1 || !casework.Ours(f.notes[0]) {
			t.Errorf("note, try %d: %v, %q", try, err, f.notes)
		}
	}
	a.cfg.Token = callhome.Secret{}
	before := len(f.log)
	if _, err := a.Push(ctx, note, l); err != nil || len(f.log) != before+1 {
		t.Errorf("a note without a token goes as an event: %v", err)
	}
	a.cfg.RoutingKey = callhome.NewSecret("wrong")
	if _, err := a.Push(ctx, push(casework.PushCreate, casework.StateNew, 1), l); !casework.IsRefused(err) {
		t.Errorf("a wrong key: %v", err)
	}
}

// TestWebhooksOfPagerDuty: "Verifying Webhook Signatures": X-PagerDuty-Signature holds v1= and HMAC-SHA256 of the body
// for each secret in force; "Webhooks v3 Overview": event.id, event_type, occurred_at, agent, data.
func TestWebhooksOfPagerDuty(t *testing.T) {
	_, _, a := setUp(t)
	now := time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
	body := func(kind, status, at string) []byte {
		return []byte(fmt.Sprintf(`{"event":{"id":"01E1","event_type":%q,"resource_type":"incident","occurred_at":%q,"agent":{"id":"P1","type":"user_reference","summary":"Zoe"},
			"client":null,"data":{"id":"PT4KHLK","type":"incident","status":%q,"incident_key":"callhome/SR-000123/12d687","assignees":[{"summary":"Zoe"}]}}}`, kind, at, status))
	}
	at := now.Format(time.RFC3339)
	post := func(b []byte, secrets ...string) ([]casework.Update, error) {
		h := http.Header{}
		var all []string
		for _, s := range secrets {
			all = append(all, "v1="+casework.Sign(callhome.NewSecret(s), b))
		}
		h.Set("X-PagerDuty-Signature", strings.Join(all, ","))
		return a.Receive(h, b, now)
	}
	for kind, want := range map[string]casework.State{
		"incident.acknowledged": casework.StateAcknowledged, "incident.resolved": casework.StateResolved, "incident.unacknowledged": casework.StateOpen,
		"incident.reopened": casework.StateOpen,
	} {
		got, err := post(body(kind, "x", at), "old", "hook")
		if err != nil || len(got) != 1 || got[0].State != want || got[0].Remote != "callhome/SR-000123/12d687" || got[0].EventID != "01E1" || got[0].Who != "Zoe" {
			t.Errorf("%s: %+v, %v", kind, got, err)
		}
	}
	if got, err := post(body("incident.reassigned", "triggered", at), "hook"); err != nil || len(got) != 1 || got[0].Assignee != "Zoe" || got[0].State != "" {
		t.Errorf("reassigned: %+v, %v", got, err)
	}
	for _, dull := range []string{"incident.priority_updated", "pagey.ping", "service.updated"} {
		if got, err := post(body(dull, "x", at), "hook"); err != nil || len(got) != 0 {
			t.Errorf("%s: %+v, %v", dull, got, err)
		}
	}
	for name, f := range map[string]func() ([]casework.Update, error){
		"unsigned": func() ([]casework.Update, error) { return post(body("incident.resolved", "x", at)) },
		"forged":   func() ([]casework.Update, error) { return post(body("incident.resolved", "x", at), "a", "b") },
		"old": func() ([]casework.Update, error) {
			return post(body("incident.resolved", "x", "2026-03-14T08:00:00Z"), "hook")
		},
		"undated": func() ([]casework.Update, error) {
			return post([]byte(`{"event":{"event_type":"incident.resolved"}}`), "hook")
		},
	} {
		if got, err := f(); callhome.KindOf(err) != callhome.KindDenied || len(got) != 0 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}
