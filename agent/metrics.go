package agent

import (
	"errors"

	"callhome"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	dropped map[callhome.Reason]prometheus.Counter
	vec     *prometheus.CounterVec
}

func newMetrics() *metrics {
	m := &metrics{
		dropped: map[callhome.Reason]prometheus.Counter{},
		vec: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "callhome_agent_alerts_dropped_total", Help: "Alerts that were not sent to a profile, by reason.",
		}, []string{"reason"}),
	}
	for _, r := range callhome.Reasons() {
		m.dropped[r] = m.vec.WithLabelValues(string(r))
	}
	return m
}

func (m *metrics) drops(r callhome.Reason) prometheus.Counter { return m.dropped[r] }

func (m *metrics) register(reg prometheus.Registerer, a *Agent) error {
	counter := func(name, help string, read func() int64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return float64(read()) })
	}
	return errors.Join(
		reg.Register(m.vec),
		reg.Register(counter("callhome_agent_lines_total", "Lines taken in.", a.stats.lines.Load)),
		reg.Register(counter("callhome_agent_lines_unwanted_total", "Lines that no profile subscribes to.", a.stats.unwanted.Load)),
		reg.Register(counter("callhome_agent_alerts_total", "Alerts made durable.", a.stats.alerts.Load)),
		reg.Register(counter("callhome_agent_messages_joined_total", "Messages put together from parts or segments.", a.joiner.joined.Load)),
		reg.Register(counter("callhome_agent_messages_incomplete_total", "Messages put together of which parts or segments never came.", a.joiner.incomplete.Load)),
		reg.Register(counter("callhome_agent_sequence_missed_total", "Lines missed, by the numbers of senders that count them.", a.sequences.missed.Load)),
		reg.Register(counter("callhome_agent_sequence_hinted_total", "Missed lines whose numbers are a hint only.", a.sequences.hinted.Load)),
		reg.Register(counter("callhome_agent_sequence_late_total", "Lines that later ones overtook; they were counted as missed.", a.sequences.late.Load)),
		reg.Register(counter("callhome_agent_sequence_restarts_total", "Times that a sender began to count again.", a.sequences.restarts.Load)),
	)
}
