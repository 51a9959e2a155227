package ciscolog

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"callhome"
)

// sentText is what arrives of a text that is split: control characters replaced, empty lines as one space, no line ends
// at its end.
func sentText(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\r\n"), "\n")
	if len(lines) == 1 {
		return string(appendClean(nil, lines[0]))
	}
	for i, l := range lines {
		if lines[i] = string(appendClean(nil, strings.TrimSuffix(l, "\r"))); lines[i] == "" {
			lines[i] = " "
		}
	}
	return strings.Join(lines, "\n")
}

// rejoin parses lines strictly, in the order given, and puts them together.
func rejoin(t testing.TB, lines [][]byte) []Joined {
	t.Helper()
	var a Assembler
	var done []Joined
	for _, line := range lines {
		var r Record
		if v := ParseStrict(line, &r); v != nil {
			t.Fatalf("%q: %v", line, v)
		}
		done, _ = a.Add(done, "peer", &r, receivedOwn)
	}
	return done
}

func TestSplitShortText(t *testing.T) {
	f := good()
	f.Text += "\r\n\n"
	lines, err := Split(f)
	if err != nil || len(lines) != 1 {
		t.Fatalf("got %d lines, %v", len(lines), err)
	}
	f.Text = "Link lost"
	want, _ := Append(nil, f)
	if string(lines[0]) != string(want) {
		t.Errorf("got %s", lines[0])
	}
}

func TestSplitLines(t *testing.T) {
	f := good()
	f.Seq = MaxSeq
	f.Tags = append(f.Tags, callhome.Tag{Key: "txn", Value: "7"})
	f.Text = "one\r\n\nthree"
	lines, err := Split(f)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"4294967295: gw1: Mar  7 2027 08:15:30.250 +0000: %TOLL-4-LINK: %[pname.orig=tolld][txn=7][part=4294967295.1/3]: one",
		"0: gw1: Mar  7 2027 08:15:30.250 +0000: %TOLL-4-LINK: %[pname.orig=tolld][part=4294967295.2/3]:  ",
		"1: gw1: Mar  7 2027 08:15:30.250 +0000: %TOLL-4-LINK: %[pname.orig=tolld][part=4294967295.3/3]: three",
	}
	for i, line := range lines {
		if i >= len(want) || string(line) != want[i] {
			t.Errorf("part %d: %q", i+1, line)
		}
	}
	if done := rejoin(t, lines); len(done) != 1 || string(done[0].Record.Text) != "one\n \nthree" {
		t.Errorf("got %+v", done)
	}
}

func TestSplitLongLine(t *testing.T) {
	f := good()
	f.HasPRI, f.PRI = true, 188
	f.Text = strings.Repeat("語", 1000) + "\n%[x=1]: not tags"
	lines, err := Split(f)
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range lines {
		if len(line) > MaxLengthPRI {
			t.Errorf("part %d has %d octets", i+1, len(line))
		}
		if wrap := strings.Contains(string(line), "[wrap=1]"); wrap != (i > 0 && i < len(lines)-1) {
			t.Errorf("part %d: wrap %v", i+1, wrap)
		}
	}
	if done := rejoin(t, lines); len(done) != 1 || string(done[0].Record.Text) != f.Text {
		t.Errorf("did not come back: %+v", done)
	}
}

func TestSplitDropsOptionalTags(t *testing.T) {
	f := good()
	for i := range 12 {
		f.Tags = append(f.Tags, callhome.Tag{Key: fmt.Sprintf("k%02d", i), Value: strings.Repeat("v", 60)})
	}
	f.Text = "first\nsecond"
	lines, err := Split(f)
	if err != nil {
		t.Fatal(err)
	}
	first := string(lines[0])
	if !strings.Contains(first, "[k00=") || strings.Contains(first, "[k11=") || !strings.Contains(first, "[pname.orig=tolld]") {
		t.Errorf("tags of the first part: %s", first)
	}
	if got := rejoin(t, lines); string(got[0].Record.Text) != f.Text {
		t.Errorf("got %q", got[0].Record.Text)
	}
}

