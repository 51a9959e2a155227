package agent

import (
	"sync"
	"sync/atomic"
	"time"

	"callhome"
)

// stats counts what happened since the start. The outbox keeps what must survive a restart.
type stats struct {
	lines    atomic.Int64 // taken in
	unwanted atomic.Int64 // that no profile subscribes to
	alerts   atomic.Int64 // made durable
	dropped  map[callhome.Reason]*atomic.Int64

	mu      sync.Mutex // guards what follows
	sources map[callhome.Source]int64
	last    map[trigger]time.Time
}

// trigger is a profile's subscription to a group.
type trigger struct {
	profile callhome.ProfileName
	group   callhome.AlertGroup
}

func newStats() *stats {
	s := &stats{dropped: map[callhome.Reason]*atomic.Int64{}, sources: map[callhome.Source]int64{}, last: map[trigger]time.Time{}}
	for _, r := range callhome.Reasons() {
		s.dropped[r] = new(atomic.Int64)
	}
	return s
}

func (s *stats) count(r callhome.Reason) { s.dropped[r].Add(1) }

// admitted counts an alert that is durable.
func (s *stats) admitted(a *callhome.Alert) {
	s.alerts.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sources[a.Source]++
	for _, p := range a.Profiles {
		s.last[trigger{p, a.Group}] = a.ReceivedAt
	}
}

func (s *stats) lastOf(p callhome.ProfileName, g callhome.AlertGroup) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last[trigger{p, g}]
}

func (s *stats) eventsOf(source callhome.Source) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sources[source]
}

func (s *stats) drops() map[callhome.Reason]int64 {
	out := map[callhome.Reason]int64{}
	for r, n := range s.dropped {
		if v := n.Load(); v > 0 {
			out[r] = v
		}
	}
	return out
}
