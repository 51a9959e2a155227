package sshrun

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"time"
)

// turn reads until the device waits for us. Whole lines go to the sink, the line without an end is judged.
type turn struct {
	s         *session
	judge     func(line string) verdict
	sink      io.Writer
	needBreak bool // believe no prompt before a line has ended: the one on the screen is the old one
	idle      time.Duration
	onIdle    func() error // called after idle without output, while no prompt is in sight

	tail    []byte // the line without an end
	broken  bool   // a line has ended
	verdict verdict
}

// read returns the last line, without blanks at its end. An error that comes with the end of ctx wraps its cause.
func (t *turn) read(ctx context.Context) (string, error) {
	for {
		b := t.s.channel.Q.DequeueAll()
		if len(b) == 0 {
			done, err := t.wait(ctx)
			if err != nil || done {
				return t.line(), err
			}
			continue
		}
		if err := t.take(b); err != nil {
			return "", err
		}
		line := t.line()
		t.verdict = t.judge(line)
		switch {
		case t.verdict == page:
			t.tail = t.tail[:0]
			if err := t.s.channel.Write([]byte(" "), false); err != nil {
				return "", err
			}
			t.verdict = goOn
		case t.verdict == waits && (t.broken || !t.needBreak):
			return line, nil
		case t.verdict == waits:
			t.verdict = maybe
		}
	}
}

// wait blocks until something arrives. done means that a likely prompt stood long enough.
func (t *turn) wait(ctx context.Context) (done bool, err error) {
	var timeout <-chan time.Time
	switch {
	case t.verdict == maybe:
		timeout = time.After(settle)
	case t.onIdle != nil:
		timeout = time.After(t.idle)
	}
	select {
	case <-t.s.shell.arrive:
		return false, nil
	case <-t.s.shell.ended:
		return false, t.end()
	case <-ctx.Done():
		return false, fmt.Errorf("%w; the last line is %.80q", context.Cause(ctx), t.line())
	case <-timeout:
	}
	if t.verdict == maybe {
		return true, nil
	}
	return false, t.onIdle()
}

// end takes what arrived before the connection ended.
func (t *turn) end() error {
	if b := t.s.channel.Q.DequeueAll(); len(b) > 0 {
		if err := t.take(b); err != nil {
			return err
		}
	}
	_, _ = t.sink.Write(clean(t.tail))
	return fmt.Errorf("the device closed the connection: %w", errLost)
}

// take gives whole lines on and keeps the rest.
func (t *turn) take(b []byte) error {
	t.tail = append(t.tail, b...)
	if i := bytes.LastIndexByte(t.tail, '\n'); i >= 0 {
		t.broken = true
		if _, err := t.sink.Write(clean(t.tail[:i+1])); err != nil {
			return err
		}
		t.tail = append(t.tail[:0], t.tail[i+1:]...)
	}
	if len(t.tail) > maxLine {
		cut := len(t.tail) - maxLine/2
		if _, err := t.sink.Write(clean(t.tail[:cut])); err != nil {
			return err
		}
		t.tail = append(t.tail[:0], t.tail[cut:]...)
	}
	return nil
}

func (t *turn) line() string { return strings.TrimRight(string(clean(t.tail)), " \t") }

// echo drops the command that the terminal shows us again, and gives on what follows.
type echo struct {
	command string
	to      io.Writer
	head    []byte // what came while the echo was not yet over
	over    bool
}

// Write takes whole lines, or pieces of very long ones.
func (e *echo) Write(p []byte) (int, error) {
	if e.over {
		return e.to.Write(p)
	}
	e.head = append(e.head, p...)
	i := bytes.IndexByte(e.head, '\n')
	if i < 0 && len(e.head) < maxLine {
		return len(p), nil
	}
	e.over = true
	rest := e.head
	if i >= 0 && isEcho(string(e.head[:i]), e.command) {
		rest = e.head[i+1:]
	}
	_, err := e.to.Write(rest)
	e.head = nil
	return len(p), err
}

// isEcho compares without blanks, which terminals fold when they wrap; a prompt may stand in front.
func isEcho(line, command string) bool {
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }
	return strings.HasSuffix(squeeze(line), squeeze(command))
}
