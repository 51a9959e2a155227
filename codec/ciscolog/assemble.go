package ciscolog

import (
	"bytes"
	"container/list"
	"encoding/binary"
	"slices"
	"time"
)

// Bounds of an Assembler, so that senders of first parts only cannot fill the memory.
const (
	MaxGroups     = 10_000
	MaxGroupBytes = 16 << 20
	// partOverhead is what one kept part costs beside its octets: a Record, and its places in the tables.
	partOverhead = 640
	// maxTotal is the largest total that is believed: ten times what a conforming sender uses.
	maxTotal = 9_999
)

// How long to wait for the missing parts of a message.
const (
	TimeoutUDP    = 5 * time.Second  // datagrams overtake one another by little
	TimeoutStream = 30 * time.Second // files and TCP: the sender may be slow
)

// Joined is a message of several parts, put together again.
type Joined struct {
	// Record is the lowest part that arrived, with the text of all in Text; Flags has what the parts' flags were, and
	// incomplete and dup_part. It shares no memory with what was given to Add.
	Record  Record
	Peer    string
	Parts   [][]byte  // the parts' lines as received, in order
	Missing []int     // numbers of the parts that did not come
	Total   int       // parts there should be
	First   time.Time // when the first of them was received
}

// Assembler joins the parts of messages. Parts may come in any order, with others between them. The zero Assembler waits
// TimeoutUDP; it is not safe for use by several goroutines at once.
type Assembler struct {
	Timeout   time.Duration // how long after its first part a message is given up; 0 is TimeoutUDP
	MaxGroups int           // 0 is the constant MaxGroups
	MaxBytes  int           // 0 is MaxGroupBytes

	groups map[string]*list.Element // of *group
	age    list.List                // of *group, the oldest in front
	bytes  int                      // held by all groups
	key    []byte                   // scratch
}

// group is one message of which parts have come. A complete group stays until its time is over, without its parts, so
// that a part that comes twice is not taken for a new message.
type group struct {
	key   string
	peer  string
	first time.Time
	total int
	parts []*partLine // in order
	bytes int
	dup   bool
	done  bool
}

type partLine struct {
	n      int
	wrap   bool
	record Record
}

// Add takes a record received from peer at now. It is false for a record that is no usable part; that one is a message
// by itself. The messages that thereby are complete, or were given up to make room, are added to dst. r may be used again
// afterwards.
func (a *Assembler) Add(dst []Joined, peer string, r *Record, now time.Time) ([]Joined, bool) {
	if !r.HasPart || r.Part.Total > maxTotal {
		return dst, false
	}
	dst = a.Expire(dst, now)
	g := a.group(peer, r, now)
	if !g.done {
		a.keep(g, r)
		if len(g.parts) == g.total {
			dst = append(dst, g.join())
			a.release(g)
			g.done = true
		}
	}
	for a.age.Len() > limitOr(a.MaxGroups, MaxGroups) || a.bytes > limitOr(a.MaxBytes, MaxGroupBytes) {
		dst = a.giveUp(dst)
	}
	return dst, true
}

// Expire gives up the messages whose time is over and adds them to dst, incomplete.
func (a *Assembler) Expire(dst []Joined, now time.Time) []Joined {
	for e := a.age.Front(); e != nil && now.Sub(e.Value.(*group).first) >= a.timeout(); e = a.age.Front() {
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

// Deadline is when Expire next has something to do; zero when nothing is waiting.
func (a *Assembler) Deadline() time.Time {
	e := a.age.Front()
	if e == nil {
		return time.Time{}
	}
	return e.Value.(*group).first.Add(a.timeout())
}

func (a *Assembler) timeout() time.Duration {
	if a.Timeout > 0 {
		return a.Timeout
	}
	return TimeoutUDP
}

func limitOr(limit, standard int) int {
	if limit > 0 {
		return limit
	}
	return standard
}

// group finds or makes the group of a part.
func (a *Assembler) group(peer string, r *Record, now time.Time) *group {
	a.key = appendGroupKey(a.key[:0], peer, r)
	if e := a.groups[string(a.key)]; e != nil {
		return e.Value.(*group)
	}
	if a.groups == nil {
		a.groups = make(map[string]*list.Element)
	}
	g := &group{key: string(a.key), peer: peer, first: now, total: int(r.Part.Total)}
	g.bytes = len(g.key) + partOverhead
	a.bytes += g.bytes
	a.groups[g.key] = a.age.PushBack(g)
	return g
}

// appendGroupKey writes what all parts of one message have in common.
func appendGroupKey(key []byte, peer string, r *Record) []byte {
	pname, _ := r.Tag(keyPname)
	key = binary.AppendUvarint(key, uint64(r.Part.First))
	key = binary.AppendUvarint(key, uint64(r.Part.Total))
	key = binary.AppendUvarint(key, uint64(len(peer)))
	key = append(key, peer...)
	host := hostName(r.Host)
	key = binary.AppendUvarint(key, uint64(len(host)))
	for _, c := range host {
		key = append(key, lower(c))
	}
	for _, field := range [...][]byte{r.App, r.Name, r.Stamp, pname} {
		key = binary.AppendUvarint(key, uint64(len(field)))
		key = append(key, field...)
	}
	return key
}

// hostName is a host without the dot at its end. Hosts are compared by it, in lower case.
func hostName(host []byte) []byte { return bytes.TrimSuffix(host, []byte{'.'}) }

// keep puts a part into its group, if it is not there.
func (a *Assembler) keep(g *group, r *Record) {
	n := int(r.Part.N)
	at, found := slices.BinarySearchFunc(g.parts, n, func(p *partLine, n int) int { return p.n - n })
	if found {
		g.dup = g.dup || !bytes.Equal(g.parts[at].record.Text, r.Text)
		return
	}
	wrap, _ := r.Tag(keyWrap)
	g.parts = slices.Insert(g.parts, at, &partLine{n: n, wrap: string(wrap) == "1", record: r.Clone()})
	size := len(r.Raw) + partOverhead
	g.bytes += size
	a.bytes += size
}

// release lets go of the parts of a group.
func (a *Assembler) release(g *group) {
	kept := len(g.key) + partOverhead
	a.bytes -= g.bytes - kept
	g.bytes, g.parts = kept, nil
}

// giveUp takes the oldest group out and adds it to dst, unless it was complete.
func (a *Assembler) giveUp(dst []Joined) []Joined {
	e := a.age.Front()
	g := e.Value.(*group)
	a.age.Remove(e)
	delete(a.groups, g.key)
	a.bytes -= g.bytes
	if g.done {
		return dst
	}
	return append(dst, g.join())
}

// join makes the message of what has come.
func (g *group) join() Joined {
	j := Joined{Record: g.parts[0].record, Peer: g.peer, Total: g.total, First: g.first}
	var text []byte
	next := 1
	for i, p := range g.parts {
		gap := p.n > next
		for ; next < p.n; next++ {
			j.Missing = append(j.Missing, next)
		}
		next++
		if i > 0 && (gap || !p.wrap) {
			text = append(text, '\n')
		}
		text = append(text, p.record.Text...)
		j.Parts = append(j.Parts, p.record.Raw)
		j.Record.Flags |= p.record.Flags
	}
	for ; next <= g.total; next++ {
		j.Missing = append(j.Missing, next)
	}
	if len(j.Missing) > 0 {
		j.Record.Flags |= FlagIncomplete
	}
	if g.dup {
		j.Record.Flags |= FlagDupPart
	}
	j.Record.Text = text
	return j
}
