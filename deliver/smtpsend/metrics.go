package smtpsend

import "github.com/prometheus/client_golang/prometheus"

// Metrics count attempts. A nil Metrics counts nothing.
type Metrics struct{ attempts *prometheus.CounterVec }

// NewMetrics registers the counters with reg.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "callhome_smtpsend_attempts_total",
		Help: "Attempts to give a mail to a server, by what came of it.",
	}, []string{"result"})}
	reg.MustRegister(m.attempts)
	return m
}

func (m *Metrics) attempt(v verdict) {
	if m != nil {
		m.attempts.WithLabelValues(string(v)).Inc()
	}
}
