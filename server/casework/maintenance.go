package casework

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"callhome"
	"callhome/server/account"
)

// Scope says what a maintenance window covers.
type Scope string

// The scopes.
const (
	ScopeDevice  Scope = "device" // by device ID
	ScopeSite    Scope = "site"
	ScopeGroup   Scope = "group"   // device group
	ScopeCompany Scope = "company" // all its devices; the target is empty
)

// Window is a time in which a company's devices are worked on: nothing is opened and nobody called.
type Window struct {
	ID      int64             `json:"id"`
	Company account.CompanyID `json:"company_id"`
	Scope   Scope             `json:"scope"`
	Target  string            `json:"target,omitempty"`
	From    time.Time         `json:"from"`
	Until   time.Time         `json:"until"` // exclusive
	Reason  string            `json:"reason,omitempty"`
	By      string            `json:"by,omitempty"`
}

// maxWindow bounds one window: what is away for longer should be suspended, not maintained.
const maxWindow = 90 * 24 * time.Hour

// Validate says what is wrong with a window.
func (w *Window) Validate() error {
	switch {
	case !slices.Contains([]Scope{ScopeDevice, ScopeSite, ScopeGroup, ScopeCompany}, w.Scope):
		return callhome.Errorf(callhome.KindInvalid, "maintenance scope %q is not device, site, group or company", w.Scope)
	case (w.Target == "") != (w.Scope == ScopeCompany):
		return callhome.Errorf(callhome.KindInvalid, "maintenance of a %s needs a target, and of a company none", w.Scope)
	case !w.From.Before(w.Until) || w.Until.Sub(w.From) > maxWindow:
		return callhome.Errorf(callhome.KindInvalid, "maintenance from %v until %v is not between nothing and %v", w.From, w.Until, maxWindow)
	}
	return nil
}

// covers reports whether the window is for the device, at whatever time.
func (w *Window) covers(sub *Subject) bool {
	if w.Company != sub.Company {
		return false
	}
	switch w.Scope {
	case ScopeDevice:
		return w.Target == string(sub.DeviceID)
	case ScopeSite:
		return strings.EqualFold(w.Target, sub.Site)
	case ScopeGroup:
		return slices.ContainsFunc(sub.Groups, func(g string) bool { return strings.EqualFold(g, w.Target) })
	}
	return w.Scope == ScopeCompany
}

// Recurring is a window of the configuration that comes back each week: At on each of Days, for For. Its conditions
// are patterns as those of routes; at least one is needed.
type Recurring struct {
	Name    string        `yaml:"name,omitempty" json:"name,omitempty"`
	Company []string      `yaml:"company,omitempty" json:"company,omitempty"`
	Site    []string      `yaml:"site,omitempty" json:"site,omitempty"`
	Group   []string      `yaml:"device_group,omitempty" json:"device_group,omitempty"`
	Host    []string      `yaml:"host,omitempty" json:"host,omitempty"`
	Days    []string      `yaml:"days" json:"days"` // mon … sun
	At      string        `yaml:"at" json:"at"`     // HH:MM
	For     time.Duration `yaml:"for" json:"for"`
	Zone    string        `yaml:"zone,omitempty" json:"zone,omitempty"` // empty: UTC
}

// maxRecurring: a window longer than this would meet the next week's.
const maxRecurring = 6 * 24 * time.Hour

func (r *Recurring) check(f *faults, key string) {
	if len(r.Company)+len(r.Site)+len(r.Group)+len(r.Host) == 0 {
		f.add("%s: needs company, site, device_group or host; a window over everything would hide everything", key)
	}
	if len(r.Days) == 0 {
		f.add("%s.days: no day is named", key)
	}
	checkDays(f, key+".days", r.Days)
	if _, _, ok := parseClock(r.At); !ok {
		f.add("%s.at: %q is not a time such as 02:00", key, r.At)
	}
	if r.For <= 0 || r.For > maxRecurring {
		f.add("%s.for: %v is not between nothing and %v", key, r.For, maxRecurring)
	}
	if _, err := time.LoadLocation(r.Zone); err != nil {
		f.add("%s.zone: %q is not a time zone such as Europe/Lisbon", key, r.Zone)
	}
}

// until is the end of the window that holds at t for the device; zero when none does.
func (r *Recurring) until(sub *Subject, t time.Time) time.Time {
	if !anyFits(r.Company, sub.CompanyName, fmt.Sprint(int64(sub.Company))) || !anyFits(r.Site, sub.Site) ||
		!anyFits(r.Group, sub.Groups...) || !anyFits(r.Host, sub.Host) {
		return time.Time{}
	}
	zone, err := time.LoadLocation(r.Zone)
	hour, minute, ok := parseClock(r.At)
	if err != nil || !ok {
		return time.Time{} // Validate refuses it
	}
	local := t.In(zone)
	for back := range int(maxRecurring/(24*time.Hour)) + 1 {
		day := local.AddDate(0, 0, -back)
		begin := wall(day.Year(), day.Month(), day.Day(), hour, minute, zone)
		if end := begin.Add(r.For); !t.Before(begin) && t.Before(end) &&
			slices.ContainsFunc(r.Days, func(d string) bool { return strings.EqualFold(d, weekdays[day.Weekday()]) }) {
			return end
		}
	}
	return time.Time{}
}

// maintenance is the end of the maintenance that holds for the device now; zero when none does.
func (d *Desk) maintenance(ctx context.Context, s Store, sub *Subject, now time.Time) (time.Time, error) {
	var until time.Time
	for i := range d.cfg.Maintenance {
		if u := d.cfg.Maintenance[i].until(sub, now); u.After(until) {
			until = u
		}
	}
	windows, err := s.WindowsAt(ctx, sub.Company, now)
	if err != nil {
		return until, err
	}
	for i := range windows {
		if w := &windows[i]; w.covers(sub) && w.Until.After(until) {
			until = w.Until
		}
	}
	return until, nil
}

// OpenWindow stores a maintenance window. Cases that are open stay open; nobody is called about them meanwhile.
func (d *Desk) OpenWindow(ctx context.Context, s Store, w *Window) error {
	if err := w.Validate(); err != nil {
		return err
	}
	return s.AddWindow(ctx, w)
}

// EndWindow ends a window now, or deletes one that has not begun; what was held back is looked at again at once.
func (d *Desk) EndWindow(ctx context.Context, s Store, reach account.Reach, id int64) error {
	now := d.Now()
	if err := s.EndWindow(ctx, reach, id, now); err != nil {
		return err
	}
	return s.RouseHeld(ctx, now)
}
