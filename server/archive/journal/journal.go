package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"callhome"
	"callhome/health"
	"callhome/server/archive"
)

const (
	// SegmentBytes is the size of a segment: some thousand messages, so that files are seldom made.
	SegmentBytes = 64 << 20
	// DefaultMaxBytes bounds what waits: a back end that works nothing for hours still takes everything.
	DefaultMaxBytes = 8 << 30
	// maxBatch bounds one write, and with it how long the first of a batch waits for the last.
	maxBatch = 8 << 20
)

// Position is a place in the journal.
type Position struct {
	Segment uint64 `json:"segment"`
	Offset  int64  `json:"offset"`
}

// before reports whether p comes before o.
func (p Position) before(o Position) bool {
	return p.Segment < o.Segment || p.Segment == o.Segment && p.Offset < o.Offset
}

// Options say how a journal works. NewID and Known must be set.
type Options struct {
	From     Position // worked up to here
	NewID    func() int64
	Known    func(ctx context.Context, k archive.Key) (id int64, known bool, err error) // among what was worked
	MaxBytes int64                                                                      // 0: DefaultMaxBytes
	Segment  int64                                                                      // 0: SegmentBytes
	Log      *slog.Logger
	Health   *health.Registry

	sync func(*os.File) error // nil: fdatasync
}

// Journal is an open journal, the only one of its folder.
type Journal struct {
	dir    string
	o      Options
	lock   *os.File
	key    []byte // of the marks
	part   *health.Part
	wake   chan struct{} // the writer has work
	closed chan struct{}
	ended  chan struct{}

	mu       sync.Mutex // guards what follows
	pending  []*request
	waiting  map[archive.Key]*entry
	synced   Position      // frames end here
	worked   Position      // all before it are done with
	news     chan struct{} // closed and replaced when synced moves
	arrivals int64
	bytes    int64
	oldest   time.Time
	taken    int64 // arrivals of this process, ever
	stopping bool

	// Of the writer alone.
	file   *os.File
	at     Position
	spares []string // files to use again
}

// entry is a key that waits, or is being made durable.
type entry struct {
	id   int64
	done chan struct{} // closed when it is durable or failed
	err  error         // read after done
}

type request struct {
	arrival *archive.Arrival
	entry   *entry
}

var errClosed = callhome.Errorf(callhome.KindUnavailable, "the journal is closed")

// errFull is what a sender is told, in other words.
var errFull = callhome.Errorf(callhome.KindUnavailable, "the journal is full; the workers do not keep up, or the database does not take what they do")

// Open opens the journal of a folder and finds what waits in it. Another process on the same folder is a conflict.
func Open(dir string, o Options) (*Journal, error) {
	if o.MaxBytes == 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.Segment == 0 {
		o.Segment = SegmentBytes
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.sync == nil {
		o.sync = fdatasync
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		if errors.Is(err, unix.EWOULDBLOCK) {
			err = callhome.Errorf(callhome.KindConflict, "another process works %s; stop it, or give this one a data_dir of its own", dir)
		}
		return nil, errors.Join(err, lock.Close())
	}
	j := &Journal{
		dir: dir, o: o, lock: lock, part: o.Health.Part("journal"), wake: make(chan struct{}, 1),
		closed: make(chan struct{}), ended: make(chan struct{}), news: make(chan struct{}),
		waiting: map[archive.Key]*entry{}, worked: o.From,
	}
	if j.key, err = openKey(dir); err == nil {
		err = j.recover()
	}
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	go j.write()
	return j, nil
}

// Close ends the journal after what was handed in is durable.
func (j *Journal) Close() error {
	j.mu.Lock()
	stopping := j.stopping
	j.stopping = true
	j.mu.Unlock()
	if stopping {
		return nil
	}
	close(j.closed)
	<-j.ended
	var err error
	if j.file != nil {
		err = j.file.Close()
	}
	return errors.Join(err, j.lock.Close())
}

// Put implements [archive.Intake].
func (j *Journal) Put(ctx context.Context, a *archive.Arrival) (archive.Put, error) {
	for {
		e, mine, err := j.enter(a.Key)
		if err != nil {
			return archive.Put{}, err
		}
		if mine {
			return j.put(ctx, a, e)
		}
		select {
		case <-e.done:
		case <-ctx.Done():
			return archive.Put{}, ctx.Err()
		}
		if e.err == nil {
			return archive.Put{ID: e.id, Duplicate: true}, nil
		}
	}
}

// enter notes a key that is being put; mine is false when somebody else does, or did.
func (j *Journal) enter(k archive.Key) (e *entry, mine bool, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if e := j.waiting[k]; e != nil {
		return e, false, nil
	}
	if j.stopping {
		return nil, false, errClosed
	}
	if j.bytes >= j.o.MaxBytes {
		return nil, false, errFull
	}
	e = &entry{done: make(chan struct{})}
	j.waiting[k] = e
	return e, true, nil
}

func (j *Journal) put(ctx context.Context, a *archive.Arrival, e *entry) (archive.Put, error) {
	id, known, err := j.o.Known(ctx, a.Key)
	if err == nil && !known {
		err = j.hand(&request{arrival: a, entry: e})
	}
	if err != nil || known {
		j.leave(a.Key, e, id, err)
		return archive.Put{ID: id, Duplicate: known}, err
	}
	select {
	case j.wake <- struct{}{}:
	default:
	}
	<-e.done // a sync is short, and what is being written cannot be called back
	return archive.Put{ID: e.id}, e.err
}

// hand gives an arrival to the writer, who ends once he has written all that he was given.
func (j *Journal) hand(r *request) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.stopping {
		return errClosed
	}
	j.pending = append(j.pending, r)
	return nil
}

// leave takes a key back that does not go into the journal.
func (j *Journal) leave(k archive.Key, e *entry, id int64, err error) {
	j.mu.Lock()
	delete(j.waiting, k)
	j.mu.Unlock()
	e.id, e.err = id, err
	close(e.done)
}

// Taken is how many arrivals this process has taken in all, and whether there is ample room for more.
func (j *Journal) Taken() (n int64, room bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.taken, j.bytes < j.o.MaxBytes/4
}

// Backlog implements [archive.Intake].
func (j *Journal) Backlog(context.Context) (archive.Backlog, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	b := archive.Backlog{Arrivals: j.arrivals, Bytes: j.bytes}
	if j.arrivals > 0 {
		b.OldestAt = j.oldest
	}
	return b, nil
}
