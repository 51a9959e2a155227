package outboxtest

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"callhome/outbox"
)

// Memory is an outbox.Store that lives as long as the value. Opening a second Queue on it is a restart.
type Memory struct {
	mu      sync.Mutex // guards what follows
	mark    outbox.Mark
	roads   map[outbox.RoadID]outbox.Road
	alerts  map[int64]outbox.AlertRow
	entries map[outbox.EntryID]*outbox.Entry
	dead    map[outbox.EntryID]*outbox.Entry
	ledger  []outbox.Outcome
	counts  map[outbox.Count]int64
	last    int64 // line of the ledger
}

var _ outbox.Store = (*Memory)(nil)

// NewMemory makes an empty store.
func NewMemory() *Memory {
	return &Memory{
		roads: map[outbox.RoadID]outbox.Road{}, alerts: map[int64]outbox.AlertRow{}, entries: map[outbox.EntryID]*outbox.Entry{},
		dead: map[outbox.EntryID]*outbox.Entry{}, counts: map[outbox.Count]int64{},
	}
}

// Rest implements outbox.Store.
func (m *Memory) Rest(context.Context) {}

// Load implements outbox.Store.
func (m *Memory) Load(context.Context) (outbox.Loaded, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	used := map[outbox.RoadID]bool{}
	for _, table := range []map[outbox.EntryID]*outbox.Entry{m.entries, m.dead} {
		for _, e := range table {
			used[e.Road] = true
		}
	}
	maps.DeleteFunc(m.roads, func(id outbox.RoadID, _ outbox.Road) bool { return !used[id] })
	l := outbox.Loaded{Mark: m.mark, Roads: slices.Collect(maps.Values(m.roads))}
	slices.SortFunc(l.Roads, func(a, b outbox.Road) int { return cmp.Compare(a.ID, b.ID) })
	for cell, n := range m.counts {
		cell.N = n
		l.Counts = append(l.Counts, cell)
	}
	return l, nil
}

// Apply implements outbox.Store. Nothing in it can fail half way: what could is checked first.
func (m *Memory) Apply(_ context.Context, b *outbox.Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.check(b); err != nil {
		return err
	}
	for _, r := range b.Roads {
		m.roads[r.ID] = r
	}
	for _, a := range b.Alerts {
		m.alerts[a.ID] = a
	}
	for _, d := range b.Delays {
		if a, ok := m.alerts[d.ID]; ok {
			a.RetryAt = d.RetryAt
			m.alerts[d.ID] = a
		}
	}
	for _, id := range b.Retired {
		delete(m.alerts, id)
	}
	m.applyEntries(b)
	for _, o := range b.Ledger {
		m.last++
		o.ID = m.last
		m.ledger = append(m.ledger, o)
	}
	m.forget(b.Forget)
	for _, c := range b.Increments {
		n := c.N
		c.N = 0
		m.counts[c] += n
	}
	m.mark = b.Mark
	return nil
}

func (m *Memory) check(b *outbox.Batch) error {
	for _, r := range b.Roads {
		if _, taken := m.roads[r.ID]; taken {
			return fmt.Errorf("road %d exists", r.ID)
		}
	}
	for _, a := range b.Alerts {
		if _, taken := m.alerts[a.ID]; taken {
			return fmt.Errorf("alert %d exists", a.ID)
		}
	}
	for i := range b.Entries {
		if _, taken := m.entries[b.Entries[i].ID]; taken {
			return fmt.Errorf("entry %d exists", b.Entries[i].ID)
		}
	}
	return nil
}

func (m *Memory) applyEntries(b *outbox.Batch) {
	for _, e := range b.Entries {
		m.entries[e.ID] = &e
	}
	for _, id := range b.Removed {
		delete(m.entries, id)
	}
	for _, r := range b.Retrials {
		if e, ok := m.entries[r.ID]; ok {
			e.Attempts, e.TriedAt, e.RetryAt, e.LastError = r.Attempts, r.TriedAt, r.RetryAt, r.LastError
		}
	}
	for _, d := range b.Buried {
		if e, ok := m.entries[d.ID]; ok {
			delete(m.entries, d.ID)
			e.Status, e.Reason, e.Attempts, e.DiedAt, e.LastError, e.RetryAt = outbox.StatusDead, d.Reason, d.Attempts, d.DiedAt, d.LastError, time.Time{}
			m.dead[d.ID] = e
		}
	}
	for _, r := range b.Revived {
		if e, ok := m.dead[r.ID]; ok {
			delete(m.dead, r.ID)
			e.ID, e.Status, e.Reason, e.DiedAt, e.QueuedAt = r.As, outbox.StatusQueued, "", time.Time{}, r.QueuedAt
			e.Attempts, e.TriedAt, e.RetryAt, e.LastError = 0, time.Time{}, time.Time{}, ""
			m.entries[r.As] = e
		}
	}
	for _, id := range b.Discarded {
		delete(m.dead, id)
	}
}

