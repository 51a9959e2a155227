package personality

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestPhrasesAgreeWithContains holds the one-pass search to a plain one.
func TestPhrasesAgreeWithContains(t *testing.T) {
	alphabet := rapid.SampledFrom([]byte("aAbB-% 1\xff"))
	rapid.Check(t, func(t *rapid.T) {
		var phrases []Phrase
		for range rapid.IntRange(0, 40).Draw(t, "n") {
			text := rapid.SliceOfN(alphabet, MinPhrase, 14).Draw(t, "phrase")
			phrases = append(phrases, Phrase{string(text), rapid.Bool().Draw(t, "fold")})
		}
		f := NewPhrases(phrases)
		for range 4 {
			text := rapid.SliceOfN(alphabet, 0, 80).Draw(t, "text")
			if len(phrases) > 0 && rapid.Bool().Draw(t, "plant") {
				text = append(text, rapid.SampledFrom(phrases).Draw(t, "planted").Text...)
			}
			var want []int32
			for i, p := range phrases {
				if p.Contains(text) {
					want = append(want, int32(i))
				}
			}
			got := f.Append(nil, text)
			slices.Sort(got)
			if got = slices.Compact(got); !slices.Equal(got, want) {
				t.Fatalf("text %q phrases %+v: got %v, want %v", text, phrases, got, want)
			}
		}
	})
}

func TestPhrasesShort(t *testing.T) {
	f := NewPhrases([]Phrase{{Text: "ab"}, {Text: ""}, {Text: "abc"}})
	if got := f.Append(nil, []byte("xxabc")); !slices.Equal(got, []int32{2}) {
		t.Errorf("got %v, want the third phrase alone", got)
	}
	if got := NewPhrases(nil).Append(nil, []byte("abc")); got != nil {
		t.Errorf("no phrases: got %v", got)
	}
}
