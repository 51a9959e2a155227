package collect

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics counts commands by how they ended.
type metrics struct {
	commands *prometheus.CounterVec
	seconds  prometheus.Histogram
	removed  prometheus.Counter
	sessions prometheus.Gauge
	refused  prometheus.Counter
}

func newMetrics() *metrics {
	return &metrics{
		commands: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "callhome_collect_commands_total", Help: "Commands for alerts, by outcome.",
		}, []string{"outcome"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "callhome_collect_command_duration_seconds", Help: "Time a command took.",
			Buckets: []float64{.01, .05, .1, .5, 1, 5, 10, 30, 60},
		}),
		removed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "callhome_collect_truncated_bytes_total", Help: "Output beyond the limit of a command.",
		}),
		sessions: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "callhome_collect_sessions", Help: "Sessions open on devices.",
		}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "callhome_collect_refused_logins_total", Help: "Logins that a device refused.",
		}),
	}
}

func (m *metrics) register(r prometheus.Registerer) error {
	for _, c := range []prometheus.Collector{m.commands, m.seconds, m.removed, m.sessions, m.refused} {
		if err := r.Register(c); err != nil {
			return fmt.Errorf("register metrics of collect: %w", err)
		}
	}
	return nil
}
