package outbox

import (
	"container/heap"
	"time"

	"callhome"
)

// maxReady bounds the lanes a road remembers as ready; further ones are found again by scanning the store.
const maxReady = 4096

// maxSettled bounds the lanes that are out of a road, those in hand and those whose outcome is being stored, in leases that
// it may have at a time: while the store does not work, they stay out.
const maxSettled = 4

type laneState int

const (
	laneReady   laneState = iota
	laneWaiting           // till due
	laneLeased            // in somebody's hand
)

// lane is one device's rows on one road. Only lanes that are ready, waiting or leased have a record.
type lane struct {
	device string
	state  laneState
	due    time.Time // while waiting
	again  bool      // something came while it was leased
	settle bool      // leased, and its outcome is being stored
	index  int       // in the heap of waiting lanes
	fresh  fresh     // its first entries, as far as they are at hand
}

// road is a destination with its lanes, or the way to collection.
type road struct {
	Road
	lanes   map[string]*lane
	ready   []*lane // first come, first served
	waiting laneHeap
	leased  int // lanes in somebody's hand, without those that are settled
	settled int // lanes whose outcome is being stored

	more     bool    // the store may hold lanes without a record
	overflow bool    // a lane found no room since the scan's lap began
	scanning bool    // somebody reads the store for them now
	cursor   *string // where the scan goes on

	until     time.Time // no lease before: the destination is unreachable
	probing   bool      // one lease at a time till Resume
	resumedAt time.Time // retry times set before count no longer
}

// board knows which lanes may be worked. It does no I/O and takes the time as a parameter; the Queue's mutex guards it.
type board struct {
	roads  map[RoadID]*road
	byDest map[callhome.Destination]*road
	held   map[callhome.Destination]time.Time // destinations without a road that are held, until when
	order  []*road                            // for taking turns, without the collect road
	turn   int
	fresh  int // octets that lanes have at hand
}

func newBoard() *board {
	return &board{roads: map[RoadID]*road{}, byDest: map[callhome.Destination]*road{}, held: map[callhome.Destination]time.Time{}}
}

// open enters a road; with more set, the store may hold lanes on it.
func (b *board) open(r Road, more bool) *road {
	if known := b.roads[r.ID]; known != nil {
		return known
	}
	entered := &road{Road: r, lanes: map[string]*lane{}, more: more}
	b.roads[r.ID] = entered
	if r.ID != collectRoad {
		b.byDest[r.Destination] = entered
		b.order = append(b.order, entered)
		if until, ok := b.held[r.Destination]; ok {
			entered.until, entered.probing = until, true
			delete(b.held, r.Destination)
		}
	}
	return entered
}

// added tells that a row was committed to a lane. It gives the lane's record, nil if there was no room for one.
func (r *road) added(device string) *lane {
	l := r.lanes[device]
	switch {
	case l == nil && len(r.ready) >= maxReady:
		r.more, r.overflow = true, true
	case l == nil:
		l = r.enter(device)
		l.fresh.beyond = r.more
	case l.state == laneLeased:
		l.again = true
	}
	return l
}

// idle reports whether the road holds nothing of a device, as far as that is known.
func (r *road) idle(device string) bool { return !r.more && r.lanes[device] == nil }

func (r *road) enter(device string) *lane {
	l := &lane{device: device, state: laneReady}
	r.lanes[device] = l
	r.ready = append(r.ready, l)
	return l
}

// wake makes lanes ready that have waited long enough.
func (r *road) wake(now time.Time) {
	for len(r.waiting) > 0 && !r.waiting[0].due.After(now) {
		l := heap.Pop(&r.waiting).(*lane)
		l.state = laneReady
		r.ready = append(r.ready, l)
	}
}

// take leases the road's next ready lane, nil if there is none or the road may not be worked now. perRoad bounds the
// leases on it; 0 is no bound.
func (r *road) take(now time.Time, perRoad int) *lane {
	if !r.passable(now, perRoad) {
		return nil
	}
	r.wake(now)
	if len(r.ready) == 0 {
		return nil
	}
	l := r.ready[0]
	r.ready[0] = nil
	r.ready = r.ready[1:]
	r.hold(l)
	return l
}

func (r *road) passable(now time.Time, perRoad int) bool {
	if r.probing {
		return r.leased+r.settled == 0 && !r.until.After(now)
	}
	return perRoad == 0 || r.leased < perRoad && r.leased+r.settled < maxSettled*perRoad
}

