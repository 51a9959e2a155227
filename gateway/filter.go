package gateway

import (
	"net/netip"
	"path"
	"strings"

	"callhome"
)

// Filters choose whose messages are taken. What deny names is refused; where allow names something of a sort, only that is
// taken. Types are alert groups, or a message's own type; patterns are those of path.Match, in any case of letters.
type Filters struct {
	Allow Rule `yaml:"allow,omitempty" json:"allow,omitzero"`
	Deny  Rule `yaml:"deny,omitempty" json:"deny,omitzero"`
}

// Rule names senders and messages.
type Rule struct {
	Sources []string `yaml:"sources,omitempty" json:"sources,omitempty"` // addresses and networks
	Serials []string `yaml:"serials,omitempty" json:"serials,omitempty"` // patterns
	Types   []string `yaml:"types,omitempty" json:"types,omitempty"`     // patterns
}

// Reasons for which a filter refuses, as counters have them.
const (
	deniedSource = "filtered_source"
	deniedSerial = "filtered_serial"
	deniedType   = "filtered_type"
)

// ofSource says why a sender's address is refused, "" when it is not. It is asked before anything of the message is read.
func (f *Filters) ofSource(a netip.Addr) string {
	in := func(list []string) bool {
		for _, s := range list {
			if p, err := parseNetwork(s); err == nil && p.Contains(a.Unmap()) {
				return true
			}
		}
		return false
	}
	if in(f.Deny.Sources) || (len(f.Allow.Sources) > 0 && !in(f.Allow.Sources)) {
		return deniedSource
	}
	return ""
}

// ofMessage says why a message is refused, "" when it is not.
func (f *Filters) ofMessage(m *callhome.Message) string {
	types := []string{string(m.Group), m.Type}
	switch {
	case fits(f.Deny.Serials, m.Serial) || (len(f.Allow.Serials) > 0 && !fits(f.Allow.Serials, m.Serial)):
		return deniedSerial
	case fits(f.Deny.Types, types...) || (len(f.Allow.Types) > 0 && !fits(f.Allow.Types, types...)):
		return deniedType
	}
	return ""
}

func fits(patterns []string, words ...string) bool {
	for _, p := range patterns {
		for _, w := range words {
			if ok, _ := path.Match(strings.ToLower(p), strings.ToLower(w)); ok && w != "" {
				return true
			}
		}
	}
	return false
}
