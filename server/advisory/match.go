package advisory

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"callhome/secrets"
	"callhome/server/inventory"
)

// State is what a notice means for a device.
type State string

// The states. Applies to no product of the device is the empty state.
const (
	Affected    State = "affected"
	NotAffected State = "not-affected"
	Unsure      State = "unknown"
	NoConcern   State = "" // the device has none of the notice's products
)

// Evidence is one criterion of a notice held against a device.
type Evidence struct {
	Criterion string `json:"criterion"` // platform, product, part, serial, hw_version, version, configuration, name
	Wanted    string `json:"wanted"`    // as the notice has it
	Found     string `json:"found"`     // as the device has it, quoted; of configurations the line
	Where     string `json:"where,omitempty"`
	Answer    string `json:"answer"` // yes, no, unknown
}

// Text is the evidence in words.
func (e Evidence) Text() string {
	found := e.Found
	if found == "" {
		found = "nothing known"
	}
	where := ""
	if e.Where != "" {
		where = " in " + e.Where
	}
	return fmt.Sprintf("%s: %s wanted, %s found%s (%s)", e.Criterion, e.Wanted, found, where, e.Answer)
}

// Verdict is the answer for one vulnerability of a notice, or for the notice as a whole.
type Verdict struct {
	Vulnerability string     `json:"vulnerability,omitempty"`
	State         State      `json:"state"`
	Evidence      []Evidence `json:"evidence"`
}

// Result is the answer for a notice and a device.
type Result struct {
	State    State     `json:"state"`
	Verdicts []Verdict `json:"verdicts,omitempty"`
}

// Evidence is what decided: that of the first verdict with the state of the whole.
func (r Result) Evidence() []Evidence {
	for _, v := range r.Verdicts {
		if v.State == r.State {
			return v.Evidence
		}
	}
	return nil
}

// Match holds a notice against the facts of a device. Three answers are possible, and none is guessed: what is not known
// of the device, or cannot be compared, makes it unknown. An error comes from reading the configuration only.
func Match(n *Notice, f *Facts) (Result, error) { return newMemo().match(n, f) }

// memo keeps ranges and expressions while many devices or notices are gone through. It is for one goroutine.
type memo struct {
	ranges   map[string]*Range
	patterns map[string]*regexp.Regexp
}

func newMemo() *memo { return &memo{map[string]*Range{}, map[string]*regexp.Regexp{}} }

// maxMemo bounds each of the two maps; beyond it they begin anew.
const maxMemo = 10_000

// versions is a range, nil for one that is not understood.
func (m *memo) versions(text string) *Range {
	r, known := m.ranges[text]
	if !known {
		if len(m.ranges) >= maxMemo {
			clear(m.ranges)
		}
		if parsed, err := ParseRange(text); err == nil {
			r = &parsed
		}
		m.ranges[text] = r
	}
	return r
}

// pattern is an expression on configurations, nil for one that is none.
func (m *memo) pattern(text string) *regexp.Regexp {
	re, known := m.patterns[text]
	if !known {
		if len(m.patterns) >= maxMemo {
			clear(m.patterns)
		}
		re, _ = configPattern(text) // nil is the answer
		m.patterns[text] = re
	}
	return re
}

func (m *memo) match(n *Notice, f *Facts) (Result, error) {
	if n.Status == Withdrawn {
		return Result{State: NotAffected}, nil
	}
	by := map[string]*tallied{}
	var order []string
	for i := range n.Items {
		it := &n.Items[i]
		answer, evidence, err := it.match(f, m)
		if err != nil {
			return Result{}, err
		}
		t := by[it.Vulnerability]
		if t == nil {
			t = &tallied{}
			by[it.Vulnerability] = t
			order = append(order, it.Vulnerability)
		}
		t.add(it.Claim, answer, evidence)
	}
	if shared := by[""]; shared != nil && len(by) > 1 { // what is said of the whole holds for each vulnerability
		order = slices.DeleteFunc(order, func(v string) bool { return v == "" })
		for v, t := range by {
			if v != "" {
				t.join(shared)
			}
		}
	}
	var res Result
	for _, v := range order {
		verdict := by[v].verdict()
		if verdict.State == NoConcern {
			continue
		}
		verdict.Vulnerability = v
		res.Verdicts = append(res.Verdicts, verdict)
		res.State = worse(res.State, verdict.State)
	}
	return res, nil
}

