package casework

import (
	"errors"
	"fmt"
	"net/mail"
	"path"
	"regexp"
	"strings"
	"time"
)

var (
	prefixForm = regexp.MustCompile(`^[A-Z]{1,8}$`)
	nameForm   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)
)

// Bounds of a configuration; beyond them it is a mistake.
const (
	maxQuiet    = 30 * 24 * time.Hour
	maxSteps    = 20
	maxRepeat   = 50
	minStepGap  = time.Minute // a policy that starts anew sooner would page without end
	maxMembers  = 200
	maxFlapping = 1000
)

type faults []error

func (f *faults) add(format string, args ...any) { *f = append(*f, fmt.Errorf(format, args...)) }

// Validate names every fault with its key.
func (c *Config) Validate() error {
	var f faults
	if c.Prefix != "" && !prefixForm.MatchString(c.Prefix) {
		f.add("casework.number_prefix: %q is not 1 to 8 capital letters", c.Prefix)
	}
	c.checkTimes(&f)
	c.checkPeople(&f)
	for i := range c.Rotas {
		c.Rotas[i].check(&f, fmt.Sprintf("casework.rotas[%d]", i), c)
	}
	for i := range c.Policies {
		c.checkPolicy(&f, i)
	}
	c.checkTeams(&f)
	c.checkRouting(&f)
	for i := range c.Maintenance {
		c.Maintenance[i].check(&f, fmt.Sprintf("casework.maintenance[%d]", i))
	}
	return errors.Join(f...)
}

func (c *Config) checkTimes(f *faults) {
	for _, d := range []struct {
		key string
		d   time.Duration
	}{
		{"quiet_time", c.QuietTime}, {"flap_window", c.FlapWindow}, {"flap_quiet", c.FlapQuiet},
		{"reopen_window", c.ReopenWindow}, {"close_after", c.CloseAfter}, {"tell_every", c.TellEvery},
	} {
		if d.d < 0 || d.d > 12*maxQuiet {
			f.add("casework.%s: %v is not between 0 and %v", d.key, d.d, 12*maxQuiet)
		}
	}
	if c.FlapCount < 0 || c.FlapCount == 1 || c.FlapCount > maxFlapping {
		f.add("casework.flap_count: %d is not 0 (never) and not 2 to %d", c.FlapCount, maxFlapping)
	}
	last := int64(1)
	for i, n := range c.EscalateAt {
		if n <= last {
			f.add("casework.escalate_at[%d]: %d does not rise; the numbers begin at 2 and grow", i, n)
		}
		last = max(last, n)
	}
}

func checkName(f *faults, key, name string, seen map[string]bool) {
	switch {
	case !nameForm.MatchString(name):
		f.add("%s.name: %q is not a name of letters, digits, dots, dashes and underscores", key, name)
	case seen[name]:
		f.add("%s.name: %q is there twice", key, name)
	}
	seen[name] = true
}

func checkAddress(f *faults, key, address string) {
	if address == "" {
		return
	}
	if _, err := mail.ParseAddress(address); err != nil {
		f.add("%s: %q is not an address; write it as user@host.example", key, address)
	}
}

func (c *Config) checkPeople(f *faults) {
	seen := map[string]bool{}
	for i, p := range c.People {
		key := fmt.Sprintf("casework.people[%d]", i)
		checkName(f, key, p.Name, seen)
		checkAddress(f, key+".email", p.Email)
		checkAddress(f, key+".pager", p.Pager)
		if p.Email == "" && p.Pager == "" {
			f.add("%s: %s has neither email nor pager and cannot be called", key, p.Name)
		}
	}
}

// knowPeople checks that each name is one of people.
func (c *Config) knowPeople(f *faults, key string, names []string) {
	if len(names) > maxMembers {
		f.add("%s: %d names are more than %d", key, len(names), maxMembers)
	}
	for i, n := range names {
		if c.person(n) == nil {
			f.add("%s[%d]: %q is not among casework.people", key, i, n)
		}
	}
}

func (c *Config) checkPolicy(f *faults, i int) {
	p, key := &c.Policies[i], fmt.Sprintf("casework.escalation[%d]", i)
	checkName(f, key, p.Name, map[string]bool{})
	if find(c.Policies[:i], func(q *Policy) string { return q.Name }, p.Name) != nil {
		f.add("%s.name: %q is there twice", key, p.Name)
	}
	if len(p.Steps) == 0 || len(p.Steps) > maxSteps {
		f.add("%s.steps: %d steps are not 1 to %d", key, len(p.Steps), maxSteps)
	}
	if p.Repeat < 0 || p.Repeat > maxRepeat {
		f.add("%s.repeat: %d is not 0 to %d", key, p.Repeat, maxRepeat)
	}
	var last time.Duration
	for j, s := range p.Steps {
		if s.After < last || s.After > maxQuiet {
			f.add("%s.steps[%d].after: %v is before the step above it, or more than %v", key, j, s.After, maxQuiet)
		}
		last = max(last, s.After)
		if len(s.Notify) == 0 {
			f.add("%s.steps[%d].notify: nobody is named", key, j)
		}
		for k, n := range s.Notify {
			if err := c.checkTarget(n); err != nil {
				f.add("%s.steps[%d].notify[%d]: %w", key, j, k, err)
			}
		}
	}
	if p.Repeat > 0 && last < minStepGap {
		f.add("%s.repeat: the last step is at %v; a policy that repeats needs at least %v", key, last, minStepGap)
	}
}

func (c *Config) checkTarget(s string) error {
	sort, name, _ := strings.Cut(s, ":")
	known := false
	switch sort {
	case "person":
		known = c.person(name) != nil
	case "rota":
		known = c.rota(name) != nil
	case "team":
		known = c.team(name) != nil
	default:
		return fmt.Errorf("%q is not person:NAME, rota:NAME or team:NAME", s)
	}
	if !known {
		return fmt.Errorf("there is no %s %q", sort, name)
	}
	return nil
}

func (c *Config) checkTeams(f *faults) {
	seen := map[string]bool{}
	for i, t := range c.Teams {
		key := fmt.Sprintf("casework.teams[%d]", i)
		checkName(f, key, t.Name, seen)
		checkAddress(f, key+".email", t.Email)
		c.knowPeople(f, key+".members", t.Members)
		if t.Escalation != "" && c.policy(t.Name) == nil {
			f.add("%s.escalation: there is no policy %q under casework.escalation", key, t.Escalation)
		}
	}
	if c.team(c.DefaultTeam) == nil {
		f.add("casework.default_team: there is no team %q", c.DefaultTeam)
	}
}

func (c *Config) checkRouting(f *faults) {
	for i, r := range c.Routing {
		key := fmt.Sprintf("casework.routing[%d]", i)
		if c.team(r.Team) == nil {
			f.add("%s.team: there is no team %q", key, r.Team)
		}
		for name, list := range r.patterns() {
			for j, p := range list {
				if _, err := path.Match(strings.ToLower(p), ""); err != nil {
					f.add("%s.%s[%d]: %q is not a pattern: a bracket is not closed", key, name, j, p)
				}
			}
		}
	}
}
