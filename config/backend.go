package config

import (
	"errors"
	"net/url"
	"strings"
)

// Backend is the back end of ours that an agent joins: it shows the certificate that it is granted there when it posts
// there, and sends heartbeats.
type Backend struct {
	URL         string   `yaml:"url" json:"url"`                                       // https://HOST:PORT of its devices listener
	TokenFile   string   `yaml:"token_file,omitempty" json:"token_file,omitempty"`     // holds the one-time token; may be removed once it has joined
	Name        string   `yaml:"name,omitempty" json:"name,omitempty"`                 // asked for; none: the host name
	TrustPoints []string `yaml:"trust_points,omitempty" json:"trust_points,omitempty"` // none: those of http, or the system's certificates
}

func (b *Backend) validate() error {
	if b == nil {
		return nil
	}
	var errs []error
	if u, err := url.Parse(b.URL); err != nil || u.Scheme != "https" || u.Host == "" {
		errs = append(errs, fault("backend.url", "%q is not of the form https://host:port", b.URL))
	}
	if len(b.Name) > maxBackendName || strings.ContainsFunc(b.Name, func(r rune) bool { return r < ' ' }) {
		errs = append(errs, fault("backend.name", "%q is longer than %d characters, or has control characters", b.Name, maxBackendName))
	}
	return errors.Join(errs...)
}

// maxBackendName is the longest name that is granted.
const maxBackendName = 64