// ranks order states: one affected vulnerability makes the device affected.
var ranks = map[State]int{NoConcern: 0, NotAffected: 1, Unsure: 2, Affected: 3}

func worse(a, b State) State {
	if ranks[b] > ranks[a] {
		return b
	}
	return a
}

// tallied gathers the items of one vulnerability.
type tallied struct {
	applies          bool // some item is about a product that the device has, or may have
	affected, spared Truth
	unsure           Truth
	began            bool
	evidence         map[Claim][]Evidence // of the strongest answer
	strength         map[Claim]Truth
}

func (t *tallied) add(claim Claim, answer itemAnswer, evidence []Evidence) {
	if !t.began {
		*t = tallied{began: true, affected: No, spared: No, unsure: No, evidence: map[Claim][]Evidence{}, strength: map[Claim]Truth{}}
	}
	if answer.product == No {
		return
	}
	t.applies = true
	switch claim {
	case ClaimAffected:
		t.affected = or(t.affected, answer.all)
	case ClaimNotAffected:
		t.spared = or(t.spared, answer.all)
	default:
		t.unsure = or(t.unsure, answer.all)
	}
	have, ok := t.strength[claim]
	if !ok || stronger(answer.all, have) || answer.all == have && held(evidence) > held(t.evidence[claim]) {
		t.strength[claim], t.evidence[claim] = answer.all, evidence
	}
}

// held counts the criteria that hold: of two items that fail, the one that came nearer tells more.
func held(evidence []Evidence) (n int) {
	for _, e := range evidence {
		if e.Answer == answerWords[Yes] {
			n++
		}
	}
	return n
}

// stronger prefers what holds to what may hold to what does not.
func stronger(a, b Truth) bool {
	weight := func(t Truth) int { return map[Truth]int{No: 0, Unknown: 1, Yes: 2}[t] }
	return weight(a) > weight(b)
}

func (t *tallied) join(o *tallied) {
	t.applies = t.applies || o.applies
	t.affected, t.spared, t.unsure = or(t.affected, o.affected), or(t.spared, o.spared), or(t.unsure, o.unsure)
	for claim, e := range o.evidence {
		if have, ok := t.strength[claim]; !ok || stronger(o.strength[claim], have) {
			t.strength[claim], t.evidence[claim] = o.strength[claim], e
		}
	}
}

func (t *tallied) verdict() Verdict {
	switch {
	case !t.applies:
		return Verdict{State: NoConcern}
	case t.affected == Yes && t.spared == Yes: // the notice says both
		return Verdict{State: Unsure, Evidence: append(slices.Clone(t.evidence[ClaimAffected]), t.evidence[ClaimNotAffected]...)}
	case t.affected == Yes:
		return Verdict{State: Affected, Evidence: t.evidence[ClaimAffected]}
	case t.spared == Yes:
		return Verdict{State: NotAffected, Evidence: t.evidence[ClaimNotAffected]}
	case t.unsure == Yes:
		return Verdict{State: Unsure, Evidence: t.evidence[ClaimUnsure]}
	case t.affected == Unknown:
		return Verdict{State: Unsure, Evidence: t.evidence[ClaimAffected]}
	}
	evidence := t.evidence[ClaimAffected]
	if evidence == nil {
		evidence = t.evidence[ClaimNotAffected]
	}
	return Verdict{State: NotAffected, Evidence: evidence}
}

// itemAnswer separates whether the device has the product from whether all of the item holds.
type itemAnswer struct{ product, all Truth }

