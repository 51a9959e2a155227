package agent

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"callhome"
	"callhome/agent/collect"
	"callhome/agent/collect/sshrun"
	"callhome/agent/intake/periodic"
	"callhome/agent/redact"
	"callhome/agent/route"
	"callhome/agent/tee"
	"callhome/personality"
)

// Device says what a device is. The agent's own host fills what is left open from what it finds.
type Device struct {
	Hostname    string `yaml:"hostname,omitempty" json:"hostname,omitempty"`
	Personality string `yaml:"personality,omitempty" json:"personality,omitempty" jsonschema:"enum=ios,enum=iosxr,enum=nxos,enum=asa,enum=ucm,enum=junos,enum=eos,enum=linux,enum=generic"`
	Model       string `yaml:"model,omitempty" json:"model,omitempty"`
	Serial      string `yaml:"serial,omitempty" json:"serial,omitempty"`
	PartNo      string `yaml:"part_no,omitempty" json:"part_no,omitempty"`
	HWVersion   string `yaml:"hw_version,omitempty" json:"hw_version,omitempty"`
	SWVersion   string `yaml:"sw_version,omitempty" json:"sw_version,omitempty"`
	Brand       string `yaml:"brand,omitempty" json:"brand,omitempty"`
	Series      string `yaml:"series,omitempty" json:"series,omitempty"`
	SysObjectID string `yaml:"sys_object_id,omitempty" json:"sys_object_id,omitempty"`
	SysDescr    string `yaml:"sys_descr,omitempty" json:"sys_descr,omitempty"`
	Timezone    string `yaml:"timezone,omitempty" json:"timezone,omitempty"` // IANA name; of stamps that name no zone; default UTC
	SiteID      string `yaml:"site_id,omitempty" json:"site_id,omitempty"`   // in place of call_home's
}

// NetworkDevice is a device that this agent speaks for. Its lines are known by the sender's address or by the host name
// they carry.
type NetworkDevice struct {
	Device    `yaml:",inline"`
	Address   string         `yaml:"address,omitempty" json:"address,omitempty"`     // where it logs from and is asked
	Addresses []string       `yaml:"addresses,omitempty" json:"addresses,omitempty"` // further addresses it logs from
	Contexts  []string       `yaml:"contexts,omitempty" json:"contexts,omitempty"`
	SSH       *sshrun.Config `yaml:"ssh,omitempty" json:"ssh,omitempty"`
	Commands  []string       `yaml:"commands,omitempty" json:"commands,omitempty"` // allowed there besides show commands
	Sessions  int            `yaml:"sessions,omitempty" json:"sessions,omitempty"`
}

// Contact is whom the receiver of a message talks to.
type Contact struct {
	Name          string `yaml:"name,omitempty" json:"name,omitempty"`
	Email         string `yaml:"email,omitempty" json:"email,omitempty"`
	Phone         string `yaml:"phone,omitempty" json:"phone,omitempty"`
	StreetAddress string `yaml:"street_address,omitempty" json:"street_address,omitempty"`
}

// Sender is who mails come from; without From it is the contact's address.
type Sender struct {
	From    string `yaml:"from,omitempty" json:"from,omitempty"`
	ReplyTo string `yaml:"reply_to,omitempty" json:"reply_to,omitempty"`
}

// SnapshotCommands are what a snapshot runs: once, and in every context.
type SnapshotCommands struct {
	System  []string `yaml:"system,omitempty" json:"system,omitempty"`
	Context []string `yaml:"context,omitempty" json:"context,omitempty"`
}

// Anonymous is anonymous reporting: crash, inventory and test messages without identity, by HTTPS only.
type Anonymous struct {
	Enabled bool   `yaml:"enabled" json:"enabled"`
	URL     string `yaml:"url,omitempty" json:"url,omitempty"`
}

// CallHome is the block `call_home`.
type CallHome struct {
	Enabled             bool                  `yaml:"enabled" json:"enabled"`
	Contact             Contact               `yaml:"contact,omitempty" json:"contact,omitzero"`
	CustomerID          string                `yaml:"customer_id,omitempty" json:"customer_id,omitempty"`
	SiteID              string                `yaml:"site_id,omitempty" json:"site_id,omitempty"`
	ContractID          string                `yaml:"contract_id,omitempty" json:"contract_id,omitempty"`
	Sender              Sender                `yaml:"sender,omitempty" json:"sender,omitzero"`
	RateLimit           *int                  `yaml:"rate_limit,omitempty" json:"rate_limit,omitempty"` // messages a minute and device; 0: no limit
	DuplicateThrottling *bool                 `yaml:"duplicate_throttling,omitempty" json:"duplicate_throttling,omitempty"`
	DataPrivacy         redact.Config         `yaml:"data_privacy,omitempty" json:"data_privacy,omitzero"`
	DisabledAlertGroups []callhome.AlertGroup `yaml:"disabled_alert_groups,omitempty" json:"disabled_alert_groups,omitempty"`
	SnapshotCommands    SnapshotCommands      `yaml:"snapshot_commands,omitempty" json:"snapshot_commands,omitzero"`
	AnonymousReporting  Anonymous             `yaml:"anonymous_reporting,omitempty" json:"anonymous_reporting,omitzero"`
	SwitchPriority      *int                  `yaml:"switch_priority,omitempty" json:"switch_priority,omitempty"` // NX-OS: 0..7
	Profiles            []callhome.Profile    `yaml:"profiles,omitempty" json:"profiles,omitempty"`
}

