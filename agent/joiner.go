package agent

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"callhome"
	"callhome/agent/intake"
	"callhome/codec/ciscolog"
	"callhome/codec/syslog"
)

// joiner puts CiscoLog messages of several parts together, so that an alert fires once, on the whole text. Parts are
// held in memory, for 30 seconds at most: a crash in that time forgets them. The line that completes a message from a
// file or the journal waits until its alert is durable, as any other does.
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
		done, ok = j.assembler.Add(nil, wayOf(o), &j.record, o.ReceivedAt)
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
		o := originBy(m.Peer)
		o.ReceivedAt = m.First
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

// waySeparator stands between the parts of a way; none of them holds one.
const waySeparator = " "

// wayOf is what the parts of one message have in common of their origin. The assembler keeps it with the group, as the
// peer, so that the message has the source and the proof of its parts, and no other way can add to it.
func wayOf(o *intake.Origin) string {
	return strings.Join([]string{string(o.Source), o.Transport, strconv.FormatBool(o.Secure), peerText(o.Peer.Addr())}, waySeparator)
}

// originBy is the origin, but for its time, of a message that came by a way.
func originBy(way string) *intake.Origin {
	fields := append(strings.Split(way, waySeparator), make([]string, 4)...) // at least four, whatever the way
	o := &intake.Origin{Source: callhome.Source(fields[0]), Transport: fields[1], Secure: fields[2] == "true"}
	if peer, err := netip.ParseAddr(fields[3]); err == nil {
		o.Peer = netip.AddrPortFrom(peer, 0)
	}
	return o
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
