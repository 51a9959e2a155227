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

func TestNobodyThere(t *testing.T) {
	c := control.Client{Path: filepath.Join(t.TempDir(), "none.sock")}
	if err := c.Call(t.Context(), "double", 1, nil); callhome.KindOf(err) != callhome.KindUnavailable || !errors.Is(err, control.ErrUnreachable) {
		t.Errorf("got %v, want unavailable", err)
	}
}
