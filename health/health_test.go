package health_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"callhome/health"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestSinceDoesNotFlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := health.New()
		p := r.Part("outbox")
		start := time.Now()
		time.Sleep(time.Minute)
		p.Unwell("the disk is full")
		fell := time.Now()
		time.Sleep(time.Hour)
		p.Unwell("the disk is still full")
		want := []health.State{{Part: "outbox", Reason: "the disk is still full", Since: fell}}
		if diff := cmp.Diff(want, r.Snapshot()); diff != "" {
			t.Errorf("while unwell (-want +got):\n%s", diff)
		}
		p.Well()
		rose := time.Now()
		time.Sleep(time.Hour)
		p.Well()
		r.Part("outbox") // entering again changes nothing
		want = []health.State{{Part: "outbox", Well: true, Since: rose}}
		if diff := cmp.Diff(want, r.Snapshot()); diff != "" {
			t.Errorf("after recovery (-want +got):\n%s", diff)
		}
		if start.Equal(rose) {
			t.Error("the clock did not move")
		}
	})
}

func TestSnapshotOrderAndLeave(t *testing.T) {
	r := health.New()
	a, b, c := r.Part("a"), r.Part("b"), r.Part("c")
	c.Unwell("it hurts")
	a.Well()
	var names []string
	for _, s := range r.Snapshot() {
		names = append(names, s.Part)
	}
	if got, want := strings.Join(names, " "), "c a b"; got != want {
		t.Errorf("order: got %q, want %q", got, want)
	}
	if r.Well() {
		t.Error("well with an unwell part")
	}
	c.Leave()
	b.Leave()
	if !r.Well() || len(r.Snapshot()) != 1 {
		t.Errorf("after leaving: %v", r.Snapshot())
	}
	c.Unwell("it hurts again")
	if r.Well() {
		t.Error("who left and speaks again is not heard")
	}
}

func TestNilPartIsSilent(t *testing.T) {
	var r *health.Registry
	p := r.Part("x")
	p.Well()
	p.Unwell("nobody hears")
	p.Leave()
	if p != nil {
		t.Error("a nil registry gave a part")
	}
}

func TestHandler(t *testing.T) {
	r := health.New()
	r.Part("courier").Unwell("https://backend.example cannot be reached")
	tests := []struct {
		path  string
		ready bool
		want  int
	}{
		{"/healthz", false, http.StatusOK},
		{"/readyz", false, http.StatusServiceUnavailable},
		{"/readyz", true, http.StatusOK},
		{"/other", true, http.StatusNotFound},
	}
	for _, tt := range tests {
		r.SetReady(tt.ready)
		w := httptest.NewRecorder()
		r.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, tt.path, nil))
		if w.Code != tt.want {
			t.Errorf("%s while ready is %v: got %d, want %d", tt.path, tt.ready, w.Code, tt.want)
		}
		if w.Code == http.StatusNotFound {
			continue
		}
		var body struct {
			Well  bool
			Ready bool
			Parts []health.State
		}
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
			t.Fatalf("%s: %v in %q", tt.path, err, w.Body)
		}
		if body.Well || body.Ready != tt.ready || len(body.Parts) != 1 || !strings.Contains(body.Parts[0].Reason, "cannot be reached") {
			t.Errorf("%s: got %+v", tt.path, body)
		}
	}
}

func TestMetrics(t *testing.T) {
	r := health.New()
	r.Part("a")
	r.Part("b").Unwell("no")
	r.SetReady(true)
	want := `
# HELP callhome_health_part_well 1 while the part is well, 0 while it is not.
# TYPE callhome_health_part_well gauge
callhome_health_part_well{part="a"} 1
callhome_health_part_well{part="b"} 0
# HELP callhome_health_ready 1 while the process serves.
# TYPE callhome_health_ready gauge
callhome_health_ready 1
`
	if err := testutil.CollectAndCompare(r, strings.NewReader(want), "callhome_health_part_well", "callhome_health_ready"); err != nil {
		t.Error(err)
	}
}

func TestConcurrentUse(t *testing.T) {
	r := health.New()
	var wg sync.WaitGroup
	for _, name := range []string{"a", "b", "c", "a"} {
		wg.Go(func() {
			p := r.Part(name)
			for range 200 {
				p.Unwell("x")
				r.Snapshot()
				p.Well()
			}
		})
	}
	wg.Wait()
	if !r.Well() {
		t.Errorf("got %v, want all well", r.Snapshot())
	}
}
