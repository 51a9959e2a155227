package callhome

// Transport is a way to a destination.
type Transport string

// The transports a profile may use, both at once if it has addresses of both.
const (
	TransportEmail Transport = "email"
	TransportHTTP  Transport = "http" // HTTP and HTTPS
)

// Destination is one address by one transport. Destinations of a profile are independent of each other.
type Destination struct {
	Transport Transport `json:"transport"`
	Address   string    `json:"address"` // mail address or URL
}

// Profile is a destination profile: where messages go, in which form, and what it subscribes to.
type Profile struct {
	Name             ProfileName    `yaml:"name" json:"name"`
	Active           bool           `yaml:"active" json:"active"`
	Format           Format         `yaml:"format,omitempty" json:"format,omitempty" jsonschema:"enum=xml,enum=long-text,enum=short-text"`
	LongTextDialect  string         `yaml:"long_text_dialect,omitempty" json:"long_text_dialect,omitempty" jsonschema:"enum=A,enum=B,enum=C"`
	ShortTextLabels  bool           `yaml:"short_text_labels,omitempty" json:"short_text_labels,omitempty"`
	MessageSizeLimit *int           `yaml:"message_size_limit,omitempty" json:"message_size_limit,omitempty"` // bytes; nil: the default of the personality, some of which take 0 as no limit
	Email            []string       `yaml:"email,omitempty" json:"email,omitempty"`
	HTTP             []string       `yaml:"http,omitempty" json:"http,omitempty"`
	Subscribe        []Subscription `yaml:"subscribe,omitempty" json:"subscribe,omitempty"`
	AnonymousOnly    bool           `yaml:"anonymous_reporting_only,omitempty" json:"anonymous_reporting_only,omitempty"`
	Predefined       bool           `yaml:"-" json:"predefined,omitempty"` // cannot be deleted or renamed
}

// MaskProfiles copies profiles for showing: no URL has a password.
func MaskProfiles(profiles []Profile) []Profile {
	out := append([]Profile(nil), profiles...)
	for i := range out {
		out[i].HTTP = append([]string(nil), out[i].HTTP...)
		for j, u := range out[i].HTTP {
			out[i].HTTP[j] = MaskURL(u)
		}
	}
	return out
}

// Destinations lists the mail addresses, then the URLs.
func (p *Profile) Destinations() []Destination {
	out := make([]Destination, 0, len(p.Email)+len(p.HTTP))
	for _, a := range p.Email {
		out = append(out, Destination{TransportEmail, a})
	}
	for _, u := range p.HTTP {
		out = append(out, Destination{TransportHTTP, u})
	}
	return out
}

// Subscription is what a profile wants of one alert group. Severity and Pattern must both hold; MessageIDs admits its
// messages whatever their severity.
type Subscription struct {
	Group      AlertGroup        `yaml:"group" json:"group"`
	Severity   *Level            `yaml:"severity,omitempty" json:"severity,omitempty"`       // threshold; nil: the personality's default
	Pattern    string            `yaml:"pattern,omitempty" json:"pattern,omitempty"`         // RE2, found anywhere in the line
	MessageIDs []string          `yaml:"message_ids,omitempty" json:"message_ids,omitempty"` // "106100" or "302013-302016"
	Tags       map[string]string `yaml:"tags,omitempty" json:"tags,omitempty"`               // CiscoLog tags; a base key matches its extensions
	Detail     Detail            `yaml:"detail,omitempty" json:"detail,omitempty" jsonschema:"enum=basic,enum=full"`
	Periodic   *Periodic         `yaml:"periodic,omitempty" json:"periodic,omitempty"`
}

// Periodic is a schedule; exactly one field is set. Parts left out are chosen once per device.
type Periodic struct {
	Interval int      `yaml:"interval,omitempty" json:"interval,omitempty"` // minutes, 1..60; snapshot only
	Hourly   *Hourly  `yaml:"hourly,omitempty" json:"hourly,omitempty"`     // snapshot and telemetry only
	Daily    *Daily   `yaml:"daily,omitempty" json:"daily,omitempty"`
	Weekly   *Weekly  `yaml:"weekly,omitempty" json:"weekly,omitempty"`
	Monthly  *Monthly `yaml:"monthly,omitempty" json:"monthly,omitempty"`
}

// Hourly is due once an hour.
type Hourly struct {
	Minute *int `yaml:"minute,omitempty" json:"minute,omitempty"` // 0..59
}

// Daily is due once a day.
type Daily struct {
	At string `yaml:"at,omitempty" json:"at,omitempty"` // HH:MM
}

// Weekly is due once a week.
type Weekly struct {
	Day string `yaml:"day,omitempty" json:"day,omitempty"` // monday …
	At  string `yaml:"at,omitempty" json:"at,omitempty"`
}

// Monthly is due once a month; a day that a month does not have is its last.
type Monthly struct {
	Day int    `yaml:"day,omitempty" json:"day,omitempty"` // 1..31
	At  string `yaml:"at,omitempty" json:"at,omitempty"`
}

// Envelope is a message rendered for one destination: exactly the bytes that leave.
type Envelope struct {
	MessageID   MessageID   `json:"message_id"`
	AlertID     AlertID     `json:"alert_id"`
	Device      string      `json:"device"` // order is kept per device and destination
	Profile     ProfileName `json:"profile"`
	Group       AlertGroup  `json:"alert_group"`
	Format      Format      `json:"format"`
	Destination Destination `json:"destination"`
	From        string      `json:"from,omitempty"`         // mail: envelope sender
	ContentType string      `json:"content_type,omitempty"` // HTTP
	Body        []byte      `json:"-"`                      // HTTP body, or the whole RFC 5322 mail
	Truncated   bool        `json:"truncated,omitempty"`
	Anonymous   bool        `json:"anonymous,omitempty"` // three tries, HTTPS only
}

// SetDefaults makes a profile what it is before its configuration is read: active, in XML. Without it a profile that
// says nothing would be switched off.
func (p *Profile) SetDefaults() { p.Active, p.Format = true, FormatXML }
