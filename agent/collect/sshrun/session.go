package sshrun

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/scrapli/scrapligo/channel"

	"callhome"
	"callhome/agent/collect"
)

const (
	// settle is how long nothing may come before an unexpected prompt is believed: output that is cut in the middle of a
	// line can look like a prompt for a moment.
	settle = 250 * time.Millisecond
	// nudgeAfter is the silence after login at which Enter is pressed once: some consoles wait for it.
	nudgeAfter = 3 * time.Second
	// interruptGrace is the time a device has to come back to its prompt after Ctrl-C.
	interruptGrace = 3 * time.Second
	// closeGrace bounds the logout.
	closeGrace = time.Second
	// maxLoginBytes bounds banner and login dialogue: a peer that talks without end is no command line.
	maxLoginBytes = 256 << 10
	// maxLine is how much of an unfinished line is looked at for a prompt.
	maxLine = 4096
	// maxRejection is the longest answer that is searched for error texts: a longer one is an answer.
	maxRejection = 1024
)

const ctrlC = "\x03"

var (
	// pager is what command lines print when they wait for a key before the next page.
	pager = regexp.MustCompile(`(?i)^\s*(<?-{2,4}\s?\(?more( \d+%)?\)?\s?-{2,4}>?|press (any key|<enter>|<space>|space).*)$`)
	// secretQuestion is how enable mode asks.
	secretQuestion = regexp.MustCompile(`(?i)^(enable )?password( for \S+)?:\s*$`)
	// erased is a pager's text that the device took back: it overwrites with blanks between backspaces.
	erased = regexp.MustCompile(`\x08+ *\x08*`)
)

// session is a shell that waits at its prompt between commands.
type session struct {
	shell    *shell
	channel  *channel.Channel
	platform *regexp.Regexp // any prompt of the platform
	refusals []string       // answers that mean "no such command"
	prompt   string         // the last prompt seen, without blanks at the end
}

// verdict is what a line without an end tells us.
type verdict int

const (
	goOn  verdict = iota // more will come
	maybe                // a prompt, if nothing more comes for a moment
	waits                // the device waits for us
	page                 // the device waits for a key before the next page
)

// login waits for the prompt, enters enable mode and turns paging off.
func (s *session) login(ctx context.Context, d driver, secret callhome.Secret) error {
	if err := s.learn(ctx); err != nil {
		return err
	}
	if strings.HasSuffix(s.prompt, ">") && (d.enable == enableAlways || d.enable == enableSecret && !secret.IsZero()) {
		if err := s.enable(ctx, secret); err != nil {
			return err
		}
	}
	for _, cmd := range d.setup {
		err := s.Run(ctx, cmd, collect.NewOutput(maxRejection))
		if err != nil && !errors.Is(err, collect.ErrRejected) {
			return fmt.Errorf("%s: %w", cmd, err)
		}
	}
	return nil
}

// learn reads the banner up to the first prompt, then presses Enter to see the same prompt again.
func (s *session) learn(ctx context.Context) error {
	nudged := false
	judge := func(line string) verdict {
		switch {
		case pager.MatchString(line):
			return page
		case s.platform.MatchString(line):
			return maybe
		}
		return goOn
	}
	t := turn{s: s, judge: judge, sink: &limited{left: maxLoginBytes}, idle: nudgeAfter, onIdle: func() error {
		if nudged {
			return nil
		}
		nudged = true
		return s.channel.WriteReturn()
	}}
	first, err := t.read(ctx)
	if err != nil {
		return fmt.Errorf("no prompt: %w", err)
	}
	s.prompt = first
	if err := s.channel.WriteReturn(); err != nil {
		return err
	}
	again := turn{s: s, judge: s.judge, sink: &limited{left: maxLoginBytes}, needBreak: true}
	if s.prompt, err = again.read(ctx); err != nil {
		return fmt.Errorf("no second prompt: %w", err)
	}
	return nil
}

// judge knows the learned prompt at once, and another prompt of the platform after a moment of silence.
func (s *session) judge(line string) verdict {
	switch {
	case line == s.prompt:
		return waits
	case pager.MatchString(line):
		return page
	case s.platform.MatchString(line):
		return maybe
	}
	return goOn
}

