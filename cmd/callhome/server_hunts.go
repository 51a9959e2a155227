package main

import (
	"context"

	"callhome"
	"callhome/control"
	"callhome/ctl"
	"callhome/server"
	"callhome/server/account"
	"callhome/server/analysis"
	"callhome/server/sqlstore"
)

// huntShown is how many findings of a hunt are shown with it.
const huntShown = 50

func (d *desk) serveHunts(s *control.Server) {
	s.Handle(ctl.CallHuntStart, call(d.startHunt))
	s.Handle(ctl.CallHuntList, call(d.hunts))
	s.Handle(ctl.CallHuntShow, call(d.hunt))
	s.Handle(ctl.CallHuntCancel, call(func(ctx context.Context, id int64) (row ctl.HuntRow, err error) {
		row.HuntRecord, err = d.conductor.CancelHunt(ctx, id, account.System())
		return row, err
	}))
}

func (d *desk) startHunt(ctx context.Context, o ctl.HuntOrder) (row ctl.HuntRow, err error) {
	order := server.HuntOrder{Rules: o.Rules}
	if err = d.tx(ctx, func(t *sqlstore.Tx) (err error) {
		order.Company, err = d.company(ctx, t, o.Company)
		return err
	}); err != nil {
		return row, err
	}
	row.CompanyName = o.Company
	row.HuntRecord, err = d.conductor.Hunt(ctx, order, account.System())
	return row, err
}

func (d *desk) hunts(ctx context.Context, q ctl.PageQuery) ([]ctl.HuntRow, error) {
	list, err := d.store.Read().Analysis().Hunts(ctx, account.Everywhere(), q.Page())
	rows, n := make([]ctl.HuntRow, 0, len(list)), d.names()
	for i := range list {
		row := ctl.HuntRow{HuntRecord: list[i]}
		if row.CompanyName, err = n.of(ctx, row.Company); err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, err
}

func (d *desk) hunt(ctx context.Context, id int64) (h ctl.Hunt, err error) {
	read := d.store.Read().Analysis()
	var ok bool
	if h.HuntRecord, ok, err = read.Hunt(ctx, account.Everywhere(), id); err != nil {
		return h, err
	}
	if !ok {
		return h, callhome.Errorf(callhome.KindNotFound, "there is no hunt %d", id)
	}
	if h.CompanyName, err = d.names().of(ctx, h.Company); err != nil {
		return h, err
	}
	h.Found, err = read.List(ctx, account.Everywhere(), analysis.Filter{Hunt: id}, account.Page{Limit: huntShown})
	return h, err
}
