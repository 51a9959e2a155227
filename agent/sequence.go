package agent

import (
	"bytes"
	"container/list"
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"callhome/agent/intake"
	"callhome/codec/ciscolog"
	"callhome/codec/syslog"
)

const (
	// sequenceShards is how many locks there are for sequence numbers, so that readers of different senders seldom wait
	// for one another.
	sequenceShards = 16
	// maxDisturbed bounds the devices whose gaps are remembered; the one not disturbed for longest goes first.
	maxDisturbed = ciscolog.MaxStreams
	// gapPause is how often gaps are told in the log.
	gapPause = time.Minute
	// gapSettle is how long a gap waits before it is told, so that lines that were only overtaken can still close it.
	gapSettle = 2 * time.Second
)

// sequences watches the numbers of senders that number their lines, for lines that never came.
type sequences struct {
	missed, hinted, late, restarts atomic.Int64 // since the start, of all devices

	untold atomic.Int64 // when the first gap that was not told yet was seen, in nanoseconds since 1970; 0: none

	seed   maphash.Seed
	shards [sequenceShards]struct {
		mu      sync.Mutex // guards tracker
		tracker ciscolog.Tracker
	}

	mu       sync.Mutex               // guards what follows
	devices  map[string]*list.Element // those without an entry
	recent   list.List                // of *disturbed, the most recent in front
	lastTold time.Time
}

// Sequence is what the numbers of a device's lines tell. Numbers are of the time since the start.
type Sequence struct {
	Device string `json:"device"`
	// Missed is how many lines never came, or came late; Hinted is how many of them are a hint only, because the sender
	// does not say which of its processes numbered a line, or because it also numbers lines that it does not send.
	Missed   int64     `json:"lines_missed"`
	Hinted   int64     `json:"lines_missed_hint"`
	Late     int64     `json:"lines_late"` // that were overtaken by later ones; they were counted as missed
	Gaps     int64     `json:"gaps"`
	Restarts int64     `json:"restarts"` // of the counting: a process or the device was started again
	Last     time.Time `json:"last"`     // time of receipt of the line after the last gap or restart
}

// disturbed is the account of a device.
type disturbed struct {
	device                               string
	missed, hinted, late, gaps, restarts atomic.Int64
	last                                 atomic.Int64 // in nanoseconds since 1970; 0: undisturbed

	told int64 // of missed less late; owned by tell
}

func (d *disturbed) sequence() Sequence {
	return Sequence{
		Device: d.device, Missed: d.missed.Load(), Hinted: d.hinted.Load(), Late: d.late.Load(), Gaps: d.gaps.Load(),
		Restarts: d.restarts.Load(), Last: time.Unix(0, d.last.Load()).UTC(),
	}
}

// numbered is what a device with an entry has of its own, so that its lines need no look-up. It outlives reloads.
type numbered struct {
	disturbed

	mu      sync.Mutex // guards counter
	counter ciscolog.Counter
}

func newSequences() *sequences {
	s := &sequences{seed: maphash.MakeSeed(), devices: map[string]*list.Element{}}
	for i := range s.shards {
		s.shards[i].tracker.Max = ciscolog.MaxStreams / sequenceShards
	}
	return s
}

// observe takes the number of a line, if it has one that counts messages. t is the line's device, nil for a stranger.
func (s *sequences) observe(t *target, o *intake.Origin, l *syslog.Line) {
	if l.Seq < 0 && l.Counter < 0 {
		return
	}
	number, app, process, hint := numberOf(l)
	if number < 0 {
		return
	}
	var seen ciscolog.Observation
	if t != nil && len(app) == 0 {
		t.numbered.mu.Lock()
		seen = t.numbered.counter.Number(uint64(number), l.Time)
		t.numbered.mu.Unlock()
	} else {
		seen = s.track(t, o, l, ciscolog.Stream{App: app, Process: process}, uint64(number))
	}
	switch seen.Order {
	case ciscolog.OrderNone, ciscolog.OrderFirst, ciscolog.OrderNext, ciscolog.OrderRepeat:
		return
	case ciscolog.OrderWrap:
		if seen.Missing == 0 {
			return
		}
	}
	s.disturb(t, o, l, seen, hint)
}

// track looks the stream of a line up.
func (s *sequences) track(t *target, o *intake.Origin, l *syslog.Line, of ciscolog.Stream, number uint64) ciscolog.Observation {
	var address [16]byte
	of.Host = l.Host
	switch {
	case t != nil:
		of.Host = t.key
	case len(l.Host) == 0:
		address = o.Peer.Addr().As16()
		of.Host = address[:]
	}
	shard := &s.shards[maphash.Bytes(s.seed, of.Host)%sequenceShards]
	shard.mu.Lock()
	defer shard.mu.Unlock()
	return shard.tracker.Number(of, number, l.Time)
}

var processMark = []byte("[pname.orig=")

