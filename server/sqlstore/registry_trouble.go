package sqlstore

import (
	"context"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/registry"
)

// tallyExceptions counts messages with a fault by reason and hour.
const tallyExceptions = "exception"

// AddException counts a message with a fault to its exception of the day.
func (s registryStore) AddException(ctx context.Context, e *registry.Exception) error {
	source := ""
	if e.Device == 0 { // one for each sender
		source = e.Peer + "\n" + e.Gateway + "\n" + e.Serial
	}
	s.countAt(tallyExceptions, e.Company, string(e.Reason), e.LastAt, e.Count)
	_, err := s.exec(ctx, "registry_add_exception", s.NewID(), e.Day, int64(e.Device), source, string(e.Reason), int64(e.Company), string(e.DeviceID),
		e.SystemName, e.Serial, e.Detail, e.Transport, e.Gateway, e.Peer, micros(e.FirstAt), micros(e.LastAt), e.Count, e.ArchiveID)
	return err
}

// ListExceptions is a page, newest first.
func (s registryStore) ListExceptions(ctx context.Context, reach account.Reach, f registry.ExceptionFilter, p account.Page) ([]registry.Exception, error) {
	l := newListing("SELECT id, day, device, reason, company_id, device_id, sys_name, serial, detail, transport, gateway, peer, " +
		"first_at, last_at, n, archive_id FROM exceptions")
	l.reach("company_id", reach)
	l.andText("reason", string(f.Reason))
	l.andID("device", int64(f.Device))
	if !f.Since.IsZero() {
		l.and("last_at >= ?", micros(f.Since))
	}
	l.page("id", p)
	rows, err := s.ask(ctx, l.text(), l.args...)
	return collect(rows, err, func(r scanner) (e registry.Exception, err error) {
		var first, last int64
		err = r.Scan(&e.ID, &e.Day, (*int64)(&e.Device), (*string)(&e.Reason), (*int64)(&e.Company), (*string)(&e.DeviceID), &e.SystemName, &e.Serial,
			&e.Detail, &e.Transport, &e.Gateway, &e.Peer, &first, &last, &e.Count, &e.ArchiveID)
		e.FirstAt, e.LastAt = fromMicros(first), fromMicros(last)
		return e, err
	})
}

// CountAnonymous counts an anonymous message.
func (s registryStore) CountAnonymous(ctx context.Context, at time.Time, model string, g callhome.AlertGroup) error {
	_, err := s.exec(ctx, "registry_count_anonymous", at.UTC().Format(time.DateOnly), model, string(g), s.store.node)
	return err
}

// AnonymousCounts are the counts of the days from since on.
func (s registryStore) AnonymousCounts(ctx context.Context, since time.Time, limit int) ([]registry.AnonymousCount, error) {
	rows, err := s.query(ctx, "registry_anonymous_counts", since.UTC().Format(time.DateOnly), limit)
	return collect(rows, err, func(r scanner) (c registry.AnonymousCount, err error) {
		return c, r.Scan(&c.Day, &c.Model, (*string)(&c.Group), &c.N)
	})
}

func scanConflict(r scanner) (c registry.Conflict, err error) {
	var first, last, resolved int64
	err = r.Scan(&c.ID, (*int64)(&c.Device), (*string)(&c.Kind), &c.Now, (*int64)(&c.Other), &c.Serial, (*int64)(&c.Company), &c.Was,
		(*int64)(&c.Claim.Enrolment), (*int64)(&c.Claim.Company), &c.Claim.Name, &c.ClaimContract, &c.Peer, &c.ArchiveID, &first, &last, &c.Count,
		(*string)(&c.State), (*int64)(&c.ResolvedBy), &resolved)
	c.FirstAt, c.LastAt, c.ResolvedAt = fromMicros(first), fromMicros(last), fromMicros(resolved)
	return c, err
}

// PutConflict stores a conflict or counts the message to the known one.
func (s registryStore) PutConflict(ctx context.Context, c *registry.Conflict) error {
	got, err := scanConflict(s.row(ctx, "registry_add_conflict", s.NewID(), int64(c.Device), string(c.Kind), c.Now, int64(c.Other), c.Serial, int64(c.Company),
		c.Was, int64(c.Claim.Enrolment), int64(c.Claim.Company), c.Claim.Name, c.ClaimContract, c.Peer, c.ArchiveID, micros(c.FirstAt), micros(c.LastAt), string(c.State)))
	if err == nil {
		*c = got
	}
	return err
}

// Conflict is a conflict by its ID.
func (s registryStore) Conflict(ctx context.Context, id int64) (*registry.Conflict, error) {
	c, err := scanConflict(s.row(ctx, "registry_conflict", id))
	return &c, one(err, "conflict")
}

