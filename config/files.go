package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
)

// otherFiles finds every file that a setting called something_file names and that cannot be read. Those of secrets were
// read by [decoder.secretFiles] and are not named any more; the device list has its own faults.
func (d *decoder) otherFiles(v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			d.otherFiles(v.Elem(), path)
		}
	case reflect.Slice:
		for i := range v.Len() {
			d.otherFiles(v.Index(i), fmt.Sprintf("%s[%d]", path, i))
		}
	case reflect.Struct:
		fields := fieldsOf(v)
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			field, at := fields[name], join(path, name)
			secret, isFile := strings.CutSuffix(name, "_file")
			if !isFile || field.Kind() != reflect.String {
				d.otherFiles(field, at)
				continue
			}
			if isSecret(fields, secret) || at == "devices_file" || field.String() == "" {
				continue
			}
			if err := readable(field.String()); err != nil {
				d.faultAt(at, "%v", err)
			}
		}
	}
}

// readable says why a file cannot be read, and the remedy.
func readable(name string) error {
	f, err := os.Open(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s does not exist; put the file there or correct its name (relative names count from the configuration's folder)", name)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s cannot be read; let the user that runs callhome read it", name)
	case err != nil:
		return fmt.Errorf("%s cannot be read: %w", name, err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return fmt.Errorf("%s cannot be read: %w", name, err)
	case info.IsDir():
		return fmt.Errorf("%s is a folder; name a file", name)
	}
	return nil
}
