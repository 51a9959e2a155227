package api

import (
	"context"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/registry"
)

// Exception is what was wrong with a device's messages on a day.
type Exception struct {
	ID         ID                `json:"id"`
	Day        string            `json:"day" doc:"UTC"`
	Reason     registry.Reason   `json:"reason"`
	Detail     string            `json:"detail,omitempty"`
	Count      int64             `json:"count"`
	FirstAt    time.Time         `json:"first_at"`
	LastAt     time.Time         `json:"last_at"`
	Device     ID                `json:"device,omitempty"`
	DeviceID   callhome.DeviceID `json:"device_id,omitempty"`
	SystemName string            `json:"sys_name,omitempty"`
	Serial     string            `json:"serial,omitempty"`
	Company    ID                `json:"company,omitempty"`
	Transport  string            `json:"transport,omitempty"`
	Gateway    string            `json:"gateway,omitempty"`
	Peer       string            `json:"peer,omitempty"`
	Message    ID                `json:"message,omitempty" doc:"The latest, under messages"`
}

type exceptionsInput struct {
	Paging
	Reason  string    `query:"reason" maxLength:"64"`
	Device  int64     `query:"device" minimum:"1"`
	Company int64     `query:"company" minimum:"1"`
	Since   time.Time `query:"since"`
}

func addExceptions(a *API) {
	addList[exceptionsInput](a, listing[exceptionsInput, Exception]{
		Route: listRoute("/exceptions", account.ExceptionRead, "List messages with a fault, by device, reason and day"),
		key:   func(e *Exception) int64 { return int64(e.ID) },
		page: func(ctx context.Context, q *query, in *exceptionsInput, p account.Page) ([]Exception, error) {
			f := registry.ExceptionFilter{Reason: registry.Reason(in.Reason), Device: registry.ID(in.Device), Since: in.Since}
			list, err := q.Registry().ListExceptions(ctx, q.within(in.Company), f, p)
			return mapped(list, exceptionOf), err
		},
	})
}

func exceptionOf(e *registry.Exception) Exception {
	return Exception{
		ID: ID(e.ID), Day: e.Day, Reason: e.Reason, Detail: e.Detail, Count: e.Count, FirstAt: e.FirstAt, LastAt: e.LastAt, Device: ID(e.Device), DeviceID: e.DeviceID,
		SystemName: e.SystemName, Serial: e.Serial, Company: ID(e.Company), Transport: e.Transport, Gateway: e.Gateway, Peer: e.Peer, Message: ID(e.ArchiveID),
	}
}
