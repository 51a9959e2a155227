package config

import (
	"fmt"

	"callhome"
)

// warnings are what hinders messages and yet is no fault: devices accept a configuration that is not complete, and so do
// we. Mails wait for a server in the queue; those without a sender become dead letters at once.
func (c *Agent) warnings() []*callhome.Error {
	var out []*callhome.Error
	warn := func(path, format string, args ...any) {
		out = append(out, &callhome.Error{Kind: callhome.KindInvalid, Path: path, Msg: fmt.Sprintf(format, args...)})
	}
	for i := range c.CallHome.Profiles {
		p := &c.CallHome.Profiles[i]
		if !p.Active || len(p.Email) == 0 {
			continue
		}
		path := fmt.Sprintf("call_home.profiles[%d].email", i)
		if len(c.CallHome.MailServers) == 0 {
			warn(path, "profile %q sends mail, but call_home.mail_servers names no server: its mails wait in the queue", p.Name)
		}
		if c.CallHome.Sender.From == "" && c.CallHome.Contact.Email == "" {
			warn(path, "profile %q sends mail, but neither call_home.sender.from nor call_home.contact.email says from whom: its mails are not sent", p.Name)
		}
	}
	return out
}

// warn files each warning under the place of its key.
func (d *decoder) warn(cfg roleFile) (out []error) {
	for _, w := range cfg.warnings() {
		out = append(out, &callhome.Error{Kind: w.Kind, Path: d.placeOf(w.Path), Msg: w.Path + ": " + w.Msg})
	}
	return out
}
