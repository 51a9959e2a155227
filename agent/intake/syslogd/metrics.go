package syslogd

import (
	"fmt"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// counts are one listener's figures. Goroutines add to them once per read, not once per line.
type counts struct {
	lines       atomic.Uint64
	bytes       atomic.Uint64
	kernelDrops atomic.Uint64 // datagrams the kernel dropped because the receive buffer was full
	oversize    atomic.Uint64 // lines cut at the limit
	refused     atomic.Uint64 // connections beyond the limit
	handshakes  atomic.Uint64 // TLS handshakes that failed or took too long
	badFrames   atomic.Uint64 // connections closed because their framing could not be trusted, or a frame did not end
	connections atomic.Int64  // open now
}

// Stats is one listener's state.
type Stats struct {
	Listener         string // as configured
	Address          string // as bound
	Lines            uint64
	Bytes            uint64
	KernelDrops      uint64 // datagrams the kernel dropped; raise intake.receive_buffer
	Truncated        uint64
	Refused          uint64
	FailedHandshakes uint64
	BadFrames        uint64
	Connections      int64
}

func (c *counts) stats() Stats {
	return Stats{
		Lines: c.lines.Load(), Bytes: c.bytes.Load(), KernelDrops: c.kernelDrops.Load(), Truncated: c.oversize.Load(),
		Refused: c.refused.Load(), FailedHandshakes: c.handshakes.Load(), BadFrames: c.badFrames.Load(), Connections: c.connections.Load(),
	}
}

// The metrics; each has the label listener.
var (
	descLines       = desc("lines_total", "Lines received.")
	descBytes       = desc("bytes_total", "Bytes of lines received, without framing.")
	descDrops       = desc("kernel_dropped_lines_total", "Datagrams the kernel dropped because the receive buffer was full.")
	descTruncated   = desc("truncated_lines_total", "Lines cut at the limit.")
	descRefused     = desc("refused_connections_total", "Connections beyond the limit.")
	descHandshakes  = desc("failed_handshakes_total", "TLS handshakes that failed or took too long.")
	descBadFrames   = desc("bad_frames_total", "Connections closed because of their framing.")
	descConnections = desc("connections", "Connections open now.")
)

func desc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("callhome_intake_"+name, help, []string{"listener"}, nil)
}

// collector exports the counts when they are asked for, so that the hot path knows nothing of it.
type collector struct{ s *Server }

// Describe lists the metrics.
func (c collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descLines, descBytes, descDrops, descTruncated, descRefused, descHandshakes, descBadFrames, descConnections} {
		ch <- d
	}
}

// Collect reads the counts.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	for _, s := range c.s.Stats() {
		counter := func(d *prometheus.Desc, v uint64) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), s.Listener)
		}
		counter(descLines, s.Lines)
		counter(descBytes, s.Bytes)
		counter(descDrops, s.KernelDrops)
		counter(descTruncated, s.Truncated)
		counter(descRefused, s.Refused)
		counter(descHandshakes, s.FailedHandshakes)
		counter(descBadFrames, s.BadFrames)
		ch <- prometheus.MustNewConstMetric(descConnections, prometheus.GaugeValue, float64(s.Connections), s.Listener)
	}
}

func (s *Server) register(r prometheus.Registerer) error {
	if err := r.Register(collector{s}); err != nil {
		return fmt.Errorf("register metrics of syslogd: %w", err)
	}
	return nil
}
