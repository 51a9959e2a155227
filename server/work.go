package server

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"

	"callhome"
	"callhome/server/archive"
	"callhome/server/ingest"
)

// batchLimit is how many messages share a transaction: one sync for all, and a fraction of a second of work to lose.
const batchLimit = 500

// batch works one batch. Whether a failure was the message's is judged when the transaction is given up: until then the
// error may be a conflict with another one, after which the same work succeeds.
func (s *Server) batch(ctx context.Context) (int, error) {
	var culprit int64
	n, err := s.intake.Work(ctx, batchLimit, readAll, func(rooms Rooms, arrivals []archive.Arrival) error {
		culprit = 0
		for i := range arrivals {
			acc := readOf(&arrivals[i])
			if why := s.poison.found(arrivals[i].ID); why != nil {
				acc = failed(&arrivals[i], why)
			}
			if err := s.guarded(ctx, rooms, acc); err != nil {
				culprit = arrivals[i].ID
				return fmt.Errorf("message %d (%s): %w", arrivals[i].ID, acc.Record.MessageID, err)
			}
		}
		return nil
	})
	if err != nil && culprit != 0 && s.poison.note(culprit, err) {
		s.log.Error("a message cannot be worked and is kept as failed", "component", "server", "err", err)
		return s.batch(ctx) // the others are not to wait for it
	}
	return n, err
}

// guarded works one message; a panic becomes an error.
func (s *Server) guarded(ctx context.Context, rooms Rooms, acc *ingest.Accepted) (err error) {
	defer func() {
		if v := recover(); v != nil {
			s.log.Error("a panic in the work on a message", "component", "server", "message_id", acc.Record.MessageID, "err", v, "stack", string(debug.Stack()))
			err = callhome.Errorf(callhome.KindInvalid, "panic: %v", v)
		}
	}()
	return s.one(ctx, rooms, acc)
}

// readAll decodes arrivals on all processors, ahead of their transaction: most of the work that needs no database.
func readAll(arrivals []archive.Arrival) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), (len(arrivals)+7)/8) {
		wg.Go(func() {
			for i := next.Add(1) - 1; int(i) < len(arrivals); i = next.Add(1) - 1 {
				arrivals[i].Read = decode(&arrivals[i])
			}
		})
	}
	wg.Wait()
}

// readOf is what was read of an arrival: a copy, since a transaction may be begun again and the work changes it.
func readOf(a *archive.Arrival) *ingest.Accepted {
	acc, ok := a.Read.(*ingest.Accepted)
	if !ok {
		return decode(a)
	}
	own := *acc
	return &own
}

func decode(a *archive.Arrival) (acc *ingest.Accepted) {
	defer func() {
		if v := recover(); v != nil {
			acc = failed(a, fmt.Errorf("panic: %v", v))
		}
	}()
	return ingest.Decode(a)
}

// failed is an arrival that could not be worked.
func failed(a *archive.Arrival, why error) *ingest.Accepted {
	text := strings.ReplaceAll(strings.ToValidUTF8(why.Error(), "\uFFFD"), "\x00", "\uFFFD") // it may quote the device
	return &ingest.Accepted{
		Body: a.Body, Fault: ingest.FaultUnparsable, Why: text,
		Record: archive.Record{ID: a.ID, ReceivedAt: a.ReceivedAt, Origin: a.Origin, Size: len(a.Body), Severity: -1, Description: text},
	}
}

// poisonTries is how often work on a message may fail for reasons that are not plainly its own.
const poisonTries = 5

// poison knows the messages whose work fails, so that they are stored as failed and hold up nobody.
type poison struct {
	mu   sync.Mutex // guards what follows
	seen map[int64]*failure
}

type failure struct {
	tries int
	err   error
	sure  bool
}

// note remembers a failure and reports whether by this one the message is not to be tried again. What is the database's
// fault is not held against it.
func (p *poison) note(id int64, err error) bool {
	kind := callhome.KindOf(err)
	if kind == callhome.KindUnavailable || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen == nil {
		p.seen = map[int64]*failure{}
	}
	f := p.seen[id]
	if f == nil {
		f = &failure{}
		p.seen[id] = f
	}
	f.tries++
	f.err = err
	was := f.sure
	f.sure = was || kind == callhome.KindInvalid || f.tries >= poisonTries
	return f.sure && !was // what cannot even be kept as failed waits like everything else that fails
}

// found gives the error of a message that is not to be tried again.
func (p *poison) found(id int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if f := p.seen[id]; f != nil && f.sure {
		return f.err
	}
	return nil
}
