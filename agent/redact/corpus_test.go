package redact_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"callhome/agent/redact"
	"callhome/callhometest"
)

// Real log lines carry next to no secrets: masking must leave them alone, whoever wrote them. Two products
// log the token of a session.
func TestCorpusLogLinesStay(t *testing.T) {
	root := callhometest.Corpus(t, "testdata", "syslog")
	lines, changed := 0, 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), "LICENSE") {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		before := strings.Split(string(b), "\n")
		after := strings.Split(redact.Text(redact.Config{}, string(b)), "\n")
		lines += len(before)
		for i := range min(len(before), len(after)) {
			if before[i] != after[i] && !strings.Contains(before[i], "token=") { // a session's token is a secret
				changed++
				t.Logf("%s:%d\n- %s\n+ %s", filepath.Base(path), i+1, before[i], after[i])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if lines < 1000 {
		t.Fatalf("only %d lines were read", lines)
	}
	if changed > 0 {
		t.Errorf("%d of %d lines were changed", changed, lines)
	}
}
