package ciscolog

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"callhome"
)

// checkRoundTrip writes a line that conforms again and wants the same octets.
func checkRoundTrip(t testing.TB, line []byte, r *Record) {
	t.Helper()
	got, err := Append(nil, r.Fields())
	if err != nil {
		t.Fatalf("%q cannot be written again: %v", line, err)
	}
	if string(r.Zone) == "-0000" { // the one spelling that is never written
		line = bytes.Replace(line, []byte(" -0000: %"), []byte(" +0000: %"), 1)
	}
	if !bytes.Equal(got, line) {
		t.Fatalf("got  %q\nwant %q", got, line)
	}
}

func TestRoundTrip(t *testing.T) {
	valid := 0
	for _, l := range ownLines(t) {
		var r Record
		if ParseStrict(l.line, &r) == nil {
			valid++
			checkRoundTrip(t, l.line, &r)
		}
	}
	if valid < 20 {
		t.Errorf("only %d lines are valid", valid)
	}
}

// good are fields that can be written; tests break one of them.
func good() Fields {
	return Fields{
		Seq: 30, Host: "gw1", Time: time.Date(2027, 3, 7, 8, 15, 30, 250e6, time.UTC), App: "TOLL", Severity: 4, Name: "LINK",
		Tags: []callhome.Tag{{Key: "pname.orig", Value: "tolld"}}, Text: "Link lost",
	}
}

func TestAppend(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(f *Fields)
		want   string
	}{
		{"plain", func(*Fields) {}, "30: gw1: Mar  7 2027 08:15:30.250 +0000: %TOLL-4-LINK: %[pname.orig=tolld]: Link lost"},
		{"pri", func(f *Fields) { f.HasPRI, f.PRI = true, 188 }, "<188>30: gw1: Mar  7 2027 08:15:30.250 +0000: %TOLL-4-LINK: %[pname.orig=tolld]: Link lost"},
		{"local time is written in UTC", func(f *Fields) { f.Time = f.Time.In(time.FixedZone("", 3600)) }, "30: gw1: Mar  7 2027 08:15:30.250 +0000: %TOLL-4-LINK: %[pname.orig=tolld]: Link lost"},
		{"offset", func(f *Fields) { f.Zone = "-0330" }, "30: gw1: Mar  7 2027 04:45:30.250 -0330: %TOLL-4-LINK: %[pname.orig=tolld]: Link lost"},
		{"minus zero", func(f *Fields) { f.Zone = "-0000" }, "30: gw1: Mar  7 2027 08:15:30.250 +0000: %TOLL-4-LINK: %[pname.orig=tolld]: Link lost"},
		{"named zone", func(f *Fields) { f.Zone, f.Time = "CET", f.Time.In(time.FixedZone("CET", 3600)) }, "30: gw1: Mar  7 2027 09:15:30.250 CET: %TOLL-4-LINK: %[pname.orig=tolld]: Link lost"},
		{"accuracy", func(f *Fields) { f.Accuracy = AccuracyWasSynchronised }, "30: gw1: .Mar  7 2027 08:15:30.250 +0000: %TOLL-4-LINK: %[pname.orig=tolld]: Link lost"},
		{"no clock", func(f *Fields) { f.Accuracy = AccuracyNoClock }, "30: gw1: --- 00 0000 00:00:00.000 ---: %TOLL-4-LINK: %[pname.orig=tolld]: Link lost"},
		{"no host", func(f *Fields) { f.Host = "" }, "30: 0.0.0.0: Mar  7 2027 08:15:30.250 +0000: %TOLL-4-LINK: %[pname.orig=tolld]: Link lost"},
		{"address in short form", func(f *Fields) { f.Host = "2001:DB8:0:0::1" }, "30: 2001:db8::1: Mar  7 2027 08:15:30.250 +0000: %TOLL-4-LINK: %[pname.orig=tolld]: Link lost"},
		{"tags sorted, part last", func(f *Fields) {
			f.Tags = []callhome.Tag{{Key: "z", Value: "2"}, {Key: "part", Value: "30.1/2"}, {Key: "z", Value: "1"}, {Key: "a", Value: `x[\]y`}}
		}, `30: gw1: Mar  7 2027 08:15:30.250 +0000: %TOLL-4-LINK: %[a=x\[\\\]y][z=2][z=1][part=30.1/2]: Link lost`},
		{"tags as sent", func(f *Fields) {
			f.AsSent, f.Tags = true, []callhome.Tag{{Key: "z", Value: "2"}, {Key: "a"}}
		}, "30: gw1: Mar  7 2027 08:15:30.250 +0000: %TOLL-4-LINK: %[z=2][a=]: Link lost"},
		{"control characters", func(f *Fields) {
			f.Host, f.Text, f.Tags[0].Value = "g\x01w", "a\tb\rc", "x\ny"
		}, "30: g?w: Mar  7 2027 08:15:30.250 +0000: %TOLL-4-LINK: %[pname.orig=x?y]: a        b?c"},
	} {
		f := good()
		tc.change(&f)
		got, err := Append([]byte("> "), f)
		if err != nil || string(got) != "> "+tc.want {
			t.Errorf("%s:\ngot  %s (%v)\nwant > %s", tc.name, got, err, tc.want)
		}
		var r Record
		if err == nil {
			if v := ParseStrict(got[2:], &r); v != nil {
				t.Errorf("%s: %v", tc.name, v)
			}
		}
	}
}

