package casework

import (
	"path"
	"strconv"
	"strings"
)

// patterns are the conditions that hold patterns, by key.
func (r *Route) patterns() map[string][]string {
	all := map[string][]string{
		"company": r.Company, "site": r.Site, "device_group": r.Group, "personality": r.Personality, "rule": r.Rule, "host": r.Host,
	}
	for k, v := range r.Labels {
		all["labels."+k] = v
	}
	return all
}

// TeamFor is the team that a cause goes to: of the first route that fits, else the one that the rule proposes if there
// is such a team, else the default team.
func (c *Config) TeamFor(sub *Subject, cause *Cause) string {
	for i := range c.Routing {
		if c.Routing[i].fits(sub, cause) {
			return c.Routing[i].Team
		}
	}
	if cause.Team != "" && c.team(cause.Team) != nil {
		return cause.Team
	}
	return c.DefaultTeam
}

func (r *Route) fits(sub *Subject, cause *Cause) bool {
	if cause.Level < r.MinLevel ||
		!anyFits(r.Company, sub.CompanyName, strconv.FormatInt(int64(sub.Company), 10)) ||
		!anyFits(r.Site, sub.Site) || !anyFits(r.Group, sub.Groups...) || !anyFits(r.Personality, sub.Personality) ||
		!anyFits(r.Rule, cause.Rule) || !anyFits(r.Host, sub.Host) {
		return false
	}
	for name, want := range r.Labels {
		if !anyFits(want, cause.Labels[name]) && !anyFits(want, sub.Labels[name]) {
			return false
		}
	}
	return true
}

// anyFits reports whether one of the values fits one of the patterns; without patterns everything does.
func anyFits(patterns []string, values ...string) bool {
	if len(patterns) == 0 {
		return true
	}
	for _, p := range patterns {
		for _, v := range values {
			if ok, _ := path.Match(strings.ToLower(p), strings.ToLower(v)); ok {
				return true
			}
		}
	}
	return false
}
