package ciscolog

import (
	"bytes"
	"container/list"
	"encoding/binary"
	"time"
)

// Rules for numbers that go down.
const (
	MaxStreams   = 10_000  // streams a Tracker remembers; the one not seen for longest goes first
	wrapWindow   = 1 << 16 // as near to the top the next lower number is the counter beginning again
	restartBelow = 16      // a process that starts again is seen within its first numbers
	lateWindow   = 16      // datagrams that overtake one another are about this near
	// clockMargin is by how much the stamp of an overtaken message may be later than that of a higher number; beyond it
	// the lower number is of a new process, however much of its beginning was lost.
	clockMargin = time.Second
)

// Order says how a sequence number stands to those before it in its stream.
type Order string

// The orders.
const (
	OrderNone    Order = ""        // no usable number
	OrderFirst   Order = "first"   // first of its stream
	OrderNext    Order = "next"    // the one expected
	OrderGap     Order = "gap"     // numbers before it are missing
	OrderRepeat  Order = "repeat"  // the last number again
	OrderRestart Order = "restart" // the process was started again
	OrderWrap    Order = "wrap"    // the counter went over its top
	OrderLate    Order = "late"    // an older message that was overtaken
)

// Observation is what a Tracker makes of one record.
type Observation struct {
	Order    Order
	Missing  uint64 // messages missing right before this one, as far as that can be told
	Advisory bool   // several processes may share this stream, as no pname.orig tells them apart: Missing proves nothing
}

// Tracker watches the sequence numbers of streams for gaps. A stream is a host, an application and, where the tag
// pname.orig is there, a process. The zero Tracker is ready; it is not safe for use by several goroutines at once.
type Tracker struct {
	Max int // streams remembered; 0 is MaxStreams

	streams map[string]*list.Element // of *stream
	recent  list.List                // of *stream, the most recent in front
	key     []byte                   // scratch
}

type stream struct {
	key  string
	last uint32
	at   time.Time // stamp of the last number
}

// Observe takes the number of a record. Numbers of Contact Center Express have no meaning and are passed over. peer names the sender where the record has no name of a host.
func (t *Tracker) Observe(peer string, r *Record) Observation {
	if !r.HasSeq || r.Seq > MaxSeq || bytes.HasPrefix(r.App, mivrApp) {
		return Observation{}
	}
	pname, named := r.Tag(keyPname)
	t.streamKey(peer, r, pname)
	seq, at := uint32(r.Seq), r.stampTime()
	e := t.streams[string(t.key)]
	if e == nil {
		t.remember(&stream{key: string(t.key), last: seq, at: at})
		return Observation{Order: OrderFirst, Advisory: !named}
	}
	t.recent.MoveToFront(e)
	s := e.Value.(*stream)
	o := s.compare(seq, at)
	if o.Order != OrderLate {
		s.last, s.at = seq, at
	}
	o.Advisory = !named
	return o
}

// stampTime is the time of the stamp, zero when the sender gave none.
func (r *Record) stampTime() time.Time {
	if r.TimeSource == TimeFromReceipt {
		return time.Time{}
	}
	return r.Time
}

// compare judges a number of the stream.
func (s *stream) compare(seq uint32, at time.Time) Observation {
	switch {
	case seq == s.last:
		return Observation{Order: OrderRepeat}
	case seq > s.last && s.last < wrapWindow && seq > MaxSeq-wrapWindow:
		return Observation{Order: OrderLate} // from before the wrap
	case seq == s.last+1 && seq != 0:
		return Observation{Order: OrderNext}
	case seq > s.last:
		return Observation{Order: OrderGap, Missing: uint64(seq - s.last - 1)}
	case s.last > MaxSeq-wrapWindow && seq < wrapWindow:
		return Observation{Order: OrderWrap, Missing: uint64(seq - s.last - 1)}
	case seq == 0 || seq < restartBelow && (s.last-seq > lateWindow || at.After(s.at)):
		return Observation{Order: OrderRestart, Missing: uint64(seq)}
	case at.Sub(s.at) > clockMargin && !s.at.IsZero():
		return Observation{Order: OrderRestart}
	}
	return Observation{Order: OrderLate}
}

// streamKey writes the identity of the record's stream into t.key.
func (t *Tracker) streamKey(peer string, r *Record, pname []byte) {
	host := []byte(peer)
	if hostKnown(r.Host) {
		host = hostName(r.Host)
	} else if hostKnown(r.RelayHost) {
		host = r.RelayHost
	}
	t.key = binary.AppendUvarint(t.key[:0], uint64(len(host)))
	for _, c := range host {
		t.key = append(t.key, lower(c))
	}
	t.key = binary.AppendUvarint(t.key, uint64(len(r.App)))
	t.key = append(t.key, r.App...)
	t.key = append(t.key, pname...)
}

// remember adds a stream and forgets the one not seen for longest if there are too many.
func (t *Tracker) remember(s *stream) {
	if t.streams == nil {
		t.streams = make(map[string]*list.Element)
	}
	t.streams[s.key] = t.recent.PushFront(s)
	if t.recent.Len() <= limitOr(t.Max, MaxStreams) {
		return
	}
	oldest := t.recent.Back()
	t.recent.Remove(oldest)
	delete(t.streams, oldest.Value.(*stream).key)
}
