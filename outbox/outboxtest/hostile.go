package outboxtest

import (
	"context"
	"errors"
	"sync"
	"time"

	"callhome"
	"callhome/outbox"
)

// ErrDiskFull is what a hostile store with a full disk answers.
var ErrDiskFull = callhome.Errorf(callhome.KindUnavailable, "the disk is full; make room")

// ErrBroken is an error that no repetition mends.
var ErrBroken = errors.New("the statement is broken")

// Hostile is a Store that fails on demand. Without orders it is the Store it wraps.
type Hostile struct {
	outbox.Store

	mu      sync.Mutex // guards what follows
	write   func(call int, b *outbox.Batch) error
	read    error
	applies int
	batches []int // entries and alerts in each batch that was applied
	pause   time.Duration
}

// FailWrites lets judge decide on every Apply, counted from 1 from now on; an error fails it and leaves the store as it
// was. Nil ends the order.
func (h *Hostile) FailWrites(judge func(call int, b *outbox.Batch) error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.write, h.applies = judge, 0
}

// FailReads lets all reads fail with err, until it is nil.
func (h *Hostile) FailReads(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.read = err
}

// SlowDisk lets every Apply take so long, as a disk does that syncs.
func (h *Hostile) SlowDisk(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pause = d
}

// Batches gives the number of alerts and new entries of every transaction so far.
func (h *Hostile) Batches() []int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]int(nil), h.batches...)
}

// Apply implements outbox.Store.
func (h *Hostile) Apply(ctx context.Context, b *outbox.Batch) error {
	h.mu.Lock()
	h.applies++
	judge, call, pause := h.write, h.applies, h.pause
	h.mu.Unlock()
	if pause > 0 {
		time.Sleep(pause) // the disk's time, in a bubble with its own clock
	}
	if judge != nil {
		if err := judge(call, b); err != nil {
			return err
		}
	}
	err := h.Store.Apply(ctx, b)
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil {
		h.batches = append(h.batches, len(b.Alerts)+len(b.Entries))
	}
	return err
}

func (h *Hostile) readFault() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.read
}

// FirstAlert implements outbox.Store.
func (h *Hostile) FirstAlert(ctx context.Context, device string) (*outbox.AlertRow, error) {
	if err := h.readFault(); err != nil {
		return nil, err
	}
	return h.Store.FirstAlert(ctx, device)
}

// FirstEntries implements outbox.Store.
func (h *Hostile) FirstEntries(ctx context.Context, road outbox.RoadID, device string, limit, maxBytes int) ([]outbox.Entry, error) {
	if err := h.readFault(); err != nil {
		return nil, err
	}
	return h.Store.FirstEntries(ctx, road, device, limit, maxBytes)
}

// Devices implements outbox.Store.
func (h *Hostile) Devices(ctx context.Context, road outbox.RoadID, after *string, limit int) ([]string, error) {
	if err := h.readFault(); err != nil {
		return nil, err
	}
	return h.Store.Devices(ctx, road, after, limit)
}
