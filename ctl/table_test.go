package ctl

import (
	"bufio"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"callhome"
	"callhome/outbox"
)

var (
	longest = strings.Repeat("the receiver has much to say\n\x1b[31m", 12)
	tuesday = time.Date(2027, 1, 9, 4, 5, 6, 0, time.UTC)
	lines   = []outbox.Outcome{
		{
			At: tuesday, Status: outbox.StatusSent, Reason: callhome.ReasonSent, MessageID: "M0:HRX77120:6A6F02E3", Device: "oslo-gw-1.acme.example",
			Group: callhome.GroupEnvironment, Profile: "ops", Destination: callhome.Destination{Address: "https://relay.acme.example/its"}, Attempts: 1,
		},
		{
			At: tuesday, Status: outbox.StatusDead, Reason: callhome.ReasonExpired, MessageID: "M1:HRX77120:6A6F02E4", Device: "oslo-gw-1.acme.example",
			Group: callhome.GroupConfiguration, Profile: "a-rather-long-profile-name", Attempts: 9, Detail: longest,
			Destination: callhome.Destination{Address: "https://relay.acme.example/Transportgateway/services/DeviceRequestHandler"},
		},
	}
	waiting = []outbox.Entry{{
		ID: 123456, Status: outbox.StatusQueued, QueuedAt: tuesday, RetryAt: tuesday.Add(90 * time.Second), Attempts: 3, LastError: longest,
		Envelope: callhome.Envelope{Device: "oslo-gw-1.acme.example", Profile: "a-rather-long-profile-name", Destination: lines[1].Destination},
	}, {ID: 123457, Status: outbox.StatusQueued, QueuedAt: tuesday, Envelope: callhome.Envelope{Device: "gw", Profile: "ops"}}}
)

// Lists fit their width and cut what is least needed.
func TestListsFit(t *testing.T) {
	for _, width := range []int{80, 120, 160, 200} {
		for what, text := range map[string]string{
			"history": printed(func(w *bufio.Writer) { printHistory(w, lines, width) }),
			"queue":   printed(func(w *bufio.Writer) { printQueue(w, waiting, false, width) }),
			"dead":    printed(func(w *bufio.Writer) { printQueue(w, waiting, true, width) }),
		} {
			if n := strings.Count(text, "\n"); n != 3 || strings.ContainsRune(text, '\x1b') {
				t.Errorf("%s in %d: %d lines, want a title and two:\n%s", what, width, n, text)
			}
			for l := range strings.Lines(text) {
				if n := utf8.RuneCountInString(strings.TrimSuffix(l, "\n")); n > width {
					t.Errorf("%s in %d: a line of %d characters: %s", what, width, n, l)
				}
			}
		}
	}
	golden(t, "history-160.txt", printed(func(w *bufio.Writer) { printHistory(w, lines, defaultWidth) }))
	golden(t, "history-80.txt", printed(func(w *bufio.Writer) { printHistory(w, lines, 80) }))
	golden(t, "queue-160.txt", printed(func(w *bufio.Writer) { printQueue(w, waiting, false, defaultWidth) }))
	golden(t, "queue-80.txt", printed(func(w *bufio.Writer) { printQueue(w, waiting, false, 80) }))
}

// The ID of a message is whole where a terminal has room for it: it is what one asks for next.
func TestHistoryKeepsMessageIDs(t *testing.T) {
	if got := printed(func(w *bufio.Writer) { printHistory(w, lines, 120) }); !strings.Contains(got, " M1:HRX77120:6A6F02E4 ") {
		t.Errorf("the ID was cut:\n%s", got)
	}
}
