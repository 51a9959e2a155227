package health

import "github.com/prometheus/client_golang/prometheus"

var (
	partDesc  = prometheus.NewDesc("callhome_health_part_well", "1 while the part is well, 0 while it is not.", []string{"part"}, nil)
	sinceDesc = prometheus.NewDesc("callhome_health_part_since_seconds", "Unix time at which the part became well or unwell.", []string{"part"}, nil)
	readyDesc = prometheus.NewDesc("callhome_health_ready", "1 while the process serves.", nil, nil)
)

// Describe implements prometheus.Collector.
func (r *Registry) Describe(ch chan<- *prometheus.Desc) {
	ch <- partDesc
	ch <- sinceDesc
	ch <- readyDesc
}

// Collect implements prometheus.Collector: it reads the registry at every scrape.
func (r *Registry) Collect(ch chan<- prometheus.Metric) {
	for _, s := range r.Snapshot() {
		ch <- prometheus.MustNewConstMetric(partDesc, prometheus.GaugeValue, oneIf(s.Well), s.Part)
		ch <- prometheus.MustNewConstMetric(sinceDesc, prometheus.GaugeValue, float64(s.Since.UnixMilli())/1000, s.Part)
	}
	ch <- prometheus.MustNewConstMetric(readyDesc, prometheus.GaugeValue, oneIf(r.Ready()))
}

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
