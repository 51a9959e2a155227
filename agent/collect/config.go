package collect

import (
	"errors"
	"fmt"
	"time"
)

const (
	// defaultCommandTimeout is the longest a command may take (Call Home device-side rules: 60 s).
	defaultCommandTimeout = 60 * time.Second
	// defaultCommandBytes is the default message size limit of IOS: more of one command could not be sent anyway.
	defaultCommandBytes = 3 << 20
	// defaultBudget bounds all commands of one alert: evidence that comes later than the repair is of no use.
	defaultBudget = 5 * time.Minute
	// defaultSessions bounds sessions to all devices together: 64 sessions buffer at most 64 outputs.
	defaultSessions = 64
	// defaultSessionsPerDevice is one: many devices have five vty lines, and people need them in trouble.
	defaultSessionsPerDevice = 1

	maxCommandTimeout    = 10 * time.Minute
	maxBudget            = time.Hour
	maxCommandBytes      = 64 << 20 // an output is held in memory until the message is rendered
	maxSessions          = 1024
	maxSessionsPerDevice = 5 // the vty lines of a small router
)

// Config is the block `collect` of the agent's configuration.
type Config struct {
	CommandTimeout    time.Duration `yaml:"command_timeout,omitempty" json:"command_timeout,omitempty"`         // one command; default 60s
	CommandBytes      int           `yaml:"command_bytes,omitempty" json:"command_bytes,omitempty"`             // output kept of one command; default 3 MiB
	Budget            time.Duration `yaml:"budget,omitempty" json:"budget,omitempty"`                           // all commands of one alert; default 5m
	Sessions          int           `yaml:"sessions,omitempty" json:"sessions,omitempty"`                       // to all devices at once; default 64
	SessionsPerDevice int           `yaml:"sessions_per_device,omitempty" json:"sessions_per_device,omitempty"` // default 1
	Commands          []string      `yaml:"commands,omitempty" json:"commands,omitempty"`                       // allowed on network devices besides show commands
}

// DefaultConfig has every value set.
func DefaultConfig() Config {
	return Config{
		CommandTimeout: defaultCommandTimeout, CommandBytes: defaultCommandBytes, Budget: defaultBudget,
		Sessions: defaultSessions, SessionsPerDevice: defaultSessionsPerDevice,
	}
}

// withDefaults fills what is zero.
func (c Config) withDefaults() Config {
	d := DefaultConfig()
	if c.CommandTimeout == 0 {
		c.CommandTimeout = d.CommandTimeout
	}
	if c.CommandBytes == 0 {
		c.CommandBytes = d.CommandBytes
	}
	if c.Budget == 0 {
		c.Budget = d.Budget
	}
	if c.Sessions == 0 {
		c.Sessions = d.Sessions
	}
	if c.SessionsPerDevice == 0 {
		c.SessionsPerDevice = d.SessionsPerDevice
	}
	return c
}

// Validate names every fault by its key. Zero values stand for the defaults.
func (c Config) Validate() error {
	c = c.withDefaults()
	var errs []error
	inRange := func(key string, v, low, high time.Duration) {
		if v < low || v > high {
			errs = append(errs, fmt.Errorf("collect.%s: %s is outside %s to %s", key, v, low, high))
		}
	}
	count := func(key string, v, low, high int) {
		if v < low || v > high {
			errs = append(errs, fmt.Errorf("collect.%s: %d is outside %d to %d", key, v, low, high))
		}
	}
	inRange("command_timeout", c.CommandTimeout, time.Second, maxCommandTimeout)
	inRange("budget", c.Budget, time.Second, maxBudget)
	count("command_bytes", c.CommandBytes, 1024, maxCommandBytes)
	count("sessions", c.Sessions, 1, maxSessions)
	count("sessions_per_device", c.SessionsPerDevice, 1, maxSessionsPerDevice)
	for i, cmd := range c.Commands {
		if err := wellFormed(cmd); err != nil {
			errs = append(errs, fmt.Errorf("collect.commands[%d]: %w", i, err))
		}
	}
	return errors.Join(errs...)
}
