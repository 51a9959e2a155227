package deliver

import (
	"errors"
	"time"

	"callhome"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the courier's figures; the queue's depth is the outbox's.
type metrics struct {
	tries *prometheus.CounterVec
	took  *prometheus.HistogramVec
	held  prometheus.Gauge
}

func newMetrics() *metrics {
	return &metrics{
		tries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "callhome_deliver_tries_total",
			Help: "Tries to deliver a message, by what came of it: delivered, retried, refused, expired, dropped.",
		}, []string{"transport", "result"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "callhome_deliver_try_seconds", Help: "Time of one try.", Buckets: prometheus.ExponentialBuckets(0.0005, 2, 18),
		}, []string{"transport"}),
		held: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "callhome_deliver_unreachable_destinations", Help: "Destinations that take no messages at present.",
		}),
	}
}

func (m *metrics) register(r prometheus.Registerer) error {
	return errors.Join(r.Register(m.tries), r.Register(m.took), r.Register(m.held))
}

func (m *metrics) sent(t callhome.Transport, out outcome, took time.Duration) {
	m.tries.WithLabelValues(string(t), string(out)).Inc()
	m.took.WithLabelValues(string(t)).Observe(took.Seconds())
}
