package plaintext_test

import (
	"os"
	"strings"
	"testing"

	"callhome"
	"callhome/callhometest"
	"callhome/codec/plaintext"

	"github.com/google/go-cmp/cmp"
)

// The examples of the specification are read, and written again byte for byte.
func TestCorpusExamples(t *testing.T) {
	spec, err := os.ReadFile(callhometest.Corpus(t, "spec", "callhome.md"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i, block := range strings.Split(string(spec), "```") {
		m, err := plaintext.Decode([]byte(block))
		if i%2 == 0 || err != nil {
			continue
		}
		d, err := plaintext.Lookup(m.Dialect)
		if err != nil {
			t.Fatal(err)
		}
		seen[d.Name] = true
		if m.Description == "" || m.EventTime.IsZero() || m.Severity == nil || m.Unknown != nil || m.SystemName == "" {
			t.Errorf("%s: not understood: %+v", d.Name, m)
		}
		if m.Format == callhome.FormatFull && (m.DeviceID == "" || m.Serial == "" || m.Group == "") {
			t.Errorf("%s: the device is missing: %+v", d.Name, m)
		}
		if diff := cmp.Diff(strings.TrimLeft(block, "\n"), string(plaintext.Append(nil, m, d))); diff != "" {
			t.Errorf("%s (-specification +written again):\n%s", d.Name, diff)
		}
	}
	if !seen["A"] || !seen["B"] || !seen["labels"] {
		t.Errorf("only these were found: %v", seen)
	}
}
