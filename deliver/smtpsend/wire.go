package smtpsend

import (
	"context"
	"net"
	"time"
)

// wire is the connection below go-smtp. It gathers what is written until an answer is waited for, so that a command, and
// a mail of common size, leaves in one packet train; and it alone sets deadlines, one for each step of the dialogue.
type wire struct {
	net.Conn
	pending []byte
}

// gatherMax is written through before the end: a mail above it leaves in pieces of this size.
const gatherMax = 64 << 10

// Write gathers.
func (w *wire) Write(p []byte) (int, error) {
	w.pending = append(w.pending, p...)
	if len(w.pending) >= gatherMax {
		if err := w.flush(); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// Read sends what was gathered, then waits.
func (w *wire) Read(p []byte) (int, error) {
	if err := w.flush(); err != nil {
		return 0, err
	}
	return w.Conn.Read(p)
}

// Close sends what was gathered as far as it goes, and closes.
func (w *wire) Close() error {
	_ = w.flush()
	return w.Conn.Close()
}

func (w *wire) flush() error {
	if len(w.pending) == 0 {
		return nil
	}
	_, err := w.Conn.Write(w.pending)
	w.pending = w.pending[:0]
	if cap(w.pending) > 2*gatherMax {
		w.pending = nil
	}
	if err != nil {
		return &writeError{err}
	}
	return nil
}

// SetDeadline does nothing: go-smtp would take our deadline away after each command.
func (w *wire) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing.
func (w *wire) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing.
func (w *wire) SetWriteDeadline(time.Time) error { return nil }

// within limits the steps that follow to d and to the life of ctx. The returned function ends that; it is called before
// the connection is used by another.
func (w *wire) within(ctx context.Context, d time.Duration) (done func()) {
	_ = w.Conn.SetDeadline(time.Now().Add(d)) // the kernel's clock, not an injected one
	stop := context.AfterFunc(ctx, func() { _ = w.Conn.SetDeadline(time.Unix(1, 0)) })
	return func() { stop() }
}
