package load

import (
	"bytes"
	"regexp"
	"testing"
	"time"

	"callhome/codec/syslog"
)

func TestLinesAreWhatTheySay(t *testing.T) {
	at := time.Date(2026, 6, 13, 21, 7, 15, 0, time.UTC)
	lines := Lines(Options{Layouts: Layouts(), Percent: 1, Count: 1000, Devices: 64, At: at})
	wish := regexp.MustCompile(Subscriptions(1000)[8])
	wanted := 0
	var p syslog.Parser
	for i := range lines {
		l := &lines[i]
		var got syslog.Line
		p.Parse([]byte(l.Text), at, &got)
		if string(got.Dialect) != string(l.Layout) || string(got.Host) != l.Host || int(got.Severity) != l.Severity {
			t.Errorf("%q: got %s %s %d, want %s %s %d", l.Text, got.Dialect, got.Host, got.Severity, l.Layout, l.Host, l.Severity)
		}
		if wish.MatchString(l.Text) != l.Wanted {
			t.Errorf("%q: wanted is %v, but the subscription says otherwise", l.Text, l.Wanted)
		}
		if l.Wanted {
			wanted++
		}
	}
	if wanted != 10 {
		t.Errorf("got %d wanted lines of 1,000, want 10", wanted)
	}
}

func TestLinesArePadded(t *testing.T) {
	for _, l := range Lines(Options{Layouts: []Layout{IOS}, Percent: 100, Count: 10, Size: 5000, At: time.Unix(0, 0)}) {
		if len(l.Text) != 5000 {
			t.Errorf("got %d bytes, want 5000", len(l.Text))
		}
	}
}

func TestFirstLines(t *testing.T) {
	if got := firstLines([]byte("a\nbb\nccc\n"), 2); !bytes.Equal(got, []byte("a\nbb\n")) {
		t.Errorf("got %q", got)
	}
}
