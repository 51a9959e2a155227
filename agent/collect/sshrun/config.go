package sshrun

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/crypto/ssh"

	"callhome"
)

const (
	defaultPort = 22
	// defaultConnectTimeout bounds TCP, key exchange and login of one hop: a busy route processor needs seconds for the
	// key exchange, and a peer that has not answered by then will not.
	defaultConnectTimeout = 20 * time.Second
	maxConnectTimeout     = 2 * time.Minute
)

// Login says how to log in to one host.
type Login struct {
	Port              int             `yaml:"port,omitempty" json:"port,omitempty"` // default 22
	Username          string          `yaml:"username,omitempty" json:"username,omitempty"`
	KeyFile           string          `yaml:"key_file,omitempty" json:"key_file,omitempty"` // private key, OpenSSH or PEM
	KeyPassphrase     callhome.Secret `yaml:"key_passphrase,omitempty" json:"-"`
	KeyPassphraseFile string          `yaml:"key_passphrase_file,omitempty" json:"key_passphrase_file,omitempty"`
	Password          callhome.Secret `yaml:"password,omitempty" json:"-"` // for password and keyboard-interactive
	PasswordFile      string          `yaml:"password_file,omitempty" json:"password_file,omitempty"`
	KnownHosts        string          `yaml:"known_hosts,omitempty" json:"known_hosts,omitempty"`               // file in OpenSSH's form
	TrustOnFirstUse   bool            `yaml:"trust_on_first_use,omitempty" json:"trust_on_first_use,omitempty"` // add unknown keys to KnownHosts; a changed key is always refused
	LegacyAlgorithms  []string        `yaml:"legacy_algorithms,omitempty" json:"legacy_algorithms,omitempty"`   // old key exchanges, ciphers, MACs and key types this host needs
	ConnectTimeout    time.Duration   `yaml:"connect_timeout,omitempty" json:"connect_timeout,omitempty"`       // default 20s
}

// Jump is a host to go through.
type Jump struct {
	Address string `yaml:"address" json:"address"`
	Login   `yaml:",inline"`
}

// Config is the block `ssh` of a device.
type Config struct {
	Login      `yaml:",inline"`
	Enable     callhome.Secret `yaml:"enable,omitempty" json:"-"` // secret of enable mode
	EnableFile string          `yaml:"enable_file,omitempty" json:"enable_file,omitempty"`
	Jump       *Jump           `yaml:"jump,omitempty" json:"jump,omitempty"`
	Driver     string          `yaml:"driver,omitempty" json:"driver,omitempty"` // command line, if not the personality's: see Drivers
	Shell      string          `yaml:"shell,omitempty" json:"shell,omitempty"`   // program to start instead of the login shell, such as vtysh
}

// DefaultConfig has the values that do not depend on the device.
func DefaultConfig() Config {
	return Config{Login: Login{Port: defaultPort, ConnectTimeout: defaultConnectTimeout}}
}

// Validate names every fault by its key below the ssh block; zero values stand for the defaults.
func (c Config) Validate() error {
	errs := c.faults("ssh")
	if c.Jump != nil {
		if c.Jump.Address == "" {
			errs = append(errs, errors.New("ssh.jump.address: is missing"))
		}
		errs = append(errs, c.Jump.faults("ssh.jump")...)
	}
	if c.Driver != "" {
		if _, ok := drivers[c.Driver]; !ok {
			errs = append(errs, fmt.Errorf("ssh.driver: %q is unknown; use one of %v", c.Driver, Drivers()))
		}
	}
	return errors.Join(errs...)
}

func (l Login) faults(key string) []error {
	var errs []error
	fault := func(format string, args ...any) { errs = append(errs, fmt.Errorf(key+"."+format, args...)) }
	if l.Port < 0 || l.Port > 65535 {
		fault("port: %d is outside 1 to 65535", l.Port)
	}
	if l.Username == "" {
		fault("username: is missing")
	}
	if l.KeyFile == "" && l.Password.IsZero() && l.PasswordFile == "" {
		fault("key_file: is missing; give a key_file or a password_file")
	}
	if l.ConnectTimeout < 0 || l.ConnectTimeout > maxConnectTimeout {
		fault("connect_timeout: %s is outside 1s to %s", l.ConnectTimeout, maxConnectTimeout)
	}
	known := legacy()
	for _, a := range l.LegacyAlgorithms {
		if !slices.Contains(known, a) {
			fault("legacy_algorithms: %q is unknown; use one of %v", a, known)
		}
	}
	return errs
}

// legacy lists the algorithms that are only used with hosts listed for them.
func legacy() []string {
	a := ssh.InsecureAlgorithms()
	return slices.Concat(a.KeyExchanges, a.Ciphers, a.MACs, a.HostKeys)
}

// Target is one device to log in to.
type Target struct {
	Name        string // hostname of the device entry
	Address     string // IP address or DNS name, without port
	Personality string
	Config      Config
}

// settingsBits is how much of a secret's hash goes into Settings: enough to notice a change, too little to test guesses.
const settingsBits = 16

// Settings changes when the address or the credentials do; see collect.Device. It is stored and shown, so it holds no
// more of a secret than 16 bits of its hash.
func (t Target) Settings() string {
	plain, err := json.Marshal(t)
	if err != nil { // plain strings and numbers: cannot happen
		return err.Error()
	}
	h := sha256.New()
	h.Write(plain)
	secrets := []callhome.Secret{t.Config.Password, t.Config.KeyPassphrase, t.Config.Enable}
	if t.Config.Jump != nil {
		secrets = append(secrets, t.Config.Jump.Password, t.Config.Jump.KeyPassphrase)
	}
	for _, s := range secrets {
		sum := sha256.Sum256([]byte(t.Name + "\x00" + s.Reveal()))
		h.Write(sum[:settingsBits/8])
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
