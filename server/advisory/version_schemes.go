package advisory

import (
	"regexp"
	"strconv"
	"strings"
)

// The forms, after the vendors' public guides to their release numbering. The first two numbers alone are the beginning of
// a branch: ranges have it as their lower end, ">= 21.4".
var (
	formIOS    = regexp.MustCompile(`^(\d{1,4})\.(\d{1,4})\((\d{1,5})(?:\.(\d{1,5}))?([a-z]?)\)([A-Z]*)(\d{0,5})([a-z]?)$`)
	formXE     = regexp.MustCompile(`^(\d{2})\.(\d{1,3})(?:\.(\d{1,3})([a-z]{0,2}\d?))?$`)
	formXE3    = regexp.MustCompile(`^0?3\.(\d{1,3})\.(\d{1,3})([a-z]?)\.?([A-Z]{1,3})(\d{0,3})([a-z]?)$`)
	formNXOS   = regexp.MustCompile(`^(\d{1,4})\.(\d{1,4})(?:\((\d{1,4})([a-z]*)(?:\.(\d+))?\)(?:([A-Z]{1,3})(\d{1,3})\((\d{1,4})(?:\.(\d{1,4}))?([a-z]*)\)|([FM]?)))?$`)
	formASA    = regexp.MustCompile(`^(\d{1,4})\.(\d{1,4})\((\d{1,4})\)(\d{0,5})$`)
	formUCM    = regexp.MustCompile(`^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,6})-(\d{1,6})$`)
	formUCMSU  = regexp.MustCompile(`^(\d{1,3})(?:\.(\d{1,3}))?(?:\((\d{1,3})\))?(?:SU(\d{1,3})([a-z]?))?$`)
	formJunos  = regexp.MustCompile(`^(\d{1,3})\.(\d{1,2})(?:R(\d{1,3})(?:-S(\d{1,4}))?(?:\.(\d{1,4}))?)?(-EVO)?$`)
	formJunosX = regexp.MustCompile(`^(\d{1,3})\.(\d{1,2})X(\d{1,3})-D(\d{1,4})(?:\.(\d{1,4}))?$`)
	formEOS    = regexp.MustCompile(`^(\d{1,3}(?:\.\d{1,4}){1,3})([FM]?)$`)
	formDotted = regexp.MustCompile(`^\d{1,9}(?:\.\d{1,9})*$`)
)

// atoi reads digits that a form has already counted; "" is zero.
func atoi(s string) uint64 {
	n, _ := strconv.ParseUint(s, 10, 64) // the forms bound the number of digits
	return n
}

func nums(words ...string) []part {
	parts := make([]part, len(words))
	for i, w := range words {
		parts[i].n = atoi(w)
	}
	return parts
}

// readIOSFamily reads IOS and IOS XE, which share a personality.
func readIOSFamily(s string) (number, bool) {
	if v, ok := readIOS(s); ok {
		return v, true
	}
	return readIOSXE(s)
}

// readIOS reads 12.2(33)SXI4a: release, train and rebuild. Versions are of one line when their train's letters agree; the
// M and T releases of 15.x are one line, as the maker's guide to them says.
func readIOS(s string) (number, bool) {
	m := formIOS.FindStringSubmatch(s)
	if m == nil {
		return number{}, false
	}
	v := number{scheme: SchemeIOS, line: m[6], parts: append(nums(m[1], m[2]), part{atoi(m[3]), ""}, part{atoi(m[4]), m[5]}, part{atoi(m[7]), m[8]})}
	if (v.line == "M" || v.line == "T") && v.parts[0].n >= 15 {
		v.line, v.flavor = "15MT", m[6]
	}
	return v, true
}

// readIOSXE reads 17.09.04a, and 03.16.04b.S, whose letters at the end are the train.
func readIOSXE(s string) (number, bool) {
	if m := formXE3.FindStringSubmatch(s); m != nil {
		return number{scheme: SchemeIOSXE, line: "3" + m[4], parts: append(nums("3", m[1]), part{atoi(m[2]), m[3]}, part{atoi(m[5]), m[6]})}, true
	}
	m := formXE.FindStringSubmatch(s)
	if m == nil {
		return number{}, false
	}
	return number{scheme: SchemeIOSXE, parts: append(nums(m[1], m[2]), part{atoi(m[3]), m[4]})}, true
}

// readNXOS reads 9.3(10), 10.2(3)F and 7.0(3)I7(9).
func readNXOS(s string) (number, bool) {
	m := formNXOS.FindStringSubmatch(s)
	if m == nil {
		return number{}, false
	}
	v := number{scheme: SchemeNXOS, line: m[6], flavor: m[11], parts: append(nums(m[1], m[2]), part{atoi(m[3]), m[4]}, part{n: atoi(m[5])})}
	if m[6] != "" {
		v.parts = append(v.parts, part{n: atoi(m[7])}, part{n: atoi(m[8])}, part{atoi(m[9]), m[10]})
	}
	return v, true
}

// readASA reads 9.18(4)22 and the same as 9.18.4.22.
func readASA(s string) (number, bool) {
	if m := formASA.FindStringSubmatch(s); m != nil {
		return number{scheme: SchemeASA, parts: nums(m[1:]...)}, true
	}
	return readDotted(SchemeASA, 2, 5)(s)
}

// readUCM reads 12.5.1.14900-63, and the release names 12.5(1)SU3 and 14SU2.
func readUCM(s string) (number, bool) {
	if m := formUCM.FindStringSubmatch(s); m != nil {
		return number{scheme: SchemeUCM, parts: nums(m[1:]...)}, true
	}
	m := formUCMSU.FindStringSubmatch(s)
	if m == nil || m[2] == "" && m[4] == "" {
		return number{}, false
	}
	release := m[3]
	if release == "" {
		release = "1" // 14SU2 is 14.0(1)SU2
	}
	return number{scheme: SchemeUCM, line: "SU", parts: append(nums(m[1], m[2], release), part{atoi(m[4]), m[5]})}, true
}

// readJunos reads 21.4R3-S5.4 and 15.1X53-D592. Junos OS Evolved is a line of its own, every X branch too.
func readJunos(s string) (number, bool) {
	if m := formJunosX.FindStringSubmatch(s); m != nil {
		return number{scheme: SchemeJunos, line: m[1] + "." + m[2] + "X" + m[3], parts: nums(m[1], m[2], m[4], m[5])}, true
	}
	evolved := strings.HasSuffix(s, "-EVO")
	if i := strings.Index(s, "-EVO."); i > 0 { // 22.3R1-EVO.5, with the build behind the mark
		s, evolved = s[:i]+s[i+len("-EVO"):], true
	}
	m := formJunos.FindStringSubmatch(s)
	if m == nil {
		return number{}, false
	}
	v := number{scheme: SchemeJunos, parts: nums(m[1:6]...)}
	if evolved {
		v.line = "EVO"
	}
	return v, true
}

func readEOS(s string) (number, bool) {
	m := formEOS.FindStringSubmatch(s)
	if m == nil {
		return number{}, false
	}
	return number{scheme: SchemeEOS, flavor: m[2], parts: nums(strings.Split(m[1], ".")...)}, true
}

// readDotted reads from least to most numbers with dots between.
func readDotted(scheme Scheme, least, most int) reader {
	return func(s string) (number, bool) {
		words := strings.Split(s, ".")
		if len(words) < least || len(words) > most || !formDotted.MatchString(s) {
			return number{}, false
		}
		return number{scheme: scheme, parts: nums(words...)}, true
	}
}
