package api

import (
	"context"

	"callhome"
	"callhome/server/account"
	"callhome/server/casework"
	"callhome/server/registry"
)

// subject is a device in the words of service requests.
func (d *deed) subject(ctx context.Context, dev *registry.Device) (*casework.Subject, error) {
	sub := &casework.Subject{
		Device: int64(dev.ID), DeviceID: dev.DeviceID, Company: dev.Company, Host: dev.SystemName, Model: dev.Model, Serial: dev.Serial, Personality: dev.Personality,
		SWVersion: dev.SWVersion, Site: dev.Site, Contract: dev.Entitlement.Contract, ContactName: dev.ContactName, ContactEmail: dev.ContactEmail,
		Entitled: dev.Entitlement.Full(d.api.now()),
	}
	if dev.Company != account.NoCompany {
		c, err := d.Account().Company(ctx, dev.Company)
		if err != nil && callhome.KindOf(err) != callhome.KindNotFound {
			return nil, err
		}
		if err == nil {
			sub.CompanyName = c.Name
		}
	}
	ids, err := d.Registry().GroupsByHand(ctx, dev.ID)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		g, err := d.Registry().Group(ctx, id)
		if err != nil {
			return nil, err
		}
		sub.Groups = append(sub.Groups, g.Name)
	}
	return sub, nil
}
