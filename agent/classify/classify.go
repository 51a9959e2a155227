package classify

import (
	"bytes"

	"callhome"
	"callhome/codec/syslog"
	"callhome/personality"
)

// Classifier holds the index of every personality's table. It never changes and may be used by several goroutines.
type Classifier struct {
	tables []table
}

// New builds the index. It takes about a millisecond; make one and keep it.
func New() *Classifier {
	all := personality.All()
	c := &Classifier{tables: make([]table, len(all))}
	for i, p := range all {
		c.tables[i] = newTable(p)
	}
	return c
}

// Classify judges a line by a platform's table; p nil stands for the platform that logs like this line. A line that no
// row knows is plain syslog with the level of its severity. The verdict's object aliases the line. Nothing is allocated.
func (c *Classifier) Classify(l *syslog.Line, p *personality.Personality) personality.Verdict {
	if p == nil {
		p = personality.ForLine(l)
	}
	t := c.table(p)
	r := t.find(l)
	if r == nil {
		return personality.Verdict{
			Group: callhome.GroupSyslog, Level: callhome.LevelFromSyslog(int(l.Severity)), State: l.EventState, Personality: p.Name,
		}
	}
	v := personality.Verdict{
		Group: r.row.Group, Level: r.row.Level, Type: r.row.Type, Subtype: r.row.Subtype, State: r.row.State,
		Object: r.hint.Find(l.Text, l.ParamRegion, l.Node), Rule: r.name, Personality: p.Name,
	}
	if v.Level == personality.FromSyslog {
		v.Level = callhome.LevelFromSyslog(int(l.Severity))
	}
	if v.State == callhome.StateNone && l.EventState != "" {
		v.State = l.EventState
	}
	return v
}

func (c *Classifier) table(p *personality.Personality) *table {
	for i := range c.tables {
		if c.tables[i].owner == p {
			return &c.tables[i]
		}
	}
	return &c.tables[len(c.tables)-1] // generic
}

// find is the first row that holds, the more exact keys first.
func (t *table) find(l *syslog.Line) *rule {
	if len(l.MessageID) > 0 && t.numbers.any() {
		if n, ok := number(l.MessageID); ok {
			if r := first(t.numbers.get(n), l); r != nil {
				return r
			}
		}
	}
	if len(l.Mnemonic) > 0 {
		if r := t.findCore(l); r != nil {
			return r
		}
	}
	if len(l.Program) > 0 && t.programNames.has(hash(l.Program)) {
		if g := t.programs[string(l.Program)]; g != nil {
			if r := g.first(l); r != nil {
				return r
			}
		}
	}
	if t.anyProgram != nil {
		return t.anyProgram.first(l)
	}
	return nil
}

// findCore looks a %FACILITY-n-MNEMONIC up: as it stands, without subfacilities, with any facility, with any mnemonic.
func (t *table) findCore(l *syslog.Line) *rule {
	h := hash(l.Mnemonic)
	if t.mnemonics.has(h) {
		if rows := t.cores[string(l.Mnemonic)]; rows != nil {
			if r := t.named(l, h); r != nil {
				return r
			}
			if r := firstCore(rows, l); r != nil {
				return r
			}
		}
	}
	if len(t.facilities) == 0 || len(l.CoreFacility) == 0 {
		return nil
	}
	if r := first(t.facilities[string(l.CoreFacility)], l); r != nil {
		return r
	}
	if main := mainFacility(l.CoreFacility); len(main) < len(l.CoreFacility) {
		return first(t.facilities[string(main)], l)
	}
	return nil
}

// named looks up the alert that a line carries by name.
func (t *table) named(l *syslog.Line, h uint32) *rule {
	for i := range t.carriers {
		k := &t.carriers[i]
		if k.hash != h || k.mnemonic != string(l.Mnemonic) {
			continue
		}
		name := nameAfter(l.Text, k.after)
		if name == nil {
			name = nameAfter(l.ParamRegion, k.after)
		}
		if name == nil {
			continue
		}
		if r := first(t.names[string(name)], l); r != nil {
			return r
		}
	}
	return nil
}

// nameAfter is the word after a mark: letters and digits.
func nameAfter(text, mark []byte) []byte {
	i := bytes.Index(text, mark)
	if i < 0 {
		return nil
	}
	rest := bytes.TrimLeft(text[i+len(mark):], " ")
	n := 0
	for n < len(rest) && (rest[n] >= '0' && rest[n] <= '9' || rest[n]|0x20 >= 'a' && rest[n]|0x20 <= 'z') {
		n++
	}
	return rest[:n]
}

// firstCore prefers a row that names the whole facility, then one that names its main part, then one for any.
func firstCore(rows []rule, l *syslog.Line) *rule {
	var byMain, byAny *rule
	main := mainFacility(l.CoreFacility)
	for i := range rows {
		r := &rows[i]
		switch {
		case r.facility == "*":
			if byAny == nil && r.holds(l) {
				byAny = r
			}
		case r.facility == string(l.CoreFacility):
			if r.holds(l) {
				return r
			}
		case byMain == nil && r.facility == string(main) && r.holds(l):
			byMain = r
		}
	}
	if byMain != nil {
		return byMain
	}
	return byAny
}

// first is the first row that holds.
func first(rows []rule, l *syslog.Line) *rule {
	for i := range rows {
		if rows[i].holds(l) {
			return &rows[i]
		}
	}
	return nil
}

// holds reports whether all phrases of the row occur in the text or in the parameters in front of it. The end is looked
// at first: "to down" mostly stands there.
func (r *rule) holds(l *syslog.Line) bool {
	for _, p := range r.phrases {
		if !bytes.HasSuffix(l.Text, p) && !bytes.Contains(l.Text, p) && (len(l.ParamRegion) == 0 || !bytes.Contains(l.ParamRegion, p)) {
			return false
		}
	}
	return true
}

func mainFacility(f []byte) []byte {
	if i := bytes.IndexByte(f, '-'); i >= 0 {
		return f[:i]
	}
	return f
}

// number reads a message number of at most nine digits.
func number(b []byte) (uint32, bool) {
	if len(b) == 0 || len(b) > 9 {
		return 0, false
	}
	var n uint32
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint32(c-'0')
	}
	return n, true
}
