package collect

import (
	"fmt"
	"strings"
)

// Output takes what one command prints, up to a limit. It keeps the beginning: a piece from the middle of a
// configuration could start inside a key or certificate, where nothing tells the redactor what it is looking at.
type Output struct {
	buf     strings.Builder
	limit   int
	removed int64
}

// NewOutput keeps at most limit bytes.
func NewOutput(limit int) *Output { return &Output{limit: limit} }

// Write never fails; bytes beyond the limit are counted and forgotten.
func (o *Output) Write(p []byte) (int, error) {
	keep := min(len(p), o.limit-o.buf.Len())
	o.buf.Write(p[:keep])
	o.removed += int64(len(p) - keep)
	return len(p), nil
}

// Len is the number of bytes kept.
func (o *Output) Len() int { return o.buf.Len() }

// Removed is the number of bytes that were beyond the limit.
func (o *Output) Removed() int64 { return o.removed }

// String is what was kept, with a mark at the end if something is missing.
func (o *Output) String() string {
	if o.removed == 0 {
		return o.buf.String()
	}
	return fmt.Sprintf("%s\n[truncated: %d bytes removed]", o.buf.String(), o.removed)
}