func TestSplitManyTags(t *testing.T) {
	f := good()
	for range 20_000 {
		f.Tags = append(f.Tags, callhome.Tag{Key: "k", Value: "v"})
	}
	lines, err := Split(f)
	if err != nil || len(lines) != 1 {
		t.Fatalf("got %d lines, %v", len(lines), err)
	}
	if n := strings.Count(string(lines[0]), "[k=v]"); n < 100 || n > 160 {
		t.Errorf("%d of the tags were kept", n)
	}
}

func TestSplitCutsBeyondTheLimit(t *testing.T) {
	f := good()
	f.Text = strings.Repeat("x\n", MaxParts+1)
	lines, err := Split(f)
	if err != nil || len(lines) != MaxParts {
		t.Fatalf("got %d parts, %v", len(lines), err)
	}
	if last := string(lines[MaxParts-1]); !strings.HasSuffix(last, "[part=30.999/999]: (2 more octets left out)") {
		t.Errorf("last part: %s", last)
	}
}

func TestSplitRefuses(t *testing.T) {
	for _, tc := range []struct {
		field  string
		change func(f *Fields)
	}{
		{"tags[1].key", func(f *Fields) { f.Tags = append(f.Tags, callhome.Tag{Key: "part", Value: "30.1/2"}) }},
		{"tags[1].key", func(f *Fields) { f.Tags = append(f.Tags, callhome.Tag{Key: "wrap", Value: "1"}) }},
		{"tags", func(f *Fields) { f.Tags[0].Value = strings.Repeat("p", 700) }},
		{"message", func(f *Fields) { f.Text = "\n" }},
		{"message", func(f *Fields) { f.Text = "a\nb\xff" }},
		{"host", func(f *Fields) { f.Host = "a: b" }},
	} {
		f := good()
		f.Text = "a\nb"
		tc.change(&f)
		lines, err := Split(f)
		var fe *FieldError
		if !errors.As(err, &fe) || fe.Field != tc.field || lines != nil {
			t.Errorf("%s: got %d lines, %v", tc.field, len(lines), err)
		}
	}
}

// parts gives the records of a text of n lines.
func parts(t testing.TB, seq uint32, n int) []Record {
	t.Helper()
	f := good()
	f.Seq = seq
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "line %d\n", i+1)
	}
	f.Text = text.String()
	lines, err := Split(f)
	if err != nil {
		t.Fatal(err)
	}
	records := make([]Record, len(lines))
	for i, line := range lines {
		if !Parse(line, receivedOwn, &records[i], Options{}) {
			t.Fatalf("%s", line)
		}
	}
	return records
}

func TestAssemblerGivesUp(t *testing.T) {
	var a Assembler
	p := parts(t, 10, 4)
	done, _ := a.Add(nil, "peer", &p[3], receivedOwn)
	done, _ = a.Add(done, "peer", &p[1], receivedOwn.Add(time.Second))
	if at := a.Deadline(); !at.Equal(receivedOwn.Add(TimeoutUDP)) {
		t.Errorf("deadline %s", at)
	}
	done = a.Expire(done, receivedOwn.Add(TimeoutUDP-1))
	if len(done) != 0 {
		t.Fatalf("too early: %+v", done)
	}
	done = a.Expire(done, receivedOwn.Add(TimeoutUDP))
	if len(done) != 1 || !a.Deadline().IsZero() {
		t.Fatalf("got %+v", done)
	}
	j := done[0]
	if fmt.Sprint(j.Missing) != "[1 3]" || j.Total != 4 || len(j.Parts) != 2 || !j.Record.Flags.Has(FlagIncomplete) ||
		string(j.Record.Text) != "line 2\nline 4" || j.Peer != "peer" || !j.First.Equal(receivedOwn) {
		t.Errorf("got %+v", j)
	}
}

