package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"callhome"

	"go.yaml.in/yaml/v3"
)

// maxFile bounds a configuration file: ten thousand devices with credentials are some 3 MiB.
const maxFile = 32 << 20

// read decodes a file over cfg, which has its defaults, and checks it. The error joins every fault, each a
// [callhome.Error] whose path is file:line:column; without faults there may be warnings, likewise.
func read(name string, b []byte, cfg roleFile) (warnings []error, err error) {
	d := &decoder{file: name, lookup: os.LookupEnv, places: map[string]string{}}
	d.document(b, cfg)
	if m, ok := cfg.(merger); ok && len(d.faults) == 0 {
		m.merge(d)
	}
	sound := len(d.faults) == 0
	cfg.resolvePaths(filepath.Dir(name))
	if sound {
		d.secretFiles(reflect.ValueOf(cfg).Elem(), "")
		d.otherFiles(reflect.ValueOf(cfg).Elem(), "")
	}
	if len(d.faults) == 0 || len(d.places) > 0 { // what was read is checked also beside what could not be read
		d.check(cfg.Validate())
	}
	if len(d.faults) > 0 {
		slices.SortStableFunc(d.faults, d.byPlace)
		return nil, errors.Join(d.faults...)
	}
	return d.warn(cfg), nil
}

// byPlace orders faults the way a reader finds them: those of the file itself from top to bottom, then those of others.
func (d *decoder) byPlace(a, b error) int {
	return cmp.Compare(d.rank(a), d.rank(b))
}

// rank is line and column of a fault in the file itself, above all of them elsewhere.
func (d *decoder) rank(err error) int64 {
	var e *callhome.Error
	var line, column int64
	if !errors.As(err, &e) || !strings.HasPrefix(e.Path, d.file+":") {
		return math.MaxInt64
	}
	if _, err := fmt.Sscanf(e.Path[len(d.file):], ":%d:%d", &line, &column); err != nil {
		return math.MaxInt64
	}
	return line<<32 | column
}

// Faults takes the error of Load or Parse apart.
func Faults(err error) []*callhome.Error {
	var out []*callhome.Error
	for _, e := range flatten(err) {
		var c *callhome.Error
		if !errors.As(e, &c) {
			c = &callhome.Error{Kind: callhome.KindInvalid, Msg: e.Error()}
		}
		out = append(out, c)
	}
	return out
}

func flatten(err error) []error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var out []error
		for _, e := range joined.Unwrap() {
			out = append(out, flatten(e)...)
		}
		return out
	}
	return []error{err}
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, &callhome.Error{Kind: callhome.KindInvalid, Path: path, Msg: "the configuration cannot be read", Err: errors.Unwrap(err)}
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, &callhome.Error{Kind: callhome.KindInvalid, Path: path, Err: err}
	}
	if len(b) > maxFile {
		return nil, &callhome.Error{Kind: callhome.KindInvalid, Path: path, Msg: fmt.Sprintf("is larger than %d bytes", maxFile)}
	}
	return b, nil
}

// document decodes one YAML document over v.
func (d *decoder) document(b []byte, v any) {
	var root yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(b))
	err := dec.Decode(&root)
	switch {
	case errors.Is(err, io.EOF): // an empty file sets nothing
		return
	case err != nil:
		d.faults = append(d.faults, syntaxFault(d.file, b, err))
		return
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		d.faults = append(d.faults, &callhome.Error{Kind: callhome.KindInvalid, Path: d.file + ":1:1", Msg: "holds more than one document; keep one"})
		return
	}
	d.into(root.Content[0], reflect.ValueOf(v).Elem(), "", 0)
}

// check files each fault of a validation, which names a key path, under the place of that key. What follows from a value
// that could not be read, at that key or around it, is left out.
func (d *decoder) check(err error) {
	unread := d.unread
	for _, f := range Faults(err) {
		path, msg := f.Path, strings.TrimPrefix(f.Error(), f.Path+": ")
		if path == "" {
			path, msg = splitPath(msg)
		}
		if slices.ContainsFunc(unread, func(u string) bool { return within(path, u) || within(u, path) }) {
			continue
		}
		d.faultAt(path, "%s", msg)
	}
}

// within reports whether a key path is another or below it; every path is below the empty one.
func within(path, other string) bool {
	rest, ok := strings.CutPrefix(path, other)
	return ok && (rest == "" || other == "" || rest[0] == '.' || rest[0] == '[')
}

// splitPath takes the leading "key.path: " off the messages of packages that report plain errors.
func splitPath(msg string) (path, rest string) {
	path, rest, ok := strings.Cut(msg, ": ")
	if !ok || strings.ContainsAny(path, " \"") {
		return "", msg
	}
	return path, rest
}

func below(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// prefixed puts the block's name before the keys that its package names.
func prefixed(block string, err error) error {
	var out []error
	for _, f := range Faults(err) {
		f.Path = block + "." + f.Path
		out = append(out, f)
	}
	return errors.Join(out...)
}

// placed reads the key from the beginning of faults that are plain text: "casework.teams[0]: …".
func placed(err error) error {
	var out []error
	for _, f := range Faults(err) {
		if path, msg, ok := strings.Cut(f.Msg, ": "); ok && f.Path == "" && !strings.ContainsAny(path, " \"") {
			f.Path, f.Msg = path, msg
		}
		out = append(out, f)
	}
	return errors.Join(out...)
}
