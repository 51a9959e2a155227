package trustpoint

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"callhome"
)

// Set holds the trust points of the configuration and those of a Store, and hands out what is made of them. It is safe
// for use from several goroutines. A Set does not change; a new configuration makes a new Set. Imported trust points and
// renewed device certificates are seen at once.
type Set struct {
	points map[string]*point
	names  []string // order of the configuration
	store  *Store
	now    func() time.Time
}

// point is one loaded trust point.
type point struct {
	name   string
	certs  []*x509.Certificate
	pins   []Pin
	device *KeyPair
}

// Load reads the trust points of cfg. store may be nil; a name of cfg comes before the same name there. now is the clock
// that validity is judged by, time.Now when nil. All faults are reported, each with its key path.
func Load(cfg Config, store *Store, now func() time.Time) (*Set, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if now == nil {
		now = time.Now
	}
	set := &Set{points: make(map[string]*point, len(cfg)), store: store, now: now}
	var faults []error
	for i, pc := range cfg {
		p, err := loadPoint(pc)
		if err != nil {
			faults = append(faults, &callhome.Error{Kind: callhome.KindInvalid, Path: fmt.Sprintf("trust_points[%d]", i), Err: err})
			continue
		}
		set.points[p.name] = p
		set.names = append(set.names, p.name)
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return set, nil
}

func loadPoint(pc PointConfig) (*point, error) {
	p := &point{name: pc.Name}
	bundle := []byte(pc.CA)
	if pc.CAFile != "" {
		var err error
		if bundle, err = os.ReadFile(pc.CAFile); err != nil {
			return nil, fmt.Errorf("ca_file: %w", err)
		}
	}
	if len(bundle) > 0 {
		var err error
		if p.certs, err = parseBundle(bundle); err != nil {
			return nil, fmt.Errorf("ca_file %s: %w", pc.CAFile, err)
		}
	}
	for _, s := range pc.Pins {
		pin, err := ParsePin(s)
		if err != nil {
			return nil, err
		}
		p.pins = append(p.pins, pin)
	}
	if pc.CertFile != "" {
		var err error
		if p.device, err = LoadKeyPair(pc.CertFile, pc.KeyFile); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// find gives the trust point of that name, KindNotFound when there is none.
func (s *Set) find(name string) (*point, error) {
	if p, ok := s.points[name]; ok {
		return p, nil
	}
	if s.store != nil {
		certs, err := s.store.certs(name)
		if err == nil {
			return &point{name: name, certs: certs}, nil
		}
		if callhome.KindOf(err) != callhome.KindNotFound {
			return nil, err
		}
	}
	return nil, callhome.Errorf(callhome.KindNotFound,
		"trust point %q is not there; add it under trust_points or import it with `callhome trustpoint import`", name)
}

// List describes the trust points of the configuration, then the imported ones.
func (s *Set) List() ([]Info, error) {
	var infos []Info
	for _, name := range s.names {
		infos = append(infos, s.points[name].describe())
	}
	if s.store == nil {
		return infos, nil
	}
	imported, err := s.store.List()
	if err != nil {
		return infos, err
	}
	for _, info := range imported {
		if _, hidden := s.points[info.Name]; !hidden {
			infos = append(infos, info)
		}
	}
	return infos, nil
}

func (p *point) describe() Info {
	info := describe(p.name, OriginConfig, p.certs)
	for _, pin := range p.pins {
		info.Pins = append(info.Pins, pin.String())
	}
	if p.device != nil {
		cert := describeCert(p.device.Leaf())
		info.Device = &cert
		if err := p.device.Fault(); err != nil {
			info.Fault = err.Error()
		}
	}
	return info
}

// ExpiryWarning is how long before its end a certificate is reported: the time a certification authority of a company
// commonly needs to issue another.
const ExpiryWarning = 30 * 24 * time.Hour

// Expiry is a certificate that has ended or soon will, or a trust point that cannot be read.
type Expiry struct {
	TrustPoint string        `json:"trust_point"`
	Device     bool          `json:"device_certificate,omitempty"` // our own, not one we trust
	Subject    string        `json:"subject,omitempty"`
	NotAfter   time.Time     `json:"not_after,omitzero"`
	Left       time.Duration `json:"left"` // negative once it has ended
	Fault      string        `json:"fault,omitempty"`
}

// Expiring reports what ends within the given time from now, the soonest first, for health and doctor. Of a bundle only a
// trust point whose every certificate is ending is reported: bundles carry old authorities along.
func (s *Set) Expiring(within time.Duration) ([]Expiry, error) {
	infos, err := s.List()
	if err != nil {
		return nil, err
	}
	now := s.now()
	var out []Expiry
	for _, info := range infos {
		if info.Fault != "" {
			out = append(out, Expiry{TrustPoint: info.Name, Fault: info.Fault})
		}
		if len(info.Certificates) > 0 {
			last := slices.MaxFunc(info.Certificates, func(a, b CertInfo) int { return a.NotAfter.Compare(b.NotAfter) })
			out = appendEnding(out, info.Name, last, false, now, within)
		}
		if info.Device != nil {
			out = appendEnding(out, info.Name, *info.Device, true, now, within)
		}
	}
	slices.SortStableFunc(out, func(a, b Expiry) int { return int(a.Left/time.Second) - int(b.Left/time.Second) })
	return out, nil
}

func appendEnding(out []Expiry, name string, c CertInfo, device bool, now time.Time, within time.Duration) []Expiry {
	left := c.NotAfter.Sub(now)
	if left > within {
		return out
	}
	return append(out, Expiry{TrustPoint: name, Device: device, Subject: c.Subject, NotAfter: c.NotAfter, Left: left})
}
