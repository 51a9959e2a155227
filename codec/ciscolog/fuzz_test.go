package ciscolog

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode"

	"pgregory.net/rapid"

	"callhome"
)

func FuzzParseStrict(f *testing.F) {
	for _, l := range ownLines(f) {
		f.Add(l.line)
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		var r Record
		v := ParseStrict(line, &r)
		if v != nil {
			if ruleTexts[v.Rule] == "" || v.Column < 1 || v.Column > len(line)+1 {
				t.Fatalf("%+v", v)
			}
			return
		}
		checkRoundTrip(t, line, &r)
	})
}

func FuzzParse(f *testing.F) {
	for _, l := range ownLines(f) {
		f.Add(l.line, false)
		f.Add(l.line, true)
	}
	f.Fuzz(func(t *testing.T, line []byte, icm bool) {
		var r, strict Record
		before := bytes.Clone(line)
		conforms := ParseStrict(withoutLineEnd(line), &strict) == nil
		ok := Parse(line, receivedOwn, &r, Options{ICM: icm})
		if !bytes.Equal(line, before) {
			t.Fatal("the line was changed")
		}
		if !ok {
			if conforms {
				t.Fatal("a line that conforms was refused")
			}
			return
		}
		if r.Conforms != conforms || !bytes.Equal(r.Raw, line) || r.Severity < 0 || r.Severity > 7 || r.PRI < -1 || r.PRI > maxPRI {
			t.Fatalf("%+v", r)
		}
		if r.TimeSource == TimeFromReceipt && !r.Time.Equal(receivedOwn) {
			t.Fatalf("time %s", r.Time)
		}
		r.AppendTags(nil)
		r.BestHost()
		Display{}.Text(r.Text)
		c := r.Clone()
		var got, want bytes.Buffer
		describe(&got, &c)
		describe(&want, &r)
		if got.String() != want.String() {
			t.Fatalf("clone differs:\n%s\n%s", &got, &want)
		}
	})
}

func FuzzAppend(f *testing.F) {
	f.Add(uint32(7), "gw1", "", "TOLL", int8(4), "LINK", "pname.orig", "tolld", "Link lost", true)
	f.Add(uint32(0), "2001:DB8::1", "+0530", "TT", int8(0), "00", "a.b", `[\]`, "%[a=b]: c", false)
	f.Add(uint32(MaxSeq), "g\tw", "NZDT+13", "T_T", int8(7), "X_1", "part", "4294967295.1/2", "é", false)
	f.Fuzz(func(t *testing.T, seq uint32, host, zone, app string, severity int8, name, key, value, text string, asSent bool) {
		fields := Fields{
			Seq: seq, Host: host, Zone: zone, Time: receivedOwn, App: app, Severity: severity, Name: name, Text: text,
			Tags: []callhome.Tag{{Key: key, Value: value}}, AsSent: asSent,
		}
		line, err := Append(nil, fields)
		if err != nil {
			if line != nil {
				t.Fatal("a line in spite of the error")
			}
			return
		}
		var r Record
		if v := ParseStrict(line, &r); v != nil {
			t.Fatalf("%q: %v", line, v)
		}
		clean := func(s string) string { return string(appendClean(nil, s)) }
		if string(r.Text) != clean(text) || !tagList(key, clean(value))(&r) || string(r.App) != app || string(r.Name) != name {
			t.Fatalf("%q was read back as %+v", line, r)
		}
	})
}

// splitAndJoin splits a text, delivers the parts in the order that swap makes, and wants the text back.
func splitAndJoin(t testing.TB, f Fields, swap func(lines [][]byte)) {
	lines, err := Split(f)
	if err != nil {
		if fe := new(FieldError); !errors.As(err, &fe) {
			t.Fatal(err)
		}
		return
	}
	if len(lines) == 1 {
		var r Record
		if v := ParseStrict(lines[0], &r); v != nil || string(r.Text) != sentText(f.Text) {
			t.Fatalf("%q: %v, want %q", lines[0], v, sentText(f.Text))
		}
		return
	}
	cut := len(lines) == MaxParts
	swap(lines)
	done := rejoin(t, lines)
	if len(done) != 1 || done[0].Missing != nil {
		t.Fatalf("%d messages of %d parts", len(done), len(lines))
	}
	if got := string(done[0].Record.Text); got != sentText(f.Text) && !cut {
		t.Fatalf("got  %q\nwant %q", got, sentText(f.Text))
	}
}

func FuzzSplit(f *testing.F) {
	f.Add("one\ntwo\r\n\nthree\n", "tolld", uint64(1))
	f.Add(strings.Repeat("語", 700), "", uint64(3))
	f.Add(strings.Repeat("x\t", 700)+"\n%[a=b]: c", "]", uint64(9))
	f.Fuzz(func(t *testing.T, text, pname string, order uint64) {
		fields := good()
		fields.Text, fields.Tags[0].Value = text, pname
		splitAndJoin(t, fields, func(lines [][]byte) {
			for i := range lines {
				order = order*6364136223846793005 + 1442695040888963407
				j := int(order>>33) % len(lines)
				lines[i], lines[j] = lines[j], lines[i]
			}
		})
	})
}

