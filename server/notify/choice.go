package notify

import (
	"net/mail"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // people name zones; a small machine may have no zone files

	"callhome"
	"callhome/server/account"
)

// Mode is when somebody wants to hear of something by mail.
type Mode string

// The modes. In the inbox of the portal a notice stands in the first two.
const (
	ModeImmediate Mode = "immediate"
	ModeDigest    Mode = "digest" // once a day
	ModeNone      Mode = "none"   // not at all, not even in the inbox
)

// Choice is one person's choice for a kind and a device group. Of several that fit the one that says more counts: kind
// and group, then kind, then group, then neither.
type Choice struct {
	Kind  Kind   `json:"kind,omitempty"`  // empty: all
	Group string `json:"group,omitempty"` // empty: all
	Mode  Mode   `json:"mode"`
}

// Settings are one person's.
type Settings struct {
	User    account.UserID `json:"user"`
	Hour    int            `json:"hour"`           // of the digest, 0 to 23
	Zone    string         `json:"zone,omitempty"` // of Hour; empty: UTC
	Choices []Choice       `json:"choices,omitempty"`
}

// maxChoices bounds what one person may store: kinds times a few groups.
const maxChoices = 500

// Validate says what is wrong.
func (s *Settings) Validate() error {
	if s.Hour < 0 || s.Hour > 23 {
		return callhome.Errorf(callhome.KindInvalid, "the hour of the digest, %d, is not 0 to 23", s.Hour)
	}
	if _, err := time.LoadLocation(s.Zone); err != nil || s.Zone == "Local" {
		return callhome.Errorf(callhome.KindInvalid, "%q is not a time zone such as Europe/Lisbon", s.Zone)
	}
	if len(s.Choices) > maxChoices {
		return callhome.Errorf(callhome.KindInvalid, "%d choices are more than %d", len(s.Choices), maxChoices)
	}
	for _, c := range s.Choices {
		if c.Kind != "" && !slices.Contains(Kinds(), c.Kind) {
			return callhome.Errorf(callhome.KindInvalid, "there is no notice %q", c.Kind)
		}
		if c.Mode != ModeImmediate && c.Mode != ModeDigest && c.Mode != ModeNone {
			return callhome.Errorf(callhome.KindInvalid, "%q is not immediate, digest or none", c.Mode)
		}
	}
	return nil
}

// calm kinds go into the digest of whoever has not chosen.
var calm = []Kind{KindInventoryChange, KindConfigurationChange, KindExceptionReport, KindConfigurationFinding, KindEndOfLife}

// ModeOf is when the person wants to hear of a kind about devices of these groups.
func (s *Settings) ModeOf(kind Kind, groups []string) Mode {
	if kind == KindPage {
		return ModeImmediate // who is on call is called
	}
	best, rank := ModeImmediate, -1
	if slices.Contains(calm, kind) {
		best = ModeDigest
	}
	for _, c := range s.Choices {
		group := slices.ContainsFunc(groups, func(g string) bool { return strings.EqualFold(g, c.Group) })
		if c.Kind != "" && c.Kind != kind || c.Group != "" && !group {
			continue
		}
		r := 0
		if c.Group != "" {
			r++
		}
		if c.Kind != "" {
			r += 2
		}
		if r > rank {
			best, rank = c.Mode, r
		}
	}
	return best
}

// NextDigest is the first time after now at which the person's clock shows the hour. An hour that a day skips is taken at
// the moment of the skip, or right after it.
func (s *Settings) NextDigest(now time.Time) time.Time {
	zone, err := time.LoadLocation(s.Zone)
	if err != nil {
		zone = time.UTC // Validate refuses it
	}
	local := now.In(zone)
	for add := range 3 {
		at := time.Date(local.Year(), local.Month(), local.Day()+add, s.Hour, 0, 0, 0, zone)
		if at.After(now) {
			return at
		}
	}
	return now.Add(24 * time.Hour)
}

// Recipient is somebody to be told.
type Recipient struct {
	User    account.UserID // 0: nobody of the portal, such as a device's contact; no inbox, no choices
	Name    string
	Address string // mail; empty: inbox only
	Pager   bool   // the address takes short text only
}

// Automatic reports whether an address belongs to a program that must not be written to: mail to it comes back or is
// answered by another program.
func Automatic(address string) bool {
	local, _, _ := strings.Cut(strings.ToLower(address), "@")
	local, _, _ = strings.Cut(local, "+")
	local = strings.NewReplacer("-", "", "_", "", ".", "").Replace(local)
	switch local {
	case "mailerdaemon", "postmaster", "noreply", "donotreply", "bounce", "bounces", "autoreply", "daemon", "nobody":
		return true
	}
	return local == ""
}

// own reports whether an address is one of ours.
func (c *Config) own(address string) bool {
	own := c.Own
	if from, err := mail.ParseAddress(c.From); err == nil {
		own = append([]string{from.Address}, own...)
	}
	for _, o := range own {
		if a, err := mail.ParseAddress(o); err == nil {
			o = a.Address
		}
		if strings.EqualFold(o, address) || strings.HasPrefix(o, "@") && len(address) > len(o) && strings.EqualFold(o, address[len(address)-len(o):]) {
			return true
		}
	}
	return false
}
