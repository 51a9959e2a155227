// Package callhometest holds what tests of several rooms share: where test corpora lie, and builders of values. No
// product code imports it.
package callhometest

import (
	"os"
	"path/filepath"
	"testing"
)

// corpusEnv overrides where the corpora are looked for.
const corpusEnv = "CALLHOME_CORPUS"

// Corpus returns the path of a folder or file of the corpora that are kept beside the checkout, not in it. A test that
// calls it is named TestCorpus…; where the corpora are not there it is skipped and says so.
func Corpus(t testing.TB, elem ...string) string {
	t.Helper()
	base := os.Getenv(corpusEnv)
	if base == "" {
		base = filepath.Join(Root(t), "..", "shared")
	}
	path := filepath.Join(append([]string{base}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the corpora are not beside this checkout (set %s to their folder to run this test): %v", corpusEnv, err)
	}
	return path
}

// Root is the module's top folder.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above the test's folder")
		}
		dir = parent
	}
}
