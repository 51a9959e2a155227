package main

import (
	"context"
	"strconv"

	"callhome"
	"callhome/control"
	"callhome/ctl"
	"callhome/server/account"
	"callhome/server/advisory"
)

func (d *desk) serveAdvisories(s *control.Server) {
	s.Handle(ctl.CallAdvisoryImport, call(func(ctx context.Context, notices []advisory.Notice) (rows ctl.ImportedRows, err error) {
		out, err := d.conductor.ImportNotices(ctx, notices, account.System())
		return ctl.ImportedRows{Imported: out.Imported, Faults: out.Faults, Affected: out.Affected}, err
	}))
	s.Handle(ctl.CallAdvisoryList, call(func(ctx context.Context, q ctl.PageQuery) (rows ctl.NoticeRows, err error) {
		read := d.store.Read().Advisory()
		if rows.Notices, err = read.Notices(ctx, advisory.NoticeFilter{Sort: advisory.Sort(q.Match)}, q.Page()); err != nil {
			return rows, err
		}
		rows.Counts, err = read.Counts(ctx, account.Everywhere())
		return rows, err
	}))
	s.Handle(ctl.CallAdvisoryShow, call(func(ctx context.Context, o ctl.AdvisoryOrder) (row ctl.NoticeRow, err error) {
		id, err := d.findAdvisory(ctx, o.Name)
		if err != nil {
			return row, err
		}
		read := d.store.Read().Advisory()
		if row.Notice, err = read.Notice(ctx, id); err != nil {
			return row, err
		}
		row.Editions, err = read.Editions(ctx, id)
		return row, err
	}))
	s.Handle(ctl.CallAdvisoryMatch, call(d.matchAdvisories))
	s.Handle(ctl.CallAdvisoryWithdraw, call(func(ctx context.Context, o ctl.AdvisoryOrder) (none, error) {
		id, err := d.findAdvisory(ctx, o.Name)
		if err != nil {
			return none{}, err
		}
		_, err = d.conductor.WithdrawAdvisory(ctx, id, o.Reason, account.System())
		return none{}, err
	}))
}

// findAdvisory finds a notice by what its publisher calls it, or by its number.
func (d *desk) findAdvisory(ctx context.Context, name string) (int64, error) {
	list, err := d.store.Read().Advisory().Notices(ctx, advisory.NoticeFilter{Ident: name}, account.Page{Limit: 2})
	switch {
	case err != nil:
		return 0, err
	case len(list) == 1:
		return list[0].ID, nil
	case len(list) > 1:
		return 0, callhome.Errorf(callhome.KindConflict, "several publishers have a notice %q; name it by its number", name)
	}
	id, err := strconv.ParseInt(name, 10, 64)
	if err != nil {
		return 0, callhome.Errorf(callhome.KindNotFound, "there is no notice %q", name)
	}
	_, err = d.store.Read().Advisory().Notice(ctx, id)
	return id, named(err, "notice", name)
}

func (d *desk) matchAdvisories(ctx context.Context, o ctl.NameOrder) (rows ctl.MatchRows, err error) {
	dev, err := findDevice(ctx, d.store.Read().Registry(), o.Name)
	if err != nil {
		return rows, err
	}
	if err := d.conductor.ReviewDevice(ctx, int64(dev.ID)); err != nil {
		return rows, err
	}
	rows.Names = map[int64]string{int64(dev.ID): dev.SystemName}
	rows.Answers, err = d.store.Read().Advisory().Answers(ctx, account.Everywhere(), advisory.ResultFilter{Device: int64(dev.ID)}, account.Page{Limit: account.MaxLimit})
	return rows, err
}
