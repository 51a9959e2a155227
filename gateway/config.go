package gateway

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"path"
	"strings"
	"time"

	"callhome"
	"callhome/gateway/book"
	"callhome/gateway/bundle"
)

// Config is what the conductor goes by: the part of gateway.yaml that a reload changes at once.
type Config struct {
	Name         string         `yaml:"name,omitempty" json:"name,omitempty"`               // what it calls itself in Via, in bundles and to the back end; the host's name when empty
	Upstream     []Upstream     `yaml:"upstream,omitempty" json:"upstream,omitempty"`       // none: messages leave by bundles only
	Registration string         `yaml:"registration,omitempty" json:"registration"`         // required | none
	RegisterAt   string         `yaml:"register_at,omitempty" json:"register_at,omitempty"` // back end that grants the certificate; the first upstream's host when empty
	Via          bool           `yaml:"via" json:"via"`                                     // one more aml-session:Via in what leaves
	MaxHops      int            `yaml:"max_hops,omitempty" json:"max_hops,omitempty"`       // gateways that a message may have come through
	Bandwidth    int64          `yaml:"bandwidth,omitempty" json:"bandwidth,omitempty"`     // bytes a second to all upstreams together; 0: no limit
	Windows      []Window       `yaml:"windows,omitempty" json:"windows,omitempty"`         // when messages leave; none: at any time
	Urgent       callhome.Level `yaml:"urgent,omitempty" json:"urgent,omitempty"`           // from this level on a message leaves outside the windows, too
	Limits       Limits         `yaml:"limits,omitempty" json:"limits,omitzero"`
	Filters      Filters        `yaml:"filters,omitempty" json:"filters,omitzero"`
	Duplicates   Duplicates     `yaml:"duplicates,omitempty" json:"duplicates,omitzero"`
	SilentAfter  time.Duration  `yaml:"silent_after,omitempty" json:"silent_after,omitempty"` // without a message; two known periods when that is less
	MaxDevices   int64          `yaml:"max_devices,omitempty" json:"max_devices,omitempty"`   // on the list
	Shelf        Shelf          `yaml:"shelf,omitempty" json:"shelf,omitzero"`
	Archive      Archive        `yaml:"archive,omitempty" json:"archive,omitzero"`
	Bundles      Bundles        `yaml:"bundles,omitempty" json:"bundles,omitzero"`
}

// Upstream is one address that messages are forwarded to. What is asked of and shown to it is the sender's business.
type Upstream struct {
	URL       string          `yaml:"url" json:"url"`
	Priority  int             `yaml:"priority,omitempty" json:"priority,omitempty"` // the lowest number is tried first; equal ones in the order of the file
	CAFile    string          `yaml:"ca_file,omitempty" json:"ca_file,omitempty"`   // PEM; without ca_file and pins the system's certificates are trusted
	Pins      []string        `yaml:"pins,omitempty" json:"pins,omitempty"`         // sha256//BASE64 of a public key
	Token     callhome.Secret `yaml:"token,omitempty" json:"token,omitzero"`        // registration token, sent as "Authorization: Bearer …"
	TokenFile string          `yaml:"token_file,omitempty" json:"token_file,omitempty"`
	CertFile  string          `yaml:"cert_file,omitempty" json:"cert_file,omitempty"` // client certificate, PEM with its chain
	KeyFile   string          `yaml:"key_file,omitempty" json:"key_file,omitempty"`
	AnyName   bool            `yaml:"no_identity_check,omitempty" json:"no_identity_check,omitempty"` // the server's certificate may bear another name
	Direct    bool            `yaml:"direct,omitempty" json:"direct,omitempty"`                       // past the proxy
}

// credential reports whether the upstream knows us without enrolment.
func (u *Upstream) credential() bool {
	return !u.Token.IsZero() || u.TokenFile != "" || u.CertFile != ""
}

// Registration words.
const (
	RegistrationRequired = "required" // nothing is forwarded before a back end granted a certificate, or an upstream has a token or certificate
	RegistrationNone     = "none"
)

// Limits are the disk policy; Room says how it is judged.
type Limits struct {
	RecordsPercent int           `yaml:"records_percent,omitempty" json:"records_percent,omitempty"`   // of queue.max_bytes; above it records are refused
	BulkPercent    int           `yaml:"bulk_percent,omitempty" json:"bulk_percent,omitempty"`         // above it bulk is refused
	RecordsMaxWait time.Duration `yaml:"records_max_wait,omitempty" json:"records_max_wait,omitempty"` // records are refused while the oldest message waits longer
	BulkMaxWait    time.Duration `yaml:"bulk_max_wait,omitempty" json:"bulk_max_wait,omitempty"`
	MinFreeDisk    int64         `yaml:"min_free_disk,omitempty" json:"min_free_disk,omitempty"` // bytes left on the file system of data_dir; below it all are refused
	RetryAfter     time.Duration `yaml:"retry_after,omitempty" json:"retry_after,omitempty"`     // told to who is refused for want of room
}

