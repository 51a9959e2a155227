package stanza

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"callhome"
)

// draft is a profile while its lines are read. Addresses of a transport that is off count for nothing on the device.
type draft struct {
	callhome.Profile
	email, http bool            // transports that are on
	single      bool            // one transport at a time
	named       bool            // a transport was named
	level       *callhome.Level // NX-OS: one threshold for the profile
	indexed     map[int]string  // NX-OS: URLs by their index
}

// draft finds a profile by name, or begins it: a predefined one with its factory contents.
func (im *importer) draft(name string) *draft {
	for _, d := range im.drafts {
		if d.Name.Equal(callhome.ProfileName(name)) {
			return d
		}
	}
	d := &draft{indexed: map[int]string{}}
	d.Profile.SetDefaults()
	d.Name, d.email = callhome.ProfileName(name), true
	for _, p := range im.pers.Profiles() {
		if p.Name.Equal(d.Name) {
			d.Profile = p
			d.email, d.http = len(p.Email) > 0 || len(p.HTTP) == 0, len(p.HTTP) > 0
			d.single = im.pers.Name != iosxr && im.pers.Name != nxos
			d.Active = im.pers.Name == nxos // which has no switch: what is there is used
		}
	}
	im.drafts = append(im.drafts, d)
	return d
}

// profileMode enters a profile's mode.
func profileMode(im *importer, a args) error {
	name := a.rest
	if err := errors.Join(im.limits.CheckProfileName(name), plain(name)); err != nil {
		if !a.off {
			im.enter(nil, nil)
		}
		return err
	}
	if a.off {
		im.dropDraft(name)
		return nil
	}
	d, err := im.begin(name)
	if err != nil {
		im.enter(nil, nil)
		return err
	}
	im.enter(im.tables.profile, d)
	return nil
}

func (im *importer) dropDraft(name string) {
	im.drafts = slices.DeleteFunc(im.drafts, func(d *draft) bool { return d.Name.Equal(callhome.ProfileName(name)) })
}

// profileCommands are what IOS, IOS XR and the ASA know in a profile's mode.
var profileCommands = []command{
	{"active", func(_ *importer, a args) error { a.profile.Active = !a.off; return nil }},
	{"anonymous-reporting-only", func(_ *importer, a args) error { a.profile.AnonymousOnly = !a.off; return nil }},
	{"destination transport-method", transportMethod},
	{"destination address email", addressEmail},
	{"destination address http", addressHTTP},
	{"destination preferred-msg-format", preferredFormat},
	{"destination message-size-limit", sizeLimit},
	{"subscribe-to-alert-group", subscribe},
	{"reporting", reportedData},
}

func transportMethod(im *importer, a args) error {
	p := a.profile
	on := !a.off
	exclusive := on && (p.single || im.pers.Name == asa && !p.named)
	switch {
	case a.is("email"):
		p.email = on
		p.http = p.http && !exclusive
	case a.is("http"):
		p.http = on
		p.email = p.email && !exclusive
	default:
		return fmt.Errorf("%q is neither email nor http", cut(a.rest))
	}
	p.named = p.named || on
	return nil
}

func addressEmail(im *importer, a args) error {
	if len(a.words) == 0 {
		if a.off {
			a.profile.Email = nil
			return nil
		}
		return errors.New("the address is missing")
	}
	if err := im.addressFormat(a, 1); err != nil {
		return err
	}
	return im.address(&a.profile.Email, a, a.words[0], true)
}

func addressHTTP(im *importer, a args) error {
	if len(a.words) == 0 {
		if a.off {
			a.profile.HTTP = nil
			return nil
		}
		return errors.New("the address is missing")
	}
	if err := im.addressFormat(a, 1); err != nil {
		return err
	}
	if urls := a.profile.HTTP; im.limits.URLs == 1 && !a.off && len(urls) > 0 && urls[0] != a.words[0] {
		a.profile.HTTP = nil // the platform has one, and the last one holds
		if err := im.address(&a.profile.HTTP, a, a.words[0], false); err != nil {
			a.profile.HTTP = urls
			return err
		}
		return nil
	}
	return im.address(&a.profile.HTTP, a, a.words[0], false)
}

// address adds a destination to a list or takes it off. Mail addresses differ by more than case.
func (im *importer) address(list *[]string, a args, value string, mail bool) error {
	same := func(have string) bool { return have == value || mail && strings.EqualFold(have, value) }
	if a.off {
		*list = slices.DeleteFunc(*list, same)
		return nil
	}
	field := im.limits.URL
	if mail {
		field = im.limits.Email
	} else if !httpScheme.MatchString(value) {
		return fmt.Errorf("%q is not an http:// or https:// address", cut(value))
	}
	most := maxSubscriptions
	if mail && im.limits.Recipients > 0 {
		most = im.limits.Recipients
	}
	if len(*list) >= most {
		return fmt.Errorf("there are %d addresses already, and no more are allowed", most)
	}
	var address string
	if err := im.take(&address, field, value); err != nil {
		return err
	}
	if !slices.ContainsFunc(*list, same) {
		*list = append(*list, address)
	}
	return nil
}

// addressFormat reads the ASA's `msg-format F` behind an address. Here all addresses of a profile get one format.
func (im *importer) addressFormat(a args, n int) error {
	switch {
	case len(a.words) == n:
		return nil
	case len(a.words) != n+2 || a.word(n) != "msg-format" || im.pers.Name != asa:
		return errNotUnderstood
	}
	var f callhome.Format
	if err := f.UnmarshalText([]byte(a.words[n+1])); err != nil || f == callhome.FormatMML {
		return fmt.Errorf("format %q is not one of short-text, long-text, xml", cut(a.words[n+1]))
	}
	if f != a.profile.Format {
		im.note("the address gets the profile's format %s here; make a profile of its own for %s", a.profile.Format, f)
	}
	return nil
}

func preferredFormat(_ *importer, a args) error {
	f := callhome.FormatXML
	if !a.off {
		if err := f.UnmarshalText([]byte(a.rest)); err != nil || f == callhome.FormatMML || f == "" {
			return fmt.Errorf("format %q is not one of short-text, long-text, xml", cut(a.rest))
		}
	}
	a.profile.Format = f
	return nil
}

func sizeLimit(im *importer, a args) error {
	if a.off {
		a.profile.MessageSizeLimit = nil
		return nil
	}
	n, err := number(a.rest, im.limits.MessageSize.Min, im.limits.MessageSize.Max)
	if err == nil {
		a.profile.MessageSizeLimit = &n
	}
	return err
}

// reportedData is about what a profile carries besides alerts; only the alerts are ours.
func reportedData(_ *importer, a args) error {
	switch {
	case a.is("smart-call-home-data"):
		if a.off {
			a.profile.Active = false
		}
		return nil
	case a.off:
		return nil
	case a.is("all"), a.is("smart-licensing-data"):
		return errors.New("licensing data is not reported here, only call-home messages are")
	}
	return errNotUnderstood
}
