package archive

import (
	"fmt"
	"testing"
)

func TestSieve(t *testing.T) {
	const n = 100_000
	s := NewSieve(n)
	key := func(i int) Key { return KeyOfBody([]byte(fmt.Sprint(i))) }
	for i := range n {
		s.Add(key(i))
	}
	for i := range n {
		if !s.Perhaps(key(i)) {
			t.Fatalf("key %d was added and is denied", i)
		}
	}
	wrong := 0
	for i := n; i < 2*n; i++ {
		if s.Perhaps(key(i)) {
			wrong++
		}
	}
	if wrong > n/50 {
		t.Errorf("%d of %d new keys may be there, want at most one in 50", wrong, n)
	}
	if s.Full() {
		t.Error("it is full with what it was made for")
	}
	if s.Add(key(n)); !s.Full() {
		t.Error("it is not full with more")
	}
}

func BenchmarkSieve(b *testing.B) {
	s := NewSieve(1 << 20)
	k := KeyOfBody([]byte("x"))
	for b.Loop() {
		s.Add(k)
		s.Perhaps(k)
	}
}
