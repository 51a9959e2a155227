package registry

import (
	"context"
	"slices"
	"time"

	"callhome"
	"callhome/server/account"
)

// ConfirmOrder is a signed-in person's word that a device is theirs.
type ConfirmOrder struct {
	Device   ID              // or Token
	Token    callhome.Secret // of the link in the mail
	Code     callhome.Secret // the security code of the mail
	Contract string          // a contract number where the device names none, or a wrong one
	Agreed   bool            // to the terms of service
	By       account.Principal
}

// Found is the device that an order is about, by its ID or by the link's token.
func (r *Registrar) Found(ctx context.Context, s Store, o *ConfirmOrder) (*Device, error) {
	if o.Device != 0 {
		return s.Device(ctx, o.Device)
	}
	req, err := s.Request(ctx, digest(o.Token.Reveal()))
	if err != nil {
		return nil, err
	}
	if !r.now().Before(req.Until) {
		return nil, callhome.Errorf(callhome.KindInvalid, "the confirmation link ended on %s; the device's next full inventory brings a new one", req.Until.Format(time.DateOnly))
	}
	return s.Device(ctx, req.Device)
}

// ErrWrongCode tells that a security code is wrong. The caller must keep what the transaction wrote, for it counts the
// failure.
var ErrWrongCode = callhome.Errorf(callhome.KindDenied, "the security code is wrong, or ended")

// Confirm registers a device, when the contract that covers it is in force; else the device is confirmed and waits for
// its contract. Who confirms must be allowed to, for the device's company, or prove by link or code that they read the
// contact's mail. A contract of a company that is not theirs needs that proof too. [ErrWrongCode] must be committed.
func (r *Registrar) Confirm(ctx context.Context, s Store, o ConfirmOrder) (*Device, []Notice, error) {
	if !o.Agreed {
		return nil, nil, callhome.Errorf(callhome.KindInvalid, "the agreement has to be accepted")
	}
	if !account.CanSomewhere(o.By, account.DeviceConfirm) {
		return nil, nil, callhome.Errorf(callhome.KindDenied, "%s may not confirm devices", o.By.Name)
	}
	at := r.now()
	d, err := r.Found(ctx, s, &o)
	if err != nil {
		return nil, nil, err
	}
	if d.Conflict != 0 && !account.Can(o.By, account.DeviceResolve, d.Company) {
		return nil, nil, callhome.Errorf(callhome.KindConflict, "the serial number %s is in conflict; an operator has to decide first", d.Serial)
	}
	proven, err := possession(ctx, s, &o, d, at)
	if err != nil {
		return nil, nil, err
	}
	if !proven && !o.Code.IsZero() {
		if err := s.FailRequests(ctx, d.ID); err != nil {
			return nil, nil, err
		}
		return nil, nil, ErrWrongCode
	}
	if !proven && !account.Can(o.By, account.DeviceConfirm, d.Company) {
		return nil, nil, callhome.Errorf(callhome.KindNotFound, "no device %d to confirm", o.Device)
	}
	return r.confirm(ctx, s, &o, d, proven, at)
}

func (r *Registrar) confirm(ctx context.Context, s Store, o *ConfirmOrder, d *Device, proven bool, at time.Time) (*Device, []Notice, error) {
	if o.Contract != "" {
		d.Contract = word(o.Contract)
	}
	c, refusal, err := findContract(ctx, s, d, at)
	if err != nil {
		return nil, nil, err
	}
	if c != nil && !proven && !o.By.Reach().Has(c.Company) {
		return nil, nil, callhome.Errorf(callhome.KindDenied, "contract %s is not yours; give the security code of the mail to %s", c.Number, d.ContactEmail)
	}
	if o.Contract != "" && c == nil {
		return nil, nil, callhome.Errorf(callhome.KindInvalid, "contract %s does not fit device %s: %s", o.Contract, d.DeviceID, refusal)
	}
	if err := move(d, ConfirmedHappened, at); err != nil {
		return nil, nil, err
	}
	d.ConfirmedBy, d.ConfirmedAt, d.Owned = o.By.User, at, true
	if c == nil && d.Company == account.NoCompany && len(o.By.Companies) == 1 {
		d.Company = o.By.Companies[0]
	}
	if err := settle(d, c, refusal, at); err != nil {
		return nil, nil, err
	}
	if err := s.DropRequests(ctx, d.ID); err != nil {
		return nil, nil, err
	}
	if err := s.PutDevice(ctx, d); err != nil {
		return nil, nil, err
	}
	if d.State != StateRegistered {
		return d, nil, nil
	}
	n := noticeOf(NoticeRegistrationComplete, d)
	n.To = d.ContactEmail
	return d, []Notice{n}, nil
}

