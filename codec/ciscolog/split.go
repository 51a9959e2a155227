package ciscolog

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"callhome"
)

// Limits of messages in parts.
const (
	MaxParts = 999 // parts Split makes; what is longer is cut, and its last part says so
	minRoom  = 64  // octets of text a part must have room for; optional tags give way to it
)

// longestPart is the widest value of the tag part that Split writes.
const longestPart = "4294967295.999/999"

// Split writes f as one line if it fits, and else as parts: each line of the text is a part of its own, and a line that
// does not fit is cut between characters, with the tag wrap=1 on the piece that follows. Part n has the sequence number
// f.Seq+n-1, so the caller's next number is f.Seq plus the number of lines returned; take the numbers and write the lines
// under one lock, so that no other message comes between. All tags are on the first part, as far as they leave room; the
// others have pname.orig only. Line ends at the end of the text are left off, an empty line is written as one space, and
// what goes beyond MaxParts is left out, which the last part says.
func Split(f Fields) ([][]byte, error) {
	f.Text = strings.TrimRight(f.Text, "\r\n")
	if strings.IndexByte(f.Text, '\n') < 0 {
		line, err := appendLine(nil, &f)
		if err != nil {
			return nil, err
		}
		limit := MaxLength
		if f.HasPRI {
			limit += priLen(f.PRI)
		}
		if len(line) <= limit {
			return [][]byte{line}, nil
		}
	}
	s, err := newSplitter(&f)
	if err != nil {
		return nil, err
	}
	s.cut(f.Text)
	s.limit()
	return s.lines(&f)
}

// piece is the text of one part.
type piece struct {
	text string
	wrap bool // goes on with the line of the piece before
}

// splitter cuts one text.
type splitter struct {
	first     []callhome.Tag // tags of the first part
	rest      []callhome.Tag // tags of the others
	firstRoom int            // octets of text the first part has room for
	restRoom  int
	pieces    []piece
}

// newSplitter finds out which tags go where and how much text that leaves.
func newSplitter(f *Fields) (*splitter, error) {
	s := &splitter{}
	for i, tag := range f.Tags {
		switch tag.Key {
		case keyPart, keyWrap:
			return nil, fieldErrorf(fmt.Sprintf("tags[%d].key", i), "%s is set by the splitting itself; leave it out", tag.Key)
		case keyPname:
			s.rest = append(s.rest, tag)
		}
	}
	var err error
	if s.restRoom, err = room(f, s.rest); err != nil {
		return nil, err
	}
	if s.restRoom < minRoom {
		return nil, fieldErrorf("tags", "%s leaves %d octets of a part for the text, %d are needed; shorten it", keyPname, s.restRoom, minRoom)
	}
	s.first = slices.Clone(f.Tags)
	if s.firstRoom, err = room(f, s.first); err != nil {
		return nil, err
	}
	for i := len(s.first) - 1; i >= 0 && s.firstRoom < minRoom; i-- {
		if tag := s.first[i]; tag.Key != keyPname {
			s.firstRoom += len(appendTag(nil, tag))
			s.first = slices.Delete(s.first, i, i+1)
		}
	}
	return s, nil
}

// room is how many octets of text fit into a part with these tags, whatever its numbers are.
func room(f *Fields, tags []callhome.Tag) (int, error) {
	widest := *f
	widest.Seq, widest.HasPRI = MaxSeq, false
	head, err := appendHead(nil, &widest)
	if err != nil {
		return 0, err
	}
	with, err := appendTags(head, partTags(tags, true, "4294967295.1/999"), MaxSeq)
	// Part 1 with the widest number stands for all; n may be two digits wider.
	return MaxLength - len(with) - (len(longestPart) - len("4294967295.1/999")), err
}

// partTags gives the tags of a part.
func partTags(tags []callhome.Tag, wrap bool, part string) []callhome.Tag {
	out := slices.Clone(tags)
	if wrap {
		out = append(out, callhome.Tag{Key: keyWrap, Value: "1"})
	}
	return append(out, callhome.Tag{Key: keyPart, Value: part})
}

// cut makes the pieces of a text.
func (s *splitter) cut(text string) {
	for line := range strings.SplitSeq(text, "\n") {
		line = string(appendClean(nil, strings.TrimSuffix(line, "\r")))
		if line == "" {
			line = " "
		}
		for wrap := false; line != ""; wrap = true {
			size := s.restRoom
			if len(s.pieces) == 0 {
				size = s.firstRoom
			}
			size = boundary(line, size)
			s.pieces = append(s.pieces, piece{line[:size], wrap})
			line = line[size:]
		}
	}
}

// boundary is the largest index up to size that is not inside a character.
func boundary(s string, size int) int {
	if len(s) <= size {
		return len(s)
	}
	for size > 0 && !utf8.RuneStart(s[size]) {
		size--
	}
	return size
}

// limit cuts the pieces down to MaxParts, the last of which says what is missing.
func (s *splitter) limit() {
	if len(s.pieces) <= MaxParts {
		return
	}
	missing := 0
	for _, p := range s.pieces[MaxParts-1:] {
		missing += len(p.text)
	}
	s.pieces = append(s.pieces[:MaxParts-1], piece{text: fmt.Sprintf("(%d more octets left out)", missing)})
}

// lines writes the pieces.
func (s *splitter) lines(f *Fields) ([][]byte, error) {
	lines := make([][]byte, 0, len(s.pieces))
	for i, p := range s.pieces {
		part := *f
		part.Seq = f.Seq + uint32(i)
		part.Text = p.text
		tags := s.rest
		if i == 0 {
			tags = s.first
		}
		part.Tags = partTags(tags, p.wrap, fmt.Sprintf("%d.%d/%d", f.Seq, i+1, len(s.pieces)))
		line, err := Append(nil, part)
		if err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	return lines, nil
}
