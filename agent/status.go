package agent

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"callhome"
	"callhome/agent/intake/periodic"
	"callhome/outbox"
	"callhome/personality"
)

// Status is the current settings, as `show call-home` prints them.
type Status struct {
	At                  time.Time          `json:"at"`
	Version             string             `json:"version,omitempty"` // of the program; who constructed the agent fills it in
	Started             time.Time          `json:"started"`
	Personality         string             `json:"personality"`
	Device              Device             `json:"device"`
	DeviceID            callhome.DeviceID  `json:"device_id,omitempty"`
	Enabled             bool               `json:"enabled"`
	Contact             Contact            `json:"contact,omitzero"`
	CustomerID          string             `json:"customer_id,omitempty"`
	ContractID          string             `json:"contract_id,omitempty"`
	SiteID              string             `json:"site_id,omitempty"`
	Sender              Sender             `json:"sender,omitzero"`
	RateLimit           int                `json:"rate_limit"` // messages a minute; 0: no limit
	DuplicateThrottling bool               `json:"duplicate_throttling"`
	DataPrivacy         string             `json:"data_privacy"` // normal or high
	PrivacyHostname     bool               `json:"privacy_hostname,omitempty"`
	SwitchPriority      *int               `json:"switch_priority,omitempty"`
	SnapshotCommands    SnapshotCommands   `json:"snapshot_commands,omitzero"`
	Groups              []GroupStatus      `json:"alert_groups"`
	Profiles            []callhome.Profile `json:"profiles"`
	Anonymous           Anonymous          `json:"anonymous_reporting"`
	Devices             []DeviceStatus     `json:"devices,omitempty"`
	Strangers           []Stranger         `json:"strangers,omitempty"`
	Road                Road               `json:"road,omitzero"`
	Lines               int64              `json:"lines"`
	Unwanted            int64              `json:"lines_unwanted"`
}

// Road is how messages leave, as far as show commands print it; who constructed the senders fills it in.
type Road struct {
	SourceAddress   string `json:"source_address,omitempty"`
	SourceInterface string `json:"source_interface,omitempty"`
	VRF             string `json:"vrf,omitempty"`
	HTTPProxy       string `json:"http_proxy,omitempty"`
	IPv4First       bool   `json:"ipv4_first,omitempty"`
	NoIdentityCheck bool   `json:"no_identity_check,omitempty"`
}

// GroupStatus is an alert group of the own device's personality.
type GroupStatus struct {
	Keyword     callhome.AlertGroup `json:"keyword"`
	Label       string              `json:"label,omitempty"`
	Description string              `json:"description,omitempty"`
	Enabled     bool                `json:"enabled"`
}

// DeviceStatus is a device the agent speaks for.
type DeviceStatus struct {
	Hostname    string `json:"hostname"`
	Address     string `json:"address,omitempty"`
	Personality string `json:"personality"`
	Model       string `json:"model,omitempty"`
	Serial      string `json:"serial,omitempty"`
	Commands    bool   `json:"commands"`          // it can be asked for its output
	Refused     string `json:"refused,omitempty"` // why nobody asks it any more
}

