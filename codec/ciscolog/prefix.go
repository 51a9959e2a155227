package ciscolog

import "bytes"

// maxRelays is how many relay headers in a row are taken off; the innermost is kept, as it knows the sender best.
const maxRelays = 4

// maxGlued is the longest prefix in which a colon without a space behind it may end a field. Looking for such colons
// takes time that grows with the square of the length, and no sender's prefix is near this long.
const maxGlued = 1024

// loosePrefix reads what stands before TIMESTAMP: what relays added, counters, SEQNUM and HOST.
func (r *Record) loosePrefix(b []byte) {
	relayed := false
	for range maxRelays {
		stamp, host, rest, ok := relayHeader(b)
		if !ok {
			break
		}
		r.RelayTime, r.RelayHost, relayed = stamp, host, true
		b = rest
	}
	numbers, first, glued := 0, true, len(b) <= maxGlued
	for len(b) > 0 {
		var piece []byte
		piece, b = r.nextPiece(b, glued)
		if len(piece) == 0 {
			continue
		}
		if relayed && first {
			piece = r.relayTag(piece)
		}
		first = false
		switch {
		case len(piece) == 0:
		case allOf(piece, classDigit):
			r.counter(piece)
			numbers++
		default:
			r.Host = lastWord(piece)
		}
	}
	if r.Host == nil && numbers == 0 && plainTag(r.RelayTag) {
		r.Host, r.RelayTag = r.RelayTag, nil
	}
	if len(r.Host) > MaxHost {
		r.Flags |= FlagHostLength
	}
}

// plainTag tells whether what was taken for a relay's tag may as well be a host name.
func plainTag(tag []byte) bool { return len(tag) > 0 && bytes.IndexByte(tag, '[') < 0 }

// relayTag reads the first piece behind a relay's header. What a relay wrote is kept as its tag and nil is given back; a
// number is not a relay's tag.
func (r *Record) relayTag(piece []byte) []byte {
	word := lastWord(piece)
	if allOf(word, classDigit) {
		return word
	}
	r.RelayTag = word
	return nil
}

// counter takes a number before the stamp: the last is SEQNUM, those before it are relay counters.
func (r *Record) counter(piece []byte) {
	if r.HasSeq && int(r.nCounters) < maxCounters {
		r.counters[r.nCounters] = r.Seq
		r.nCounters++
	}
	r.Flags &^= FlagSeqForm | FlagSeqRange
	r.Seq, r.HasSeq = number(piece)
	if len(piece) > 1 && piece[0] == '0' {
		r.Flags |= FlagSeqForm
	}
	if !r.HasSeq || r.Seq > MaxSeq {
		r.Flags |= FlagSeqRange
	}
}

// nextPiece takes the next piece off b: up to a colon that a space or the end follows; where glued, up to any colon if the
// piece is no address.
func (r *Record) nextPiece(b []byte, glued bool) (piece, rest []byte) {
	end, next := len(b), len(b)
	if i := bytes.Index(b, delim); i >= 0 {
		end, next = i, i+len(delim)
	} else if b[len(b)-1] == ':' {
		end = len(b) - 1
	} else if len(trimRight(b)) > 0 {
		r.Flags |= FlagDelim
	}
	if i := bytes.IndexByte(b[:end], ':'); glued && i >= 0 && !addressLike(lastWord(trim(b[:end]))) {
		end, next = i, i+1
		r.Flags |= FlagDelim
	}
	piece = trim(b[:end])
	if len(piece) > 0 && len(piece) < end {
		r.Flags |= FlagDelim
	}
	return piece, b[next:]
}

// addressLike tells IPv6 and hardware addresses, whose colons divide nothing.
func addressLike(b []byte) bool {
	return bytes.Count(b, []byte{':'}) >= 2 && allOf(b, classAddr)
}

// lastWord is what follows the last space of b.
func lastWord(b []byte) []byte { return b[bytes.LastIndexByte(b, ' ')+1:] }

// plainPrefix tells whether a prefix without a stamp may stand before a header: numbers and names, with colons between
// them, but no words of a sentence.
func plainPrefix(b []byte) bool {
	if len(b) > MaxHost+maxCounters*16 {
		return false
	}
	if _, _, rest, ok := relayHeader(b); ok {
		b = rest
	}
	var scratch Record
	for len(b) > 0 {
		var piece []byte
		if piece, b = scratch.nextPiece(b, true); bytes.IndexByte(piece, ' ') >= 0 {
			return false
		}
	}
	return true
}

// relayHeader reads what a relay puts in front: a stamp of RFC 3164 or RFC 3339, and a name for the sender.
func relayHeader(b []byte) (stamp, host, rest []byte, ok bool) {
	end := relayStamp(b)
	if end == 0 || end >= len(b) || b[end] != ' ' {
		return nil, nil, nil, false
	}
	rest = b[end+spaces(b[end:]):]
	word := bytes.IndexByte(rest, ' ')
	if word < 0 {
		word = len(rest)
	}
	// A word that a colon closes belongs to the message: this relay gave no name.
	if word == 0 || rest[word-1] == ':' {
		return b[:end], nil, rest, true
	}
	next := min(word+1, len(rest))
	return b[:end], rest[:word], rest[next:], true
}

// relayStamp is the length of the stamp at the start of b, 0 when there is none.
func relayStamp(b []byte) int {
	if end := bytes.IndexByte(b, ' '); end >= len("2026-06-13T21:07:15") && b[4] == '-' && b[7] == '-' &&
		b[10] == 'T' && two(b[0:2]) >= 0 && two(b[2:4]) >= 0 {
		return end
	}
	if len(b) < 3 || looseMonth(b[:3]) == 0 {
		return 0
	}
	i := 3
	for _, width := range [...]int{2, 4} { // day and, with some relays, year
		gap := spaces(b[i:])
		n := digits(b[i+gap:])
		if n == 0 || n > width || gap == 0 || i+gap+n < len(b) && b[i+gap+n] == ':' {
			break
		}
		i += gap + n
	}
	gap := spaces(b[i:])
	n := clockLen(b[i+gap:])
	if i == 3 || gap == 0 || n == 0 {
		return 0
	}
	i += gap + n
	if i < len(b) && b[i] == '.' {
		i += 1 + digits(b[i+1:])
	}
	return i
}

// digits is how many digits b begins with.
func digits(b []byte) int {
	n := 0
	for n < len(b) && isDigit(b[n]) {
		n++
	}
	return n
}

// clockLen is the length of the hh:mm:ss that b begins with, 0 when it does not.
func clockLen(b []byte) int {
	n := digits(b)
	if n < 1 || n > 2 || len(b) < n+6 || b[n] != ':' || two(b[n+1:n+3]) < 0 || b[n+3] != ':' || two(b[n+4:n+6]) < 0 {
		return 0
	}
	return n + 6
}
