package advisory

import (
	"net/url"
	"strings"

	"callhome"
)

// Range is a set of versions: what a notice says about which versions it concerns.
type Range struct {
	Text   string // as the notice has it
	scheme Scheme // of a `vers:` range; "" otherwise: the device's own
	all    bool
	not    []string // vers: versions that are left out
	spans  []span
}

// span is an interval of versions. An end that is "" is open.
type span struct {
	branch      string // only versions that begin with these numbers: "21.4" of "21.4 versions prior to 21.4R3-S5"
	branchIsAll bool   // the branch alone says it
	low, high   string
	lowIn, upIn bool // the ends belong to it
	upBranch    bool // the upper end is a branch, all of which belongs to it: "17.6 and earlier"
	exact       string
	exactBranch bool // exact may also be the beginning of a version
	all         bool
}

// Truth is the answer to a question that may have none. The zero value is unknown.
type Truth int8

// The three answers.
const (
	Unknown Truth = 0
	No      Truth = -1
	Yes     Truth = 1
)

// InRange tells whether a version of a personality (or platform, or scheme) lies in a range in the words of ParseRange.
// known is false when that cannot be said: the range or the version is not understood, or they cannot be compared.
func InRange(personality, version, text string) (in, known bool) {
	r, err := ParseRange(text)
	if err != nil {
		return false, false
	}
	t := r.Holds(personality, version)
	return t == Yes, t != Unknown
}

// Bounds on what strangers write as a range.
const (
	maxRange = 16 << 10 // bytes; the longest lists of exact versions seen in public files are some KiB
	maxSpans = 2000
)

// ParseRange reads a range of versions:
//
//	vers:ios/>=15.2(4)M|<15.2(4)M8     a version range specifier; signs may be percent-encoded
//	< 9.16(4), >= 9.16(2)              comparisons; all of one clause must hold
//	prior to 9.16(4); before; earlier than; up to; 9.16(3) and earlier; 7.5.2 and later
//	9.16(1) through 9.16(3); from 7.3.1 to 7.5.2; 7.3.1 - 7.5.2
//	21.4 versions prior to 21.4R3-S5   limited to a branch; "all versions prior to" is not
//	17.3, 17.3.x, 17.3.*, 17.3 train   all versions that begin so; a whole version means itself alone
//	all versions, *
//
// Clauses are separated by ";", "," or "or": one of them must hold, except comparisons in signs joined by a comma.
// The error is of kind invalid and quotes the clause that was not understood.
func ParseRange(text string) (Range, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return Range{}, callhome.Errorf(callhome.KindInvalid, "no version range")
	case len(text) > maxRange:
		return Range{}, callhome.Errorf(callhome.KindInvalid, "version range of %d bytes; at most %d are read", len(text), maxRange)
	case strings.HasPrefix(text, "vers:"):
		return parseVers(text)
	}
	r := Range{Text: text}
	for _, clause := range clausesOf(text) {
		s, ok := parseClause(clause)
		if !ok {
			return Range{}, callhome.Errorf(callhome.KindInvalid, "version range: %q is not understood; write it as in \"vers:ios/>=15.2(4)M|<15.2(4)M8\" or \"prior to 9.16(4)\"", clause)
		}
		r.all = r.all || s.all
		r.spans = append(r.spans, s)
	}
	if len(r.spans) == 0 || len(r.spans) > maxSpans {
		return Range{}, callhome.Errorf(callhome.KindInvalid, "version range of %d clauses; 1 to %d are read", len(r.spans), maxSpans)
	}
	return r, nil
}

// parseVers reads a version range specifier: constraints in ascending order of their versions.
func parseVers(text string) (Range, error) {
	bad := func(why string) (Range, error) {
		return Range{}, callhome.Errorf(callhome.KindInvalid, "version range %q: %s", text, why)
	}
	word, list, ok := strings.Cut(strings.TrimPrefix(text, "vers:"), "/")
	if !ok || word == "" || strings.TrimSpace(list) == "" {
		return bad("write vers:SCHEME/CONSTRAINT|CONSTRAINT")
	}
	r := Range{Text: text}
	r.scheme, ok = SchemeOf(word)
	if !ok && !strings.EqualFold(word, "all") {
		return bad("the scheme " + word + " is not known")
	}
	var open *span // a lower end that waits for its upper one
	for _, c := range strings.Split(list, "|") {
		c = strings.TrimSpace(c)
		if plain, err := url.PathUnescape(c); err == nil {
			c = plain
		}
		if c == "*" {
			r.all = true
			continue
		}
		sign, version := cutSign(c)
		if version == "" || len(r.spans) >= maxSpans {
			return bad("a constraint without a version, or too many of them")
		}
		switch sign {
		case "!=":
			r.not = append(r.not, version)
		case "", "=":
			r.spans = append(r.spans, span{exact: version})
		case ">", ">=":
			if open != nil {
				return bad("two lower ends follow each other")
			}
			open = &span{low: version, lowIn: sign == ">="}
		default:
			if open == nil {
				if len(r.spans) > 0 && r.spans[len(r.spans)-1].exact == "" {
					return bad("two upper ends follow each other")
				}
				open = &span{}
			}
			open.high, open.upIn = version, sign == "<="
			r.spans, open = append(r.spans, *open), nil
		}
	}
	if open != nil {
		r.spans = append(r.spans, *open)
	}
	if len(r.spans) == 0 && len(r.not) > 0 {
		r.all = true
	}
	return r, nil
}