// Duplicates bound the memory of messages that were taken.
type Duplicates struct {
	Window time.Duration `yaml:"window,omitempty" json:"window,omitempty"`
	Keep   int64         `yaml:"keep,omitempty" json:"keep,omitempty"` // messages; some 60 bytes each on disk
}

// Shelf bounds what is kept of refused messages.
type Shelf struct {
	MaxBytes    int64 `yaml:"max_bytes,omitempty" json:"max_bytes,omitempty"`
	MaxMessages int64 `yaml:"max_messages,omitempty" json:"max_messages,omitempty"`
}

// Archive is where copies of forwarded messages go.
type Archive struct {
	Dir      string        `yaml:"dir,omitempty" json:"dir,omitempty"` // none: no copies
	Keep     time.Duration `yaml:"keep,omitempty" json:"keep,omitempty"`
	MaxBytes int64         `yaml:"max_bytes,omitempty" json:"max_bytes,omitempty"`
}

// Bundles names who may hand bundles and receipts to us, and whom ours are for.
type Bundles struct {
	Peers []bundle.Peer `yaml:"peers,omitempty" json:"peers,omitempty"`
	To    string        `yaml:"to,omitempty" json:"to,omitempty"` // the peer that exports are for unless the command names one
}

// DefaultConfig is what is written into docs/gateway.md.
func DefaultConfig() Config {
	l := book.DefaultLimits()
	return Config{
		Registration: RegistrationRequired, Via: true, MaxHops: 8, Urgent: callhome.LevelCritical,
		Limits: Limits{
			RecordsPercent: 90, BulkPercent: 75, RecordsMaxWait: 21 * 24 * time.Hour, BulkMaxWait: 7 * 24 * time.Hour,
			MinFreeDisk: 256 << 20, RetryAfter: 5 * time.Minute,
		},
		Duplicates: Duplicates{Window: l.Window, Keep: l.Seen}, SilentAfter: 35 * 24 * time.Hour, MaxDevices: l.Devices,
		Shelf: Shelf{MaxBytes: l.Shelf, MaxMessages: l.Shelved}, Archive: Archive{Keep: 30 * 24 * time.Hour, MaxBytes: 1 << 30},
	}
}

// BookLimits are the limits of the book.
func (c *Config) BookLimits() book.Limits {
	return book.Limits{
		Window: c.Duplicates.Window, Seen: c.Duplicates.Keep, Devices: c.MaxDevices, Shelf: c.Shelf.MaxBytes, Shelved: c.Shelf.MaxMessages,
	}
}

// maxUpstreams bounds what one message may be tried at.
const maxUpstreams = 16

// Validate names every fault by its key path.
func (c *Config) Validate() error {
	var faults []error
	check := func(ok bool, path, format string, args ...any) {
		if !ok {
			faults = append(faults, &callhome.Error{Kind: callhome.KindInvalid, Path: path, Msg: fmt.Sprintf(format, args...)})
		}
	}
	check(len(c.Name) <= maxName && !strings.ContainsFunc(c.Name, func(r rune) bool { return r <= ' ' || r == ':' || r > '~' }), "name",
		"%q is not a name of at most %d letters, digits and signs other than blanks and colons", c.Name, maxName)
	check(c.Registration == RegistrationRequired || c.Registration == RegistrationNone, "registration", "%q is not required or none", c.Registration)
	if c.RegisterAt != "" {
		u, err := url.Parse(c.RegisterAt)
		check(err == nil && u.Scheme == "https" && u.Host != "", "register_at", "is not an https address of a back end")
	}
	check(c.MaxHops >= 1 && c.MaxHops <= 64, "max_hops", "%d is not one of 1 to 64", c.MaxHops)
	check(c.Bandwidth == 0 || c.Bandwidth >= minBandwidth, "bandwidth", "%d is less than %d bytes a second; with 0 there is no limit", c.Bandwidth, minBandwidth)
	check(c.Urgent.Valid(), "urgent", "%d is not a level", c.Urgent)
	check(c.SilentAfter >= time.Hour, "silent_after", "%v is not at least 1h", c.SilentAfter)
	check(c.MaxDevices >= 1, "max_devices", "%d is not at least 1", c.MaxDevices)
	check(c.Duplicates.Window >= time.Hour, "duplicates.window", "%v is not at least 1h", c.Duplicates.Window)
	check(c.Duplicates.Keep >= 1000, "duplicates.keep", "%d is not at least 1000", c.Duplicates.Keep)
	check(c.Shelf.MaxBytes >= 0, "shelf.max_bytes", "%d is negative", c.Shelf.MaxBytes)
	check(c.Shelf.MaxMessages >= 0, "shelf.max_messages", "%d is negative", c.Shelf.MaxMessages)
	check(c.Archive.Dir == "" || c.Archive.Keep >= time.Hour, "archive.keep", "%v is not at least 1h", c.Archive.Keep)
	check(c.Archive.Dir == "" || c.Archive.MaxBytes >= 1<<20, "archive.max_bytes", "%d is not at least 1048576", c.Archive.MaxBytes)
	for i := range c.Windows {
		err := c.Windows[i].Validate()
		check(err == nil, fmt.Sprintf("windows[%d]", i), "%v", err)
	}
	c.checkUpstreams(check)
	c.Limits.check(check)
	c.Filters.check(check)
	c.checkBundles(check)
	return errors.Join(faults...)
}

