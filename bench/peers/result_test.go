package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestVerdicts(t *testing.T) {
	for _, c := range []struct{ got, want Verdict }{
		{atMost(0.1, 0.3, 0.16), Stretch}, {atMost(0.3, 0.3, 0.16), Met}, {atMost(0.31, 0.3, 0.16), Missed},
		{atLeast(2, 1.5, 2), Stretch}, {atLeast(1.5, 1.5, 2), Met}, {atLeast(1, 1.5, 2), Missed},
		{worst(Stretch, Missed, Met), Missed}, {worst(Stretch, Met), Met},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestResultsOfARowAreReplacedTogether(t *testing.T) {
	var r results
	r.replace("1", []Result{{Figure: "a"}, {Row: "2", Figure: "b"}}, false)
	r.replace("2", []Result{{Row: "2b", Figure: "c"}}, false)
	r.replace("1", []Result{{Figure: "d"}}, true)
	var got []string
	for _, x := range r.Rows {
		got = append(got, x.Row+x.Figure)
	}
	if s := strings.Join(got, " "); s != "1d 2bc" {
		t.Errorf("got %s", s)
	}
}

func TestTheDocumentKeepsWhatIsAround(t *testing.T) {
	path := filepath.Join(t.TempDir(), "doc.md")
	if err := os.WriteFile(path, []byte("head\n"+beginMark+"\nold\n"+endMark+"\nfoot\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := results{Rows: []Result{{Row: "1", Figure: "thing", Verdict: Missed}}}
	if err := r.writeDocument(path, "no such program"); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	if !strings.HasPrefix(text, "head\n") || !strings.HasSuffix(text, "\nfoot\n") || strings.Contains(text, "old") || !strings.Contains(text, "**missed**") {
		t.Errorf("got %s", text)
	}
}

func TestChoose(t *testing.T) {
	if _, err := choose("1,99"); err == nil || !strings.Contains(err.Error(), "99") {
		t.Errorf("got %v, want a complaint about 99", err)
	}
	if all, err := choose(""); err != nil || len(all) != len(rows) {
		t.Errorf("got %d rows, %v", len(all), err)
	}
}