// settling tells that nothing more is sent of a leased lane: others may take its turn while its outcome is being stored.
func (r *road) settling(l *lane) {
	l.settle = true
	r.leased--
	r.settled++
}

func (r *road) hold(l *lane) {
	l.state, l.again = laneLeased, false
	r.leased++
}

// claim leases a certain lane whatever its retry time, for an operator; nil while somebody else has it.
func (r *road) claim(device string) *lane {
	l := r.lanes[device]
	switch {
	case l == nil:
		l = &lane{device: device, fresh: fresh{beyond: true}}
		r.lanes[device] = l
	case l.state == laneLeased:
		return nil
	case l.state == laneWaiting:
		heap.Remove(&r.waiting, l.index)
	default:
		for i, other := range r.ready {
			if other == l {
				r.ready = append(r.ready[:i], r.ready[i+1:]...)
				break
			}
		}
	}
	r.hold(l)
	return l
}

// release gives a leased lane back. empty says that the store had nothing more in it when it was last read; due, if
// after now, is when it may be worked again.
func (r *road) release(l *lane, now, due time.Time, empty bool) {
	if l.settle {
		l.settle = false
		r.settled--
	} else {
		r.leased--
	}
	switch {
	case empty && !l.again:
		delete(r.lanes, l.device)
	case due.After(now):
		l.state, l.due = laneWaiting, due
		heap.Push(&r.waiting, l)
	default:
		l.state = laneReady
		r.ready = append(r.ready, l)
	}
}

// nextDue is when the road may have work that it has not now; zero if only a change can bring it.
func (r *road) nextDue(now time.Time, perRoad int) time.Time {
	if r.probing && r.leased+r.settled > 0 || !r.probing && !r.passable(now, perRoad) {
		return time.Time{}
	}
	var due time.Time
	switch {
	case len(r.ready) > 0 || r.more && !r.scanning:
		due = now
	case len(r.waiting) > 0:
		due = r.waiting[0].due
	default:
		return time.Time{}
	}
	if r.probing && due.Before(r.until) {
		due = r.until
	}
	return due
}

// wantsScan reports whether the store should be asked for lanes without a record.
func (r *road) wantsScan(now time.Time, perRoad int) bool {
	return r.more && !r.scanning && len(r.ready) == 0 && r.passable(now, perRoad)
}

// scanned enters the lanes that a scan from r.cursor found. end says that it came to the last device.
func (r *road) scanned(devices []string, end bool) {
	r.scanning = false
	for _, device := range devices {
		if r.lanes[device] == nil {
			r.enter(device).fresh.beyond = true
		}
	}
	if !end {
		r.cursor = &devices[len(devices)-1]
		return
	}
	r.cursor = nil
	r.more, r.overflow = r.overflow, false
}

// resume opens the road at full speed; its waiting lanes are due at once.
func (r *road) resume(now time.Time) {
	r.until, r.probing, r.resumedAt = time.Time{}, false, now
	for _, l := range r.waiting {
		l.state = laneReady
		r.ready = append(r.ready, l)
	}
	r.waiting = nil
}

// next leases a lane of any destination, roads taking turns. Without one it tells the time at which to look again, zero
// if only a change can bring work.
func (b *board) next(now time.Time, perRoad int) (*road, *lane, time.Time) {
	var wake time.Time
	for range b.order {
		b.turn = (b.turn + 1) % len(b.order)
		r := b.order[b.turn]
		if l := r.take(now, perRoad); l != nil {
			return r, l, time.Time{}
		}
		if due := r.nextDue(now, perRoad); !due.IsZero() && (wake.IsZero() || due.Before(wake)) {
			wake = due
		}
	}
	return nil, nil, wake
}

// scan names a road whose lanes should be looked up in the store, nil if none.
func (b *board) scan(now time.Time, perRoad int) *road {
	for _, r := range b.order {
		if r.wantsScan(now, perRoad) {
			return r
		}
	}
	return nil
}

// laneHeap orders waiting lanes by due time; it implements heap.Interface.
type laneHeap []*lane

func (h laneHeap) Len() int           { return len(h) }
func (h laneHeap) Less(i, j int) bool { return h[i].due.Before(h[j].due) }
func (h laneHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push implements heap.Interface.
func (h *laneHeap) Push(x any) {
	l := x.(*lane)
	l.index = len(*h)
	*h = append(*h, l)
}

// Pop implements heap.Interface.
func (h *laneHeap) Pop() any {
	old := *h
	l := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return l
}
