package personality

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
)

// Phrase is a literal to look for; Fold ignores the case of ASCII letters.
type Phrase struct {
	Text string
	Fold bool
}

// MinPhrase is the length in bytes below which a phrase is no use for filtering.
const MinPhrase = 3

// Phrases finds which of many phrases occur in a text, in one pass whose cost hardly depends on how many there are. It
// is safe for use by several goroutines.
//
// Of every phrase one window of fixed length is chosen, the one that fewest others share. The grams of the windows fill
// a bit filter; the text is probed at every fourth byte, as a window of seven bytes holds four grams of four bytes and
// one of them must lie there. Phrases below seven bytes have a filter of their own that is probed at every byte.
type Phrases struct {
	phrases []Phrase
	long    window
	short   window
}

// Shapes of the two windows: gram and window length in bytes. The probe distance is window-gram+1.
const (
	longGram, longWindow   = 4, 7
	shortGram, shortWindow = 3, 3
)

// window is one filter with the phrases behind it.
type window struct {
	grams  []uint64 // four bits for each hash: at which offsets of a window a gram stands
	whole  []uint64 // one bit for each hash of a window
	shift  uint     // 32 minus the size of both in bits, as a power of two
	places map[uint32][]place
}

// place is where a phrase has its window.
type place struct {
	phrase int32
	offset int32
}

// NewPhrases prepares a search. Phrases shorter than [MinPhrase] are never found.
func NewPhrases(phrases []Phrase) *Phrases {
	f := &Phrases{phrases: slices.Clone(phrases)}
	var long, short []int32
	for i, p := range f.phrases {
		switch {
		case len(p.Text) >= longWindow:
			long = append(long, int32(i))
		case len(p.Text) >= MinPhrase:
			short = append(short, int32(i))
		}
	}
	f.long = f.build(long, longGram, longWindow)
	f.short = f.build(short, shortGram, shortWindow)
	return f
}

func (f *Phrases) build(ids []int32, gram, size int) window {
	if len(ids) == 0 {
		return window{}
	}
	grams := size - gram + 1
	power := uint(10)
	for power < 18 && 1<<power < 16*grams*len(ids) { // about one hash in sixteen is taken
		power++
	}
	w := window{
		grams: make([]uint64, 1<<power/16), whole: make([]uint64, 1<<power/64), shift: 32 - power,
		places: make(map[uint32][]place, len(ids)),
	}
	shared := f.shared(ids, size)
	for _, id := range ids {
		text := f.phrases[id].Text
		at := choose(text, size, shared)
		win := []byte(text[at : at+size])
		for i := range grams {
			h := gramHash(win[i:i+gram], w.shift)
			w.grams[h>>4] |= 1 << (h&15<<2 + uint32(i))
		}
		h := windowHash(win)
		set(w.whole, h>>w.shift)
		w.places[h] = append(w.places[h], place{id, int32(at)})
	}
	return w
}

// shared counts in how many phrases each window occurs.
func (f *Phrases) shared(ids []int32, size int) map[uint32]int {
	counts := make(map[uint32]int)
	for _, id := range ids {
		seen := make(map[uint32]bool)
		text := []byte(f.phrases[id].Text)
		for i := 0; i+size <= len(text); i++ {
			if h := windowHash(text[i : i+size]); !seen[h] {
				seen[h] = true
				counts[h]++
			}
		}
	}
	return counts
}

// choose picks the window that fewest phrases share, then the one least like running text.
func choose(text string, size int, shared map[uint32]int) int {
	best, bestCost := 0, int(^uint(0)>>1)
	for i := 0; i+size <= len(text); i++ {
		cost := shared[windowHash([]byte(text[i:i+size]))] * 64
		for _, c := range []byte(text[i : i+size]) {
			if c >= 'a' && c <= 'z' || c == ' ' {
				cost++
			}
		}
		if cost < bestCost {
			best, bestCost = i, cost
		}
	}
	return best
}

func set(filter []uint64, h uint32)      { filter[h>>6] |= 1 << (h & 63) }
func has(filter []uint64, h uint32) bool { return filter[h>>6]&(1<<(h&63)) != 0 }

// lower maps letters of both cases to one value in each of four bytes; other bytes may coincide, which only costs a look.
const lower = 0x20202020

const mix = 0x9E3779B1 // 2^32 divided by the golden ratio, odd

// gramHash hashes a gram of three or four bytes.
func gramHash(b []byte, shift uint) uint32 {
	if len(b) == longGram {
		return (binary.LittleEndian.Uint32(b) | lower) * mix >> shift
	}
	return hash3(b, shift)
}

func hash3(b []byte, shift uint) uint32 {
	_ = b[2]
	return (uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | lower) * mix >> shift
}

// windowHash hashes a whole window, of three or seven bytes, without regard to case.
func windowHash(b []byte) uint32 {
	if len(b) == longWindow {
		lo, hi := binary.LittleEndian.Uint32(b)|lower, binary.LittleEndian.Uint32(b[longWindow-longGram:])|lower
		return (lo*mix ^ hi) * mix
	}
	return hash3(b, 0)
}

// Append adds to dst the indices of the phrases that occur in text, in no order and possibly more than once.
func (f *Phrases) Append(dst []int32, text []byte) []int32 {
	if w := &f.long; w.grams != nil {
		for p := 0; p+longGram <= len(text); p += longWindow - longGram + 1 {
			h := (binary.LittleEndian.Uint32(text[p:]) | lower) * mix >> w.shift
			if at := w.grams[h>>4] >> (h & 15 << 2) & 15; at != 0 {
				dst = f.look(dst, w, text, p, at)
			}
		}
	}
	if w := &f.short; w.grams != nil {
		for p := 0; p+shortGram <= len(text); p++ {
			h := hash3(text[p:p+shortGram], w.shift)
			if w.grams[h>>4]>>(h&15<<2)&15 != 0 {
				dst = f.at(dst, w, text, p, shortWindow)
			}
		}
	}
	return dst
}

// look tries the windows that have a gram at p, at the offsets whose bits are set.
func (f *Phrases) look(dst []int32, w *window, text []byte, p int, at uint64) []int32 {
	for ; at != 0; at &= at - 1 {
		start := p - bits.TrailingZeros64(at)
		if start >= 0 && start+longWindow <= len(text) {
			dst = f.at(dst, w, text, start, longWindow)
		}
	}
	return dst
}

// at compares the phrases whose window may begin at start.
func (f *Phrases) at(dst []int32, w *window, text []byte, start, size int) []int32 {
	h := windowHash(text[start : start+size])
	if !has(w.whole, h>>w.shift) {
		return dst
	}
	for _, pl := range w.places[h] {
		p := &f.phrases[pl.phrase]
		from := start - int(pl.offset)
		if from < 0 || from+len(p.Text) > len(text) {
			continue
		}
		if p.in(text[from : from+len(p.Text)]) {
			dst = append(dst, pl.phrase)
		}
	}
	return dst
}

// in compares with a piece of text of the same length.
func (p *Phrase) in(text []byte) bool {
	if !p.Fold {
		return string(text) == p.Text
	}
	for i, c := range text {
		if lowerASCII(c) != lowerASCII(p.Text[i]) {
			return false
		}
	}
	return true
}

func lowerASCII(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// Contains is the plain search that [Phrases] is held to.
func (p Phrase) Contains(text []byte) bool {
	if !p.Fold {
		return bytes.Contains(text, []byte(p.Text))
	}
	for i := 0; i+len(p.Text) <= len(text); i++ {
		if p.in(text[i : i+len(p.Text)]) {
			return true
		}
	}
	return false
}
