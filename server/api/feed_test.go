package api

import (
	"fmt"
	"log/slog"
	"testing"
	"time"
)

// numbers is a backend that only makes IDs.
type numbers struct {
	Backend
	last int64
}

// NewID is the next number.
func (n *numbers) NewID() int64 { n.last++; return n.last }

func TestSlowReadersAreDropped(t *testing.T) {
	f := newFeed(&numbers{}, slog.New(slog.DiscardHandler), nil, 0)
	slow, err := f.open("a")
	if err != nil {
		t.Fatal(err)
	}
	quick, err := f.open("b")
	if err != nil {
		t.Fatal(err)
	}
	for i := range int64(2 * streamBuffer) {
		f.hand([]entry{{ID: i}})
		if e := <-quick.entries; e.ID != i {
			t.Fatalf("the quick reader gets %d, want %d", e.ID, i)
		}
	}
	n := 0
	for range slow.entries { // ends: it was closed
		n++
	}
	left, _ := f.readers()
	if n != streamBuffer || left != 1 {
		t.Errorf("the slow reader got %d of its buffer of %d; %d readers are left, want 1", n, streamBuffer, left)
	}
	f.shut(slow) // its handler ends later
	f.shut(quick)
	if left, _ = f.readers(); left != 0 || len(f.own) != 0 {
		t.Errorf("%d readers, %v", left, f.own)
	}
}

func TestStreamsOfOneCallerAreBounded(t *testing.T) {
	f := newFeed(&numbers{}, slog.New(slog.DiscardHandler), nil, 0)
	for range maxOwn {
		if _, err := f.open("a"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.open("a"); err == nil {
		t.Error("one more stream than one caller may have")
	}
	if _, err := f.open("b"); err != nil {
		t.Errorf("another caller: %v", err)
	}
}

func TestLimiterForgetsTheOldest(t *testing.T) {
	l, now := newLimiter(1, 2, 100), time.Unix(0, 0)
	for i := range 10_000 {
		if _, ok := l.allow(fmt.Sprint(i), now); !ok {
			t.Fatalf("the first request of %d is refused", i)
		}
	}
	if len(l.buckets) != 100 || l.recent.Len() != 100 {
		t.Errorf("%d keys are kept, want 100", len(l.buckets))
	}
	l.allow("x", now)
	l.allow("x", now)
	if wait, ok := l.allow("x", now); ok || wait != time.Second {
		t.Errorf("a third at once: %v, wait %v, want one second", ok, wait)
	}
	if _, ok := l.allow("x", now.Add(time.Second)); !ok {
		t.Error("a second later it is refused")
	}
	if _, ok := l.left("x", now.Add(time.Second)); ok {
		t.Error("left sees a token that was taken")
	}
}
