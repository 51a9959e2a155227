package registry

import (
	"context"
	"fmt"
	"slices"
	"time"

	"callhome"
	"callhome/server/account"
)

// Identified is what a message came to.
type Identified struct {
	Mode        Mode
	Device      *Device     // nil when the message is anonymous or names no device
	Entitlement Entitlement // of the device, at the time of receipt
	Entitled    bool        // the full service is due: analysis, service requests, notifications
	New         bool        // the message made the device's record
	Changes     []Change    // what the message says otherwise than before
	// Suspicious messages come from elsewhere than the device's others: they must be stored and marked, and change nothing:
	// no inventory, no configuration, no case.
	Suspicious bool
	Conflict   *Conflict // of a suspicious message
	Exceptions []Reason
	Notices    []Notice
	Spoke      []Silence // silences that this message ends
}

// Change is one field of a device that a message says otherwise.
type Change struct {
	Field  string `json:"field"` // sys_name, sw_version, contact_email, contract_id, customer_id, site_id, origin
	Before string `json:"before"`
	After  string `json:"after"`
}

// Identify says whose a message is: it finds the device or makes its record, notes what changed, moves its registration
// on, and judges what it is entitled to. It must be called for the messages of one device in their order.
//
// A message of a known device in which nothing is new costs one indexed read (a second one for a client certificate that
// the receiver did not look up), and one small write when the device was not heard for a minute.
func (r *Registrar) Identify(ctx context.Context, s Store, in *Input) (*Identified, error) {
	if in.Anonymous || LooksAnonymous(in.Message) {
		return &Identified{Mode: Anonymous}, s.CountAnonymous(ctx, in.ReceivedAt, anonymousModel(in.Message), in.Message.Group)
	}
	for try := 1; ; try++ {
		step := &identification{r: r, s: s, in: in, out: &Identified{Mode: Full}}
		err := step.run(ctx)
		switch {
		case err == nil:
			return step.out, nil
		case callhome.KindOf(err) != callhome.KindConflict || try == identifyTries:
			return nil, fmt.Errorf("identify the device of message %q: %w", word(string(in.Message.MessageID)), err)
		}
	}
}

// identifyTries bounds how often a message is looked at again because a person or another process changed its device, or
// made it, at the same moment.
const identifyTries = 3

// anonymousModel is a model worth counting; what cannot be one is counted as others.
func anonymousModel(m *callhome.Message) string {
	if k, _, _ := KeyOf(m); plainWord(k.Model) && len(k.Model) <= maxModelCounted {
		return k.Model
	}
	return "other"
}

// maxModelCounted keeps counters of anonymous messages small.
const maxModelCounted = 64

// identification is one message on its way through Identify.
type identification struct {
	r    *Registrar
	s    Store
	in   *Input
	out  *Identified
	dev  *Device
	was  Device // before this message
	from Origin
	// contract is the one that the message names, once it was asked for; nil when there is none.
	contract *Contract
	asked    bool
}

func (i *identification) run(ctx context.Context) error {
	i.faults()
	key, id, ok := KeyOf(i.in.Message)
	if !ok {
		if !slices.Contains(i.out.Exceptions, ReasonUnparsable) {
			i.except(ReasonUnidentified)
		}
		return i.writeExceptions(ctx)
	}
	if err := i.origin(ctx); err != nil {
		return err
	}
	dev, err := i.s.DeviceByKey(ctx, key)
	switch {
	case err == nil:
		i.dev, i.was = dev, *dev
		err = i.known(ctx)
	case callhome.KindOf(err) == callhome.KindNotFound:
		err = i.unknown(ctx, key, id)
	}
	if err != nil {
		return err
	}
	i.out.Device, i.out.Entitlement = i.dev, i.dev.Entitlement
	i.out.Entitled = !i.out.Suspicious && i.dev.Entitlement.Full(i.in.ReceivedAt)
	i.judge()
	return i.writeExceptions(ctx)
}

