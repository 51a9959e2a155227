package deliver

import (
	"errors"
	"fmt"
	"time"
)

// Config is the block `retry`.
type Config struct {
	BackoffMin     time.Duration `yaml:"backoff_min,omitempty" json:"backoff_min,omitempty"`         // pause after the first failure
	BackoffMax     time.Duration `yaml:"backoff_max,omitempty" json:"backoff_max,omitempty"`         // longest pause
	MaxAge         time.Duration `yaml:"max_age,omitempty" json:"max_age,omitempty"`                 // then a dead letter
	SendTimeout    time.Duration `yaml:"send_timeout,omitempty" json:"send_timeout,omitempty"`       // of one try
	ProbeMax       time.Duration `yaml:"probe_max,omitempty" json:"probe_max,omitempty"`             // longest pause between tries of an unreachable destination with many lanes
	Workers        int           `yaml:"workers,omitempty" json:"workers,omitempty"`                 // sends at a time, all destinations together
	PerDestination int           `yaml:"per_destination,omitempty" json:"per_destination,omitempty"` // sends at a time to one destination
}

// DefaultConfig is what is written into the configuration's documentation.
func DefaultConfig() Config {
	return Config{
		BackoffMin:     5 * time.Second,
		BackoffMax:     time.Hour,
		MaxAge:         14 * 24 * time.Hour,
		SendTimeout:    2 * time.Minute, // five megabytes over a line of 400 kbit/s
		ProbeMax:       time.Minute,
		Workers:        32,
		PerDestination: 8,
	}
}

// maxWorkers bounds goroutines and connections.
const maxWorkers = 1024

// Validate names every fault with its key.
func (c *Config) Validate() error {
	var faults []error
	for _, d := range []struct {
		key string
		d   time.Duration
	}{
		{"backoff_min", c.BackoffMin}, {"backoff_max", c.BackoffMax}, {"max_age", c.MaxAge},
		{"send_timeout", c.SendTimeout}, {"probe_max", c.ProbeMax},
	} {
		if d.d <= 0 {
			faults = append(faults, fmt.Errorf("retry.%s: must be longer than zero, such as 30s; leave it out for the default", d.key))
		}
	}
	if c.BackoffMax < c.BackoffMin {
		faults = append(faults, fmt.Errorf("retry.backoff_max: %v is shorter than backoff_min, %v", c.BackoffMax, c.BackoffMin))
	}
	for _, n := range []struct {
		key string
		n   int
	}{{"workers", c.Workers}, {"per_destination", c.PerDestination}} {
		if n.n < 1 || n.n > maxWorkers {
			faults = append(faults, fmt.Errorf("retry.%s: %d is not one of 1 to %d", n.key, n.n, maxWorkers))
		}
	}
	return errors.Join(faults...)
}
