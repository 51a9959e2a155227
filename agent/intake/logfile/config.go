package logfile

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"
)

const (
	// defaultPoll is how often files are looked at when the kernel's notices do not come, as on network file systems.
	defaultPoll = time.Second
	minPoll     = 10 * time.Millisecond
	maxPoll     = time.Minute
	// defaultQuiet is how long a rotated file stays open without news: logrotate's postrotate scripts and the writers'
	// own timers take seconds.
	defaultQuiet = time.Minute
	maxQuiet     = 24 * time.Hour
)

// Config is the block `logfile` of `intake`.
type Config struct {
	Files     []string      `yaml:"files,omitempty" json:"files,omitempty"`           // absolute paths, * ? [ ] allowed
	FromStart bool          `yaml:"from_start,omitempty" json:"from_start,omitempty"` // read files that were there before the first start from their beginning
	Poll      time.Duration `yaml:"poll,omitempty" json:"poll,omitempty"`             // default 1s
	Quiet     time.Duration `yaml:"quiet,omitempty" json:"quiet,omitempty"`           // how long a rotated file is kept open; default 1m
}

// DefaultConfig follows nothing.
func DefaultConfig() Config { return Config{Poll: defaultPoll, Quiet: defaultQuiet} }

func (c Config) withDefaults() Config {
	if c.Poll == 0 {
		c.Poll = defaultPoll
	}
	if c.Quiet == 0 {
		c.Quiet = defaultQuiet
	}
	return c
}

// Validate names every fault by its key.
func (c Config) Validate() error {
	c = c.withDefaults()
	var errs []error
	for i, f := range c.Files {
		if !filepath.IsAbs(f) {
			errs = append(errs, fmt.Errorf("intake.logfile.files[%d]: %q is no absolute path", i, f))
		}
		if _, err := filepath.Match(f, ""); err != nil {
			errs = append(errs, fmt.Errorf("intake.logfile.files[%d]: %q: %w", i, f, err))
		}
	}
	if c.Poll < minPoll || c.Poll > maxPoll {
		errs = append(errs, fmt.Errorf("intake.logfile.poll: %s is outside %s to %s", c.Poll, minPoll, maxPoll))
	}
	if c.Quiet < 0 || c.Quiet > maxQuiet {
		errs = append(errs, fmt.Errorf("intake.logfile.quiet: %s is outside 0s to %s", c.Quiet, maxQuiet))
	}
	return errors.Join(errs...)
}
