package advisory_test

import (
	"testing"

	"callhome/server/advisory"
)

// Pairs of versions in the order their makers' numbering guides give; "?" means that no order is certain.
func TestCompareVersions(t *testing.T) {
	for _, c := range []struct{ scheme, a, sign, b string }{
		{"ios", "12.2(33)SXI4a", ">", "12.2(33)SXI4"},
		{"ios", "12.2(33)SXI4a", "<", "12.2(33)SXI5"},
		{"ios", "12.2(33)SXI", "<", "12.2(33)SXI1"},
		{"ios", "12.2(33)SXI4a", "?", "12.2(33)SXJ1"},
		{"ios", "12.2(33)SXI4a", "?", "15.2(4)M7"},
		{"ios", "12.4(3)", "<", "12.4(3a)"},
		{"ios", "12.4(3b)", "<", "12.4(5)"},
		{"ios", "12.4(24)T4b", ">", "12.4(24)T4"},
		{"ios", "12.4(25)", "?", "12.4(24)T"},
		{"ios", "15.2(4)M7", "<", "15.2(4)M10"},
		{"ios", "15.1(3)T4", "<", "15.1(4)M1"},
		{"ios", "15.2(4)M7", "<", "15.3(1)T"},
		{"ios", "15.2(4)M7", "?", "15.2(4)S7"},
		{"ios", "15.0(2)SE11", ">", "12.2(55)SE9"},
		{"ios", "15.2(4)M7, RELEASE SOFTWARE (fc2)", "=", "15.2(4)M7"},
		{"ios", "Cisco IOS Software, Version 15.2(4)M7, RELEASE", "=", "15.2(4)M7"},
		{"ios", "17.09.04a", ">", "17.9.4"},
		{"iosxe", "17.09.04a", "=", "17.9.4a"},
		{"iosxe", "17.12.01", "<", "17.12.1a"},
		{"iosxe", "16.12.1s", ">", "16.12.1"},
		{"iosxe", "16.12.1s", "?", "16.12.1a"},
		{"iosxe", "16.12.3s", "<", "16.12.4"},
		{"iosxe", "03.16.04b.S", ">", "03.16.04a.S"},
		{"iosxe", "3.16.10S", ">", "03.16.04b.S"},
		{"iosxe", "03.16.04b.S", "<", "16.3.1"},
		{"iosxe", "03.16.04b.S", "?", "03.08.07.E"},
		{"iosxe", "17.9.4", "?", "15.2(4)M7"},
		{"iosxr", "7.5.2", "<", "24.1.1"},
		{"iosxr", "6.6.3", "<", "6.6.25"},
		{"iosxr", "7.5.2", "?", "7.5.2.x"},
		{"nxos", "9.3(10)", ">", "9.3(9)"},
		{"nxos", "10.2(3)F", "<", "10.2(4)M"},
		{"nxos", "10.2(3)F", "=", "10.2(3)"},
		{"nxos", "10.2(3)F", "?", "10.2(3)M"},
		{"nxos", "6.2(29)", ">", "6.2(8a)"},
		{"nxos", "6.2(8)", "<", "6.2(8a)"},
		{"nxos", "7.0(3)I7(9)", "<", "7.0(3)I7(10)"},
		{"nxos", "7.0(3)I7(10)", "<", "9.2(1)"},
		{"nxos", "7.3(8)D1(1)", "<", "8.0(1)"},
		{"nxos", "7.3(8)N1(1)", "?", "8.0(1)"},
		{"nxos", "5.2(1)N1(9a)", ">", "5.2(1)N1(9)"},
		{"asa", "9.18(4)22", ">", "9.18(4)"},
		{"asa", "9.18(4)22", "=", "9.18.4.22"},
		{"asa", "9.16(3)", "<", "9.16(3)14"},
		{"asa", "9.8(2)", "<", "9.16(1)"},
		{"ucm", "12.5.1.14900-63", ">", "12.5.1.13900-152"},
		{"ucm", "12.5.1.14900-63", "<", "12.5.1.14900-64"},
		{"ucm", "12.5(1)SU3", "<", "12.5(1)SU7a"},
		{"ucm", "14SU2", ">", "12.5(1)SU7"},
		{"ucm", "14.0.1.12900-161", ">", "12.5(1)SU7"},
		{"ucm", "12.5.1.14900-63", "?", "12.5(1)SU3"},
		{"junos", "21.4R3-S5.4", ">", "21.4R3-S5"},
		{"junos", "21.4R3-S5.4", "<", "21.4R3-S6"},
		{"junos", "21.4R3-S5.4", ">", "21.4R3.9"},
		{"junos", "20.4R1-EVO", "?", "20.4R1"},
		{"junos", "20.4R1-EVO", "<", "21.2R1-S1-EVO"},
		{"junos", "22.3R1-EVO.5", ">", "22.3R1-EVO"},
		{"junos", "15.1X53-D592", ">", "15.1X53-D60"},
		{"junos", "15.1X53-D592", "?", "15.1X49-D200"},
		{"junos", "15.1X53-D592", "?", "18.4R1"},
		{"eos", "4.28.3M", ">", "4.28.2F"},
		{"eos", "4.28.3M", "<", "4.28.3.1M"},
		{"eos", "4.28.3M", "?", "4.28.3F"},
		{"eos", "4.28.10M", ">", "4.28.9M"},
		{"linux", "1:9.2p1-2+deb12u1", "<", "1:9.2p1-2+deb12u3"},
		{"deb", "2:1.0", ">", "1:9.9"},
		{"deb", "1.0~rc1", "<", "1.0"},
		{"deb", "5.10.0-28", "<", "6.1.0-9"},
		{"deb", "1.0-1", "<", "1.0-1+b1"},
		{"rpm", "4.18.0-1.el9", "<", "4.18.0-2.el9"},
		{"rpm", "1.0~rc1-1", "<", "1.0-1"},
		{"rpm", "1.0^git1-1", ">", "1.0-1"},
		{"rpm", "1.0a", "<", "1.0.1"},
		{"semver", "1.4.0-rc.1", "<", "1.4.0"},
		{"semver", "1.4.0-rc.2", "<", "1.4.0-rc.11"},
		{"semver", "v2.0.0", "=", "2.0.0+build7"},
		{"generic", "4.2.17", ">", "4.2.9"},
		{"generic", "4.2-final", "?", "4.2"},
		{"generic", "4.2-final", "=", "4.2-final"},
		{"wombat", "1", "?", "2"},
		{"ios", "", "?", ""},
	} {
		check := func(a, b, sign string) {
			order, ok := advisory.CompareVersions(c.scheme, a, b)
			got := "?"
			if ok {
				got = map[bool]string{true: "<", false: ">"}[order < 0]
				if order == 0 {
					got = "="
				}
			}
			if got != sign {
				t.Errorf("%s: %q %s %q, want %s", c.scheme, a, got, b, sign)
			}
		}
		check(c.a, c.b, c.sign)
		mirror := map[string]string{"<": ">", ">": "<"}[c.sign]
		if mirror == "" {
			mirror = c.sign
		}
		check(c.b, c.a, mirror)
	}
}