// cutSign takes the comparison off the front of a constraint.
func cutSign(s string) (sign, rest string) {
	s = strings.TrimSpace(s)
	for _, w := range []struct{ sign, means string }{{"<=", "<="}, {">=", ">="}, {"!=", "!="}, {"≤", "<="}, {"≥", ">="}, {"==", "="}, {"<", "<"}, {">", ">"}, {"=", "="}} {
		if rest, ok := strings.CutPrefix(s, w.sign); ok {
			return w.means, strings.TrimSpace(rest)
		}
	}
	return "", s
}

// Holds answers whether a version lies in the range.
func (r Range) Holds(personality, version string) Truth {
	scheme := r.scheme
	if scheme == "" {
		var ok bool
		if scheme, ok = SchemeOf(personality); !ok {
			return r.holdsAll()
		}
	}
	version = cleanVersion(version)
	if version == "" {
		return r.holdsAll()
	}
	for _, n := range r.not {
		if order, ok := CompareVersions(string(scheme), version, n); !ok {
			return Unknown
		} else if order == 0 {
			return No
		}
	}
	if r.all {
		return Yes
	}
	answer := No
	for _, s := range r.spans {
		answer = or(answer, s.holds(scheme, version))
		if answer == Yes {
			return Yes
		}
	}
	return answer
}

// holdsAll is the answer for a version that is not known.
func (r Range) holdsAll() Truth {
	if r.all && len(r.not) == 0 {
		return Yes
	}
	return Unknown
}

func (s span) holds(scheme Scheme, version string) Truth {
	answer := Yes
	if s.branch != "" {
		answer = inBranch(scheme, version, s.branch)
	}
	if answer == No || s.branchIsAll {
		return answer
	}
	if s.exact != "" {
		return and(answer, s.holdsExact(scheme, version))
	}
	if otherLine(scheme, version, s.low, s.high) {
		return No
	}
	if s.low != "" {
		answer = and(answer, compareTruth(scheme, version, s.low, func(order int) bool { return order > 0 || order == 0 && s.lowIn }))
	}
	if s.high != "" && !(s.upBranch && inBranch(scheme, version, s.high) == Yes) {
		answer = and(answer, compareTruth(scheme, version, s.high, func(order int) bool { return order < 0 || order == 0 && s.upIn }))
	}
	return answer
}

func (s span) holdsExact(scheme Scheme, version string) Truth {
	if s.exactBranch && !readable(scheme, s.exact) {
		return inBranch(scheme, version, s.exact)
	}
	same := compareTruth(scheme, version, s.exact, func(order int) bool { return order == 0 })
	if same == Unknown && readable(scheme, version) && readable(scheme, s.exact) {
		same = No // of another line, and so another version
	}
	if same == Yes || !s.exactBranch {
		return same
	}
	return or(same, inBranch(scheme, version, s.exact))
}

func compareTruth(scheme Scheme, version, end string, holds func(order int) bool) Truth {
	order, ok := CompareVersions(string(scheme), version, end)
	switch {
	case !ok:
		return Unknown
	case holds(order):
		return Yes
	}
	return No
}

func readable(scheme Scheme, version string) bool {
	_, ok := readers[scheme](cleanVersion(version))
	return ok
}

// otherLine reports whether a version cannot lie between two ends because both are of one train and it is of another
// one that has no order with it.
func otherLine(scheme Scheme, version, low, high string) bool {
	if _, whole := wholeOrders[scheme]; whole || low == "" || high == "" {
		return false
	}
	read := readers[scheme]
	l, okl := read(cleanVersion(low))
	h, okh := read(cleanVersion(high))
	v, okv := read(version)
	if !okl || !okh || !okv || l.line != h.line || l.scheme != h.scheme {
		return false
	}
	return v.scheme != l.scheme || v.line != l.line
}

// inBranch tells whether a version begins with the numbers (and letters) of a branch.
func inBranch(scheme Scheme, version, branch string) Truth {
	branch = cleanVersion(branch)
	v, ok := readers[scheme](cleanVersion(version))
	if !ok {
		return Unknown
	}
	numbers := leading(branch)
	if len(numbers) == 0 {
		return Unknown
	}
	for i, n := range numbers {
		if i >= len(v.parts) || v.parts[i].n != n.n {
			return No
		}
	}
	switch tail := strings.TrimLeft(branch, "0123456789."); {
	case tail == "" || tail == v.line || tail == v.flavor: // 12.2SXI, 15.2M
		return Yes
	case formTrain.MatchString(tail):
		return No
	}
	return Unknown
}

// and is Yes when both are, No when one is No.
func and(a, b Truth) Truth {
	switch {
	case a == No || b == No:
		return No
	case a == Yes && b == Yes:
		return Yes
	}
	return Unknown
}

// or is Yes when one is, No when both are.
func or(a, b Truth) Truth {
	switch {
	case a == Yes || b == Yes:
		return Yes
	case a == No && b == No:
		return No
	}
	return Unknown
}
