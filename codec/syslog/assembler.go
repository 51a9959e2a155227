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
	head   []byte // header of the lowest segment
	lowest int
	parts  map[int][]byte
	total  int
	octets int
}

// Put takes a parsed line of peer. A line that is no segment, or the only one, is given back as it is. A segment is kept,
// and when its message is complete the joined line is given; otherwise ok is false. Texts are joined without a separator
// behind the header of the lowest segment. When too much waits already, a segment is given back unjoined. What is given
// for a joined message is no alias of l.
func (a *Assembler) Put(peer string, l *Line, now time.Time) (joined []byte, ok bool) {
	s := l.Segment
	if s.Total <= 1 || s.Total > maxSegments || s.Index < 0 || s.Index >= s.Total {
		return l.Raw, true
	}
	key := groupKey{peer, string(l.Host), string(l.Program), string(s.Group)}
	g := a.groups[key]
	if a.octets+len(l.Raw) > maxGroupOctets || g == nil && len(a.groups) >= maxGroups {
		return l.Raw, true
	}
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

// add keeps a segment: what stands behind its index. The header kept is that of the lowest one.
func (g *group) add(l *Line) {
	raw := trimEnd(l.Raw)
	cut := len(raw) - l.Segment.body
	if g.head == nil || l.Segment.Index < g.lowest {
		g.head, g.lowest = append(g.head[:0], raw[:cut]...), l.Segment.Index
	}
	g.parts[l.Segment.Index] = append([]byte(nil), raw[cut:]...)
	g.octets += len(l.Raw)
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

// Expire gives every message that has waited too long at now, joined of what came. Its line is to be flagged with
// FlagIncomplete.
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
	return out
}

// Waiting is how many messages wait for segments.
func (a *Assembler) Waiting() int { return len(a.groups) }
