package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"callhome"
	"callhome/health"

	"github.com/prometheus/client_golang/prometheus"
)

// ErrFull is what a queue answers that holds as many bytes as it may; [callhome.ReasonQueueFull] is its reason.
var ErrFull = callhome.Errorf(callhome.KindUnavailable, "the outbox is full; deliver or drop what waits, or raise queue.max_bytes")

// Options are what a Queue works with. Zero fields are replaced by defaults; Health and Metrics may be nil.
type Options struct {
	Config  Config
	Log     *slog.Logger
	Health  *health.Registry
	Metrics prometheus.Registerer
}

// Queue is the outbox of one process. It is safe for concurrent use.
type Queue struct {
	store   Store
	cfg     Config
	log     *slog.Logger
	part    *health.Part
	packs   *packer
	commits *committer
	metrics *metrics
	done    chan struct{} // closed by Close
	tidied  chan struct{} // closed when the tidying goroutine is gone

	mu       sync.Mutex // guards what follows
	board    *board
	collect  *road
	working  map[int64]*work // alerts in somebody's hand
	changed  chan struct{}   // closed and replaced when a lane may have become ready
	books    Mark            // as committed
	reserved numbers         // given out by Prepare, perhaps not yet in the books
	counts   map[Count]int64 // as committed, and not yet recorded drops
	drops    drops
	closed   bool

	readBad, writeBad atomic.Bool // what health was told
}

// work is an alert in somebody's hand.
type work struct {
	lane      *lane
	stored    int
	ending    bool // Retire or Postpone has it
	abandoned bool // the one who called Retire went away before it ended
}

// Open starts a queue on a store. The queue closes the store, also when Open fails.
func Open(ctx context.Context, store Store, o Options) (*Queue, error) {
	q, err := open(ctx, store, o)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open outbox: %w", err), store.Close())
	}
	go q.commits.run()
	go q.tidy()
	return q, nil
}

func open(ctx context.Context, store Store, o Options) (*Queue, error) {
	if o.Config == (Config{}) {
		o.Config = DefaultConfig()
	}
	if err := o.Config.Validate(); err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	loaded, err := store.Load(ctx)
	if err != nil {
		return nil, err
	}
	packs, err := newPacker()
	if err != nil {
		return nil, err
	}
	q := &Queue{
		store: store, cfg: o.Config, log: o.Log.With("component", "outbox"), part: o.Health.Part("outbox"), packs: packs,
		done: make(chan struct{}), tidied: make(chan struct{}), board: newBoard(), working: map[int64]*work{},
		changed: make(chan struct{}), books: loaded.Mark, counts: map[Count]int64{},
	}
	q.packs.quick.Store(q.short())
	q.collect = q.board.open(Road{ID: collectRoad}, true)
	for _, r := range loaded.Roads {
		q.board.open(r, true)
	}
	for _, c := range loaded.Counts {
		n := c.N
		c.N = 0
		q.counts[c] = n
	}
	q.metrics = newMetrics(q)
	if o.Metrics != nil {
		if err := o.Metrics.Register(q.metrics); err != nil {
			packs.close()
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	q.commits = newCommitter(store)
	q.commits.begin, q.commits.commit, q.commits.report = q.begin, q.committed, q.report
	return q, nil
}

// Close stores what was handed in, refuses everything further, ends the queue's goroutines and closes the store. Whoever waits in
// NextAlert or Lease gets ErrClosed.
func (q *Queue) Close() error {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return nil
	}
	q.closed = true
	q.mu.Unlock()
	close(q.done)
	<-q.tidied
	q.flush()
	q.commits.close()
	q.packs.close()
	return q.store.Close()
}

// Rest is called when there is nothing to do: the queue gives back memory that a busy time has left.
func (q *Queue) Rest(ctx context.Context) {
	q.mu.Lock()
	closed := q.closed
	q.mu.Unlock()
	if !closed {
		q.store.Rest(ctx)
	}
}

// begin starts a draft from the books.
func (q *Queue) begin() *draft {
	q.mu.Lock()
	defer q.mu.Unlock()
	return &draft{Batch: Batch{Mark: q.books}, now: stamp(time.Now()), counts: map[Count]int64{}, roads: map[callhome.Destination]RoadID{}}
}

// stamp is the precision in which stores keep times: microseconds, UTC.
func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// committed enters a durable draft into the books and tells the lanes.
func (q *Queue) committed(d *draft) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.books = d.Mark
	q.packs.quick.Store(q.short())
	for _, c := range d.Increments {
		n := c.N
		c.N = 0
		q.counts[c] += n
	}
	for _, r := range d.Roads {
		q.board.open(r, false)
	}
	for _, k := range d.lanes {
		r := q.board.roads[k.road]
		l := r.added(k.device)
		switch {
		case l == nil || k.road == collectRoad:
		case k.entry == noEntry:
			q.board.forget(l)
		default:
			q.board.keep(r, l, &d.Entries[k.entry], d.bodies[k.entry])
		}
	}
	if len(d.lanes) > 0 {
		q.wakeAll()
	}
}