// faults are what is wrong with the message whatever its device.
func (i *identification) faults() {
	for _, f := range i.in.Faults {
		i.except(f)
		if f == ReasonUnparsable { // what else is missing follows from it
			return
		}
	}
	if i.in.Message.Group == "" {
		i.except(ReasonUnsupported)
	}
	if fullInventory(i.in.Message) && !complete(i.in.Message) {
		i.except(ReasonIncomplete)
	}
	if _, bad := skewed(i.in); bad {
		i.except(ReasonClockSkew)
	}
}

func (i *identification) except(r Reason) {
	for _, have := range i.out.Exceptions {
		if have == r {
			return
		}
	}
	i.out.Exceptions = append(i.out.Exceptions, r)
}

// origin finds who passed the message on, by the certificate that was shown.
func (i *identification) origin(ctx context.Context) error {
	if i.in.Enrolment == 0 && i.in.Fingerprint == "" {
		return nil
	}
	e, err := i.enrolment(ctx)
	switch {
	case err == nil:
		i.from = Origin{Enrolment: e.ID, Company: e.Company, Name: e.Name}
	case callhome.KindOf(err) == callhome.KindNotFound: // not one of ours: it proves nothing to us
		err = nil
	}
	return err
}

func (i *identification) enrolment(ctx context.Context) (*Enrolment, error) {
	if i.in.Enrolment != 0 {
		return i.s.Enrolment(ctx, i.in.Enrolment)
	}
	return i.s.EnrolmentByFingerprint(ctx, i.in.Fingerprint)
}

// unknown makes a record for a device that was never heard of.
func (i *identification) unknown(ctx context.Context, key Key, id callhome.DeviceID) error {
	at := i.in.ReceivedAt
	i.dev = &Device{
		DeviceID: id, Model: key.Model, Serial: key.Serial, State: StateUnknown, StateSince: at, FirstSeen: at, LastSeen: at,
		Origin: i.from, Company: i.from.Company,
	}
	i.was = *i.dev
	i.out.New = true
	if err := i.read(ctx); err != nil {
		return err
	}
	i.out.Changes = nil // all is new
	if err := i.s.AddDevice(ctx, i.dev); err != nil {
		return err
	}
	if _, err := i.s.WatchDevice(ctx, i.dev.ID, at.Add(silentAfter), time.Time{}); err != nil {
		return err
	}
	i.was = *i.dev
	if err := i.twins(ctx); err != nil {
		return err
	}
	return i.proceed(ctx)
}

// twinsLimit bounds how many devices of one serial number are looked at.
const twinsLimit = 10

// twins looks for the same serial number with another product model.
func (i *identification) twins(ctx context.Context) error {
	others, err := i.s.DevicesBySerial(ctx, i.dev.Serial, twinsLimit)
	if err != nil {
		return err
	}
	for k := range others {
		o := &others[k]
		if o.ID == i.dev.ID || o.State == StateRejected {
			continue
		}
		return i.suspect(ctx, &Conflict{
			Device: o.ID, Other: i.dev.ID, Serial: i.dev.Serial, Company: o.Company, Kind: ConflictModel,
			Was: "product model " + o.Model, Now: "product model " + i.dev.Model, Claim: i.from,
		})
	}
	return nil
}

// known takes a message of a device that has a record.
func (i *identification) known(ctx context.Context) error {
	if i.dev.Conflict != 0 && i.dev.State == StateUnknown { // the other of two with one serial number, undecided
		if c, err := i.s.Conflict(ctx, i.dev.Conflict); err != nil {
			return err
		} else if c.State == ConflictOpen && c.Other == i.dev.ID {
			return i.suspect(ctx, c)
		}
	}
	if named := i.in.Message.ContractID; named != "" && !sameWord(named, i.dev.Contract) {
		if err := i.ask(ctx); err != nil {
			return err
		}
	}
	if c := suspects(i.dev, i.in, i.from, i.contract); c != nil {
		return i.suspect(ctx, c)
	}
	if err := i.read(ctx); err != nil {
		return err
	}
	return i.proceed(ctx)
}

