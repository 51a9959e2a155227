package gateway

import (
	"callhome"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the gateway's own; queue, courier and listeners have theirs.
type metrics struct {
	g        *Gateway
	refusals *prometheus.CounterVec
	sends    *prometheus.CounterVec
	silent   *prometheus.Desc
	forward  *prometheus.Desc
	breaker  *prometheus.Desc
	free     *prometheus.Desc
}

func newMetrics(g *Gateway) *metrics {
	return &metrics{
		g: g,
		refusals: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "callhome_gateway_refused_total", Help: "Messages that the gateway refused, by reason.",
		}, []string{"reason"}),
		sends: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "callhome_gateway_sends_total", Help: "Tries at an upstream, by upstream and result.",
		}, []string{"upstream", "result"}),
		silent:  prometheus.NewDesc("callhome_gateway_silent_devices", "Devices from which no message came when one was due.", nil, nil),
		forward: prometheus.NewDesc("callhome_gateway_forwarding", "1 while messages that are not urgent may leave.", nil, nil),
		breaker: prometheus.NewDesc("callhome_gateway_upstream_usable", "1 while the upstream is used, 0 while it rests after a failure.", []string{"upstream"}, nil),
		free:    prometheus.NewDesc("callhome_gateway_disk_free_bytes", "Bytes left where the queue lies, -1 when not known.", nil, nil),
	}
}

func (m *metrics) refused(reason string) { m.refusals.WithLabelValues(reason).Inc() }

func (m *metrics) sent(url string, ok bool) {
	result := "failed"
	if ok {
		result = "sent"
	}
	m.sends.WithLabelValues(callhome.MaskURL(url), result).Inc()
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	m.refusals.Describe(ch)
	m.sends.Describe(ch)
	for _, d := range []*prometheus.Desc{m.silent, m.forward, m.breaker, m.free} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	m.refusals.Collect(ch)
	m.sends.Collect(ch)
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	gauge(m.silent, float64(m.g.silence.Load()))
	gauge(m.forward, truth(m.g.gate.reason() == ""))
	gauge(m.free, float64(m.g.room().Free))
	for _, u := range m.g.upstreams.states() {
		gauge(m.breaker, truth(u.Breaker == BreakerClosed), callhome.MaskURL(u.URL))
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