// match holds an item against a device.
func (i *Item) match(f *Facts, m *memo) (itemAnswer, []Evidence, error) {
	var evidence []Evidence
	note := func(criterion, wanted, found, where string, t Truth) Truth {
		evidence = append(evidence, Evidence{Criterion: criterion, Wanted: clip(wanted), Found: clip(found), Where: where, Answer: answerWords[t]})
		return t
	}
	product := Yes
	if i.Platform != "" {
		t := Yes
		switch {
		case f.Platform == "":
			t = Unknown
		case !strings.EqualFold(f.Platform, i.Platform):
			t = No
		}
		product = and(product, note("platform", i.Platform, f.Platform, "", t))
	}
	if product == No {
		return itemAnswer{No, No}, nil, nil
	}
	hardware := Yes
	if i.hardware() {
		var applies Truth
		applies, hardware = i.matchUnits(f, m, note)
		product = and(product, applies)
	} else if i.Platform == "" {
		product = No
		if name := plainName(i.Name); name != "" && (name == plainName(f.Family) || name == plainName(f.Model)) {
			product = note("name", i.Name, strings.TrimSpace(f.Family+" "+f.Model), "", Yes)
		}
	}
	if product == No {
		return itemAnswer{No, No}, nil, nil
	}
	all := and(product, hardware)
	if i.Versions != "" {
		all = and(all, note("version", i.Versions, f.SWVersion, "", i.matchVersion(f, m)))
	}
	if all == No || len(i.Config) == 0 { // reading the configuration is the dear part
		return itemAnswer{product, all}, evidence, nil
	}
	for _, c := range i.Config {
		t, line, err := c.match(f, m)
		if err != nil {
			return itemAnswer{}, nil, err
		}
		wanted := c.Pattern
		if c.Absent {
			wanted = "no " + c.Pattern
		}
		all = and(all, note("configuration", wanted, line, "", t))
	}
	return itemAnswer{product, all}, evidence, nil
}

var answerWords = map[Truth]string{Yes: "yes", No: "no", Unknown: "unknown"}

// maxQuote bounds what is quoted of a notice or a configuration.
const maxQuote = 240

func clip(s string) string {
	if len(s) <= maxQuote {
		return s
	}
	return strings.ToValidUTF8(s[:maxQuote], "") + "…"
}

func (i *Item) matchVersion(f *Facts, m *memo) Truth {
	r := m.versions(i.Versions)
	if r == nil {
		return Unknown
	}
	platform := f.Platform
	if platform == "" {
		platform = i.Platform
	}
	return r.Holds(platform, f.SWVersion)
}

// matchUnits looks for one chassis or unit of which all hardware criteria hold. applies says whether there is one of the
// product at all.
func (i *Item) matchUnits(f *Facts, m *memo, note func(criterion, wanted, found, where string, t Truth) Truth) (applies, all Truth) {
	applies, all = No, No
	best := -1
	for n := range f.Units {
		u := &f.Units[n]
		of := anyPattern(i.Products, u.Product)
		if len(i.Products) == 0 {
			of = anyPattern(i.Parts, u.PartNo)
		}
		if len(i.Products)+len(i.Parts) == 0 {
			of = inSerials(i.Serials, u.Serial)
		}
		if of != Yes { // of a unit that does not say what it is nothing is said
			continue
		}
		whole := and(of, and(and(anyPattern(i.Parts, u.PartNo), inSerials(i.Serials, u.Serial)), i.matchHardware(u, m)))
		applies = or(applies, of)
		if best < 0 || stronger(whole, all) {
			all, best = whole, n
		}
	}
	if best < 0 {
		if f.Incomplete && len(i.Products) == 0 && len(i.Parts) > 0 {
			applies = Unknown // the part may be among the units that the device has not told of
			return applies, note("part", strings.Join(i.Parts, ", "), "", "", Unknown)
		}
		return No, No
	}
	i.noteUnit(&f.Units[best], m, note)
	return applies, all
}

