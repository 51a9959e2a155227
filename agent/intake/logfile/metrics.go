package logfile

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics of all files together; paths are no labels, since programs make them up.
type metrics struct {
	bytes     prometheus.Counter
	rotations prometheus.Counter
	files     prometheus.Gauge
}

func newMetrics() *metrics {
	return &metrics{
		bytes:     prometheus.NewCounter(prometheus.CounterOpts{Name: "callhome_intake_file_bytes_total", Help: "Bytes read from followed files."}),
		rotations: prometheus.NewCounter(prometheus.CounterOpts{Name: "callhome_intake_file_rotations_total", Help: "Files renamed or truncated while they were followed."}),
		files:     prometheus.NewGauge(prometheus.GaugeOpts{Name: "callhome_intake_files", Help: "Files open now, rotated ones included."}),
	}
}

func (m *metrics) register(r prometheus.Registerer) error {
	if err := errors.Join(r.Register(m.bytes), r.Register(m.rotations), r.Register(m.files)); err != nil {
		return fmt.Errorf("register metrics of logfile: %w", err)
	}
	return nil
}
