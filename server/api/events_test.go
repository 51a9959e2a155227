package api_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"callhome/callhometest"
	"callhome/server/api"
	"callhome/server/casework"
	"callhome/server/sqlstore"
)

// event is one of a stream.
type event struct{ id, name, data string }

// listen opens a stream; the channel ends with it.
func (w *world) listen(t *testing.T, caller, query, last string) <-chan event {
	t.Helper()
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+"/events"+query, nil)
	req.Header.Set("Authorization", "Bearer "+w.tokens[caller])
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%d %s", res.StatusCode, res.Header.Get("Content-Type"))
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	lines := bufio.NewScanner(res.Body)
	if !lines.Scan() || !strings.HasPrefix(lines.Text(), "retry: ") {
		t.Fatalf("the stream begins with %q", lines.Text())
	}
	out := make(chan event, 100)
	go func() {
		defer close(out)
		var e event
		for lines.Scan() {
			field, value, _ := strings.Cut(lines.Text(), ": ")
			switch field {
			case "id":
				e.id = value
			case "event":
				e.name = value
			case "data":
				e.data = value
			case "":
				if e.name != "" {
					out <- e
				}
				e = event{}
			}
		}
	}()
	return out
}

func next(t *testing.T, events <-chan event) event {
	t.Helper()
	select {
	case e, ok := <-events:
		if !ok {
			t.Fatal("the stream ended")
		}
		return e
	case <-time.After(10 * time.Second):
		t.Fatal("no event came")
	}
	return event{}
}

func (w *world) runAPI(t *testing.T, a *api.API) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func (w *world) note(n *tenant) {
	w.tx(func(ctx context.Context, tx *sqlstore.Tx) error {
		_, err := casework.New(casework.DefaultConfig()).Note(ctx, tx.Casework(), allReach, n.caseID, "a remark", casework.By{Who: "somebody", Via: casework.ViaPerson})
		return err
	})
}

func testEvents(t *testing.T, w *world) {
	w.runAPI(t, w.api)
	alpha, all, few := w.listen(t, "viewer", "", ""), w.listen(t, "operator", "", ""), w.listen(t, "viewer", "?kinds=device", "")
	w.note(w.bravo)
	w.note(w.alpha)
	w.addMessages(3, plainText)
	first := next(t, alpha)
	if first.name != "service-request" || !strings.Contains(first.data, `"`+api.ID(w.alpha.caseID).String()+`"`) {
		t.Errorf("alpha hears first %v: what is bravo's must not reach it", first)
	}
	second := next(t, alpha)
	if second.name != "message" || strings.Count(second.data, `"`) < 8 || first.id >= second.id {
		t.Errorf("alpha hears then %v", second)
	}
	if e := next(t, all); e.name != "service-request" || !strings.Contains(e.data, api.ID(w.bravo.caseID).String()) {
		t.Errorf("an operator hears %v", e)
	}
	select {
	case e := <-few:
		t.Errorf("who wants devices hears %v", e)
	default:
	}
	again := w.listen(t, "viewer", "?kinds=message", first.id)
	for {
		if e := next(t, again); e == second {
			break
		}
	}
	if e := next(t, w.listen(t, "viewer", "", "5")); e.name != "gap" {
		t.Errorf("after a long time: %v, want gap", e)
	}
}

func TestEvents(t *testing.T) { testEvents(t, newWorld(t, openSQLite(t))) }

// TestPeerEventsPostgres: a stream of one server tells what another wrote.
func TestPeerEventsPostgres(t *testing.T) {
	dsn := callhometest.Postgres(t)
	w := newWorld(t, openStore(t, dsn))
	w.store = openStore(t, dsn) // writes go through another server's store from here on
	testEvents(t, w)
}

func TestRevokedTokenHearsNothingMore(t *testing.T) {
	w := newWorld(t, openSQLite(t))
	w.runAPI(t, w.api)
	if r := w.do("revoked", "GET", "/events", nil); r.status != 401 {
		t.Errorf("%d, want 401", r.status)
	}
	if r := w.do("viewer", "GET", "/events", nil, "Last-Event-ID", "x"); r.status != 400 {
		t.Errorf("a wrong Last-Event-ID: %d, want 400", r.status)
	}
}
