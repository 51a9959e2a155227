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

// Load reads the agent's configuration from a file, with its fragments and its device list, and checks it. The error
// joins every fault, each a [callhome.Error] whose path is file:line:column.
func Load(path string) (*Agent, error) {
	b, err := readFile(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, b)
}

// Parse is Load for bytes that were read already; relative paths count from the folder of name.
func Parse(name string, b []byte) (*Agent, error) {
	cfg := defaults()
	d := &decoder{file: name, lookup: os.LookupEnv, places: map[string]string{}}
	d.document(b, cfg)
	if len(d.faults) == 0 {
		d.fragments(cfg)
		d.deviceList(cfg)
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
	d.warn(cfg)
	return cfg, nil
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

// fragments merges the files of config_dir in name order: lists are appended, everything else is replaced.
func (d *decoder) fragments(cfg *Agent) {
	if cfg.ConfigDir == "" {
		return
	}
	dir := below(filepath.Dir(d.file), cfg.ConfigDir)
	names, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		d.faultAt("config_dir", "%v", err)
		return
	}
	if _, err := os.Stat(dir); err != nil {
		d.faultAt("config_dir", "%v", errors.Unwrap(err))
	}
	slices.Sort(names)
	for _, name := range names {
		d.fragment(name, cfg)
	}
}

func (d *decoder) fragment(name string, cfg *Agent) {
	b, err := readFile(name)
	if err != nil {
		d.faults = append(d.faults, err)
		return
	}
	sub := &decoder{file: name, lookup: d.lookup, places: map[string]string{}}
	devices, profiles := cfg.Devices, cfg.CallHome.Profiles
	cfg.Devices, cfg.CallHome.Profiles = nil, nil
	sub.document(b, cfg)
	if cfg.ConfigDir != "" && sub.places["config_dir"] != "" {
		sub.faultAt("config_dir", "a fragment cannot name further fragments")
	}
	// Places of appended items follow them to their new index.
	for path, place := range sub.places {
		d.places[shift(path, "devices", len(devices), "call_home.profiles", len(profiles))] = place
	}
	cfg.Devices = append(devices, cfg.Devices...)
	cfg.CallHome.Profiles = append(profiles, cfg.CallHome.Profiles...)
	d.faults = append(d.faults, sub.faults...)
}

// shift moves the index of a list's items: pairs of list path and distance.
func shift(path string, pairs ...any) string {
	for i := 0; i+1 < len(pairs); i += 2 {
		list, by := pairs[i].(string), pairs[i+1].(int)
		rest, ok := strings.CutPrefix(path, list+"[")
		if !ok {
			continue
		}
		index, tail, _ := strings.Cut(rest, "]")
		var n int
		if _, err := fmt.Sscanf(index, "%d", &n); err == nil {
			return fmt.Sprintf("%s[%d]%s", list, n+by, tail)
		}
	}
	return path
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
