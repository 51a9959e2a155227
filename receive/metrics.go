package receive

import (
	"github.com/prometheus/client_golang/prometheus"

	"callhome"
)

// Metrics count what the listeners took and refused. A nil Metrics counts nothing.
type Metrics struct {
	submissions *prometheus.CounterVec
	bytes       *prometheus.CounterVec
	licensing   *prometheus.CounterVec
	weak        prometheus.Counter
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
	m.licensing = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "callhome_receive_licensing_total",
		Help: "Messages of licensing agents, which are answered and not taken, by transport.",
	}, []string{"transport"})
	m.weak = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "callhome_receive_weak_tls_total",
		Help: "Messages that came by the weak listener, which speaks old TLS versions and ciphers.",
	})
	reg.MustRegister(m.submissions, m.bytes, m.licensing, m.weak)
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

// Licensing counts a message of a licensing agent.
func (m *Metrics) Licensing(t callhome.Transport) {
	if m != nil {
		m.licensing.WithLabelValues(string(t)).Inc()
	}
}

// Weak counts a message by the weak listener.
func (m *Metrics) Weak() {
	if m != nil {
		m.weak.Inc()
	}
}
