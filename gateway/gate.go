package gateway

import (
	"context"
	"sync"
	"time"

	"callhome"
	"callhome/outbox"
)

const (
	// gateEvery is how often windows and registration are looked at.
	gateEvery = time.Second
	// holdFor is how long one Hold lasts; it is renewed every time.
	holdFor = time.Hour
)

// gate holds the lanes to the upstreams back while messages may not leave.
type gate struct {
	queue *outbox.Queue
	mu    sync.Mutex                      // guards what follows
	why   map[callhome.Destination]string // by lane, "" while it is open
}

// set opens or closes a lane: why is "" to open it.
func (g *gate) set(dest callhome.Destination, why string) {
	g.mu.Lock()
	before := g.why[dest]
	if g.why == nil {
		g.why = map[callhome.Destination]string{}
	}
	g.why[dest] = why
	g.mu.Unlock()
	switch {
	case why != "":
		g.queue.Hold(dest, time.Now().Add(holdFor)) // the outbox has a clock of its own; a send that ends now may have lifted it
	case why == "" && before != "":
		g.queue.Resume(dest)
	}
}

// closed is nil when messages of a lane may leave.
func (g *gate) closed(dest callhome.Destination) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.why[dest] != "" {
		return errNotNow
	}
	return nil
}

// reason says why ordinary messages do not leave, "" when they do.
func (g *gate) reason() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.why[laneOrdinary]
}

// Why messages do not leave.
const (
	notRegistered = "not registered: messages are kept; run `callhome gateway register`, or give the upstream a token or a certificate"
	noUpstream    = "no upstream is configured: messages are kept and leave by bundles"
	outOfWindow   = "outside the time windows: messages are kept until the next one"
)

// look closes and opens the lanes as configuration, registration and clock say.
func (g *Gateway) look() {
	cfg, now := g.cfg.Load(), g.now()
	all := ""
	switch {
	case len(cfg.Upstream) == 0:
		all = noUpstream
	case !g.mayForward(cfg):
		all = notRegistered
	}
	ordinary := all
	if all == "" && !windowOpen(cfg.Windows, now.Local()) {
		ordinary = outOfWindow
	}
	g.gate.set(laneUrgent, all)
	g.gate.set(laneOrdinary, ordinary)
}

// mayForward reports whether an upstream knows us, or need not.
func (g *Gateway) mayForward(cfg *Config) bool {
	if cfg.Registration == RegistrationNone || (g.registered != nil && g.registered()) {
		return true
	}
	for i := range cfg.Upstream {
		if cfg.Upstream[i].credential() {
			return true
		}
	}
	return false
}

// runGate looks until ctx ends.
func (g *Gateway) runGate(ctx context.Context) {
	tick := time.NewTicker(gateEvery)
	defer tick.Stop()
	for {
		g.measure(ctx)
		g.look()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// measure looks how much room there is.
func (g *Gateway) measure(ctx context.Context) {
	depth, err := g.queue.Depth(ctx)
	if err != nil {
		return // the outbox has told health
	}
	r := Room{Used: depth.AlertBytes + depth.EntryBytes, Limit: depth.LimitBytes, Free: g.freeDisk(g.dir)}
	if depth.Entries > 0 {
		r.OldestAt = depth.OldestAt
	}
	g.space.Store(&r)
	cfg := g.cfg.Load()
	if why := cfg.Limits.refuses(ClassBulk, r, g.now()); why != "" {
		g.parts.room.Unwell("messages are refused for want of room: " + why)
	} else {
		g.parts.room.Well()
	}
}

// room is how much there was a moment ago.
func (g *Gateway) room() Room { return *g.space.Load() }