// maxName keeps a Via short.
const maxName = 63

// minBandwidth lets the largest message leave within a quarter of an hour.
const minBandwidth = 16 << 10

type checker func(ok bool, path, format string, args ...any)

func (c *Config) checkUpstreams(check checker) {
	check(len(c.Upstream) <= maxUpstreams, "upstream", "%d upstreams are too many; at most %d are allowed", len(c.Upstream), maxUpstreams)
	seen := map[string]bool{}
	for i := range c.Upstream {
		at := fmt.Sprintf("upstream[%d].", i)
		up := &c.Upstream[i]
		u, err := url.Parse(up.URL)
		ok := err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
		check(ok, at+"url", "is not an address; write https://HOST/its/service/oddce/services/DDCEService")
		check(!seen[up.URL], at+"url", "stands twice")
		seen[up.URL] = true
		check((up.CertFile == "") == (up.KeyFile == ""), at+"cert_file", "give both cert_file and key_file, or neither")
		check(!ok || u.Scheme == "https" || !up.credential(), at+"url", "the token would go over the network in the clear; use https")
	}
}

func (l *Limits) check(check checker) {
	for key, n := range map[string]int{"records_percent": l.RecordsPercent, "bulk_percent": l.BulkPercent} {
		check(n >= 1 && n <= 100, "limits."+key, "%d is not one of 1 to 100", n)
	}
	for key, d := range map[string]time.Duration{"records_max_wait": l.RecordsMaxWait, "bulk_max_wait": l.BulkMaxWait} {
		check(d >= time.Minute, "limits."+key, "%v is not at least 1m", d)
	}
	check(l.BulkPercent <= l.RecordsPercent, "limits.bulk_percent", "%d is more than records_percent, %d: bulk goes first", l.BulkPercent, l.RecordsPercent)
	check(l.MinFreeDisk >= 0, "limits.min_free_disk", "%d is negative", l.MinFreeDisk)
	check(l.RetryAfter >= time.Second, "limits.retry_after", "%v is not at least 1s", l.RetryAfter)
}

func (f *Filters) check(check checker) {
	for side, r := range map[string]*Rule{"allow": &f.Allow, "deny": &f.Deny} {
		for i, s := range r.Sources {
			_, err := parseNetwork(s)
			check(err == nil, fmt.Sprintf("filters.%s.sources[%d]", side, i), "%q is not an address or a network such as 192.0.2.0/24", s)
		}
		for key, list := range map[string][]string{"serials": r.Serials, "types": r.Types} {
			for i, p := range list {
				_, err := path.Match(p, "")
				check(err == nil && p != "", fmt.Sprintf("filters.%s.%s[%d]", side, key, i), "%q is not a pattern such as FOX*", p)
			}
		}
	}
}

func parseNetwork(s string) (netip.Prefix, error) {
	if strings.Contains(s, "/") {
		p, err := netip.ParsePrefix(s)
		return p.Masked(), err
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, err
	}
	return a.Unmap().Prefix(a.Unmap().BitLen())
}

func (c *Config) checkBundles(check checker) {
	names := map[string]bool{}
	for i := range c.Bundles.Peers {
		p := &c.Bundles.Peers[i]
		at := fmt.Sprintf("bundles.peers[%d]", i)
		err := p.Validate()
		check(err == nil, at, "%v", err)
		check(!names[p.Name], at+".name", "%q stands twice", p.Name)
		names[p.Name] = true
	}
	check(c.Bundles.To == "" || names[c.Bundles.To], "bundles.to", "%q is none of bundles.peers", c.Bundles.To)
}
