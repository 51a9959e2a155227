package outbox

import (
	"context"
	"errors"
	"sync"
	"time"

	"callhome"
)

const (
	// maxBatch and maxBatchBytes bound one transaction, so that whoever waits for it waits a few milliseconds.
	maxBatch      = 512
	maxBatchBytes = 8 << 20
	// keptPause is the time between two tries to store what must not be lost while the store does not work.
	keptPause = time.Second
)

// ErrClosed is what a closed queue answers.
var ErrClosed = callhome.Errorf(callhome.KindUnavailable, "the outbox is closed")

// request is one caller's part of a transaction.
type request struct {
	bytes int
	keep  bool // must not be lost: tried again until the store works
	add   func(*draft) error
	after func(error) // called by the committing goroutine with the result, before the caller is answered
	done  chan error
}

// draft is a transaction in the making. It starts from the books as committed; if it fails it is thrown away.
type draft struct {
	Batch
	now    time.Time
	counts map[Count]int64 // keyed with N zero
	lanes  []laneKey       // that get a row, in the order of the rows
	bodies [][]byte        // of Entries
	roads  map[callhome.Destination]RoadID
	seen   map[EntryID]bool // changed by an operator
}

type laneKey struct {
	road   RoadID
	device string
	entry  int // of the draft's Entries, or noEntry
}

// noEntry stands for a row that is no new entry.
const noEntry = -1

// count adds to a cell of the statistics.
func (d *draft) count(g callhome.AlertGroup, t callhome.Transport, s Status, r callhome.Reason, n int64) {
	d.counts[Count{Group: g, Transport: t, Status: s, Reason: r}] += n
}

// committer turns requests into transactions, one at a time. While one is being synced the next requests gather.
type committer struct {
	store  Store
	begin  func() *draft
	commit func(*draft) // the draft is durable
	report func(err error, took time.Duration, requests int)

	mu     sync.Mutex // guards what follows
	queue  []*request
	closed bool

	kick chan struct{}
	kept []*request // owned by run
	gone chan struct{}
}

func newCommitter(store Store) *committer {
	return &committer{store: store, kick: make(chan struct{}, 1), gone: make(chan struct{})}
}

// submit hands a request in and waits for its transaction. If ctx ends first, the request may or may not be stored.
func (c *committer) submit(ctx context.Context, r *request) error {
	r.done = make(chan error, 1)
	if err := c.enqueue(r); err != nil {
		return err
	}
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *committer) enqueue(r *request) error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return ErrClosed
	}
	c.queue = append(c.queue, r)
	c.mu.Unlock()
	c.wake()
	return nil
}

func (c *committer) wake() {
	select {
	case c.kick <- struct{}{}:
	default:
	}
}

// close refuses further requests and waits until those handed in are answered.
func (c *committer) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.wake()
	<-c.gone
}

// run is the committing goroutine.
func (c *committer) run() {
	defer close(c.gone)
	var again time.Time // when kept requests are due
	pause := time.NewTimer(keptPause)
	defer pause.Stop()
	for {
		if len(c.kept) > 0 && !time.Now().Before(again) {
			c.tryKept()
			again = time.Now().Add(keptPause)
		}
		reqs, closed := c.take()
		switch {
		case len(reqs) > 0:
			c.try(reqs)
		case closed:
			c.giveUp()
			return
		case len(c.kept) > 0:
			pause.Reset(time.Until(again))
			select {
			case <-c.kick:
			case <-pause.C:
			}
		default:
			<-c.kick
		}
	}
}

// take gives the requests for the next transaction.
func (c *committer) take() (reqs []*request, closed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, bytes := 0, 0
	for n < len(c.queue) && n < maxBatch && (n == 0 || bytes < maxBatchBytes) {
		bytes += c.queue[n].bytes
		n++
	}
	reqs = c.queue[:n:n]
	c.queue = c.queue[n:]
	if len(c.queue) == 0 {
		c.queue = nil
	}
	return reqs, c.closed
}

// try commits requests together. If the store refuses the batch for its content, each is tried alone, so that one bad
// request does not take others with it.
func (c *committer) try(reqs []*request) {
	d := c.begin()
	taken := reqs[:0:len(reqs)]
	for _, r := range reqs {
		if err := r.add(d); err != nil {
			r.answer(err)
			continue
		}
		taken = append(taken, r)
	}
	if len(taken) == 0 {
		return
	}
	err := c.apply(d, len(taken))
	switch {
	case err == nil || len(taken) == 1:
		c.settle(taken, err)
	case callhome.KindOf(err) == callhome.KindUnavailable:
		c.settle(taken, err)
	default:
		for _, r := range taken {
			c.try([]*request{r})
		}
	}
}

func (c *committer) apply(d *draft, requests int) error {
	for cell, n := range d.counts {
		if n != 0 {
			cell.N = n
			d.Increments = append(d.Increments, cell)
		}
	}
	start := time.Now()
	err := c.store.Apply(context.Background(), &d.Batch) // a commit is not to be cut short by a caller that gives up
	if err == nil {
		c.commit(d)
	}
	c.report(err, time.Since(start), requests)
	return err
}

func (c *committer) settle(reqs []*request, err error) {
	for _, r := range reqs {
		if err != nil && r.keep && callhome.KindOf(err) == callhome.KindUnavailable {
			c.kept = append(c.kept, r)
			continue
		}
		r.answer(err)
	}
}

func (r *request) answer(err error) {
	if r.after != nil {
		r.after(err)
	}
	r.done <- err
}

func (c *committer) tryKept() {
	kept := c.kept
	c.kept = nil
	for len(kept) > 0 {
		n := min(len(kept), maxBatch)
		c.try(kept[:n:n])
		kept = kept[n:]
	}
}

// giveUp makes a last try. What still fails is not lost: its alert or entries are in the store and are worked again.
func (c *committer) giveUp() {
	c.tryKept()
	for _, r := range c.kept {
		r.answer(errors.Join(ErrClosed, errors.New("the store did not take the result before the outbox was closed")))
	}
	c.kept = nil
}
