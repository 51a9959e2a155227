package advisory

import (
	"cmp"
	"slices"
	"strings"
)

// Scheme is a vendor's way of numbering versions.
type Scheme string

// The schemes. Personalities name them too: ios covers IOS and IOS XE, which the form of the version tells apart.
const (
	SchemeIOS    Scheme = "ios"    // 12.2(33)SXI4a, 15.2(4)M7; also the forms of iosxe
	SchemeIOSXE  Scheme = "iosxe"  // 17.09.04a, 16.12.1s, 03.16.04b.S
	SchemeIOSXR  Scheme = "iosxr"  // 7.5.2, 24.1.1
	SchemeNXOS   Scheme = "nxos"   // 9.3(10), 10.2(3)F, 7.0(3)I7(9)
	SchemeASA    Scheme = "asa"    // 9.18(4)22, 9.16.4.14
	SchemeUCM    Scheme = "ucm"    // 12.5.1.14900-63, 14SU3
	SchemeJunos  Scheme = "junos"  // 21.4R3-S5.4, 20.4R1-EVO, 15.1X53-D592
	SchemeEOS    Scheme = "eos"    // 4.28.3M
	SchemeDebian Scheme = "deb"    // 1:9.2p1-2+deb12u1
	SchemeRPM    Scheme = "rpm"    // 4.18.0-1.el9
	SchemeSemver Scheme = "semver" // 1.4.0-rc.1
	SchemeDotted Scheme = "intdot" // 4.2.17
)

// schemeWords are the further names of schemes: personalities, and the types of `vers:` ranges.
var schemeWords = map[string]Scheme{
	"ios-xe": SchemeIOSXE, "ios_xe": SchemeIOSXE, "ios-xr": SchemeIOSXR, "ios_xr": SchemeIOSXR, "nx-os": SchemeNXOS, "mds": SchemeNXOS,
	"adaptive-security-appliance": SchemeASA, "junos-evo": SchemeJunos, "linux": SchemeDebian, "debian": SchemeDebian, "dpkg": SchemeDebian,
	"ubuntu": SchemeDebian, "redhat": SchemeRPM, "generic": SchemeDotted, "npm": SchemeSemver, "golang": SchemeSemver, "cargo": SchemeSemver,
}

// SchemeOf gives the scheme that a personality, a platform or the type of a `vers:` range has; ok is false for other words.
func SchemeOf(word string) (s Scheme, ok bool) {
	word = strings.ToLower(strings.TrimSpace(word))
	if _, ok := readers[Scheme(word)]; ok {
		return Scheme(word), true
	}
	s, ok = schemeWords[word]
	return s, ok
}

// number is a version taken apart. Two are compared part by part when they are of one line; what else can be said of
// two lines stands in order.
type number struct {
	scheme Scheme
	line   string // the train or branch within which versions follow each other; "" where there is but one
	parts  []part
	flavor string // a mark beside the order, such as F and M of NX-OS: differs at equal parts means unknown
}

// part is one place of a version: a number, then letters.
type part struct {
	n       uint64
	letters string
}

// reader takes a version apart; ok is false for what the scheme does not know.
type reader func(s string) (v number, ok bool)

// readers by scheme; filled by init because the readers look each other up.
var readers map[Scheme]reader

func init() {
	readers = map[Scheme]reader{
		SchemeIOS: readIOSFamily, SchemeIOSXE: readIOSFamily, SchemeIOSXR: readDotted(SchemeIOSXR, 2, 4), SchemeNXOS: readNXOS, SchemeASA: readASA,
		SchemeUCM: readUCM, SchemeJunos: readJunos, SchemeEOS: readEOS, SchemeDotted: readDotted(SchemeDotted, 1, maxParts),
		SchemeDebian: readWhole(SchemeDebian), SchemeRPM: readWhole(SchemeRPM), SchemeSemver: readWhole(SchemeSemver),
	}
}

// Bounds on what strangers write as a version.
const (
	maxVersion = 128 // bytes; the longest known is below 40
	maxParts   = 8   // dotted numbers of one version
)

// CompareVersions orders two versions of a personality (or platform, or scheme): below zero when a is older, above zero
// when a is newer. ok is false when they cannot be compared: a form that is not understood, or two trains of which
// neither follows the other. An unknown order is never guessed.
func CompareVersions(personality, a, b string) (order int, ok bool) {
	scheme, ok := SchemeOf(personality)
	if !ok {
		return 0, false
	}
	a, b = cleanVersion(a), cleanVersion(b)
	va, oka := readers[scheme](a)
	vb, okb := readers[scheme](b)
	if !oka || !okb {
		return 0, a != "" && a == b
	}
	return compareNumbers(va, vb)
}

