package journald

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// defaultCommand is looked for on the PATH.
const defaultCommand = "journalctl"

// Config is the block `journald` of `intake`.
type Config struct {
	Enabled bool     `yaml:"enabled,omitempty" json:"enabled,omitempty"`
	Command string   `yaml:"command,omitempty" json:"command,omitempty"` // default journalctl
	Units   []string `yaml:"units,omitempty" json:"units,omitempty"`     // systemd units; none: the whole journal
	Matches []string `yaml:"matches,omitempty" json:"matches,omitempty"` // FIELD=value, as journalctl takes them
}

// DefaultConfig reads nothing.
func DefaultConfig() Config { return Config{Command: defaultCommand} }

// Validate names every fault by its key.
func (c Config) Validate() error {
	var errs []error
	if strings.ContainsRune(c.Command, '/') && !filepath.IsAbs(c.Command) {
		errs = append(errs, fmt.Errorf("intake.journald.command: %q is neither a name nor an absolute path", c.Command))
	}
	for i, u := range c.Units {
		if u == "" || strings.HasPrefix(u, "-") {
			errs = append(errs, fmt.Errorf("intake.journald.units[%d]: %q is no unit name", i, u))
		}
	}
	for i, m := range c.Matches {
		if name, _, ok := strings.Cut(m, "="); !ok || name == "" || strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") != "" {
			errs = append(errs, fmt.Errorf("intake.journald.matches[%d]: %q needs the form FIELD=value", i, m))
		}
	}
	return errors.Join(errs...)
}

// arguments is the argv behind the command; without a cursor it begins with what comes from now on.
func (c Config) arguments(cursor string) []string {
	args := []string{"--follow", "--output=json", "--all", "--no-pager", "--quiet"}
	if cursor == "" {
		args = append(args, "--lines=0")
	} else {
		args = append(args, "--lines=all", "--after-cursor="+cursor)
	}
	for _, u := range c.Units {
		args = append(args, "--unit="+u)
	}
	return append(args, c.Matches...)
}
