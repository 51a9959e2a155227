package syslog

import (
	"bytes"
	"container/list"
	"encoding/binary"
	"hash/maphash"
	"slices"
	"time"
)

// Limits of an Assembler, so that senders of first segments only cannot fill the memory.
const (
	maxSegments     = 512      // segments of one message; ISE cuts at 8 KiB at most into a few dozen
	maxGroups       = 10_000   // messages waiting for segments at once
	maxGroupOctets  = 16 << 20 // held at once
	segmentOverhead = 128      // what a kept segment, or a message, costs beside its octets
	defaultPatience = 5 * time.Second
)

// Assembler joins the segments of ISE and ACS messages. Segments may come in any order, with others between them. Time is
// a parameter; it starts nothing by itself. It is not safe for several goroutines.
type Assembler struct {
	// Patience is how long a message waits for its segments; 0 is five seconds.
	Patience  time.Duration
	MaxGroups int // messages that wait at once; 0 is 10,000
	MaxOctets int // held at once; 0 is 16 MiB

	groups map[string]*list.Element // of *group
	age    list.List                // of *group, the oldest in front
	octets int                      // held by all groups
	done   int                      // groups that are complete
	seed   maphash.Seed
	key    []byte // scratch
}

// Joined is a message of several segments, put together again. It shares no memory with what was given to Add.
type Joined struct {
	Line    []byte    // the texts without a separator, behind the header of the lowest segment that came
	Peer    string    // as it was given to Add
	First   time.Time // when the first segment was received
	Missing []int     // segments that did not come, from 0; the line is to be flagged with FlagIncomplete then
	Total   int       // segments there should be
}

// group is one message of which segments have come. A complete group stays until its time is over, without its texts, so
// that a segment that comes twice is not taken for a new message.
type group struct {
	key, peer string
	first     time.Time
	head      []byte // header of the lowest segment
	parts     []part // in order
	total     int
	octets    int
	done      bool
}

type part struct {
	index int
	sum   uint64 // of its text, which is nil when the group is complete
	text  []byte
}

// Add takes a parsed line of peer. It is false for a line that is no segment, is the only one of its message, or differs
// from the same segment that came before: that line stands by itself. The messages that thereby are complete, or were
// given up to make room, are added to dst. A segment that comes twice is kept once.
func (a *Assembler) Add(dst []Joined, peer string, l *Line, now time.Time) ([]Joined, bool) {
	s := &l.Segment
	if s.Total <= 1 || s.Total > maxSegments || s.Index < 0 || s.Index >= s.Total {
		return dst, false
	}
	dst = a.Expire(dst, now)
	g := a.group(peer, l, now)
	raw := trimEnd(l.Raw)
	cut := len(raw) - s.body
	sum := maphash.Bytes(a.seed, raw[cut:])
	at, twice := slices.BinarySearchFunc(g.parts, s.Index, func(p part, index int) int { return p.index - index })
	if twice {
		return dst, g.parts[at].sum == sum
	}
	if at == 0 {
		g.head = append(g.head[:0], raw[:cut]...)
	}
	g.parts = slices.Insert(g.parts, at, part{s.Index, sum, bytes.Clone(raw[cut:])})
	a.hold(g, len(raw)+segmentOverhead)
	if len(g.parts) == g.total {
		dst = append(dst, g.join())
		a.empty(g)
	}
	for a.age.Len() > limitOr(a.MaxGroups, maxGroups) || a.octets > limitOr(a.MaxOctets, maxGroupOctets) {
		dst = a.giveUp(dst)
	}
	return dst, true
}

func limitOr(limit, standard int) int {
	if limit > 0 {
		return limit
	}
	return standard
}

// group finds or makes the group of a segment.
func (a *Assembler) group(peer string, l *Line, now time.Time) *group {
	key := binary.AppendUvarint(a.key[:0], uint64(l.Segment.Total))
	for _, field := range [...][]byte{l.Host, l.Program, l.Segment.Group} {
		key = binary.AppendUvarint(key, uint64(len(field)))
		key = append(key, field...)
	}
	key = append(key, peer...)
	a.key = key
	if e := a.groups[string(key)]; e != nil {
		return e.Value.(*group)
	}
	if a.groups == nil {
		a.groups, a.seed = make(map[string]*list.Element), maphash.MakeSeed()
	}
	g := &group{key: string(key), peer: peer, first: now, total: l.Segment.Total}
	a.groups[g.key] = a.age.PushBack(g)
	a.hold(g, len(g.key)+segmentOverhead)
	return g
}

func (a *Assembler) hold(g *group, octets int) {
	g.octets += octets
	a.octets += octets
}

// empty lets go of the texts of a complete group.
func (a *Assembler) empty(g *group) {
	for i := range g.parts {
		a.hold(g, -len(g.parts[i].text))
		g.parts[i].text = nil
	}
	g.head, g.done = nil, true
	a.done++
}

// join puts the segments behind the header in their order.
func (g *group) join() Joined {
	j := Joined{Line: bytes.Clone(g.head), Peer: g.peer, First: g.first, Total: g.total}
	next := 0
	for _, p := range g.parts {
		for ; next < p.index; next++ {
			j.Missing = append(j.Missing, next)
		}
		next++
		j.Line = append(j.Line, p.text...)
	}
	for ; next < g.total; next++ {
		j.Missing = append(j.Missing, next)
	}
	return j
}

// giveUp takes the oldest group out and adds it to dst, unless it was complete.
func (a *Assembler) giveUp(dst []Joined) []Joined {
	e := a.age.Front()
	g := e.Value.(*group)
	a.age.Remove(e)
	delete(a.groups, g.key)
	a.octets -= g.octets
	if g.done {
		a.done--
		return dst
	}
	return append(dst, g.join())
}

// Expire gives up the messages that have waited too long at now and adds them to dst, joined of what came.
func (a *Assembler) Expire(dst []Joined, now time.Time) []Joined {
	patience := a.Patience
	if patience <= 0 {
		patience = defaultPatience
	}
	for e := a.age.Front(); e != nil && now.Sub(e.Value.(*group).first) >= patience; e = a.age.Front() {
		dst = a.giveUp(dst)
	}
	return dst
}

// Flush gives up all messages, at the end of the input.
func (a *Assembler) Flush(dst []Joined) []Joined {
	for a.age.Len() > 0 {
		dst = a.giveUp(dst)
	}
	return dst
}

// Waiting is how many messages wait for segments.
func (a *Assembler) Waiting() int { return a.age.Len() - a.done }
