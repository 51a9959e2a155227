package control_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"callhome"
	"callhome/control"
)

func start(t *testing.T, path string) {
	t.Helper()
	s := &control.Server{Path: path, Log: slog.New(slog.DiscardHandler)}
	s.Handle("double", func(_ context.Context, args json.RawMessage) (any, error) {
		var n int
		if err := json.Unmarshal(args, &n); err != nil {
			return nil, &callhome.Error{Kind: callhome.KindInvalid, Path: "n", Err: err}
		}
		return 2 * n, nil
	})
	ctx, cancel := context.WithCancel(t.Context())
	if err := s.Listen(ctx); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestCall(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", "c.sock")
	start(t, path)
	c := control.Client{Path: path}
	var got int
	if err := c.Call(t.Context(), "double", 21, &got); err != nil || got != 42 {
		t.Errorf("double 21: got %d, %v, want 42", got, err)
	}
	for _, f := range []struct {
		name, call string
		args       any
		want       callhome.Kind
		path       string
	}{
		{"bad argument", "double", "x", callhome.KindInvalid, "n"},
		{"unknown call", "halve", 1, callhome.KindNotFound, ""},
	} {
		err := c.Call(t.Context(), f.call, f.args, nil)
		var e *callhome.Error
		if !errors.As(err, &e) || e.Kind != f.want || e.Path != f.path {
			t.Errorf("%s: got %v, want kind %s at %q", f.name, err, f.want, f.path)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("socket: got mode %v, %v, want 0600", info.Mode().Perm(), err)
	}
}

func TestListen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.sock")
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	stale.Close() // what a killed process leaves behind
	start(t, path)

	second := &control.Server{Path: path, Log: slog.New(slog.DiscardHandler)}
	if err := second.Listen(t.Context()); callhome.KindOf(err) != callhome.KindConflict {
		t.Errorf("second server on one socket: got %v, want a conflict", err)
	}
	long := &control.Server{Path: "/" + strings.Repeat("x", 200), Log: slog.New(slog.DiscardHandler)}
	if err := long.Listen(t.Context()); callhome.KindOf(err) != callhome.KindInvalid {
		t.Errorf("long path: got %v, want invalid", err)
	}
}

// Only a socket is taken for what a killed process left behind.
func TestAFileIsNotReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes")
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &control.Server{Path: path, Log: slog.New(slog.DiscardHandler)}
	if err := s.Listen(t.Context()); callhome.KindOf(err) != callhome.KindConflict {
		t.Errorf("got %v, want a conflict", err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "mine" {
		t.Errorf("the file was touched: %q, %v", b, err)
	}
}

// A call that runs when the server is to stop is finished and answered before Run returns.
func TestStopping(t *testing.T) {
	s := &control.Server{Path: filepath.Join(t.TempDir(), "c.sock"), Log: slog.New(slog.DiscardHandler)}
	begun, finish := make(chan struct{}), make(chan struct{})
	s.Handle("slow", func(ctx context.Context, _ json.RawMessage) (any, error) {
		close(begun)
		<-finish
		return "done", ctx.Err()
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if err := s.Listen(ctx); err != nil {
		t.Fatal(err)
	}
	ran, answered := make(chan error, 1), make(chan error, 1)
	go func() { ran <- s.Run(ctx) }()
	var got string
	go func() { answered <- (&control.Client{Path: s.Path}).Call(t.Context(), "slow", nil, &got) }()
	<-begun
	cancel()
	close(finish)
	if err := <-answered; err != nil || got != "done" {
		t.Errorf("got %q, %v, want the call's answer", got, err)
	}
	if err := <-ran; err != nil {
		t.Error(err)
	}
}

func TestNobodyThere(t *testing.T) {
	c := control.Client{Path: filepath.Join(t.TempDir(), "none.sock")}
	if err := c.Call(t.Context(), "double", 1, nil); callhome.KindOf(err) != callhome.KindUnavailable || !errors.Is(err, control.ErrUnreachable) {
		t.Errorf("got %v, want unavailable", err)
	}
}
