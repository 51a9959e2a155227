package sqlstore

import (
	"context"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/casework"
)

// AddWindow implements [casework.Store].
func (s caseworkStore) AddWindow(ctx context.Context, w *casework.Window) error {
	w.ID = s.NewID()
	_, err := s.exec(ctx, "casework_add_window", w.ID, int64(w.Company), string(w.Scope), w.Target, micros(w.From), micros(w.Until), w.Reason, w.By)
	return err
}

func scanWindow(r scanner) (w casework.Window, err error) {
	var from, until int64
	err = r.Scan(&w.ID, &w.Company, &w.Scope, &w.Target, &from, &until, &w.Reason, &w.By)
	w.From, w.Until = fromMicros(from), fromMicros(until)
	return w, err
}

// EndWindow implements [casework.Store].
func (s caseworkStore) EndWindow(ctx context.Context, reach account.Reach, id int64, now time.Time) error {
	w, err := scanWindow(s.row(ctx, "casework_window", id))
	ok, err := found(err)
	switch {
	case err != nil:
		return err
	case !ok || !reach.Has(w.Company):
		return callhome.Errorf(callhome.KindNotFound, "there is no maintenance window %d", id)
	case w.From.After(now):
		_, err = s.exec(ctx, "casework_drop_window", id)
	default:
		_, err = s.exec(ctx, "casework_end_window", id, micros(now))
	}
	return err
}

// WindowsAt implements [casework.Store].
func (s caseworkStore) WindowsAt(ctx context.Context, company account.CompanyID, t time.Time) ([]casework.Window, error) {
	rows, err := s.query(ctx, "casework_windows_at", int64(company), micros(t))
	return collect(rows, err, scanWindow)
}

// Windows implements [casework.Store].
func (s caseworkStore) Windows(ctx context.Context, reach account.Reach, page account.Page) ([]casework.Window, error) {
	l := newListing("SELECT id, company_id, scope, target, from_at, until_at, reason, made_by FROM case_windows")
	l.reach("company_id", reach)
	l.page("id", page)
	rows, err := s.ask(ctx, l.text(), l.args...)
	return collect(rows, err, scanWindow)
}

// AddOverride implements [casework.Store].
func (s caseworkStore) AddOverride(ctx context.Context, o *casework.Override) error {
	o.ID = s.NewID()
	_, err := s.exec(ctx, "casework_add_override", o.ID, o.Rota, o.Person, micros(o.From), micros(o.Until), o.By)
	return err
}

// DropOverride implements [casework.Store].
func (s caseworkStore) DropOverride(ctx context.Context, id int64) error {
	n, err := s.exec(ctx, "casework_drop_override", id)
	if err == nil && n == 0 {
		err = callhome.Errorf(callhome.KindNotFound, "there is no override %d", id)
	}
	return err
}

func scanOverride(r scanner) (o casework.Override, err error) {
	var from, until int64
	err = r.Scan(&o.ID, &o.Rota, &o.Person, &from, &until, &o.By)
	o.From, o.Until = fromMicros(from), fromMicros(until)
	return o, err
}

// OverridesAt implements [casework.Store].
func (s caseworkStore) OverridesAt(ctx context.Context, t time.Time) ([]casework.Override, error) {
	rows, err := s.query(ctx, "casework_overrides_at", micros(t))
	return collect(rows, err, scanOverride)
}

// Overrides implements [casework.Store].
func (s caseworkStore) Overrides(ctx context.Context, page account.Page) ([]casework.Override, error) {
	l := newListing("SELECT id, rota, person, from_at, until_at, made_by FROM case_overrides")
	l.page("id", page)
	rows, err := s.ask(ctx, l.text(), l.args...)
	return collect(rows, err, scanOverride)
}

// AddLink implements [casework.Store].
func (s caseworkStore) AddLink(ctx context.Context, l *casework.Link) (bool, error) {
	n, err := s.exec(ctx, "casework_add_link", l.Case, l.Adapter, int64(l.Company), string(l.Number), l.Remote, l.URL, l.State, micros(l.RemoteAt), micros(l.AddedAt))
	return n > 0, err
}

// PutLink implements [casework.Store].
func (s caseworkStore) PutLink(ctx context.Context, l *casework.Link) error {
	_, err := s.exec(ctx, "casework_put_link", l.Case, l.Adapter, l.Remote, l.URL, l.State, micros(l.RemoteAt))
	return err
}

func scanLink(r scanner) (l casework.Link, err error) {
	var remoteAt, addedAt int64
	err = r.Scan(&l.Case, &l.Adapter, &l.Company, &l.Number, &l.Remote, &l.URL, &l.State, &remoteAt, &addedAt)
	l.RemoteAt, l.AddedAt = fromMicros(remoteAt), fromMicros(addedAt)
	return l, err
}

// LinksOf implements [casework.Store].
func (s caseworkStore) LinksOf(ctx context.Context, id int64) ([]casework.Link, error) {
	rows, err := s.query(ctx, "casework_links_of", id)
	return collect(rows, err, scanLink)
}

