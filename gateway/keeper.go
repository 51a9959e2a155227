package gateway

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"callhome"
	"callhome/gateway/book"
	"callhome/health"
)

const (
	// flushEvery gathers what many messages note into one transaction of the book.
	flushEvery = 200 * time.Millisecond
	// flushAt ends the gathering early.
	flushAt = 2000
	// maxPending bounds what waits while the book cannot be written; beyond it no message is taken, or repeats would not
	// be known.
	maxPending = 50_000
	// tidyEvery is how often the book forgets.
	tidyEvery = 10 * time.Minute
)

// keeper notes in the book what happened, behind the messages' backs: a message waits for the outbox alone.
type keeper struct {
	book *book.Book
	log  *slog.Logger
	part *health.Part
	now  func() time.Time

	wake chan struct{}

	mu      sync.Mutex             // guards what follows
	batch   *book.Batch            // not yet being written
	recent  map[book.Key]time.Time // noted and not yet in the book
	flights map[book.Key]*flight
}

// flight is a message on its way into the outbox.
type flight struct {
	landed chan struct{}
	begun  time.Time
	taken  bool // set before landed is closed
}

func newKeeper(b *book.Book, log *slog.Logger, part *health.Part, now func() time.Time) *keeper {
	return &keeper{
		book: b, log: log, part: part, now: now, wake: make(chan struct{}, 1), batch: &book.Batch{Counts: map[book.Count]int64{}},
		recent: map[book.Key]time.Time{}, flights: map[book.Key]*flight{},
	}
}

var errBookFull = callhome.Errorf(callhome.KindUnavailable, "the book cannot be written, and too much waits for it")

// begin says whether a message was taken before. If not, the caller puts it into the outbox and says so by land; until
// then others with the same message wait here.
func (k *keeper) begin(ctx context.Context, key book.Key) (duplicate bool, f *flight, err error) {
	for {
		k.mu.Lock()
		if _, ok := k.recent[key]; ok {
			k.mu.Unlock()
			return true, nil, nil
		}
		if len(k.recent) >= maxPending {
			k.mu.Unlock()
			return false, nil, errBookFull
		}
		other := k.flights[key]
		if other == nil {
			f = &flight{landed: make(chan struct{}), begun: k.now()}
			k.flights[key] = f
		}
		k.mu.Unlock()
		if other == nil {
			break
		}
		select {
		case <-other.landed:
			if other.taken {
				return true, nil, nil
			}
		case <-ctx.Done():
			return false, nil, ctx.Err()
		}
	}
	seen, err := k.book.Seen(ctx, key, k.now())
	if seen || err != nil {
		k.land(key, f, seen, nil)
		return seen, nil, err
	}
	return false, f, nil
}

// land ends a flight. A message that was newly taken comes with its sighting.
func (k *keeper) land(key book.Key, f *flight, taken bool, s *book.Sighting) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.flights, key)
	f.taken = taken
	close(f.landed)
	if s != nil {
		k.recent[key] = s.At
		k.batch.Seen = append(k.batch.Seen, book.Seen{Key: key, At: s.At})
		k.batch.Sightings = append(k.batch.Sightings, *s)
	}
	k.hurry()
}

// hurry lets run write when much has gathered; k.mu is held.
func (k *keeper) hurry() {
	if len(k.batch.Seen)+len(k.batch.Sightings)+len(k.batch.Results) < flushAt {
		return
	}
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// note adds to a counter.
func (k *keeper) note(kind, word string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.batch.Counts[book.Count{Kind: kind, Word: word}]++
}

// sighted notes a message of a device that was not newly taken.
func (k *keeper) sighted(s *book.Sighting) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.batch.Sightings) < maxPending {
		k.batch.Sightings = append(k.batch.Sightings, *s)
	}
	k.hurry()
}

// became notes what became of a device's message.
func (k *keeper) became(r book.Result) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.batch.Results) < maxPending {
		k.batch.Results = append(k.batch.Results, r)
	}
	k.hurry()
}

// run writes until ctx ends, and what is left then.
func (k *keeper) run(ctx context.Context) {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	var tidied time.Time
	for {
		select {
		case <-ctx.Done():
			_ = k.flush(context.WithoutCancel(ctx))
			return
		case <-tick.C:
		case <-k.wake:
		}
		_ = k.flush(ctx)
		if now := k.now(); now.Sub(tidied) >= tidyEvery {
			more, err := k.book.Tidy(ctx, now)
			if err != nil && ctx.Err() == nil {
				k.log.Warn("the book could not be tidied", "err", err)
			}
			if !more {
				tidied = now
			}
		}
	}
}

// flush writes what has gathered. When it cannot be written it is kept and tried again.
func (k *keeper) flush(ctx context.Context) error {
	k.mu.Lock()
	batch := k.batch
	// What lands from now on is in the next batch; what is in the air began no earlier than the oldest flight.
	batch.CleanAt = k.now()
	for _, f := range k.flights {
		if f.begun.Before(batch.CleanAt) {
			batch.CleanAt = f.begun
		}
	}
	if len(batch.Seen)+len(batch.Sightings)+len(batch.Results)+len(batch.Counts) == 0 {
		k.mu.Unlock()
		return nil
	}
	k.batch = &book.Batch{Counts: map[book.Count]int64{}}
	k.mu.Unlock()
	err := k.book.Write(ctx, batch)
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil {
		k.putBack(batch)
		k.part.Unwell("the book cannot be written, so devices and repeats are noted late: " + err.Error())
		k.log.Error("the book could not be written; it is tried again", "err", err)
		return err
	}
	for _, s := range batch.Seen {
		delete(k.recent, s.Key)
	}
	k.part.Well()
	return nil
}

// putBack puts a batch that could not be written before what gathered meanwhile; k.mu is held.
func (k *keeper) putBack(old *book.Batch) {
	now := k.batch
	old.Seen = append(old.Seen, now.Seen...)
	old.Sightings = append(old.Sightings, now.Sightings...)
	old.Results = append(old.Results, now.Results...)
	for c, n := range now.Counts {
		old.Counts[c] += n
	}
	k.batch = old
}
