package server

import (
	"context"
	"fmt"
	"os"
	"time"

	"callhome"
	"callhome/codec/aml"
	"callhome/server/account"
	"callhome/server/archive"
	"callhome/server/ingest"
)

// probeModel is the product model of the probe: of no device, so that its messages are known for what they are.
const probeModel = "CALLHOME-PROBE"

// probeWait is the pause between two looks whether a probe has arrived.
const probeWait = 50 * time.Millisecond

// reasonProbe marks the records of probes.
const reasonProbe = "probe"

// Post brings a message to a device endpoint, as a device does.
type Post func(ctx context.Context, url string, body []byte) error

// probeLoop calls home on a schedule and times the whole way: posted, taken, worked, readable.
func (s *Server) probeLoop(ctx context.Context) {
	if s.cfg.Probe.Every == 0 || s.post == nil {
		return
	}
	part := s.health.Part("probe")
	for n := 1; ; n++ {
		rest(ctx, s.cfg.Probe.Every)
		if ctx.Err() != nil {
			return
		}
		took, err := s.probe(ctx, n)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.metrics.probes.WithLabelValues("failed").Inc()
			part.Unwell("a call home of our own did not go through: " + err.Error())
			s.log.Error("the probe failed", "component", "server", "err", err)
		case took > s.cfg.Probe.Limit:
			s.metrics.probes.WithLabelValues("slow").Inc()
			part.Unwell(fmt.Sprintf("a call home of our own took %v, more than probe.limit (%v)", took.Round(time.Millisecond), s.cfg.Probe.Limit))
		default:
			s.metrics.probes.WithLabelValues("well").Inc()
			part.Well()
		}
	}
}

// probe sends one message and waits until it can be read in the archive.
func (s *Server) probe(ctx context.Context, n int) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*s.cfg.Probe.Limit)
	defer cancel()
	m := probeMessage(n, s.now())
	v, _ := aml.VariantFor("ios")
	body, err := aml.Append(nil, &m, v)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if err := s.post(ctx, s.cfg.Probe.URL, body); err != nil {
		return 0, err
	}
	for {
		found, err := s.db.Read().Archive().List(ctx, archive.Filter{Reach: account.Everywhere(), MessageID: m.MessageID, Page: account.Page{Limit: 1}})
		if err != nil {
			return 0, err
		}
		if len(found) > 0 {
			took := time.Since(began)
			s.metrics.probeTime.Observe(took.Seconds())
			return took, nil
		}
		rest(ctx, probeWait)
		if ctx.Err() != nil {
			return 0, fmt.Errorf("it was taken and is not in the archive after %v", time.Since(began).Round(time.Millisecond))
		}
	}
}

func probeMessage(n int, now time.Time) callhome.Message {
	host, _ := os.Hostname()
	if host == "" {
		host = "backend"
	}
	level := callhome.LevelDebugging
	id := fmt.Sprintf("%d:%s-%d:%08X", n, host, os.Getpid(), now.Unix())
	return callhome.Message{
		MessageID: callhome.MessageID("M" + id), GroupID: "G" + id, EventTime: callhome.At(now), Type: "test", Subtype: "probe", Group: callhome.GroupTest,
		Severity: &level, DeviceID: callhome.MakeDeviceID(probeModel, host), SystemName: host, Model: probeModel, Serial: host,
		ContactEmail: "probe@" + host + ".invalid", Description: "a call home of the back end's own, to time the way",
	}
}

// isProbe reports whether a message is a probe, ours or another server's: it is stored, and no device follows from it.
func isProbe(acc *ingest.Accepted) bool {
	model, _, _, ok := acc.Message.DeviceID.Parts()
	return ok && model == probeModel && acc.Message.Group == callhome.GroupTest
}

// probed stores a probe.
func (s *Server) probed(ctx context.Context, acc *ingest.Accepted, store func(context.Context, *archive.Record, []byte) error) error {
	acc.Record.Status, acc.Record.Reasons = archive.StatusAnonymous, []string{reasonProbe}
	s.metrics.finished(acc.Record.Status)
	return store(ctx, &acc.Record, acc.Body)
}
