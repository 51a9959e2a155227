package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/registry"
)

// Conflict is a serial number that appeared from elsewhere; an operator decides it.
type Conflict struct {
	ID         ID                     `json:"id"`
	Device     ID                     `json:"device" doc:"The device that was known before"`
	Other      ID                     `json:"other,omitempty" doc:"The device with the other product model"`
	Serial     string                 `json:"serial"`
	Company    ID                     `json:"company,omitempty"`
	Kind       registry.ConflictKind  `json:"kind" doc:"model, company, contract or origin"`
	Was        string                 `json:"was"`
	Now        string                 `json:"now"`
	Peer       string                 `json:"peer,omitempty"`
	Message    ID                     `json:"message,omitempty"`
	FirstAt    time.Time              `json:"first_at"`
	LastAt     time.Time              `json:"last_at"`
	Count      int64                  `json:"count"`
	State      registry.ConflictState `json:"state" doc:"open, kept, moved or both"`
	ResolvedBy ID                     `json:"resolved_by,omitempty"`
	ResolvedAt time.Time              `json:"resolved_at,omitzero"`
}

type conflictOutput struct{ Body Conflict }

type conflictsInput struct {
	Paging
	State string `query:"state" enum:"open,kept,moved,both"`
}

func addConflicts(a *API) {
	// Whose the other side is, is not for the company of the known device to see: operators only, as for deciding.
	addList[conflictsInput](a, listing[conflictsInput, Conflict]{
		Route: listRoute("/conflicts", account.DeviceResolve, "List conflicts about serial numbers"),
		key:   func(c *Conflict) int64 { return int64(c.ID) },
		page: func(ctx context.Context, q *query, in *conflictsInput, p account.Page) ([]Conflict, error) {
			list, err := q.Registry().ListConflicts(ctx, q.Reach(), registry.ConflictState(in.State), p)
			return mapped(list, conflictOf), err
		},
	})
	change(a, Route{Method: http.MethodPost, Path: "/conflicts/{id}/resolve", Action: account.DeviceResolve, Summary: "Decide a conflict"}, resolveConflict)
}

func conflictOf(c *registry.Conflict) Conflict {
	return Conflict{
		ID: ID(c.ID), Device: ID(c.Device), Other: ID(c.Other), Serial: c.Serial, Company: ID(c.Company), Kind: c.Kind, Was: c.Was, Now: c.Now, Peer: c.Peer,
		Message: ID(c.ArchiveID), FirstAt: c.FirstAt, LastAt: c.LastAt, Count: c.Count, State: c.State, ResolvedBy: ID(c.ResolvedBy), ResolvedAt: c.ResolvedAt,
	}
}

type resolveInput struct {
	ID   int64 `path:"id" minimum:"1"`
	Body struct {
		Decision registry.ConflictState `json:"decision" enum:"kept,moved,both" doc:"kept: the device stays as known; moved: it is what the later messages say; both: two devices share the number"`
	}
}

func resolveConflict(ctx context.Context, d *deed, in *resolveInput) (*conflictOutput, error) {
	c, err := d.Registry().Conflict(ctx, in.ID)
	if err != nil && callhome.KindOf(err) != callhome.KindNotFound {
		return nil, err
	}
	if err != nil || !d.Reach().Has(c.Company) {
		return nil, notFound("conflict")
	}
	if c, err = d.api.registrar.Resolve(ctx, d.Registry(), in.ID, in.Body.Decision, d.Principal); err != nil {
		return nil, err
	}
	return &conflictOutput{Body: conflictOf(c)}, d.note(ctx, "device.resolve", "conflict "+strconv.FormatInt(c.ID, 10), c.Company, map[string]any{"decision": in.Body.Decision, "serial": c.Serial})
}
