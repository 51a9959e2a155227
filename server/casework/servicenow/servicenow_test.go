package servicenow

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

// fake behaves as "Table API" says: POST answers 201 and PATCH 200 with {"result": {…}}, GET {"result": […]} by
// sysparm_query; all values are strings; resolving without close_code and close_notes is refused as incident rules do.
type fake struct {
	mu      sync.Mutex
	records []map[string]string
	journal []map[string]string
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if user, pass, _ := r.BasicAuth(); user != "callhome.bot" || pass != "sesame" {
		say(w, http.StatusUnauthorized, map[string]any{"error": map[string]string{"message": "User Not Authenticated"}, "status": "failure"})
		return
	}
	rest, _ := strings.CutPrefix(r.URL.Path, "/api/now/table/")
	table, id, _ := strings.Cut(rest, "/")
	var in map[string]string
	if r.Method != http.MethodGet && json.NewDecoder(r.Body).Decode(&in) != nil {
		say(w, http.StatusBadRequest, nil)
		return
	}
	switch {
	case table == "sys_journal_field":
		say(w, http.StatusOK, map[string]any{"result": query(f.journal, r.URL.Query().Get("sysparm_query"))})
	case table != "incident":
		w.WriteHeader(http.StatusNotFound)
	case r.Method == http.MethodGet:
		say(w, http.StatusOK, map[string]any{"result": query(f.records, r.URL.Query().Get("sysparm_query"))})
	case r.Method == http.MethodPost:
		in["sys_id"], in["number"], in["state"], in["sys_mod_count"] = fmt.Sprintf("%032d", len(f.records)+1), "INC0010001", "1", "0"
		f.records = append(f.records, in)
		say(w, http.StatusCreated, map[string]any{"result": in})
	case r.Method == http.MethodPatch:
		f.patch(w, id, in)
	}
}

func (f *fake) patch(w http.ResponseWriter, id string, in map[string]string) {
	for _, rec := range f.records {
		if rec["sys_id"] != id {
			continue
		}
		if in["state"] == "6" && (in["close_code"] == "" || in["close_notes"] == "") {
			say(w, http.StatusForbidden, map[string]any{"error": map[string]string{"message": "Data Policy Exception: Close notes is mandatory"}})
			return
		}
		for k, v := range in {
			rec[k] = v
		}
		if in["work_notes"] != "" {
			f.journal = append(f.journal, map[string]string{"sys_id": "j", "element_id": id, "element": "work_notes", "value": in["work_notes"]})
		}
		say(w, http.StatusOK, map[string]any{"result": rec})
		return
	}
	say(w, http.StatusNotFound, map[string]any{"error": map[string]string{"message": "No Record found"}})
}

