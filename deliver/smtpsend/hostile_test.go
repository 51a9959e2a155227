package smtpsend

import (
	"bufio"
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"callhome/trustpoint"
)

// hostile is a server that follows a script: it answers each line of the client with the next reply. The reply "HANG"
// keeps silent until the client leaves, "RESET" breaks the connection, "EOF" closes it; "DATA:" before a reply waits for
// the end of a mail instead of a line.
func hostile(t testing.TB, replies ...string) Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			play(c, replies)
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return Server{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port}
}

func play(c net.Conn, replies []string) {
	defer func() { _ = c.Close() }()
	r := bufio.NewReader(c)
	for i, reply := range replies {
		reply, mail := strings.CutPrefix(reply, "DATA:")
		for i > 0 {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			if !mail || line == ".\r\n" {
				break
			}
		}
		switch reply {
		case "HANG":
			_, _ = r.WriteTo(discard{})
			return
		case "RESET":
			_ = c.(*net.TCPConn).SetLinger(0)
			return
		case "EOF":
			return
		}
		_, _ = c.Write([]byte(reply + "\r\n"))
	}
	_, _ = r.WriteTo(discard{})
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

func TestHostileServers(t *testing.T) {
	const limit = time.Second
	opts := Options{CommandTimeout: limit, DataTimeout: limit}
	hello := "250-x\r\n250 8BITMIME"
	for _, c := range []struct {
		name    string
		replies []string
		taken   bool // by the server behind it
	}{
		{"hangs before the greeting", []string{"HANG"}, true},
		{"hangs at EHLO", []string{"220 x", "HANG"}, true},
		{"hangs at MAIL", []string{"220 x", hello, "HANG"}, true},
		{"hangs at RCPT", []string{"220 x", hello, "250 ok", "HANG"}, true},
		{"hangs at DATA", []string{"220 x", hello, "250 ok", "250 ok", "HANG"}, true},
		{"hangs at the end", []string{"220 x", hello, "250 ok", "250 ok", "354 go", "DATA:HANG"}, false},
		{"breaks at the greeting", []string{"RESET"}, true},
		{"breaks at RCPT", []string{"220 x", hello, "250 ok", "RESET"}, true},
		{"breaks in the mail", []string{"220 x", hello, "250 ok", "250 ok", "354 go", "RESET"}, false},
		{"leaves at the end", []string{"220 x", hello, "250 ok", "250 ok", "354 go", "DATA:EOF"}, false},
		{"is no mail server", []string{"SSH-2.0-x"}, true},
		{"refuses with the greeting", []string{"554 go away"}, true},
		{"is busy with the greeting", []string{"421 later"}, true},
		{"speaks without end", []string{"220-" + strings.Repeat("x", 100_000)}, true},
		{"continues without end", []string{strings.Repeat("220-x\r\n", 100_000)}, true},
		{"knows HELO only", []string{"220 x", "502 what?", "250 x", "250 ok", "HANG"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			second := &sink{}
			first := hostile(t, c.replies...)
			first.Priority = 1
			s := newSender(t, nil, opts, first, Server{Host: "127.0.0.1", Port: second.start(t, nil, false), Priority: 2})
			begun := time.Now()
			err := s.Send(t.Context(), envelope(note+strings.Repeat("x\r\n", 1000)))
			if got := len(second.got()) == 1; got != c.taken || (err == nil) != c.taken || permanent(err) {
				t.Errorf("taken by the second: %v, want %v; %v", got, c.taken, err)
			}
			if st := s.Status()[0]; st.State != StateNotAvailable {
				t.Errorf("its state is %s", st.State)
			}
			if took := time.Since(begun); took > 20*limit {
				t.Errorf("took %v", took)
			}
			if !c.taken { // the next try goes elsewhere at once
				if err := s.Send(t.Context(), envelope(note)); err != nil || len(second.got()) != 1 {
					t.Errorf("the next mail: %v", err)
				}
			}
		})
	}
}

func TestHandshakeThatNeverEnds(t *testing.T) {
	set, err := trustpoint.Load(nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		security Security
		replies  []string
	}{
		{SecurityTLS, []string{"HANG"}},
		{SecurityStartTLS, []string{"220 x", "250-x\r\n250 STARTTLS", "220 go", "HANG"}},
		{SecurityStartTLS, []string{"220 x", "250-x\r\n250 STARTTLS", "HANG"}},
		{SecurityStartTLS, []string{"220 x", "250-x\r\n250 STARTTLS", "220 go\r\n250 injected", "HANG"}},
	} {
		server := hostile(t, c.replies...)
		server.Security = c.security
		s := newSender(t, set, Options{CommandTimeout: time.Second}, server)
		if err := s.Send(t.Context(), envelope(note)); err == nil || permanent(err) {
			t.Errorf("%s %q: %v", c.security, c.replies, err)
		}
	}
}

func TestContextEndsASend(t *testing.T) {
	opts := Options{CommandTimeout: time.Hour, DataTimeout: time.Hour, MaxConnections: 1}
	s := newSender(t, nil, opts, hostile(t, "220 x", "250 x", "HANG"))
	ctx, cancel := context.WithCancel(t.Context())
	dial := s.targets[0].dial
	s.targets[0].dial = func(c context.Context, network, addr string) (net.Conn, error) {
		defer time.AfterFunc(20*time.Millisecond, cancel)
		return dial(c, network, addr)
	}
	if err := s.Send(ctx, envelope(note)); err == nil || permanent(err) {
		t.Errorf("got %v", err)
	}
	if st := s.Status()[0]; st.State != StateUnknown {
		t.Errorf("a caller that gives up makes the server %s", st.State)
	}
	s.targets[0].slots <- struct{}{} // another one is sending
	if err := s.Send(ctx, envelope(note)); !errors.Is(err, errNoSlot) || s.Status()[0].State != StateUnknown {
		t.Errorf("got %v, %s", err, s.Status()[0].State)
	}
	<-s.targets[0].slots
	s.targets[0].dial = dial
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Send(short, envelope(note)); err == nil || s.Status()[0].State != StateNotAvailable {
		t.Errorf("a server that uses up the caller's time is %s: the next try would begin with it again", s.Status()[0].State)
	}
}
