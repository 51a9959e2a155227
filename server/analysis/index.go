package analysis

import (
	"strings"
	"sync"

	"callhome"
	"callhome/personality"
)

// index finds the rules that a message may concern. Every rule is filed once for each of its keys, or else once under the
// most exact thing it asks for.
type index struct {
	mnemonics  map[string][]coreEntry // %FAC-MNEM and %*-MNEM
	facilities map[string][]*compiled // %FAC-*
	numbers    map[uint32][]*compiled
	ranges     []rangeEntry
	programs   map[string][]*compiled
	anyProgram []*compiled
	alerts     map[string][]*compiled
	events     map[string][]*compiled

	byCommand []*compiled // rules that read the output of commands
	commands  commandMemo
	inventory []*compiled
	config    []*compiled
	silence   []*compiled
	byGroup   map[callhome.AlertGroup][]*compiled
	rest      []*compiled // of given types, in any group
}

type coreEntry struct {
	facility string // "*" any
	rule     *compiled
}

type rangeEntry struct {
	min, max uint32
	rule     *compiled
}

// commandMemo remembers which rules read a command. Devices send the same few names again and again; a hostile one that
// sends others only makes us look at all rules again.
type commandMemo struct {
	mu    sync.RWMutex
	rules map[string][]*compiled
}

const maxMemo = 4096

// rangeExpansion is the widest range of message numbers that is filed number by number.
const rangeExpansion = 64

func newIndex(rules []*compiled) *index {
	x := &index{
		mnemonics: map[string][]coreEntry{}, facilities: map[string][]*compiled{}, numbers: map[uint32][]*compiled{},
		programs: map[string][]*compiled{}, alerts: map[string][]*compiled{}, events: map[string][]*compiled{},
		byGroup: map[callhome.AlertGroup][]*compiled{}, commands: commandMemo{rules: map[string][]*compiled{}},
	}
	for _, c := range rules {
		x.file(c)
	}
	return x
}

func (x *index) file(c *compiled) {
	for _, k := range c.keys {
		x.fileKey(c, k)
	}
	for _, e := range c.events {
		x.events[e] = append(x.events[e], c)
	}
	switch m := &c.Match; {
	case len(m.On) > 0:
	case m.Silence != nil:
		x.silence = append(x.silence, c)
	case m.Inventory != nil:
		x.inventory = append(x.inventory, c)
	case m.Config != nil:
		x.config = append(x.config, c)
	case len(c.attachments) > 0:
		x.byCommand = append(x.byCommand, c)
	case len(m.Groups) > 0:
		for _, g := range m.Groups {
			x.byGroup[g] = append(x.byGroup[g], c)
		}
	default:
		x.rest = append(x.rest, c)
	}
}

func (x *index) fileKey(c *compiled, k personality.Key) {
	switch k.Kind {
	case personality.KeyName:
		x.alerts[k.Name] = append(x.alerts[k.Name], c)
	case personality.KeyNumber:
		if k.Max-k.Min > rangeExpansion {
			x.ranges = append(x.ranges, rangeEntry{k.Min, k.Max, c})
			return
		}
		for n := k.Min; n <= k.Max; n++ {
			x.numbers[n] = append(x.numbers[n], c)
		}
	case personality.KeyCore:
		if k.Mnemonic == "*" {
			x.facilities[k.Facility] = append(x.facilities[k.Facility], c)
			return
		}
		x.mnemonics[k.Mnemonic] = append(x.mnemonics[k.Mnemonic], coreEntry{k.Facility, c})
	case personality.KeyProgram:
		if k.Name == "*" {
			x.anyProgram = append(x.anyProgram, c)
			return
		}
		x.programs[k.Name] = append(x.programs[k.Name], c)
	}
}

// each calls f with every rule that f's facts may concern; a rule may come more than once.
func (x *index) each(f *facts, do func(*compiled)) {
	all := func(rules []*compiled) {
		for _, c := range rules {
			do(c)
		}
	}
	x.eachOfLine(f, do, all)
	if f.s.Silence != nil {
		all(x.silence)
	}
	if len(f.s.InventoryChanges) > 0 {
		all(x.inventory)
	}
	if len(f.s.ConfigChanges) > 0 {
		all(x.config)
	}
	for i := range f.m.Attachments {
		all(x.forCommand(f.m.Attachments[i].Name))
	}
	if f.s.Message != nil {
		all(x.byGroup[f.group])
		all(x.rest)
	}
}

func (x *index) eachOfLine(f *facts, do func(*compiled), all func([]*compiled)) {
	if f.mnemonic != "" {
		for _, e := range x.mnemonics[f.mnemonic] {
			if e.facility == "*" || facilityIs(f.facility, e.facility) {
				do(e.rule)
			}
		}
		all(x.facilities[f.facility])
		if main, _, ok := strings.Cut(f.facility, "-"); ok {
			all(x.facilities[main])
		}
	}
	if f.number > 0 {
		all(x.numbers[f.number])
		for _, r := range x.ranges {
			if r.min <= f.number && f.number <= r.max {
				do(r.rule)
			}
		}
	}
	if f.program != "" {
		all(x.programs[f.program])
		all(x.anyProgram)
	}
	if f.alert != "" {
		all(x.alerts[f.alert])
	}
	if f.event != "" {
		all(x.events[f.event])
	}
}

// facilityIs reports whether a line's facility is the wanted one, or that with a subfacility: SYS-SP is SYS.
func facilityIs(have, want string) bool {
	return have == want || len(have) > len(want) && have[len(want)] == '-' && have[:len(want)] == want
}

// forCommand gives the rules that read a command's output in their first attachment.
func (x *index) forCommand(name string) []*compiled {
	if len(x.byCommand) == 0 {
		return nil
	}
	memo := &x.commands
	memo.mu.RLock()
	rules, ok := memo.rules[name]
	memo.mu.RUnlock()
	if ok {
		return rules
	}
	for _, c := range x.byCommand {
		if anyGlob(c.attachments[0].commands, name) {
			rules = append(rules, c)
		}
	}
	if len(name) <= maxTitle {
		memo.mu.Lock()
		if len(memo.rules) < maxMemo {
			memo.rules[strings.Clone(name)] = rules
		}
		memo.mu.Unlock()
	}
	return rules
}
