package syslog

import (
	"sort"
	"time"
)

// Limits of an Assembler.
const (
	maxSegments     = 512      // segments of one message; ISE cuts at 8 KiB at most into a few dozen
	maxGroups       = 10000    // messages waiting for segments at once
	maxGroupOctets  = 16 << 20 // octets waiting at once
	defaultPatience = 5 * time.Second
)

// Assembler joins the segments of ISE and ACS messages. Time is a parameter; it starts nothing by itself. It is not safe
// for several goroutines.
type Assembler struct {
	// Patience is how long a message waits for its segments; 0 is five seconds.
	Patience time.Duration

	groups map[groupKey]*group
	octets int
}

// groupKey names one message among those of all senders.
type groupKey struct{ peer, host, category, number string }

type group struct {
	first  time.Time
	head   []byte // the first segment that came, without its text, or that with index 0
	zero   bool
	parts  map[int][]byte
	total  int
	octets int
}

// Put takes a parsed line of peer. A line that is no segment, or the only one, is given back as it is. A segment is kept,
// and when its message is complete the joined line is given; otherwise ok is false. Texts are joined without a separator
// behind the header of segment 0. The result is no alias of l.
func (a *Assembler) Put(peer string, l *Line, now time.Time) (joined []byte, ok bool) {
	s := l.Segment
	if s.Total <= 1 || s.Total > maxSegments || s.Index < 0 || s.Index >= s.Total {
		return l.Raw, true
	}
	key := groupKey{peer, string(l.Host), string(l.Program), string(s.Group)}
	g := a.groups[key]
	if g == nil {
		g = &group{first: now, parts: make(map[int][]byte, s.Total), total: s.Total}
		if a.groups == nil {
			a.groups = make(map[groupKey]*group)
		}
		a.groups[key] = g
	}
	if _, twice := g.parts[s.Index]; twice {
		return nil, false
	}
	g.add(l)
	a.octets += len(l.Raw)
	if len(g.parts) < g.total {
		return nil, false
	}
	a.drop(key, g)
	return g.join(), true
}

// add keeps a segment: what stands behind its index.
func (g *group) add(l *Line) {
	body := segmentBody(l)
	if l.Segment.Index == 0 || g.head == nil {
		g.head = append(g.head[:0], l.Raw[:len(l.Raw)-len(body)]...)
		g.zero = g.zero || l.Segment.Index == 0
	}
	g.parts[l.Segment.Index] = append([]byte(nil), body...)
	g.octets += len(l.Raw)
}

// segmentBody is what stands behind the segment's index.
func segmentBody(l *Line) []byte {
	raw := trimEnd(l.Raw)
	return raw[len(raw)-l.Segment.body:]
}

// join puts the segments behind the header in their order.
func (g *group) join() []byte {
	order := make([]int, 0, len(g.parts))
	for i := range g.parts {
		order = append(order, i)
	}
	sort.Ints(order)
	out := g.head
	for _, i := range order {
		out = append(out, g.parts[i]...)
	}
	return out
}

func (a *Assembler) drop(key groupKey, g *group) {
	delete(a.groups, key)
	a.octets -= g.octets
}

// Expire gives every message that has waited too long at now, or that is the oldest while more wait than memory is set
// aside for: joined, with what came of it. Flag such a line with FlagIncomplete.
func (a *Assembler) Expire(now time.Time) [][]byte {
	patience := a.Patience
	if patience <= 0 {
		patience = defaultPatience
	}
	var out [][]byte
	for key, g := range a.groups {
		if now.Sub(g.first) >= patience {
			a.drop(key, g)
			out = append(out, g.join())
		}
	}
	for len(a.groups) > maxGroups || a.octets > maxGroupOctets {
		key, g := a.oldest()
		a.drop(key, g)
		out = append(out, g.join())
	}
	return out
}

// oldest is the message that has waited longest.
func (a *Assembler) oldest() (key groupKey, g *group) {
	for k, c := range a.groups {
		if g == nil || c.first.Before(g.first) {
			key, g = k, c
		}
	}
	return key, g
}

// Waiting is how many messages wait for segments.
func (a *Assembler) Waiting() int { return len(a.groups) }
