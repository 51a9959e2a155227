package logfile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/prometheus/client_golang/prometheus"

	"callhome"
	"callhome/agent/intake"
)

const (
	// checkpointTime bounds what a crash may repeat.
	checkpointTime = time.Second
	// maxFiles bounds the open descriptors: a pattern that fits more is a mistake.
	maxFiles = 4096
	// maxClosed is how many finished files are known not to be new; older ones have been deleted or compressed.
	maxClosed = 256
)

// Store keeps the positions.
type Store interface {
	Load(v any) error
	Save(v any) error
}

// Options are what a Tailer gets from outside; all may be left out.
type Options struct {
	Log     *slog.Logger
	Now     func() time.Time
	Store   Store                 // nil: every start is the first
	Metrics prometheus.Registerer // nil: not exported
}

// Tailer follows all files of a configuration in one goroutine, that of Run.
type Tailer struct {
	cfg     Config
	sink    intake.Sink
	log     *slog.Logger
	now     func() time.Time
	store   Store
	metrics *metrics
	watch   func(dir string) error

	files  []*file         // rotated ones before those that took their names
	closed []identity      // rotated files that are done with, the last maxClosed of them
	first  bool            // before the first scan
	known  map[string]bool // names that the last run followed
	since  time.Time       // when the last run saved its state; zero: this is the first run
	dirty  bool            // something was taken since the last save
	saved  time.Time
	warned map[string]bool // paths that could not be opened, said once
}

// New checks the configuration; nothing is opened yet.
func New(cfg Config, sink intake.Sink, o Options) (*Tailer, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	t := &Tailer{cfg: cfg.withDefaults(), sink: sink, log: o.Log, now: o.Now, store: o.Store, metrics: newMetrics(), warned: map[string]bool{}, watch: func(string) error { return nil }}
	if t.log == nil {
		t.log = slog.New(slog.DiscardHandler)
	}
	if t.now == nil {
		t.now = time.Now
	}
	if o.Metrics != nil {
		return t, t.metrics.register(o.Metrics)
	}
	return t, nil
}

// Run follows the files until ctx ends.
func (t *Tailer) Run(ctx context.Context) error {
	if err := t.resume(); err != nil {
		return err
	}
	defer t.close()
	var events <-chan fsnotify.Event
	var faults <-chan error
	if watcher, err := fsnotify.NewWatcher(); err != nil {
		t.log.Warn("no notices from the kernel, files are polled", "err", err)
	} else {
		defer func() { _ = watcher.Close() }()
		t.watch, events, faults = watcher.Add, watcher.Events, watcher.Errors
	}
	poll := time.NewTicker(t.cfg.Poll)
	defer poll.Stop()
	for {
		t.scan()
		t.readAll(ctx)
		t.checkpoint(false)
		select {
		case <-ctx.Done():
			t.checkpoint(true)
			return nil
		case <-events:
			drainEvents(events)
		case err := <-faults: // an overflow: the next scan finds what the notices would have told
			t.log.Debug("notices from the kernel were lost", "err", err)
		case <-poll.C:
		}
	}
}

// drainEvents forgets notices that are about the same moment.
func drainEvents(events <-chan fsnotify.Event) {
	for {
		select {
		case _, ok := <-events:
			if !ok {
				return
			}
		default:
			return
		}
	}
}

// scan finds out what the names mean now.
func (t *Tailer) scan() {
	current := map[identity]bool{}
	for _, path := range t.paths() {
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		id := identify(info)
		current[id] = true
		if t.follows(id) {
			continue
		}
		before := t.latest(path)
		offset := int64(0)
		if t.first && !t.cfg.FromStart && !t.known[path] && !bornAfter(path, t.since) {
			offset = info.Size()
		}
		if w := t.follow(path, offset); w != nil && before != nil {
			t.followMissed(before, w)
		}
	}
	for _, w := range t.files {
		if current[w.identity] {
			w.rotated = false // a name that was away for a moment
		} else if !w.rotated {
			w.rotated, w.news = true, t.now()
			t.metrics.rotations.Inc()
		}
	}
	t.first = false
	t.metrics.files.Set(float64(len(t.files)))
}

// paths expands the patterns and watches the folders they lie in.
func (t *Tailer) paths() []string {
	var out []string
	for _, pattern := range t.cfg.Files {
		folders, _ := filepath.Glob(filepath.Dir(pattern))
		for _, dir := range folders {
			_ = t.watch(dir) // a folder that cannot be watched is polled
		}
		found, _ := filepath.Glob(pattern)
		out = append(out, found...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// follow opens one more file.
func (t *Tailer) follow(path string, offset int64) *file {
	if len(t.files) >= maxFiles {
		t.warn(path, fmt.Errorf("%d files are open already", maxFiles))
		return nil
	}
	w, err := openFile(path, offset, t.now())
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			t.warn(path, err)
		}
		return nil
	}
	delete(t.warned, path)
	t.files = append(t.files, w)
	t.dirty = true
	return w
}

func (t *Tailer) warn(path string, err error) {
	if !t.warned[path] {
		t.warned[path] = true
		t.log.Warn("file is not followed", "path", path, "err", err)
	}
}

// findCopies starts files over whose content was thrown away, and puts the copies that were made of them before in front
// of them.
func (t *Tailer) findCopies() {
	for i := 0; i < len(t.files); i++ {
		w := t.files[i]
		again, err := w.replaced()
		if again {
			t.metrics.rotations.Inc()
			t.dirty = true
			copies := t.copies(w.position)
			t.files = slices.Insert(t.files, i, copies...)
			i += len(copies)
			err = w.rewind()
		}
		if err != nil {
			t.warn(w.Path, err)
		}
	}
}

// readAll takes what is new in every file, and lets go of rotated files that have been quiet.
func (t *Tailer) readAll(ctx context.Context) {
	t.findCopies()
	kept := t.files[:0]
	for _, w := range t.files {
		o := intake.Origin{Source: callhome.SourceLogfile, Name: w.Path}
		n, err := w.read(ctx, t.sink, &o, t.now)
		if err != nil && ctx.Err() == nil {
			t.warn(w.Path, err)
		}
		t.metrics.bytes.Add(float64(n))
		t.dirty = t.dirty || n > 0
		if ctx.Err() == nil && w.rotated && t.now().Sub(w.news) >= t.cfg.Quiet && w.finish(ctx, t.sink, &o) == nil {
			w.f.Close()
			t.dirty = true
			t.closed = append(t.closed, w.identity)
			t.closed = t.closed[max(0, len(t.closed)-maxClosed):]
			continue
		}
		kept = append(kept, w)
	}
	clear(t.files[len(kept):])
	t.files = kept
}

// checkpoint saves the positions, at most once a second unless it is the last time.
func (t *Tailer) checkpoint(last bool) {
	if t.store == nil || !t.dirty || !last && t.now().Sub(t.saved) < checkpointTime {
		return
	}
	state := state{SavedAt: t.now(), Files: make([]position, len(t.files))}
	for i, w := range t.files {
		state.Files[i] = w.position
	}
	if err := t.store.Save(state); err != nil {
		t.log.Error("positions in files are not saved: lines may come again after a restart", "err", err)
		return
	}
	t.saved, t.dirty = t.now(), false
}

func (t *Tailer) close() {
	for _, w := range t.files {
		w.f.Close()
	}
	t.files = nil
}