// SetDefaults turns the service on and duplicate throttling with it.
func (c *CallHome) SetDefaults() { c.Enabled = true }

// Maintenance is a time in which alerts of some devices are expected and not sent.
type Maintenance struct {
	Name    string                `yaml:"name,omitempty" json:"name,omitempty"`
	From    time.Time             `yaml:"from" json:"from"`
	To      time.Time             `yaml:"to" json:"to"`
	Devices []string              `yaml:"devices,omitempty" json:"devices,omitempty"` // hostnames; none: all
	Groups  []callhome.AlertGroup `yaml:"groups,omitempty" json:"groups,omitempty"`   // none: all
}

// Outputs are further places lines go to.
type Outputs struct {
	Syslog []string `yaml:"syslog,omitempty" json:"syslog,omitempty"` // raw lines, to udp://, tcp:// or tls:// host:port
}

// Config is what the conductor works by.
type Config struct {
	Device      Device
	CallHome    CallHome
	Devices     []NetworkDevice
	Contexts    []string // of the agent's own device
	OwnNames    []string // further host names that lines of the agent's own host carry
	Collect     collect.Config
	Maintenance []Maintenance
	Outputs     Outputs
}

// AllProfiles are the configured profiles, the predefined ones of the own device's personality, and that of anonymous
// reporting while it is enabled.
func (c *Config) AllProfiles() []callhome.Profile {
	p, ok := personality.ByName(c.Device.Personality)
	if !ok {
		p, _ = personality.ByName(string(personality.Generic))
	}
	return withPredefined(&c.CallHome, p)
}

// faults collects what is wrong, each with its key path.
type faults []error

func (f *faults) add(path string, err error) {
	if err != nil {
		*f = append(*f, &callhome.Error{Kind: callhome.KindInvalid, Path: path, Err: err})
	}
}

