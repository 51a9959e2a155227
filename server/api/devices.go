package api

import (
	"context"
	"net/http"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/registry"
)

// Device is a registration.
type Device struct {
	ID            ID                `json:"id"`
	DeviceID      callhome.DeviceID `json:"device_id" doc:"type@Sid@serial, as the device writes it"`
	SystemName    string            `json:"sys_name,omitempty"`
	Model         string            `json:"model,omitempty"`
	Serial        string            `json:"serial,omitempty"`
	Personality   string            `json:"personality,omitempty"`
	ProductFamily string            `json:"product_family,omitempty"`
	SWVersion     string            `json:"sw_version,omitempty"`
	Company       ID                `json:"company,omitempty" doc:"None: not assigned yet"`
	Site          string            `json:"site_id,omitempty" doc:"As the device says"`
	ContractID    string            `json:"contract_id,omitempty" doc:"Contract number that the device names"`
	CustomerID    string            `json:"customer_id,omitempty"`
	ContactName   string            `json:"contact_name,omitempty"`
	ContactEmail  string            `json:"contact_email,omitempty"`
	User          string            `json:"user,omitempty" doc:"Portal user that the device names"`
	State         registry.State    `json:"state" doc:"unknown, inventory-received, pending, confirmed, registered, no-contract, expired, rejected or suspended"`
	StateSince    time.Time         `json:"state_since,omitzero"`
	ConfirmedBy   ID                `json:"confirmed_by,omitempty"`
	ConfirmedAt   time.Time         `json:"confirmed_at,omitzero"`
	Contract      string            `json:"contract,omitempty" doc:"Number of the contract that covers the device"`
	Tier          string            `json:"tier,omitempty"`
	CoveredFrom   time.Time         `json:"covered_from,omitzero"`
	CoveredUntil  time.Time         `json:"covered_until,omitzero"`
	Entitled      bool              `json:"entitled" doc:"Registered, and a contract is in force now"`
	Via           string            `json:"via,omitempty" doc:"Agent or gateway whose certificate its messages come with"`
	Conflict      ID                `json:"conflict,omitempty" doc:"An open conflict about its serial number"`
	MailedAt      time.Time         `json:"mailed_at,omitzero" doc:"When its contact was last asked to confirm"`
	SilentSince   time.Time         `json:"silent_since,omitzero"`
	FirstSeen     time.Time         `json:"first_seen,omitzero"`
	LastSeen      time.Time         `json:"last_seen,omitzero"`
}

type deviceOutput struct{ Body Device }

type devicesInput struct {
	Paging
	State    string `query:"state" enum:"unknown,inventory-received,pending,confirmed,registered,no-contract,expired,rejected,suspended"`
	Model    string `query:"model" maxLength:"128"`
	Serial   string `query:"serial" maxLength:"128"`
	DeviceID string `query:"device_id" maxLength:"256"`
	Name     string `query:"sys_name" maxLength:"256" doc:"Beginning of the system name"`
	Version  string `query:"sw_version" maxLength:"128"`
	Contract string `query:"contract" maxLength:"128"`
	Site     string `query:"site_id" maxLength:"128"`
	Company  int64  `query:"company" minimum:"1"`
	Group    int64  `query:"group" minimum:"1" doc:"Devices put into this group by hand"`
	Silent   bool   `query:"silent"`
	Conflict bool   `query:"conflict"`
}

func (in *devicesInput) filter() registry.DeviceFilter {
	return registry.DeviceFilter{
		State: registry.State(in.State), Model: in.Model, Serial: in.Serial, DeviceID: callhome.DeviceID(in.DeviceID), Name: in.Name, Version: in.Version,
		Contract: in.Contract, Site: in.Site, Group: in.Group, Silent: in.Silent, Conflict: in.Conflict,
	}
}

func addDevices(a *API) {
	addList[devicesInput](a, listing[devicesInput, Device]{
		Route: listRoute("/devices", account.DeviceRead, "List devices"),
		key:   func(d *Device) int64 { return int64(d.ID) },
		page: func(ctx context.Context, q *query, in *devicesInput, p account.Page) ([]Device, error) {
			if in.Group != 0 {
				if _, err := q.findGroup(ctx, q.Registry(), in.Group); err != nil {
					return nil, err
				}
			}
			return q.devices(ctx, q.within(in.Company), in.filter(), p)
		},
	})
	look(a, Route{Path: "/devices/{id}", Action: account.DeviceRead, Summary: "One device"}, func(ctx context.Context, q *query, in *oneInput) (*deviceOutput, error) {
		d, err := q.findDevice(ctx, q.Registry(), in.ID)
		if err != nil {
			return nil, err
		}
		return &deviceOutput{Body: q.api.deviceOf(d)}, nil
	})
	change(a, Route{Method: http.MethodPatch, Path: "/devices/{id}", Action: account.DeviceWrite, Summary: "Give a device to a company, or name its contract"}, assignDevice)
	addConflicts(a)
}

