package syslog_test

import (
	"bytes"
	"os"
	"testing"
)

// TestShapes holds the parser to testdata/shapes.txt: a line of a device or relay, and indented under it what a reader
// would say of it.
func TestShapes(t *testing.T) {
	const name = "testdata/shapes.txt"
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	var raw, got string
	rows := 0
	for row := range bytes.Lines(content) {
		row = bytes.TrimSuffix(row, []byte("\n"))
		want, reading := bytes.CutPrefix(row, []byte("\t"))
		if !reading {
			raw, got = string(row), brief(parse(string(row)))
			rows++
			out.WriteString(raw + "\n\t" + got + "\n")
			continue
		}
		if string(want) != got && !*update {
			t.Errorf("%s\n got %s\nwant %s", raw, got, want)
		}
	}
	if rows < 100 {
		t.Errorf("%s has only %d lines", name, rows)
	}
	if *update {
		if err := os.WriteFile(name, out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
