package stanza

import (
	"fmt"
	"strings"
)

const (
	// maxProfiles bounds the profiles of a configuration, maxSubscriptions each list in it: more than any platform takes.
	maxProfiles      = 200
	maxSubscriptions = 500
)

// begin is draft within the bounds.
func (im *importer) begin(name string) (*draft, error) {
	known := len(im.drafts)
	d := im.draft(name)
	if len(im.drafts) > known && known >= maxProfiles {
		im.drafts = im.drafts[:known]
		return nil, fmt.Errorf("there are %d profiles already, and no more are taken", known)
	}
	return d, nil
}

// finish makes profiles of the drafts and settles what only the whole tells.
func (im *importer) finish() {
	if im.pers.Name == nxos && !im.proxyOn && im.cfg.HTTP.Proxy.Host != "" {
		im.conclude("the proxy %s is not enabled on the device and left out", im.cfg.HTTP.Proxy.Host)
		im.cfg.HTTP.Proxy.Host, im.cfg.HTTP.Proxy.Port = "", 0
	}
	if src := &im.cfg.Source; src.Interface != "" && src.VRF != "" {
		im.conclude("source_interface %s is left out: a connection is bound to it or to vrf, and the vrf %s decides", src.Interface, src.VRF)
		src.Interface = ""
	}
	for _, d := range im.drafts {
		im.finishProfile(d)
		im.cfg.CallHome.Profiles = append(im.cfg.CallHome.Profiles, d.Profile)
	}
}

func (im *importer) finishProfile(d *draft) {
	if im.pers.Name == nxos {
		im.finishNXOS(d)
	}
	if !d.email && len(d.Email) > 0 {
		im.conclude("profile %s: e-mail is off on the device; left out: %s", d.Name, strings.Join(d.Email, ", "))
		d.Email = nil
	}
	if !d.http && len(d.HTTP) > 0 {
		im.conclude("profile %s: http is off on the device; left out: %s", d.Name, strings.Join(d.HTTP, ", "))
		d.HTTP = nil
	}
	if d.Active {
		im.checkMail(d)
	}
	if d.Active && len(d.Email)+len(d.HTTP) == 0 {
		d.Active = false
		im.conclude("profile %s: is inactive here, as it has no destination", d.Name)
	}
}

// checkMail says what mail lacks. Devices accept that, and so do we.
func (im *importer) checkMail(d *draft) {
	c := &im.cfg.CallHome
	if len(d.Email) == 0 {
		return
	}
	if len(c.MailServers) == 0 {
		im.conclude("profile %s: sends mail, but call_home.mail_servers names no server", d.Name)
	}
	if c.Sender.From == "" && c.Contact.Email == "" {
		im.conclude("profile %s: sends mail, but neither call_home.sender.from nor call_home.contact.email says from whom", d.Name)
	}
}
