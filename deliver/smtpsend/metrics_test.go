package smtpsend

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestMetrics(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	k := &sink{onRcpt: func(n int) error {
		if n == 2 {
			return code(550, 1, 1)(n)
		}
		return nil
	}}
	s, err := New(Config{Servers: []Server{{Host: "127.0.0.1", Port: k.start(t, nil, false)}}}, Deps{Dial: plainDial, Metrics: NewMetrics(reg)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	for range 3 {
		_ = s.Send(t.Context(), envelope(note))
	}
	want := `
# HELP callhome_smtpsend_attempts_total Attempts to give a mail to a server, by what came of it.
# TYPE callhome_smtpsend_attempts_total counter
callhome_smtpsend_attempts_total{result="refused"} 1
callhome_smtpsend_attempts_total{result="sent"} 2
`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
}
