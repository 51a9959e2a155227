package aml

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"callhome/callhometest"
)

// xmllint checks documents against the schema and gives what it says of those that are not valid.
func xmllint(t *testing.T, files []string) (string, error) {
	t.Helper()
	tool, err := exec.LookPath("xmllint")
	if err != nil {
		t.Fatal("xmllint is missing: install libxml2-utils (make test does)")
	}
	schema := filepath.Join(callhometest.Root(t), "docs", "formats", "callhome-message.xsd")
	out, err := exec.Command(tool, append([]string{"--nonet", "--noout", "--schema", schema}, files...)...).CombinedOutput()
	return string(out), err
}

// TestSchema holds what Append writes to the schema that is published for it.
func TestSchema(t *testing.T) {
	files, err := filepath.Glob("testdata/emitted/*.xml")
	if err != nil || len(files) < 16 {
		t.Fatalf("got %d emitted documents, want 16 (%v)", len(files), err)
	}
	if out, err := xmllint(t, files); err != nil {
		t.Errorf("xmllint: %v\n%s", err, out)
	}
}

// TestSchemaRandom does so for messages full of hostile bytes, and through the other eyes of libxml2.
func TestSchemaRandom(t *testing.T) {
	dir := t.TempDir()
	var files []string
	draw := rapid.Custom(func(t *rapid.T) []byte {
		v := rapid.SampledFrom(variants[:]).Draw(t, "variant")
		doc, err := Append(nil, drawMessage(t, v, hostileText), v)
		if err != nil {
			t.Fatal(err)
		}
		return doc
	})
	for i := range 200 {
		file := filepath.Join(dir, fmt.Sprintf("%03d.xml", i))
		if err := os.WriteFile(file, draw.Example(i), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	out, err := xmllint(t, files)
	if err != nil {
		t.Fatalf("xmllint: %v\n%s", err, out)
	}
	if got := strings.Count(out, " validates"); got != len(files) {
		t.Errorf("got %d valid documents, want %d\n%s", got, len(files), out)
	}
}

// TestSchemaIsStrict breaks one thing at a time: the schema must notice.
func TestSchemaIsStrict(t *testing.T) {
	doc, err := Append(nil, fullMessage(), variants[0])
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"severity of ten":    {"<aml-block:Severity>5<", "<aml-block:Severity>10<"},
		"time without year":  {"<ch:EventTime>2026-", "<ch:EventTime>"},
		"no device ID":       {"<ch:DeviceId>LABRTR@C@TSTA2711X9Q</ch:DeviceId>\n", ""},
		"order of the event": {"<ch:SubType>minor</ch:SubType>\n<ch:Brand>Lab Networks</ch:Brand>", "<ch:Brand>Lab Networks</ch:Brand>\n<ch:SubType>minor</ch:SubType>"},
		"truth value":        {"<aml-block:IsLast>true<", "<aml-block:IsLast>yes<"},
		"message ID":         {"M41:TSTA2711X9Q:6A2CE9F4<", "M41:TSTA2711X9Q<"},
		"encoding":           {`encoding="plain"`, `encoding="gzip"`},
		"foreign element":    {"</ch:CallHome>", "<ch:Extra/></ch:CallHome>"},
		"type":               {"callhome/environment<", "callhome/Environment Alert<"},
	} {
		t.Run(name, func(t *testing.T) {
			broken := strings.Replace(string(doc), change[0], change[1], 1)
			if broken == string(doc) {
				t.Fatalf("%q is not in the document", change[0])
			}
			file := filepath.Join(t.TempDir(), "broken.xml")
			if err := os.WriteFile(file, []byte(broken), 0o600); err != nil {
				t.Fatal(err)
			}
			if out, err := xmllint(t, []string{file}); err == nil {
				t.Errorf("the schema accepts it: %s", out)
			}
		})
	}
}

// TestDocumentedExamples reads the examples of the document: they must be what it says they are.
func TestDocumentedExamples(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(callhometest.Root(t), "docs", "formats", "aml.md"))
	if err != nil {
		t.Fatal(err)
	}
	var examples []string
	for _, part := range strings.Split(string(page), "```xml\n")[1:] {
		example, _, _ := strings.Cut(part, "```")
		examples = append(examples, example)
	}
	if len(examples) != 3 {
		t.Fatalf("got %d examples, want a message, an MML document and an answer", len(examples))
	}
	file := filepath.Join(t.TempDir(), "example.xml")
	if err := os.WriteFile(file, []byte(examples[0]), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := xmllint(t, []string{file}); err != nil {
		t.Errorf("xmllint: %v\n%s", err, out)
	}
	for _, example := range examples[:2] {
		m, err := Decode([]byte(example), Options{Strict: true})
		if err != nil {
			t.Fatal(err)
		}
		if len(m.Unknown) > 0 {
			t.Errorf("not understood: %v", m.Unknown)
		}
	}
	if want := string(AppendAck(nil, "M41:TSTA2711X9Q:6A2CE9F4", ResultAccepted)); examples[2] != want {
		t.Errorf("got answer\n%s\nwant\n%s", examples[2], want)
	}
}
