package api

import (
	"context"
	"net/http"

	"callhome"
	"callhome/server/account"
	"callhome/server/registry"
)

// Group is a set of devices of one company: a device group or a site.
type Group struct {
	ID      ID                 `json:"id"`
	Company ID                 `json:"company"`
	Kind    registry.GroupKind `json:"kind" doc:"group or site"`
	Name    string             `json:"name"`
	Rule    registry.GroupRule `json:"rule,omitzero" doc:"Takes the devices for which all its patterns hold; * and ? stand for what they do in file names"`
	Owners  []ID               `json:"owners,omitempty"`
	Address string             `json:"address,omitempty"`
	Contact string             `json:"contact,omitempty"`
}

type groupOutput struct{ Body Group }

type groupsInput struct {
	Paging
	Kind    string `query:"kind" enum:"group,site"`
	Company int64  `query:"company" minimum:"1"`
}

func addGroups(a *API) {
	for path, kind := range map[string]registry.GroupKind{"/groups": "", "/sites": registry.GroupIsSite} {
		addList[groupsInput](a, listing[groupsInput, Group]{
			Route: listRoute(path, account.DeviceRead, "List "+path[1:]),
			key:   func(g *Group) int64 { return int64(g.ID) },
			page: func(ctx context.Context, q *query, in *groupsInput, p account.Page) ([]Group, error) {
				which := kind
				if which == "" {
					which = registry.GroupKind(in.Kind)
				}
				list, err := q.Registry().ListGroups(ctx, q.within(in.Company), which, p)
				return mapped(list, groupOf), err
			},
		})
	}
	look(a, Route{Path: "/groups/{id}", Action: account.DeviceRead, Summary: "One group or site"}, func(ctx context.Context, q *query, in *oneInput) (*groupOutput, error) {
		g, err := q.findGroup(ctx, q.Registry(), in.ID)
		if err != nil {
			return nil, err
		}
		return &groupOutput{Body: groupOf(g)}, nil
	})
	change(a, Route{Method: http.MethodPost, Path: "/groups", Action: account.GroupWrite, Success: http.StatusCreated, Summary: "Make a group or site"}, newGroup)
	change(a, Route{Method: http.MethodPut, Path: "/groups/{id}", Action: account.GroupWrite, Summary: "Change a group or site"}, putGroup)
	change(a, Route{Method: http.MethodDelete, Path: "/groups/{id}", Action: account.GroupWrite, Success: http.StatusNoContent, Summary: "Remove a group or site"}, deleteGroup)
	change(a, Route{Method: http.MethodPost, Path: "/groups/{id}/members", Action: account.GroupWrite, Success: http.StatusNoContent, Summary: "Put devices into a group by hand, and take them out"}, changeMembers)
}

func groupOf(g *registry.Group) Group {
	return Group{ID: ID(g.ID), Company: ID(g.Company), Kind: g.Kind, Name: g.Name, Rule: g.Rule, Owners: idsOf(g.Owners), Address: g.Address, Contact: g.Contact}
}

func (c *caller) findGroup(ctx context.Context, s registry.Devices, id int64) (*registry.Group, error) {
	g, err := s.Group(ctx, id)
	if err != nil && callhome.KindOf(err) != callhome.KindNotFound {
		return nil, err
	}
	if err != nil || !c.Reach().Has(g.Company) {
		return nil, notFound("group")
	}
	return g, nil
}

// GroupText is what people say of a group.
type GroupText struct {
	Name    string             `json:"name" maxLength:"128"`
	Rule    registry.GroupRule `json:"rule,omitzero"`
	Owners  []ID               `json:"owners,omitempty" maxItems:"1000"`
	Address string             `json:"address,omitempty" maxLength:"512"`
	Contact string             `json:"contact,omitempty" maxLength:"256"`
}

func (b *GroupText) fill(ctx context.Context, d *deed, g *registry.Group) error {
	for _, id := range b.Owners {
		if _, err := d.findUser(ctx, d.Account(), int64(id)); err != nil {
			return err
		}
	}
	g.Name, g.Rule, g.Owners, g.Address, g.Contact = b.Name, b.Rule, numbersOf[account.UserID](b.Owners), b.Address, b.Contact
	return g.Check()
}

type newGroupInput struct {
	Repeatable
	Body struct {
		GroupText
		Company ID                 `json:"company"`
		Kind    registry.GroupKind `json:"kind" enum:"group,site"`
	}
}

func newGroup(ctx context.Context, d *deed, in *newGroupInput) (*groupOutput, error) {
	g := &registry.Group{Company: account.CompanyID(in.Body.Company), Kind: in.Body.Kind}
	if _, err := d.findCompany(ctx, d.Account(), int64(g.Company)); err != nil {
		return nil, err
	}
	if err := d.require(account.GroupWrite, g.Company, "company"); err != nil {
		return nil, err
	}
	if err := in.Body.fill(ctx, d, g); err != nil {
		return nil, err
	}
	if err := d.Registry().AddGroup(ctx, g); err != nil {
		return nil, err
	}
	return &groupOutput{Body: groupOf(g)}, d.note(ctx, "group.create", string(g.Kind)+" "+g.Name, g.Company, nil)
}

// writableGroup is a group that the caller may change.
func (d *deed) writableGroup(ctx context.Context, id int64) (*registry.Group, error) {
	g, err := d.findGroup(ctx, d.Registry(), id)
	if err != nil {
		return nil, err
	}
	return g, d.require(account.GroupWrite, g.Company, "group")
}

type putGroupInput struct {
	ID   int64 `path:"id" minimum:"1"`
	Body GroupText
}

func putGroup(ctx context.Context, d *deed, in *putGroupInput) (*groupOutput, error) {
	g, err := d.writableGroup(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if err := in.Body.fill(ctx, d, g); err != nil {
		return nil, err
	}
	if err := d.Registry().PutGroup(ctx, g); err != nil {
		return nil, err
	}
	return &groupOutput{Body: groupOf(g)}, d.note(ctx, account.GroupWrite, string(g.Kind)+" "+g.Name, g.Company, nil)
}

func deleteGroup(ctx context.Context, d *deed, in *oneInput) (*nothing, error) {
	g, err := d.writableGroup(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if err := d.Registry().DeleteGroup(ctx, g.ID); err != nil {
		return nil, err
	}
	return &nothing{}, d.note(ctx, "group.delete", string(g.Kind)+" "+g.Name, g.Company, nil)
}

type membersInput struct {
	ID   int64 `path:"id" minimum:"1"`
	Body struct {
		Add    []ID `json:"add,omitempty" maxItems:"1000"`
		Remove []ID `json:"remove,omitempty" maxItems:"1000"`
	}
}

func changeMembers(ctx context.Context, d *deed, in *membersInput) (*nothing, error) {
	g, err := d.writableGroup(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	for _, id := range in.Body.Add {
		dev, err := d.findDevice(ctx, d.Registry(), int64(id))
		if err != nil {
			return nil, err
		}
		if dev.Company != g.Company {
			return nil, callhome.Errorf(callhome.KindInvalid, "device %s is not of the group's company", id)
		}
	}
	if err := d.Registry().SetMembers(ctx, g.ID, true, numbersOf[registry.ID](in.Body.Add)...); err != nil {
		return nil, err
	}
	if err := d.Registry().SetMembers(ctx, g.ID, false, numbersOf[registry.ID](in.Body.Remove)...); err != nil {
		return nil, err
	}
	return &nothing{}, d.note(ctx, "group.members", string(g.Kind)+" "+g.Name, g.Company, map[string]any{"added": len(in.Body.Add), "removed": len(in.Body.Remove)})
}
