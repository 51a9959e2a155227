package collect

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"callhome"
)

// Device is what the collector knows of one device.
type Device struct {
	Name     string   // hostname of the device entry; "" is the agent's own host
	Runner   Runner   // nil: no commands can be run there, and the attachments say so
	Gate     Gate     // nil: show commands, and those of Config.Commands
	Contexts []string // names of the contexts; none: the device has but one
	Sessions int      // at once; 0: Config.SessionsPerDevice
	Settings string   // changes whenever address or credentials change; a change opens the latch
}

// Job is what to collect for one alert.
type Job struct {
	Device   string
	Commands []Command         // in order; see [Union]
	Params   map[string]string // values of placeholders: module, interface …
}

// Options are what a Collector gets from outside; all may be left out.
type Options struct {
	Log     *slog.Logger
	Now     func() time.Time
	Record  func(Record)          // every command, right after it ended; called from several goroutines
	Latches LatchStore            // nil: refused logins are forgotten at a restart
	Metrics prometheus.Registerer // nil: not exported
}

// Collector runs commands on devices. Its methods may be called from any goroutine.
type Collector struct {
	cfg      Config
	log      *slog.Logger
	now      func() time.Time
	record   func(Record)
	store    LatchStore
	metrics  *metrics
	sessions chan struct{} // a slot for every session to any device

	saving sync.Mutex // held while the latches are written; never together with mu

	mu      sync.Mutex // guards what follows
	devices map[string]Device
	slots   map[string]chan struct{} // by device; a slot for every session
	latches map[string]Latch
}

// New makes a collector without devices.
func New(cfg Config, o Options) (*Collector, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	c := &Collector{
		cfg: cfg.withDefaults(), log: o.Log, now: o.Now, record: o.Record, store: o.Latches, metrics: newMetrics(),
		devices: map[string]Device{}, slots: map[string]chan struct{}{}, latches: map[string]Latch{},
	}
	c.sessions = make(chan struct{}, c.cfg.Sessions)
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.record == nil {
		c.record = func(Record) {}
	}
	if o.Metrics != nil {
		if err := c.metrics.register(o.Metrics); err != nil {
			return nil, err
		}
	}
	return c, c.loadLatches()
}

func (c *Collector) loadLatches() error {
	if c.store == nil {
		return nil
	}
	saved, err := c.store.Load()
	for _, l := range saved {
		c.latches[l.Device] = l
	}
	return err
}

// SetDevices replaces all devices. Collections under way end with the settings they began with. A latch stays unless
// its device is gone or has other settings.
func (c *Collector) SetDevices(devices []Device) {
	c.mu.Lock()
	c.devices = make(map[string]Device, len(devices))
	for _, d := range devices {
		if d.Sessions <= 0 {
			d.Sessions = c.cfg.SessionsPerDevice
		}
		if d.Gate == nil {
			d.Gate = ShowOnly(c.cfg.Commands)
		}
		c.devices[d.Name] = d
		if s, ok := c.slots[d.Name]; !ok || cap(s) != d.Sessions {
			c.slots[d.Name] = make(chan struct{}, d.Sessions)
		}
	}
	for name := range c.slots {
		if _, ok := c.devices[name]; !ok {
			delete(c.slots, name)
		}
	}
	dropped := c.dropStale()
	c.mu.Unlock()
	if dropped {
		c.saveLatches()
	}
}

// Collect runs the commands of one alert, all in one session, and always returns a result for each: a command that
// failed says so in its place. It takes at most the budget of an alert, not counted the wait for a session slot, and
// ends early when ctx does.
func (c *Collector) Collect(ctx context.Context, job Job) Collection {
	r := &run{c: c, params: job.Params}
	c.mu.Lock()
	device, known := c.devices[job.Device]
	slots := c.slots[job.Device]
	c.mu.Unlock()
	r.device = device
	r.plan(job.Commands)
	switch {
	case !known:
		r.device.Name = job.Device
		r.failRest(callhome.Errorf(callhome.KindNotFound, "device %q is not in the list of devices", job.Device), briefNoSession)
	case device.Runner == nil:
		r.failRest(callhome.Errorf(callhome.KindNotFound, "no way to run commands on device %q is configured; give it an ssh block", job.Device), briefNoSession)
	case r.pending():
		if err := c.acquire(ctx, slots); err != nil {
			r.failRest(fmt.Errorf("no session: %w", err), briefNoSession)
			break
		}
		r.work(ctx)
		<-c.sessions
		<-slots
	}
	return Collection{Results: r.results}
}

// acquire takes a slot of the device, then one of all: a queue at one device must not hold up the others.
func (c *Collector) acquire(ctx context.Context, slots chan struct{}) error {
	select {
	case slots <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case c.sessions <- struct{}{}:
		return nil
	case <-ctx.Done():
		<-slots
		return context.Cause(ctx)
	}
}

// refusal is the latch's error, or nil when the device may be tried. It is asked again once the slot is held, since
// the collection before may have been refused.
func (c *Collector) refusal(device string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	l, ok := c.latches[device]
	if !ok {
		return nil
	}
	return callhome.Errorf(callhome.KindDenied, "the device refused a login at %s (%s); nobody tries again until its settings change or an operator allows it", l.Since.UTC().Format(time.RFC3339), l.Reason)
}
