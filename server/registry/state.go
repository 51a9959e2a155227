package registry

import "callhome"

// Happening is something that moves a registration from one state to another.
type Happening string

// The happenings.
const (
	InventoryCame     Happening = "inventory"            // a full inventory message with a contact address
	InventoryNameless Happening = "inventory-no-contact" // a full inventory message without one
	ConfirmedHappened Happening = "confirmed"            // a person, or an enrolled certificate where the policy trusts it
	CoverBegan        Happening = "covered"              // a contract in force covers the device
	CoverToCome       Happening = "not-begun"            // a contract covers it from a later day on
	CoverEnded        Happening = "ended"                // the contract that covered it is over
	CoverMissing      Happening = "uncovered"            // no contract covers it
	Reopened          Happening = "reopened"             // contact address or company changed: a person has to confirm anew
	Rejected          Happening = "rejected"
	Suspended         Happening = "suspended"
	Resumed           Happening = "resumed"    // a suspension ended before the device was ever confirmed
	Reinstated        Happening = "reinstated" // a suspension of a confirmed device ended
)

// Happenings are all happenings.
var Happenings = []Happening{
	InventoryCame, InventoryNameless, ConfirmedHappened, CoverBegan, CoverToCome, CoverEnded, CoverMissing, Reopened, Rejected, Suspended,
	Resumed, Reinstated,
}

// moves is the state machine: what is not in it is refused. Before confirmation a contract changes nothing; after it the
// contract alone decides between confirmed, registered, no-contract and expired.
var moves = map[State]map[Happening]State{
	StateUnknown: {
		InventoryCame: StatePending, InventoryNameless: StateInventory, ConfirmedHappened: StateConfirmed,
		Rejected: StateRejected, Suspended: StateSuspended,
	},
	StateInventory: {
		InventoryCame: StatePending, InventoryNameless: StateInventory, ConfirmedHappened: StateConfirmed,
		Rejected: StateRejected, Suspended: StateSuspended,
	},
	StatePending: {
		InventoryCame: StatePending, InventoryNameless: StatePending, ConfirmedHappened: StateConfirmed, Reopened: StatePending,
		Rejected: StateRejected, Suspended: StateSuspended,
	},
	StateConfirmed:  confirmed(StateConfirmed),
	StateRegistered: confirmed(StateRegistered),
	StateNoContract: confirmed(StateNoContract),
	StateExpired:    confirmed(StateExpired),
	StateRejected: {
		InventoryCame: StateRejected, InventoryNameless: StateRejected, Reopened: StatePending, Suspended: StateSuspended,
	},
	StateSuspended: {
		InventoryCame: StateSuspended, InventoryNameless: StateSuspended, Resumed: StatePending, Reinstated: StateConfirmed,
		Rejected: StateRejected,
	},
}

// confirmed are the moves of a device that a person has confirmed; own is its state.
func confirmed(own State) map[Happening]State {
	return map[Happening]State{
		InventoryCame: own, InventoryNameless: own,
		CoverBegan: StateRegistered, CoverToCome: StateConfirmed, CoverEnded: StateExpired, CoverMissing: StateNoContract,
		Reopened: StatePending, Rejected: StateRejected, Suspended: StateSuspended,
	}
}

// Next is the state after a happening; KindConflict when it cannot happen in state s.
func (s State) Next(h Happening) (State, error) {
	next, ok := moves[s][h]
	if !ok {
		return s, callhome.Errorf(callhome.KindConflict, "a device that is %s cannot be %s", s, h)
	}
	return next, nil
}

// Settled reports whether a person confirmed and nobody stopped the device since: the contract alone decides about it.
func (s State) Settled() bool {
	switch s {
	case StateConfirmed, StateRegistered, StateNoContract, StateExpired:
		return true
	}
	return false
}

// Asking reports whether the device waits for someone to confirm it.
func (s State) Asking() bool { return s == StateUnknown || s == StateInventory || s == StatePending }
