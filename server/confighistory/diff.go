package confighistory

import (
	"slices"
	"strings"

	"callhome/secrets"

	"github.com/aymanbagabas/go-udiff"
)

// changedMark stands in a difference for a secret that is another one than before.
const changedMark = "<removed, changed>"

// contextLines is how much is shown around a change, as diff -u does.
const contextLines = 3

// maxDiffLines bounds what two texts are compared by line for; beyond it only their sizes are told.
const maxDiffLines = 400_000

// Unified is the difference between two configurations in the form of diff -u, "" when there is none. What changes by
// itself is left out. Masked, a secret that was only encoded anew makes no line, and one that changed is marked.
func Unified(fromLabel, toLabel, from, to string, unmasked bool) string {
	from, to = settle(from), settle(to)
	if !unmasked {
		from, to = maskPair(from, to)
	}
	if strings.Count(from, "\n")+strings.Count(to, "\n") > maxDiffLines {
		return "--- " + fromLabel + "\n+++ " + toLabel + "\n(too long to be compared line by line)\n"
	}
	text, err := udiff.ToUnified(fromLabel, toLabel, from, udiff.Lines(from, to), contextLines)
	if err != nil { // edits of our own always fit
		return ""
	}
	return text
}

// Mask is a configuration without its secrets.
func Mask(text string) string { return secrets.Mask(text) }

// maskPair masks two texts. Of lines that look the same once masked, those whose secret is not one of the other text's
// are marked in the second one.
func maskPair(from, to string) (maskedFrom, maskedTo string) {
	maskedFrom, maskedTo = Mask(from), Mask(to)
	meaning := func(text string) []string {
		return strings.Split(canonicalTable.Apply(text, canonicalSet, func(r *secrets.Rule, v string) string {
			word, _ := canonicalSecret(r.Name, v)
			return word
		}), "\n")
	}
	a, b := strings.Split(maskedFrom, "\n"), strings.Split(maskedTo, "\n")
	ma, mb := meaning(from), meaning(to)
	if len(a) != len(ma) || len(b) != len(mb) { // the two tables took different blocks away: be content with the masks
		return maskedFrom, maskedTo
	}
	known := map[string][]string{}
	for i, line := range a {
		if strings.Contains(line, secrets.Removed) {
			known[line] = append(known[line], ma[i])
		}
	}
	for i, line := range b {
		was, there := known[line]
		if there && !slices.Contains(was, mb[i]) {
			b[i] = strings.Replace(line, secrets.Removed, changedMark, 1)
		}
	}
	return maskedFrom, strings.Join(b, "\n")
}

// countChanges counts the lines that a difference adds and removes.
func countChanges(diff string) (added, removed int) {
	for i, line := range strings.Split(diff, "\n") {
		switch {
		case i < 2:
		case strings.HasPrefix(line, "+"):
			added++
		case strings.HasPrefix(line, "-"):
			removed++
		}
	}
	return added, removed
}
