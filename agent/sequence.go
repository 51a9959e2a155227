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

	seed   maphash.Seed
	shards [sequenceShards]struct {
		mu      sync.Mutex // guards tracker
		tracker ciscolog.Tracker
	}

	mu       sync.Mutex // guards what follows
	devices  map[string]*list.Element
	recent   list.List // of *disturbed, the most recent in front
	untold   time.Time // of the first gap that was not told yet
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

type disturbed struct {
	Sequence

	told int64 // of Missed less Late
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
	var address [16]byte
	host := l.Host
	switch {
	case t != nil:
		host = t.key
	case len(host) == 0:
		address = o.Peer.Addr().As16()
		host = address[:]
	}
	shard := &s.shards[maphash.Bytes(s.seed, host)%sequenceShards]
	shard.mu.Lock()
	seen := shard.tracker.Number(ciscolog.Stream{Host: host, App: app, Process: process}, uint64(number), l.Time)
	shard.mu.Unlock()
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
	var buf [maxHostname]byte
	name := buf[:0]
	switch {
	case t != nil:
		name = append(name, t.name...)
	case len(l.Host) > 0 && len(l.Host) <= maxHostname:
		name = append(name, l.Host...)
	case o.Peer.IsValid():
		name = o.Peer.Addr().Unmap().AppendTo(name)
	}
	missing := int64(seen.Missing)
	if seen.Order == ciscolog.OrderRestart && l.Dialect != syslog.CiscoLog && l.Dialect != syslog.UCM {
		missing = 0 // a device that starts counts lines that it logs before it can send any
	}
	s.missed.Add(missing)
	if hint {
		s.hinted.Add(missing)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.device(name)
	d.Missed += missing
	if hint {
		d.Hinted += missing
	}
	switch seen.Order {
	case ciscolog.OrderLate:
		s.late.Add(1)
		d.Late++
		return
	case ciscolog.OrderRestart:
		s.restarts.Add(1)
		d.Restarts++
	}
	d.Last = o.ReceivedAt
	if missing > 0 {
		d.Gaps++
		if s.untold.IsZero() {
			s.untold = o.ReceivedAt
		}
	}
}

// device finds or makes a device's account; s.mu is held.
func (s *sequences) device(name []byte) *disturbed {
	if e := s.devices[string(name)]; e != nil {
		s.recent.MoveToFront(e)
		return e.Value.(*disturbed)
	}
	d := &disturbed{Sequence: Sequence{Device: string(name)}}
	s.devices[d.Device] = s.recent.PushFront(d)
	if s.recent.Len() > maxDisturbed {
		oldest := s.recent.Back()
		s.recent.Remove(oldest)
		delete(s.devices, oldest.Value.(*disturbed).Device)
	}
	return d
}

// list gives the accounts by device.
func (s *sequences) list() []Sequence {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Sequence, 0, s.recent.Len())
	for e := s.recent.Front(); e != nil; e = e.Next() {
		out = append(out, e.Value.(*disturbed).Sequence)
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
func (s *sequences) tell(now time.Time) (g gaps, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.untold.IsZero() || now.Sub(s.untold) < gapSettle || now.Sub(s.lastTold) < gapPause {
		return g, false
	}
	s.untold = time.Time{}
	most := int64(0)
	for e := s.recent.Front(); e != nil; e = e.Next() {
		d := e.Value.(*disturbed)
		n := d.Missed - d.Late - d.told
		if n <= 0 {
			continue
		}
		d.told += n
		g.lines += n
		g.devices++
		if n > most {
			most, g.most = n, d.Device
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
	if g, ok := a.sequences.tell(now); ok {
		a.parts.Log.Warn("numbers of lines are missing: lines were lost on the way, or were never sent (show call-home statistics)",
			"lines", g.lines, "devices", g.devices, "device", g.most)
	}
}