// ResolveConflict stores how an open conflict was decided.
func (s registryStore) ResolveConflict(ctx context.Context, c *registry.Conflict) error {
	n, err := s.exec(ctx, "registry_resolve_conflict", c.ID, string(c.State), int64(c.ResolvedBy), micros(c.ResolvedAt))
	return stored(n, err, callhome.KindConflict, "conflict %d was decided already", c.ID)
}

// ListConflicts is a page, newest first.
func (s registryStore) ListConflicts(ctx context.Context, reach account.Reach, state registry.ConflictState, p account.Page) ([]registry.Conflict, error) {
	l := newListing("SELECT id, device, kind, evidence, other, serial, company_id, was, claim_enrolment, claim_company, claim_name, claim_contract, " +
		"peer, archive_id, first_at, last_at, n, state, resolved_by, resolved_at FROM conflicts")
	l.reach("company_id", reach)
	l.andText("state", string(state))
	l.page("id", p)
	rows, err := s.ask(ctx, l.text(), l.args...)
	return collect(rows, err, scanConflict)
}

func groupArgs(g *registry.Group) (rule, owners string, err error) {
	if rule, err = jsonText(g.Rule); err != nil {
		return "", "", err
	}
	owners, err = jsonText(g.Owners)
	return rule, owners, err
}

// AddGroup stores a new group.
func (s registryStore) AddGroup(ctx context.Context, g *registry.Group) error {
	rule, owners, err := groupArgs(g)
	if err != nil {
		return err
	}
	g.ID = s.NewID()
	n, err := s.exec(ctx, "registry_add_group", g.ID, int64(g.Company), string(g.Kind), g.Name, key(g.Name), rule, owners, g.Address, g.Contact)
	return stored(n, err, callhome.KindConflict, "there is a %s %q already", g.Kind, g.Name)
}

// PutGroup stores a changed group.
func (s registryStore) PutGroup(ctx context.Context, g *registry.Group) error {
	rule, owners, err := groupArgs(g)
	if err != nil {
		return err
	}
	n, err := s.exec(ctx, "registry_put_group", g.ID, g.Name, key(g.Name), rule, owners, g.Address, g.Contact)
	return stored(n, err, callhome.KindNotFound, "there is no group %d", g.ID)
}

// DeleteGroup removes a group and its memberships.
func (s registryStore) DeleteGroup(ctx context.Context, id int64) error {
	if _, err := s.exec(ctx, "registry_delete_members", id); err != nil {
		return err
	}
	n, err := s.exec(ctx, "registry_delete_group", id)
	return stored(n, err, callhome.KindNotFound, "there is no group %d", id)
}

func scanGroup(r scanner) (g registry.Group, err error) {
	var rule, owners string
	if err = r.Scan(&g.ID, (*int64)(&g.Company), (*string)(&g.Kind), &g.Name, &rule, &owners, &g.Address, &g.Contact); err != nil {
		return g, err
	}
	if err = fromJSON(rule, &g.Rule); err != nil {
		return g, err
	}
	return g, fromJSON(owners, &g.Owners)
}

// Group is a group by its ID.
func (s registryStore) Group(ctx context.Context, id int64) (*registry.Group, error) {
	g, err := scanGroup(s.row(ctx, "registry_group", id))
	return &g, one(err, "group")
}

// ListGroups is a page of groups, newest first.
func (s registryStore) ListGroups(ctx context.Context, reach account.Reach, kind registry.GroupKind, p account.Page) ([]registry.Group, error) {
	l := newListing("SELECT id, company_id, kind, name, rule, owners, address, contact FROM device_groups")
	l.reach("company_id", reach)
	l.andText("kind", string(kind))
	l.page("id", p)
	rows, err := s.ask(ctx, l.text(), l.args...)
	return collect(rows, err, scanGroup)
}

// SetMembers makes devices members of a group by hand, or no members.
func (s registryStore) SetMembers(ctx context.Context, group int64, member bool, devices ...registry.ID) error {
	query := "registry_drop_member"
	if member {
		query = "registry_add_member"
	}
	for _, d := range devices {
		if _, err := s.exec(ctx, query, group, int64(d)); err != nil {
			return err
		}
	}
	return nil
}

// GroupsByHand are the groups that a device was put in by hand.
func (s registryStore) GroupsByHand(ctx context.Context, d registry.ID) ([]int64, error) {
	rows, err := s.query(ctx, "registry_groups_by_hand", int64(d))
	return collect(rows, err, func(r scanner) (n int64, err error) { return n, r.Scan(&n) })
}
