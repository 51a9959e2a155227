package registry

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"callhome"
)

// TestStateMachine lets anything happen in any order and holds the machine to what must never be.
func TestStateMachine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := &Device{State: StateUnknown}
		at := time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
		confirmed := false // a person's word that nobody took back
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			h := rapid.SampledFrom(Happenings).Draw(t, "happening")
			before := *d
			at = at.Add(time.Minute)
			if h == Reinstated && !confirmed { // callers reinstate only what was confirmed: Registrar.Decide
				continue
			}
			err := move(d, h, at)
			if err != nil {
				if *d != before {
					t.Fatalf("a refused happening changed %+v to %+v", before, *d)
				}
				if callhome.KindOf(err) != callhome.KindConflict {
					t.Fatalf("refused with %v", err)
				}
				continue
			}
			switch h {
			case ConfirmedHappened, Reinstated:
				confirmed = true
			case Reopened, Resumed, Rejected:
				confirmed = false
			}
			switch {
			case d.State.Settled() && !confirmed:
				t.Fatalf("%s after %s in %s: nobody confirmed it", d.State, h, before.State)
			case d.State == StateRegistered && h != CoverBegan && before.State != StateRegistered:
				t.Fatalf("%s registered a device that was %s", h, before.State)
			case d.Entitlement.Registered != (d.State == StateRegistered):
				t.Fatalf("entitlement says registered=%v in state %s", d.Entitlement.Registered, d.State)
			case before.State == StateRejected && d.State != StateRejected && h != Reopened && h != Suspended:
				t.Fatalf("%s brought a rejected device to %s", h, d.State)
			case before.State == StateSuspended && d.State != StateSuspended && h != Resumed && h != Reinstated && h != Rejected:
				t.Fatalf("%s brought a suspended device to %s", h, d.State)
			case d.State != before.State && !d.StateSince.Equal(at):
				t.Fatalf("a new state since %s, at %s", d.StateSince, at)
			}
		}
	})
}

func TestEveryStateCanBeLeftAndReached(t *testing.T) {
	reached := map[State]bool{StateUnknown: true}
	for _, s := range States {
		leaves := false
		for h, next := range moves[s] {
			reached[next] = true
			leaves = leaves || next != s
			if _, err := s.Next(h); err != nil {
				t.Errorf("%s after %s: %v", s, h, err)
			}
		}
		if !leaves {
			t.Errorf("nothing leads out of %s", s)
		}
	}
	for _, s := range States {
		if !reached[s] {
			t.Errorf("nothing leads to %s", s)
		}
	}
}
