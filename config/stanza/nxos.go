package stanza

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"callhome"
	"callhome/deliver/smtpsend"
)

// commandsNXOS are those of the mode `callhome`, besides the ones that are one text.
var commandsNXOS = []command{
	{"enable", service},
	{"switch-priority", switchPriority},
	{"destination-profile", destinationProfile},
	{"alert-group", userCommands},
	{"transport email mail-server", mailServerNXOS},
	{"transport email smtp-server", mailServerNXOS},
	{"transport http proxy server", proxy},
	{"transport http proxy enable", proxyEnable},
	{"periodic-inventory notification", periodicInventory},
	{"duplicate-message throttle", throttling},
	{"distribute", elsewhere("every agent has its own configuration file; nothing distributes it")},
	{"commit", ignored},
}

// inventoryPeriod is NX-OS's schedule of the inventory message, one for all profiles.
type inventoryPeriod struct {
	off  bool
	days int
	at   string
}

func switchPriority(im *importer, a args) error {
	if a.off {
		im.cfg.CallHome.SwitchPriority = nil
		return nil
	}
	n, err := number(a.rest, im.limits.SwitchPriority.Min, im.limits.SwitchPriority.Max)
	if err == nil {
		im.cfg.CallHome.SwitchPriority = &n
	}
	return err
}

// profileNXOS are the settings that follow a profile's name.
var profileNXOS = []command{
	{"format", preferredFormat},
	{"message-size", sizeLimit},
	{"message-level", messageLevel},
	{"transport-method", transportMethod},
	{"email-addr", addressEmail},
	{"index", indexedURL},
	{"http", addressHTTP},
	{"alert-group", subscribeNXOS},
}

// destinationProfile reads `destination-profile NAME [SETTING …]`.
func destinationProfile(im *importer, a args) error {
	if len(a.words) == 0 {
		return errors.New("the profile's name is missing")
	}
	name := a.words[0]
	if err := errors.Join(im.limits.CheckProfileName(name), plain(name)); err != nil {
		return err
	}
	if len(a.words) == 1 {
		if a.off {
			im.dropDraft(name)
			return nil
		}
		_, err := im.begin(name)
		return err
	}
	c, n := find(profileNXOS, a.words[1:])
	if c == nil {
		return errNotUnderstood
	}
	p, err := im.begin(name)
	if err != nil {
		return err
	}
	behind := a.line.args(len(a.line.words) - len(a.words) + 1 + n)
	behind.profile = p
	return c.do(im, behind)
}

func messageLevel(_ *importer, a args) error {
	if a.off {
		a.profile.level = nil
		return nil
	}
	level, err := callhome.ParseLevel(a.rest)
	if err == nil {
		a.profile.level = &level
	}
	return err
}

// indexedURL reads `index N http URL`; an index has one URL.
func indexedURL(im *importer, a args) error {
	if len(a.words) < 2 || a.word(1) != "http" || len(a.words) > 3 {
		return errNotUnderstood
	}
	n, err := number(a.words[0], 1, im.limits.URLs)
	if err != nil {
		return fmt.Errorf("index: %w", err)
	}
	p := a.profile
	if a.off {
		p.HTTP = slices.DeleteFunc(p.HTTP, func(u string) bool { return u == p.indexed[n] })
		delete(p.indexed, n)
		return nil
	}
	if len(a.words) < 3 {
		return errors.New("the address is missing")
	}
	if err := im.address(&p.HTTP, a, a.words[2], false); err != nil {
		return err
	}
	if old := p.indexed[n]; old != "" && old != a.words[2] {
		p.HTTP = slices.DeleteFunc(p.HTTP, func(u string) bool { return u == old })
	}
	p.indexed[n] = a.words[2]
	return nil
}

func subscribeNXOS(im *importer, a args) error {
	g, err := im.group(a.rest)
	if err != nil {
		return err
	}
	if a.off {
		a.profile.unsubscribe(callhome.Subscription{Group: g})
		return nil
	}
	return a.profile.subscribe(callhome.Subscription{Group: g})
}

// userCommands refuses `alert-group GROUP user-def-cmd COMMAND`: what a group runs is the platform's table.
func userCommands(_ *importer, a args) error {
	if a.word(1) != "user-def-cmd" {
		return errNotUnderstood
	}
	return errors.New("there are no further commands for single groups here; call_home.snapshot_commands takes commands of the operator's own")
}

