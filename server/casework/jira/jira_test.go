package jira

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"callhome"
	"callhome/callhometest"
	"callhome/server/casework"
)

// fake behaves as "The Jira Cloud platform REST API" v3 says: Create issue (201 with id, key, self), Search for issues
// using JQL enhanced search (POST /search/jql), Add comment (201, Atlassian Document Format), Get and Do transition
// (200, 204), Get issue, Edit issue (204); Basic authentication with an API token; errors as errorMessages.
type fake struct {
	mu       sync.Mutex
	issues   []fakeIssue
	comments map[string][]any
}

type fakeIssue struct {
	Key    string
	Labels []string
	Fields map[string]any
	Status string
}

var steps = map[string]string{"11": "To Do", "21": "In Progress", "31": "Done"}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	user, token, _ := r.BasicAuth()
	if user != "bot@ops.example" || token != "sesame" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	var in map[string]any
	if r.Method != http.MethodGet {
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || r.Header.Get("Content-Type") != "application/json" {
			f.say(w, http.StatusBadRequest, map[string]any{"errorMessages": []string{"not JSON"}})
			return
		}
	}
	rest, _ := strings.CutPrefix(r.URL.Path, "/rest/api/3/")
	switch parts := strings.Split(rest, "/"); {
	case rest == "issue" && r.Method == http.MethodPost:
		f.create(w, in)
	case rest == "search/jql" && r.Method == http.MethodPost:
		f.search(w, in["jql"].(string))
	case len(parts) >= 2 && parts[0] == "issue":
		f.issue(w, r, parts[1], strings.Join(parts[2:], "/"), in)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (f *fake) say(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func isDocument(v any) bool {
	d, ok := v.(map[string]any)
	return ok && d["type"] == "doc" && d["version"] == float64(1)
}

func (f *fake) create(w http.ResponseWriter, in map[string]any) {
	fields, _ := in["fields"].(map[string]any)
	summary, _ := fields["summary"].(string)
	if project, _ := fields["project"].(map[string]any); project["key"] != "OPS" || summary == "" || len([]rune(summary)) > 255 || strings.ContainsAny(summary, "\n") || !isDocument(fields["description"]) {
		f.say(w, http.StatusBadRequest, map[string]any{"errorMessages": []string{}, "errors": map[string]string{"summary": "bad"}})
		return
	}
	i := fakeIssue{Key: fmt.Sprintf("OPS-%d", len(f.issues)+1), Fields: fields, Status: "To Do"}
	for _, l := range fields["labels"].([]any) {
		i.Labels = append(i.Labels, l.(string))
	}
	f.issues = append(f.issues, i)
	f.say(w, http.StatusCreated, map[string]string{"id": "1", "key": i.Key, "self": "https://x"})
}

func (f *fake) search(w http.ResponseWriter, jql string) {
	found := []any{}
	for _, i := range f.issues {
		for _, l := range i.Labels {
			if strings.Contains(jql, fmt.Sprintf("labels = %q", l)) {
				found = append(found, f.show(&i))
				break
			}
		}
	}
	f.say(w, http.StatusOK, map[string]any{"issues": found, "isLast": true})
}

func (f *fake) show(i *fakeIssue) any {
	return map[string]any{"id": "1", "key": i.Key, "fields": map[string]any{"status": map[string]string{"name": i.Status}, "updated": "2026-03-14T09:26:53.000+0000"}}
}

func (f *fake) issue(w http.ResponseWriter, r *http.Request, key, rest string, in map[string]any) {
	var i *fakeIssue
	for n := range f.issues {
		if f.issues[n].Key == key {
			i = &f.issues[n]
		}
	}
	if i == nil {
		f.say(w, http.StatusNotFound, map[string]any{"errorMessages": []string{"Issue does not exist or you do not have permission to see it."}})
		return
	}
	switch r.Method + " " + rest {
	case "GET ":
		f.say(w, http.StatusOK, f.show(i))
	case "PUT ":
		for k, v := range in["fields"].(map[string]any) {
			i.Fields[k] = v
		}
		w.WriteHeader(http.StatusNoContent)
	case "GET transitions":
		f.say(w, http.StatusOK, map[string]any{"transitions": []any{
			map[string]any{"id": "21", "name": "Start", "to": map[string]string{"name": "In Progress"}}, map[string]any{"id": "31", "name": "Finish", "to": map[string]string{"name": "Done"}},
		}})
	case "POST transitions":
		i.Status = steps[in["transition"].(map[string]any)["id"].(string)]
		w.WriteHeader(http.StatusNoContent)
	case "GET comment":
		f.say(w, http.StatusOK, map[string]any{"comments": f.comments[key]})
	case "POST comment":
		if !isDocument(in["body"]) {
			f.say(w, http.StatusBadRequest, map[string]any{"errorMessages": []string{"Comment body is not valid!"}})
			return
		}
		f.comments[key] = append(f.comments[key], map[string]any{"body": in["body"]})
		f.say(w, http.StatusCreated, map[string]string{"id": "1"})
	default:
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

func setUp(t *testing.T) (*fake, *callhometest.Hostile, *Adapter) {
	f := &fake{comments: map[string][]any{}}
	h := callhometest.NewHostile(t, f)
	cfg := Config{Name: "jira", URL: h.URL + "/", Account: "bot@ops.example", Token: callhome.NewSecret("sesame"), Secret: callhome.NewSecret("hook"), Project: "OPS", Priorities: map[casework.Priority]string{1: "Highest", 2: "High"}}
	if err := cfg.Validate("jira[0]"); err != nil {
		t.Fatal(err)
	}
	return f, h, New(cfg, h.TLS)
}

func push(kind casework.PushKind, state casework.State, seq int64) *casework.Push {
	c := casework.Case{ID: 1234567, Number: "SR-000123", Title: "Fan 2 failed\n" + strings.Repeat("x", 300), State: state, Level: callhome.LevelCritical, Priority: 2, Diagnosis: "It turns\n\nno more."}
	return &casework.Push{
		Kind: kind, Key: fmt.Sprintf("SR-000123/%d/abc", seq), Seq: seq,
		Snapshot: casework.Snapshot{Case: c, Event: casework.Event{Seq: seq, Kind: casework.EventNoted, Text: "seen", By: casework.By{Who: "ana", Via: casework.ViaPerson}}},
	}
}

func TestContractOfJiraCloud(t *testing.T) {
	f, _, a := setUp(t)
	ctx := context.Background()
	r, err := a.Push(ctx, push(casework.PushCreate, casework.StateNew, 1), &casework.Link{})
	if err != nil || r.Remote != "OPS-1" || !strings.HasSuffix(r.URL, "/browse/OPS-1") {
		t.Fatalf("create: %+v, %v", r, err)
	}
	if f.issues[0].Fields["priority"].(map[string]any)["name"] != "High" {
		t.Errorf("fields: %v", f.issues[0].Fields)
	}
	if again, err := a.Push(ctx, push(casework.PushCreate, casework.StateNew, 1), &casework.Link{}); err != nil || again.Remote != "OPS-1" || len(f.issues) != 1 {
		t.Errorf("created again: %+v, %v, %d issues", again, err, len(f.issues))
	}
	l := &casework.Link{Remote: "OPS-1"}
	if _, err := a.Push(ctx, push(casework.PushComment, casework.StateNew, 2), l); err != nil || len(f.comments["OPS-1"]) != 1 {
		t.Errorf("comment: %v, %v", err, f.comments)
	}
	repeat := push(casework.PushComment, casework.StateNew, 2)
	repeat.Tries = 1
	if _, err := a.Push(ctx, repeat, l); err != nil || len(f.comments["OPS-1"]) != 1 {
		t.Errorf("the comment again: %v, %d comments", err, len(f.comments["OPS-1"]))
	}
	if r, err := a.Push(ctx, push(casework.PushState, casework.StateResolved, 3), l); err != nil || f.issues[0].Status != "Done" || r.State != "Done" {
		t.Errorf("resolve: %+v, %v, %s", r, err, f.issues[0].Status)
	}
	up := push(casework.PushUpdate, casework.StateNew, 4)
	up.Snapshot.Case.Priority = 1
	if _, err := a.Push(ctx, up, l); err != nil || f.issues[0].Fields["priority"].(map[string]any)["name"] != "Highest" {
		t.Errorf("update: %v, %v", err, f.issues[0].Fields["priority"])
	}
	if _, err := a.Push(ctx, push(casework.PushComment, casework.StateNew, 5), &casework.Link{Remote: "OPS-9"}); !casework.IsRefused(err) {
		t.Errorf("an issue that was deleted: %v", err)
	}
	if got := plain(f.comments["OPS-1"][0].(map[string]any)["body"]); !casework.Ours(got) {
		t.Errorf("our comment is not known as ours: %q", got)
	}
}

func TestJiraInTrouble(t *testing.T) {
	f, h, a := setUp(t)
	ctx := context.Background()
	for _, faults := range [][]callhometest.Fault{
		{{Status: 429, RetryAfter: "30"}}, {{Status: 503}}, {{Status: 502}}, {{}}, {{Status: 401}},
	} {
		h.Fail(faults...)
		if _, err := a.Push(ctx, push(casework.PushCreate, casework.StateNew, 1), &casework.Link{}); err == nil || casework.IsRefused(err) {
			t.Errorf("%+v: %v, want another try", faults, err)
		}
	}
	// The issue is made, and half the answer arrives: the next try finds it.
	h.Fail(callhometest.Fault{Half: true}, callhometest.Fault{Half: true})
	if _, err := a.Push(ctx, push(casework.PushCreate, casework.StateNew, 1), &casework.Link{}); err == nil {
		t.Error("half an answer was taken")
	}
	if _, err := a.Push(ctx, push(casework.PushCreate, casework.StateNew, 1), &casework.Link{}); err == nil {
		t.Error("half an answer was taken")
	}
	r, err := a.Push(ctx, push(casework.PushCreate, casework.StateNew, 1), &casework.Link{})
	if err != nil || r.Remote != "OPS-1" || len(f.issues) != 1 {
		t.Errorf("then: %+v, %v, %d issues", r, err, len(f.issues))
	}
	h.Fail(callhometest.Fault{Status: 400})
	if _, err := a.Push(ctx, push(casework.PushCreate, casework.StateNew, 1), &casework.Link{}); !casework.IsRefused(err) || strings.Contains(err.Error(), "sesame") {
		t.Errorf("refused for good: %v", err)
	}
	redirect := httptest.NewTLSServer(http.RedirectHandler(h.URL, http.StatusTemporaryRedirect))
	defer redirect.Close()
	a.caller.HTTP.Transport.(*http.Transport).TLSClientConfig.RootCAs.AddCert(redirect.Certificate())
	a.base = redirect.URL
	before := len(h.Seen())
	if _, err := a.Push(ctx, push(casework.PushCreate, casework.StateNew, 2), &casework.Link{}); !casework.IsRefused(err) || len(h.Seen()) != before {
		t.Errorf("a redirect was followed: %v", err)
	}
	_, _, stranger := setUp(t)
	stranger.caller = casework.NewCaller(nil, nil)
	if _, err := stranger.Push(ctx, push(casework.PushCreate, casework.StateNew, 1), &casework.Link{}); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate that nobody vouches for: %v", err)
	}
}

// TestWebhooksOfJira: "Webhooks", section "Secure your webhook": X-Hub-Signature is method=signature of the body; the
// header X-Atlassian-Webhook-Identifier is the same when a webhook is sent again.
func TestWebhooksOfJira(t *testing.T) {
	_, _, a := setUp(t)
	now := time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
	post := func(body string, at time.Time) ([]casework.Update, error) {
		b := []byte(strings.Replace(body, "TIME", fmt.Sprint(at.UnixMilli()), 1))
		h := http.Header{}
		h.Set("X-Hub-Signature", "sha256="+casework.Sign(callhome.NewSecret("hook"), b))
		h.Set("X-Atlassian-Webhook-Identifier", "w1")
		return a.Receive(h, b, now)
	}
	moved := `{"timestamp":TIME,"webhookEvent":"jira:issue_updated","user":{"displayName":"Zoe"},"issue":{"id":"1","key":"OPS-1"},
		"changelog":{"items":[{"field":"status","fromString":"To Do","toString":"In Progress"},{"field":"assignee","toString":"Zoe"}]}}`
	got, err := post(moved, now)
	if err != nil || len(got) != 1 || got[0].State != casework.StateAcknowledged || got[0].Assignee != "Zoe" || got[0].Remote != "OPS-1" || got[0].EventID != "w1" {
		t.Errorf("moved: %+v, %v", got, err)
	}
	got, err = post(`{"timestamp":TIME,"webhookEvent":"comment_created","issue":{"key":"OPS-1"},"comment":{"body":"on my way","author":{"displayName":"Zoe"}}}`, now)
	if err != nil || len(got) != 1 || got[0].Comment != "on my way" || got[0].Who != "Zoe" {
		t.Errorf("comment: %+v, %v", got, err)
	}
	for _, dull := range []string{`{"timestamp":TIME,"webhookEvent":"jira:issue_deleted","issue":{"key":"OPS-1"}}`, `{"timestamp":TIME}`} {
		if got, err := post(dull, now); err != nil || len(got) != 0 {
			t.Errorf("%s: %+v, %v", dull, got, err)
		}
	}
	for _, at := range []time.Time{now.Add(-6 * time.Minute), now.Add(6 * time.Minute)} {
		if _, err := post(moved, at); callhome.KindOf(err) != callhome.KindDenied {
			t.Errorf("a recording of %v: %v", at, err)
		}
	}
	h := http.Header{}
	for _, s := range []string{"", "sha256=", "sha256=00", "sha1=" + casework.Sign(callhome.NewSecret("hook"), []byte("{}"))} {
		h.Set("X-Hub-Signature", s)
		if _, err := a.Receive(h, []byte("{}"), now); callhome.KindOf(err) != callhome.KindDenied {
			t.Errorf("signature %q: %v", s, err)
		}
	}
	if _, err := post("[", now); callhome.KindOf(err) != callhome.KindInvalid {
		t.Errorf("not JSON: %v", err)
	}
	a.cfg.Secret = callhome.Secret{}
	if _, err := post(moved, now); callhome.KindOf(err) != callhome.KindDenied {
		t.Errorf("without a secret: %v", err)
	}
}

func TestPoll(t *testing.T) {
	f, _, a := setUp(t)
	f.issues = []fakeIssue{{Key: "OPS-1", Labels: []string{"callhome"}, Status: "Done"}}
	now := time.Now()
	got, until, err := a.Poll(context.Background(), now.Add(-time.Hour))
	if err != nil || len(got) != 1 || got[0].State != casework.StateResolved || until.Before(now) {
		t.Errorf("got %+v, %v, %v", got, until, err)
	}
}

func FuzzReceive(f *testing.F) {
	a := New(Config{Secret: callhome.NewSecret("hook")}, nil)
	f.Add([]byte(`{"timestamp":1773480413000,"webhookEvent":"comment_created","issue":{"key":"A"},"comment":{"body":{"type":"doc","content":[{"type":"paragraph"}]}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		h := http.Header{}
		h.Set("X-Hub-Signature", "sha256="+casework.Sign(callhome.NewSecret("hook"), b))
		_, _ = a.Receive(h, b, time.UnixMilli(1773480413000))
	})
}
