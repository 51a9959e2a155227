package smtprecv

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"callhome"
)

// Config says whose mail for whom is taken, and bounds what strangers may ask.
type Config struct {
	Recipients        []string      `yaml:"recipients,omitempty" json:"recipients,omitempty"` // patterns such as callhome@gw.example or *@gw.example; none: any address
	Senders           []string      `yaml:"senders,omitempty" json:"senders,omitempty"`       // patterns of the envelope sender; none: anyone
	Hostname          string        `yaml:"hostname,omitempty" json:"hostname,omitempty"`     // what the server calls itself
	RequireAuth       bool          `yaml:"require_auth,omitempty" json:"require_auth,omitempty"`
	RequireTLS        bool          `yaml:"require_tls,omitempty" json:"require_tls,omitempty"`
	MaxMessageSize    int64         `yaml:"max_message_size,omitempty" json:"max_message_size,omitempty"` // bytes of one mail
	MaxRecipients     int           `yaml:"max_recipients,omitempty" json:"max_recipients,omitempty"`
	MaxConnections    int           `yaml:"max_connections,omitempty" json:"max_connections,omitempty"`         // of one listener
	MaxConnectionsPer int           `yaml:"max_connections_per_peer,omitempty" json:"max_connections_per_peer"` // of one address
	Timeout           time.Duration `yaml:"timeout,omitempty" json:"timeout,omitempty"`                         // for one command, and for the whole of one mail
}

// DefaultConfig takes any recipient's mail: what it takes goes to the sink and nowhere else.
func DefaultConfig() Config {
	return Config{
		Hostname: "localhost", MaxMessageSize: 10 << 20, MaxRecipients: 50, MaxConnections: 256, MaxConnectionsPer: 64,
		Timeout: 5 * time.Minute, // RFC 5321 section 4.5.3.2.7
	}
}

// maxLine is the longest line of a mail. RFC 5321 allows 1000 octets, but devices put XML with the output of commands
// straight into the body.
const maxLine = 256 << 10

// Validate reports every fault, each with its key.
func (c Config) Validate() error {
	var faults []error
	fault := func(key, format string, args ...any) {
		faults = append(faults, &callhome.Error{Kind: callhome.KindInvalid, Path: key, Msg: fmt.Sprintf(format, args...)})
	}
	for key, list := range map[string][]string{"recipients": c.Recipients, "senders": c.Senders} {
		for i, p := range list {
			if _, err := path.Match(p, ""); err != nil || !strings.Contains(p, "@") {
				fault(fmt.Sprintf("%s[%d]", key, i), "%q is not an address pattern such as *@gw.example", p)
			}
		}
	}
	if c.Hostname == "" || strings.ContainsAny(c.Hostname, " \r\n") {
		fault("hostname", "%q is not a host name", c.Hostname)
	}
	for key, n := range map[string]int64{
		"max_message_size": c.MaxMessageSize, "max_recipients": int64(c.MaxRecipients),
		"max_connections": int64(c.MaxConnections), "max_connections_per_peer": int64(c.MaxConnectionsPer),
	} {
		if n < 1 {
			fault(key, "%d is not at least 1", n)
		}
	}
	if c.Timeout < time.Second {
		fault("timeout", "%v is not at least 1s", c.Timeout)
	}
	return errors.Join(faults...)
}

// admits reports whether addr fits one of the patterns, whatever the case of letters. No pattern admits all.
func admits(patterns []string, addr string) bool {
	addr = strings.ToLower(addr)
	for _, p := range patterns {
		if ok, _ := path.Match(strings.ToLower(p), addr); ok {
			return true
		}
	}
	return len(patterns) == 0
}
