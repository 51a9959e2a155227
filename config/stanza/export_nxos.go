package stanza

import (
	"fmt"
	"slices"
	"strings"

	"callhome"
	"callhome/deliver/smtpsend"
	"callhome/personality"
)

func (e *exporter) bodyNXOS() {
	e.texts()
	c := &e.cfg.CallHome
	if n := c.SwitchPriority; n != nil {
		if s := e.limits.SwitchPriority; s.Contains(*n) {
			e.put(1, "switch-priority %d", *n)
		} else {
			e.note("call_home.switch_priority: %d is outside %d..%d", *n, s.Min, s.Max)
		}
	}
	var inventory *callhome.Periodic
	for i := range c.Profiles {
		e.profileNXOS(&c.Profiles[i], &inventory)
	}
	for i, s := range e.servers() {
		e.mailServerNXOS(fmt.Sprintf("call_home.mail_servers[%d]", i), s)
	}
	e.proxy()
	if e.cfg.HTTP.Proxy.Host != "" {
		e.put(1, "transport http proxy enable")
	}
	if t := c.DuplicateThrottling; t != nil && !*t {
		e.put(1, "no duplicate-message throttle")
	}
	e.periodicInventory(inventory)
	if c.Enabled {
		e.put(1, "enable")
	}
}

func (e *exporter) mailServerNXOS(key string, s smtpsend.Server) {
	if !e.allowed(key+".host", e.limits.MailServer.Check(s.Host)) {
		return
	}
	line := "transport email mail-server " + s.Host
	if s.Port != 0 {
		line += fmt.Sprintf(" port %d", s.Port)
	}
	if s.Priority != 0 {
		line += fmt.Sprintf(" priority %d", s.Priority)
	}
	if e.cfg.Source.VRF != "" && checkName(e.limits, e.cfg.Source.VRF) == nil {
		line += " use-vrf " + e.cfg.Source.VRF
	}
	e.put(1, "%s", line)
	if s.Username != "" {
		e.note("%s: a mail server has no login on the device", key)
	}
	e.mailNotes(key, s)
}

// formatsNXOS are the platform's words for the formats.
var formatsNXOS = map[callhome.Format]string{"": "XML", callhome.FormatXML: "XML", callhome.FormatFull: "full-txt", callhome.FormatShort: "short-txt"}

// profileNXOS writes a profile line by line, and takes its inventory schedule out.
func (e *exporter) profileNXOS(p *callhome.Profile, inventory **callhome.Periodic) {
	key := fmt.Sprintf("profile %s", p.Name)
	if !e.allowed(key, e.limits.CheckProfileName(string(p.Name))) {
		return
	}
	if !p.Active && len(p.Email)+len(p.HTTP) > 0 {
		e.note("%s: is inactive, for which the device has no command; it is left out", key)
		return
	}
	base := e.factory(p.Name)
	line := func(format string, args ...any) {
		e.put(1, "destination-profile %s", strings.TrimRight(string(p.Name)+" "+fmt.Sprintf(format, args...), " "))
	}
	if !base.Predefined {
		line("")
		line("format %s", formatsNXOS[p.Format])
	} else if p.Format != base.Format {
		e.note("%s: its format is fixed on the device (%s)", key, formatsNXOS[base.Format])
	}
	e.size(key, p, base, func(n int) { line("message-size %d", n) })
	e.formNotes(key, p)
	e.levelNXOS(key, p, line)
	e.destinationsNXOS(key, p, base, line)
	e.groupsNXOS(key, p, base, line, inventory)
	if p.AnonymousOnly {
		e.note("%s: anonymous_reporting_only: there is no command for it", key)
	}
}

// levelNXOS writes the threshold, of which a profile has one: the lowest.
func (e *exporter) levelNXOS(key string, p *callhome.Profile, line func(string, ...any)) {
	var low, high *callhome.Level
	for _, s := range p.Subscribe {
		if s.Group != callhome.GroupAll && !slices.Contains(subscribable[nxos], s.Group) {
			continue
		}
		l := s.Severity
		if l == nil {
			l = &e.pers.DefaultThreshold
		}
		if low == nil || *l < *low {
			low = l
		}
		if high == nil || *l > *high {
			high = l
		}
	}
	if low == nil {
		return
	}
	if *low != *high {
		e.note("%s: has one message level for all its groups on the device, the lowest: %s", key, *low)
	}
	if *low != e.pers.DefaultThreshold || e.factory(p.Name).Predefined {
		line("message-level %d", int(*low))
	}
}

