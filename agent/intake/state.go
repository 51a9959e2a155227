package intake

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxStateBytes bounds a state file. The largest is what throttling remembers: twenty thousand troubles and the digests
// of a thousand devices, some 30 MiB.
const maxStateBytes = 64 << 20

// State is a small JSON file that is replaced as a whole, so that it is never half written.
type State string

// Load reads the file into v; a missing file leaves v as it is. What killed processes left of their saving is removed,
// so Load is for the start, when nobody saves yet.
func (s State) Load(v any) error {
	s.clean()
	info, err := os.Stat(string(s))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read state: %w", err)
	}
	if info.Size() > maxStateBytes {
		return fmt.Errorf("state file %s has %d bytes, more than %d: it is not ours or damaged; remove it to start anew", string(s), info.Size(), maxStateBytes)
	}
	b, err := os.ReadFile(string(s))
	if err != nil {
		return fmt.Errorf("read state: %w", err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("state file %s is damaged, remove it to start anew: %w", string(s), err)
	}
	return nil
}

// clean removes temporary files; one that cannot be removed does no harm.
func (s State) clean() {
	dir, name := filepath.Split(string(s))
	found, _ := os.ReadDir(cmp.Or(dir, "."))
	for _, f := range found {
		number, ours := strings.CutPrefix(f.Name(), name+".")
		if ours && number != "" && strings.Trim(number, "0123456789") == "" && f.Type().IsRegular() {
			_ = os.Remove(filepath.Join(dir, f.Name()))
		}
	}
}

// Save replaces the file by v; when it returns nil, the new content survives a crash.
func (s State) Save(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode state: %w", err)
	}
	dir := filepath.Dir(string(s))
	tmp, err := os.CreateTemp(dir, filepath.Base(string(s))+".*")
	if err != nil {
		return fmt.Errorf("save state: %w", err)
	}
	_, werr := tmp.Write(append(b, '\n'))
	if err := errors.Join(werr, tmp.Sync(), tmp.Close()); err != nil {
		return errors.Join(fmt.Errorf("save state: %w", err), os.Remove(tmp.Name()))
	}
	if err := os.Rename(tmp.Name(), string(s)); err != nil {
		return errors.Join(fmt.Errorf("save state: %w", err), os.Remove(tmp.Name()))
	}
	return syncDir(dir)
}

// syncDir makes a rename in dir durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("save state: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("save state: %w", err)
	}
	return nil
}