// flatten takes errors.Join apart.
func flatten(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

func (f *faults) addf(path, format string, args ...any) { f.add(path, fmt.Errorf(format, args...)) }

// Validate names every fault by its key path.
func (c *Config) Validate() error {
	var f faults
	p := c.Device.validate("device", &f)
	c.CallHome.validate(p, &f)
	c.validateDevices(&f)
	for i, m := range c.Maintenance {
		if !m.To.After(m.From) {
			f.addf(fmt.Sprintf("maintenance[%d].to", i), "is not after from")
		}
	}
	for i, target := range c.Outputs.Syslog {
		_, err := tee.Parse(target)
		f.add(fmt.Sprintf("outputs.syslog[%d]", i), err)
	}
	f.add("", c.Collect.Validate())
	return errors.Join(f...)
}

func personalityNames() []string {
	var out []string
	for _, n := range personality.Names() {
		out = append(out, string(n))
	}
	return out
}

func (d *Device) validate(path string, f *faults) *personality.Personality {
	name := d.Personality
	if name == "" {
		name = string(personality.Generic)
	}
	p, ok := personality.ByName(name)
	if !ok {
		f.addf(path+".personality", "%q is not one of %s", name, strings.Join(personalityNames(), ", "))
		p, _ = personality.ByName(string(personality.Generic))
	}
	if d.Timezone != "" {
		if _, err := time.LoadLocation(d.Timezone); err != nil {
			f.addf(path+".timezone", "%q is not a time zone such as Europe/Lisbon", d.Timezone)
		}
	}
	return p
}

func (c *Config) validateDevices(f *faults) {
	names, addresses := map[string]int{}, map[string]int{}
	for i := range c.Devices {
		d, path := &c.Devices[i], fmt.Sprintf("devices[%d]", i)
		d.validate(path, f)
		if d.Hostname == "" {
			f.addf(path+".hostname", "is missing; every device needs a name of its own")
		}
		if first, twice := names[strings.ToLower(d.Hostname)]; twice {
			f.addf(path+".hostname", "%q is also devices[%d]", d.Hostname, first)
		}
		names[strings.ToLower(d.Hostname)] = i
		for _, a := range append([]string{d.Address}, d.Addresses...) {
			if ip, err := netip.ParseAddr(a); err == nil {
				if first, twice := addresses[ip.String()]; twice {
					f.addf(path+".address", "%s is also devices[%d]", a, first)
				}
				addresses[ip.String()] = i
			}
		}
		if d.SSH != nil {
			for _, err := range flatten(d.SSH.Validate()) {
				f.add(path, err)
			}
			if d.Address == "" {
				f.addf(path+".address", "is missing; ssh needs to know where the device is")
			}
		}
	}
}

var httpScheme = regexp.MustCompile(`(?i)^https?://[^\s/]+`)

func (c *CallHome) validate(p *personality.Personality, f *faults) {
	const at = "call_home"
	l := &p.Limits
	f.add(at+".contact.name", l.ContactName.Check(c.Contact.Name))
	f.add(at+".contact.email", l.ContactEmail.Check(c.Contact.Email))
	f.add(at+".contact.phone", l.Phone.Check(c.Contact.Phone))
	f.add(at+".contact.street_address", l.StreetAddress.Check(c.Contact.StreetAddress))
	f.add(at+".customer_id", l.CustomerID.Check(c.CustomerID))
	f.add(at+".contract_id", l.ContractID.Check(c.ContractID))
	f.add(at+".site_id", l.SiteID.Check(c.SiteID))
	f.add(at+".sender.from", l.Sender.Check(c.Sender.From))
	f.add(at+".sender.reply_to", l.Sender.Check(c.Sender.ReplyTo))
	if c.RateLimit != nil {
		f.add(at+".rate_limit", l.CheckRate(*c.RateLimit))
	}
	if c.AnonymousReporting.Enabled && !strings.HasPrefix(strings.ToLower(c.AnonymousReporting.URL), "https://") {
		f.addf(at+".anonymous_reporting.url", "must be an https:// address; anonymous reports go no other way")
	}
	f.add(at+".data_privacy", c.DataPrivacy.Validate())
	c.validateProfiles(p, f)
	c.validateSubscriptions(p, f)
}

// validateSubscriptions lets those who compile them judge patterns, message IDs and schedules.
func (c *CallHome) validateSubscriptions(p *personality.Personality, f *faults) {
	_, err := route.New(route.Config{Profiles: c.Profiles, Enabled: true, Personality: p})
	for _, e := range flatten(err) {
		var located *callhome.Error
		if errors.As(e, &located) && strings.HasPrefix(located.Path, "profiles") {
			located.Path = "call_home." + located.Path
		}
		*f = append(*f, e)
	}
	for i := range c.Profiles {
		for j, s := range c.Profiles[i].Subscribe {
			for _, e := range flatten(periodic.Validate(s.Group, s.Periodic)) {
				path, msg, _ := strings.Cut(e.Error(), ": ")
				f.addf(fmt.Sprintf("call_home.profiles[%d].subscribe[%d].%s", i, j, path), "%s", msg)
			}
		}
	}
}

func (c *CallHome) validateProfiles(p *personality.Personality, f *faults) {
	seen := map[string]int{}
	for i := range c.Profiles {
		pr, path := &c.Profiles[i], fmt.Sprintf("call_home.profiles[%d]", i)
		f.add(path+".name", p.Limits.CheckProfileName(string(pr.Name)))
		if pr.Name.Equal(callhome.ProfileAnonymous) {
			f.addf(path+".name", "%q is the profile of anonymous reporting; choose another name", pr.Name)
		}
		if first, twice := seen[strings.ToLower(string(pr.Name))]; twice {
			f.addf(path+".name", "%q is also profiles[%d]; names differ by more than case", pr.Name, first)
		}
		seen[strings.ToLower(string(pr.Name))] = i
		if pr.MessageSizeLimit != nil {
			f.add(path+".message_size_limit", p.Limits.CheckSize(*pr.MessageSizeLimit))
		}
		if pr.Format == callhome.FormatMML {
			f.addf(path+".format", "mml is read, never written; use xml, long-text or short-text")
		}
		for j, a := range pr.Email {
			at := fmt.Sprintf("%s.email[%d]", path, j)
			f.add(at, p.Limits.Email.Check(a))
			if slices.ContainsFunc(pr.Email[:j], func(b string) bool { return strings.EqualFold(a, b) }) {
				f.addf(at, "%q stands twice; addresses differ by more than case", a)
			}
		}
		for j, u := range pr.HTTP {
			at := fmt.Sprintf("%s.http[%d]", path, j)
			f.add(at, p.Limits.URL.Check(u))
			if !httpScheme.MatchString(u) {
				f.addf(at, "%q is not an http:// or https:// address", u)
			}
		}
		for j, sub := range pr.Subscribe {
			if d := sub.Detail; d != "" && d != callhome.DetailBasic && d != callhome.DetailFull {
				f.addf(fmt.Sprintf("%s.subscribe[%d].detail", path, j), "%q is not one of basic, full", d)
			}
		}
		if pr.Active && len(pr.Email)+len(pr.HTTP) == 0 {
			f.addf(path, "profile %q is active but has no email or http destination; add one or set active: false", pr.Name)
		}
	}
}
