package config

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode"

	"callhome/agent"
)

// validateDevices finds names and addresses that could never be those of a device.
func (c *Agent) validateDevices() error {
	var errs []error
	hostname := func(path, name string) {
		if strings.ContainsFunc(name, unfitForName) {
			errs = append(errs, fault(path, "%q has a blank or a control character; a host name has none", name))
		}
	}
	hostname("device.hostname", c.Device.Hostname)
	for i := range c.Devices {
		d, path := &c.Devices[i], fmt.Sprintf("devices[%d]", i)
		hostname(path+".hostname", d.Hostname)
		errs = append(errs, address(path+".address", d.Address))
		for j, a := range d.Addresses {
			errs = append(errs, address(fmt.Sprintf("%s.addresses[%d]", path, j), a))
		}
	}
	return errors.Join(errs...)
}

func unfitForName(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

// address refuses what is neither an IP address nor a name: digits and dots alone are meant as the former.
func address(path, a string) error {
	switch _, err := netip.ParseAddr(a); {
	case a == "" || err == nil:
		return nil
	case strings.ContainsFunc(a, unfitForName):
		return fault(path, "%q has a blank or a control character; give an IP address or a host name", a)
	case strings.Trim(a, "0123456789.") == "":
		return fault(path, "%q is no IP address; an IPv4 address has four numbers from 0 to 255", a)
	}
	return nil
}

// validateMaintenance finds maintenance without a beginning or an end. The rest is returned for others to judge: what is
// missing is filled in, so that nobody complains of it twice.
func (c *Agent) validateMaintenance() ([]agent.Maintenance, error) {
	var errs []error
	out := slices.Clone(c.Maintenance)
	for i := range out {
		m, path := &out[i], fmt.Sprintf("maintenance[%d]", i)
		if m.From.IsZero() {
			errs = append(errs, fault(path+".from", "is missing; give the time it begins, such as 2026-12-01T22:00:00Z"))
		}
		if m.To.IsZero() {
			errs = append(errs, fault(path+".to", "is missing; give the time it ends, such as 2026-12-02T02:00:00Z"))
		}
		if m.From.IsZero() || m.To.IsZero() {
			m.From, m.To = time.Unix(0, 0), time.Unix(1, 0)
		}
	}
	return out, errors.Join(errs...)
}