func TestInRange(t *testing.T) {
	for _, c := range []struct{ scheme, version, text, want string }{
		{"ios", "15.2(4)M7", "vers:ios/>=15.2(4)M|<15.2(4)M8", "in"},
		{"ios", "15.2(4)M8", "vers:ios/>=15.2(4)M|<15.2(4)M8", "out"},
		{"ios", "12.2(33)SXI4a", "vers:ios/>=15.2(4)M|<15.2(4)M8", "out"}, // bounded within another train
		{"ios", "12.2(33)SXI4a", "vers:ios/<15.2(4)M8", "?"},
		{"ios", "15.2(4)M7", "vers:ios/%3E%3D15.2%284%29M|%3C15.2%284%29M8", "in"},
		{"ios", "15.2(4)M3", "vers:ios/15.2(4)M3|15.2(4)M4", "in"},
		{"ios", "15.2(4)M5", "vers:ios/15.2(4)M3|15.2(4)M4", "out"},
		{"ios", "12.2(33)SXI", "15.2(4)M3", "out"},
		{"ios", "15.2(4)M5", "vers:ios/!=15.2(4)M5|<15.2(4)M8", "out"},
		{"ios", "15.2(4)M5", "vers:wombat/<15.2(4)M8", "?"},
		{"ios", "15.2(4)M5", "vers:ios/*", "in"},
		{"asa", "9.16(3)", "prior to 9.16(4)", "in"},
		{"asa", "9.16(4)", "prior to 9.16(4)", "out"},
		{"asa", "9.16(3)", "9.16(3) and earlier", "in"},
		{"asa", "9.16(3)14", "9.16(3) and earlier", "out"},
		{"asa", "9.18(1)", "9.16(3) and later", "in"},
		{"asa", "9.16(2)", ">= 9.16(1), < 9.16(3)", "in"},
		{"asa", "9.16(3)", ">= 9.16(1), < 9.16(3)", "out"},
		{"asa", "9.16(2)", ">=9.16(1) <9.16(3)", "in"},
		{"asa", "9.16(2)", "9.16(1) through 9.16(3)", "in"},
		{"asa", "9.14(2)", "9.12(1) to 9.12(9); 9.14", "in"},
		{"asa", "9.15(2)", "9.12(1) to 9.12(9) or 9.14", "out"},
		{"asa", "9.15(2)", "lemon", "?"},
		{"junos", "21.4R3-S4.9", "21.4 versions prior to 21.4R3-S5", "in"},
		{"junos", "21.4R3-S5.4", "21.4 versions prior to 21.4R3-S5", "out"},
		{"junos", "21.3R3", "21.4 versions prior to 21.4R3-S5", "out"},
		{"junos", "21.3R3", "all versions prior to 21.4R3-S5", "in"},
		{"junos", "21.3R3", "21.4 versions before 21.4R3-S5; 21.3 versions before 21.3R3-S1", "in"},
		{"junos", "21.4R3-S4.9", ">= 21.4, < 21.4R3-S5", "in"},
		{"junos", "21.3R3-S4.9", ">= 21.4, < 21.4R3-S5", "out"},
		{"nxos", "9.3(9)", "vers:nxos/>=9.3|<9.3(10)", "in"},
		{"nxos", "9.2(4)", "vers:nxos/>=9.3|<9.3(10)", "out"},
		{"eos", "4.28.3M", ">=4.28 <4.28.4M", "in"},
		{"iosxe", "17.3.5", ">=17.3 <17.3.6", "in"},
		{"iosxe", "17.3.5", "17.3 through 17.6", "in"},
		{"iosxe", "17.6.5", "17.3 through 17.6", "in"},
		{"iosxe", "17.9.1", "17.6 and earlier", "out"},
		{"iosxe", "17.6.5", "17.6 and earlier", "in"},
		{"iosxe", "17.03.05", "17.3.x", "in"},
		{"iosxe", "17.06.05", "17.3", "out"},
		{"iosxe", "17.3.5", "17.3", "in"},
		{"ios", "12.2(33)SXI4a", "12.2SXI", "in"},
		{"ios", "12.2(33)SXJ", "12.2SXI", "out"},
		{"ios", "15.2(4)M7", "15.2M", "in"},
		{"eos", "4.28.3M", "4.28.3M", "in"},
		{"eos", "", "prior to 4.28.3M", "?"},
		{"eos", "", "all versions", "in"},
		{"linux", "5.10.0-20", "before 5.10.0-28", "in"},
	} {
		in, known := advisory.InRange(c.scheme, c.version, c.text)
		got := map[bool]string{true: "in", false: "out"}[in]
		if !known {
			got = "?"
		}
		if got != c.want {
			t.Errorf("%s %q in %q: got %s, want %s", c.scheme, c.version, c.text, got, c.want)
		}
	}
}

