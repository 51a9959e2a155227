package registry

import (
	"path"
	"strings"

	"callhome"
	"callhome/server/account"
)

// GroupKind says what a Group stands for.
type GroupKind string

// The kinds.
const (
	GroupOfDevices GroupKind = "group"
	GroupIsSite    GroupKind = "site"
)

// Group is a set of devices of one company: a device group or a site. Devices belong to it by hand or by its rule; a rule
// that is zero takes none.
type Group struct {
	ID      int64             `json:"id"`
	Company account.CompanyID `json:"company"`
	Kind    GroupKind         `json:"kind"`
	Name    string            `json:"name"` // unique in its company and kind
	Rule    GroupRule         `json:"rule,omitzero"`
	Owners  []account.UserID  `json:"owners,omitempty"`
	Address string            `json:"address,omitempty"` // of a site
	Contact string            `json:"contact,omitempty"` // of a site
}

// GroupRule takes the devices for which all its patterns hold; "*" and "?" stand for what they do in file names, case
// does not matter, an empty pattern takes all.
type GroupRule struct {
	Name        string `json:"name,omitempty"` // of the system
	Model       string `json:"model,omitempty"`
	Site        string `json:"site,omitempty"` // the device's own site ID
	Personality string `json:"personality,omitempty"`
	Version     string `json:"version,omitempty"`
	Contract    string `json:"contract,omitempty"`
}

// Check names what is wrong with a group, as an error of KindInvalid.
func (g *Group) Check() error {
	if strings.TrimSpace(g.Name) == "" || len(g.Name) > maxWord {
		return callhome.Errorf(callhome.KindInvalid, "a group needs a name of 1 to %d characters", maxWord)
	}
	if g.Kind != GroupOfDevices && g.Kind != GroupIsSite {
		return callhome.Errorf(callhome.KindInvalid, "kind %q of group %q is not group or site", g.Kind, g.Name)
	}
	for _, pattern := range []string{g.Rule.Name, g.Rule.Model, g.Rule.Site, g.Rule.Personality, g.Rule.Version, g.Rule.Contract} {
		if _, err := path.Match(pattern, ""); err != nil || len(pattern) > maxWord {
			return callhome.Errorf(callhome.KindInvalid, "the rule of group %q has a pattern that is not one: %q", g.Name, pattern)
		}
	}
	return nil
}

// Takes reports whether the group's rule takes a device. Devices of another company it never takes.
func (g *Group) Takes(d *Device) bool {
	if g.Rule == (GroupRule{}) || g.Company != d.Company {
		return false
	}
	return fits(g.Rule.Name, d.SystemName) && fits(g.Rule.Model, d.Model) && fits(g.Rule.Site, d.Site) &&
		fits(g.Rule.Personality, d.Personality) && fits(g.Rule.Version, d.SWVersion) && fits(g.Rule.Contract, d.Entitlement.Contract)
}

func fits(pattern, value string) bool {
	if pattern == "" {
		return true
	}
	ok, _ := path.Match(productWord(pattern), productWord(value))
	return ok
}