// mailServerNXOS reads `HOST [port N] [priority N] [use-vrf V]`. Priority 0, which the device model has, is 1 here, as 0
// stands for none.
func mailServerNXOS(im *importer, a args) error {
	if len(a.words) == 0 {
		return errors.New("the server is missing")
	}
	s := smtpsend.Server{Host: a.words[0], Security: smtpsend.SecurityNone}
	if err := errors.Join(checkHost(s.Host), im.limits.MailServer.Check(s.Host)); err != nil {
		return err
	}
	if a.off {
		im.dropServer(s.Host)
		return nil
	}
	vrf := ""
	for i := 1; i < len(a.words); i += 2 {
		var err error
		switch a.word(i) {
		case "port":
			s.Port, err = number(a.word(i+1), 1, maxPort)
		case "priority":
			s.Priority, err = number(a.word(i+1), im.limits.MailPriority.Min, im.limits.MailPriority.Max)
			s.Priority = max(1, s.Priority)
		case "use-vrf":
			if i+1 < len(a.words) {
				vrf = a.words[i+1]
			}
		default:
			return errNotUnderstood
		}
		if err != nil {
			return fmt.Errorf("%s: %w", a.word(i), err)
		}
	}
	if err := im.useVRF(vrf); err != nil {
		return err
	}
	return im.addServer(s)
}

// useVRF takes the VRF of a mail server; here all connections use the same.
func (im *importer) useVRF(vrf string) error {
	switch {
	case vrf == "" || strings.EqualFold(vrf, defaultVRF) || vrf == im.cfg.Source.VRF:
		return nil
	case im.cfg.Source.VRF != "":
		im.note("all connections use one VRF here, %s", im.cfg.Source.VRF)
		return nil
	}
	if err := errors.Join(checkName(im.limits, vrf), plain(vrf)); err != nil {
		return fmt.Errorf("use-vrf: %w", err)
	}
	im.cfg.Source.VRF = vrf
	im.note("the VRF %s", noteVRF)
	return nil
}

func proxyEnable(im *importer, a args) error {
	im.proxyOn = !a.off
	return nil
}

// periodicInventory reads `[interval DAYS] [timeofday HH:MM]`; two lines may give them one by one.
func periodicInventory(im *importer, a args) error {
	im.periods.off = a.off
	if a.off {
		return nil
	}
	for i := 0; i < len(a.words); i += 2 {
		switch a.word(i) {
		case "interval":
			days, err := number(a.word(i+1), im.limits.InventoryDays.Min, im.limits.InventoryDays.Max)
			if err != nil {
				return fmt.Errorf("interval: %w", err)
			}
			im.periods.days = days
		case "timeofday":
			if n, err := clock(&im.periods.at, a, i+1); err != nil || n == i+1 {
				return errors.Join(err, errNotUnderstood)
			}
		default:
			return errNotUnderstood
		}
	}
	if im.schedule() == nil {
		im.note("a period of %d days cannot be said here; it becomes a week", im.periods.days)
		im.periods.days = week
	}
	return nil
}

// Periods that we have words for; the platform's longest stands for a month.
const (
	week  = 7
	month = 30
)

// schedule is the period of the inventory message in our words, nil where they lack.
func (im *importer) schedule() *callhome.Periodic {
	switch im.periods.days {
	case 1:
		return &callhome.Periodic{Daily: &callhome.Daily{At: im.periods.at}}
	case week:
		return &callhome.Periodic{Weekly: &callhome.Weekly{At: im.periods.at}}
	case month:
		return &callhome.Periodic{Monthly: &callhome.Monthly{At: im.periods.at}}
	}
	return nil
}

// finishNXOS gives every subscription of a profile its level, and the inventory message its schedule.
func (im *importer) finishNXOS(d *draft) {
	for i := range d.Subscribe {
		if d.level != nil {
			d.Subscribe[i].Severity = d.level
		}
	}
	if im.periods.off {
		return
	}
	has := func(groups ...callhome.AlertGroup) int {
		return slices.IndexFunc(d.Subscribe, func(s callhome.Subscription) bool { return slices.Contains(groups, s.Group) })
	}
	if i := has(callhome.GroupInventory); i >= 0 {
		d.Subscribe[i].Periodic = im.schedule()
	} else if has(callhome.GroupAll, callhome.GroupCiscoTAC) >= 0 {
		d.Subscribe = append(d.Subscribe, callhome.Subscription{Group: callhome.GroupInventory, Severity: d.level, Periodic: im.schedule()})
	}
}