func TestAssemblerKeepsItsOwnCopy(t *testing.T) {
	var a Assembler
	p := parts(t, 10, 2)
	done, _ := a.Add(nil, "peer", &p[0], receivedOwn)
	clear(p[0].Raw)
	done, _ = a.Add(done, "peer", &p[1], receivedOwn)
	if len(done) != 1 || string(done[0].Record.Text) != "line 1\nline 2" || string(done[0].Record.Host) != "gw1" {
		t.Fatalf("got %+v", done)
	}
	c := done[0].Record.Clone() // its text is not in its line
	if string(c.Text) != "line 1\nline 2" || string(c.App) != "TOLL" {
		t.Errorf("clone %+v", c)
	}
}

func TestAssemblerDuplicates(t *testing.T) {
	var a Assembler
	p := parts(t, 10, 2)
	other := p[0].Clone()
	other.Text = []byte("another text")
	done, _ := a.Add(nil, "peer", &p[0], receivedOwn)
	done, _ = a.Add(done, "peer", &p[0], receivedOwn)
	done, _ = a.Add(done, "peer", &other, receivedOwn)
	done, _ = a.Add(done, "peer", &p[1], receivedOwn)
	done, _ = a.Add(done, "peer", &p[1], receivedOwn) // comes twice after all: no new message
	done = a.Flush(done)
	if len(done) != 1 || done[0].Record.Flags != FlagDupPart || string(done[0].Record.Text) != "line 1\nline 2" {
		t.Errorf("got %+v", done)
	}
}

func TestAssemblerTellsMessagesApart(t *testing.T) {
	var a Assembler
	p, q := parts(t, 10, 2), parts(t, 12, 2)
	var done []Joined
	for i := range 2 {
		done, _ = a.Add(done, "peer", &p[i], receivedOwn)
		done, _ = a.Add(done, "peer", &q[i], receivedOwn)
		done, _ = a.Add(done, "another peer", &p[i], receivedOwn)
	}
	if len(done) != 3 {
		t.Errorf("got %d messages", len(done))
	}
	plain := Record{}
	if _, ok := a.Add(nil, "peer", &plain, receivedOwn); ok {
		t.Error("a message without parts was taken")
	}
	huge := p[0].Clone()
	huge.Part.Total = maxTotal + 1
	if _, ok := a.Add(nil, "peer", &huge, receivedOwn); ok {
		t.Error("an unbelievable total was taken")
	}
}

func TestAssemblerHostSpelling(t *testing.T) {
	var a Assembler
	p := parts(t, 10, 2)
	p[1].Host = []byte("GW1.")
	done, _ := a.Add(nil, "peer", &p[0], receivedOwn)
	if done, _ = a.Add(done, "peer", &p[1], receivedOwn); len(done) != 1 {
		t.Errorf("got %d messages", len(done))
	}
}

func TestAssemblerBounds(t *testing.T) {
	a := Assembler{MaxGroups: 3}
	var done []Joined
	for i := range 5 {
		p := parts(t, uint32(100*i), 2)
		done, _ = a.Add(done, "peer", &p[0], receivedOwn)
	}
	if len(done) != 2 || done[0].Record.Seq != 0 || done[1].Record.Seq != 100 {
		t.Errorf("by groups: %d given up", len(done))
	}
	a = Assembler{MaxBytes: 3000}
	done = nil
	for i := range 20 {
		p := parts(t, uint32(100*i), 2)
		done, _ = a.Add(done, "peer", &p[0], receivedOwn)
		if a.bytes > 3000 {
			t.Fatalf("holds %d octets", a.bytes)
		}
	}
	if done = a.Flush(done); len(done) != 20 || a.bytes != 0 || len(a.groups) != 0 {
		t.Errorf("by octets: %d messages, %d octets, %d groups left", len(done), a.bytes, len(a.groups))
	}
}
