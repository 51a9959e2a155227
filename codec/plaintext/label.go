package plaintext

import (
	"bytes"
	"strings"
	"sync"
)

// dialectMask says which dialects know a label.
type dialectMask uint8

const (
	inA dialectMask = 1 << iota
	inB
	inC
	inLabels
)

// labelInfo is what is known of a label, whichever dialect it came in.
type labelInfo struct {
	field    field
	dialects dialectMask
}

// labels finds a label by its lower-case text. It is made when it is first needed: a start does not wait for it.
var labels = sync.OnceValue(indexLabels)

func indexLabels() map[string]labelInfo {
	index := map[string]labelInfo{}
	add := func(mask dialectMask, rows []row) {
		for _, r := range rows {
			key := strings.ToLower(r.label)
			info := index[key]
			index[key] = labelInfo{field: r.field, dialects: info.dialects | mask}
		}
	}
	for mask, l := range map[dialectMask]*layout{inA: &layoutA, inB: &layoutB, inC: &layoutC} {
		for _, rows := range [][]row{l.head, l.chassis, l.unit, l.process, l.output} {
			add(mask, rows)
		}
	}
	add(inLabels, labelRows)
	add(0, synonyms)
	return index
}

// maxLabel is the longest text before a colon that counts as a label, in bytes; longer ones are prose.
const maxLabel = 64

// plausibleLabel reports whether s may be a label nobody told us of: a word or several, beginning with a letter.
func plausibleLabel(s string) bool {
	if s == "" || len(s) > maxLabel || !isLetter(s[0]) {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !isLetter(c) && (c < '0' || c > '9') && strings.IndexByte(" _-./()#", c) < 0 {
			return false
		}
	}
	return true
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// splitLabel splits a line at its first colon, without the blanks before and behind it. free is true for a pair's name that was
// marked as such.
func splitLabel(line []byte) (label string, value []byte, free, ok bool) {
	i := bytes.IndexByte(line, ':')
	if i < 0 || i > maxLabel+1 {
		return "", nil, false, false
	}
	name := string(bytes.TrimSpace(line[:i]))
	if i > 0 && line[0] == plusEscape {
		return name[1:], bytes.TrimLeft(line[i+1:], " \t"), true, true
	}
	if _, known := labels()[strings.ToLower(name)]; !known && !plausibleLabel(name) {
		return "", nil, false, false
	}
	return name, bytes.TrimLeft(line[i+1:], " \t"), false, true
}

// isMark reports whether a line's label is that of a section mark.
func isMark(label string) bool {
	_, _, ok := sectionMark(label)
	return ok
}

// sectionMark reads "start chassis information" and "end chassis information".
func sectionMark(label string) (section string, start, ok bool) {
	word, rest, _ := strings.Cut(strings.ToLower(label), " ")
	section, isSection := strings.CutSuffix(rest, strings.TrimSuffix(sectionTrailing, ":"))
	if !isSection || word != "start" && word != "end" {
		return "", false, false
	}
	return strings.TrimSpace(section), word == "start", true
}

const outputLabel = "command output"

// looksLikeOutput reports whether a line, blanks in front aside, reads as the label that begins an output.
func looksLikeOutput(line []byte) bool {
	_, ok := outputStart(bytes.TrimLeft(line, " "))
	return ok
}

// outputStart reads "Command Output Name :" (named) or "Command Output :" at the very start of a line.
func outputStart(line []byte) (named, ok bool) {
	if len(line) <= len(outputLabel) || line[0]|0x20 != 'c' || !strings.EqualFold(string(line[:len(outputLabel)]), outputLabel) {
		return false, false
	}
	rest := bytes.TrimLeft(line[len(outputLabel):], " \t")
	if len(rest) > 4 && strings.EqualFold(string(rest[:4]), "name") {
		named, rest = true, bytes.TrimLeft(rest[4:], " \t")
	}
	return named, len(rest) > 0 && rest[0] == ':'
}

func containsOutputLabel(text []byte) bool {
	for len(text) > 0 {
		if looksLikeOutput(text) { // the label ends at a colon, so what follows the line does not matter
			return true
		}
		i := bytes.IndexByte(text, '\n')
		if i < 0 {
			return false
		}
		text = text[i+1:]
	}
	return false
}
