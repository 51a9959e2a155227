package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"callhome"
	"callhome/deliver"
	"callhome/gateway/book"
	"callhome/gateway/bundle"
	"callhome/health"
	"callhome/outbox"

	"github.com/prometheus/client_golang/prometheus"
)

// Options are what a Gateway works with. Queue, Book, Sender and Dir must be set.
type Options struct {
	Queue  *outbox.Queue
	Book   *book.Book
	Sender deliver.Sender // posts one envelope to the URL of its destination
	Keys   *bundle.Keys   // signs and decrypts bundles; nil: bundles are refused
	Dir    string         // data_dir, whose free space counts

	Registered  func() bool   // whether a back end granted a certificate; nil: never
	SendTimeout time.Duration // of one try at one upstream; 0: deliver's default
	Log         *slog.Logger
	Health      *health.Registry
	Metrics     prometheus.Registerer
	Now         func() time.Time
	FreeDisk    func(dir string) int64 // bytes, -1 when not known; nil: asks the system
}

// Gateway is the conductor. It is a receive.Sink and a deliver.Sender, and safe for concurrent use.
type Gateway struct {
	cfg         atomic.Pointer[Config]
	queue       *outbox.Queue
	book        *book.Book
	sender      deliver.Sender
	keys        *bundle.Keys
	dir         string
	host        string
	registered  func() bool
	sendTimeout time.Duration
	log         *slog.Logger
	now         func() time.Time
	freeDisk    func(string) int64
	metrics     *metrics
	parts       struct{ book, room, silent, upstream *health.Part }

	keep      *keeper
	shelving  chan *book.Shelved
	upstreams upstreams
	gate      gate
	pace      pace
	space     atomic.Pointer[Room]
	archive   archive
	silence   atomic.Int64 // devices that are silent, as last looked at
	started   time.Time
	bundling  sync.Mutex // one export, import or receipt at a time

	life context.Context // ends when Run stops; sends that wait for bandwidth end with it
	end  context.CancelFunc
}

// New makes a Gateway of a valid configuration, and brings the book up to what the outbox holds. Nothing runs yet.
func New(ctx context.Context, cfg Config, o Options) (*Gateway, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.FreeDisk == nil {
		o.FreeDisk = freeDisk
	}
	if o.SendTimeout <= 0 {
		o.SendTimeout = deliver.DefaultConfig().SendTimeout
	}
	log := o.Log.With("component", "gateway")
	host, _ := os.Hostname()
	g := &Gateway{
		queue: o.Queue, book: o.Book, sender: o.Sender, keys: o.Keys, dir: o.Dir, host: plainName(host), registered: o.Registered,
		sendTimeout: o.SendTimeout, log: log, now: o.Now, freeDisk: o.FreeDisk, shelving: make(chan *book.Shelved, maxShelving), started: o.Now(),
	}
	g.parts.book, g.parts.room, g.parts.silent = o.Health.Part("book"), o.Health.Part("room"), o.Health.Part("devices")
	g.life, g.end = context.WithCancel(context.WithoutCancel(ctx))
	g.keep = newKeeper(o.Book, log, g.parts.book, o.Now)
	g.gate.queue = o.Queue
	g.space.Store(&Room{Limit: 1 << 62, Free: -1})
	if aside := o.Book.Aside(); aside != nil {
		log.Error("the book was damaged and began anew: devices, shelf and most repeats are forgotten", "err", aside.String())
		g.parts.book.Unwell(aside.String())
	}
	g.metrics = newMetrics(g)
	if o.Metrics != nil {
		if err := o.Metrics.Register(g.metrics); err != nil {
			return nil, fmt.Errorf("gateway: register metrics: %w", err)
		}
	}
	g.take(&cfg)
	if err := g.recall(ctx); err != nil {
		return nil, fmt.Errorf("gateway: bring the book up to the outbox: %w", err)
	}
	g.measure(ctx)
	g.look()
	return g, nil
}

// plainName makes a host name fit a Via.
func plainName(host string) string {
	out := make([]byte, 0, len(host))
	for i := range len(host) {
		if c := host[i]; c > ' ' && c <= '~' && c != ':' && len(out) < maxName {
			out = append(out, c)
		}
	}
	if len(out) == 0 {
		return "gateway"
	}
	return string(out)
}

func (g *Gateway) name(cfg *Config) string {
	if cfg.Name != "" {
		return cfg.Name
	}
	return g.host
}

