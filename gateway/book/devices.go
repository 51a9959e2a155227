package book

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"callhome"
)

// Sighting is one message of a device.
type Sighting struct {
	Key       string // of the device
	Hostname  string
	Serial    string
	Product   string
	Source    string // address it came from
	Transport string
	Type      string // of the message
	Periodic  bool   // such messages come on a schedule, so their rhythm is learnt
	Result    string
	At        time.Time
}

// Result is what became of a device's message later on.
type Result struct {
	Key    string
	Result string
	At     time.Time
}

// Device is a device that was heard.
type Device struct {
	Key       string        `json:"key"`
	Hostname  string        `json:"hostname,omitempty"`
	Serial    string        `json:"serial,omitempty"`
	Product   string        `json:"product,omitempty"`
	Source    string        `json:"source,omitempty"`
	Transport string        `json:"transport,omitempty"`
	FirstSeen time.Time     `json:"first_seen"`
	LastSeen  time.Time     `json:"last_seen"`
	Total     int64         `json:"total"`
	LastType  string        `json:"last_type,omitempty"`
	Result    string        `json:"last_result,omitempty"`
	ResultAt  time.Time     `json:"last_result_at,omitzero"`
	Period    time.Duration `json:"-"` // of its most frequent periodic messages, 0 while not known

	rhythm map[string]rhythm
}

// rhythm is what was learnt of one type of a device's periodic messages.
type rhythm struct {
	Last   int64 `json:"last"`             // seconds since 1970
	Gap    int64 `json:"gap,omitempty"`    // seconds between the last two
	Period int64 `json:"period,omitempty"` // seconds, once two gaps agreed
}

const (
	// minPeriod keeps messages that merely came in a row from being taken for a schedule: hourly is the shortest one.
	minPeriod = 30 * 60
	// maxPeriod is a month and some days.
	maxPeriod = 40 * 24 * 3600
	// agreement is by how much, one part in so many, two gaps may differ: months have 28 to 31 days.
	agreement = 8
	// maxTypes bounds what is learnt of one device.
	maxTypes = 8
)

// sight enters one message.
func (d *Device) sight(s *Sighting) {
	if d.Total == 0 {
		d.FirstSeen = s.At
	}
	d.Total++
	for _, f := range []struct {
		field *string
		word  string
	}{{&d.Hostname, s.Hostname}, {&d.Serial, s.Serial}, {&d.Product, s.Product}, {&d.Source, s.Source}, {&d.Transport, s.Transport}} {
		if f.word != "" { // short messages do not say everything again
			*f.field = f.word
		}
	}
	d.LastType, d.Result, d.ResultAt = s.Type, s.Result, s.At
	if s.At.After(d.LastSeen) {
		d.LastSeen = s.At
	}
	if s.Periodic {
		d.learn(s.Type, s.At.Unix())
	}
}

// learn takes a periodic message in. Two gaps that agree make a period; one that does not agree any more unmakes it, for
// then the schedule was changed or never was one.
func (d *Device) learn(kind string, at int64) {
	r, known := d.rhythm[kind]
	if !known && len(d.rhythm) >= maxTypes {
		return
	}
	gap := at - r.Last
	switch {
	case !known:
	case gap < minPeriod:
		return // the same occasion: a reboot, a card put in, a test
	case gap <= maxPeriod && agree(gap, r.Gap):
		r.Period = max(gap, r.Gap)
		r.Gap = gap
	default:
		r.Gap, r.Period = gap, 0
	}
	r.Last = at
	d.rhythm[kind] = r
	d.Period = 0
	for _, r := range d.rhythm {
		if p := time.Duration(r.Period) * time.Second; p > 0 && (d.Period == 0 || p < d.Period) {
			d.Period = p
		}
	}
}

func agree(a, b int64) bool {
	diff := max(a-b, b-a)
	return a > 0 && b > 0 && diff <= max(a, b)/agreement
}

// MissedPeriods is how many known periods must pass without a message before a device counts as silent.
const MissedPeriods = 2

// DueAt is when the device counts as silent if nothing comes: after two missed known periods, or else after the given
// time.
func (d *Device) DueAt(otherwise time.Duration) time.Time {
	due := d.LastSeen.Add(otherwise)
	if d.Period > 0 {
		if byPeriod := d.LastSeen.Add(MissedPeriods * d.Period); byPeriod.Before(due) {
			return byPeriod
		}
	}
	return due
}

type scanner interface{ Scan(dest ...any) error }

func scanDevice(row scanner, key string) (*Device, error) {
	d := &Device{Key: key}
	var first, last, resultAt, period int64
	var rhythms string
	if err := row.Scan(&d.Hostname, &d.Serial, &d.Product, &d.Source, &d.Transport, &first, &last, &d.Total, &d.LastType, &d.Result, &resultAt, &rhythms, &period); err != nil {
		return nil, err
	}
	d.FirstSeen, d.LastSeen, d.ResultAt, d.Period = fromMicros(first), fromMicros(last), fromMicros(resultAt), time.Duration(period)*time.Second
	d.rhythm = map[string]rhythm{}
	return d, json.Unmarshal([]byte(rhythms), &d.rhythm)
}

// keyed scans a row whose first column is the key.
type keyed struct {
	rows *sql.Rows
	key  string
}

// Scan reads the key and then the rest.
func (k *keyed) Scan(dest ...any) error { return k.rows.Scan(append([]any{&k.key}, dest...)...) }

func (b *Book) deviceRows(ctx context.Context, query string, args ...any) ([]Device, error) {
	rows, err := b.db.Read.QueryContext(ctx, b.queries[query], args...)
	if err != nil {
		return nil, b.fault(err)
	}
	defer rows.Close()
	var out []Device
	for rows.Next() {
		k := &keyed{rows: rows}
		d, err := scanDevice(k, "")
		if err != nil {
			return nil, b.fault(err)
		}
		d.Key = k.key
		out = append(out, *d)
	}
	return out, b.fault(rows.Err())
}

// Devices lists devices by key; after is exclusive, "" starts at the beginning.
func (b *Book) Devices(ctx context.Context, after string, limit int) ([]Device, error) {
	return b.deviceRows(ctx, "list_devices", after, limit)
}

// Silent lists devices that were due before now: two known periods, or otherwise the given time, without a message.
func (b *Book) Silent(ctx context.Context, after string, limit int, otherwise time.Duration, now time.Time) ([]Device, error) {
	return b.deviceRows(ctx, "list_silent", after, micros(now.Add(-otherwise)), MissedPeriods*int64(time.Second/time.Microsecond), micros(now), limit)
}

// CountDevices is how many devices are known.
func (b *Book) CountDevices(ctx context.Context) (n int64, err error) {
	err = b.db.Read.QueryRowContext(ctx, b.queries["count_devices"]).Scan(&n)
	return n, b.fault(err)
}

// ForgetDevice takes a device off the list; its next message enters it anew.
func (b *Book) ForgetDevice(ctx context.Context, key string) error {
	res, err := b.db.Write.ExecContext(ctx, b.queries["forget_device"], key)
	if err != nil {
		return b.fault(err)
	}
	if n, _ := res.RowsAffected(); n == 0 {
		return callhome.Errorf(callhome.KindNotFound, "there is no device %q; see `callhome gateway devices`", key)
	}
	return nil
}
