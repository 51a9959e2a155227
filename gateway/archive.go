package gateway

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"callhome"
)

// archive keeps copies of what was forwarded: DIR/2026-11-22/093015.123456-000042.xml, in local time. A copy is no
// promise: it is written after the upstream took the message, and a kill -9 may lose the last one.
type archive struct {
	number atomic.Int64
}

const archiveDay = "2006-01-02"

func (a *archive) put(cfg Archive, env *callhome.Envelope, now time.Time) error {
	now = now.Local()
	dir := filepath.Join(cfg.Dir, now.Format(archiveDay))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	name := fmt.Sprintf("%s-%06d.xml", now.Format("150405.000000"), a.number.Add(1)%1_000_000)
	return os.WriteFile(filepath.Join(dir, name), env.Body, 0o600)
}

// archiveEvery is how often the archive is brought within its limits.
const archiveEvery = 10 * time.Minute

func (g *Gateway) tidyArchive(ctx context.Context) {
	tick := time.NewTicker(archiveEvery)
	defer tick.Stop()
	for {
		if cfg := g.cfg.Load().Archive; cfg.Dir != "" {
			if err := tidyArchive(cfg, g.now()); err != nil {
				g.log.Warn("the archive could not be tidied", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// tidyArchive removes copies that are too old, and the oldest ones while there are too many bytes.
func tidyArchive(cfg Archive, now time.Time) error {
	type copied struct {
		path string
		size int64
		at   time.Time
	}
	var all []copied
	var total int64
	err := filepath.WalkDir(cfg.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".xml") {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		}
		if _, err := time.Parse(archiveDay, filepath.Base(filepath.Dir(path))); err != nil {
			return nil //nolint:nilerr // a folder that is not ours
		}
		info, err := d.Info()
		if err != nil {
			return nil //nolint:nilerr // it went meanwhile
		}
		all = append(all, copied{path, info.Size(), info.ModTime()})
		total += info.Size()
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b copied) int { return a.at.Compare(b.at) })
	for _, c := range all {
		if total <= cfg.MaxBytes && now.Sub(c.at) <= cfg.Keep {
			break
		}
		if err := os.Remove(c.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		total -= c.size
		_ = os.Remove(filepath.Dir(c.path)) // succeeds for a day that is empty
	}
	return nil
}
