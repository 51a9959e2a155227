package journald

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"callhome"
	"callhome/agent/intake"
)

const (
	// maxEntry bounds one line of journalctl: core dumps put whole binaries into fields.
	maxEntry = 8 << 20
	// maxLine is the longest line given on, as for every other source.
	maxLine = 1 << 20
	// firstPause and maxPause bound the wait before journalctl is started again; it doubles each time.
	firstPause = 500 * time.Millisecond
	maxPause   = time.Minute
	// steadyTime is how long a process must have run for the next wait to be short again.
	steadyTime = time.Minute
	// checkpointTime bounds what a crash of ours may repeat.
	checkpointTime = time.Second
	// maxComplaint is how much of journalctl's standard error is kept for the log.
	maxComplaint = 512
)

// Store keeps the cursor.
type Store interface {
	Load(v any) error
	Save(v any) error
}

// Options are what a Reader gets from outside; all may be left out.
type Options struct {
	Log     *slog.Logger
	Now     func() time.Time
	Store   Store                 // nil: every start begins with new entries
	Metrics prometheus.Registerer // nil: not exported
}

// Reader reads the journal; its fields are owned by Run's goroutine.
type Reader struct {
	cfg        Config
	sink       intake.Sink
	log        *slog.Logger
	now        func() time.Time
	store      Store
	metrics    *metrics
	firstPause time.Duration // the constant, but for tests

	position position
	dirty    bool
	saved    time.Time
	line     []byte
}

// position is what the state file holds.
type position struct {
	Cursor string `json:"cursor"`
}

// New checks the configuration; no process is started yet.
func New(cfg Config, sink intake.Sink, o Options) (*Reader, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Command == "" {
		cfg.Command = defaultCommand
	}
	r := &Reader{cfg: cfg, sink: sink, log: o.Log, now: o.Now, store: o.Store, metrics: newMetrics(), firstPause: firstPause}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	if r.now == nil {
		r.now = time.Now
	}
	if o.Metrics != nil {
		return r, r.metrics.register(o.Metrics)
	}
	return r, nil
}

// Run reads until ctx ends. When journalctl ends it is started again behind the last entry.
func (r *Reader) Run(ctx context.Context) error {
	if r.store != nil {
		if err := r.store.Load(&r.position); err != nil {
			return fmt.Errorf("journal cursor: %w", err)
		}
	}
	for pause := r.firstPause; ctx.Err() == nil; pause = min(2*pause, maxPause) {
		started := r.now()
		err := r.session(ctx)
		r.checkpoint(true)
		if r.now().Sub(started) >= steadyTime {
			pause = r.firstPause
		}
		r.rest(ctx, pause, err)
	}
	return nil
}

// rest waits before the next start, unless we are to end.
func (r *Reader) rest(ctx context.Context, pause time.Duration, why error) {
	if ctx.Err() != nil {
		return
	}
	r.metrics.restarts.Inc()
	r.log.Warn("journalctl ended and is started again", "err", why, "wait", pause)
	select {
	case <-ctx.Done():
	case <-time.After(pause):
	}
}

// session runs journalctl once.
func (r *Reader) session(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, r.cfg.Command, r.cfg.arguments(r.position.Cursor)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8", "SYSTEMD_COLORS=0"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	complaint := &head{limit: maxComplaint}
	cmd.Stderr = complaint
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("journalctl: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("journalctl: %w", err)
	}
	rerr := r.read(ctx, out)
	if rerr != nil {
		_ = cmd.Cancel()
	}
	werr := cmd.Wait()
	if complaint.Len() > 0 {
		return fmt.Errorf("journalctl: %w: %s", errors.Join(rerr, werr), bytes.TrimSpace(complaint.Bytes()))
	}
	return errors.Join(rerr, werr)
}

// head keeps the beginning of what is written to it.
type head struct {
	bytes.Buffer
	limit int
}

// Write never fails.
func (h *head) Write(p []byte) (int, error) {
	h.Buffer.Write(p[:min(len(p), max(0, h.limit-h.Len()))])
	return len(p), nil
}

// read takes entries, one a line.
func (r *Reader) read(ctx context.Context, out io.Reader) error {
	in := bufio.NewReaderSize(out, 64<<10)
	var long []byte
	for {
		part, err := in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			if len(long) < maxEntry {
				long = append(long, part...)
			}
			continue
		}
		row := part
		if len(long) > 0 {
			long = append(long, part...)
			row = long
		}
		if terr := r.take(ctx, row); terr != nil {
			return terr
		}
		long = nil
		switch {
		case errors.Is(err, io.EOF):
			return errors.New("journalctl closed its output")
		case err != nil:
			return fmt.Errorf("read journalctl: %w", err)
		}
		r.checkpoint(in.Buffered() == 0 && r.now().Sub(r.saved) >= checkpointTime)
	}
}

// take gives one entry to the sink and moves the cursor on.
func (r *Reader) take(ctx context.Context, row []byte) error {
	if row = bytes.TrimSpace(row); len(row) == 0 {
		return nil
	}
	var e entry
	if err := json.Unmarshal(row, &e); err != nil {
		r.metrics.bad.Inc()
		r.log.Warn("not a journal entry", "err", err, "length", len(row))
		return nil
	}
	if e.Message != "" {
		r.line = e.appendLine(r.line[:0])
		o := intake.Origin{Source: callhome.SourceJournald, Name: "journal", ReceivedAt: r.now(), Truncated: len(r.line) > maxLine}
		if err := r.sink.Take(ctx, r.line[:min(len(r.line), maxLine)], &o); err != nil {
			return fmt.Errorf("journal entry not taken: %w", err)
		}
		r.metrics.entries.Inc()
	}
	if e.Cursor != "" {
		r.position.Cursor, r.dirty = e.Cursor, true
	}
	return nil
}

// checkpoint saves the cursor if it is time.
func (r *Reader) checkpoint(due bool) {
	if !due || !r.dirty || r.store == nil {
		return
	}
	if err := r.store.Save(r.position); err != nil {
		r.log.Error("journal cursor is not saved: entries may come again after a restart", "err", err)
		return
	}
	r.dirty, r.saved = false, r.now()
}
