package server

import (
	"github.com/prometheus/client_golang/prometheus"

	"callhome/server/analysis"
	"callhome/server/archive"
)

// metrics count what the back end does.
type metrics struct {
	arrivals  *prometheus.CounterVec
	messages  *prometheus.CounterVec
	findings  *prometheus.CounterVec
	batches   prometheus.Histogram
	faulty    prometheus.Counter
	probes    *prometheus.CounterVec
	probeTime prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		arrivals: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "callhome_server_arrivals_total", Help: "Messages taken durably, by result: new or duplicate.",
		}, []string{"result"}),
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "callhome_server_messages_total", Help: "Messages worked, by what became of them.",
		}, []string{"status"}),
		findings: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "callhome_server_findings_total", Help: "Findings of rules, by outcome.",
		}, []string{"outcome"}),
		probes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "callhome_server_probes_total", Help: "Calls home of the back end's own, by result: well, slow, failed.",
		}, []string{"result"}),
		probeTime: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "callhome_server_probe_seconds", Help: "Time from posting a probe until it could be read in the archive.", Buckets: prometheus.ExponentialBuckets(0.01, 2, 12),
		}),
		faulty: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "callhome_server_rule_faults_total", Help: "Evaluations of a single rule that failed.",
		}),
		batches: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "callhome_server_batch_messages", Help: "Messages worked in one transaction.", Buckets: []float64{1, 5, 20, 50, 100, 200},
		}),
	}
	if reg != nil {
		reg.MustRegister(m.arrivals, m.messages, m.findings, m.batches, m.faulty, m.probes, m.probeTime)
	}
	return m
}

func (m *metrics) accepted(duplicate bool) {
	result := "new"
	if duplicate {
		result = "duplicate"
	}
	m.arrivals.WithLabelValues(result).Inc()
}

func (m *metrics) finished(s archive.Status) { m.messages.WithLabelValues(string(s)).Inc() }

func (m *metrics) worked(n int) { m.batches.Observe(float64(n)) }

func (m *metrics) found(all []analysis.Finding) {
	for i := range all {
		m.findings.WithLabelValues(string(all[i].Outcome)).Inc()
	}
}
