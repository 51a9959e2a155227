package httpsend

import "github.com/prometheus/client_golang/prometheus"

// Metrics count attempts. A nil Metrics counts nothing.
type Metrics struct{ attempts *prometheus.CounterVec }

// NewMetrics registers the counters with reg.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "callhome_httpsend_attempts_total",
		Help: "Messages posted, by whether the server took them.",
	}, []string{"result"})}
	reg.MustRegister(m.attempts)
	return m
}

func (m *Metrics) attempt(err error) {
	if m == nil {
		return
	}
	result := "sent"
	if err != nil {
		result = "failed"
	}
	m.attempts.WithLabelValues(result).Inc()
}
