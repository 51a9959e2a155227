package casework

import (
	"time"

	"callhome"
)

// Config is the block `casework` of the server's configuration. The ticket systems have blocks of their own in the
// packages below this one; teams name them.
type Config struct {
	Prefix string `yaml:"number_prefix,omitempty" json:"number_prefix,omitempty"` // of case numbers: capital letters

	QuietTime    time.Duration `yaml:"quiet_time,omitempty" json:"quiet_time,omitempty"`       // between a clear and resolving
	FlapCount    int           `yaml:"flap_count,omitempty" json:"flap_count,omitempty"`       // returns within FlapWindow that are flapping; 0: never
	FlapWindow   time.Duration `yaml:"flap_window,omitempty" json:"flap_window,omitempty"`     //
	FlapQuiet    time.Duration `yaml:"flap_quiet,omitempty" json:"flap_quiet,omitempty"`       // quiet time of what flaps
	ReopenWindow time.Duration `yaml:"reopen_window,omitempty" json:"reopen_window,omitempty"` // what comes back sooner reopens its case
	CloseAfter   time.Duration `yaml:"close_after,omitempty" json:"close_after,omitempty"`     // resolved so long: closed
	TellEvery    time.Duration `yaml:"tell_every,omitempty" json:"tell_every,omitempty"`       // people hear of further messages at most so often
	EscalateAt   []int64       `yaml:"escalate_at,omitempty" json:"escalate_at,omitempty"`     // numbers of messages at which the priority rises

	People      []Person    `yaml:"people,omitempty" json:"people,omitempty"`
	Rotas       []Rota      `yaml:"rotas,omitempty" json:"rotas,omitempty"`
	Policies    []Policy    `yaml:"escalation,omitempty" json:"escalation,omitempty"`
	Teams       []Team      `yaml:"teams,omitempty" json:"teams,omitempty"`
	DefaultTeam string      `yaml:"default_team,omitempty" json:"default_team,omitempty"`
	Routing     []Route     `yaml:"routing,omitempty" json:"routing,omitempty"` // first hit wins; none: DefaultTeam
	Maintenance []Recurring `yaml:"maintenance,omitempty" json:"maintenance,omitempty"`
}

// Person is somebody who may be called.
type Person struct {
	Name  string `yaml:"name" json:"name"`                       // short and unique: how rotas and steps name them
	User  string `yaml:"user,omitempty" json:"user,omitempty"`   // their name in the portal, where they have one
	Email string `yaml:"email,omitempty" json:"email,omitempty"` // for mails
	Pager string `yaml:"pager,omitempty" json:"pager,omitempty"` // address that takes short text; empty: Email
}

// Team takes cases.
type Team struct {
	Name       string   `yaml:"name" json:"name"`
	Email      string   `yaml:"email,omitempty" json:"email,omitempty"`     // gets what the whole team should see
	Members    []string `yaml:"members,omitempty" json:"members,omitempty"` // names of people
	Escalation string   `yaml:"escalation,omitempty" json:"escalation,omitempty"`
	Tickets    []string `yaml:"tickets,omitempty" json:"tickets,omitempty"` // names of the ticket systems that get its cases
}

// Policy says who is called, and when, while nobody acknowledges.
type Policy struct {
	Name     string         `yaml:"name" json:"name"`
	MinLevel callhome.Level `yaml:"min_level,omitempty" json:"min_level,omitempty"` // below it nobody is called
	Steps    []Step         `yaml:"steps" json:"steps"`
	Repeat   int            `yaml:"repeat,omitempty" json:"repeat,omitempty"` // rounds after the first
}

// Step calls its targets when After has passed since the case was opened, reopened or woke up.
type Step struct {
	After  time.Duration `yaml:"after,omitempty" json:"after,omitempty"` // not less than that of the step before
	Notify []string      `yaml:"notify" json:"notify"`                   // person:NAME, rota:NAME or team:NAME
}

// Route sends what fits all its conditions to a team. Empty conditions fit everything; patterns are those of
// path.Match without regard to case, such as "core-*".
type Route struct {
	Team        string              `yaml:"team" json:"team"`
	Company     []string            `yaml:"company,omitempty" json:"company,omitempty"` // names or numbers
	Site        []string            `yaml:"site,omitempty" json:"site,omitempty"`
	Group       []string            `yaml:"device_group,omitempty" json:"device_group,omitempty"`
	Personality []string            `yaml:"personality,omitempty" json:"personality,omitempty"`
	Rule        []string            `yaml:"rule,omitempty" json:"rule,omitempty"`
	Host        []string            `yaml:"host,omitempty" json:"host,omitempty"`
	Labels      map[string][]string `yaml:"labels,omitempty" json:"labels,omitempty"` // of the finding or of the device, class among them
	MinLevel    callhome.Level      `yaml:"min_level,omitempty" json:"min_level,omitempty"`
}

// Defaults. A power supply that was pulled and pushed back has settled within ten minutes; what comes back within a day
// is the same trouble; a week gives the customer time to disagree.
const (
	DefaultPrefix       = "SR"
	defaultQuietTime    = 10 * time.Minute
	defaultFlapCount    = 3
	defaultFlapWindow   = time.Hour
	defaultFlapQuiet    = time.Hour
	defaultReopenWindow = 24 * time.Hour
	defaultCloseAfter   = 7 * 24 * time.Hour
	defaultTellEvery    = time.Hour
	defaultTeam         = "support"
)

// DefaultConfig has one team that everything goes to.
func DefaultConfig() Config {
	return Config{
		Prefix: DefaultPrefix, QuietTime: defaultQuietTime, FlapCount: defaultFlapCount, FlapWindow: defaultFlapWindow,
		FlapQuiet: defaultFlapQuiet, ReopenWindow: defaultReopenWindow, CloseAfter: defaultCloseAfter,
		TellEvery: defaultTellEvery, EscalateAt: []int64{10, 100},
		Teams: []Team{{Name: defaultTeam}}, DefaultTeam: defaultTeam,
	}
}

// TicketSystems are the names that teams use: each must belong to a configured ticket system.
func (c *Config) TicketSystems() []string {
	seen := map[string]bool{}
	var names []string
	for _, t := range c.Teams {
		for _, n := range t.Tickets {
			if !seen[n] {
				seen[n] = true
				names = append(names, n)
			}
		}
	}
	return names
}

func find[T any](list []T, name func(*T) string, want string) *T {
	for i := range list {
		if name(&list[i]) == want {
			return &list[i]
		}
	}
	return nil
}

func (c *Config) person(name string) *Person {
	return find(c.People, func(p *Person) string { return p.Name }, name)
}

func (c *Config) rota(name string) *Rota {
	return find(c.Rotas, func(r *Rota) string { return r.Name }, name)
}

func (c *Config) team(name string) *Team {
	return find(c.Teams, func(t *Team) string { return t.Name }, name)
}

// policy is the escalation of a team; nil: nobody is called.
func (c *Config) policy(team string) *Policy {
	t := c.team(team)
	if t == nil || t.Escalation == "" {
		return nil
	}
	return find(c.Policies, func(p *Policy) string { return p.Name }, t.Escalation)
}

// Team gives a team by name; ok is false when there is none.
func (c *Config) Team(name string) (Team, bool) {
	if t := c.team(name); t != nil {
		return *t, true
	}
	return Team{}, false
}
