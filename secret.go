package callhome

import (
	"fmt"
	"log/slog"
	"strings"
)

// redacted stands wherever a secret would be printed.
const redacted = "<removed>"

// Secret is a password or key. It shows itself to nobody but [Secret.Reveal]'s caller: not to fmt, JSON, YAML or slog.
type Secret struct{ value string }

// NewSecret wraps s.
func NewSecret(s string) Secret { return Secret{s} }

// Reveal is the secret itself.
func (s Secret) Reveal() string { return s.value }

// IsZero reports whether there is none.
func (s Secret) IsZero() bool { return s.value == "" }

func (s Secret) mask() string {
	if s.value == "" {
		return ""
	}
	return redacted
}

// String is the mask.
func (s Secret) String() string { return s.mask() }

// Format prints the mask for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.mask())) }

// GoString is the mask.
func (s Secret) GoString() string { return s.mask() }

// MarshalText writes the mask.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.mask()), nil }

// UnmarshalText takes the secret.
func (s *Secret) UnmarshalText(b []byte) error { s.value = string(b); return nil }

// LogValue is the mask.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.mask()) }

// MaskURL is an address without the password that it may carry between its host's user name and "@".
func MaskURL(address string) string {
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		return address
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	at := strings.LastIndexByte(rest[:end], '@')
	if at < 0 {
		return address
	}
	user, _, secret := strings.Cut(rest[:at], ":")
	if !secret {
		return address
	}
	return scheme + "://" + user + ":" + redacted + rest[at:]
}
