package syslog_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"callhome/codec/syslog"
)

// segments of message number n of the node ise1.
func segmentsOf(n int) []string {
	return []string{
		fmt.Sprintf(`<181>Jun 12 21:07:15 ise1 CISE_Passed %07d 3 0 2026-06-12 23:07:15 +02:00 0042 5200 NOTICE Passed: ok, A=%d,`, n, n),
		fmt.Sprintf(`<181>Jun 12 21:07:15 ise1 CISE_Passed %07d 3 1  B=2, C`, n),
		fmt.Sprintf(`<181>Jun 12 21:07:15 ise1 CISE_Passed %07d 3 2 =3`, n),
	}
}

func joinedOf(n int) string {
	return fmt.Sprintf(`<181>Jun 12 21:07:15 ise1 CISE_Passed %07d 3 0 2026-06-12 23:07:15 +02:00 0042 5200 NOTICE Passed: ok, A=%d, B=2, C=3`, n, n)
}

func lines(joined []syslog.Joined) []string {
	var out []string
	for _, j := range joined {
		out = append(out, string(j.Line))
	}
	return out
}

func TestAssemblerJoinsInAnyOrder(t *testing.T) {
	for i, order := range [][]int{{0, 1, 2}, {2, 0, 1}, {1, 1, 2, 0}, {0, 1, 2, 2, 0}} {
		var a syslog.Assembler
		var got []syslog.Joined
		for _, k := range order {
			var ok bool
			if got, ok = a.Add(got, "192.0.2.1", parse(segmentsOf(1939)[k]), received); !ok {
				t.Errorf("order %v: segment %d was given back", order, k)
			}
		}
		want := []syslog.Joined{{Line: []byte(joinedOf(1939)), Peer: "192.0.2.1", First: received, Total: 3}}
		if diff := cmp.Diff(want, got); diff != "" || a.Waiting() != 0 {
			t.Errorf("%d: order %v: %d waiting (-want +got):\n%s", i, order, a.Waiting(), diff)
		}
		if left := a.Flush(nil); len(left) != 0 {
			t.Errorf("order %v: a complete message is given again: %q", order, lines(left))
		}
	}
}

func TestAssemblerKeepsMessagesApart(t *testing.T) {
	var a syslog.Assembler
	var got []syslog.Joined
	for k := range 3 {
		for n := 1; n <= 3; n++ {
			got, _ = a.Add(got, "192.0.2.1", parse(segmentsOf(n)[k]), received)
		}
	}
	if diff := cmp.Diff([]string{joinedOf(1), joinedOf(2), joinedOf(3)}, lines(got)); diff != "" {
		t.Errorf("interleaved (-want +got):\n%s", diff)
	}
	for k, peer := range []string{"192.0.2.1", "192.0.2.2", "192.0.2.1"} {
		if joined, ok := a.Add(nil, peer, parse(segmentsOf(9)[k]), received); len(joined) != 0 || !ok {
			t.Errorf("segments of two senders: %q, %v", lines(joined), ok)
		}
	}
	if a.Waiting() != 2 {
		t.Errorf("%d messages wait, want 2", a.Waiting())
	}
}

func TestAssemblerGivesUp(t *testing.T) {
	a := syslog.Assembler{Patience: 5 * time.Second}
	a.Add(nil, "p", parse(segmentsOf(7)[2]), received)
	a.Add(nil, "p", parse(segmentsOf(7)[1]), received.Add(time.Second))
	a.Add(nil, "p", parse(segmentsOf(8)[0]), received.Add(2*time.Second))
	if early := a.Expire(nil, received.Add(4*time.Second)); len(early) != 0 {
		t.Errorf("too early: %q", lines(early))
	}
	got := a.Expire(nil, received.Add(5*time.Second))
	want := []syslog.Joined{{
		Line: []byte(`<181>Jun 12 21:07:15 ise1 CISE_Passed 0000007 3 1  B=2, C=3`), Peer: "p", First: received, Missing: []int{0}, Total: 3,
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// The last segment comes after its message was given up: it is told by itself, not swallowed.
	if joined, ok := a.Add(nil, "p", parse(segmentsOf(7)[0]), received.Add(5*time.Second)); len(joined) != 0 || !ok {
		t.Errorf("got %q, %v", lines(joined), ok)
	}
	left := a.Flush(nil)
	if diff := cmp.Diff([][]int{{1, 2}, {1, 2}}, [][]int{left[0].Missing, left[1].Missing}); diff != "" || a.Waiting() != 0 {
		t.Errorf("at the end (-want +got):\n%s", diff)
	}
}

func TestAssemblerGivesBackWhatIsNoSegment(t *testing.T) {
	var a syslog.Assembler
	a.Add(nil, "p", parse(segmentsOf(1)[1]), received)
	for _, line := range []string{
		`<13>Jun 12 21:07:15 h p: text`,
		`<181>Jun 12 21:07:15 ise1 CISE_Passed 0001939 1 0 2026-06-12 23:07:15 +02:00 0042 5200 NOTICE Passed: ok`,
		`<181>Jun 12 21:07:15 ise1 CISE_Passed 0001939 3 3 x`,
		`<181>Jun 12 21:07:15 ise1 CISE_Passed 0001939 9999999 3 x`,
		`<181>Jun 12 21:07:15 ise1 CISE_Passed 0000001 3 1 another text than the same segment had`,
	} {
		if joined, ok := a.Add(nil, "p", parse(line), received); ok || len(joined) != 0 {
			t.Errorf("%s was kept: %q", line, lines(joined))
		}
	}
}

func TestAssemblerIsBounded(t *testing.T) {
	a := syslog.Assembler{MaxGroups: 10}
	var given []syslog.Joined
	for n := range 100 {
		given, _ = a.Add(given, "p", parse(segmentsOf(n)[0]), received)
	}
	if a.Waiting() != 10 || len(given) != 90 {
		t.Errorf("%d wait, %d were given up", a.Waiting(), len(given))
	}
	b, given := syslog.Assembler{MaxOctets: 10_000}, nil
	body := strings.Repeat("x", 4000)
	for n := range 10 {
		given, _ = b.Add(given, "p", parse(fmt.Sprintf(`<181>Jun 12 21:07:15 ise1 CISE_Passed %d 2 0 %s`, n, body)), received)
	}
	if b.Waiting() != 2 || len(given) != 8 || string(given[7].Line[:10]) != "<181>Jun 1" {
		t.Errorf("%d wait, %d were given up", b.Waiting(), len(given))
	}
}
