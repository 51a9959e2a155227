package throttle

import (
	"fmt"
	"time"

	"callhome"
)

// snapshotVersion changes when an older snapshot can no longer be read.
const snapshotVersion = 1

// Snapshot is the memory of a limiter, in a form that can be written down as JSON. Lists run from the oldest to the
// latest.
type Snapshot struct {
	Version  int             `json:"version"`
	Troubles []saved         `json:"troubles,omitempty"`
	Buckets  []savedBucket   `json:"buckets,omitempty"`
	Windows  []savedWindow   `json:"windows,omitempty"`
	Held     []savedHeldBack `json:"held,omitempty"`
}

type saved struct {
	Key string `json:"key"`
	trouble
}

type savedBucket struct {
	Key string `json:"key"`
	bucket
}

type savedWindow struct {
	Key string `json:"key"`
	window
}

type savedHeldBack struct {
	Key string `json:"key"`
	held
}

// Snapshot copies the memory.
func (l *Limiter) Snapshot() Snapshot {
	s := Snapshot{Version: snapshotVersion}
	for _, k := range l.troubles.keys() {
		t, _ := l.troubles.peek(k)
		s.Troubles = append(s.Troubles, saved{k, *t})
		last := &s.Troubles[len(s.Troubles)-1]
		last.Starts, last.To = append([]time.Time(nil), t.Starts...), append([]callhome.ProfileName(nil), t.To...)
		last.Texts = append([]uint64(nil), t.Texts...)
	}
	for _, k := range l.buckets.keys() {
		b, _ := l.buckets.peek(k)
		s.Buckets = append(s.Buckets, savedBucket{k, bucket{append([]time.Time(nil), b.Sent...)}})
	}
	for _, k := range l.windows.keys() {
		w, _ := l.windows.peek(k)
		s.Windows = append(s.Windows, savedWindow{k, *w})
	}
	for _, k := range l.held.keys() {
		h, _ := l.held.peek(k)
		s.Held = append(s.Held, savedHeldBack{k, *h})
		last := &s.Held[len(s.Held)-1]
		last.Items, last.Profiles = append([]Item(nil), h.Items...), append([]callhome.ProfileName(nil), h.Profiles...)
	}
	return s
}

// Restore replaces the memory by a snapshot's. Nothing and an empty snapshot are a memory of nothing; one of another
// version is an error and leaves the memory as it is. What the clock of now has left behind for long is not taken over.
func (l *Limiter) Restore(s Snapshot, now time.Time) error {
	if s.Version == 0 && len(s.Troubles) == 0 {
		return nil
	}
	if s.Version != snapshotVersion {
		return fmt.Errorf("restore throttling: snapshot of version %d, want %d", s.Version, snapshotVersion)
	}
	fresh := New(l.cfg)
	for i := range s.Troubles {
		t := s.Troubles[i].trouble
		if t.Flaps && len(t.Starts) == 0 {
			t.Starts = []time.Time{t.Changed}
		}
		if since(now, t.Changed) > forgotten && since(now, t.Told) > forgotten && t.State != callhome.StateRaise {
			continue
		}
		fresh.note(&t)
		fresh.troubles.put(s.Troubles[i].Key, &t)
		if t.Flaps {
			fresh.flapping[s.Troubles[i].Key] = true
		}
	}
	for i := range s.Buckets {
		fresh.buckets.put(s.Buckets[i].Key, &s.Buckets[i].bucket)
	}
	for i := range s.Windows {
		fresh.windows.put(s.Windows[i].Key, &s.Windows[i].window)
	}
	for i := range s.Held {
		fresh.held.put(s.Held[i].Key, &s.Held[i].held)
	}
	*l = *fresh
	return nil
}

// forgotten is the age at which what has ended no longer matters: twice the longest window of any platform.
const forgotten = 48 * time.Hour