// Name is what the gateway calls itself.
func (g *Gateway) Name() string { return g.name(g.cfg.Load()) }

// Reload makes cfg the configuration in use: filters, windows, limits, upstreams, bandwidth, bundles' peers.
func (g *Gateway) Reload(cfg Config) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	g.take(&cfg)
	g.look()
	return nil
}

func (g *Gateway) take(cfg *Config) {
	g.cfg.Store(cfg)
	g.upstreams.set(cfg.Upstream)
	g.pace.set(cfg.Bandwidth)
	g.book.SetLimits(cfg.BookLimits())
}

// Wake looks at once whether messages may leave: the registration has changed.
func (g *Gateway) Wake() { g.look() }

// Run works until ctx ends: it writes the book, opens and closes the lanes, looks for silent devices, tidies the archive.
// What was noted is in the book when it returns.
func (g *Gateway) Run(ctx context.Context) error {
	var parts sync.WaitGroup
	parts.Go(func() { g.runGate(ctx) })
	parts.Go(func() { g.runShelf(ctx) })
	parts.Go(func() { g.watchSilence(ctx) })
	parts.Go(func() { g.tidyArchive(ctx) })
	<-ctx.Done()
	g.end()
	parts.Wait()
	return nil
}

// RunBook writes the book until ctx ends, and then what is left. It ends last: listeners and courier note until they
// are gone.
func (g *Gateway) RunBook(ctx context.Context) error {
	g.keep.run(ctx)
	return nil
}

// recallPage is how many rows are read at once.
const recallPage = 1000

// recallMargin is more than the clocks of outbox and book differ by, in one process.
const recallMargin = time.Minute

// recall brings the book up to what the outbox holds: messages that were acknowledged and not yet noted when the process
// died. They are in the queue, or were delivered since and are in the ledger.
func (g *Gateway) recall(ctx context.Context) error {
	clean, err := g.book.CleanAt(ctx)
	if err != nil {
		return err
	}
	since := clean.Add(-recallMargin)
	if clean.IsZero() {
		since = time.Time{}
	}
	batch, total := &book.Batch{}, 0
	write := func() error {
		total += len(batch.Seen)
		err := g.book.Write(ctx, batch)
		batch.Seen = batch.Seen[:0]
		return err
	}
	note := func(id callhome.AlertID, at time.Time) error {
		if key, ok := book.ParseKey(string(id)); ok {
			batch.Seen = append(batch.Seen, book.Seen{Key: key, At: at})
		}
		if len(batch.Seen) < flushAt {
			return nil
		}
		return write()
	}
	if err := g.recallQueue(ctx, since, note); err != nil {
		return err
	}
	if err := g.recallLedger(ctx, since, note); err != nil {
		return err
	}
	if err := write(); err != nil {
		return err
	}
	g.log.Debug("the book was brought up to the outbox", "messages", total)
	return nil
}

func (g *Gateway) recallQueue(ctx context.Context, since time.Time, note func(callhome.AlertID, time.Time) error) error {
	for _, status := range []outbox.Status{outbox.StatusQueued, outbox.StatusDead} {
		for before := outbox.EntryID(0); ; {
			page, err := g.queue.List(ctx, outbox.Filter{Status: status, Newest: true, After: before, Limit: recallPage})
			if err != nil {
				return err
			}
			for i := range page {
				if page[i].QueuedAt.Before(since) && status == outbox.StatusQueued {
					page = nil // older ones were noted
					break
				}
				if err := note(page[i].Envelope.AlertID, page[i].QueuedAt); err != nil {
					return err
				}
				before = page[i].ID
			}
			if len(page) < recallPage {
				break
			}
		}
	}
	return nil
}

func (g *Gateway) recallLedger(ctx context.Context, since time.Time, note func(callhome.AlertID, time.Time) error) error {
	for before := int64(math.MaxInt64); ; {
		page, err := g.queue.History(ctx, outbox.LedgerFilter{Before: before, Limit: recallPage})
		if err != nil {
			return err
		}
		for i := range page {
			if page[i].At.Before(since) {
				return nil
			}
			if err := note(page[i].AlertID, page[i].QueuedAt); err != nil {
				return err
			}
			before = page[i].ID
		}
		if len(page) < recallPage {
			return nil
		}
	}
}

// errNoBundles tells that keys are missing.
var errNoBundles = errors.New("bundles need keys, and there are none")