// short reports whether what waits will be gone in a moment; q.mu is held.
func (q *Queue) short() bool { return q.books.AlertBytes+q.books.EntryBytes < shortQueue }

// wakeAll lets everyone look again who waits for a lane; q.mu is held.
func (q *Queue) wakeAll() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// report tells health and metrics how a transaction went.
func (q *Queue) report(err error, took time.Duration, requests int) {
	q.metrics.commit(err, took, requests)
	if err != nil {
		level := slog.LevelError
		if q.writeBad.Swap(true) {
			level = slog.LevelDebug // told already; it is tried every second
		}
		q.log.Log(context.Background(), level, "the outbox could not be written", "err", err, "requests", requests)
		q.part.Unwell(fmt.Sprintf("the outbox cannot be written, new alerts are refused: %v", err))
		return
	}
	if q.writeBad.Swap(false) {
		q.log.Info("the outbox can be written again")
		q.wellAgain()
	}
}

func (q *Queue) readFailed(err error) {
	q.log.Error("the outbox could not be read", "err", err)
	q.readBad.Store(true)
	q.part.Unwell(fmt.Sprintf("the outbox cannot be read, some messages wait: %v", err))
}

func (q *Queue) readWorked() {
	if q.readBad.Load() && q.readBad.Swap(false) {
		q.wellAgain()
	}
}

func (q *Queue) wellAgain() {
	if !q.readBad.Load() && !q.writeBad.Load() {
		q.part.Well()
	}
}

// roadTo is the number of a destination, a new one if need be.
func (q *Queue) roadTo(d *draft, dest callhome.Destination) RoadID {
	if id, ok := d.roads[dest]; ok {
		return id
	}
	q.mu.Lock()
	known := q.board.byDest[dest]
	q.mu.Unlock()
	if known != nil {
		return known.ID
	}
	d.Mark.LastRoad++
	d.roads[dest] = d.Mark.LastRoad
	d.Roads = append(d.Roads, Road{ID: d.Mark.LastRoad, Destination: dest})
	return d.Mark.LastRoad
}

func (q *Queue) room(d *draft, bytes int) error {
	if d.Mark.AlertBytes+d.Mark.EntryBytes+int64(bytes) > q.cfg.MaxBytes {
		return ErrFull
	}
	return nil
}

// Put stores envelopes that come from no alert: a gateway's submissions, a back end's notices. They are durable when
// nil is returned; otherwise as PutAlert.
func (q *Queue) Put(ctx context.Context, envelopes ...callhome.Envelope) error {
	entries, bodies, bytes := q.packAll(envelopes)
	r := &request{bytes: bytes, add: func(d *draft) error {
		if err := q.room(d, bytes); err != nil {
			return err
		}
		q.addEntries(d, entries, bodies)
		return nil
	}}
	if err := q.commits.submit(ctx, r); err != nil {
		return fmt.Errorf("put envelope: %w", err)
	}
	q.metrics.entries.Add(float64(len(entries)))
	return nil
}

// packAll makes entries of envelopes. Their bodies stay with the caller until the entries are committed.
func (q *Queue) packAll(envelopes []callhome.Envelope) (entries []Entry, bodies [][]byte, bytes int) {
	entries, bodies = make([]Entry, len(envelopes)), make([][]byte, len(envelopes))
	for i, env := range envelopes {
		packed := q.packs.pack(env.Body)
		entries[i] = Entry{Status: StatusQueued, Envelope: env, Size: len(env.Body), Stored: len(packed), Packed: packed}
		bodies[i], entries[i].Envelope.Body = env.Body, nil
		bytes += len(packed)
	}
	return entries, bodies, bytes
}

// addEntries numbers entries and puts them into the draft.
func (q *Queue) addEntries(d *draft, entries []Entry, bodies [][]byte) {
	for i, e := range entries {
		d.Mark.LastEntry++
		e.ID, e.QueuedAt, e.Road = d.Mark.LastEntry, d.now, q.roadTo(d, e.Envelope.Destination)
		d.Mark.Entries++
		d.Mark.EntryBytes += int64(e.Stored)
		d.count(e.Envelope.Group, e.Envelope.Destination.Transport, StatusQueued, "", 1)
		d.lanes = append(d.lanes, laneKey{road: e.Road, device: e.Envelope.Device, entry: len(d.Entries)})
		d.Entries = append(d.Entries, e)
		d.bodies = append(d.bodies, bodies[i])
	}
}