func (e *exporter) destinationsNXOS(key string, p, base *callhome.Profile, line func(string, ...any)) {
	mails, urls := e.addresses(key, p)
	if len(urls) > 0 {
		line("transport-method http")
	}
	if len(mails) == 0 && len(urls) > 0 {
		e.put(1, "no destination-profile %s transport-method email", p.Name)
	}
	for _, m := range base.Email {
		if !slices.Contains(mails, m) {
			e.put(1, "no destination-profile %s email-addr %s", p.Name, m)
		}
	}
	for _, m := range mails {
		line("email-addr %s", m)
	}
	for i, u := range urls {
		line("index %d http %s", i+1, u)
	}
}

// groupsNXOS writes the alert groups by the platform's own names.
func (e *exporter) groupsNXOS(key string, p, base *callhome.Profile, line func(string, ...any), inventory **callhome.Periodic) {
	has := func(list []callhome.Subscription, g callhome.AlertGroup) bool {
		return slices.ContainsFunc(list, func(s callhome.Subscription) bool { return s.Group == g })
	}
	for _, s := range base.Subscribe {
		if !has(p.Subscribe, s.Group) {
			e.put(1, "no destination-profile %s alert-group %s", p.Name, groupNXOS(e.pers, s.Group))
		}
	}
	for i := range p.Subscribe {
		s := &p.Subscribe[i]
		at := fmt.Sprintf("%s: subscribe[%d]", key, i)
		if s.Group != callhome.GroupAll && !slices.Contains(subscribable[nxos], s.Group) {
			e.note("%s: the device has no alert group %s", at, s.Group)
			continue
		}
		e.subscriptionNotes(at, s)
		if s.Periodic != nil && s.Group == callhome.GroupInventory {
			if *inventory == nil {
				*inventory = s.Periodic
			}
			if has(p.Subscribe, callhome.GroupAll) {
				continue // all takes it in
			}
		}
		line("alert-group %s", groupNXOS(e.pers, s.Group))
	}
}

// subscriptionNotes tells what a line of nothing but a group's name cannot say.
func (e *exporter) subscriptionNotes(at string, s *callhome.Subscription) {
	for _, r := range []struct {
		key string
		set bool
	}{
		{"pattern", s.Pattern != ""}, {"message_ids", len(s.MessageIDs) > 0}, {"tags", len(s.Tags) > 0},
		{"detail full", s.Detail == callhome.DetailFull}, {"periodic", s.Periodic != nil && s.Group != callhome.GroupInventory},
	} {
		if r.set {
			e.note("%s: %s: there is no command for it; the device takes the whole group %s", at, r.key, s.Group)
		}
	}
}

func groupNXOS(p *personality.Personality, g callhome.AlertGroup) string {
	if group, ok := p.Group(g); ok {
		return group.Label
	}
	return "All"
}

// periodicInventory writes the one schedule of the inventory message.
func (e *exporter) periodicInventory(p *callhome.Periodic) {
	days, at := 0, ""
	switch {
	case p == nil:
		e.put(1, "no periodic-inventory notification")
		return
	case p.Daily != nil:
		days, at = 1, p.Daily.At
	case p.Weekly != nil:
		days, at = week, p.Weekly.At
		if p.Weekly.Day != "" {
			e.note("periodic inventory: the device counts seven days and knows no %s", p.Weekly.Day)
		}
	case p.Monthly != nil:
		days, at = month, p.Monthly.At
		e.note("periodic inventory: the device counts %d days instead of a month", days)
	}
	line := fmt.Sprintf("periodic-inventory notification interval %d", days)
	if at != "" {
		line += " timeofday " + at
	}
	e.put(1, "%s", line)
}
