package classify

import (
	"encoding/binary"
	"slices"

	"callhome/codec/syslog"
	"callhome/personality"
)

// table is the index over one personality's rows.
type table struct {
	owner *personality.Personality

	numbers numbers

	mnemonics  filter            // of the keys of cores
	cores      map[string][]rule // by mnemonic
	facilities map[string][]rule // rows for any mnemonic

	carriers []carrier         // lines that name an alert
	names    map[string][]rule // by that name

	programNames filter
	programs     map[string]*group
	anyProgram   *group
}

// rule is a row, ready for use.
type rule struct {
	row      *personality.Row
	name     string
	facility string
	phrases  [][]byte
	hint     personality.Hint
}

// carrier is a kind of line that names an alert.
type carrier struct {
	hash     uint32
	mnemonic string
	after    []byte
}

// newTable indexes rows, which the tests of package personality keep well-formed.
func newTable(p *personality.Personality) table {
	t := table{
		owner: p, cores: map[string][]rule{}, facilities: map[string][]rule{}, names: map[string][]rule{},
		programs: map[string]*group{},
	}
	for i := range p.Rows {
		t.add(&p.Rows[i])
	}
	for _, n := range p.Named {
		if k, err := personality.ParseKey(n.On); err == nil {
			h := hash([]byte(k.Mnemonic))
			t.carriers = append(t.carriers, carrier{hash: h, mnemonic: k.Mnemonic, after: []byte(n.After)})
			t.mnemonics.add(h)
			if t.cores[k.Mnemonic] == nil {
				t.cores[k.Mnemonic] = []rule{} // there, so that the name is looked at
			}
		}
	}
	for _, g := range t.programs {
		g.prepare()
	}
	if t.anyProgram != nil {
		t.anyProgram.prepare()
	}
	t.numbers.prepare()
	return t
}

func (t *table) add(row *personality.Row) {
	k, err := personality.ParseKey(row.On)
	if err != nil {
		return
	}
	r := rule{row: row, name: row.Rule(), facility: k.Facility, hint: personality.ParseHint(row.Object)}
	for _, p := range row.Phrases() {
		r.phrases = append(r.phrases, []byte(p))
	}
	switch k.Kind {
	case personality.KeyName:
		t.names[k.Name] = append(t.names[k.Name], r)
	case personality.KeyNumber:
		t.numbers.add(k.Min, k.Max, r)
	case personality.KeyCore:
		if k.Mnemonic == "*" {
			t.facilities[k.Facility] = append(t.facilities[k.Facility], r)
			return
		}
		t.mnemonics.add(hash([]byte(k.Mnemonic)))
		t.cores[k.Mnemonic] = append(t.cores[k.Mnemonic], r)
	case personality.KeyProgram:
		t.program(k.Name).rules = append(t.program(k.Name).rules, r)
	}
}

func (t *table) program(name string) *group {
	if name == "*" {
		if t.anyProgram == nil {
			t.anyProgram = &group{}
		}
		return t.anyProgram
	}
	t.programNames.add(hash([]byte(name)))
	if t.programs[name] == nil {
		t.programs[name] = &group{}
	}
	return t.programs[name]
}

// filter says quickly that a key is not in a map: most lines are none we know.
type filter [64]uint64

func (f *filter) add(h uint32)      { f[h>>6&63] |= 1 << (h & 63) }
func (f *filter) has(h uint32) bool { return f[h>>6&63]&(1<<(h&63)) != 0 }

// hash mixes length, first and last bytes of a short name.
func hash(b []byte) uint32 {
	var x uint64
	if len(b) >= 8 {
		x = binary.LittleEndian.Uint64(b) ^ binary.LittleEndian.Uint64(b[len(b)-8:])<<1
	} else {
		for _, c := range b {
			x = x<<8 | uint64(c)
		}
	}
	return uint32((x ^ uint64(len(b))) * 0x9E3779B97F4A7C15 >> 40)
}

// numbers indexes message numbers and ranges of them: single numbers are what the ranges of the tables are made of.
type numbers struct {
	ranges []numberRange // sorted; built by prepare into at
	seen   filter
	at     map[uint32][]rule
}

type numberRange struct {
	min, max uint32
	rule     rule
}

func (n *numbers) any() bool { return len(n.at) > 0 }

func (n *numbers) add(lo, hi uint32, r rule) {
	n.ranges = append(n.ranges, numberRange{lo, hi, r})
}

// prepare spreads the ranges out; rows of single numbers go before rows of ranges, as they are more exact.
func (n *numbers) prepare() {
	slices.SortStableFunc(n.ranges, func(a, b numberRange) int { return int(a.max-a.min) - int(b.max-b.min) })
	n.at = make(map[uint32][]rule, len(n.ranges))
	for _, r := range n.ranges {
		for i := r.min; i <= r.max; i++ {
			n.at[i] = append(n.at[i], r.rule)
			n.seen.add(hashNumber(i))
		}
	}
	n.ranges = nil
}

func (n *numbers) get(i uint32) []rule {
	if !n.seen.has(hashNumber(i)) {
		return nil
	}
	return n.at[i]
}

func hashNumber(i uint32) uint32 { return i * 0x9E3779B1 >> 12 }

// group are the rows of one program.
type group struct {
	rules   []rule
	phrases *personality.Phrases
	owner   []int32 // of a phrase: its rule
	plain   int     // first rule that the search cannot help with; len(rules) if none
}

// searched is the number of rules from which one search for all phrases is cheaper than looking for each.
const searched = 4

// prepare builds the search over one phrase of every rule, its longest.
func (g *group) prepare() {
	g.plain = len(g.rules)
	if len(g.rules) < searched {
		g.plain = 0
		return
	}
	var phrases []personality.Phrase
	for i := range g.rules {
		longest := longest(g.rules[i].phrases)
		if len(longest) < personality.MinPhrase {
			g.plain = min(g.plain, i)
			continue
		}
		phrases = append(phrases, personality.Phrase{Text: string(longest)})
		g.owner = append(g.owner, int32(i))
	}
	g.phrases = personality.NewPhrases(phrases)
}

func longest(phrases [][]byte) []byte {
	var best []byte
	for _, p := range phrases {
		if len(p) > len(best) {
			best = p
		}
	}
	return best
}

// first is the first rule that holds.
func (g *group) first(l *syslog.Line) *rule {
	best := int32(len(g.rules))
	if g.phrases != nil {
		var buf [32]int32
		hits := g.phrases.Append(buf[:0], l.Text)
		if len(l.ParamRegion) > 0 {
			hits = g.phrases.Append(hits, l.ParamRegion)
		}
		for _, h := range hits {
			if i := g.owner[h]; i < best && g.rules[i].holds(l) {
				best = i
			}
		}
	}
	for i := g.plain; i < int(best); i++ {
		if (g.phrases == nil || len(longest(g.rules[i].phrases)) < personality.MinPhrase) && g.rules[i].holds(l) {
			best = int32(i)
		}
	}
	if int(best) == len(g.rules) {
		return nil
	}
	return &g.rules[best]
}
