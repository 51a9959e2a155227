package outbox

import (
	"errors"
	"fmt"
	"time"
)

// Config is the block `queue`.
type Config struct {
	MaxBytes     int64         `yaml:"max_bytes,omitempty" json:"max_bytes,omitempty"`     // alerts and entries as stored, compressed; new alerts are refused beyond it
	LedgerKeep   int64         `yaml:"ledger_keep,omitempty" json:"ledger_keep,omitempty"` // lines
	LedgerMaxAge time.Duration `yaml:"ledger_max_age,omitempty" json:"ledger_max_age,omitempty"`
	DeadKeep     int64         `yaml:"dead_keep,omitempty" json:"dead_keep,omitempty"` // dead letters
	DeadMaxAge   time.Duration `yaml:"dead_max_age,omitempty" json:"dead_max_age,omitempty"`
}

// DefaultConfig holds a site's two bad weeks on a small disk: some hundred thousand messages.
func DefaultConfig() Config {
	return Config{
		MaxBytes:     2 << 30,
		LedgerKeep:   1_000_000,
		LedgerMaxAge: 400 * 24 * time.Hour, // a year and a month, for yearly reports
		DeadKeep:     10_000,
		DeadMaxAge:   90 * 24 * time.Hour,
	}
}

// minMaxBytes lets one message of the greatest size pass.
const minMaxBytes = 16 << 20

// Validate names every fault with its key.
func (c *Config) Validate() error {
	var faults []error
	if c.MaxBytes < minMaxBytes {
		faults = append(faults, fmt.Errorf("queue.max_bytes: %d is too small; give at least %d", c.MaxBytes, minMaxBytes))
	}
	for _, f := range []struct {
		key string
		n   int64
	}{
		{"ledger_keep", c.LedgerKeep}, {"ledger_max_age", int64(c.LedgerMaxAge)},
		{"dead_keep", c.DeadKeep}, {"dead_max_age", int64(c.DeadMaxAge)},
	} {
		if f.n <= 0 {
			faults = append(faults, fmt.Errorf("queue.%s: must be greater than zero; leave it out for the default", f.key))
		}
	}
	return errors.Join(faults...)
}
