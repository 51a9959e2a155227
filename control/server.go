package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"callhome"
)

const (
	// maxRequest bounds what one call may carry: the largest is a message to send, a few MiB.
	maxRequest = 16 << 20
	// headerTimeout is ample for a peer on the same machine.
	headerTimeout = 5 * time.Second
	// stopTime is what a call gets to finish that is running when the server is to stop: an order that was taken is answered.
	stopTime = 5 * time.Second
	// maxSocketPath is what sockaddr_un holds on Linux, with its terminating NUL.
	maxSocketPath = 107
)

// Func answers one call. args is what the client sent; the result is written as JSON.
type Func func(ctx context.Context, args json.RawMessage) (any, error)

// Server answers calls on a unix socket.
type Server struct {
	Path  string // of the socket
	Log   *slog.Logger
	calls map[string]Func
	ln    net.Listener
}

// Handle registers a call. It must not be used after Listen.
func (s *Server) Handle(name string, f Func) {
	if s.calls == nil {
		s.calls = map[string]Func{}
	}
	s.calls[name] = f
}

// Listen makes the socket, for its owner only. A socket that nobody answers on, left by a killed process, is replaced;
// one that is answered on means that the role already runs.
func (s *Server) Listen(ctx context.Context) error {
	if len(s.Path) > maxSocketPath {
		return callhome.Errorf(callhome.KindInvalid, "control: socket path %s is %d bytes long, at most %d are possible; choose a shorter one under `control:`", s.Path, len(s.Path), maxSocketPath)
	}
	if err := os.MkdirAll(filepath.Dir(s.Path), 0o700); err != nil {
		return fmt.Errorf("control: %w", err)
	}
	if c, err := net.DialTimeout("unix", s.Path, time.Second); err == nil { //nolint:noctx // bounded, local
		c.Close()
		return callhome.Errorf(callhome.KindConflict, "control: another process already answers on %s; stop it, or choose another `control:`", s.Path)
	}
	if err := removeStale(s.Path); err != nil {
		return err
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "unix", s.Path)
	if err != nil {
		return fmt.Errorf("control: %w", err)
	}
	if err := os.Chmod(s.Path, 0o600); err != nil {
		ln.Close()
		return fmt.Errorf("control: %w", err)
	}
	s.ln = ln
	return nil
}

// removeStale removes a socket that nobody answers on. Anything else at its path is not ours.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("control: %w", err)
	case info.Mode().Type() != os.ModeSocket:
		return callhome.Errorf(callhome.KindConflict, "control: %s is there already and is no socket; choose another `control:`", path)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("control: %w", err)
	}
	return nil
}

// Run answers until ctx ends, then waits a moment for running calls, and removes the socket.
func (s *Server) Run(ctx context.Context) error {
	srv := &http.Server{
		Handler:           http.HandlerFunc(s.serve),
		ReadHeaderTimeout: headerTimeout,
		BaseContext:       func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
		defer cancel()
		if srv.Shutdown(grace) != nil {
			_ = srv.Close() // which ends the contexts of calls that go on
		}
	})
	defer stop()
	if err := srv.Serve(s.ln); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("control: %w", err)
	}
	<-ended
	return nil
}

type wireError struct {
	Kind    callhome.Kind `json:"kind"`
	Message string        `json:"message"`
	Path    string        `json:"path,omitempty"`
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	name, ok := strings.CutPrefix(r.URL.Path, "/v1/")
	f := s.calls[name]
	if !ok || f == nil || r.Method != http.MethodPost {
		reply(w, http.StatusNotFound, wireError{Kind: callhome.KindNotFound, Message: "this role does not know the call " + name})
		return
	}
	args, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		reply(w, http.StatusBadRequest, wireError{Kind: callhome.KindInvalid, Message: err.Error()})
		return
	}
	out, err := f(r.Context(), args)
	if err != nil {
		reply(w, http.StatusUnprocessableEntity, asWire(err))
		return
	}
	reply(w, http.StatusOK, out)
}

func asWire(err error) wireError {
	e := wireError{Kind: callhome.KindOf(err), Message: err.Error()}
	if c, ok := err.(*callhome.Error); ok { //nolint:errorlint // of several errors, or of one in another's words, the message names the places
		e.Path, e.Message = c.Path, strings.TrimPrefix(e.Message, c.Path+": ")
	}
	return e
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client went away; nobody is left to tell
}