// Any two versions have the same order from both sides, and three of them no circle.
func FuzzCompareVersions(f *testing.F) {
	f.Add("ios", "12.2(33)SXI4a", "15.2(4)M7", "15.1(3)T")
	f.Add("junos", "21.4R3-S5.4", "20.4R1-EVO", "15.1X53-D592")
	f.Add("rpm", "1~^a", "1^~", "1")
	f.Add("deb", "1:0-0~~", "0", "a")
	f.Add("iosxe", "16.12.1s", "16.12.1a", "16.12.1")
	f.Fuzz(func(t *testing.T, scheme, a, b, c string) {
		ab, ok1 := advisory.CompareVersions(scheme, a, b)
		ba, ok2 := advisory.CompareVersions(scheme, b, a)
		if ok1 != ok2 || ok1 && sign(ab) != -sign(ba) {
			t.Errorf("%s: %q and %q: %d,%v from one side, %d,%v from the other", scheme, a, b, ab, ok1, ba, ok2)
		}
		bc, ok3 := advisory.CompareVersions(scheme, b, c)
		ac, ok4 := advisory.CompareVersions(scheme, a, c)
		if ok1 && ok3 && ok4 && ab < 0 && bc < 0 && ac >= 0 {
			t.Errorf("%s: %q < %q < %q, but not the first below the last", scheme, a, b, c)
		}
	})
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}

func FuzzParseRange(f *testing.F) {
	for _, s := range []string{"vers:ios/>=15.2(4)M|<15.2(4)M8", "21.4 versions prior to 21.4R3-S5", ">= 9.16(1), < 9.16(3)", "17.3.x; all", "9.1 - 9.2 or 9.5"} {
		f.Add(s, "15.2(4)M7")
	}
	f.Fuzz(func(t *testing.T, text, version string) {
		r, err := advisory.ParseRange(text)
		if err == nil {
			for _, scheme := range []string{"ios", "junos", "deb", "semver", "asa"} {
				r.Holds(scheme, version)
			}
		}
	})
}
