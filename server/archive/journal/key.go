package journal

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"callhome"
)

const (
	keyFile = "key"
	keySize = 32
)

// openKey reads the folder's key, and makes one for a folder without segments.
func openKey(dir string) ([]byte, error) {
	path := filepath.Join(dir, keyFile)
	key, err := os.ReadFile(path)
	if err == nil && len(key) == keySize {
		return key, nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), suffix) {
			return nil, callhome.Errorf(callhome.KindConflict, "%s is missing or damaged, and without it the messages that wait there cannot be read; bring it back, or move %s to give them up", path, filepath.Join(dir, "*"+suffix))
		}
	}
	key = make([]byte, keySize)
	_, _ = rand.Read(key) // it never fails
	return key, writeKey(dir, key)
}

// writeKey writes the key so that it is there whole, or not.
func writeKey(dir string, key []byte) error {
	f, err := os.CreateTemp(dir, keyFile+".*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(key)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, keyFile))
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncDir(dir)
}

// mark is that of a segment.
func (j *Journal) mark(segment uint64) (m mark) {
	h := hmac.New(sha256.New, j.key)
	h.Write(binary.LittleEndian.AppendUint64(nil, segment))
	copy(m[:], h.Sum(nil))
	return m
}
