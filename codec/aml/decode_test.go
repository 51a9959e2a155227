package aml

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"callhome"
	"callhome/callhometest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with the file, or writes the file under -update.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got; run with -update to accept):\n%s", path, diff)
	}
}

// sample reads one of the sample documents.
func sample(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "samples", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSamples(t *testing.T) {
	files, err := filepath.Glob("testdata/samples/*.xml")
	if err != nil || len(files) < 6 {
		t.Fatalf("got %d samples, want at least 6 (%v)", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			msgs, err := DecodeAll(sample(t, filepath.Base(file)), Options{})
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			enc := json.NewEncoder(&out)
			enc.SetIndent("", "  ")
			enc.SetEscapeHTML(false)
			for i := range msgs {
				if err := enc.Encode(msgs[i]); err != nil {
					t.Fatal(err)
				}
			}
			golden(t, strings.TrimSuffix(file, ".xml")+".json", out.Bytes())
		})
	}
}

func TestDecodeFirstOfSeveral(t *testing.T) {
	m, err := Decode(sample(t, "iosxr-inventory-delta.xml"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if m.Block == nil || m.Block.Number != 0 || m.Block.IsLast {
		t.Errorf("got block %+v, want the first, not the last", m.Block)
	}
	if diff := cmp.Diff([]string{FlagMoreBlocks}, m.Flags); diff != "" {
		t.Errorf("flags (-want +got):\n%s", diff)
	}
}

// TestCorpusDocuments reads the whole documents of the specification: an IOS XE one and an MML one.
func TestCorpusDocuments(t *testing.T) {
	page, err := os.ReadFile(callhometest.Corpus(t, "spec", "callhome.md"))
	if err != nil {
		t.Fatal(err)
	}
	dialects := make(map[string]int)
	for _, part := range strings.Split(string(page), "```xml\n")[1:] {
		doc, _, _ := strings.Cut(part, "```")
		if !strings.HasPrefix(doc, "<?xml") {
			continue
		}
		m, err := Decode([]byte(doc), Options{Strict: true})
		if err != nil {
			t.Errorf("%v in\n%s", err, doc)
			continue
		}
		dialects[m.Dialect]++
		if len(m.Unknown) > 0 || m.Group != callhome.GroupSyslog || m.Severity == nil || m.DeviceID.Serial() != m.Serial ||
			m.Serial == "" || m.ContactEmail == "" || m.ContactPhone == "" || m.SWVersion == "" || m.EventTime.Year() != 2026 {
			t.Errorf("not all was understood: %+v", m)
		}
	}
	if diff := cmp.Diff(map[string]int{"ios": 1, "mds": 1}, dialects); diff != "" {
		t.Errorf("dialects (-want +got):\n%s", diff)
	}
}
