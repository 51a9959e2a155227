package server

import (
	"context"
	"errors"
	"testing"

	"callhome"
	"callhome/server/account"
	"callhome/server/archive"
)

// tryingIntake hands the same arrivals to the work some times before it gives up, as a transaction does that others
// disturb, and then gives an error of a kind.
type tryingIntake struct {
	archive.Intake
	tries    int
	arrivals []archive.Arrival
	kind     callhome.Kind
}

func (i *tryingIntake) Work(_ context.Context, _ int, prepare archive.Prepare, f func(Rooms, []archive.Arrival) error) (int, error) {
	prepare(i.arrivals)
	var err error
	for range i.tries {
		if err = f(brokenRooms{}, i.arrivals); err == nil {
			return len(i.arrivals), nil
		}
	}
	return 0, &callhome.Error{Kind: i.kind, Err: err}
}

// brokenRooms take nothing.
type brokenRooms struct{ Rooms }

func (brokenRooms) Archive() archive.Store { return brokenArchive{} }

type brokenArchive struct{ archive.Store }

var errDisturbed = errors.New("deadlock detected")

func (brokenArchive) Add(context.Context, *archive.Record, []byte) error { return errDisturbed }

func (brokenArchive) Record(context.Context, int64, account.Reach) (archive.Record, bool, error) {
	return archive.Record{}, false, errDisturbed
}

// TestPoison: a message is not given up for what was the database's fault, however often it failed.
func TestPoison(t *testing.T) {
	arrivals := []archive.Arrival{{ID: 7, Body: []byte("<not a message>")}}
	for _, c := range []struct {
		name  string
		kind  callhome.Kind
		given bool // up
	}{
		{"the database is gone, or transactions disturb each other", callhome.KindUnavailable, false},
		{"nobody knows what is wrong", callhome.KindInternal, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			intake := &tryingIntake{tries: 20, arrivals: arrivals, kind: c.kind}
			s, err := New(Options{Config: DefaultConfig(), Intake: intake, Workers: 1})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.batch(t.Context()); err == nil || s.poison.found(7) != nil {
				t.Fatalf("after one batch: %v, %v", err, s.poison.found(7))
			}
			for range poisonTries {
				_, _ = s.batch(t.Context())
			}
			if given := s.poison.found(7) != nil; given != c.given {
				t.Errorf("given up: %v, want %v", given, c.given)
			}
		})
	}
}

func (i *tryingIntake) Pressed() bool { return false }