// genFields draws fields that can be written.
func genFields(t *rapid.T) Fields {
	freeText := rapid.StringOf(rapid.OneOf(
		rapid.SampledFrom([]rune(`[]\=:% é語`)), rapid.RuneFrom(nil, unicode.Letter, unicode.Digit)))
	name := rapid.StringMatching(`[0-9A-Z_]{2,24}`)
	tag := rapid.Custom(func(t *rapid.T) callhome.Tag {
		key := rapid.StringMatching(`[0-9A-Za-z_]{1,8}(\.[0-9a-z]{1,4}){0,2}`).Filter(func(k string) bool {
			return k != keyPart && k != keyWrap && k != keyUptime
		})
		return callhome.Tag{Key: key.Draw(t, "key"), Value: freeText.Draw(t, "value")}
	})
	f := Fields{
		HasPRI: rapid.Bool().Draw(t, "pri?"),
		Seq:    rapid.Uint32().Draw(t, "seq"),
		Host:   rapid.StringMatching(`[a-zé][a-z0-9.:_-]{0,40}`).Draw(t, "host"),
		Accuracy: rapid.SampledFrom([]Accuracy{
			AccuracyUnstated, AccuracyUnsynchronised, AccuracyWasSynchronised, AccuracyNoClock,
		}).Draw(t, "accuracy"),
		Time:     time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "time")),
		Zone:     rapid.SampledFrom([]string{"", "+0530", "-0330", "UTC", "+2359"}).Draw(t, "zone"),
		App:      name.Draw(t, "app"),
		Severity: rapid.Int8Range(0, 7).Draw(t, "severity"),
		Name:     name.Draw(t, "name"),
		Tags:     rapid.SliceOfN(tag, 0, 5).Draw(t, "tags"),
		Text:     freeText.Draw(t, "text"),
		AsSent:   rapid.Bool().Draw(t, "as sent"),
	}
	if f.HasPRI {
		f.PRI = rapid.Uint8Range(0, maxPRI).Draw(t, "pri")
	}
	if f.Zone == "UTC" {
		f.Time = f.Time.UTC()
	}
	return f
}

// TestPropertyWrittenIsRead: whatever is written is read back the same by both parsers.
func TestPropertyWrittenIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := genFields(t)
		line, err := Append(nil, f)
		if err != nil {
			t.Skip(err)
		}
		var strict, loose Record
		if v := ParseStrict(line, &strict); v != nil {
			t.Fatalf("%q: %v", line, v)
		}
		if !Parse(line, receivedOwn, &loose, Options{}) || !loose.Conforms {
			t.Fatalf("%q: not read", line)
		}
		if string(strict.Text) != f.Text || strict.Seq != uint64(f.Seq) || strict.Severity != f.Severity {
			t.Fatalf("%q: read as %+v", line, strict)
		}
		if f.Accuracy != AccuracyNoClock && !strict.Time.Equal(f.Time) {
			t.Fatalf("%q: time %s, want %s", line, strict.Time, f.Time)
		}
		want := f.Tags
		if !f.AsSent {
			want = sorted(want)
		}
		got := strict.AppendTags(nil)
		if len(got) != len(want) {
			t.Fatalf("%q: tags %v, want %v", line, got, want)
		}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("%q: tags %v, want %v", line, got, want)
			}
		}
	})
}

// TestPropertyAnyOrder: a text in parts comes back whatever the order and whatever is between.
func TestPropertyAnyOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := genFields(rt)
		f.Text = strings.Join(rapid.SliceOfN(rapid.String(), 0, 12).Draw(rt, "lines"), "\n") + strings.Repeat("ab語", rapid.IntRange(0, 900).Draw(rt, "length"))
		f.Accuracy = AccuracyUnstated
		splitAndJoin(t, f, func(lines [][]byte) {
			copy(lines, rapid.Permutation(lines).Draw(rt, "order"))
		})
	})
}

// TestPropertyDamage: one changed octet before the clock or behind the header makes no line unreadable.
func TestPropertyDamage(t *testing.T) {
	line := []byte("7: gw1: Mar  7 2027 08:15:30.250 UTC: %TOLL-6-CALL: %[ip=192.0.2.4]: Call up")
	clock, header := bytes.Index(line, []byte("08:")), bytes.Index(line, []byte("TOLL"))
	rapid.Check(t, func(t *rapid.T) {
		i := rapid.IntRange(0, len(line)-1).Filter(func(i int) bool { return i < clock || i > header }).Draw(t, "at")
		damaged := bytes.Clone(line)
		damaged[i] = rapid.Byte().Draw(t, "octet")
		var r Record
		if !Parse(damaged, receivedOwn, &r, Options{}) {
			t.Fatalf("%q was refused", damaged)
		}
	})
}
