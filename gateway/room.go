package gateway

import (
	"fmt"
	"time"

	"callhome"
)

// Class is how important it is to take a message when room gets short.
type Class string

// The classes. What is stored is never dropped to make room: the lower classes are refused earlier instead, so that room
// is left for the higher ones.
const (
	ClassAlerts  Class = "alerts"  // crash, environment, diagnostic, syslog, threat and all other groups: as long as there is room at all
	ClassRecords Class = "records" // configuration, inventory: above records_percent, or while the oldest message waits too long, refused
	ClassBulk    Class = "bulk"    // telemetry, snapshot: likewise with bulk_percent
)

// ClassOf is a group's class.
func ClassOf(g callhome.AlertGroup) Class {
	switch g {
	case callhome.GroupConfiguration, callhome.GroupInventory:
		return ClassRecords
	case callhome.GroupTelemetry, callhome.GroupSnapshot:
		return ClassBulk
	}
	return ClassAlerts
}

// Room is how much of it there is.
type Room struct {
	Used     int64     `json:"used"` // bytes of the queue
	Limit    int64     `json:"limit"`
	OldestAt time.Time `json:"oldest_at,omitzero"` // of the oldest message that waits; zero: none does
	Free     int64     `json:"free_disk"`          // bytes left on the file system; -1: not known
}

// refuses says why a class is refused in a room, "" when it is taken.
func (l *Limits) refuses(c Class, r Room, now time.Time) string {
	if r.Free >= 0 && r.Free < l.MinFreeDisk {
		return fmt.Sprintf("only %d bytes are left on the disk, fewer than limits.min_free_disk", r.Free)
	}
	percent, wait := 100, time.Duration(0)
	switch c {
	case ClassRecords:
		percent, wait = l.RecordsPercent, l.RecordsMaxWait
	case ClassBulk:
		percent, wait = l.BulkPercent, l.BulkMaxWait
	}
	if r.Used >= r.Limit/100*int64(percent) {
		return fmt.Sprintf("the queue holds %d of %d bytes: messages of class %s are taken below %d %%", r.Used, r.Limit, c, percent)
	}
	if wait > 0 && !r.OldestAt.IsZero() && now.Sub(r.OldestAt) > wait {
		return fmt.Sprintf("the oldest message waits since %s: messages of class %s are taken while it waits less than %v", r.OldestAt.Format(time.RFC3339), c, wait)
	}
	return ""
}
