package config

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settle is how long a file must have been left alone: editors write in several steps.
const settle = 500 * time.Millisecond

// Watch sends a token when the file, or a fragment below its config_dir, may have changed and was left alone for a
// moment. The channel is closed when ctx ends.
func Watch(ctx context.Context, file string) (<-chan struct{}, error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watch configuration: %w", err)
	}
	// The folder is watched rather than the file: editors and package managers replace files by renaming.
	dirs := []string{filepath.Dir(file)}
	if cfg, err := Load(file); err == nil && cfg.ConfigDir != "" {
		dirs = append(dirs, below(filepath.Dir(file), cfg.ConfigDir))
	}
	for _, dir := range dirs {
		if err := w.Add(dir); err != nil {
			_ = w.Close()
			return nil, fmt.Errorf("watch configuration: %w", err)
		}
	}
	out := make(chan struct{}, 1)
	go watch(ctx, w, file, out)
	return out, nil
}

func watch(ctx context.Context, w *fsnotify.Watcher, file string, out chan<- struct{}) {
	defer close(out)
	defer func() { _ = w.Close() }()
	quiet := time.NewTimer(settle)
	quiet.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-w.Events:
			if !ok {
				return
			}
			if filepath.Clean(e.Name) == filepath.Clean(file) || filepath.Ext(e.Name) == ".yaml" {
				quiet.Reset(settle)
			}
		case _, ok := <-w.Errors:
			if !ok {
				return
			}
			quiet.Reset(settle) // events may be lost: look
		case <-quiet.C:
			select {
			case out <- struct{}{}:
			default:
			}
		}
	}
}
