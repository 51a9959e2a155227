package outbox

import (
	"errors"
	"strings"
	"testing"
	"time"

	"callhome"
)

// TestLanesWaitByTheMonotonicClock proves that a lane which waits in memory is not held up by a wall clock that is set
// back: its due time carries the monotonic reading.
func TestLanesWaitByTheMonotonicClock(t *testing.T) {
	now := time.Now()
	stored := stamp(now.Add(time.Hour))
	got := onward(now, stored)
	if !strings.Contains(got.String(), " m=") || !stamp(got).Equal(stored) {
		t.Errorf("onward gives %v, want %v with a monotonic reading", got, stored)
	}
	q := &Queue{board: newBoard()}
	r := q.board.open(Road{ID: 1, Destination: callhome.Destination{Address: "noc@ops.example"}}, false)
	r.added("a")
	l := newLease(r, r.take(now, 0), make([]Entry, 1))
	l.RetryAt(0, now.Add(time.Hour), errors.New("down"))
	for name, at := range map[string]time.Time{"due": l.verdicts[0].due, "felt": l.verdicts[0].felt} {
		if !strings.Contains(at.String(), " m=") {
			t.Errorf("%s, %v, has lost its monotonic reading", name, at)
		}
	}
}

func TestNothingIsForgivenByAFutureRecovery(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		name         string
		back, failed time.Time
		want         bool
	}{
		{"never down", time.Time{}, stamp(now), false},
		{"failed before it came back", now, stamp(now.Add(-time.Second)), true},
		{"failed after it came back", now.Add(-time.Second), stamp(now), false},
		{"the clock was set back since", now.Add(time.Hour), stamp(now), false},
	} {
		q := &Queue{}
		if got := q.forgiven(&road{resumedAt: c.back}, c.failed, now); got != c.want {
			t.Errorf("%s: forgiven is %v, want %v", c.name, got, c.want)
		}
	}
}
