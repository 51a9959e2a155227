package syslog

import (
	"bytes"
	"fmt"
	"slices"
)

// DefaultMaxFrame is the longest frame taken whole: 1 MiB, far above RFC 5425's 8192 and what any device sends.
const DefaultMaxFrame = 1 << 20

// maxCountDigits bounds the digits of a counted length, RFC 6587 section 3.4.1: more is text that begins with a number.
const maxCountDigits = 7

// FrameError tells that a counted length is above the limit. On TLS the connection is to be closed; on plain TCP the
// Framer finds the next line by itself.
type FrameError struct {
	Length int // the length that was announced
	Limit  int
}

// Error names length, limit and remedy.
func (e *FrameError) Error() string {
	return fmt.Sprintf("a frame of %d octets is announced, the limit is %d: close the connection, or skip to the next line", e.Length, e.Limit)
}

// Frame is one message taken out of a stream, without count and trailer.
type Frame struct {
	Raw   []byte // valid until the next call of Space, Feed or Finish
	Flags Flags  // FlagTruncated, FlagUnterminated, FlagContinuation
}

// Framer takes messages out of a byte stream: octet counting and trailers, RFC 6587 and RFC 5425, mixed as senders
// please. It holds one message back until it knows that no further line belongs to it; see Release. The zero value is
// ready. Octets go in by Space and Advance, or by Feed; messages come out by Next.
type Framer struct {
	// Max is the longest frame in octets; 0 is DefaultMaxFrame.
	Max int

	buf      []byte
	pos      int // what lies before it is done with
	scanned  int // up to here the frame that begins at pos has no trailer
	held     bool
	from, to int // the frame that is held back
	flags    Flags
	after    bool // a frame went before, so that a line can continue it
	skipping bool // inside a line that was cut
	lost     bool // inside a frame that was refused
	finished bool
}

func (f *Framer) limit() int {
	if f.Max > 0 {
		return f.Max
	}
	return DefaultMaxFrame
}

// Space gives room for at least n octets behind those that are there. Frames given out before are no longer valid.
func (f *Framer) Space(n int) []byte {
	keep := f.pos
	if f.held {
		keep = f.from
	}
	if keep > 0 && (keep == len(f.buf) || cap(f.buf)-len(f.buf) < n) {
		f.buf = f.buf[:copy(f.buf, f.buf[keep:])]
		f.pos -= keep
		f.scanned -= keep
		f.from -= keep
		f.to -= keep
	}
	f.buf = slices.Grow(f.buf, n)
	return f.buf[len(f.buf):cap(f.buf)]
}

// Advance says that n octets were written into what Space gave.
func (f *Framer) Advance(n int) { f.buf = f.buf[:len(f.buf)+n] }

// Feed adds octets by copying them.
func (f *Framer) Feed(p []byte) { f.Advance(copy(f.Space(len(p)), p)) }

// Finish says that the stream has ended: Next then gives what is left.
func (f *Framer) Finish() { f.finished = true }

// Held reports whether a complete message waits only because a line that continues it could still come.
func (f *Framer) Held() bool { return f.held }

// Buffered is how many octets wait in the buffer.
func (f *Framer) Buffered() int {
	if f.held {
		return len(f.buf) - f.from
	}
	return len(f.buf) - f.pos
}

// Release gives the message that is held back, false when there is none. A receiver calls it when nothing has come for a
// moment; a line that still follows is then a frame of its own with FlagContinuation.
func (f *Framer) Release() (Frame, bool) {
	if !f.held {
		return Frame{}, false
	}
	return f.release(), true
}

func (f *Framer) release() Frame {
	f.held, f.after = false, true
	fr := Frame{Raw: f.buf[f.from:f.to], Flags: f.flags}
	f.flags = 0
	return fr
}

// Next gives the next message; ok is false when more octets are needed. A *FrameError is given once for a frame that is
// refused; Next may be called on.
func (f *Framer) Next() (fr Frame, ok bool, err error) {
	for {
		if (f.skipping || f.lost) && !f.findLine() {
			return f.last()
		}
		if !f.skipRun() {
			return f.last()
		}
		start, kind, n := f.look()
		switch {
		case kind == undecided:
			return Frame{}, false, nil
		case f.held && kind != continues:
			return f.release(), true, nil
		case kind == counted:
			return f.count(start, n)
		}
		fr, ok, done := f.line(kind)
		if done {
			return fr, ok, nil
		}
	}
}

// last gives what is held when the stream has ended and nothing follows.
func (f *Framer) last() (Frame, bool, error) {
	if f.finished && f.held {
		return f.release(), true, nil
	}
	return Frame{}, false, nil
}