// oneLink gives the link of a row, or says that there is none.
func oneLink(r scanner, adapter string) (*casework.Link, error) {
	l, err := scanLink(r)
	ok, err := found(err)
	if err == nil && !ok {
		err = callhome.Errorf(callhome.KindNotFound, "%s has no such case of ours", adapter)
	}
	if err != nil {
		return nil, err
	}
	return &l, nil
}

// LinkOf implements [casework.Store].
func (s caseworkStore) LinkOf(ctx context.Context, id int64, adapter string) (*casework.Link, error) {
	return oneLink(s.row(ctx, "casework_link_of", id, adapter), adapter)
}

// LinkByRemote implements [casework.Store].
func (s caseworkStore) LinkByRemote(ctx context.Context, adapter, remote string) (*casework.Link, error) {
	if remote == "" {
		return nil, callhome.Errorf(callhome.KindNotFound, "%s has no case without a name", adapter)
	}
	return oneLink(s.row(ctx, "casework_link_by_remote", adapter, remote), adapter)
}

// AddPush implements [casework.Store].
func (s caseworkStore) AddPush(ctx context.Context, p *casework.Push) error {
	snapshot, err := jsonText(p.Snapshot)
	if err != nil {
		return err
	}
	p.ID = s.NewID()
	_, err = s.exec(ctx, "casework_add_push", p.ID, p.Case, p.Adapter, p.Seq, int64(p.Company), string(p.Kind), p.Key, string(p.State), p.Tries,
		micros(p.AddedAt), micros(p.DueAt), p.LastError, snapshot)
	return err
}

const pushColumns = "id, case_id, adapter, seq, company_id, kind, push_key, state, tries, added_at, due_at, last_error, snapshot"

func scanPush(r scanner) (p casework.Push, err error) {
	var added, due int64
	var snapshot string
	err = r.Scan(&p.ID, &p.Case, &p.Adapter, &p.Seq, &p.Company, &p.Kind, &p.Key, &p.State, &p.Tries, &added, &due, &p.LastError, &snapshot)
	if err != nil {
		return p, err
	}
	p.AddedAt, p.DueAt = fromMicros(added), fromMicros(due)
	return p, fromJSON(snapshot, &p.Snapshot)
}

// ClaimPushes implements [casework.Store].
func (s caseworkStore) ClaimPushes(ctx context.Context, now, until time.Time, limit int) ([]casework.Push, error) {
	rows, err := s.query(ctx, "casework_ready_pushes", micros(now), limit)
	ids, err := collect(rows, err, func(r scanner) (id int64, err error) { return id, r.Scan(&id) })
	if err != nil {
		return nil, err
	}
	var out []casework.Push
	for _, id := range ids {
		p, err := scanPush(s.row(ctx, "casework_lease_push", id, micros(now), micros(until)))
		if ok, err := found(err); err != nil {
			return nil, err
		} else if ok {
			out = append(out, p)
		}
	}
	return out, nil
}

// PutPush implements [casework.Store].
func (s caseworkStore) PutPush(ctx context.Context, p *casework.Push) error {
	_, err := s.exec(ctx, "casework_put_push", p.ID, string(p.State), p.Tries, micros(p.DueAt), p.LastError)
	return err
}

// StatePending implements [casework.Store].
func (s caseworkStore) StatePending(ctx context.Context, id int64, adapter string) (bool, error) {
	var n int64
	err := s.row(ctx, "casework_state_pending", id, adapter).Scan(&n)
	return n > 0, err
}

// Pushes implements [casework.Store].
func (s caseworkStore) Pushes(ctx context.Context, f casework.PushFilter, page account.Page) ([]casework.Push, error) {
	l := newListing("SELECT " + pushColumns + " FROM case_pushes")
	l.andID("case_id", f.Case)
	l.andText("adapter", f.Adapter)
	l.andText("state", string(f.State))
	l.page("id", page)
	rows, err := s.ask(ctx, l.text(), l.args...)
	return collect(rows, err, scanPush)
}

// DropPushes implements [casework.Store].
func (s caseworkStore) DropPushes(ctx context.Context, before time.Time, limit int) (int64, error) {
	return s.exec(ctx, "casework_drop_pushes", idAt(before), limit)
}

// AddInbound implements [casework.Store].
func (s caseworkStore) AddInbound(ctx context.Context, adapter, event string, at time.Time) (bool, error) {
	n, err := s.exec(ctx, "casework_add_inbound", adapter, event, micros(at))
	return n > 0, err
}

// DropInbound implements [casework.Store].
func (s caseworkStore) DropInbound(ctx context.Context, before time.Time) (int64, error) {
	return s.exec(ctx, "casework_drop_inbound", micros(before))
}

// ClaimPoll implements [casework.Store].
func (s caseworkStore) ClaimPoll(ctx context.Context, adapter string, now, next time.Time) (time.Time, bool, error) {
	var since int64
	ok, err := found(s.row(ctx, "casework_claim_poll", adapter, micros(now), micros(next)).Scan(&since))
	return fromMicros(since), ok, err
}

// PutPoll implements [casework.Store].
func (s caseworkStore) PutPoll(ctx context.Context, adapter string, since time.Time) error {
	_, err := s.exec(ctx, "casework_put_poll", adapter, micros(since))
	return err
}
