package ciscolog

import (
	"testing"
	"time"
)

func numbered(seq uint64, at time.Time, process string) *Record {
	r := &Record{Seq: seq, HasSeq: true, Host: []byte("GW1."), App: []byte("TOLL"), Time: at, TimeSource: TimeFromHeader}
	if process != "" {
		r.TagRegion = []byte("[pname.orig=" + process + "]")
	}
	return r
}

func TestTracker(t *testing.T) {
	type step struct {
		seq     uint64
		after   time.Duration // stamp, after that of the first step
		order   Order
		missing uint64
	}
	for name, steps := range map[string][]step{
		"in order":             {{0, 0, OrderFirst, 0}, {1, 0, OrderNext, 0}, {2, 0, OrderNext, 0}},
		"gap":                  {{7, 0, OrderFirst, 0}, {11, 0, OrderGap, 3}, {12, 0, OrderNext, 0}},
		"repeat":               {{7, 0, OrderFirst, 0}, {7, 0, OrderRepeat, 0}, {8, 0, OrderNext, 0}},
		"overtaken":            {{7, 0, OrderFirst, 0}, {9, 0, OrderGap, 1}, {8, 0, OrderLate, 0}, {10, 0, OrderNext, 0}},
		"overtaken, small":     {{4, 0, OrderFirst, 0}, {6, 0, OrderGap, 1}, {5, 0, OrderLate, 0}},
		"overtaken by far":     {{70000, 0, OrderFirst, 0}, {69000, -time.Hour, OrderLate, 0}, {70001, 0, OrderNext, 0}},
		"restart":              {{500, 0, OrderFirst, 0}, {0, 0, OrderRestart, 0}, {1, 0, OrderNext, 0}},
		"restart, 0 lost":      {{500, 0, OrderFirst, 0}, {2, 0, OrderRestart, 2}, {3, 0, OrderNext, 0}},
		"restart after little": {{5, 0, OrderFirst, 0}, {1, time.Second, OrderRestart, 1}},
		"restart, much lost":   {{500, 0, OrderFirst, 0}, {40, time.Minute, OrderRestart, 0}, {41, time.Minute, OrderNext, 0}},
		"wrap":                 {{MaxSeq - 1, 0, OrderFirst, 0}, {MaxSeq, 0, OrderNext, 0}, {0, 0, OrderWrap, 0}, {1, 0, OrderNext, 0}},
		"wrap with a gap":      {{MaxSeq - 1, 0, OrderFirst, 0}, {3, 0, OrderWrap, 4}},
		"late across the wrap": {{MaxSeq - 1, 0, OrderFirst, 0}, {0, 0, OrderWrap, 1}, {MaxSeq, 0, OrderLate, 0}, {1, 0, OrderNext, 0}},
		"over 32 bits":         {{MaxSeq + 1, 0, OrderNone, 0}},
	} {
		var tr Tracker
		for i, s := range steps {
			got := tr.Observe("peer", numbered(s.seq, receivedOwn.Add(s.after), "tolld"))
			if want := (Observation{Order: s.order, Missing: s.missing}); got != want {
				t.Errorf("%s, step %d: got %+v, want %+v", name, i, got, want)
			}
		}
	}
}

func TestTrackerStreams(t *testing.T) {
	tr := Tracker{Max: 3}
	tr.Observe("p", numbered(10, receivedOwn, "a"))
	tr.Observe("p", numbered(90, receivedOwn, "b"))
	if o := tr.Observe("p", numbered(11, receivedOwn, "a")); o.Order != OrderNext || o.Advisory {
		t.Errorf("processes are mixed up: %+v", o)
	}
	lower := numbered(12, receivedOwn, "a")
	lower.Host = []byte("gw1")
	if o := tr.Observe("p", lower); o.Order != OrderNext {
		t.Errorf("spellings of one host are told apart: %+v", o)
	}
	if o := tr.Observe("p", numbered(1, receivedOwn, "")); o.Order != OrderFirst || !o.Advisory {
		t.Errorf("without a process: %+v", o)
	}
	nameless := numbered(1, receivedOwn, "c")
	nameless.Host = nil
	tr.Observe("p", nameless) // the fourth stream: b goes
	if o := tr.Observe("q", nameless); o.Order != OrderFirst {
		t.Errorf("peers are mixed up: %+v", o)
	}
	if len(tr.streams) != 3 || tr.recent.Len() != 3 {
		t.Errorf("%d streams are remembered", len(tr.streams))
	}
	express := numbered(1, receivedOwn, "")
	express.App = []byte("MIVR-SS_TEL")
	if o := tr.Observe("p", express); o.Order != OrderNone {
		t.Errorf("a number without a meaning was taken: %+v", o)
	}
}