func (i *Item) noteUnit(u *inventory.Unit, m *memo, note func(criterion, wanted, found, where string, t Truth) Truth) {
	where := "the chassis"
	if u.Slot != "" {
		where = "slot " + u.Slot
	}
	if len(i.Products) > 0 {
		note("product", strings.Join(i.Products, ", "), u.Product, where, anyPattern(i.Products, u.Product))
	}
	if len(i.Parts) > 0 {
		note("part", strings.Join(i.Parts, ", "), u.PartNo, where, anyPattern(i.Parts, u.PartNo))
	}
	if len(i.Serials) > 0 {
		var ranges []string
		for _, s := range i.Serials {
			ranges = append(ranges, strings.TrimSuffix(s.From+"-"+s.To, "-"))
		}
		note("serial", strings.Join(ranges, ", "), u.Serial, where, inSerials(i.Serials, u.Serial))
	}
	if i.HWVersions != "" {
		note("hw_version", i.HWVersions, u.HWVersion, where, i.matchHardware(u, m))
	}
}

func (i *Item) matchHardware(u *inventory.Unit, m *memo) Truth {
	if i.HWVersions == "" {
		return Yes
	}
	r := m.versions(i.HWVersions)
	if r == nil || u.HWVersion == "" {
		return Unknown
	}
	return r.Holds(string(SchemeDotted), u.HWVersion)
}

// anyPattern is Yes when no pattern is wanted or one fits; Unknown when the word is not known.
func anyPattern(patterns []string, word string) Truth {
	if len(patterns) == 0 {
		return Yes
	}
	if word == "" {
		if slices.Contains(patterns, "*") {
			return Yes
		}
		return Unknown
	}
	word = strings.ToLower(word)
	for _, p := range patterns {
		if fits(strings.ToLower(p), word) {
			return Yes
		}
	}
	return No
}

// fits compares a word with a pattern of * and ?; what path.Match takes for a class or an escape is taken literally.
func fits(pattern, word string) bool {
	if !strings.ContainsAny(pattern, "*?") {
		return pattern == word
	}
	pattern = literal.Replace(pattern)
	ok, err := path.Match(pattern, strings.ReplaceAll(word, "/", "\x00"))
	return err == nil && ok
}

var literal = strings.NewReplacer(`\`, `\\`, `[`, `\[`, `/`, "\x00")

// inSerials compares serial numbers of one length.
func inSerials(ranges []SerialRange, serial string) Truth {
	if len(ranges) == 0 {
		return Yes
	}
	if serial == "" {
		return Unknown
	}
	serial = strings.ToUpper(serial)
	for _, r := range ranges {
		from, to := strings.ToUpper(r.From), strings.ToUpper(r.To)
		if to == "" {
			to = from
		}
		if len(serial) == len(from) && serial >= from && serial <= to {
			return Yes
		}
	}
	return No
}

// match looks for a line of the configuration. The line is quoted without secrets.
func (c ConfigTest) match(f *Facts, m *memo) (t Truth, line string, err error) {
	if f.Config == nil {
		return Unknown, "", nil
	}
	text, err := f.Config()
	if err != nil || text == "" {
		return Unknown, "", err
	}
	re := m.pattern(c.Pattern)
	if re == nil {
		return Unknown, "", nil
	}
	at := re.FindStringIndex(text)
	switch {
	case at == nil && c.Absent:
		return Yes, "no such line", nil
	case at == nil:
		return No, "no such line", nil
	}
	from := strings.LastIndexByte(text[:at[0]], '\n') + 1
	to := len(text)
	if i := strings.IndexByte(text[at[0]:], '\n'); i >= 0 {
		to = at[0] + i
	}
	line = secrets.Mask(strings.TrimSpace(text[from:max(from, to)]))
	if c.Absent {
		return No, line, nil
	}
	return Yes, line, nil
}

func sortedKeys(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }
