package notify

import (
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"time"
)

// Config is the block `notify` of the server's configuration. The mail servers are the server's own.
type Config struct {
	From     string   `yaml:"from" json:"from"` // sender of mails: Callhome <callhome@support.example>
	ReplyTo  string   `yaml:"reply_to,omitempty" json:"reply_to,omitempty"`
	Portal   string   `yaml:"portal,omitempty" json:"portal,omitempty"`               // address of the portal as readers reach it, for links
	Own      []string `yaml:"own_addresses,omitempty" json:"own_addresses,omitempty"` // addresses and @domains that reach us and never get mail from us
	Rate     int      `yaml:"rate,omitempty" json:"rate,omitempty"`                   // mails an hour to one address; beyond it they become one digest
	PageRate int      `yaml:"page_rate,omitempty" json:"page_rate,omitempty"`         // pages an hour to one address

	DigestHour     int           `yaml:"digest_hour,omitempty" json:"digest_hour,omitempty"`         // of people who chose none, 0 to 23 UTC
	MaxAttachments int64         `yaml:"max_attachments,omitempty" json:"max_attachments,omitempty"` // bytes of diagnostic data in a mail; -1: none
	KeepInbox      time.Duration `yaml:"keep_inbox,omitempty" json:"keep_inbox,omitempty"`
}

// Defaults. Sixty mails an hour is one a minute: more nobody reads. 5 MiB of text are below what mail servers take even
// after encoding.
const (
	defaultRate        = 60
	defaultPageRate    = 30
	defaultDigestHour  = 6
	defaultAttachments = 5 << 20
	defaultKeepInbox   = 180 * 24 * time.Hour
	mostAttachments    = 50 << 20
	mostRate           = 10000
)

// DefaultConfig has no sender; without one no mail leaves, and the inbox works.
func DefaultConfig() Config {
	return Config{Rate: defaultRate, PageRate: defaultPageRate, DigestHour: defaultDigestHour, MaxAttachments: defaultAttachments, KeepInbox: defaultKeepInbox}
}

// Validate names every fault with its key.
func (c *Config) Validate() error {
	var errs []error
	fault := func(format string, args ...any) { errs = append(errs, fmt.Errorf("notify."+format, args...)) }
	for _, a := range []struct{ key, value string }{{"from", c.From}, {"reply_to", c.ReplyTo}} {
		if _, err := mail.ParseAddress(a.value); a.value != "" && err != nil {
			fault("%s: %q is not an address; write it as callhome@support.example", a.key, a.value)
		}
	}
	if u, err := url.Parse(c.Portal); c.Portal != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
		fault("portal: %q is not an address such as https://portal.support.example", c.Portal)
	}
	for i, o := range c.Own {
		if _, err := mail.ParseAddress(o); err != nil && (len(o) < 2 || o[0] != '@') {
			fault("own_addresses[%d]: %q is neither an address nor @domain", i, o)
		}
	}
	for _, n := range []struct {
		key string
		n   int
	}{{"rate", c.Rate}, {"page_rate", c.PageRate}} {
		if n.n < 1 || n.n > mostRate {
			fault("%s: %d is not 1 to %d", n.key, n.n, mostRate)
		}
	}
	if c.DigestHour < 0 || c.DigestHour > 23 {
		fault("digest_hour: %d is not 0 to 23", c.DigestHour)
	}
	if c.MaxAttachments < -1 || c.MaxAttachments > mostAttachments {
		fault("max_attachments: %d is not -1 (none) to %d", c.MaxAttachments, mostAttachments)
	}
	if c.KeepInbox < 24*time.Hour {
		fault("keep_inbox: %v is shorter than a day", c.KeepInbox)
	}
	return errors.Join(errs...)
}
