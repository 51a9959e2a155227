package outbox

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the queue's figures; as a prometheus.Collector it reads the depth at every scrape.
type metrics struct {
	queue   *Queue
	alerts  prometheus.Counter
	entries prometheus.Counter
	faults  prometheus.Counter
	took    prometheus.Histogram
	size    prometheus.Histogram
}

var (
	depthDesc = prometheus.NewDesc("callhome_outbox_messages", "What waits in the outbox: alerts, entries, dead letters.", []string{"state"}, nil)
	bytesDesc = prometheus.NewDesc("callhome_outbox_stored_bytes", "Bytes it takes, compressed.", []string{"state"}, nil)
	limitDesc = prometheus.NewDesc("callhome_outbox_limit_bytes", "Bytes of alerts and entries beyond which new alerts are refused.", nil, nil)
	countDesc = prometheus.NewDesc("callhome_outbox_outcomes_total", "What became of messages, since the store was made.",
		[]string{"alert_group", "transport", "status", "reason"}, nil)
)

func newMetrics(q *Queue) *metrics {
	return &metrics{
		queue: q,
		alerts: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "callhome_outbox_alerts_accepted_total", Help: "Alerts made durable."}),
		entries: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "callhome_outbox_entries_accepted_total", Help: "Envelopes made durable."}),
		faults: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "callhome_outbox_commit_faults_total", Help: "Transactions that the store refused."}),
		took: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "callhome_outbox_commit_seconds", Help: "Time of one transaction with its sync.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 2, 15)}),
		size: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "callhome_outbox_commit_requests", Help: "Requests that shared one transaction.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 10)}),
	}
}

func (m *metrics) commit(err error, took time.Duration, requests int) {
	if err != nil {
		m.faults.Inc()
		return
	}
	m.took.Observe(took.Seconds())
	m.size.Observe(float64(requests))
}

func (m *metrics) own() []prometheus.Collector {
	return []prometheus.Collector{m.alerts, m.entries, m.faults, m.took, m.size}
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, c := range m.own() {
		c.Describe(ch)
	}
	ch <- depthDesc
	ch <- bytesDesc
	ch <- limitDesc
	ch <- countDesc
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	for _, c := range m.own() {
		c.Collect(ch)
	}
	d := m.queue.depth()
	for _, row := range []struct {
		state        string
		count, bytes int64
	}{{"alert", d.Alerts, d.AlertBytes}, {"entry", d.Entries, d.EntryBytes}, {"dead_letter", d.DeadLetters, d.DeadBytes}} {
		ch <- prometheus.MustNewConstMetric(depthDesc, prometheus.GaugeValue, float64(row.count), row.state)
		ch <- prometheus.MustNewConstMetric(bytesDesc, prometheus.GaugeValue, float64(row.bytes), row.state)
	}
	ch <- prometheus.MustNewConstMetric(limitDesc, prometheus.GaugeValue, float64(d.LimitBytes))
	for _, c := range m.queue.Statistics().Counts {
		if c.Status == StatusQueued {
			continue
		}
		ch <- prometheus.MustNewConstMetric(countDesc, prometheus.CounterValue, float64(c.N),
			string(c.Group), string(c.Transport), string(c.Status), string(c.Reason))
	}
}