func TestAppendRefuses(t *testing.T) {
	for _, tc := range []struct {
		field  string
		change func(f *Fields)
	}{
		{"pri", func(f *Fields) { f.HasPRI, f.PRI = true, 192 }},
		{"host", func(f *Fields) { f.Host = "a: b" }},
		{"host", func(f *Fields) { f.Host = strings.Repeat("h", 256) }},
		{"host", func(f *Fields) { f.Host = "h\xff" }},
		{"accuracy", func(f *Fields) { f.Accuracy = "#" }},
		{"timezone", func(f *Fields) { f.Zone = "Indochina" }},
		{"timezone", func(f *Fields) { f.Zone = "+2400" }},
		{"timezone", func(f *Fields) { f.Zone = "A: %B" }},
		{"timezone", func(f *Fields) { f.Zone = "UTC " }},
		{"timestamp", func(f *Fields) { f.Time = time.Date(12027, 1, 1, 0, 0, 0, 0, time.UTC) }},
		{"mnemonic_facility", func(f *Fields) { f.App = "Toll" }},
		{"mnemonic_facility", func(f *Fields) { f.App = "T" }},
		{"severity", func(f *Fields) { f.Severity = 8 }},
		{"severity", func(f *Fields) { f.Severity = -1 }},
		{"mnemonic", func(f *Fields) { f.Name = strings.Repeat("N", 31) }},
		{"tags[0].key", func(f *Fields) { f.Tags[0].Key = "" }},
		{"tags[0].key", func(f *Fields) { f.Tags[0].Key = "a b" }},
		{"tags[0].key", func(f *Fields) { f.Tags[0].Key = "a=b" }},
		{"tags[0].value", func(f *Fields) { f.Tags[0].Value = "\xc3" }},
		{"tags[0].value", func(f *Fields) { f.Tags[0] = callhome.Tag{Key: "part", Value: "29.1/2"} }},
		{"message", func(f *Fields) { f.Text = "" }},
		{"message", func(f *Fields) { f.Text = "a\nb" }},
		{"message", func(f *Fields) { f.Text = "a\xe9" }},
		{"message", func(f *Fields) { f.Text, f.Tags = "%[a=b]: c", nil }},
		{"message", func(f *Fields) { f.Text = strings.Repeat("x", 800) }},
	} {
		f := good()
		tc.change(&f)
		got, err := Append([]byte(">"), f)
		var fe *FieldError
		if !errors.As(err, &fe) || fe.Field != tc.field || string(got) != ">" {
			t.Errorf("%s: got %q, %v", tc.field, got, err)
		}
	}
}

func TestAppendFillsTheLimit(t *testing.T) {
	f := good()
	f.HasPRI, f.PRI = true, 191
	line, err := Append(nil, f)
	if err != nil {
		t.Fatal(err)
	}
	f.Text += strings.Repeat("x", MaxLengthPRI-len(line))
	if line, err = Append(nil, f); err != nil || len(line) != MaxLengthPRI {
		t.Errorf("got %d octets, %v", len(line), err)
	}
	f.Text += "x"
	if _, err = Append(nil, f); err == nil {
		t.Error("one octet more was taken")
	}
}
