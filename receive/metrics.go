package receive

import (
	"github.com/prometheus/client_golang/prometheus"

	"callhome"
)

// Metrics count what the listeners took and refused. A nil Metrics counts nothing.
type Metrics struct {
	submissions *prometheus.CounterVec
	bytes       *prometheus.CounterVec
}

// NewMetrics registers the counters of one role with reg.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		submissions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "callhome_receive_submissions_total",
			Help: "Messages that arrived, by transport and by result: accepted, duplicate, or why they were refused.",
		}, []string{"transport", "result"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "callhome_receive_body_bytes_total",
			Help: "Bytes of the messages that were accepted, by transport.",
		}, []string{"transport"}),
	}
	reg.MustRegister(m.submissions, m.bytes)
	return m
}

// Took counts a message that the sink took.
func (m *Metrics) Took(t callhome.Transport, r Receipt, size int) {
	if m == nil {
		return
	}
	result := "accepted"
	if r.Duplicate {
		result = "duplicate"
	}
	m.submissions.WithLabelValues(string(t), result).Inc()
	m.bytes.WithLabelValues(string(t)).Add(float64(size))
}

// Refused counts a message that was not taken.
func (m *Metrics) Refused(t callhome.Transport, why RefusalReason) {
	if m == nil {
		return
	}
	m.submissions.WithLabelValues(string(t), string(why)).Inc()
}
