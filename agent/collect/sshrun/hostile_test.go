package sshrun

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	gliderssh "github.com/gliderlabs/ssh"
	"golang.org/x/crypto/ssh"

	"callhome"
	"callhome/agent/collect"
	"callhome/simulate/device"
)

// misbehave starts an SSH server whose shell does what the test says.
func misbehave(t *testing.T, handler gliderssh.Handler, more ...gliderssh.Option) Target {
	t.Helper()
	d, err := device.New(device.Config{Hostname: "keys"}) // for a host key only
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &gliderssh.Server{Handler: handler, PasswordHandler: func(gliderssh.Context, string) bool { return true }}
	for _, o := range more {
		if err := s.SetOption(o); err != nil {
			t.Fatal(err)
		}
	}
	signer := d.HostSigner()
	s.AddHostKey(signer)
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return targetOf(t, l.Addr(), signer.PublicKey())
}

// collectFrom runs commands through a real collector.
func collectFrom(t *testing.T, target Target, cfg collect.Config, commands ...string) []callhome.Attachment {
	t.Helper()
	r, err := New(target, Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := collect.New(cfg, collect.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c.SetDevices([]collect.Device{{Name: "lab-1", Runner: r}})
	return c.Collect(t.Context(), collect.Job{Device: "lab-1", Commands: collect.Commands(commands...)}).Attachments(nil)
}

func TestPeerThatNeverSpeaks(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	target := targetOf(t, l.Addr(), nil)
	target.Config.ConnectTimeout = time.Second
	start := time.Now()
	_, err = open(t, target)
	if err == nil || !strings.Contains(err.Error(), "no answer within 1s") || time.Since(start) > 5*time.Second {
		t.Errorf("got %v after %s", err, time.Since(start))
	}
}

func TestCancelEndsLogin(t *testing.T) {
	target := misbehave(t, func(s gliderssh.Session) { io.Copy(io.Discard, s) }) // a shell without a prompt
	r, err := New(target, Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := r.Open(ctx); err == nil || time.Since(start) > 3*time.Second {
		t.Errorf("got %v after %s", err, time.Since(start))
	}
}

func TestFloodBeforeThePrompt(t *testing.T) {
	target := misbehave(t, func(s gliderssh.Session) {
		for {
			if _, err := io.WriteString(s, strings.Repeat("x", 1000)+"\r\n"); err != nil {
				return
			}
		}
	})
	if _, err := open(t, target); err == nil || !strings.Contains(err.Error(), "no prompt") {
		t.Errorf("got %v", err)
	}
}

// A command that prints without end is cut at the limit, interrupted at the deadline, and the session goes on.
func TestFloodIsCutAndInterrupted(t *testing.T) {
	target := misbehave(t, func(s gliderssh.Session) {
		flood := strings.Repeat(strings.Repeat("y", 78)+"\r\n", 100)
		for {
			io.WriteString(s, "lab-1#")
			cmd, err := readCommand(s)
			if err != nil {
				return
			}
			if cmd != "show flood" {
				io.WriteString(s, "fine\r\n")
				continue
			}
			stop := make(chan struct{})
			go func() {
				for b := make([]byte, 1); ; {
					if _, err := s.Read(b); err != nil || b[0] == 3 {
						close(stop)
						return
					}
				}
			}()
			for stopped := false; !stopped; {
				io.WriteString(s, flood)
				select {
				case <-stop:
					stopped = true
				default:
				}
			}
		}
	})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got := collectFrom(t, target, collect.Config{CommandTimeout: 2 * time.Second, CommandBytes: 4096}, "show flood", "show clock")
	runtime.ReadMemStats(&after)
	if len(got) != 2 || !strings.Contains(got[0].Text, "bytes removed]") || !strings.Contains(got[0].Text, "no end of the output within 2s") || len(got[0].Text) > 5000 {
		t.Errorf("flood: got %.80q … %.200q", got[0].Text, got[0].Text[max(0, len(got[0].Text)-200):])
	}
	if got[1].Text != "fine\n" {
		t.Errorf("after the flood: got %q", got[1].Text)
	}
	if grown := int64(after.HeapInuse) - int64(before.HeapInuse); grown > 64<<20 {
		t.Errorf("the flood left %d bytes on the heap", grown)
	}
}

// readCommand echoes and reads one line.
func readCommand(s gliderssh.Session) (string, error) {
	var line []byte
	for b := make([]byte, 1); ; {
		if _, err := s.Read(b); err != nil {
			return "", err
		}
		if b[0] == '\r' || b[0] == '\n' {
			io.WriteString(s, "\r\n")
			return string(line), nil
		}
		s.Write(b)
		line = append(line, b[0])
	}
}

func TestPromptThatChanges(t *testing.T) {
	n := 0
	target := misbehave(t, func(s gliderssh.Session) {
		for {
			n++
			io.WriteString(s, "host-"+strings.Repeat("x", n)+"#")
			if _, err := readCommand(s); err != nil {
				return
			}
			io.WriteString(s, "fine\r\n")
		}
	})
	for _, a := range collectFrom(t, target, collect.Config{}, "show one", "show two") {
		if a.Text != "fine\n" {
			t.Errorf("%s: got %q", a.Name, a.Text)
		}
	}
}

func TestClosedInMidCommand(t *testing.T) {
	var logins atomic.Int32
	target := misbehave(t, func(s gliderssh.Session) {
		logins.Add(1)
		for {
			io.WriteString(s, "lab-1#")
			cmd, err := readCommand(s)
			if err != nil {
				return
			}
			io.WriteString(s, "first line\r\nsecond")
			if cmd == "show crash" {
				return
			}
			io.WriteString(s, "\r\n")
		}
	})
	got := collectFrom(t, target, collect.Config{}, "show crash", "show version")
	if want := "first line\nsecond\n[command failed: the device closed the connection: session lost]"; got[0].Text != want {
		t.Errorf("got %q, want %q", got[0].Text, want)
	}
	if want := "first line\nsecond\n"; got[1].Text != want {
		t.Errorf("after a new login: got %q, want %q", got[1].Text, want)
	}
	if logins.Load() != 2 {
		t.Errorf("got %d logins, want 2", logins.Load())
	}
}

// A device whose every command ends the session is logged in to twice for an alert, not once per command.
func TestSessionsThatBreakAgainAndAgain(t *testing.T) {
	var logins atomic.Int32
	target := misbehave(t, func(s gliderssh.Session) {
		logins.Add(1)
		for {
			io.WriteString(s, "lab-1#")
			if cmd, err := readCommand(s); err != nil || strings.HasPrefix(cmd, "show") {
				return
			}
		}
	})
	got := collectFrom(t, target, collect.Config{}, "show a", "show b", "show c", "show d")
	if logins.Load() != 2 || len(got) != 4 || !strings.Contains(got[3].Text, "not run") {
		t.Errorf("got %d logins, %q", logins.Load(), got)
	}
}

func TestWrongHostKey(t *testing.T) {
	d, target := serve(t, device.Config{}, "127.0.0.1")
	other, err := device.New(device.Config{Hostname: "other"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tofu := range []bool{false, true} {
		changed := targetOf(t, &net.TCPAddr{IP: net.ParseIP(target.Address), Port: target.Config.Port}, other.HostKey())
		changed.Config.TrustOnFirstUse = tofu
		var fault *HostKeyError
		if _, err := open(t, changed); !errors.As(err, &fault) || !fault.Known {
			t.Errorf("changed key, trust on first use %v: got %v", tofu, err)
		}
	}
	unknown := targetOf(t, &net.TCPAddr{IP: net.ParseIP(target.Address), Port: target.Config.Port}, nil)
	var fault *HostKeyError
	if _, err := open(t, unknown); !errors.As(err, &fault) || fault.Known {
		t.Errorf("unknown key: got %v", err)
	}
	unknown.Config.TrustOnFirstUse = true
	mustOpen(t, unknown)
	unknown.Config.TrustOnFirstUse = false
	mustOpen(t, unknown)
	if logins, _, _ := d.Stats(); logins != 2 {
		t.Errorf("got %d logins, want the two with a known key", logins)
	}
}

func TestRefusedLoginIsNotTriedAgain(t *testing.T) {
	var tries atomic.Int32
	target := misbehave(t, func(gliderssh.Session) {}, func(s *gliderssh.Server) error {
		s.PasswordHandler = func(gliderssh.Context, string) bool { tries.Add(1); return false }
		s.KeyboardInteractiveHandler = func(gliderssh.Context, ssh.KeyboardInteractiveChallenge) bool { tries.Add(1); return false }
		return nil
	})
	r, err := New(target, Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := collect.New(collect.Config{}, collect.Options{})
	if err != nil {
		t.Fatal(err)
	}
	dev := collect.Device{Name: "lab-1", Runner: r, Settings: target.Settings()}
	c.SetDevices([]collect.Device{dev})
	job := collect.Job{Device: "lab-1", Commands: collect.Commands("show clock")}
	for range 3 {
		got := c.Collect(t.Context(), job).Attachments(nil)
		if !strings.Contains(got[0].Text, "refused") {
			t.Errorf("got %q", got[0].Text)
		}
	}
	if tries.Load() != 1 {
		t.Errorf("got %d tries, want 1", tries.Load())
	}
	if l := c.Latched(); len(l) != 1 || l[0].Device != "lab-1" {
		t.Errorf("latched: %+v", l)
	}
	target.Config.Password = callhome.NewSecret("another")
	dev.Settings = target.Settings()
	c.SetDevices([]collect.Device{dev})
	c.Collect(t.Context(), job)
	if tries.Load() != 2 {
		t.Error("a new password was not tried")
	}
}

func TestKeyboardInteractive(t *testing.T) {
	target := misbehave(t, func(s gliderssh.Session) {
		for {
			io.WriteString(s, "lab-1#")
			if _, err := readCommand(s); err != nil {
				return
			}
		}
	}, func(s *gliderssh.Server) error {
		s.PasswordHandler = nil
		s.KeyboardInteractiveHandler = func(_ gliderssh.Context, ask ssh.KeyboardInteractiveChallenge) bool {
			answers, err := ask("", "", []string{"Password: "}, []bool{false})
			return err == nil && len(answers) == 1 && answers[0] == "letmein"
		}
		return nil
	})
	mustOpen(t, target)
}

func TestWrongEnableSecretIsRefused(t *testing.T) {
	d, target := serve(t, device.Config{Enable: "sesame"}, "127.0.0.1")
	target.Config.Enable = callhome.NewSecret("guess")
	var refused *collect.RefusedError
	if _, err := open(t, target); !errors.As(err, &refused) {
		t.Errorf("got %v", err)
	}
	enables := 0
	for _, c := range d.Commands() {
		if c == "enable" {
			enables++
		}
	}
	if enables != 1 {
		t.Errorf("enable was tried %d times", enables)
	}
}

// A connection that only ends after the password may be a device going down: the second in a row counts as a refusal.
func TestSilentRefusal(t *testing.T) {
	var last atomic.Pointer[net.Conn]
	target := misbehave(t, func(gliderssh.Session) {}, func(s *gliderssh.Server) error {
		s.ConnCallback = func(_ gliderssh.Context, c net.Conn) net.Conn { last.Store(&c); return c }
		s.PasswordHandler = func(gliderssh.Context, string) bool {
			(*last.Load()).Close()
			return false
		}
		return nil
	})
	r, err := New(target, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var refused *collect.RefusedError
	if _, err := r.Open(t.Context()); err == nil || errors.As(err, &refused) || !errors.Is(err, errClosed) {
		t.Errorf("first end: got %v", err)
	}
	if err := r.judge(errClosed); !errors.As(err, &refused) {
		t.Errorf("second end: got %v", err)
	}
	if err := r.judge(nil); err != nil || r.silent.Load() != 0 {
		t.Errorf("a login must reset the count: %v, %d", err, r.silent.Load())
	}
}