// numberOf is the number by which a line's sender counts its messages, -1 if there is none; app and process are what
// counts by itself on its host. IOS counts what it sends to servers in front, and with `service sequence-numbers` also
// everything that it logs, sent or not. Numbers of other dialects count something else, or nothing.
func numberOf(l *syslog.Line) (number int64, app, process []byte, hint bool) {
	switch l.Dialect {
	case syslog.IOS, syslog.IOSXR:
		if l.Counter >= 0 && !l.Flags.Has(syslog.FlagRepeated) {
			return l.Counter, nil, nil, false
		}
		return l.Seq, nil, nil, l.Dialect == syslog.IOS
	case syslog.CiscoLog, syslog.UCM:
		if bytes.Contains(l.ParamRegion, processMark) {
			return l.Seq, l.CoreFacility, l.Program, false
		}
		return l.Seq, l.CoreFacility, nil, true
	}
	return -1, nil, nil, false
}

// disturb counts what is out of order.
func (s *sequences) disturb(t *target, o *intake.Origin, l *syslog.Line, seen ciscolog.Observation, hint bool) {
	d := s.account(t, o, l)
	if seen.Order == ciscolog.OrderLate {
		s.late.Add(1)
		d.late.Add(1)
		return
	}
	missing := int64(seen.Missing)
	if seen.Order == ciscolog.OrderRestart {
		s.restarts.Add(1)
		d.restarts.Add(1)
		if l.Dialect != syslog.CiscoLog && l.Dialect != syslog.UCM {
			missing = 0 // a device that starts counts lines that it logs before it can send any
		}
	}
	at := o.ReceivedAt.UnixNano()
	d.last.Store(at)
	if missing == 0 {
		return
	}
	s.missed.Add(missing)
	d.missed.Add(missing)
	d.gaps.Add(1)
	if hint {
		s.hinted.Add(missing)
		d.hinted.Add(missing)
	}
	if s.untold.Load() == 0 {
		s.untold.CompareAndSwap(0, at)
	}
}

// account finds or makes the account of a line's device.
func (s *sequences) account(t *target, o *intake.Origin, l *syslog.Line) *disturbed {
	if t != nil {
		return &t.numbered.disturbed
	}
	var buf [maxHostname]byte
	name := buf[:0]
	switch {
	case len(l.Host) > 0 && len(l.Host) <= maxHostname:
		name = append(name, l.Host...)
	case o.Peer.IsValid():
		name = o.Peer.Addr().Unmap().AppendTo(name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.devices[string(name)]; e != nil {
		s.recent.MoveToFront(e)
		return e.Value.(*disturbed)
	}
	d := &disturbed{device: string(name)}
	s.devices[d.device] = s.recent.PushFront(d)
	if s.recent.Len() > maxDisturbed {
		oldest := s.recent.Back()
		s.recent.Remove(oldest)
		delete(s.devices, oldest.Value.(*disturbed).device)
	}
	return d
}

// all are the accounts of a plan's devices and of strangers; s.mu is held.
func (s *sequences) all(x *deviceIndex) (out []*disturbed) {
	for _, t := range append([]*target{x.own}, x.all...) {
		if t.numbered.last.Load() != 0 || t.numbered.late.Load() != 0 {
			out = append(out, &t.numbered.disturbed)
		}
	}
	for e := s.recent.Front(); e != nil; e = e.Next() {
		out = append(out, e.Value.(*disturbed))
	}
	return out
}

// list gives the accounts by device.
func (s *sequences) list(x *deviceIndex) []Sequence {
	s.mu.Lock()
	accounts := s.all(x)
	s.mu.Unlock()
	out := make([]Sequence, len(accounts))
	for i, d := range accounts {
		out[i] = d.sequence()
	}
	slices.SortFunc(out, func(a, b Sequence) int { return strings.Compare(a.Device, b.Device) })
	return out
}

// gaps are lines that were missed and not told yet, of how many devices, and the device that most of them are of.
type gaps struct {
	lines   int64
	devices int
	most    string
}

// tell gives what is to be told now: at most once a minute, and not before overtaken lines had time to come.
func (s *sequences) tell(x *deviceIndex, now time.Time) (g gaps, ok bool) {
	untold := s.untold.Load()
	if untold == 0 || now.Sub(time.Unix(0, untold)) < gapSettle {
		return g, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.lastTold) < gapPause {
		return g, false
	}
	s.untold.Store(0)
	most := int64(0)
	for _, d := range s.all(x) {
		n := d.missed.Load() - d.late.Load() - d.told
		if n <= 0 {
			continue
		}
		d.told += n
		g.lines += n
		g.devices++
		if n > most {
			most, g.most = n, d.device
		}
	}
	if g.devices == 0 {
		return g, false
	}
	s.lastTold = now
	return g, true
}

// tellGaps logs that lines were missed.
func (a *Agent) tellGaps(now time.Time) {
	if g, ok := a.sequences.tell(a.plan.Load().devices, now); ok {
		a.parts.Log.Warn("numbers of lines are missing: lines were lost on the way, or were never sent (show call-home statistics)",
			"lines", g.lines, "devices", g.devices, "device", g.most)
	}
}
