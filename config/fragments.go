package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

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
