package agent

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"callhome"
	"callhome/agent/collect"
	"callhome/agent/intake/periodic"
	"callhome/agent/throttle"
	"callhome/outbox"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	// maxWork is how many alerts are worked on at once: they mostly wait for devices, whose sessions are limited apart.
	maxWork = 256
	// admitQueue is how many wanted alerts may wait for their transaction before readers wait.
	admitQueue = 1024
	// admitBatch is how many go into one transaction.
	admitBatch = 256
	// drainTime is how long a stopping agent goes on handing over what it holds itself, and then storing it.
	drainTime = 5 * time.Second
)

// Input is a source of lines that hands them to the agent's Take; the adapters below agent/intake are Inputs.
type Input interface {
	Run(ctx context.Context) error
}

// Parts are what the agent works with, constructed by who knows the adapters.
type Parts struct {
	Outbox    *outbox.Queue
	Collector *collect.Collector
	// Devices turns the devices of a configuration into what the collector runs commands by.
	Devices  func(Config) []collect.Device
	Periodic *periodic.Runner // nil: no schedules
	Tees     []Forwarder
	Log      *slog.Logger
	Now      func() time.Time
	// PseudonymKey keys the pseudonyms of anonymous reporting; it is made once per installation and kept.
	PseudonymKey []byte
	// Sign signs a mail; nil leaves mails as they are.
	Sign func(mail []byte) ([]byte, error)
	// Watch is told what happens, as it happens; nil if nobody listens. It must not block.
	Watch func(Happening)
	// ThrottleState keeps what throttling remembers over a restart; nil forgets it.
	ThrottleState State
	Metrics       prometheus.Registerer
}

// State is a small JSON document that survives a restart.
type State interface {
	Load(v any) error
	Save(v any) error
}

// Forwarder gets every raw line that came in, in a call that must not block.
type Forwarder interface{ Forward(line []byte) }

// What happened.
type What string

// The things that happen to an alert before its messages are under way.
const (
	Admitted What = "admitted"  // it is durable
	HeldBack What = "held_back" // maintenance or throttling kept it from being sent
)

// Happening is one thing that became of an event, for people who watch.
type Happening struct {
	At      time.Time            `json:"at"`
	What    What                 `json:"what"`
	Device  string               `json:"device"`
	Group   callhome.AlertGroup  `json:"alert_group,omitempty"`
	Level   callhome.Level       `json:"level"`
	Profile callhome.ProfileName `json:"profile,omitempty"`
	Reason  callhome.Reason      `json:"reason,omitempty"`
	Text    string               `json:"text,omitempty"`
}

// Agent is the conductor. New constructs it, Run works until its context ends.
type Agent struct {
	parts     Parts
	plan      atomic.Pointer[plan]
	admit     chan admission
	stats     *stats
	joiner    *joiner
	sequences *sequences
	started   time.Time
	metrics   *metrics

	throttleMu sync.Mutex        // guards limiter
	limiter    *throttle.Limiter // state outlives reloads
	troubled   atomic.Bool       // some end of something may concern somebody; see calm
	strangers  *strangers

	reloads sync.Mutex // one reload at a time

	inputs  []Input           // set before Run
	sources []callhome.Source // what they are, for show commands
}

// Add gives the agent a source of lines. It must not be called after Run.
func (a *Agent) Add(s callhome.Source, in Input) {
	a.inputs = append(a.inputs, in)
	a.sources = append(a.sources, s)
}

// New compiles the configuration, which must be valid.
func New(cfg Config, parts Parts) (*Agent, error) {
	if parts.Now == nil {
		parts.Now = time.Now
	}
	if parts.Log == nil {
		parts.Log = slog.New(slog.DiscardHandler)
	}
	p, err := newPlan(cfg)
	if err != nil {
		return nil, err
	}
	a := &Agent{
		parts: parts, admit: make(chan admission, admitQueue), stats: newStats(), strangers: newStrangers(),
		started: parts.Now(), metrics: newMetrics(),
	}
	a.joiner, a.sequences = newJoiner(a), newSequences()
	a.limiter = throttle.New(throttleConfig(&cfg, p))
	if err := a.restoreThrottle(); err != nil {
		parts.Log.Warn("what throttling remembered is lost; repeats may be told once more", "err", err)
	}
	a.troubled.Store(!a.limiter.Calm(""))
	if parts.Metrics != nil {
		if err := a.metrics.register(parts.Metrics, a); err != nil {
			return nil, err
		}
	}
	a.use(p)
	return a, nil
}

// use makes a plan the current one.
func (a *Agent) use(p *plan) {
	if before := a.plan.Load(); before != nil {
		p.devices.inherit(before.devices)
	}
	a.plan.Store(p)
	if a.parts.Collector != nil && a.parts.Devices != nil {
		a.parts.Collector.SetDevices(a.parts.Devices(p.cfg))
	}
	if a.parts.Periodic != nil {
		a.parts.Periodic.SetJobs(p.jobs())
	}
}

// Reload replaces the plan. Alerts that are under way go on by the new one; none is lost or repeated. An error leaves
// the old plan in place.
func (a *Agent) Reload(cfg Config) error {
	a.reloads.Lock()
	defer a.reloads.Unlock()
	if err := cfg.Validate(); err != nil {
		return err
	}
	p, err := newPlan(cfg)
	if err != nil {
		return err
	}
	a.throttleMu.Lock()
	a.limiter.Configure(throttleConfig(&cfg, p))
	a.throttleMu.Unlock()
	a.use(p)
	return nil
}

// Config is the configuration in use.
func (a *Agent) Config() Config { return a.plan.Load().cfg }

// Run works until ctx ends and waits for all it started. Readers stop first, then what they handed over is stored.
func (a *Agent) Run(ctx context.Context) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	var readers, rest sync.WaitGroup
	for _, in := range a.inputs {
		readers.Go(func() {
			if err := in.Run(ctx); err != nil && ctx.Err() == nil {
				fail(err)
			}
		})
	}
	storing, stopStoring := context.WithCancel(context.WithoutCancel(ctx))
	defer stopStoring()
	rest.Go(func() { a.admitLoop(storing) })
	handing, stopHanding := context.WithCancel(context.WithoutCancel(ctx))
	defer stopHanding()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(drainTime, stopHanding) })()
	readers.Go(func() { a.clock(ctx, handing) })
	if a.parts.Periodic != nil {
		rest.Go(func() { _ = a.parts.Periodic.Run(ctx, a.due) }) // ends with ctx only
	}
	rest.Go(func() { a.work(ctx) })
	<-ctx.Done()
	readers.Wait()
	_ = a.joiner.flush(handing) // fails only when the time to hand over is over
	close(a.admit)              // nobody hands over any more
	grace := time.AfterFunc(drainTime, stopStoring)
	defer grace.Stop()
	rest.Wait()
	a.saveThrottle()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}
