package syslog

// DefaultMaxFrame is the longest frame taken whole: 1 MiB, far above RFC 5425's 8192 and what any device sends.
const DefaultMaxFrame = 1 << 20

// FrameError tells why a stream cannot be trusted any more.
type FrameError struct {
	Length int // the counted length that was announced
	Limit  int
}

// Frame is one message taken out of a stream, without count and trailer.
type Frame struct {
	Raw   []byte // valid until the next call that changes the Framer
	Flags Flags  // FlagTruncated, FlagUnterminated
}
