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

// born is when a file came into being, or was written to last where the file system does not know the former.
func born(dir int, path string, flags int) time.Time {
	var st unix.Statx_t
	if err := unix.Statx(dir, path, flags, unix.STATX_BTIME|unix.STATX_MTIME, &st); err != nil {
		return time.Time{}
	}
	at := st.Mtime
	if st.Mask&unix.STATX_BTIME != 0 {
		at = st.Btime
	}
	return time.Unix(at.Sec, int64(at.Nsec))
}

// bornAfter tells a new file from one that was there when its name was added to the configuration.
func bornAfter(path string, t time.Time) bool {
	return !t.IsZero() && born(unix.AT_FDCWD, path, 0).After(t)
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

// resumeAt opens path if it is the file that p tells of. If its content is another one by now, the copy of the old content
// is looked for, and path is read from its beginning.
func (t *Tailer) resumeAt(path string, p position) bool {
	info, err := os.Stat(path)
	if err != nil || identify(info) != p.identity || t.follows(p.identity) {
		return false
	}
	offset := int64(0)
	if p.Length > 0 && info.Size() >= p.Offset && begins(path, p) {
		offset = p.Offset
	} else if path == p.Path { // not renamed, so copied
		t.files = append(t.files, t.copies(p)...)
	}
	w := t.follow(path, offset)
	if w == nil {
		return false
	}
	w.Path = p.Path
	return true
}

// begins reports whether a file begins like the one that p tells of.
func begins(path string, p position) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	sum, n, err := fingerprint(f, p.Length)
	return err == nil && n == p.Length && sum == p.Print
}

// copies opens what copytruncate left of a file whose content was thrown away: the copy, known by its beginning, from the
// first line not yet taken on, and the copies that were made after it. A file that was empty has no beginning; of it all
// copies are wanted that were made since the last run.
func (t *Tailer) copies(p position) []*file {
	siblings := slices.DeleteFunc(t.siblings(p.Path), func(s sibling) bool {
		return s.id == p.identity || slices.Contains(t.closed, s.id) || t.follows(s.id)
	})
	i := slices.IndexFunc(siblings, func(s sibling) bool {
		if p.Length == 0 {
			return t.first && !t.since.IsZero() && s.born.After(t.since)
		}
		return begins(s.path, p)
	})
	if i < 0 {
		return nil
	}
	var out []*file
	offset := p.Offset
	for _, s := range siblings[i:] {
		w, err := openFile(s.path, offset, t.now())
		if err != nil {
			t.warn(s.path, err)
			continue
		}
		w.Path, offset = p.Path, 0
		out = append(out, w)
	}
	return out
}

// resumeRotated finds the file of p under a new name.
func (t *Tailer) resumeRotated(p position) bool {
	siblings := t.siblings(p.Path)
	i := slices.IndexFunc(siblings, func(s sibling) bool { return s.id == p.identity })
	return i >= 0 && t.resumeAt(siblings[i].path, p)
}

// latest is the last file that was followed under a name.
func (t *Tailer) latest(path string) *file {
	for _, w := range slices.Backward(t.files) {
		if w.Path == path {
			return w
		}
	}
	return nil
}

// followMissed follows the files that had a name after before and lost it again before now got it, and puts them in front
// of now. That now is open already makes the listing complete: only files without this name can be renamed meanwhile.
func (t *Tailer) followMissed(before, now *file) {
	t.files = t.files[:len(t.files)-1]
	for _, s := range t.siblings(now.Path) {
		if s.path == now.Path || s.id == now.identity || s.born.Before(before.born) || s.born.After(now.born) || slices.Contains(t.closed, s.id) || t.follows(s.id) {
			continue
		}
		if w := t.follow(s.path, 0); w != nil {
			w.Path = now.Path
		}
	}
	t.files = append(t.files, now)
}

// follows reports whether a file is open.
func (t *Tailer) follows(id identity) bool {
	return slices.ContainsFunc(t.files, func(w *file) bool { return w.identity == id })
}

// sibling is a followed file, or one whose name is its name and a suffix.
type sibling struct {
	path string
	id   identity
	born time.Time
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
		rest, ok := strings.CutPrefix(name, filepath.Base(path))
		if !ok || rest != "" && !strings.ContainsAny(rest[:1], ".-_~") || slices.ContainsFunc(packed, func(s string) bool { return strings.HasSuffix(name, s) }) {
			continue
		}
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		out = append(out, sibling{filepath.Join(filepath.Dir(path), name), identify(info), born(unix.AT_FDCWD, filepath.Join(filepath.Dir(path), name), 0)})
	}
	slices.SortFunc(out, func(a, b sibling) int { return a.born.Compare(b.born) })
	return out
}
