package casework

import (
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // rotas and windows name zones; a small machine may have no zone files
)

// Rota says who is on call. Of its layers the last that has somebody at a moment counts, so that a layer for nights or
// holidays stands below the common one; an override (see [Override]) goes before all layers.
type Rota struct {
	Name   string  `yaml:"name" json:"name"`
	Zone   string  `yaml:"zone,omitempty" json:"zone,omitempty"` // IANA name, such as Europe/Lisbon; empty: UTC
	Layers []Layer `yaml:"layers" json:"layers"`
}

// Layer hands over from one member to the next, day by day or week by week, always at the same time of the wall clock:
// a day of changing clocks has a turn of 23 or 25 hours.
type Layer struct {
	Name     string   `yaml:"name,omitempty" json:"name,omitempty"`
	Members  []string `yaml:"members" json:"members"`                       // names of people, in their order
	Every    string   `yaml:"every,omitempty" json:"every,omitempty"`       // day or week; empty: week
	Start    string   `yaml:"start" json:"start"`                           // first day of the first member, YYYY-MM-DD; its weekday is that of weekly hand-over
	Handover string   `yaml:"handover,omitempty" json:"handover,omitempty"` // HH:MM; empty: 09:00
	Days     []string `yaml:"days,omitempty" json:"days,omitempty"`         // weekdays on which the layer counts, mon … sun; empty: all
	From     string   `yaml:"from,omitempty" json:"from,omitempty"`         // HH:MM between which the layer counts; past midnight if To is not later
	To       string   `yaml:"to,omitempty" json:"to,omitempty"`
}

// Override puts one person on call for a while, instead of whoever has the turn.
type Override struct {
	ID     int64     `json:"id"`
	Rota   string    `json:"rota"`
	Person string    `json:"person"`
	From   time.Time `json:"from"`
	Until  time.Time `json:"until"` // exclusive
	By     string    `json:"by,omitempty"`
}

const (
	everyDay        = "day"
	everyWeek       = "week"
	defaultHandover = "09:00"
	dayForm         = "2006-01-02"
)

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// OnCall is the person who has the turn at t, or "" when no layer has anybody. Of several overrides the one given last
// counts.
func (r *Rota) OnCall(t time.Time, overrides []Override) string {
	var best *Override
	for i := range overrides {
		o := &overrides[i]
		if o.Rota == r.Name && !t.Before(o.From) && t.Before(o.Until) && (best == nil || o.ID > best.ID) {
			best = o
		}
	}
	if best != nil {
		return best.Person
	}
	zone, err := time.LoadLocation(r.Zone)
	if err != nil {
		zone = time.UTC // Validate refuses it
	}
	for i := len(r.Layers) - 1; i >= 0; i-- {
		if name := r.Layers[i].onCall(t.In(zone)); name != "" {
			return name
		}
	}
	return ""
}

// onCall is the layer's member at t, which is in the rota's zone.
func (l *Layer) onCall(t time.Time) string {
	start, err := time.Parse(dayForm, l.Start)
	if err != nil || len(l.Members) == 0 || !l.counts(t) {
		return ""
	}
	hour, minute := clockOr(l.Handover, defaultHandover)
	day := civilDay(t)
	if t.Before(wall(t.Year(), t.Month(), t.Day(), hour, minute, t.Location())) {
		day--
	}
	turn := day - civilDay(start)
	if turn < 0 {
		return "" // the layer has not begun
	}
	if l.Every != everyDay {
		turn /= 7
	}
	return l.Members[turn%len(l.Members)]
}

// counts reports whether the layer is in force at t by its days and hours. Hours that go past midnight belong to the
// day on which they begin.
func (l *Layer) counts(t time.Time) bool {
	day := t
	if l.From != "" || l.To != "" {
		fh, fm := clockOr(l.From, "00:00")
		th, tm := clockOr(l.To, "00:00")
		now, from, to := t.Hour()*60+t.Minute(), fh*60+fm, th*60+tm
		switch {
		case from < to:
			if now < from || now >= to {
				return false
			}
		case now >= from:
		case now < to:
			day = t.AddDate(0, 0, -1)
		default:
			return false
		}
	}
	return len(l.Days) == 0 || slices.ContainsFunc(l.Days, func(d string) bool { return strings.EqualFold(d, weekdays[day.Weekday()]) })
}

// civilDay numbers the days of the calendar, whatever the length of each in hours.
func civilDay(t time.Time) int {
	return int(time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// wall is a time of the wall clock. One that the clock skips is the moment of the skip; of one that comes twice it is
// the first.
func wall(y int, m time.Month, d, hour, minute int, zone *time.Location) time.Time {
	t := time.Date(y, m, d, hour, minute, 0, 0, zone)
	if t.Hour() != hour || t.Minute() != minute { // skipped
		from, to := t.ZoneBounds()
		for _, at := range []time.Time{from, to} { // whichever side time.Date chose
			if gap := at.Sub(t); !at.IsZero() && gap > -3*time.Hour && gap < 3*time.Hour {
				return at
			}
		}
		return t
	}
	if from, _ := t.ZoneBounds(); !from.IsZero() {
		_, before := from.Add(-time.Second).Zone()
		_, after := from.Zone()
		if early := t.Add(time.Duration(after-before) * time.Second); after < before && early.Before(from) {
			return early // the same reading of the clock, before it was set back
		}
	}
	return t
}

// parseClock reads HH:MM.
func parseClock(s string) (hour, minute int, ok bool) {
	t, err := time.Parse("15:04", s)
	if err != nil {
		return 0, 0, false
	}
	return t.Hour(), t.Minute(), true
}

func clockOr(s, otherwise string) (hour, minute int) {
	if s == "" {
		s = otherwise
	}
	hour, minute, _ = parseClock(s)
	return hour, minute
}

func (r *Rota) check(f *faults, key string, c *Config) {
	checkName(f, key, r.Name, map[string]bool{})
	if find(c.Rotas, func(o *Rota) string { return o.Name }, r.Name) != r {
		f.add("%s.name: %q is there twice", key, r.Name)
	}
	if _, err := time.LoadLocation(r.Zone); err != nil {
		f.add("%s.zone: %q is not a time zone such as Europe/Lisbon", key, r.Zone)
	}
	if len(r.Layers) == 0 {
		f.add("%s.layers: a rota without a layer has nobody on call", key)
	}
	for i := range r.Layers {
		r.Layers[i].check(f, fmt.Sprintf("%s.layers[%d]", key, i), c)
	}
}

func (l *Layer) check(f *faults, key string, c *Config) {
	if len(l.Members) == 0 {
		f.add("%s.members: nobody is named", key)
	}
	c.knowPeople(f, key+".members", l.Members)
	if l.Every != "" && l.Every != everyDay && l.Every != everyWeek {
		f.add("%s.every: %q is not day or week", key, l.Every)
	}
	if _, err := time.Parse(dayForm, l.Start); err != nil {
		f.add("%s.start: %q is not a day such as 2026-03-30", key, l.Start)
	}
	for _, at := range []struct{ key, value string }{{"handover", l.Handover}, {"from", l.From}, {"to", l.To}} {
		if _, _, ok := parseClock(at.value); at.value != "" && !ok {
			f.add("%s.%s: %q is not a time such as 09:00", key, at.key, at.value)
		}
	}
	checkDays(f, key+".days", l.Days)
}

func checkDays(f *faults, key string, days []string) {
	for i, d := range days {
		if !slices.Contains(weekdays, strings.ToLower(d)) {
			f.add("%s[%d]: %q is not one of mon, tue, wed, thu, fri, sat, sun", key, i, d)
		}
	}
}
