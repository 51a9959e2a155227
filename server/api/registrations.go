package api

import (
	"context"
	"errors"
	"net/http"

	"callhome"
	"callhome/server/account"
	"callhome/server/registry"
)

func addRegistrations(a *API) {
	addList[registrationsInput](a, listing[registrationsInput, Device]{
		Route: listRoute("/registrations", account.DeviceRead, "List devices that wait to be confirmed"),
		key:   func(d *Device) int64 { return int64(d.ID) },
		page: func(ctx context.Context, q *query, in *registrationsInput, p account.Page) ([]Device, error) {
			return q.devices(ctx, q.within(in.Company), registry.DeviceFilter{Asking: true}, p)
		},
	})
	confirm := func(path, summary string) Route {
		return Route{Method: http.MethodPost, Path: path, Action: account.DeviceConfirm, Summary: summary}
	}
	change(a, confirm("/registrations/{id}/confirm", "Confirm a device"), func(ctx context.Context, d *deed, in *confirmInput) (*deviceOutput, error) {
		if _, err := d.findDevice(ctx, d.Registry(), in.ID); err != nil {
			return nil, err
		}
		b := &in.Body
		return d.confirm(ctx, registry.ConfirmOrder{Device: registry.ID(in.ID), Code: callhome.NewSecret(b.Code), Contract: b.Contract, Agreed: b.Agreed, By: d.Principal})
	})
	change(a, confirm("/registrations/confirm", "Confirm a device by the link of the mail to its contact"), func(ctx context.Context, d *deed, in *claimInput) (*deviceOutput, error) {
		b := &in.Body
		return d.confirm(ctx, registry.ConfirmOrder{Token: callhome.NewSecret(b.Token), Code: callhome.NewSecret(b.Code), Contract: b.Contract, Agreed: b.Agreed, By: d.Principal})
	})
	for verb, decision := range map[string]struct {
		happening registry.Happening
		summary   string
	}{
		"reject":  {registry.Rejected, "Reject a device: its messages are stored and marked"},
		"suspend": {registry.Suspended, "Suspend a device"},
		"resume":  {registry.Resumed, "End a device's suspension"},
		"reopen":  {registry.Reopened, "Have a device confirmed anew"},
	} {
		change(a, confirm("/registrations/{id}/"+verb, decision.summary), func(ctx context.Context, d *deed, in *oneInput) (*deviceOutput, error) {
			return d.decide(ctx, in.ID, decision.happening)
		})
	}
	change(a, confirm("/registrations/{id}/resend", "Ask a device's contact again, by mail"), resend)
}

type registrationsInput struct {
	Paging
	Company int64 `query:"company" minimum:"1"`
}

type confirmInput struct {
	ID   int64 `path:"id" minimum:"1"`
	Body struct {
		Agreed   bool   `json:"agreed" doc:"To the terms of service"`
		Contract string `json:"contract,omitempty" maxLength:"128" doc:"Where the device names none, or a wrong one"`
		Code     string `json:"code,omitempty" maxLength:"64" doc:"Security code of the mail, where the contract is not yours"`
	}
}

type claimInput struct {
	Body struct {
		Token    string `json:"token" minLength:"1" maxLength:"256" doc:"Of the link in the mail"`
		Code     string `json:"code,omitempty" maxLength:"64"`
		Contract string `json:"contract,omitempty" maxLength:"128"`
		Agreed   bool   `json:"agreed"`
	}
}

// confirm registers a device. That a wrong code was tried is kept, so that codes cannot be guessed.
func (d *deed) confirm(ctx context.Context, o registry.ConfirmOrder) (*deviceOutput, error) {
	dev, notices, err := d.api.registrar.Confirm(ctx, d.Registry(), o)
	if errors.Is(err, registry.ErrWrongCode) {
		d.failure = err
		return nil, d.note(ctx, "device.wrong-code", "device "+ID(o.Device).String(), account.NoCompany, nil)
	}
	if err != nil {
		return nil, err
	}
	if err := d.tell(ctx, notices...); err != nil {
		return nil, err
	}
	return &deviceOutput{Body: d.api.deviceOf(dev)}, d.note(ctx, account.DeviceConfirm, deviceName(dev), dev.Company, map[string]any{"state": dev.State, "contract": dev.Entitlement.Contract})
}

func (d *deed) decide(ctx context.Context, id int64, h registry.Happening) (*deviceOutput, error) {
	dev, err := d.findDevice(ctx, d.Registry(), id)
	if err != nil {
		return nil, err
	}
	if err := d.require(account.DeviceConfirm, dev.Company, "device"); err != nil {
		return nil, err
	}
	if dev, err = d.api.registrar.Decide(ctx, d.Registry(), registry.ID(id), h); err != nil {
		return nil, err
	}
	return &deviceOutput{Body: d.api.deviceOf(dev)}, d.note(ctx, account.Action("device."+string(h)), deviceName(dev), dev.Company, map[string]any{"state": dev.State})
}

func resend(ctx context.Context, d *deed, in *oneInput) (*nothing, error) {
	dev, err := d.findDevice(ctx, d.Registry(), in.ID)
	if err != nil {
		return nil, err
	}
	if err := d.require(account.DeviceConfirm, dev.Company, "device"); err != nil {
		return nil, err
	}
	notice, err := d.api.registrar.Resend(ctx, d.Registry(), registry.ID(in.ID))
	if err != nil {
		return nil, err
	}
	if err := d.tell(ctx, notice); err != nil {
		return nil, err
	}
	return &nothing{}, d.note(ctx, "device.resend", deviceName(dev), dev.Company, map[string]any{"to": dev.ContactEmail})
}
