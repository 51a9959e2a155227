package syslog

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
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
		`1: h: Jun 12 2026 21:07:15.454 UTC: %TOOL-5-RELOAD: now`,
		`: 2026 Jun 12 21:07:15 UTC: %SYS-5-RELOAD: now`, `n1: 2026 Jun  2 21:07:15.1: %SYS-5-RELOAD: now - x[1]`,
		`Jun 13 21:07:15 h1.example.net su[211]: failure`, `Jun  3 21:07:15 mx1 rpd[1]: RPD_X_Y: a`, `Jun 13 21:07:15 h a: b`,
		`1: 1d02h: Jun 12 21:07:15: %SYS-5-RELOAD: now`, `Jun 12 2026 21:07:15 192.0.2.1 : %ASA-4-106023: Deny`,
		`Jun 12 21:07:15 192.0.2.1 a[1]: b`,
		`94: gw1 LC/0/2/CPU0:Jun 12 20:16:14.834 : ifmgr[214]: %PKT-LINK-3-UPDOWN : Te0/2`,
		`0/RP0/ADMIN0:*Jun 12 2026 20:16:14 CEST: envmon[214]: %PKT-FM-3-FAULT_X: A :CLEAR`,
		`1 2026-06-13T21:07:15.45Z h - app id [x@1 a="b\"]"][meta sequenceId="4"] t`, `1 2026-06-13T21:07:15+02:00 - - - - - %SYS-5-X: t`, `1: *Mar  1 1993 00:00:15: %SYS-5-RELOAD: x`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, d := range pins {
			sameWay(t, &Parser{Pinned: d}, b)
			sameWay(t, &Parser{Pinned: d, Zone: east}, b)
		}
	})
}

// received is the time of receipt of every line here.
var received = time.Date(2026, 6, 13, 21, 7, 20, 0, time.UTC)

// pins are the dialects that a pinned sender is read differently for, and none.
var pins = []Dialect{"", IOS, NXOS, CiscoLog, UCM, Junos}

// east is where a sender's clock may run.
var east = time.FixedZone("", 2*3600)

// sameWay wants of b, a line without PRI, what the general way reads, or nothing at all, from the short ways.
func sameWay(t *testing.T, p *Parser, b []byte) (short bool) {
	t.Helper()
	var quick, want Line
	quick.clear(b)
	want.clear(b)
	if short = p.quick(b, received, &quick) || p.quickXR(b, received, &quick) || p.quick3164(b, received, &quick); short {
		p.general(b, received, &want)
	} else if short = p.quick5424(b, received, &quick); short && !p.versioned(b, received, &want) {
		t.Fatalf("%q is not versioned", b)
	}
	if reflect.DeepEqual(want, quick) {
		return short
	}
	if d := cmp.Diff(want, quick, cmpopts.EquateEmpty(), cmp.AllowUnexported(Segment{})); d != "" {
		t.Fatalf("%q, short %v: %s", b, short, d)
	}
	return short
}

// TestQuickMutants changes an octet or three of every line in testdata/shapes.txt and holds the short ways against the
// general one.
func TestQuickMutants(t *testing.T) {
	content, err := os.ReadFile("testdata/shapes.txt")
	if err != nil {
		t.Fatal(err)
	}
	const alphabet = "0123456789 .:*%-+[]\"'\\TZtzUCMarJunAPb_/\x00\xc3"
	random := rand.New(rand.NewPCG(1, 2))
	taken := 0
	for line := range bytes.Lines(content) {
		if line[0] == '\t' {
			continue
		}
		_, n, _ := scanPRI(line)
		line = bytes.TrimSuffix(line[n:], []byte("\n"))
		for range 800 {
			b := bytes.Clone(line)
			for range random.IntN(4) {
				at := random.IntN(len(b))
				switch c := alphabet[random.IntN(len(alphabet))]; random.IntN(3) {
				case 0:
					b[at] = c
				case 1:
					b = slices.Insert(b, at, c)
				default:
					b = append(slices.Delete(b, at, at+1), c)
				}
			}
			if sameWay(t, &Parser{Pinned: pins[random.IntN(len(pins))], Zone: []*time.Location{nil, time.UTC, east}[random.IntN(3)]}, b) {
				taken++
			}
		}
	}
	if taken < 10000 {
		t.Errorf("the short ways took only %d lines", taken)
	}
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

// TestPlainPRI wants of the short way through PRI what the general one reads.
func TestPlainPRI(t *testing.T) {
	for _, s := range []string{"<%d>1 x", "<%02d>Jun", "<%03d>%%A", "<%dx>1", "<%d >", "<%d"} {
		for v := range 1200 {
			b := []byte(fmt.Sprintf(s, v))
			got, n := plainPRI(b)
			want, m, flags := scanPRI(b)
			if n > 0 && (got != want || n != m || flags != 0) {
				t.Fatalf("%s: got %d in %d octets, want %d in %d, %v", b, got, n, want, m, flags)
			}
			if n == 0 && m > 3 && want >= 0 && flags == 0 && len(b) > m+1 {
				t.Fatalf("%s: not taken", b)
			}
		}
	}
}

// TestOctets holds what looks at eight octets at a time against loops over single ones.
func TestOctets(t *testing.T) {
	const alphabet = "0019 \"\\:/x\xb0\xff\x80 "
	random := rand.New(rand.NewPCG(3, 4))
	for range 200000 {
		b := make([]byte, random.IntN(40))
		for i := range b {
			b[i] = alphabet[random.IntN(len(alphabet))]
		}
		i := random.IntN(len(b) + 1)
		space := i
		for space < len(b) && b[space] != ' ' {
			space++
		}
		if got := token(b, i); got != space {
			t.Fatalf("%q from %d: a space at %d, want %d", b, i, got, space)
		}
		quote := i
		for ; quote < len(b) && b[quote] != '"'; quote++ {
			if b[quote] == '\\' {
				quote++
			}
		}
		if got := quoteEnd(b, i); got != min(quote, len(b)) {
			t.Fatalf("%q from %d: a quote at %d, want %d", b, i, got, quote)
		}
		if n, few := fewDigits(b, i); few > 0 && (digits(b, i) != i+few || number(b[i:i+few]) != int64(n)) {
			t.Fatalf("%q from %d: %d in %d octets", b, i, n, few)
		}
		var at [4]int
		if fourSpaces(b, i, &at) {
			for from, k := i, 0; k < len(at); k++ {
				if want := token(b, from); at[k] != want {
					t.Fatalf("%q from %d: spaces %v", b, i, at)
				}
				from = at[k] + 1
			}
		}
		if m, ok := clockShape.match(append(b, clockForm...), i); ok != clockLike(append(b, clockForm...)[i:]) || ok && pair(m, 3) > 99 {
			t.Fatalf("%q from %d: %v", b, i, ok)
		}
	}
}

func clockLike(b []byte) bool {
	return two(b, 0) >= 0 && two(b, 3) >= 0 && two(b, 6) >= 0 && b[2] == ':' && b[5] == ':'
}
