package api

import (
	"context"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/inventory"
)

// Inventory is what a device was made of from one message on.
type Inventory struct {
	Device     ID                  `json:"device"`
	Revision   int                 `json:"revision" doc:"From 1"`
	MessageID  callhome.MessageID  `json:"message_id,omitempty" doc:"That told of it"`
	At         time.Time           `json:"at" doc:"Time of the event"`
	StoredAt   time.Time           `json:"stored_at,omitzero"`
	Full       bool                `json:"full" doc:"It came from a full inventory"`
	Incomplete bool                `json:"incomplete" doc:"No full inventory that names chassis and units has come yet"`
	Changes    []InventoryChange   `json:"changes,omitempty" doc:"Against the revision before"`
	Inventory  inventory.Inventory `json:"inventory,omitzero" doc:"Left out in lists"`
}

// InventoryChange is one difference between two revisions.
type InventoryChange struct {
	Kind       inventory.ChangeKind `json:"kind" doc:"added, removed, replaced, moved, software, hardware or chassis"`
	Slot       string               `json:"slot,omitempty" doc:"None: the device itself"`
	Old        *inventory.Unit      `json:"old,omitempty"`
	New        *inventory.Unit      `json:"new,omitempty"`
	From       string               `json:"from,omitempty"`
	To         string               `json:"to,omitempty"`
	FromDevice ID                   `json:"from_device,omitempty"`
	Text       string               `json:"text" doc:"In words"`
}

// Unit is a unit where it is.
type Unit struct {
	ID     ID             `json:"id"`
	Device ID             `json:"device"`
	Since  time.Time      `json:"since"`
	Unit   inventory.Unit `json:"unit"`
}

type inventoryOutput struct{ Body Inventory }

type changesOutput struct {
	Body struct {
		From    int               `json:"from"`
		To      int               `json:"to"`
		Changes []InventoryChange `json:"changes"`
	}
}

type revisionsInput struct {
	Paging
	ID int64 `path:"id" minimum:"1"`
}

type revisionInput struct {
	ID     int64 `path:"id" minimum:"1"`
	Number int   `path:"number" minimum:"1" maximum:"2147483647"`
}

type diffInput struct {
	ID   int64 `path:"id" minimum:"1"`
	From int   `query:"from" minimum:"1" maximum:"2147483647" required:"true" doc:"Number of a revision"`
	To   int   `query:"to" minimum:"1" maximum:"2147483647" doc:"None: the latest"`
}

type unitsInput struct {
	Paging
	Device    int64  `query:"device" minimum:"1"`
	Serial    string `query:"serial" maxLength:"128"`
	Product   string `query:"product" maxLength:"128" doc:"From its beginning"`
	PartNo    string `query:"part_no" maxLength:"128" doc:"From its beginning"`
	SWVersion string `query:"sw_version" maxLength:"128"`
	Company   int64  `query:"company" minimum:"1"`
}

type summaryInput struct {
	By      string `query:"by" enum:"family,version,model" default:"family"`
	Company int64  `query:"company" minimum:"1"`
}

type summaryOutput struct {
	Body struct {
		Items []inventory.Count `json:"items" doc:"Most devices first"`
	}
}

