package agent

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"callhome"
	"callhome/agent/intake"
	"callhome/codec/ciscolog"
	"callhome/codec/syslog"
)

// joiner puts CiscoLog messages of several parts together, so that an alert fires once, on the whole text. Parts are
// held in memory, for 30 seconds at most: a crash in that time forgets them.
type joiner struct {
	agent *Agent

	mu        sync.Mutex // guards what follows
	assembler ciscolog.Assembler
	record    ciscolog.Record
}

func newJoiner(a *Agent) *joiner {
	return &joiner{agent: a, assembler: ciscolog.Assembler{Timeout: ciscolog.TimeoutStream}}
}

var partMark = []byte("[part=")

// take keeps a line that is a part; ok is false for any other line. Messages that are complete by it are judged.
func (j *joiner) take(ctx context.Context, o *intake.Origin, l *syslog.Line) (ok bool, err error) {
	if l.Dialect != syslog.CiscoLog && l.Dialect != syslog.UCM || !bytes.Contains(l.ParamRegion, partMark) {
		return false, nil
	}
	j.mu.Lock()
	var done []ciscolog.Joined
	if ciscolog.Parse(l.Raw, o.ReceivedAt, &j.record, ciscolog.Options{}) {
		done, ok = j.assembler.Add(nil, peerText(o.Peer.Addr()), &j.record, o.ReceivedAt)
	}
	j.mu.Unlock()
	return ok, j.judge(ctx, done)
}

// expire judges messages whose missing parts did not come in time.
func (j *joiner) expire(ctx context.Context, now time.Time) error {
	j.mu.Lock()
	done := j.assembler.Expire(nil, now)
	j.mu.Unlock()
	return j.judge(ctx, done)
}

// flush judges everything that is still incomplete.
func (j *joiner) flush(ctx context.Context) error {
	j.mu.Lock()
	done := j.assembler.Flush(nil)
	j.mu.Unlock()
	return j.judge(ctx, done)
}

// judge treats each joined message as one line: the header of its first part, and the whole text.
func (j *joiner) judge(ctx context.Context, done []ciscolog.Joined) error {
	for i := range done {
		m := &done[i]
		o := &intake.Origin{Source: callhome.SourceSyslog, ReceivedAt: m.First}
		if peer, err := netip.ParseAddr(m.Peer); err == nil {
			o.Peer = netip.AddrPortFrom(peer, 0)
		}
		s := scratches.Get().(*scratch)
		p := j.agent.plan.Load()
		t := p.read(p.devices.byPeer(o.Peer.Addr()), j.whole(m), o, &s.line)
		err := j.agent.judge(ctx, p, t, o, s)
		scratches.Put(s)
		if err != nil {
			return err
		}
	}
	return nil
}

// whole is the message as one line. What is missing is said at its end, never swallowed.
func (j *joiner) whole(m *ciscolog.Joined) []byte {
	var first ciscolog.Record
	ciscolog.Parse(m.Parts[0], m.First, &first, ciscolog.Options{})
	head := m.Parts[0][:len(m.Parts[0])-len(first.Text)]
	out := append(bytes.Clone(head), m.Record.Text...)
	if len(m.Missing) > 0 {
		out = fmt.Appendf(out, "\n[parts missing: %v of %d]", m.Missing, m.Total)
	}
	return out
}