func say(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// query knows the operators that we use.
func query(list []map[string]string, q string) []map[string]string {
	out := []map[string]string{}
	for _, rec := range list {
		ok := true
		for _, term := range strings.Split(q, "^") {
			switch {
			case strings.HasPrefix(term, "ORDERBY"):
			case strings.Contains(term, "STARTSWITH"):
				k, v, _ := strings.Cut(term, "STARTSWITH")
				ok = ok && strings.HasPrefix(rec[k], v)
			case strings.Contains(term, "LIKE"):
				k, v, _ := strings.Cut(term, "LIKE")
				ok = ok && strings.Contains(rec[k], v)
			case strings.Contains(term, ">="):
				k, v, _ := strings.Cut(term, ">=")
				ok = ok && rec[k] >= v
			default:
				k, v, _ := strings.Cut(term, "=")
				ok = ok && rec[k] == v
			}
		}
		if ok {
			out = append(out, rec)
		}
	}
	return out
}

func setUp(t *testing.T) (*fake, *callhometest.Hostile, *Adapter) {
	f := &fake{}
	h := callhometest.NewHostile(t, f)
	cfg := Config{Name: "snow", URL: h.URL, Account: "callhome.bot", Password: callhome.NewSecret("sesame"), Secret: callhome.NewSecret("hook"), Poll: time.Minute}
	if err := cfg.Validate("servicenow[0]"); err != nil {
		t.Fatal(err)
	}
	return f, h, New(cfg, h.TLS)
}

func push(kind casework.PushKind, state casework.State, seq int64) *casework.Push {
	c := casework.Case{ID: 1234567, Number: "SR-000123", Title: "Fan 2 failed\n" + strings.Repeat("x", 300), State: state, Level: callhome.LevelCritical, Priority: 2}
	return &casework.Push{
		Kind: kind, Key: fmt.Sprintf("SR-000123/%d/abc", seq), Seq: seq,
		Snapshot: casework.Snapshot{Case: c, Event: casework.Event{Seq: seq, Kind: casework.EventNoted, Text: "seen", By: casework.By{Who: "ana", Via: casework.ViaPerson}}},
	}
}

func TestContractOfServiceNow(t *testing.T) {
	f, h, a := setUp(t)
	ctx := context.Background()
	h.Fail(callhometest.Fault{Half: true})
	if _, err := a.Push(ctx, push(casework.PushCreate, casework.StateNew, 1), &casework.Link{}); err == nil || casework.IsRefused(err) {
		t.Errorf("half an answer to the search: %v", err)
	}
	lost := push(casework.PushCreate, casework.StateNew, 1)
	h2 := h.Seen()
	if len(h2) != 1 || h2[0] != "GET /api/now/table/incident" {
		t.Errorf("before making one it looks for one: %v", h2)
	}
	r, err := a.Push(ctx, lost, &casework.Link{})
	if err != nil || len(r.Remote) != 32 || r.State != "1" || !strings.Contains(r.URL, "nav_to.do") {
		t.Fatalf("create: %+v, %v", r, err)
	}
	if again, err := a.Push(ctx, lost, &casework.Link{}); err != nil || again.Remote != r.Remote || len(f.records) != 1 {
		t.Errorf("created again: %+v, %v, %d records", again, err, len(f.records))
	}
	if rec := f.records[0]; len([]rune(rec["short_description"])) > 160 || rec["urgency"] != "2" || !strings.HasPrefix(rec["correlation_id"], "callhome/SR-000123/") {
		t.Errorf("record: %v", rec)
	}
	l := &casework.Link{Remote: r.Remote}
	h.Fail(callhometest.Fault{Done: true})
	note := push(casework.PushComment, casework.StateNew, 2)
	if _, err := a.Push(ctx, note, l); err == nil {
		t.Error("a lost answer was taken for success")
	}
	note.Tries = 1
	if _, err := a.Push(ctx, note, l); err != nil || len(f.journal) != 1 || !casework.Ours(f.journal[0]["value"]) {
		t.Errorf("the note again: %v, %v", err, f.journal)
	}
	for state, want := range map[casework.State]string{
		casework.StateResolved: "6", casework.StatePendingVendor: "3", casework.StateAcknowledged: "2",
	} {
		if r, err := a.Push(ctx, push(casework.PushState, state, 3), l); err != nil || f.records[0]["state"] != want || r.State != want {
			t.Errorf("%s: %+v, %v, %s", state, r, err, f.records[0]["state"])
		}
	}
	if f.records[0]["hold_reason"] != "4" && f.records[0]["hold_reason"] != "" {
		t.Errorf("hold_reason is %s", f.records[0]["hold_reason"])
	}
	for _, fault := range []callhometest.Fault{{Status: 429, RetryAfter: "5"}, {Status: 500}, {Status: 401}, {}} {
		h.Fail(fault)
		if _, err := a.Push(ctx, push(casework.PushComment, casework.StateNew, 9), l); err == nil || casework.IsRefused(err) || strings.Contains(err.Error(), "sesame") {
			t.Errorf("%+v: %v", fault, err)
		}
	}
	if _, err := a.Push(ctx, push(casework.PushComment, casework.StateNew, 9), &casework.Link{Remote: "gone"}); !casework.IsRefused(err) {
		t.Errorf("a deleted incident: %v", err)
	}
}

func TestPollOfServiceNow(t *testing.T) {
	f, _, a := setUp(t)
	now := time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
	a.now = func() time.Time { return now }
	row := func(id, by, at, corr string) map[string]string {
		return map[string]string{"sys_id": id, "state": "6", "sys_updated_by": by, "sys_updated_on": at, "sys_mod_count": "4", "correlation_id": corr}
	}
	f.records = []map[string]string{
		row("a", "zoe", "2026-03-14 09:20:00", "callhome/SR-000001/1"), row("b", "callhome.bot", "2026-03-14 09:20:00", "callhome/SR-000002/2"),
		row("c", "zoe", "2026-03-14 08:20:00", "callhome/SR-000003/3"), row("d", "zoe", "2026-03-14 09:20:00", ""),
	}
	got, until, err := a.Poll(context.Background(), now.Add(-10*time.Minute))
	if err != nil || len(got) != 1 || got[0].Remote != "a" || got[0].State != casework.StateResolved || got[0].EventID != "a/4" || !until.Equal(now) {
		t.Errorf("got %+v, %v, %v", got, until, err)
	}
}

func TestPostsOfServiceNow(t *testing.T) {
	_, _, a := setUp(t)
	now := time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
	post := func(secret string, at time.Time, body string) ([]casework.Update, error) {
		h, stamp := http.Header{}, fmt.Sprint(at.Unix())
		h.Set("X-Callhome-Timestamp", stamp)
		h.Set("X-Callhome-Signature", "v1="+casework.Sign(callhome.NewSecret(secret), []byte(stamp+"."+body)))
		return a.Receive(h, []byte(body), now)
	}
	body := `{"sys_id":"a","sys_mod_count":"4","sys_updated_on":"2026-03-14 09:26:00","sys_updated_by":"zoe","state":"2","comment":"on it"}`
	got, err := post("hook", now, body)
	if err != nil || len(got) != 1 || got[0].State != casework.StateAcknowledged || got[0].Comment != "on it" || got[0].At.Minute() != 26 {
		t.Errorf("got %+v, %v", got, err)
	}
	for name, err := range map[string]error{
		"forged": second(post("guess", now, body)), "old": second(post("hook", now.Add(-time.Hour), body)),
	} {
		if callhome.KindOf(err) != callhome.KindDenied {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got, err := post("hook", now, strings.Replace(body, "zoe", "callhome.bot", 1)); err != nil || len(got) != 0 {
		t.Errorf("our own change: %+v, %v", got, err)
	}
	if _, err := post("hook", now, `{}`); callhome.KindOf(err) != callhome.KindInvalid {
		t.Errorf("nothing in it: %v", err)
	}
}

func second(_ []casework.Update, err error) error { return err }