// Status is taken at this moment.
func (a *Agent) Status() Status {
	p := a.plan.Load()
	c, own := &p.cfg.CallHome, p.devices.own
	s := Status{
		At: a.parts.Now(), Started: a.started, Personality: string(own.personality.Name), Device: own.device, DeviceID: own.deviceID(),
		Enabled: c.Enabled, Contact: c.Contact, CustomerID: c.CustomerID, ContractID: c.ContractID, SiteID: c.SiteID, Sender: c.Sender,
		RateLimit: rateLimit(c, own.personality), DuplicateThrottling: duplicates(c), DataPrivacy: first(string(c.DataPrivacy.Level), "normal"),
		PrivacyHostname: c.DataPrivacy.Hostname, SwitchPriority: c.SwitchPriority, SnapshotCommands: c.SnapshotCommands,
		Profiles: scheduled(callhome.MaskProfiles(p.profiles), own.serial()), Anonymous: c.AnonymousReporting, Strangers: a.strangers.list(),
		Lines: a.stats.lines.Load(), Unwanted: a.stats.unwanted.Load(),
	}
	s.Anonymous.URL = callhome.MaskURL(s.Anonymous.URL)
	for _, g := range own.personality.Groups {
		s.Groups = append(s.Groups, GroupStatus{
			Keyword: g.Keyword, Label: g.Label, Description: g.Description,
			Enabled: !g.Disabled && !slices.Contains(c.DisabledAlertGroups, g.Keyword),
		})
	}
	refused := map[string]string{}
	if a.parts.Collector != nil {
		for _, l := range a.parts.Collector.Latched() {
			refused[l.Device] = l.Reason
		}
	}
	for _, t := range p.devices.all {
		s.Devices = append(s.Devices, DeviceStatus{
			Hostname: t.name, Address: t.config.Address, Personality: string(t.personality.Name), Model: t.device.Model, Serial: t.device.Serial,
			Commands: t.config.SSH != nil, Refused: refused[t.name],
		})
	}
	return s
}

// scheduled replaces the subscriptions' schedules by those that count for the device: every part that was left open has
// the figure that the serial number chose. It changes profiles in place.
func scheduled(profiles []callhome.Profile, serial string) []callhome.Profile {
	for i := range profiles {
		p := &profiles[i]
		p.Subscribe = slices.Clone(p.Subscribe)
		for j := range p.Subscribe {
			if s := &p.Subscribe[j]; s.Periodic != nil {
				s.Periodic = chosen(periodic.Resolve(s.Group, s.Periodic, serial))
			}
		}
	}
	return profiles
}

// chosen is a schedule in the words of the configuration.
func chosen(s periodic.Schedule) *callhome.Periodic {
	at := fmt.Sprintf("%02d:%02d", s.Hour, s.Minute)
	switch s.Kind {
	case periodic.Interval:
		return &callhome.Periodic{Interval: s.Every}
	case periodic.Hourly:
		return &callhome.Periodic{Hourly: &callhome.Hourly{Minute: &s.Minute}}
	case periodic.Daily:
		return &callhome.Periodic{Daily: &callhome.Daily{At: at}}
	case periodic.Weekly:
		return &callhome.Periodic{Weekly: &callhome.Weekly{Day: strings.ToLower(s.Weekday.String()), At: at}}
	}
	return &callhome.Periodic{Monthly: &callhome.Monthly{Day: s.Day, At: at}}
}

// ShownSeverity is a subscription's severity as show commands print it: its own, or the one that messages of its group
// have when every one of them is wanted. Crashes are listed at debugging (CiscoTAC-1 of IOS XE), groups of messages that
// report no trouble at normal.
func ShownSeverity(s *callhome.Subscription) callhome.Level {
	switch {
	case s.Severity != nil:
		return *s.Severity
	case s.Group == callhome.GroupCrash, s.Group.HasThreshold():
		return callhome.LevelDebugging
	}
	return callhome.LevelNormal
}

// Lines is how many lines were taken in since the start.
func (a *Agent) Lines() int64 { return a.stats.lines.Load() }

// rateLimit is the configured limit, else the personality's default.
func rateLimit(c *CallHome, p *personality.Personality) int {
	if c.RateLimit != nil {
		return *c.RateLimit
	}
	return p.Limits.RateLimit.Default
}

func duplicates(c *CallHome) bool { return c.DuplicateThrottling == nil || *c.DuplicateThrottling }

// Statistics are the outbox's, which survive a restart, and what the agent counted since the start.
type Statistics struct {
	outbox.Statistics
	Dropped    map[callhome.Reason]int64 `json:"dropped_since_start,omitempty"`
	Depth      outbox.Depth              `json:"queue"`
	Joined     int64                     `json:"messages_joined"`     // from parts or segments
	Incomplete int64                     `json:"messages_incomplete"` // of them, those that lack some
	Sequences  []Sequence                `json:"sequences,omitempty"` // devices whose numbered lines show gaps or restarts
}

