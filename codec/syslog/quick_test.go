package syslog

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// FuzzQuick wants of every line that the short way takes what the general way reads in it.
func FuzzQuick(f *testing.F) {
	for _, s := range []string{
		`29: *Mar  1 00:02:11.411: %SYS-5-CONFIG_I: by vty0`, `30: sw9: 000031: .Jun 12 21:07:15.454 CEST: %LINK-5-X: Gi0/1 down`,
		`Jun 12 2026 21:07:15: %ASA-4-106023: Deny`, `Jun 12 2026 21:07:15 fw-a : %ASA-session-4-106023: Deny`,
		`33: sw2: Jun 12 21:07:15: %IOSXE-3-PLATFORM: error (sw2-1)`, `31: 6509: Jun 12 21:07:15: %SYS-5-RELOAD: now`,
		`Jun 12 2026 21:07:15 CORE : %ASA-4-106023: Deny`, `Jun 12 2026 21:07:15 CORE: %FTD-4-106023: Deny`,
		`Jun 12 21:07:15 EST: %SYS-5-RELOAD: now`, `sw9: 30: Jun 12 21:07:15: %SYS-5-RELOAD: now`,
		`1: h: Jun 12 2026 21:07:15.454 UTC: %TOOL-5-RELOAD: now`, `1: *Mar  1 1993 00:00:15: %SYS-5-RELOAD: x`,
	} {
		f.Add([]byte(s))
	}
	received := time.Date(2026, 6, 13, 21, 7, 20, 0, time.UTC)
	f.Fuzz(func(t *testing.T, b []byte) {
		var p Parser
		var short, long Line
		short.clear(b)
		if !p.quick(b, received, &short) {
			before := new(Line)
			before.clear(b)
			if d := cmp.Diff(before, &short, cmpopts.EquateEmpty(), cmp.AllowUnexported(Segment{})); d != "" {
				t.Fatalf("%q was refused, but: %s", b, d)
			}
			return
		}
		long.clear(b)
		p.general(b, received, &long)
		if d := cmp.Diff(&long, &short, cmpopts.EquateEmpty(), cmp.AllowUnexported(Segment{})); d != "" {
			t.Fatalf("%q: %s", b, d)
		}
	})
}

// FuzzQuickISO wants of the short way through a stamp what the general one reads.
func FuzzQuickISO(f *testing.F) {
	for _, s := range []string{"2026-06-13T21:07:15.454321Z", "2026-06-13T21:07:15+02:00 h", "0099-06-13T21:07:15.1", "2026-02-31T99:07:15,5Z"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var short, long reading
		n := quickISO(b, &short)
		if n == 0 {
			return
		}
		if m := scanStamp(b, &long); m != n {
			t.Fatalf("%q: %d octets, want %d", b, n, m)
		}
		if d := cmp.Diff(long, short, cmp.AllowUnexported(reading{}), cmpopts.EquateEmpty()); d != "" {
			t.Fatalf("%q: %s", b, d)
		}
	})
}

func TestYearOf(t *testing.T) {
	for day := time.Date(1600, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() < 2500; day = day.Add(17 * time.Hour) {
		if got := yearOf(day.Unix()); got != day.Year() {
			t.Fatalf("%v: got %d", day, got)
		}
	}
}

func TestTableDays(t *testing.T) {
	for day := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() < 2100; day = day.AddDate(0, 0, 1) {
		y, m, d := day.Date()
		n, ok := tableDays(y, int(m), d)
		if want := day.Unix() / 86400; !ok || n != want || daysFromCivil(y, int(m), d) != want {
			t.Fatalf("%v: got %d, %v and %d, want %d", day, n, ok, daysFromCivil(y, int(m), d), want)
		}
	}
	for _, d := range [][3]int{{2026, 2, 29}, {2026, 4, 31}, {1969, 12, 31}, {2100, 1, 1}, {2026, 13, 1}, {2026, 0, 1}, {2026, 1, 0}} {
		if _, ok := tableDays(d[0], d[1], d[2]); ok {
			t.Errorf("%v is taken for a date of the table", d)
		}
	}
}
