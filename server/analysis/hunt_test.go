package analysis

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"callhome"

	"github.com/google/go-cmp/cmp"
)

// fakeArchive is messages by ID, one a minute.
type fakeArchive struct {
	messages []ArchivedMessage
	fail     int64 // reading after this ID fails, 0 never
}

func newArchive(n int) *fakeArchive {
	a := &fakeArchive{}
	for i := 1; i <= n; i++ {
		at := sampleTime.Add(time.Duration(i) * time.Minute)
		line := "%SYS-6-LOGOUT: User noc has exited"
		if i%10 == 0 {
			line = "%LINK-3-UPDOWN: Interface Gi0/1, changed state to down"
		}
		a.messages = append(a.messages, ArchivedMessage{ID: int64(100 + 2*i), Subject: Subject{
			Message:     &callhome.Message{Type: "syslog", Description: line, EventTime: callhome.At(at)},
			Personality: "ios", Device: 1, ReceivedAt: at,
		}})
	}
	return a
}

func (a *fakeArchive) Messages(_ context.Context, after int64, limit int) (out []ArchivedMessage, _ error) {
	if a.fail > 0 && after >= a.fail {
		return nil, errors.New("the archive is away")
	}
	for _, m := range a.messages {
		if m.ID > after && len(out) < limit {
			out = append(out, m)
		}
	}
	return out, nil
}

func (a *fakeArchive) Total(context.Context, int64) (int64, error) {
	return int64(len(a.messages)), nil
}

// flaps holds for the third loss of a link within 25 minutes, or every message where count is 0.
func flapHunt(t *testing.T, a *fakeArchive, found *[]int64, stop func(Progress) error) *Hunt {
	t.Helper()
	e := oneRule(t, "on: '%LINK-UPDOWN'\ntext: 'Interface (?P<i>\\S+), .*down'\nhistory: {count: 3, within: 25m}", "component: ${i}\n")
	return &Hunt{Engine: e, Archive: a, Batch: 7, Now: func() time.Time { return sampleTime }, Found: func(_ context.Context, batch []HuntFinding, p Progress) error {
		if stop != nil {
			if err := stop(p); err != nil {
				return err
			}
		}
		for _, f := range batch {
			*found = append(*found, f.Message)
		}
		return nil
	}}
}

func TestHuntFindsWhatWouldHaveBeenFound(t *testing.T) {
	a := newArchive(100)
	var found []int64
	var last Progress
	p, err := flapHunt(t, a, &found, func(p Progress) error { last = p; return nil }).Run(t.Context(), Progress{})
	if err != nil || !p.Finished || p.Done != 100 || p.Total != 100 || p.Position != 300 {
		t.Fatalf("progress %+v, %v", p, err)
	}
	var want []int64
	for i := 30; i <= 100; i += 10 {
		want = append(want, int64(100+2*i))
	}
	if diff := cmp.Diff(want, found); diff != "" || p.Findings != int64(len(want)) || last != p {
		t.Errorf("findings %d, last progress %+v (-want +got):\n%s", p.Findings, last, diff)
	}
}

// TestHuntGoesOn stops a hunt after every possible batch and goes on with a new Hunt: the findings are the same, once.
func TestHuntGoesOn(t *testing.T) {
	var want []int64
	if _, err := flapHunt(t, newArchive(100), &want, nil).Run(t.Context(), Progress{}); err != nil {
		t.Fatal(err)
	}
	for stopAt := int64(1); stopAt < 100; stopAt += 3 {
		a := newArchive(100)
		var found []int64
		away := errors.New("killed")
		p, err := flapHunt(t, a, &found, func(p Progress) error {
			if p.Done >= stopAt {
				return away
			}
			return nil
		}).Run(t.Context(), Progress{})
		if !errors.Is(err, away) {
			t.Fatalf("stopped at %d: %v", stopAt, err)
		}
		if p, err = flapHunt(t, a, &found, nil).Run(t.Context(), p); err != nil || !p.Finished || p.Done != 100 {
			t.Fatalf("went on from %d: %+v, %v", stopAt, p, err)
		}
		if diff := cmp.Diff(want, found); diff != "" {
			t.Errorf("stopped at %d (-want +got):\n%s", stopAt, diff)
		}
	}
}

func TestHuntEnds(t *testing.T) {
	var found []int64
	if p, err := flapHunt(t, newArchive(100), &found, nil).Run(t.Context(), Progress{Until: 200}); err != nil || p.Position != 200 || !p.Finished {
		t.Errorf("until 200: %+v, %v", p, err)
	}
	a := newArchive(100)
	a.fail = 180
	if p, err := flapHunt(t, a, &found, nil).Run(t.Context(), Progress{}); err == nil || p.Finished {
		t.Errorf("an archive that fails: %+v, %v", p, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	p, err := flapHunt(t, newArchive(100), &found, func(p Progress) error {
		if p.Done > 20 {
			cancel()
		}
		return nil
	}).Run(ctx, Progress{})
	if !errors.Is(err, context.Canceled) || p.Done < 20 || p.Finished {
		t.Errorf("canceled: %+v, %v", p, err)
	}
	if p, err := flapHunt(t, newArchive(0), &found, nil).Run(t.Context(), Progress{}); err != nil || !p.Finished {
		t.Errorf("an empty archive: %+v, %v", p, err)
	}
}

func ExampleHunt() {
	e, _ := New(Shipped()...)
	fans, _ := e.Only("ios-link-flapping")
	h := Hunt{Engine: fans, Archive: newArchive(60), Now: func() time.Time { return sampleTime }}
	p, _ := h.Run(context.Background(), Progress{})
	fmt.Println(p.Done, p.Findings, p.Finished)
	// Output: 60 2 true
}
