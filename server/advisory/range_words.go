package advisory

import (
	"regexp"
	"strings"
)

// ver is a version within a sentence: it begins with a digit, or a v before one.
const ver = `(v?\d[\w.()~+:^-]*)`

var (
	formTrain = regexp.MustCompile(`^[A-Z]{1,4}$`)

	wordAll       = regexp.MustCompile(`(?i)^(?:\*|all|any|all versions|any version|all releases|every version)$`)
	wordBranchAll = regexp.MustCompile(`(?i)^(?:all\s+)?` + ver + `(?:\.x|\.\*|\s+(?:train|branch|releases?|versions?|all versions))$`)
	wordBefore    = regexp.MustCompile(`(?i)^(?:(all)\s+|` + ver + `\s+)?(?:(?:versions?|releases?)\s+)?(?:prior\s+to|before|earlier\s+than|older\s+than|lower\s+than|less\s+than)\s+(?:(?:version|release)\s+)?` + ver + `$`)
	wordUpTo      = regexp.MustCompile(`(?i)^(?:(?:versions?|releases?)\s+)?(?:up\s+to(?:\s+and\s+including)?|through|until)\s+` + ver + `$`)
	wordEarlier   = regexp.MustCompile(`(?i)^(?:(?:versions?|releases?)\s+)?` + ver + `\s+(?:and|or)\s+(?:all\s+)?(?:earlier|prior|older|lower|below|before)(?:\s+(?:versions?|releases?))?$`)
	wordLater     = regexp.MustCompile(`(?i)^(?:(?:versions?|releases?)\s+)?` + ver + `\s+(?:and|or)\s+(?:all\s+)?(?:later|newer|higher|above|after|onwards?)(?:\s+(?:versions?|releases?))?$`)
	wordAfter     = regexp.MustCompile(`(?i)^(?:(?:versions?|releases?)\s+)?(?:later\s+than|newer\s+than|after|higher\s+than)\s+` + ver + `$`)
	wordFrom      = regexp.MustCompile(`(?i)^(?:starting\s+(?:with|from)|since|from)\s+` + ver + `(?:\s+onwards?)?$`)
	wordThrough   = regexp.MustCompile(`(?i)^(?:from\s+|between\s+)?` + ver + `\s+(through|thru|to|-|–|up to and including|up to|until|before|prior to|and)\s+` + ver + `$`)
	wordExact     = regexp.MustCompile(`(?i)^(?:(?:version|release)\s+)?` + ver + `$`)
	wordSigns     = regexp.MustCompile(`^[<>=!≤≥]`)
)

// clausesOf splits a range in words. A comma between comparisons in signs joins them to one clause, whose parts are
// then separated by "&".
func clausesOf(text string) []string {
	text = regexpOr.ReplaceAllString(text, ";$1")
	var out []string
	for _, c := range strings.FieldsFunc(text, func(r rune) bool { return r == ';' || r == '\n' || r == '|' }) {
		var signs []string
		for _, part := range strings.Split(c, ",") {
			part = strings.TrimSpace(part)
			switch {
			case part == "":
			case wordSigns.MatchString(part):
				signs = append(signs, part)
			default:
				out = append(out, part)
			}
		}
		if len(signs) > 0 {
			out = append(out, strings.Join(signs, " & "))
		}
	}
	return out
}

// regexpOr finds an "or" that separates clauses: not that of "9.16 or earlier".
var regexpOr = regexp.MustCompile(`(?i)\s+or\s+(?:of\s+)?(\d|[<>=]|prior|before)`)

func parseClause(c string) (span, bool) {
	if wordSigns.MatchString(c) {
		return parseSigns(c)
	}
	if wordAll.MatchString(c) {
		return span{all: true}, true
	}
	if m := wordBefore.FindStringSubmatch(c); m != nil {
		return span{branch: m[2], high: m[3]}, true
	}
	if m := wordEarlier.FindStringSubmatch(c); m != nil {
		return span{high: m[1], upIn: true, upBranch: isBranch(m[1])}, true
	}
	if m := wordUpTo.FindStringSubmatch(c); m != nil {
		return span{high: m[1], upIn: true, upBranch: isBranch(m[1])}, true
	}
	if m := wordLater.FindStringSubmatch(c); m != nil {
		return span{low: m[1], lowIn: true}, true
	}
	if m := wordFrom.FindStringSubmatch(c); m != nil {
		return span{low: m[1], lowIn: true}, true
	}
	if m := wordAfter.FindStringSubmatch(c); m != nil {
		return span{low: m[1]}, true
	}
	if m := wordThrough.FindStringSubmatch(c); m != nil {
		word := strings.ToLower(m[2])
		in := word != "before" && word != "prior to"
		return span{low: m[1], lowIn: true, high: m[3], upIn: in, upBranch: in && isBranch(m[3])}, true
	}
	if m := wordBranchAll.FindStringSubmatch(c); m != nil {
		return span{branch: m[1], branchIsAll: true}, true
	}
	if m := wordExact.FindStringSubmatch(c); m != nil {
		return span{exact: m[1], exactBranch: isBranch(m[1])}, true
	}
	return span{}, false
}

// isBranch reports whether a version is the name of a branch: two numbers, with the letters of a train or without.
func isBranch(v string) bool { return formBranch.MatchString(v) }

var formBranch = regexp.MustCompile(`^v?\d+\.\d+(?:[A-Z]{1,4})?$`)

// parseSigns reads ">= 9.16(2) & < 9.16(4)"; blanks may separate comparisons too.
func parseSigns(c string) (span, bool) {
	var s span
	for _, part := range splitSigns(c) {
		sign, version := cutSign(part)
		version = strings.TrimSpace(version)
		if version == "" || !wordExact.MatchString(version) {
			return s, false
		}
		switch {
		case sign == "=" && s.exact == "":
			s.exact = version
		case (sign == ">" || sign == ">=") && s.low == "":
			s.low, s.lowIn = version, sign == ">="
		case (sign == "<" || sign == "<=") && s.high == "":
			s.high, s.upIn = version, sign == "<="
		default:
			return s, false
		}
	}
	return s, s.exact == "" || s.low == "" && s.high == ""
}

// splitSigns cuts before every comparison.
func splitSigns(c string) []string {
	var parts []string
	from := 0
	for i := 1; i < len(c); i++ {
		if strings.IndexByte("<>=!", c[i]) >= 0 && strings.IndexByte("<>=!", c[i-1]) < 0 {
			parts = append(parts, strings.Trim(c[from:i], " &"))
			from = i
		}
	}
	return append(parts, strings.Trim(c[from:], " &"))
}
