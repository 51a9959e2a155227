package agent

import (
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"callhome/agent/intake"
	"callhome/codec/syslog"
)

const (
	// maxStrangers bounds the list of senders that no entry knows: anybody may send, and a list longer than this is
	// read by nobody.
	maxStrangers = 1000
	// strangerPause is how often a stranger's unwanted lines update its entry.
	strangerPause = time.Second
)

// Stranger is a sender that no device entry knows. It is served as generic.
type Stranger struct {
	Name  string    `json:"name"` // host name of its lines, else its address
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
	Lines int64     `json:"lines"` // wanted ones, and one of the others each second at most
}

type strangers struct {
	mu    sync.Mutex // guards what follows
	known map[string]*Stranger
	lastN time.Time // of the last unwanted line that was noted
}

func newStrangers() *strangers { return &strangers{known: map[string]*Stranger{}} }

// name is what a stranger is called: the host its line names, if that is a usable name, else its address.
func (s *strangers) name(peer netip.Addr, host []byte) string {
	if n := len(host); n > 0 && n <= maxHostname && !strings.ContainsFunc(string(host), func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return string(host)
	}
	return peerText(peer)
}

func (s *strangers) seen(name string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.known[name]
	if k == nil {
		if len(s.known) >= maxStrangers {
			return
		}
		k = &Stranger{Name: name, First: at}
		s.known[name] = k
	}
	k.Last = at
	k.Lines++
}

// due says whether another unwanted line may be noted now.
func (s *strangers) due(at time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at.Sub(s.lastN) < strangerPause {
		return false
	}
	s.lastN = at
	return true
}

func (s *strangers) list() []Stranger {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Stranger, 0, len(s.known))
	for _, k := range s.known {
		out = append(out, *k)
	}
	slices.SortFunc(out, func(a, b Stranger) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// noteStranger lists the sender of an unwanted line, at most once a second in all so that the hot path stays cheap.
func (a *Agent) noteStranger(t *target, o *intake.Origin, l *syslog.Line) {
	if t == nil && a.strangers.due(o.ReceivedAt) {
		a.strangers.seen(a.strangers.name(o.Peer.Addr(), l.Host), o.ReceivedAt)
	}
}
