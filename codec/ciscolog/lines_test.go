package ciscolog

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// receivedOwn is when the lines of testdata/lines.txt were received.
var receivedOwn = time.Date(2027, 3, 7, 8, 16, 0, 0, time.UTC)

type namedLine struct {
	name string
	line []byte
}

func ownLines(t testing.TB) []namedLine {
	t.Helper()
	text, err := os.ReadFile("testdata/lines.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all []namedLine
	for row := range strings.Lines(string(text)) {
		if strings.HasPrefix(row, "#") {
			continue
		}
		name, quoted, _ := strings.Cut(strings.TrimSpace(row), "\t")
		line, err := strconv.Unquote(quoted)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all = append(all, namedLine{name, []byte(line)})
	}
	return all
}

// describe writes all of a record, one field a line, without what is empty.
func describe(w *bytes.Buffer, r *Record) {
	text := func(name string, b []byte) {
		if b != nil {
			fmt.Fprintf(w, "  %s: %.90q\n", name, b)
		}
	}
	if r.PRI >= 0 {
		fmt.Fprintf(w, "  pri: %d\n", r.PRI)
	}
	if r.HasSeq {
		fmt.Fprintf(w, "  seq: %d\n", r.Seq)
	}
	if c := r.RelayCounters(); len(c) > 0 {
		fmt.Fprintf(w, "  relay counters: %d\n", c)
	}
	text("relay time", r.RelayTime)
	text("relay host", r.RelayHost)
	text("relay tag", r.RelayTag)
	text("host", r.Host)
	if best, from := r.BestHost(); from != HostFromHeader {
		fmt.Fprintf(w, "  best host: %q by %q\n", best, from)
	}
	text("stamp", r.Stamp)
	fmt.Fprintf(w, "  time: %s by %s, precision %s, %s\n", r.Time.Format(time.RFC3339Nano), r.TimeSource, r.Precision, r.Accuracy)
	if r.Zone != nil {
		fmt.Fprintf(w, "  zone: %q, offset %d, known %v\n", r.Zone, r.Offset, r.OffsetKnown)
	}
	fmt.Fprintf(w, "  header: %q %d %q\n", r.App, r.Severity, r.Name)
	text("sub", r.Sub)
	for _, tag := range r.AppendTags(nil) {
		fmt.Fprintf(w, "  tag: %q = %q\n", tag.Key, tag.Value)
	}
	text("text", r.Text)
	if r.HasUptime {
		fmt.Fprintf(w, "  uptime: %s\n", r.Uptime)
	}
	if r.HasPart {
		fmt.Fprintf(w, "  part: %+v\n", r.Part)
	}
	fmt.Fprintf(w, "  dialect: %q, flags: %s\n", r.Dialect(), r.Flags)
}

// TestLines holds every line of testdata/lines.txt to what both parsers made of it before.
func TestLines(t *testing.T) {
	var got bytes.Buffer
	for _, l := range ownLines(t) {
		fmt.Fprintf(&got, "%s\n", l.name)
		var r Record
		if v := ParseStrict(l.line, &r); v != nil {
			fmt.Fprintf(&got, "  strict: %s at %d\n", v.Rule, v.Column)
		} else {
			fmt.Fprintln(&got, "  strict: valid")
		}
		if Parse(l.line, receivedOwn, &r, Options{}) {
			describe(&got, &r)
		} else {
			fmt.Fprintln(&got, "  not CiscoLog")
		}
	}
	const path = "testdata/lines.golden"
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("(-want +got; -update writes the file anew)\n%s", diff)
	}
	for _, rule := range Rules() {
		if !bytes.Contains(want, []byte(string(rule)+" at ")) {
			t.Errorf("no line breaks %s", rule)
		}
		if ruleTexts[rule] == "" {
			t.Errorf("%s has no message", rule)
		}
	}
	for _, name := range (^(FlagIncomplete | FlagDupPart) & (1<<len(flagNames) - 1)).AppendNames(nil) {
		if !bytes.Contains(want, []byte(name)) {
			t.Errorf("no line has flag %s", name)
		}
	}
}