// compareNumbers orders two versions that were taken apart.
func compareNumbers(a, b number) (int, bool) {
	if whole, ok := wholeOrders[a.scheme]; ok && a.scheme == b.scheme {
		return whole(a.line, b.line), true
	}
	if a.scheme != b.scheme || a.line != b.line {
		return compareLines(a, b)
	}
	order, ok := compareParts(a, b)
	if ok && order == 0 && a.flavor != b.flavor && a.flavor != "" && b.flavor != "" {
		return 0, false
	}
	return order, ok
}

// compareParts compares place by place; a missing place is zero.
func compareParts(a, b number) (int, bool) {
	for i := range max(len(a.parts), len(b.parts)) {
		var pa, pb part
		if i < len(a.parts) {
			pa = a.parts[i]
		}
		if i < len(b.parts) {
			pb = b.parts[i]
		}
		if c := cmp.Compare(pa.n, pb.n); c != 0 {
			return c, true
		}
		if c, ok := compareLetters(a.scheme, pa.letters, pb.letters); c != 0 || !ok {
			return c, ok
		}
	}
	return 0, true
}

// compareLetters orders the letters of rebuilds: none, a, b, ... Of IOS XE, s to z mark builds for some platforms, which
// come after the plain one and stand beside each other.
func compareLetters(scheme Scheme, a, b string) (int, bool) {
	if a == b || a == "" || b == "" || scheme != SchemeIOSXE {
		return cmp.Compare(a, b), true
	}
	if a[0] >= 's' || b[0] >= 's' {
		return 0, false
	}
	return cmp.Compare(a, b), true
}

// successors say which line went over into which, both of the same scheme or of IOS XE: every version of the first line
// is older than every version of the second one from the given parts on.
var successors = []struct {
	scheme   Scheme
	from, to string
	since    []part
}{
	{SchemeIOSXE, "3S", "", []part{{n: 16}}},      // 3.18S went over into 16.x
	{SchemeIOSXE, "3E", "", []part{{n: 16}}},      // 3.9E likewise
	{SchemeIOSXE, "3SE", "", []part{{n: 16}}},     // 3.7E took the place of 3.3SE
	{SchemeNXOS, "I", "", []part{{n: 9}, {n: 2}}}, // 7.0(3)I7 went over into 9.2
	{SchemeNXOS, "D", "", []part{{n: 8}}},         // 7.3D1 went over into 8.0
}

// compareLines orders versions of two lines where that is certain.
func compareLines(a, b number) (int, bool) {
	if a.scheme != b.scheme {
		return 0, false
	}
	if a.scheme == SchemeUCM { // a service update and a full build number agree on the release in front
		return compareHeads(a, b)
	}
	for _, s := range successors {
		if s.scheme != a.scheme {
			continue
		}
		if a.line == s.from && b.line == s.to && !before(b.parts, s.since) {
			return -1, true
		}
		if b.line == s.from && a.line == s.to && !before(a.parts, s.since) {
			return 1, true
		}
	}
	return 0, false
}

// compareHeads compares the first three places only, and knows nothing when these are equal.
func compareHeads(a, b number) (int, bool) {
	for i := range 3 {
		if c := cmp.Compare(partAt(a.parts, i).n, partAt(b.parts, i).n); c != 0 {
			return c, true
		}
	}
	return 0, false
}

func partAt(parts []part, i int) part {
	if i < len(parts) {
		return parts[i]
	}
	return part{}
}

func before(parts, since []part) bool {
	return slices.CompareFunc(parts, since, func(a, b part) int { return cmp.Compare(a.n, b.n) }) < 0
}

// cleanVersion cuts a version out of what devices and notices print around it: "Version 15.2(4)M7, RELEASE SOFTWARE".
func cleanVersion(s string) string {
	s = strings.TrimSpace(s)
	if i := indexFold(s, "version "); i >= 0 {
		s = strings.TrimSpace(s[i+len("version "):])
	}
	if i := strings.IndexAny(s, ", \t\r\n"); i >= 0 {
		s = s[:i]
	}
	s = strings.Trim(s, `"'[]`)
	if len(s) > 1 && (s[0] == 'v' || s[0] == 'V') && s[1] >= '0' && s[1] <= '9' {
		s = s[1:]
	}
	if len(s) > maxVersion {
		return ""
	}
	return s
}

// indexFold is strings.Index blind to the case of ASCII letters; what is lower case.
func indexFold(s, what string) int {
	for i := 0; i+len(what) <= len(s); i++ {
		if strings.EqualFold(s[i:i+len(what)], what) {
			return i
		}
	}
	return -1
}