func (m *Memory) forget(f *outbox.Forget) {
	if f == nil {
		return
	}
	kept := m.ledger[:0:0]
	for i, o := range m.ledger {
		if i < f.Max && (o.At.Before(f.Before) || o.ID <= m.last-f.Keep) {
			continue
		}
		kept = append(kept, o)
	}
	f.Gone = len(m.ledger) - len(kept)
	m.ledger = kept
}

// FirstAlert implements outbox.Store.
func (m *Memory) FirstAlert(_ context.Context, device string) (*outbox.AlertRow, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var first *outbox.AlertRow
	for _, a := range m.alerts {
		if a.Device == device && (first == nil || a.ID < first.ID) {
			first = &a
		}
	}
	return first, nil
}

// sorted lists a table by ID.
func sorted(table map[outbox.EntryID]*outbox.Entry, want func(*outbox.Entry) bool) []outbox.Entry {
	var out []outbox.Entry
	for _, e := range table {
		if want(e) {
			out = append(out, *e)
		}
	}
	slices.SortFunc(out, func(a, b outbox.Entry) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// FirstEntries implements outbox.Store.
func (m *Memory) FirstEntries(_ context.Context, road outbox.RoadID, device string, limit, maxBytes int) ([]outbox.Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	lane := sorted(m.entries, func(e *outbox.Entry) bool { return e.Road == road && e.Envelope.Device == device })
	bytes, n := 0, 0
	for n < len(lane) && n < limit && bytes < maxBytes {
		bytes += lane[n].Stored
		n++
	}
	return lane[:n], nil
}

// Devices implements outbox.Store.
func (m *Memory) Devices(_ context.Context, road outbox.RoadID, after *string, limit int) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := map[string]bool{}
	for _, a := range m.alerts {
		if road == 0 {
			found[a.Device] = true
		}
	}
	for _, e := range m.entries {
		if e.Road == road {
			found[e.Envelope.Device] = true
		}
	}
	if after != nil {
		maps.DeleteFunc(found, func(d string, _ bool) bool { return d <= *after })
	}
	devices := slices.Sorted(maps.Keys(found))
	return devices[:min(len(devices), limit)], nil
}

// Entry implements outbox.Store.
func (m *Memory) Entry(_ context.Context, id outbox.EntryID) (*outbox.Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, table := range []map[outbox.EntryID]*outbox.Entry{m.entries, m.dead} {
		if e := table[id]; e != nil {
			found := *e
			return &found, nil
		}
	}
	return nil, nil //nolint:nilnil // outbox.Store: nil if there is none
}

// List implements outbox.Store.
func (m *Memory) List(_ context.Context, f outbox.Filter) ([]outbox.Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	table := m.entries
	if f.Status == outbox.StatusDead {
		table = m.dead
	}
	out := sorted(table, func(e *outbox.Entry) bool {
		v := &e.Envelope
		return (f.MessageID == "" || v.MessageID == f.MessageID) && (f.Device == nil || v.Device == *f.Device) &&
			(f.Destination == nil || v.Destination == *f.Destination) &&
			(!f.Newest && e.ID > f.After || f.Newest && (f.After == 0 || e.ID < f.After))
	})
	if f.Newest {
		slices.Reverse(out)
	}
	out = out[:min(len(out), f.Limit)]
	for i := range out {
		out[i].Packed = nil
	}
	return out, nil
}

// Ledger implements outbox.Store.
func (m *Memory) Ledger(_ context.Context, f outbox.LedgerFilter) ([]outbox.Outcome, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []outbox.Outcome
	for _, o := range slices.Backward(m.ledger) {
		if len(out) < f.Limit && (f.Before == 0 || o.ID < f.Before) && (f.MessageID == "" || o.MessageID == f.MessageID) {
			out = append(out, o)
		}
	}
	return out, nil
}

// Oldest implements outbox.Store.
func (m *Memory) Oldest(context.Context) (time.Time, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.entries) > 0 {
		return m.entries[slices.Min(slices.Collect(maps.Keys(m.entries)))].QueuedAt, nil
	}
	if len(m.alerts) > 0 {
		return m.alerts[slices.Min(slices.Collect(maps.Keys(m.alerts)))].AcceptedAt, nil
	}
	return time.Time{}, nil
}

// Close implements outbox.Store. What is stored stays, for the next Queue.
func (m *Memory) Close() error { return nil }
