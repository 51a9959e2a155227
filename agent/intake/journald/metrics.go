package journald

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics of the reader.
type metrics struct {
	entries  prometheus.Counter
	restarts prometheus.Counter
	bad      prometheus.Counter
}

func newMetrics() *metrics {
	return &metrics{
		entries:  prometheus.NewCounter(prometheus.CounterOpts{Name: "callhome_intake_journal_entries_total", Help: "Journal entries taken."}),
		restarts: prometheus.NewCounter(prometheus.CounterOpts{Name: "callhome_intake_journal_restarts_total", Help: "Times journalctl ended and was started again."}),
		bad:      prometheus.NewCounter(prometheus.CounterOpts{Name: "callhome_intake_journal_bad_entries_total", Help: "Lines of journalctl that are no entries."}),
	}
}

func (m *metrics) register(r prometheus.Registerer) error {
	if err := errors.Join(r.Register(m.entries), r.Register(m.restarts), r.Register(m.bad)); err != nil {
		return fmt.Errorf("register metrics of journald: %w", err)
	}
	return nil
}
