package logfile

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// packed are the ends of names of rotated files that cannot be read as lines.
var packed = []string{".gz", ".xz", ".bz2", ".zst", ".lz4", ".Z"}

// state is what the state file holds.
type state struct {
	SavedAt time.Time  `json:"saved_at"`
	Files   []position `json:"files"`
}

// bornAfter reports whether a file came into being after t, which tells a new file from one that was there when its name
// was added to the configuration. Where the file system does not know, it counts as new: better read twice than not.
func bornAfter(path string, t time.Time) bool {
	if t.IsZero() {
		return false
	}
	var st unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, path, 0, unix.STATX_BTIME, &st); err != nil || st.Mask&unix.STATX_BTIME == 0 {
		return true
	}
	return time.Unix(st.Btime.Sec, int64(st.Btime.Nsec)).After(t)
}

// resume goes on where the last run ended. A file that was rotated meanwhile is looked for beside the name it had.
func (t *Tailer) resume() error {
	var saved state
	if t.store != nil {
		if err := t.store.Load(&saved); err != nil {
			return fmt.Errorf("positions in files: %w", err)
		}
	}
	t.first, t.since, t.known = true, saved.SavedAt, map[string]bool{}
	for _, p := range saved.Files {
		t.known[p.Path] = true
		if !t.wanted(p.Path) {
			continue
		}
		if !t.resumeAt(p.Path, p) && !t.resumeRotated(p) {
			t.log.Warn("a file was rotated away while nobody followed it; its last lines may be missing", "path", p.Path)
		}
	}
	return nil
}

func (t *Tailer) wanted(path string) bool {
	return slices.ContainsFunc(t.cfg.Files, func(pattern string) bool {
		ok, _ := filepath.Match(pattern, path)
		return ok
	})
}

// resumeAt opens path if it is the file that p tells of, or that file cut short.
func (t *Tailer) resumeAt(path string, p position) bool {
	info, err := os.Stat(path)
	if err != nil || identify(info) != p.identity || slices.ContainsFunc(t.files, func(w *file) bool { return w.identity == p.identity }) {
		return false
	}
	w := t.follow(path, 0)
	if w == nil {
		return false
	}
	w.Path = p.Path
	sum, n, err := fingerprint(w.f, max(p.Length, 1))
	if err == nil && info.Size() >= p.Offset && (p.Length == 0 || n == p.Length && sum == p.Print) {
		w.Offset = p.Offset
	}
	return true
}

// resumeRotated finds the file of p under a new name, and files that came and went after it.
func (t *Tailer) resumeRotated(p position) bool {
	siblings := t.siblings(p.Path)
	i := slices.IndexFunc(siblings, func(s sibling) bool { return s.id == p.identity })
	if i < 0 || !t.resumeAt(siblings[i].path, p) {
		return false
	}
	for _, s := range siblings[i+1:] {
		if !slices.ContainsFunc(t.files, func(w *file) bool { return w.identity == s.id }) {
			if w := t.follow(s.path, 0); w != nil {
				w.Path = p.Path
			}
		}
	}
	return true
}

// sibling is a file whose name begins like that of a followed file.
type sibling struct {
	path string
	id   identity
	mod  int64
}

// siblings lists them from the oldest to the newest.
func (t *Tailer) siblings(path string) []sibling {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil
	}
	var out []sibling
	for _, e := range entries {
		name := e.Name()
		if !strings.HasPrefix(name, filepath.Base(path)) || slices.ContainsFunc(packed, func(s string) bool { return strings.HasSuffix(name, s) }) {
			continue
		}
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		out = append(out, sibling{filepath.Join(filepath.Dir(path), name), identify(info), info.ModTime().UnixNano()})
	}
	slices.SortFunc(out, func(a, b sibling) int { return int(max(-1, min(1, a.mod-b.mod))) })
	return out
}