func addInventories(a *API) {
	look(a, Route{Path: "/devices/{id}/inventory", Action: account.DeviceRead, Summary: "A device's latest inventory"}, func(ctx context.Context, q *query, in *oneInput) (*inventoryOutput, error) {
		return q.revision(ctx, in.ID, 0)
	})
	look(a, Route{Path: "/devices/{id}/inventory/revisions/{number}", Action: account.DeviceRead, Summary: "A device's inventory as it was"}, func(ctx context.Context, q *query, in *revisionInput) (*inventoryOutput, error) {
		return q.revision(ctx, in.ID, in.Number)
	})
	look(a, Route{Path: "/devices/{id}/inventory/diff", Action: account.DeviceRead, Summary: "What changed between two revisions of a device's inventory"}, diffInventory)
	addList[revisionsInput](a, listing[revisionsInput, Inventory]{
		Route: listRoute("/devices/{id}/inventory/revisions", account.DeviceRead, "List the revisions of a device's inventory"),
		key:   func(r *Inventory) int64 { return int64(r.Revision) },
		page: func(ctx context.Context, q *query, in *revisionsInput, p account.Page) ([]Inventory, error) {
			if _, err := q.findDevice(ctx, q.Registry(), in.ID); err != nil {
				return nil, err
			}
			list, err := q.Inventory().Revisions(ctx, q.Reach(), in.ID, p)
			return mapped(list, inventoryOf), err
		},
	})
	addList[unitsInput](a, listing[unitsInput, Unit]{
		Route: listRoute("/units", account.DeviceRead, "List units of all devices: cards, power supplies, fans, optics"),
		key:   func(u *Unit) int64 { return int64(u.ID) },
		page: func(ctx context.Context, q *query, in *unitsInput, p account.Page) ([]Unit, error) {
			f := inventory.UnitFilter{Device: in.Device, Serial: in.Serial, Product: in.Product, PartNo: in.PartNo, SWVersion: in.SWVersion}
			list, err := q.Inventory().Units(ctx, q.within(in.Company), f, p)
			return mapped(list, func(p *inventory.Place) Unit {
				return Unit{ID: ID(p.ID), Device: ID(p.Device), Since: p.Since, Unit: p.Unit}
			}), err
		},
	})
	look(a, Route{Path: "/inventory/summary", Action: account.DeviceRead, Summary: "How many devices there are of each product family, version or model"}, func(ctx context.Context, q *query, in *summaryInput) (*summaryOutput, error) {
		out := &summaryOutput{}
		var err error
		out.Body.Items, err = q.Inventory().Summary(ctx, q.within(in.Company), inventory.By(in.By))
		return out, err
	})
}

func (q *query) revision(ctx context.Context, device int64, number int) (*inventoryOutput, error) {
	r, err := q.findRevision(ctx, device, number)
	if err != nil {
		return nil, err
	}
	return &inventoryOutput{Body: inventoryOf(r)}, nil
}

func (q *query) findRevision(ctx context.Context, device int64, number int) (*inventory.Revision, error) {
	if _, err := q.findDevice(ctx, q.Registry(), device); err != nil {
		return nil, err
	}
	r, err := q.Inventory().Revision(ctx, q.Reach(), device, number)
	if err != nil && callhome.KindOf(err) == callhome.KindNotFound {
		return nil, notFound("inventory")
	}
	return &r, err
}

func inventoryOf(r *inventory.Revision) Inventory {
	return Inventory{
		Device: ID(r.Device), Revision: r.Number, MessageID: r.MessageID, At: r.At, StoredAt: r.StoredAt, Full: r.Full, Incomplete: r.Incomplete,
		Changes: mapped(r.Changes, inventoryChangeOf), Inventory: r.Inventory,
	}
}

func inventoryChangeOf(c *inventory.Change) InventoryChange {
	return InventoryChange{Kind: c.Kind, Slot: c.Slot, Old: c.Old, New: c.New, From: c.From, To: c.To, FromDevice: ID(c.FromDevice), Text: c.Text()}
}

func diffInventory(ctx context.Context, q *query, in *diffInput) (*changesOutput, error) {
	from, err := q.findRevision(ctx, in.ID, in.From)
	if err != nil {
		return nil, err
	}
	to, err := q.findRevision(ctx, in.ID, in.To)
	if err != nil {
		return nil, err
	}
	out := &changesOutput{}
	out.Body.From, out.Body.To = from.Number, to.Number
	out.Body.Changes = mapped(inventory.Compare(from.Inventory, to.Inventory), inventoryChangeOf)
	return out, nil
}
