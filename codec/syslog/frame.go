package syslog

import (
	"errors"
	"io"
	"strconv"
)

// AppendCounted appends msg with its length in front, RFC 6587 section 3.4.1 and RFC 5425 section 4.3.
func AppendCounted(dst, msg []byte) []byte {
	dst = strconv.AppendInt(dst, int64(len(msg)), 10)
	dst = append(dst, ' ')
	return append(dst, msg...)
}

// AppendTrailed appends msg with a line feed behind it, RFC 6587 section 3.4.2. Line feeds and NULs inside would end the
// message early: they become spaces.
func AppendTrailed(dst, msg []byte) []byte {
	start := len(dst)
	dst = append(dst, msg...)
	for i, c := range dst[start:] {
		if c == '\n' || c == 0 {
			dst[start+i] = ' '
		}
	}
	return append(dst, '\n')
}

// readSize is how much a Reader asks for at once: several hundred lines, one TLS record.
const readSize = 64 << 10

// Reader takes messages out of an io.Reader that ends, such as a file or a capture. A socket is better served by a
// Framer, which can release a message while the connection is quiet.
type Reader struct {
	Framer
	src  io.Reader
	done error
}

// NewReader reads from src.
func NewReader(src io.Reader) *Reader { return &Reader{src: src} }

// Read gives the next message, io.EOF after the last one, a *FrameError for a frame that is refused, and any other error
// of the source after all that came before it.
func (r *Reader) Read() (Frame, error) {
	for {
		fr, ok, err := r.Next()
		if ok || err != nil {
			return fr, err
		}
		if r.done != nil {
			return Frame{}, r.done
		}
		n, err := r.src.Read(r.Space(readSize))
		r.Advance(n)
		if err != nil {
			r.done = err
			if errors.Is(err, io.EOF) {
				r.done = io.EOF
			}
			r.Finish()
		}
	}
}