// within is the caller's reach, narrowed to one company where one is asked for.
func (c *caller) within(company int64) account.Reach {
	reach := c.Reach()
	switch {
	case company == 0:
		return reach
	case reach.Has(account.CompanyID(company)):
		return account.Reach{Companies: []account.CompanyID{account.CompanyID(company)}}
	}
	return account.Reach{}
}

func (q *query) devices(ctx context.Context, reach account.Reach, f registry.DeviceFilter, p account.Page) ([]Device, error) {
	list, err := q.Registry().ListDevices(ctx, reach, f, p)
	return mapped(list, q.api.deviceOf), err
}

func (a *API) deviceOf(d *registry.Device) Device {
	e := &d.Entitlement
	return Device{
		ID: ID(d.ID), DeviceID: d.DeviceID, SystemName: d.SystemName, Model: d.Model, Serial: d.Serial, Personality: d.Personality, ProductFamily: d.ProductFamily,
		SWVersion: d.SWVersion, Company: ID(d.Company), Site: d.Site, ContractID: d.Contract, CustomerID: d.CustomerID, ContactName: d.ContactName,
		ContactEmail: d.ContactEmail, User: d.UserName, State: d.State, StateSince: d.StateSince, ConfirmedBy: ID(d.ConfirmedBy), ConfirmedAt: d.ConfirmedAt,
		Contract: e.Contract, Tier: string(e.Tier), CoveredFrom: e.From, CoveredUntil: e.Until, Entitled: e.Full(a.now()), Via: d.Origin.Name, Conflict: ID(d.Conflict),
		MailedAt: d.MailedAt, SilentSince: d.SilentSince, FirstSeen: d.FirstSeen, LastSeen: d.LastSeen,
	}
}

// findDevice is a device within reach.
func (c *caller) findDevice(ctx context.Context, s registry.Devices, id int64) (*registry.Device, error) {
	d, err := s.Device(ctx, registry.ID(id))
	if err != nil && callhome.KindOf(err) != callhome.KindNotFound {
		return nil, err
	}
	if err != nil || !c.Reach().Has(d.Company) {
		return nil, notFound("device")
	}
	return d, nil
}

type assignInput struct {
	ID   int64 `path:"id" minimum:"1"`
	Body struct {
		Company  *ID     `json:"company,omitempty" doc:"Whose it is from now on; a person of that company confirms it anew"`
		Contract *string `json:"contract,omitempty" minLength:"1" maxLength:"128" doc:"Contract number that covers it"`
	}
}

func assignDevice(ctx context.Context, d *deed, in *assignInput) (*deviceOutput, error) {
	dev, err := d.findDevice(ctx, d.Registry(), in.ID)
	if err != nil {
		return nil, err
	}
	if err := d.require(account.DeviceWrite, dev.Company, "device"); err != nil {
		return nil, err
	}
	company, contract := dev.Company, ""
	if in.Body.Company != nil {
		company = account.CompanyID(*in.Body.Company)
		if _, err := d.findCompany(ctx, d.Account(), int64(company)); err != nil {
			return nil, err
		}
		if err := d.require(account.DeviceWrite, company, "company"); err != nil {
			return nil, err
		}
	}
	if in.Body.Contract != nil {
		contract = *in.Body.Contract
		if _, err := d.findContract(ctx, d.Registry(), contract); err != nil {
			return nil, err
		}
	}
	if dev, err = d.api.registrar.Assign(ctx, d.Registry(), registry.ID(in.ID), company, contract); err != nil {
		return nil, err
	}
	return &deviceOutput{Body: d.api.deviceOf(dev)}, d.note(ctx, "device.assign", deviceName(dev), company, map[string]any{"company": company, "contract": contract})
}

func deviceName(d *registry.Device) string { return "device " + string(d.DeviceID) }