// Statistics are taken at this moment.
func (a *Agent) Statistics(ctx context.Context) (Statistics, error) {
	depth, err := a.parts.Outbox.Depth(ctx)
	if err != nil {
		return Statistics{}, err
	}
	return Statistics{
		Statistics: a.parts.Outbox.Statistics(), Dropped: a.stats.drops(), Depth: depth,
		Joined: a.joiner.joined.Load(), Incomplete: a.joiner.incomplete.Load(), Sequences: a.sequences.list(a.plan.Load().devices),
	}, nil
}

// EventStatus is a row of `show call-home events`: what a profile listens to.
type EventStatus struct {
	Profile      callhome.ProfileName `json:"profile"`
	Group        callhome.AlertGroup  `json:"alert_group"`
	Index        int                  `json:"index"` // of the row within its profile, from 1
	Of           int                  `json:"of"`
	Severity     callhome.Level       `json:"severity"`
	Subscription string               `json:"subscription"` // normal, periodic or pattern
	Last         time.Time            `json:"last_triggered,omitzero"`
}

// The words for how a profile listens.
const (
	listensNormal   = "normal"
	listensPeriodic = "periodic"
	listensPattern  = "pattern"
)

// listens is how a subscription listens, a word for each row that it has among the events. IOS XE counts three events of
// a crash and two of the inventory, which its schedule comes on top of (show call-home events).
func listens(s *callhome.Subscription) []string {
	switch {
	case s.Group == callhome.GroupCrash:
		return []string{listensNormal, listensNormal, listensNormal}
	case s.Group == callhome.GroupInventory && s.Periodic != nil:
		return []string{listensNormal, listensNormal, listensPeriodic}
	case s.Group == callhome.GroupInventory:
		return []string{listensNormal, listensNormal}
	case s.Periodic != nil:
		return []string{listensPeriodic}
	case s.Pattern != "":
		return []string{listensPattern}
	}
	return []string{listensNormal}
}

// Events lists the subscriptions, and a test row for every profile.
func (a *Agent) Events() []EventStatus {
	p := a.plan.Load()
	var out []EventStatus
	for i := range p.profiles {
		profile, first := &p.profiles[i], len(out)
		row := func(g callhome.AlertGroup, severity callhome.Level, how string) {
			out = append(out, EventStatus{
				Profile: profile.Name, Group: g, Index: len(out) - first + 1, Severity: severity, Subscription: how,
				Last: a.stats.lastOf(profile.Name, g),
			})
		}
		for j := range profile.Subscribe {
			s := &profile.Subscribe[j]
			for _, how := range listens(s) {
				row(s.Group, ShownSeverity(s), how)
			}
		}
		row(callhome.GroupTest, callhome.LevelNormal, listensNormal)
		for j := range out[first:] {
			out[first+j].Of = len(out) - first
		}
	}
	return out
}

// ModuleStatus is a part that may raise events.
type ModuleStatus struct {
	Name    string `json:"name"`
	Enabled bool   `json:"enabled"`
	Events  int64  `json:"events"`
}

// Modules lists the parts that may raise events; enabled are those that are configured.
func (a *Agent) Modules() []ModuleStatus {
	sources := []callhome.Source{callhome.SourceSyslog, callhome.SourceLogfile, callhome.SourceJournald, callhome.SourcePeriodic, callhome.SourceOperator, callhome.SourceAgent}
	out := make([]ModuleStatus, len(sources))
	for i, s := range sources {
		out[i] = ModuleStatus{Name: string(s), Enabled: a.enabled(s), Events: a.stats.eventsOf(s)}
	}
	return out
}

func (a *Agent) enabled(s callhome.Source) bool {
	if s == callhome.SourceOperator || s == callhome.SourceAgent {
		return true
	}
	return slices.Contains(a.sources, s) || s == callhome.SourcePeriodic && a.parts.Periodic != nil
}