// Resend asks a pending device's contact again, whatever the last mail.
func (r *Registrar) Resend(ctx context.Context, s Store, id ID) (Notice, error) {
	d, err := s.Device(ctx, id)
	if err != nil {
		return Notice{}, err
	}
	if d.State != StatePending || !plainAddress(d.ContactEmail) {
		return Notice{}, callhome.Errorf(callhome.KindConflict, "device %s is %s and its contact is %q: there is nobody to ask", d.DeviceID, d.State, d.ContactEmail)
	}
	n, err := askContact(ctx, s, d, r.now())
	if err != nil {
		return Notice{}, err
	}
	return n, s.PutDevice(ctx, d)
}

// Decide lets an operator or administrator reject, suspend, resume or reopen a device.
func (r *Registrar) Decide(ctx context.Context, s Store, id ID, h Happening) (*Device, error) {
	d, err := s.Device(ctx, id)
	if err != nil {
		return nil, err
	}
	at := r.now()
	if h == Resumed && !d.ConfirmedAt.IsZero() {
		h = Reinstated
	}
	if !slices.Contains([]Happening{Rejected, Suspended, Resumed, Reinstated, Reopened}, h) {
		return nil, callhome.Errorf(callhome.KindInvalid, "%q is not for people to decide", h)
	}
	if err := move(d, h, at); err != nil {
		return nil, err
	}
	if d.State.Settled() {
		if err := r.recover(ctx, s, d, at); err != nil {
			return nil, err
		}
	}
	if d.State == StateRejected {
		if err := s.DropRequests(ctx, d.ID); err != nil {
			return nil, err
		}
	}
	return d, s.PutDevice(ctx, d)
}

// recover looks for the contract of a device anew and lets it decide.
func (r *Registrar) recover(ctx context.Context, s Store, d *Device, at time.Time) error {
	c, refusal, err := findContract(ctx, s, d, at)
	if err != nil {
		return err
	}
	return settle(d, c, refusal, at)
}

// Assign gives a device to another company and, where contract is not empty, names its contract. A person of that company
// has to confirm it anew.
func (r *Registrar) Assign(ctx context.Context, s Store, id ID, company account.CompanyID, contract string) (*Device, error) {
	d, err := s.Device(ctx, id)
	if err != nil {
		return nil, err
	}
	at, moved := r.now(), d.Company != company
	d.Company, d.Owned = company, company != account.NoCompany
	if contract != "" {
		d.Contract = word(contract)
	}
	if moved && d.State.Settled() {
		if err := move(d, Reopened, at); err != nil {
			return nil, err
		}
	}
	if err := r.recover(ctx, s, d, at); err != nil {
		return nil, err
	}
	return d, s.PutDevice(ctx, d)
}

// Resolve decides an open conflict: ConflictKept, ConflictDone or, for two product models, ConflictBoth.
func (r *Registrar) Resolve(ctx context.Context, s Store, id int64, decision ConflictState, by account.Principal) (*Conflict, error) {
	c, err := s.Conflict(ctx, id)
	if err != nil {
		return nil, err
	}
	if decision != ConflictKept && decision != ConflictDone && (decision != ConflictBoth || c.Kind != ConflictModel) {
		return nil, callhome.Errorf(callhome.KindInvalid, "a conflict of kind %s cannot be decided as %q", c.Kind, decision)
	}
	c.State, c.ResolvedBy, c.ResolvedAt = decision, by.User, r.now()
	if err := s.ResolveConflict(ctx, c); err != nil {
		return nil, err
	}
	if c.Kind == ConflictModel {
		return c, r.resolveModels(ctx, s, c)
	}
	return c, r.resolveClaim(ctx, s, c)
}

// resolveModels decides between two records of one serial number.
func (r *Registrar) resolveModels(ctx context.Context, s Store, c *Conflict) error {
	for _, one := range []struct {
		id    ID
		loses bool
	}{{c.Device, c.State == ConflictDone}, {c.Other, c.State == ConflictKept}} {
		d, err := s.Device(ctx, one.id)
		if err != nil {
			return err
		}
		if d.Conflict == c.ID {
			d.Conflict = 0
		}
		if one.loses && d.State != StateRejected {
			if err := move(d, Rejected, c.ResolvedAt); err != nil {
				return err
			}
		}
		if err := s.PutDevice(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

// resolveClaim lets the device follow the later messages, or not.
func (r *Registrar) resolveClaim(ctx context.Context, s Store, c *Conflict) error {
	d, err := s.Device(ctx, c.Device)
	if err != nil {
		return err
	}
	if d.Conflict == c.ID {
		d.Conflict = 0
	}
	if c.State == ConflictDone {
		if c.Kind == ConflictContract {
			d.Contract = c.ClaimContract
		} else {
			d.Origin = c.Claim
		}
		if c.Claim.owns() {
			d.Company = c.Claim.Company
		} else if c.Kind == ConflictContract {
			d.Company = account.NoCompany
		}
		if d.State.Settled() { // another company or contract: a person confirms anew
			if err := move(d, Reopened, c.ResolvedAt); err != nil {
				return err
			}
		}
		if err := r.recover(ctx, s, d, c.ResolvedAt); err != nil {
			return err
		}
	}
	return s.PutDevice(ctx, d)
}
