package health

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// State is one part's word about itself.
type State struct {
	Part   string    `json:"part"`
	Well   bool      `json:"well"`
	Reason string    `json:"reason,omitempty"` // one sentence: what is wrong and what to do; empty while well
	Since  time.Time `json:"since"`            // when it became well or unwell; a new reason does not move it
}

// Registry knows all parts of one process. Its zero value is ready for use, and it is safe for concurrent use.
type Registry struct {
	mu    sync.Mutex
	parts map[string]*State
	ready bool
}

// New makes an empty registry: nothing is unwell, and the process is not ready yet.
func New() *Registry { return &Registry{} }

// Part is one part's pen. A nil Part is valid and writes nowhere, so a room may run without a registry.
type Part struct {
	registry *Registry
	name     string
}

// Part enters a part as well, if it is new, and gives its pen. A nil registry gives a nil Part.
func (r *Registry) Part(name string) *Part {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.parts == nil {
		r.parts = map[string]*State{}
	}
	if r.parts[name] == nil {
		r.parts[name] = &State{Part: name, Well: true, Since: time.Now()}
	}
	return &Part{registry: r, name: name}
}

// Well says that the part works.
func (p *Part) Well() { p.set(true, "") }

// Unwell says that the part does not work, why, and if possible what to do. The reason is one sentence.
func (p *Part) Unwell(reason string) { p.set(false, reason) }

func (p *Part) set(well bool, reason string) {
	if p == nil {
		return
	}
	p.registry.mu.Lock()
	defer p.registry.mu.Unlock()
	s := p.registry.parts[p.name]
	if s == nil { // it left and speaks again
		s = &State{Part: p.name, Well: !well}
		p.registry.parts[p.name] = s
	}
	if s.Well != well {
		s.Since = time.Now()
	}
	s.Well, s.Reason = well, reason
}

// Leave takes the part off the list: a destination that is no longer configured is neither well nor unwell.
func (p *Part) Leave() {
	if p == nil {
		return
	}
	p.registry.mu.Lock()
	defer p.registry.mu.Unlock()
	delete(p.registry.parts, p.name)
}

// SetReady says whether the process serves: true when its listeners are open, false when it is about to stop.
func (r *Registry) SetReady(ready bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ready = ready
}

// Ready reports what SetReady said last.
func (r *Registry) Ready() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ready
}

// Snapshot lists all parts as they are now, the unwell first, then by name.
func (r *Registry) Snapshot() []State {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]State, 0, len(r.parts))
	for _, s := range r.parts {
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b State) int {
		if a.Well != b.Well {
			if b.Well {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Part, b.Part)
	})
	return out
}

// Well reports whether no part is unwell.
func (r *Registry) Well() bool {
	states := r.Snapshot()
	return len(states) == 0 || states[0].Well
}
