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
	key string
	Counter
}

// Counter watches the numbers of one stream. The zero Counter is ready; it is not safe for use by several goroutines at
// once.
type Counter struct {
	begun bool
	last  uint32
	at    time.Time // stamp of the last number
}

// Number takes the next number of the stream; see [Tracker.Number].
func (c *Counter) Number(number uint64, at time.Time) Observation {
	if number > MaxSeq {
		return Observation{}
	}
	seq := uint32(number)
	if !c.begun {
		*c = Counter{begun: true, last: seq, at: at}
		return Observation{Order: OrderFirst}
	}
	o := c.compare(seq, at)
	if o.Order != OrderLate {
		c.last, c.at = seq, at
	}
	return o
}

// Stream names what numbers its messages: a host, an application and a process, of which any may be empty. Hosts are
// compared in lower case.
type Stream struct{ Host, App, Process []byte }

// Observe takes the number of a record. peer names the sender where the record has no name of a host.
func (t *Tracker) Observe(peer string, r *Record) Observation {
	if !r.HasSeq {
		return Observation{}
	}
	host := []byte(peer)
	if hostKnown(r.Host) {
		host = hostName(r.Host)
	} else if hostKnown(r.RelayHost) {
		host = r.RelayHost
	}
	pname, named := r.Tag(keyPname)
	o := t.Number(Stream{Host: host, App: r.App, Process: pname}, r.Seq, r.stampTime())
	o.Advisory = o.Order != OrderNone && !named
	return o
}

// Number takes a number of a stream whose message was stamped at a time, which is zero when the sender gave none. It is
// for senders whose lines are no records, such as IOS with its numbers of lines. Numbers above MaxSeq are passed over, and
// those of Contact Center Express, which have no meaning.
func (t *Tracker) Number(of Stream, number uint64, at time.Time) Observation {
	if number > MaxSeq || bytes.HasPrefix(of.App, mivrApp) {
		return Observation{}
	}
	t.streamKey(of)
	e := t.streams[string(t.key)]
	if e == nil {
		t.remember(&stream{key: string(t.key)})
		e = t.recent.Front()
	}
	t.recent.MoveToFront(e)
	return e.Value.(*stream).Number(number, at)
}

// stampTime is the time of the stamp, zero when the sender gave none.
func (r *Record) stampTime() time.Time {
	if r.TimeSource == TimeFromReceipt {
		return time.Time{}
	}
	return r.Time
}

// compare judges a number of the stream.
func (c *Counter) compare(seq uint32, at time.Time) Observation {
	switch {
	case seq == c.last:
		return Observation{Order: OrderRepeat}
	case seq > c.last && c.last < wrapWindow && seq > MaxSeq-wrapWindow:
		return Observation{Order: OrderLate} // from before the wrap
	case seq == c.last+1 && seq != 0:
		return Observation{Order: OrderNext}
	case seq > c.last:
		return Observation{Order: OrderGap, Missing: uint64(seq - c.last - 1)}
	case c.last > MaxSeq-wrapWindow && seq < wrapWindow:
		return Observation{Order: OrderWrap, Missing: uint64(seq - c.last - 1)}
	case seq == 0 || seq < restartBelow && (c.last-seq > lateWindow || at.After(c.at)):
		return Observation{Order: OrderRestart, Missing: uint64(seq)}
	case at.Sub(c.at) > clockMargin && !c.at.IsZero():
		return Observation{Order: OrderRestart}
	}
	return Observation{Order: OrderLate}
}

// streamKey writes the identity of a stream into t.key.
func (t *Tracker) streamKey(of Stream) {
	key := binary.AppendUvarint(t.key[:0], uint64(len(of.Host)))
	for _, c := range of.Host {
		key = append(key, lower(c))
	}
	key = binary.AppendUvarint(key, uint64(len(of.App)))
	key = append(key, of.App...)
	t.key = append(key, of.Process...)
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
