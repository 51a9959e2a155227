package httpsend

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestMetrics(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	n := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if n++; n == 2 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer srv.Close()
	s := newSender(t, nil, Config{})
	s.metrics = NewMetrics(reg)
	for range 3 {
		_ = s.Send(t.Context(), envelope(srv.URL))
	}
	want := `
# HELP callhome_httpsend_attempts_total Messages posted, by whether the server took them.
# TYPE callhome_httpsend_attempts_total counter
callhome_httpsend_attempts_total{result="failed"} 1
callhome_httpsend_attempts_total{result="sent"} 2
`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
	if st := s.Status(); st[0].Sent != 2 || st[0].Failed != 1 {
		t.Errorf("status %+v", st)
	}
}
