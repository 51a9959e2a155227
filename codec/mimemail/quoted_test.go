package mimemail

import (
	"bytes"
	"io"
	"math/rand/v2"
	"mime/quotedprintable"
	"strings"
	"testing"
)

// TestQuotedAgainstTheLibrary writes texts full of what must be quoted, and has the library read them.
func TestQuotedAgainstTheLibrary(t *testing.T) {
	words := []string{"a", "From ", ".", "=", " ", "\t", "\n", "\r", "hello world ", "é", strings.Repeat("x", 28), "F", " \n", "\x00"}
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		var body []byte
		for range 1 + r.IntN(30) {
			body = append(body, words[r.IntN(len(words))]...)
		}
		body = append(bytes.TrimRight(body, "\r\n"), '\n')
		written := appendQuoted(nil, body)
		for line := range strings.SplitSeq(string(written), "\r\n") {
			if len(line) > quotedLine || strings.HasPrefix(line, ".") || strings.HasPrefix(line, "From ") {
				t.Fatalf("%q: line %q", body, line)
			}
		}
		got, err := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(written)))
		want := strings.ReplaceAll(strings.ReplaceAll(string(body), "\r\n", "\n"), "\n", "\r\n")
		if err != nil || string(got) != want {
			t.Fatalf("%q: got %q (%v)", body, got, err)
		}
	}
}