// skipRun passes over trailers and the spaces that ASA puts behind them. It answers false at the end of the octets.
func (f *Framer) skipRun() bool {
	for f.pos < len(f.buf) {
		switch f.buf[f.pos] {
		case '\n', '\r', 0, ' ', '\t':
			f.pos++
			continue
		}
		f.scanned = max(f.scanned, f.pos)
		return true
	}
	f.scanned = f.pos
	return false
}

// findLine passes over the rest of a line that was cut, or over what follows a refused frame up to a line that begins
// like a message.
func (f *Framer) findLine() bool {
	for {
		n := bytes.IndexByte(f.buf[f.pos:], '\n')
		if n < 0 {
			f.pos = len(f.buf)
			return false
		}
		if f.lost {
			if f.pos+n+1 >= len(f.buf) {
				f.pos += n // what follows the line feed decides
				return false
			}
			if c := f.buf[f.pos+n+1]; c != '<' && !digit(c) {
				f.pos += n + 1
				continue
			}
		}
		f.pos += n + 1
		f.skipping, f.lost = false, false
		return true
	}
}

// What begins at the Framer's position.
const (
	undecided = iota // more octets must come
	counted          // a length, a space and a message
	begins           // a line that begins a message
	continues        // a line that does not
)

// longestStart is how many octets decide whether a line begins with a month.
const longestStart = longestMonth + 2

// look decides what begins at the position; for a counted frame it gives where the message begins and its length.
func (f *Framer) look() (start, kind, n int) {
	b := f.buf[f.pos:]
	switch c := b[0]; {
	case c >= '1' && c <= '9':
		end := run(b[:min(len(b), maxCountDigits+1)], 0, isDigit)
		switch {
		case end > maxCountDigits:
			return 0, begins, 0
		case end+1 >= len(b) && !f.finished && (end == len(b) || b[end] == ' '):
			return 0, undecided, 0
		case end+1 < len(b) && b[end] == ' ' && b[end+1] == '<':
			return f.pos + end + 1, counted, int(number(b[:end]))
		}
		return 0, begins, 0
	case c == '<', c == '0', c == '*', c == '.', c == '%':
		return 0, begins, 0
	case class[c]&isAlpha == 0 && c < 0x80:
		return 0, continues, 0
	}
	if len(b) < longestStart && !f.finished && !bytes.ContainsAny(b, " \n\x00") {
		return 0, undecided, 0
	}
	if month, _ := scanMonth(b); month > 0 {
		return 0, begins, 0
	}
	return 0, continues, 0
}

// count takes a counted frame of n octets that begins at start.
func (f *Framer) count(start, n int) (Frame, bool, error) {
	switch {
	case n > f.limit():
		f.pos, f.lost = start, true
		return Frame{}, false, &FrameError{Length: n, Limit: f.limit()}
	case start+n <= len(f.buf):
		f.pos, f.after = start+n, true
		return Frame{Raw: f.buf[start : start+n]}, true, nil
	case f.finished:
		f.pos = len(f.buf)
		return Frame{Raw: f.buf[start:], Flags: FlagUnterminated}, true, nil
	}
	return Frame{}, false, nil
}

// line takes a line up to its trailer. done is false when it was held back or joined, and the next one decides.
func (f *Framer) line(kind int) (fr Frame, ok, done bool) {
	end := f.trailer()
	whole := end >= 0
	if !whole {
		end = len(f.buf)
	}
	begin := f.pos
	if f.held {
		begin = f.from
	}
	if end-begin > f.limit() {
		if f.held {
			return f.release(), true, true // the lines together are too long
		}
		f.pos, f.skipping, f.after = begin+f.limit(), true, true
		return Frame{Raw: f.buf[begin:f.pos], Flags: FlagTruncated | f.continuation(kind)}, true, true
	}
	if !whole && !f.finished {
		return Frame{}, false, true
	}
	if f.held {
		f.flags |= FlagContinuation
	} else {
		f.held, f.from, f.flags = true, begin, f.continuation(kind)
	}
	f.pos = end
	f.to = end
	for f.to > f.from && f.buf[f.to-1] == '\r' {
		f.to--
	}
	if !whole {
		f.flags |= FlagUnterminated
	}
	return Frame{}, false, false
}

// continuation flags a line that continues a frame which has gone already.
func (f *Framer) continuation(kind int) Flags {
	if kind == continues && f.after {
		return FlagContinuation
	}
	return 0
}

// trailer is where the line at the position ends, -1 when its end has not come.
func (f *Framer) trailer() int {
	b := f.buf[f.scanned:]
	n := bytes.IndexByte(b, '\n')
	if n >= 0 {
		b = b[:n]
	}
	if z := bytes.IndexByte(b, 0); z >= 0 {
		n = z
	}
	if n < 0 {
		f.scanned = len(f.buf)
		return -1
	}
	return f.scanned + n
}
