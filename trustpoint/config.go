package trustpoint

import (
	"errors"
	"fmt"
	"regexp"

	"callhome"
)

// ServerCA is the trust point of anonymous reporting. It is installed when anonymous reporting is enabled and cannot be
// removed while it is.
const ServerCA = "_SmartCallHome_ServerCA"

// Config is the block trust_points of the configuration.
type Config []PointConfig

// PointConfig is one trust point. It has certificates to trust, pins, a certificate to show, or several of these.
type PointConfig struct {
	Name     string   `yaml:"name" json:"name"`
	CAFile   string   `yaml:"ca_file,omitempty" json:"ca_file,omitempty"`     // PEM bundle
	CA       string   `yaml:"ca,omitempty" json:"ca,omitempty"`               // PEM bundle, in place
	Pins     []string `yaml:"pins,omitempty" json:"pins,omitempty"`           // sha256//BASE64 of a public key; without a CA bundle the pinned key alone is trusted
	CertFile string   `yaml:"cert_file,omitempty" json:"cert_file,omitempty"` // device certificate, PEM with its chain
	KeyFile  string   `yaml:"key_file,omitempty" json:"key_file,omitempty"`   // its key, PEM without a passphrase
}

// DefaultConfig has no trust points: servers are then checked against the system's certificates.
func DefaultConfig() Config { return nil }

// nameRule keeps names usable as file names and as words of a command line.
var nameRule = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$`)

func checkName(name string) error {
	if !nameRule.MatchString(name) {
		return fmt.Errorf("trust point name %q is not usable: 1 to 64 letters, digits, '_', '.' and '-', the first none of '.' and '-'", name)
	}
	return nil
}

// Validate reports every fault of the block, each with its key path. It reads no file.
func (c Config) Validate() error {
	var faults []error
	seen := make(map[string]int, len(c))
	for i, p := range c {
		at := func(key, format string, args ...any) {
			faults = append(faults, &callhome.Error{
				Kind: callhome.KindInvalid, Path: fmt.Sprintf("trust_points[%d].%s", i, key), Msg: fmt.Sprintf(format, args...),
			})
		}
		if err := checkName(p.Name); err != nil {
			at("name", "%v", err)
		}
		if first, twice := seen[p.Name]; twice {
			at("name", "%q is the name of trust_points[%d] too; rename one", p.Name, first)
		}
		seen[p.Name] = i
		p.validate(at)
	}
	return errors.Join(faults...)
}

func (p PointConfig) validate(at func(key, format string, args ...any)) {
	if p.CAFile != "" && p.CA != "" {
		at("ca", "give ca_file or ca, not both")
	}
	if p.CA != "" {
		if _, err := parseBundle([]byte(p.CA)); err != nil {
			at("ca", "%v", err)
		}
	}
	for j, s := range p.Pins {
		if _, err := ParsePin(s); err != nil {
			at(fmt.Sprintf("pins[%d]", j), "%v", err)
		}
	}
	if (p.CertFile == "") != (p.KeyFile == "") {
		at("cert_file", "a device certificate needs both cert_file and key_file")
	}
	if p.CAFile == "" && p.CA == "" && len(p.Pins) == 0 && p.CertFile == "" {
		at("name", "the trust point is empty; give one of ca_file, ca, pins, or cert_file with key_file")
	}
}
