package secrets

import "slices"

// Set is a set of rules by their index.
type Set [2]uint64

func (s Set) empty() bool { return s[0]|s[1] == 0 }

func (s Set) has(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }

func (s *Set) add(i int) { s[i/64] |= 1 << (i % 64) }

func (s Set) and(o Set) Set { return Set{s[0] & o[0], s[1] & o[1]} }

func (s Set) or(o Set) Set { return Set{s[0] | o[0], s[1] | o[1]} }

// filter finds the literals of all rules in one pass: an automaton after Aho and Corasick over bytes, blind to case. It
// makes the rules' expressions run only on lines that may concern them.
type filter struct {
	class   [256]uint8 // bytes that occur in no literal are class 0
	classes int
	next    []uint16 // by state*classes + class
	steps   []uint32 // the same for find: the place of the next state in here, shifted; the lowest bit says that it has hits
	hits    []Set    // by state
}

// newFilter builds the automaton; rows says which rules each literal belongs to.
func newFilter(literals map[string]Set) *filter {
	f := &filter{classes: 1}
	words := make([]string, 0, len(literals))
	for w := range literals {
		words = append(words, w)
	}
	slices.Sort(words)
	for _, w := range words {
		for i := range len(w) {
			f.addClass(w[i])
		}
	}
	fail := []uint16{0}
	f.grow()
	for _, w := range words {
		state := 0
		for i := range len(w) {
			at := state*f.classes + int(f.class[w[i]])
			if f.next[at] == 0 {
				f.next[at] = uint16(len(f.hits))
				f.grow()
				fail = append(fail, 0)
			}
			state = int(f.next[at])
		}
		f.hits[state] = f.hits[state].or(literals[w])
	}
	f.link(fail)
	return f
}

func (f *filter) addClass(c byte) {
	if f.class[c] != 0 {
		return
	}
	f.class[c] = uint8(f.classes)
	if c >= 'a' && c <= 'z' {
		f.class[c-'a'+'A'] = f.class[c]
	}
	f.classes++
}

func (f *filter) grow() {
	f.next = append(f.next, make([]uint16, f.classes)...)
	f.hits = append(f.hits, Set{})
}

// link makes every state know where to go on when the next byte does not fit, breadth first.
func (f *filter) link(fail []uint16) {
	queue := []int{0}
	for len(queue) > 0 {
		state := queue[0]
		queue = queue[1:]
		f.hits[state] = f.hits[state].or(f.hits[fail[state]])
		for c := range f.classes {
			to := f.next[state*f.classes+c]
			back := f.next[int(fail[state])*f.classes+c]
			switch {
			case to == 0:
				f.next[state*f.classes+c] = back
			default:
				if state != 0 {
					fail[to] = back
				}
				queue = append(queue, int(to))
			}
		}
	}
	f.steps = make([]uint32, len(f.next))
	for i, state := range f.next {
		f.steps[i] = uint32(int(state)*f.classes) << 1
		if !f.hits[state].empty() {
			f.steps[i] |= 1
		}
	}
}

// find calls line for every line of text that holds a literal of a rule in want, with the rules concerned. Lines come
// in order, with their bounds without the newline.
func (f *filter) find(text string, want Set, line func(from, to int, found Set)) {
	step, start := uint32(0), 0
	var found Set
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '\n' {
			if !found.empty() {
				line(start, i, found)
			}
			step, start, found = 0, i+1, Set{}
			continue
		}
		step = f.steps[step>>1+uint32(f.class[c])]
		if step&1 != 0 {
			found = found.or(f.hits[int(step>>1)/f.classes].and(want))
		}
	}
	if !found.empty() {
		line(start, len(text), found)
	}
}
