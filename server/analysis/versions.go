package analysis

import (
	"strings"
)

// VersionMatcher says whether a version lies within a constraint such as ">=15.2 <16". ok is false where the version or
// the constraint cannot be read; a rule then does not hold. The advisory room has a comparator for each maker.
type VersionMatcher func(platform, version, constraint string) (within, ok bool)

// PlainVersions compares numbers with numbers and letters with letters, part by part, as most makers count.
func PlainVersions(_, version, constraint string) (within, ok bool) {
	parts := versionParts(version)
	if len(parts) == 0 {
		return false, false
	}
	terms := strings.FieldsFunc(constraint, func(r rune) bool { return r == ' ' || r == ',' })
	for _, term := range terms {
		op := term[:len(term)-len(strings.TrimLeft(term, "<>=!"))]
		bound := versionParts(term[len(op):])
		if len(bound) == 0 || !isAlnum(term[len(op)]) {
			return false, false
		}
		c := compareParts(parts, bound)
		holds := false
		switch op {
		case "<":
			holds = c < 0
		case "<=":
			holds = c <= 0
		case ">":
			holds = c > 0
		case ">=":
			holds = c >= 0
		case "", "=", "==":
			holds = c == 0
		case "!=":
			holds = c != 0
		default:
			return false, false
		}
		if !holds {
			return false, true
		}
	}
	return len(terms) > 0, len(terms) > 0
}

// versionParts are the runs of digits and of letters of a version that begins with a digit somewhere.
func versionParts(s string) []string {
	i := strings.IndexAny(s, "0123456789")
	if i < 0 {
		return nil
	}
	var out []string
	for s = s[i:]; s != ""; {
		n := leading(s, func(c byte) bool { return c >= '0' && c <= '9' })
		if n == "" {
			n = leading(s, func(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' })
		}
		if n == "" {
			s = s[1:]
			continue
		}
		out = append(out, n)
		s = s[len(n):]
	}
	return out
}

func compareParts(a, b []string) int {
	for i := range max(len(a), len(b)) {
		switch {
		case i >= len(a):
			return -1
		case i >= len(b):
			return 1
		}
		if c := comparePart(a[i], b[i]); c != 0 {
			return c
		}
	}
	return 0
}

func comparePart(a, b string) int {
	digits := func(s string) bool { return s[0] >= '0' && s[0] <= '9' }
	if digits(a) && digits(b) {
		a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
		if len(a) != len(b) {
			return len(a) - len(b)
		}
	}
	return strings.Compare(strings.ToLower(a), strings.ToLower(b))
}
