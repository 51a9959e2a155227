package api

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"callhome"
	"callhome/server/account"
)

const (
	feedPause = time.Second
	// feedOverlap is read again at every look: transactions of other processes may commit later than their IDs were made,
	// and clocks of servers differ a little.
	feedOverlap = 10 * time.Second
	feedPage    = 1000
	feedKeep    = 24 * time.Hour // how long a stream may have been away
	feedTidy    = time.Minute    // between two removals of what is old
	tidyBatch   = 1000

	streamBuffer = 256  // entries that a reader may be behind
	maxStreams   = 1000 // of all callers
	maxOwn       = 20   // of one caller
)

// entry is something that happened, to records of one kind and company.
type entry struct {
	ID      int64
	Kind    string
	Company account.CompanyID
	Objects []int64
}

// feed looks at the database for all streams together, while there are any.
type feed struct {
	backend Backend
	log     *slog.Logger
	metrics *Metrics
	every   time.Duration

	mu      sync.Mutex // guards what follows
	streams map[*stream]bool
	own     map[string]int
	wake    chan struct{}
	start   int64 // made when the first of the readers came: what is older is no news

	// Of run alone.
	from int64          // where the window that is read again begins
	seen map[int64]bool // in that window
}

// stream is one reader. It is closed when it falls behind, or the feed ends.
type stream struct {
	owner   string
	entries chan entry
}

func newFeed(b Backend, log *slog.Logger, m *Metrics, every time.Duration) *feed {
	if every <= 0 {
		every = feedPause
	}
	return &feed{backend: b, log: log, metrics: m, every: every, streams: map[*stream]bool{}, own: map[string]int{}, wake: make(chan struct{}, 1), seen: map[int64]bool{}}
}

// open adds a reader.
func (f *feed) open(owner string) (*stream, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.streams) >= maxStreams || f.own[owner] >= maxOwn {
		return nil, callhome.Errorf(callhome.KindUnavailable, "too many streams of events are open")
	}
	if len(f.streams) == 0 {
		f.start = f.backend.NewID()
	}
	s := &stream{owner: owner, entries: make(chan entry, streamBuffer)}
	f.streams[s] = true
	f.own[owner]++
	f.metrics.stream(1)
	select {
	case f.wake <- struct{}{}:
	default: // it is awake
	}
	return s, nil
}

// shut takes a reader out; again it does nothing.
func (f *feed) shut(s *stream) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.remove(s)
}

// remove is called with the mutex held.
func (f *feed) remove(s *stream) {
	if !f.streams[s] {
		return
	}
	delete(f.streams, s)
	if f.own[s.owner]--; f.own[s.owner] == 0 {
		delete(f.own, s.owner)
	}
	close(s.entries)
	f.metrics.stream(-1)
}

// readers is how many there are, and since when there are any.
func (f *feed) readers() (n int, start int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.streams), f.start
}

// run looks at the feed until ctx ends.
func (f *feed) run(ctx context.Context, now func() time.Time) error {
	defer f.closeAll()
	tick := time.NewTicker(f.every)
	defer tick.Stop()
	var tidied time.Time
	for {
		if n, start := f.readers(); n > 0 {
			if err := f.look(ctx, start); err != nil && ctx.Err() == nil {
				f.log.Warn("the feed cannot be read; trying again", "err", err)
			}
		} else {
			f.from, f.seen = 0, map[int64]bool{}
		}
		if t := now(); t.Sub(tidied) >= feedTidy {
			tidied = t
			if err := f.tidy(ctx, t); err != nil && ctx.Err() == nil {
				f.log.Warn("old entries of the feed cannot be removed; trying again", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-f.wake:
		}
	}
}

func (f *feed) closeAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for s := range f.streams {
		f.remove(s)
	}
}

// look reads the window again and hands out what is new in it. The first look only notes what is older than the readers.
func (f *feed) look(ctx context.Context, start int64) error {
	v := f.backend.Read()
	first := f.from == 0
	if first {
		f.from = v.Rewind(start, feedOverlap)
	}
	seen := map[int64]bool{}
	for after := f.from; ; {
		n := 0
		var fresh []entry
		err := v.FeedAfter(ctx, after, feedPage, func(id int64, kind string, company account.CompanyID, objects []int64) {
			n, after, seen[id] = n+1, id, true
			if !f.seen[id] && (!first || id > start) {
				fresh = append(fresh, entry{ID: id, Kind: kind, Company: company, Objects: objects})
			}
		})
		if err != nil {
			return err
		}
		f.hand(fresh)
		if n < feedPage {
			break
		}
	}
	f.seen = seen
	f.from = max(f.from, v.Rewind(f.backend.NewID(), feedOverlap))
	return nil
}

// hand gives entries to all readers. One that is too far behind is closed: it comes back and asks for what it missed.
func (f *feed) hand(entries []entry) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for s := range f.streams {
		for _, e := range entries {
			select {
			case s.entries <- e:
				continue
			default:
			}
			f.remove(s)
			f.metrics.drop()
			break
		}
	}
}

// tidy removes what no stream asks for any more, and answers that nobody repeats any more.
func (f *feed) tidy(ctx context.Context, now time.Time) error {
	for {
		var n, m int64
		err := f.backend.Change(ctx, func(v Views) (err error) {
			if n, err = v.ForgetFeed(ctx, v.Rewind(f.backend.NewID(), feedKeep), tidyBatch); err != nil {
				return err
			}
			m, err = v.ForgetAnswers(ctx, now.Add(-answerKeep), tidyBatch)
			return err
		})
		if err != nil || n < tidyBatch && m < tidyBatch {
			return err
		}
	}
}

// answerKeep is how long a request with an Idempotency-Key may be repeated.
const answerKeep = 24 * time.Hour