// enable sends the secret once. A second question for it is a refusal.
func (s *session) enable(ctx context.Context, secret callhome.Secret) error {
	judge := func(line string) verdict {
		if secretQuestion.MatchString(line) {
			return waits
		}
		return s.judge(line)
	}
	s.discard()
	if err := s.channel.WriteAndReturn([]byte("enable"), false); err != nil {
		return err
	}
	t := turn{s: s, judge: judge, sink: &limited{left: maxLoginBytes}, needBreak: true}
	line, err := t.read(ctx)
	if err != nil {
		return fmt.Errorf("enable: %w", err)
	}
	if secretQuestion.MatchString(line) {
		answer := secret.Reveal()
		if secret.IsZero() {
			answer = ctrlC
		}
		if err := s.channel.WriteAndReturn([]byte(answer), true); err != nil {
			return err
		}
		t = turn{s: s, judge: judge, sink: &limited{left: maxLoginBytes}, needBreak: true}
		if line, err = t.read(ctx); err != nil {
			return fmt.Errorf("enable: %w", err)
		}
	}
	if !strings.HasSuffix(line, "#") && !secret.IsZero() {
		return &collect.RefusedError{Where: "enable mode", Err: errors.New("the secret was not taken")}
	}
	s.prompt = line
	return nil
}

// Run sends a command and copies its output up to the next prompt. At the end of ctx it interrupts the command and, if
// the prompt comes back, leaves a session that can be used on.
func (s *session) Run(ctx context.Context, command string, out *collect.Output) error {
	guard := time.AfterFunc(s.untilEnd(ctx)+interruptGrace+closeGrace, s.kill)
	defer guard.Stop()
	s.discard()
	if err := s.channel.WriteAndReturn([]byte(command), false); err != nil {
		return errors.Join(errLost, err)
	}
	t := turn{s: s, judge: s.judge, sink: &echo{command: command, to: out}, needBreak: true}
	line, err := t.read(ctx)
	switch {
	case err == nil:
		s.prompt = line
		return s.rejection(out)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return s.interrupt(err)
	case ctx.Err() != nil:
		s.kill()
		return errors.Join(err, errLost)
	}
	return err
}

// untilEnd is the time ctx has left; a session without a deadline is guarded by the collector's cancellation alone.
func (s *session) untilEnd(ctx context.Context) time.Duration {
	if end, ok := ctx.Deadline(); ok {
		return time.Until(end)
	}
	return loginTimeout
}

// rejection tells an error text from an answer.
func (s *session) rejection(out *collect.Output) error {
	if out.Len() > maxRejection {
		return nil
	}
	text := out.String()
	for _, r := range s.refusals {
		if strings.Contains(text, r) {
			return fmt.Errorf("%w: %s", collect.ErrRejected, strings.TrimSpace(r))
		}
	}
	return nil
}

// interrupt stops a command that took too long.
func (s *session) interrupt(cause error) error {
	ctx, cancel := context.WithTimeout(context.Background(), interruptGrace)
	defer cancel()
	if err := s.channel.Write([]byte(ctrlC), false); err == nil {
		t := turn{s: s, judge: s.judge, sink: io.Discard}
		if line, err := t.read(ctx); err == nil {
			s.prompt = line
			return cause
		}
	}
	s.kill()
	return errors.Join(cause, errLost)
}

// discard forgets what came since the last prompt, so that it is not taken for the next command's output.
func (s *session) discard() { s.channel.Q.DequeueAll() }

// kill ends everything at once.
func (s *session) kill() {
	s.shell.conn.close()
	_ = s.channel.Close()
}

// Close says exit, waits a moment for the device to hang up, and closes.
func (s *session) Close() error {
	guard := time.AfterFunc(closeGrace, s.shell.conn.close)
	defer guard.Stop()
	if err := s.channel.WriteAndReturn([]byte("exit"), false); err == nil {
		select {
		case <-s.shell.ended:
		case <-time.After(closeGrace):
		}
	}
	s.kill()
	return nil
}

// limited swallows what comes and fails when it is too much.
type limited struct{ left int }

// Write counts.
func (l *limited) Write(p []byte) (int, error) {
	if l.left -= len(p); l.left < 0 {
		return 0, fmt.Errorf("more than %d bytes and no prompt", maxLoginBytes)
	}
	return len(p), nil
}

// clean removes what a pager took back.
func clean(line []byte) []byte {
	if bytes.IndexByte(line, '\b') < 0 {
		return line
	}
	return erased.ReplaceAll(line, nil)
}
