package server

import (
	"errors"
	"fmt"
	"time"

	"callhome"
	"callhome/server/account"
)

// Config is the conductor's part of the configuration.
type Config struct {
	Retention []Retention `yaml:"retention,omitempty" json:"retention,omitempty"`
	Probe     Probe       `yaml:"probe,omitempty" json:"probe,omitzero"`

	KeepCases    time.Duration `yaml:"keep_cases,omitempty" json:"keep_cases,omitempty"`       // closed service requests, by when they were opened; 0: for ever
	KeepFindings time.Duration `yaml:"keep_findings,omitempty" json:"keep_findings,omitempty"` // without those of service requests; 0: for ever

	KeepInbox time.Duration `yaml:"-" json:"-"` // notify.keep_inbox
}

// Retention says how long messages of a class are kept. The first rule that fits a message counts; messages that no
// rule fits are kept.
type Retention struct {
	Company account.CompanyID     `yaml:"company,omitempty" json:"company,omitempty"` // 0: all
	Groups  []callhome.AlertGroup `yaml:"groups,omitempty" json:"groups,omitempty"`   // none: all
	Status  string                `yaml:"status,omitempty" json:"status,omitempty"`   // such as failed or anonymous; none: all
	MaxAge  time.Duration         `yaml:"max_age,omitempty" json:"max_age,omitempty"`
	// MaxBytes bounds the messages of a company as received, the oldest of the class going first.
	MaxBytes int64 `yaml:"max_bytes,omitempty" json:"max_bytes,omitempty"`
}

// Probe is a call home of our own on a schedule: it goes the whole way, and the time it takes is measured.
type Probe struct {
	Every time.Duration `yaml:"every,omitempty" json:"every,omitempty"` // 0: none
	URL   string        `yaml:"url,omitempty" json:"url,omitempty"`     // of a device endpoint; none: our own
	Limit time.Duration `yaml:"limit,omitempty" json:"limit,omitempty"` // slower is unwell
}

const (
	// minAge keeps a slip of the pen from emptying the archive.
	minAge = time.Hour
	// DefaultProbeLimit is what a message takes at most on a machine that keeps up.
	DefaultProbeLimit = 30 * time.Second
)

// DefaultConfig keeps everything but what is of use for a short time only.
func DefaultConfig() Config {
	return Config{
		Retention: []Retention{{Status: "failed", MaxAge: 90 * 24 * time.Hour}, {Status: "anonymous", MaxAge: 400 * 24 * time.Hour}},
		Probe:     Probe{Limit: DefaultProbeLimit},
	}
}

// Validate names every fault with its key.
func (c *Config) Validate() error {
	var faults []error
	fault := func(path, format string, args ...any) {
		faults = append(faults, &callhome.Error{Kind: callhome.KindInvalid, Path: path, Msg: fmt.Sprintf(format, args...)})
	}
	for i, r := range c.Retention {
		path := fmt.Sprintf("retention[%d]", i)
		if r.MaxAge == 0 && r.MaxBytes == 0 {
			fault(path, "say max_age, max_bytes, or both")
		}
		if r.MaxAge != 0 && r.MaxAge < minAge {
			fault(path+".max_age", "%v is less than %v", r.MaxAge, minAge)
		}
		if r.MaxBytes < 0 {
			fault(path+".max_bytes", "%d is negative", r.MaxBytes)
		}
		if r.Status != "" && !knownStatus(r.Status) {
			fault(path+".status", "%q is not a status of messages", r.Status)
		}
	}
	for path, age := range map[string]time.Duration{"keep_cases": c.KeepCases, "keep_findings": c.KeepFindings} {
		if age != 0 && age < minAge {
			fault(path, "%v is less than %v", age, minAge)
		}
	}
	if c.Probe.Every < 0 || c.Probe.Limit < 0 {
		fault("probe", "times are not negative")
	}
	return errors.Join(faults...)
}
