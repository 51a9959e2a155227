package throttle

import (
	"errors"
	"fmt"
	"time"

	"callhome/personality"
)

// Config are the rules. Its fields come from several keys of the configuration, so it has no YAML form of its own.
type Config struct {
	// RateLimit is the number of messages of one device in any sixty seconds; 0 is no limit.
	RateLimit int
	// Duplicates turns the rules about repeats, event types and flapping on.
	Duplicates bool
	// Personality gives the rules for alerts that name no other.
	Personality *personality.Personality

	// FlapCount beginnings within FlapWindow are flapping; it ends after FlapQuiet without a change. FlapCount 0 turns
	// the rule off.
	FlapCount  int
	FlapWindow time.Duration
	FlapQuiet  time.Duration
}

// Defaults of flapping: a link that goes down five times in ten minutes has told its story, and one that is quiet for
// ten minutes has settled.
const (
	defaultFlapCount  = 5
	defaultFlapWindow = 10 * time.Minute
	defaultFlapQuiet  = 10 * time.Minute
)

// DefaultConfig are the rules of a platform; nil is generic.
func DefaultConfig(p *personality.Personality) Config {
	if p == nil {
		p, _ = personality.ByName(string(personality.Generic))
	}
	return Config{
		RateLimit: p.Limits.RateLimit.Default, Duplicates: true, Personality: p,
		FlapCount: defaultFlapCount, FlapWindow: defaultFlapWindow, FlapQuiet: defaultFlapQuiet,
	}
}

// Validate names every fault.
func (c *Config) Validate() error {
	var errs []error
	if c.RateLimit < 0 {
		errs = append(errs, fmt.Errorf("call_home.rate_limit: %d is negative; 0 turns the limit off", c.RateLimit))
	} else if c.Personality != nil {
		if err := c.Personality.Limits.CheckRate(c.RateLimit); err != nil {
			errs = append(errs, fmt.Errorf("call_home.rate_limit: %w", err))
		}
	}
	if c.FlapCount < 0 || c.FlapCount == 1 || c.FlapCount > maxFlapCount {
		errs = append(errs, fmt.Errorf("flap count %d is not 0 and not 2..%d", c.FlapCount, maxFlapCount))
	}
	if c.FlapCount > 0 && (c.FlapWindow <= 0 || c.FlapQuiet <= 0) {
		errs = append(errs, errors.New("flap window and quiet time must be above zero"))
	}
	return errors.Join(errs...)
}
