package archive

import (
	"encoding/binary"
	"math/bits"
	"sync/atomic"
)

// Sieve knows which keys are new for certain, so that most arrivals need no look into the database. It is a Bloom
// filter: what it does not hold was never added; of what it seems to hold one in some hundred was not. It is safe for
// concurrent use.
type Sieve struct {
	bits     []atomic.Uint64
	capacity int64
	n        atomic.Int64
}

const (
	// sieveBits for each key and sieveHashes give one false answer in about 120.
	sieveBits   = 10
	sieveHashes = 7
	// sieveMix makes a second hash of the first: 2^64 divided by the golden ratio.
	sieveMix = 0x9E3779B97F4A7C15
	// sieveLeast is the smallest sieve: 80 KiB.
	sieveLeast = 1 << 16
)

// NewSieve makes an empty sieve for so many keys; with more it answers "perhaps" more often.
func NewSieve(capacity int64) *Sieve {
	capacity = max(capacity, sieveLeast)
	return &Sieve{bits: make([]atomic.Uint64, (capacity*sieveBits+63)/64), capacity: capacity}
}

// places calls f with the bits of a key until f gives false.
func (s *Sieve) places(k Key, f func(word *atomic.Uint64, bit uint64) bool) {
	a := binary.BigEndian.Uint64(k[:]) ^ binary.LittleEndian.Uint64(k[8:]) // the first half is a time, the second a hash
	b := bits.RotateLeft64(a*sieveMix, 31) | 1
	size := uint64(len(s.bits)) * 64
	for i := range uint64(sieveHashes) {
		at := (a + i*b) % size
		if !f(&s.bits[at/64], 1<<(at%64)) {
			return
		}
	}
}

// Add notes a key.
func (s *Sieve) Add(k Key) {
	s.n.Add(1)
	s.places(k, func(word *atomic.Uint64, bit uint64) bool {
		if word.Load()&bit == 0 {
			word.Or(bit)
		}
		return true
	})
}

// Perhaps reports whether a key may have been added; false is certain.
func (s *Sieve) Perhaps(k Key) bool {
	perhaps := true
	s.places(k, func(word *atomic.Uint64, bit uint64) bool {
		perhaps = word.Load()&bit != 0
		return perhaps
	})
	return perhaps
}

// Full reports whether more keys were added than it was made for.
func (s *Sieve) Full() bool { return s.n.Load() > s.capacity }
