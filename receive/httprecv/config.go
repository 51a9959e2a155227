package httprecv

import (
	"errors"
	"fmt"
	"time"

	"callhome"
)

// Config bounds what strangers may ask of the listeners.
type Config struct {
	MaxMessageSize    int           `yaml:"max_message_size,omitempty" json:"max_message_size,omitempty"`       // bytes of one body
	MaxInFlight       int           `yaml:"max_in_flight,omitempty" json:"max_in_flight,omitempty"`             // bytes of all bodies being taken
	MaxConnections    int           `yaml:"max_connections,omitempty" json:"max_connections,omitempty"`         // of one listener
	MaxConnectionsPer int           `yaml:"max_connections_per_peer,omitempty" json:"max_connections_per_peer"` // of one address
	HeaderTimeout     time.Duration `yaml:"header_timeout,omitempty" json:"header_timeout,omitempty"`           // from connection to end of header, TLS included
	BodyTimeout       time.Duration `yaml:"body_timeout,omitempty" json:"body_timeout,omitempty"`               // from connection to end of body
	IdleTimeout       time.Duration `yaml:"idle_timeout,omitempty" json:"idle_timeout,omitempty"`               // between two messages
	RetryAfter        time.Duration `yaml:"retry_after,omitempty" json:"retry_after,omitempty"`                 // told with 503
}

// DefaultConfig suits some thousand devices.
func DefaultConfig() Config {
	return Config{
		MaxMessageSize: 10 << 20, MaxInFlight: 256 << 20, MaxConnections: 2048, MaxConnectionsPer: 512,
		HeaderTimeout: 10 * time.Second, BodyTimeout: 2 * time.Minute, IdleTimeout: 2 * time.Minute, RetryAfter: 30 * time.Second,
	}
}

// maxHeaderBytes is far above what devices send (under 1 KiB); gateways add a token.
const maxHeaderBytes = 16 << 10

// answerTime is what the sink has to store a message and we to answer, above the time for the body.
const answerTime = time.Minute

// minMessageSize is the smallest limit that makes sense: the smallest that devices' own limits allow, with an envelope.
const minMessageSize = 1024

// Validate reports every fault, each with its key.
func (c Config) Validate() error {
	var faults []error
	check := func(ok bool, key, rule string, have any) {
		if !ok {
			faults = append(faults, &callhome.Error{Kind: callhome.KindInvalid, Path: key, Msg: fmt.Sprintf("%v is not %s", have, rule)})
		}
	}
	check(c.MaxMessageSize >= minMessageSize, "max_message_size", "at least 1024 bytes", c.MaxMessageSize)
	check(c.MaxInFlight >= c.MaxMessageSize, "max_in_flight", "at least max_message_size", c.MaxInFlight)
	check(c.MaxConnections >= 1, "max_connections", "at least 1", c.MaxConnections)
	check(c.MaxConnectionsPer >= 1, "max_connections_per_peer", "at least 1", c.MaxConnectionsPer)
	for key, d := range map[string]time.Duration{
		"header_timeout": c.HeaderTimeout, "body_timeout": c.BodyTimeout, "idle_timeout": c.IdleTimeout, "retry_after": c.RetryAfter,
	} {
		check(d >= time.Second, key, "at least 1s", d)
	}
	return errors.Join(faults...)
}
