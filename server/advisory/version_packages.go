package advisory

import (
	"cmp"
	"strings"
)

// wholeOrders compare versions of package managers, which are not taken apart beforehand: number.line holds them whole.
var wholeOrders = map[Scheme]func(a, b string) int{
	SchemeDebian: compareDebian, SchemeRPM: compareRPM, SchemeSemver: compareSemver,
}

// readWhole takes any version that begins as its scheme demands.
func readWhole(scheme Scheme) reader {
	return func(s string) (number, bool) {
		if s == "" || s[0] < '0' || s[0] > '9' || strings.ContainsFunc(s, notOfVersion) {
			return number{}, false
		}
		if scheme == SchemeSemver {
			core, _, _ := strings.Cut(strings.SplitN(s, "+", 2)[0], "-")
			if !formDotted.MatchString(core) {
				return number{}, false
			}
		}
		return number{scheme: scheme, line: s, parts: leading(s)}, true
	}
}

// notOfVersion finds what stands in no package version: letters, digits and . + - ~ : _ ^ do.
func notOfVersion(r rune) bool {
	return !(r >= '0' && r <= '9' || r|0x20 >= 'a' && r|0x20 <= 'z' || strings.ContainsRune(".+-~:_^", r))
}

// leading are the dotted numbers a version begins with; branches are told by them.
func leading(s string) []part {
	var parts []part
	for _, w := range strings.Split(s, ".") {
		end := 0
		for end < len(w) && end < 9 && w[end] >= '0' && w[end] <= '9' {
			end++
		}
		if end == 0 {
			break
		}
		parts = append(parts, part{n: atoi(w[:end])})
		if end < len(w) {
			break
		}
	}
	return parts
}

// compareDebian orders by epoch, version and revision, as deb-version(7) says.
func compareDebian(a, b string) int {
	ea, a := epoch(a)
	eb, b := epoch(b)
	if c := cmp.Compare(ea, eb); c != 0 {
		return c
	}
	ua, ra := revision(a)
	ub, rb := revision(b)
	if c := compareRuns(ua, ub, debianWeight); c != 0 {
		return c
	}
	return compareRuns(ra, rb, debianWeight)
}

func epoch(s string) (uint64, string) {
	if head, rest, ok := strings.Cut(s, ":"); ok && len(head) < 10 && formDotted.MatchString(head) {
		return atoi(head), rest
	}
	return 0, s
}

// revision splits at the last dash.
func revision(s string) (version, rev string) {
	if i := strings.LastIndexByte(s, '-'); i >= 0 {
		return s[:i], s[i+1:]
	}
	return s, ""
}

// debianWeight orders bytes: a tilde before the end, letters before other signs.
func debianWeight(s string, i int) int {
	switch {
	case i >= len(s) || s[i] >= '0' && s[i] <= '9':
		return 0
	case s[i] == '~':
		return -1
	case s[i]|0x20 >= 'a' && s[i]|0x20 <= 'z':
		return int(s[i])
	}
	return int(s[i]) + 256
}

// compareRuns compares runs of other signs by weight and runs of digits as numbers, in turn.
func compareRuns(a, b string, weight func(string, int) int) int {
	for i, j := 0, 0; i < len(a) || j < len(b); {
		for i < len(a) && !digit(a[i]) || j < len(b) && !digit(b[j]) {
			if c := cmp.Compare(weight(a, i), weight(b, j)); c != 0 {
				return c
			}
			i, j = min(i+1, len(a)), min(j+1, len(b))
		}
		na, ni := digits(a, i)
		nb, nj := digits(b, j)
		if c := compareDigits(na, nb); c != 0 {
			return c
		}
		i, j = ni, nj
	}
	return 0
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// digits is the run of digits at i without leading zeros, and where it ends.
func digits(s string, i int) (run string, end int) {
	i = min(i, len(s))
	for end = i; end < len(s) && digit(s[end]); end++ {
	}
	return strings.TrimLeft(s[i:end], "0"), end
}

// compareDigits compares numbers of any length without leading zeros.
func compareDigits(a, b string) int {
	if c := cmp.Compare(len(a), len(b)); c != 0 {
		return c
	}
	return strings.Compare(a, b)
}

// compareRPM orders by epoch, version and release, after the rules of rpmvercmp: separators only separate, digits are
// newer than letters, a tilde sorts before the end and a caret after it.
func compareRPM(a, b string) int {
	ea, a := epoch(a)
	eb, b := epoch(b)
	if c := cmp.Compare(ea, eb); c != 0 {
		return c
	}
	va, ra := revision(a)
	vb, rb := revision(b)
	if c := compareSegments(va, vb); c != 0 || ra == "" || rb == "" {
		return c
	}
	return compareSegments(ra, rb)
}

func compareSegments(a, b string) int {
	for {
		a, b = strings.TrimLeft(a, ".+-_:"), strings.TrimLeft(b, ".+-_:")
		for _, mark := range []struct {
			sign  string
			order int
		}{{"~", -1}, {"^", 1}} {
			ha, hb := strings.HasPrefix(a, mark.sign), strings.HasPrefix(b, mark.sign)
			switch {
			case ha && hb:
				return compareSegments(a[1:], b[1:])
			case ha && (mark.order < 0 || b == ""):
				return mark.order
			case hb && (mark.order < 0 || a == ""):
				return -mark.order
			case ha:
				return -1
			case hb:
				return 1
			}
		}
		if a == "" || b == "" {
			return cmp.Compare(len(a), len(b))
		}
		sa, resta := segment(a)
		sb, restb := segment(b)
		if c := compareSegment(sa, sb); c != 0 {
			return c
		}
		a, b = resta, restb
	}
}

func segment(s string) (head, rest string) {
	number := digit(s[0])
	i := 1
	for i < len(s) && digit(s[i]) == number && !strings.ContainsRune(".+-_:~^", rune(s[i])) {
		i++
	}
	return s[:i], s[i:]
}

func compareSegment(a, b string) int {
	if na, nb := digit(a[0]), digit(b[0]); na != nb {
		if na {
			return 1
		}
		return -1
	}
	if digit(a[0]) {
		return compareDigits(strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0"))
	}
	return strings.Compare(a, b)
}

// compareSemver orders as semver.org section 11 says; fewer than three numbers are filled with zeros.
func compareSemver(a, b string) int {
	a, _, _ = strings.Cut(a, "+")
	b, _, _ = strings.Cut(b, "+")
	ca, pa, _ := strings.Cut(a, "-")
	cb, pb, _ := strings.Cut(b, "-")
	if c, _ := compareParts(number{parts: nums(strings.Split(ca, ".")...)}, number{parts: nums(strings.Split(cb, ".")...)}); c != 0 {
		return c
	}
	if pa == "" || pb == "" {
		return cmp.Compare(len(pb), len(pa)) // a release follows its candidates
	}
	return comparePrerelease(strings.Split(pa, "."), strings.Split(pb, "."))
}

func comparePrerelease(a, b []string) int {
	for i := range min(len(a), len(b)) {
		na, nb := formDotted.MatchString(a[i]), formDotted.MatchString(b[i])
		c := strings.Compare(a[i], b[i])
		switch {
		case na && nb:
			c = compareDigits(strings.TrimLeft(a[i], "0"), strings.TrimLeft(b[i], "0"))
		case na:
			c = -1
		case nb:
			c = 1
		}
		if c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b))
}
