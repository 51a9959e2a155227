package api

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics count what the API does. A nil Metrics counts nothing.
type Metrics struct {
	requests *prometheus.CounterVec
	seconds  prometheus.Histogram
	streams  prometheus.Gauge
	dropped  prometheus.Counter
}

// NewMetrics makes the metrics and registers them.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "callhome_api_requests_total", Help: "Requests answered, by method and class of status."}, []string{"method", "status"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "callhome_api_request_seconds", Help: "Time that requests took, streams included.", Buckets: []float64{.001, .0025, .005, .01, .025, .1, .5, 2.5, 10},
		}),
		streams: prometheus.NewGauge(prometheus.GaugeOpts{Name: "callhome_api_event_streams", Help: "Event streams that are open."}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{Name: "callhome_api_event_streams_dropped_total", Help: "Event streams ended because the client read too slowly."}),
	}
	r.MustRegister(m.requests, m.seconds, m.streams, m.dropped)
	return m
}

// methods that are counted by name; what strangers make up is counted as one.
var methods = map[string]bool{"GET": true, "HEAD": true, "POST": true, "PUT": true, "PATCH": true, "DELETE": true}

func (m *Metrics) answered(method string, code int, took time.Duration) {
	if m == nil {
		return
	}
	if !methods[method] {
		method = "other"
	}
	m.requests.WithLabelValues(method, statusWord(code)).Inc()
	m.seconds.Observe(took.Seconds())
}

func (m *Metrics) stream(n float64) {
	if m != nil {
		m.streams.Add(n)
	}
}

func (m *Metrics) drop() {
	if m != nil {
		m.dropped.Inc()
	}
}
