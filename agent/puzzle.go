package agent

import (
	"bytes"
	"fmt"
	"time"

	"callhome/agent/intake"
	"callhome/codec/ciscolog"
	"callhome/codec/syslog"
)

// puzzle holds what came of messages that arrive in pieces: parts of CiscoLog, segments of ISE and ACS.
type puzzle struct {
	parts    ciscolog.Assembler
	segments syslog.Assembler
	record   ciscolog.Record
}

func newPuzzle() puzzle {
	return puzzle{
		parts: ciscolog.Assembler{Timeout: ciscolog.TimeoutStream}, segments: syslog.Assembler{Patience: ciscolog.TimeoutStream},
	}
}

// whole is a message that was put together: one line, the way its parts came, and whether some did not come.
type whole struct {
	line       []byte
	way        string
	first      time.Time // when the first part was received
	incomplete bool
}

// read parses the message as a line of the device that sends from its way's address, nil if unknown.
func (m *whole) read(p *plan, t *target, o *intake.Origin, l *syslog.Line) *target {
	t = p.read(t, m.line, o, l)
	if m.incomplete {
		l.Flags |= syslog.FlagIncomplete
	}
	return t
}

var partMark = []byte("[part=")

// isPart tells a line that may be a piece from one that is none.
func isPart(l *syslog.Line) bool {
	return l.Segment.Total > 1 || (l.Dialect == syslog.CiscoLog || l.Dialect == syslog.UCM) && bytes.Contains(l.ParamRegion, partMark)
}

// add keeps a line that is a piece; ok is false for one that stands by itself. What is complete by it, or was given up to
// make room, is given.
func (z *puzzle) add(way string, l *syslog.Line, now time.Time) (done []whole, ok bool) {
	if l.Segment.Total > 1 {
		joined, ok := z.segments.Add(nil, way, l, now)
		return wholeSegments(nil, joined), ok
	}
	if !ciscolog.Parse(l.Raw, now, &z.record, ciscolog.Options{}) {
		return nil, false
	}
	joined, ok := z.parts.Add(nil, way, &z.record, now)
	return wholeParts(nil, joined), ok
}

// expire gives up messages whose missing pieces did not come in time.
func (z *puzzle) expire(now time.Time) []whole {
	return wholeSegments(wholeParts(nil, z.parts.Expire(nil, now)), z.segments.Expire(nil, now))
}

// flush gives up everything that is still incomplete.
func (z *puzzle) flush() []whole {
	return wholeSegments(wholeParts(nil, z.parts.Flush(nil)), z.segments.Flush(nil))
}

// wholeParts makes lines of CiscoLog messages: the header of the lowest part, and the text of all. What is missing is
// said at the end, never swallowed.
func wholeParts(dst []whole, joined []ciscolog.Joined) []whole {
	for i := range joined {
		m := &joined[i]
		var first ciscolog.Record
		ciscolog.Parse(m.Parts[0], m.First, &first, ciscolog.Options{})
		line := bytes.Clone(m.Parts[0][:len(m.Parts[0])-len(first.Text)])
		line = append(line, m.Record.Text...)
		if len(m.Missing) > 0 {
			line = fmt.Appendf(line, "\n[parts missing: %v of %d]", m.Missing, m.Total)
		}
		dst = append(dst, whole{line: line, way: m.Peer, first: m.First, incomplete: len(m.Missing) > 0})
	}
	return dst
}

// wholeSegments does the same with ISE messages, whose segments are numbered from 0.
func wholeSegments(dst []whole, joined []syslog.Joined) []whole {
	for i := range joined {
		m := &joined[i]
		if len(m.Missing) > 0 {
			m.Line = fmt.Appendf(m.Line, "\n[segments missing: %v of 0 to %d]", m.Missing, m.Total-1)
		}
		dst = append(dst, whole{line: m.Line, way: m.Peer, first: m.First, incomplete: len(m.Missing) > 0})
	}
	return dst
}
