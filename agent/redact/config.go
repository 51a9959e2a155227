package redact

import (
	"fmt"

	"callhome"
)

// Level says how much data privacy takes out.
type Level string

// The levels, as the call-home MIB has them. None means normal.
const (
	LevelNormal Level = "normal" // secrets: passwords, keys, communities, private keys
	LevelHigh   Level = "high"   // also domain names and addresses in the commands that set them
)

// Config is the block `data_privacy`.
type Config struct {
	Level    Level `yaml:"level,omitempty" json:"level,omitempty" jsonschema:"enum=normal,enum=high"`
	Hostname bool  `yaml:"hostname,omitempty" json:"hostname,omitempty"` // also the hostname command and the prompt
}

// DefaultConfig masks secrets.
func DefaultConfig() Config { return Config{Level: LevelNormal} }

// Validate names the level that does not exist, by its key within the block.
func (c Config) Validate() error {
	switch c.Level {
	case "", LevelNormal, LevelHigh:
		return nil
	}
	return &callhome.Error{
		Kind: callhome.KindInvalid, Path: "level",
		Msg: fmt.Sprintf("%q is not a level; use normal or high", c.Level),
	}
}

// minKey is the shortest key for pseudonyms, in bytes: 128 bits, so that nobody finds serial numbers by trying.
const minKey = 16

// Policy is what applies to one profile's messages.
type Policy struct {
	Config
	Anonymous bool   // no identity at all; implies level high and hostname
	Key       []byte // of this installation, at least 16 random bytes; needed for Anonymous
}

func (p Policy) validate() error {
	if err := p.Config.Validate(); err != nil {
		return err
	}
	if p.Anonymous && len(p.Key) < minKey {
		return callhome.Errorf(callhome.KindInternal, "anonymous reporting: the installation's key has %d bytes, at least %d are needed for pseudonyms", len(p.Key), minKey)
	}
	return nil
}

// scopes are the rules' scopes that p asks for.
func (p Policy) scopes() uint8 {
	s := scopeNormal
	if p.Level == LevelHigh || p.Anonymous {
		s |= scopeHigh
	}
	if p.Hostname || p.Anonymous {
		s |= scopeHostname
	}
	if p.Anonymous {
		s |= scopeAnonymous
	}
	return s
}
