package agent

import (
	"context"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"callhome"
	"callhome/agent/intake"
	"callhome/codec/syslog"
)

// joiner puts CiscoLog messages of several parts, and ISE and ACS messages of several segments, together, so that an
// alert fires once, on the whole text. Parts are held in memory, for 30 seconds at most: a crash in that time forgets
// them. The line that completes a message from a file or the journal waits until its alert is durable, as any other does.
type joiner struct {
	agent *Agent

	// Messages put together, and how many of them lack parts.
	joined, incomplete atomic.Int64

	mu     sync.Mutex // guards pieces
	pieces puzzle
}

func newJoiner(a *Agent) *joiner { return &joiner{agent: a, pieces: newPuzzle()} }

// take keeps a line that is a part; ok is false for any other line. Messages that are complete by it are judged.
func (j *joiner) take(ctx context.Context, o *intake.Origin, l *syslog.Line) (ok bool, err error) {
	if !isPart(l) {
		return false, nil
	}
	j.mu.Lock()
	done, ok := j.pieces.add(wayOf(o), l, o.ReceivedAt)
	j.mu.Unlock()
	return ok, j.judge(ctx, done)
}

// expire judges messages whose missing parts did not come in time.
func (j *joiner) expire(ctx context.Context, now time.Time) error {
	j.mu.Lock()
	done := j.pieces.expire(now)
	j.mu.Unlock()
	return j.judge(ctx, done)
}

// flush judges everything that is still incomplete.
func (j *joiner) flush(ctx context.Context) error {
	j.mu.Lock()
	done := j.pieces.flush()
	j.mu.Unlock()
	return j.judge(ctx, done)
}

// judge treats each message as one line. One that cannot be handed over keeps no other back; the error is the first.
func (j *joiner) judge(ctx context.Context, done []whole) (failed error) {
	for i := range done {
		m := &done[i]
		j.joined.Add(1)
		if m.incomplete {
			j.incomplete.Add(1)
		}
		o := originBy(m.way)
		o.ReceivedAt = m.first
		s := scratches.Get().(*scratch)
		p := j.agent.plan.Load()
		t := m.read(p, p.devices.byPeer(o.Peer.Addr()), o, &s.line)
		if err := j.agent.judge(ctx, p, t, o, s); err != nil && failed == nil {
			failed = err
		}
		scratches.Put(s)
	}
	return failed
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
