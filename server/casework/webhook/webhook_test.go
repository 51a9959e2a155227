package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"callhome"
	"callhome/callhometest"
	"callhome/server/casework"
)

// fake is a system that keeps to this package's own documentation: it checks the signature, and knows a repeat by its key.
type fake struct {
	mu     sync.Mutex
	seen   map[string]Notice
	answer string
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	given, _ := strings.CutPrefix(r.Header.Get(HeaderSignature), "v1=")
	if casework.CheckSignature(callhome.NewSecret("sesame"), given, []byte(r.Header.Get(HeaderTimestamp)+"."), body) != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	var n Notice
	if json.Unmarshal(body, &n) != nil || n.Key != r.Header.Get(HeaderKey) {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	f.seen[n.Key] = n
	_, _ = io.WriteString(w, f.answer)
}

func setUp(t *testing.T) (*fake, *callhometest.Hostile, *Adapter) {
	f := &fake{seen: map[string]Notice{}}
	h := callhometest.NewHostile(t, f)
	cfg := Config{Name: "hook", URL: h.URL + "/in", Secret: callhome.NewSecret("sesame"), States: map[string]casework.State{"FIXED": casework.StateResolved}}
	if err := cfg.Validate("ticket_webhooks[0]"); err != nil {
		t.Fatal(err)
	}
	return f, h, New(cfg, h.TLS)
}

func push() *casework.Push {
	return &casework.Push{Kind: casework.PushCreate, Key: "SR-000123/1/abc", Snapshot: casework.Snapshot{Case: casework.Case{Number: "SR-000123", Title: "Fan"}}}
}

func TestPush(t *testing.T) {
	f, h, a := setUp(t)
	ctx := context.Background()
	for answer, want := range map[string]string{"": "SR-000123", "OK": "SR-000123", `{"id":"T1","url":"https://t/1","state":"NEW"}`: "T1", "null": "SR-000123"} {
		f.answer = answer
		if r, err := a.Push(ctx, push(), &casework.Link{}); err != nil || r.Remote != want {
			t.Errorf("answered %q: %+v, %v", answer, r, err)
		}
	}
	for _, fault := range []callhometest.Fault{{Status: 429, RetryAfter: "7"}, {Status: 500}, {Status: 401}} {
		f.answer = `{"id":"T1","url":"https://t/1","state":"NEW"}`
		h.Fail(fault)
		if _, err := a.Push(ctx, push(), &casework.Link{}); err == nil || casework.IsRefused(err) {
			t.Errorf("%+v: %v", fault, err)
		}
	}
	for _, fault := range []callhometest.Fault{{Done: true}, {Half: true}} { // net/http itself repeats what has an Idempotency-Key
		h.Fail(fault)
		if _, err := a.Push(ctx, push(), &casework.Link{}); casework.IsRefused(err) {
			t.Errorf("%+v: %v", fault, err)
		}
	}
	h.Fail(callhometest.Fault{Status: 410})
	if _, err := a.Push(ctx, push(), &casework.Link{}); !casework.IsRefused(err) {
		t.Errorf("gone: %v", err)
	}
	if len(f.seen) != 1 {
		t.Errorf("the repeats had %d keys", len(f.seen))
	}
}

func TestReceive(t *testing.T) {
	_, _, a := setUp(t)
	now := time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
	post := func(body string, at time.Time, secret string) ([]casework.Update, error) {
		h, stamp := http.Header{}, strconv.FormatInt(at.Unix(), 10)
		h.Set(HeaderTimestamp, stamp)
		h.Set(HeaderSignature, "v1="+casework.Sign(callhome.NewSecret(secret), []byte(stamp+"."+body)))
		return a.Receive(h, []byte(body), now)
	}
	for word, want := range map[string]casework.State{"FIXED": casework.StateResolved, "pending_vendor": casework.StatePendingVendor, "Nonsense": "", "": ""} {
		got, err := post(fmt.Sprintf(`{"id":"T1","state":%q,"who":"zoe","comment":"hm"}`, word), now, "sesame")
		if err != nil || len(got) != 1 || got[0].State != want || got[0].Remote != "T1" || got[0].EventID == "" {
			t.Errorf("%q: %+v, %v", word, got, err)
		}
	}
	for name, c := range map[string]struct {
		at     time.Time
		secret string
	}{"forged": {now, "guess"}, "old": {now.Add(-6 * time.Minute), "sesame"}, "from the future": {now.Add(time.Hour), "sesame"}} {
		if _, err := post(`{"id":"T1"}`, c.at, c.secret); callhome.KindOf(err) != callhome.KindDenied {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, body := range []string{"", "[]", "{}", `{"id":5}`} {
		if _, err := post(body, now, "sesame"); callhome.KindOf(err) != callhome.KindInvalid {
			t.Errorf("%q: %v", body, err)
		}
	}
}

func TestValidate(t *testing.T) {
	c := Config{URL: "http://tickets.example", States: map[string]casework.State{"x": "y"}}
	err := c.Validate("ticket_webhooks[0]")
	for _, want := range []string{"ticket_webhooks[0].name", "ticket_webhooks[0].url", "ticket_webhooks[0].secret", "ticket_webhooks[0].states.x"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %s", err, want)
		}
	}
}
