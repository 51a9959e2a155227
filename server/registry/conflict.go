package registry

import (
	"time"

	"callhome/server/account"
)

// ConflictKind says how a serial number appeared from elsewhere.
type ConflictKind string

// The kinds.
const (
	ConflictModel    ConflictKind = "model"    // the serial number is known with another product model
	ConflictCompany  ConflictKind = "company"  // an agent or gateway of another company speaks for the device
	ConflictContract ConflictKind = "contract" // a registered device names a contract that is not its company's
	ConflictOrigin   ConflictKind = "origin"   // messages came with a client certificate, and now without
)

// ConflictState is where a conflict stands.
type ConflictState string

// The states.
const (
	ConflictOpen ConflictState = "open"
	ConflictKept ConflictState = "kept"  // the device stays as it was known; what came from elsewhere stays marked
	ConflictDone ConflictState = "moved" // the device is what and where the later messages say
	ConflictBoth ConflictState = "both"  // two devices share a serial number; both are right
)

// Conflict is a serial number that appeared from elsewhere. Its messages are stored and marked; they change nothing until
// an operator decides. One device, kind and evidence is one conflict, however many messages it has.
type Conflict struct {
	ID      int64             `json:"id"`
	Device  ID                `json:"device"`          // the device that was known before
	Other   ID                `json:"other,omitempty"` // of kind model: the device with the other product model
	Serial  string            `json:"serial"`
	Company account.CompanyID `json:"company,omitempty"` // of the known device
	Kind    ConflictKind      `json:"kind"`
	Was     string            `json:"was"` // what was known, in words
	Now     string            `json:"now"` // what appeared; with Device and Kind it is the conflict's key
	Claim   Origin            `json:"claim,omitzero"`
	// ClaimContract is the contract number of kind contract.
	ClaimContract string         `json:"claim_contract,omitempty"`
	Peer          string         `json:"peer,omitempty"` // of the latest message
	ArchiveID     int64          `json:"archive_id,omitempty"`
	FirstAt       time.Time      `json:"first_at"`
	LastAt        time.Time      `json:"last_at"`
	Count         int64          `json:"count"`
	State         ConflictState  `json:"state"`
	ResolvedBy    account.UserID `json:"resolved_by,omitempty"`
	ResolvedAt    time.Time      `json:"resolved_at,omitzero"`
}

// suspects holds a message's origin and claims against what is known of its device. It gives nil when nothing speaks
// against the message. contract is the one the message names, nil when there is none of that number.
func suspects(d *Device, in *Input, from Origin, contract *Contract) *Conflict {
	c := &Conflict{Device: d.ID, Serial: d.Serial, Company: d.Company, Claim: from}
	switch {
	case from.Company != account.NoCompany && d.Company != account.NoCompany && from.Company != d.Company:
		c.Kind, c.Was, c.Now = ConflictCompany, "messages for the company that owns the device", "client certificate of "+from.String()
	case d.Origin.Enrolment != 0 && from.Enrolment == 0:
		c.Kind, c.Was, c.Now = ConflictOrigin, "client certificate of "+d.Origin.String(), "no client certificate"
	case d.Origin.Enrolment != 0 && from.Enrolment != d.Origin.Enrolment && from.Company != d.Origin.Company:
		c.Kind, c.Was, c.Now = ConflictOrigin, "client certificate of "+d.Origin.String(), "client certificate of "+from.String()
	case contractMoved(d, in, contract):
		c.Kind, c.Was, c.Now = ConflictContract, "contract "+d.Entitlement.Contract, "contract "+in.Message.ContractID
		c.ClaimContract = in.Message.ContractID
	default:
		return nil
	}
	return c
}

// contractMoved reports whether a device that was confirmed once names a contract that its company does not have.
func contractMoved(d *Device, in *Input, contract *Contract) bool {
	named := in.Message.ContractID
	if !d.Owned || named == "" || d.Entitlement.Contract == "" || sameWord(named, d.Contract) || sameWord(named, d.Entitlement.Contract) {
		return false
	}
	return contract == nil || contract.Company != d.Company
}
