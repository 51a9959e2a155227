package main

import (
	"context"

	"callhome"
	"callhome/control"
	"callhome/ctl"
	"callhome/gateway"
	"callhome/gateway/book"
	"callhome/gateway/bundle"
)

// maxRows bounds what one list gives.
const maxRows = 10_000

// defaultRows is what it gives unless asked for more.
const defaultRows = 200

func rows(limit int) int {
	if limit <= 0 {
		return defaultRows
	}
	return min(limit, maxRows)
}

// serve registers what a running gateway answers.
func (s *site) serve(c *control.Server, file string) {
	serveQueue(c, s.queue)
	c.Handle(ctl.CallGatewayStatus, call(func(ctx context.Context, _ *none) (*gateway.Status, error) { return s.status(ctx) }))
	c.Handle(ctl.CallReload, call(func(context.Context, *none) (ctl.Reloaded, error) { return s.reload(file) }))
	c.Handle(ctl.CallGatewayDevices, call(s.deviceList))
	c.Handle(ctl.CallGatewayForget, call(func(ctx context.Context, key string) (none, error) { return none{}, s.gateway.ForgetDevice(ctx, key) }))
	c.Handle(ctl.CallGatewayRegister, call(func(ctx context.Context, token string) (*gateway.Status, error) {
		if err := s.register(ctx, callhome.NewSecret(token)); err != nil {
			return nil, err
		}
		return s.status(ctx)
	}))
	c.Handle(ctl.CallGatewayExport, call(s.gateway.Export))
	c.Handle(ctl.CallGatewayImport, call(func(ctx context.Context, o ctl.BundleOrder) (*gateway.Imported, error) {
		return s.gateway.Import(ctx, o.File, o.Receipt)
	}))
	c.Handle(ctl.CallGatewayReceipt, call(s.gateway.Receipt))
	c.Handle(ctl.CallGatewayBundles, call(func(ctx context.Context, _ *none) ([]book.Bundle, error) { return s.gateway.Bundles(ctx) }))
	c.Handle(ctl.CallGatewayKey, call(func(context.Context, *none) (bundle.Peer, error) { return s.gateway.Key() }))
	c.Handle(ctl.CallShelfList, call(func(ctx context.Context, q ctl.ShelfQuery) ([]book.Shelved, error) {
		return s.book.Shelf(ctx, q.After, rows(q.Limit))
	}))
	c.Handle(ctl.CallShelfShow, call(s.book.Shelved))
	c.Handle(ctl.CallShelfRetry, call(func(ctx context.Context, q ctl.ShelfQuery) (int, error) {
		return eachShelved(q.IDs, func(id int64) error { return s.gateway.ShelfRetry(ctx, id) })
	}))
	c.Handle(ctl.CallShelfDrop, call(func(ctx context.Context, q ctl.ShelfQuery) (int, error) {
		return eachShelved(q.IDs, func(id int64) error { return s.book.Unshelve(ctx, id) })
	}))
}

// register joins a back end with a one-time token.
func (s *site) register(ctx context.Context, token callhome.Secret) error {
	if s.enrol == nil {
		return callhome.Errorf(callhome.KindConflict, "there is nobody to register with; name a back end with an https address under upstream or register_at")
	}
	if err := s.enrol.Enrol(ctx, token); err != nil {
		return err
	}
	s.joined()
	return nil
}

func eachShelved(ids []int64, f func(int64) error) (n int, err error) {
	for _, id := range ids {
		if err := f(id); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func (s *site) deviceList(ctx context.Context, q ctl.HeardQuery) ([]ctl.GatewayDevice, error) {
	list := s.gateway.Devices
	if q.Silent {
		list = s.gateway.Silent
	}
	devices, err := list(ctx, q.After, rows(q.Limit))
	after := s.config().SilentAfter
	out := make([]ctl.GatewayDevice, 0, len(devices))
	for _, d := range devices {
		out = append(out, ctl.GatewayDevice{Device: d, PeriodSeconds: int64(d.Period.Seconds()), Silent: d.DueAt(after).Before(now())})
	}
	return out, err
}

// status is the gateway's, with what only this package knows.
func (s *site) status(ctx context.Context) (*gateway.Status, error) {
	st, err := s.gateway.Status(ctx)
	if err != nil {
		return nil, err
	}
	st.Version, st.Health = version, s.health.Snapshot()
	if s.enrol != nil {
		st.Registration = s.enrol.State()
	}
	if s.devices != nil {
		for _, u := range s.devices.URLs() {
			st.Listeners = append(st.Listeners, gateway.Listener{Address: u})
		}
	}
	if s.weak != nil {
		for _, u := range s.weak.URLs() {
			st.Listeners = append(st.Listeners, gateway.Listener{Address: u, Weak: true})
		}
	}
	if s.mail != nil {
		for _, a := range s.mail.Addrs() {
			st.Listeners = append(st.Listeners, gateway.Listener{Address: "smtp://" + a})
		}
	}
	if s.mailbox != nil {
		m := s.mailbox.Status()
		st.Mailbox = &gateway.Mailbox{Address: m.Address, Well: m.LastError == "", LastPoll: m.LastPoll, Taken: m.Taken, Refused: m.Refused, LastError: m.LastError}
	}
	st.Refused["too_many_from_one_source"] = s.fair.Limited()
	if st.Refused["too_many_from_one_source"] == 0 {
		delete(st.Refused, "too_many_from_one_source")
	}
	return st, nil
}