// suspect stores a conflict about the message; nothing else is changed by it.
func (i *identification) suspect(ctx context.Context, c *Conflict) error {
	c.Peer, c.ArchiveID, c.LastAt = i.in.Peer, i.in.ArchiveID, i.in.ReceivedAt
	if c.FirstAt.IsZero() {
		c.FirstAt = c.LastAt
	}
	if c.State == "" {
		c.State = ConflictOpen
	}
	if err := i.s.PutConflict(ctx, c); err != nil {
		return err
	}
	if c.Kind == ConflictModel && c.State == ConflictBoth { // decided long ago
		return nil
	}
	i.out.Suspicious, i.out.Conflict = true, c
	i.except(ReasonConflict)
	if c.Count == 1 {
		i.out.Notices = append(i.out.Notices, i.notice(NoticeConflict, func(n *Notice) {
			n.Conflict, n.Detail = c.ID, fmt.Sprintf("was: %s; now: %s", c.Was, c.Now)
			n.Company = account.NoCompany // operators decide
		}))
	}
	if i.dev.Conflict == c.ID || c.State != ConflictOpen {
		return nil
	}
	i.dev.Conflict = c.ID
	i.was.Conflict = c.ID
	return i.s.PutDevice(ctx, i.dev)
}

// notice makes a notice about the message's device.
func (i *identification) notice(kind NoticeKind, set func(*Notice)) Notice {
	n := noticeOf(kind, i.dev)
	set(&n)
	return n
}

func noticeOf(kind NoticeKind, d *Device) Notice {
	return Notice{
		Kind: kind, Company: d.Company, Device: d.ID, DeviceID: d.DeviceID, Serial: d.Serial, System: d.SystemName,
		Contract: d.Entitlement.Contract, Until: d.Entitlement.Until,
	}
}

// judge adds the exceptions that follow from what the device may have.
func (i *identification) judge() {
	switch {
	case i.out.Suspicious || i.out.Entitled:
		return
	case i.dev.State != StateRegistered && i.dev.State != StateNoContract && i.dev.State != StateExpired:
		i.except(ReasonNotRegistered)
	}
	if !i.dev.Entitlement.Covers(i.in.ReceivedAt) {
		i.except(ReasonNoContract)
	}
}

// writeExceptions stores what is wrong with the message.
func (i *identification) writeExceptions(ctx context.Context) error {
	for _, reason := range i.out.Exceptions {
		e := &Exception{
			Day: i.in.ReceivedAt.UTC().Format(time.DateOnly), Reason: reason, Transport: i.in.Transport, Gateway: word(i.in.Gateway), Peer: word(i.in.Peer),
			SystemName: word(i.in.Message.SystemName), Serial: word(i.in.Message.Serial), DeviceID: callhome.DeviceID(word(string(i.in.Message.DeviceID))),
			FirstAt: i.in.ReceivedAt, LastAt: i.in.ReceivedAt, Count: 1, ArchiveID: i.in.ArchiveID, Detail: i.detail(reason),
		}
		if i.dev != nil {
			e.Device, e.Company, e.DeviceID, e.Serial = i.dev.ID, i.dev.Company, i.dev.DeviceID, i.dev.Serial
		}
		if err := i.s.AddException(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

func (i *identification) detail(r Reason) string {
	switch r {
	case ReasonClockSkew:
		off, _ := skewed(i.in)
		return "the device's clock differs by " + off.Round(time.Second).String()
	case ReasonNoContract:
		if i.in.Message.ContractID != "" {
			return "contract " + word(i.in.Message.ContractID)
		}
		return "the message names no contract"
	case ReasonNotRegistered:
		return "the registration is " + string(i.dev.State)
	case ReasonUnsupported:
		return "type " + word(i.in.Message.Type)
	case ReasonConflict:
		if i.out.Conflict != nil {
			return i.out.Conflict.Now
		}
	}
	return ""
}
