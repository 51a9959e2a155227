package registry

import (
	"path"
	"strings"
	"time"

	"callhome/server/account"
)

// Contract is an agreement on service: what it covers, from when to when, at which tier.
type Contract struct {
	ID      int64             `json:"id"`
	Number  string            `json:"number"` // unique, whatever its case
	Company account.CompanyID `json:"company"`
	Tier    Tier              `json:"tier,omitempty"`
	From    time.Time         `json:"from,omitzero"`  // none: since ever
	Until   time.Time         `json:"until,omitzero"` // first moment without service; none: without end
	Name    string            `json:"name,omitempty"`
	Covers  []Cover           `json:"covers,omitempty"`
	Claims  []Claim           `json:"claims,omitempty"`

	WarnedFor time.Time `json:"-"` // the Until that the company was warned of
	UpdatedAt time.Time `json:"updated_at,omitzero"`
}

// CoverKind says what a Cover names.
type CoverKind string

// The kinds of cover.
const (
	CoverSerial  CoverKind = "serial"  // one chassis serial number
	CoverProduct CoverKind = "product" // a product model, "*" and "?" standing for what they do in file names; "*" is all
)

// Cover is one thing that a contract covers.
type Cover struct {
	Kind  CoverKind `json:"kind"`
	Value string    `json:"value"` // compared without regard to case
}

// ClaimKind says what a Claim names.
type ClaimKind string

// The kinds of claim.
const (
	ClaimEmail ClaimKind = "email" // an address, or @domain for all of it
	ClaimUser  ClaimKind = "user"  // a portal user id
)

// Claim is who may claim a contract for a device. A contract that lists no address takes any, likewise users.
type Claim struct {
	Kind  ClaimKind `json:"kind"`
	Value string    `json:"value"` // lower case
}

// Claimed is what a device says of itself, held against a contract.
type Claimed struct {
	Model, Serial string
	Email, User   string
}

// Refusal is why a contract does not cover a device; empty when it does.
type Refusal string

// The refusals.
const (
	RefusedUnknown Refusal = "there is no such contract"
	RefusedCompany Refusal = "the contract belongs to another company"
	RefusedSerial  Refusal = "the contract covers neither the serial number nor the product"
	RefusedEmail   Refusal = "the contact address is not one that may use the contract"
	RefusedUser    Refusal = "the user is not one that may use the contract"
)

// Judge holds a device against the contract, whatever the day.
func (c *Contract) Judge(d Claimed) Refusal {
	switch {
	case !c.covers(d):
		return RefusedSerial
	case !c.claimable(ClaimEmail, d.Email):
		return RefusedEmail
	case d.User != "" && !c.claimable(ClaimUser, d.User):
		return RefusedUser
	}
	return ""
}

func (c *Contract) covers(d Claimed) bool {
	for _, cover := range c.Covers {
		switch cover.Kind {
		case CoverSerial:
			if strings.EqualFold(cover.Value, d.Serial) {
				return true
			}
		case CoverProduct:
			if ok, _ := path.Match(productWord(cover.Value), productWord(d.Model)); ok {
				return true
			}
		}
	}
	return false
}

// productWord makes patterns and models comparable: "/" is no border in a product's name.
func productWord(s string) string { return strings.ToUpper(strings.ReplaceAll(s, "/", "|")) }

// claimable reports whether value is among the claims of a kind, or the contract lists none of that kind.
func (c *Contract) claimable(kind ClaimKind, value string) bool {
	listed := false
	value = strings.ToLower(value)
	for _, claim := range c.Claims {
		if claim.Kind != kind {
			continue
		}
		listed = true
		if claim.Value == value || kind == ClaimEmail && strings.HasPrefix(claim.Value, "@") && strings.HasSuffix(value, claim.Value) {
			return true
		}
	}
	return !listed
}

// CoversBySerial reports whether the contract names the very serial number: stronger than a product pattern.
func (c *Contract) CoversBySerial(serial string) bool {
	for _, cover := range c.Covers {
		if cover.Kind == CoverSerial && strings.EqualFold(cover.Value, serial) {
			return true
		}
	}
	return false
}

// At says what the contract means at t for a device that it covers.
func (c *Contract) At(t time.Time) Happening {
	switch {
	case t.Before(c.From):
		return CoverToCome
	case !c.Until.IsZero() && !t.Before(c.Until):
		return CoverEnded
	}
	return CoverBegan
}

// entitles is what the contract gives to a device that it covers.
func (c *Contract) entitles() Entitlement {
	return Entitlement{Contract: c.Number, Tier: c.Tier, From: c.From, Until: c.Until}
}
