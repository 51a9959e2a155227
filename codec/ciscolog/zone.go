package ciscolog

import "time"

// zoneNames are names of zones that mean one offset everywhere, in seconds east of UTC. IST, CST, BST, EST and their
// like mean several and are left to Options.Zones.
var zoneNames = map[string]int{
	"UTC": 0, "GMT": 0, "UT": 0, "Z": 0, "WET": 0,
	"WEST": 3600, "CET": 3600, "CEST": 7200, "EET": 7200, "EEST": 10800,
	"JST": 32400, "KST": 32400, "NZST": 43200, "NZDT": 46800,
}

// zoneOffset gives the offset of a zone by its text, and what there is to remark.
func zoneOffset(zone []byte, o *Options) (seconds int, known bool, flags Flags) {
	if len(zone) == 0 {
		return 0, false, FlagTZMissing
	}
	if seconds, ok := strictOffset(zone); ok {
		return seconds, true, 0
	}
	if seconds, ok := o.Zones[string(zone)]; ok {
		return seconds, true, 0
	}
	if seconds, ok := zoneNames[string(zone)]; ok {
		return seconds, true, 0
	}
	if seconds, ok := looseOffset(zone); ok {
		return seconds, true, FlagTZForm
	}
	if len(zone) > MaxZone || zone[0] == '+' || zone[0] == '-' {
		return 0, false, FlagTZForm
	}
	if seconds, ok := upperZone(zone); ok {
		return seconds, true, 0
	}
	return 0, false, FlagTZUnknown
}

// upperZone looks a short name up in upper case.
func upperZone(zone []byte) (int, bool) {
	var name [MaxZone]byte
	for i, c := range zone {
		if c-'a' < 26 {
			c -= 'a' - 'A'
		}
		name[i] = c
	}
	seconds, ok := zoneNames[string(name[:len(zone)])]
	return seconds, ok
}

// looseOffset reads the other usual forms of an offset: +hh:mm and +hh.
func looseOffset(b []byte) (int, bool) {
	var strict [5]byte
	switch {
	case len(b) == 6 && b[3] == ':':
		strict = [5]byte{b[0], b[1], b[2], b[4], b[5]}
	case len(b) == 3:
		strict = [5]byte{b[0], b[1], b[2], '0', '0'}
	default:
		return 0, false
	}
	return strictOffset(strict[:])
}

// place sets Time from date and clock as read, which are given as if they were UTC, and the text of the zone.
func (r *Record) place(civil time.Time, zone []byte, o *Options) Flags {
	offset, known, flags := zoneOffset(zone, o)
	r.Zone, r.Offset, r.OffsetKnown = zone, offset, known
	if !known && o.DefaultZone != nil {
		r.Offset = offsetAt(civil, o.DefaultZone)
	}
	r.Time = civil
	if r.Offset != 0 {
		r.Time = civil.Add(-time.Duration(r.Offset) * time.Second)
	}
	return flags
}

// offsetAt is the offset of a zone, in seconds, when its clocks show the date and time that civil has in UTC.
func offsetAt(civil time.Time, zone *time.Location) int {
	y, mo, d := civil.Date()
	h, mi, s := civil.Clock()
	_, offset := time.Date(y, mo, d, h, mi, s, 0, zone).Zone()
	return offset
}
