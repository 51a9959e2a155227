package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"callhome"
	"callhome/agent"
	"callhome/config"
	"callhome/control"
	"callhome/ctl"
	"callhome/outbox"
)

// call makes a typed function a control call.
func call[A, R any](f func(context.Context, A) (R, error)) control.Func {
	return func(ctx context.Context, raw json.RawMessage) (any, error) {
		var args A
		if err := json.Unmarshal(raw, &args); err != nil {
			return nil, callhome.Errorf(callhome.KindInvalid, "the arguments are not what this call takes: %w", err)
		}
		return f(ctx, args)
	}
}

// none is the argument of calls that take nothing.
type none struct{}

// serve registers what a running agent answers.
func (d *device) serve(s *control.Server, file string) {
	s.Handle(ctl.CallStatus, call(func(context.Context, *none) (agent.Status, error) { return d.status(), nil }))
	s.Handle(ctl.CallStatistics, call(func(ctx context.Context, _ *none) (agent.Statistics, error) { return d.agent.Statistics(ctx) }))
	s.Handle(ctl.CallEvents, call(func(context.Context, *none) ([]agent.EventStatus, error) { return d.agent.Events(), nil }))
	s.Handle(ctl.CallModules, call(func(context.Context, *none) ([]agent.ModuleStatus, error) { return d.agent.Modules(), nil }))
	s.Handle(ctl.CallMail, call(func(context.Context, *none) ([]ctl.MailServer, error) { return d.mailServers(), nil }))
	s.Handle(ctl.CallTest, call(d.agent.Test))
	s.Handle(ctl.CallSend, call(func(ctx context.Context, o agent.SendOrder) (agent.Taken, error) {
		taken, err := d.agent.Send(ctx, o)
		taken.To = slices.Clone(taken.To)
		for i := range taken.To {
			mask(&taken.To[i])
		}
		return taken, err
	}))
	s.Handle(ctl.CallRequest, call(d.agent.Request))
	s.Handle(ctl.CallRunning, call(func(_ context.Context, all bool) (string, error) { return config.Running(d.config(), all) }))
	s.Handle(ctl.CallReload, call(func(context.Context, *none) (ctl.Reloaded, error) { return d.reload(file) }))
	s.Handle(ctl.CallPut, call(func(ctx context.Context, envelopes []ctl.PreviewEnvelope) (int, error) {
		return len(envelopes), d.outbox.Put(ctx, ctl.Envelopes(envelopes)...)
	}))
	s.Handle(ctl.CallUnlatch, call(func(_ context.Context, device string) (none, error) {
		if !d.collect.Unlatch(device) {
			return none{}, callhome.Errorf(callhome.KindNotFound, "device %q had not refused a login; `callhome show call-home` names those that did", device)
		}
		return none{}, nil
	}))
	serveQueue(s, d.outbox)
}

// serveQueue registers what any role with an outbox answers.
func serveQueue(s *control.Server, queue *outbox.Queue) {
	s.Handle(ctl.CallHistory, call(func(ctx context.Context, q ctl.HistoryQuery) ([]outbox.Outcome, error) {
		lines, err := queue.History(ctx, outbox.LedgerFilter{MessageID: q.MessageID, Limit: q.Limit})
		for i := range lines {
			mask(&lines[i].Destination)
		}
		return lines, err
	}))
	s.Handle(ctl.CallQueueList, call(func(ctx context.Context, q ctl.QueueQuery) ([]outbox.Entry, error) {
		entries, err := queue.List(ctx, outbox.Filter{Status: q.Status(), After: q.After, Limit: q.Limit})
		for i := range entries {
			mask(&entries[i].Envelope.Destination)
		}
		return entries, err
	}))
	s.Handle(ctl.CallQueueShow, call(func(ctx context.Context, id outbox.EntryID) (ctl.QueueEntry, error) {
		e, err := queue.Show(ctx, id)
		if err != nil {
			return ctl.QueueEntry{}, err
		}
		mask(&e.Envelope.Destination)
		return ctl.QueueEntry{Entry: *e, Body: string(e.Envelope.Body)}, nil
	}))
	s.Handle(ctl.CallQueueRetry, call(func(ctx context.Context, q ctl.QueueQuery) (int, error) {
		return each(ctx, queue, q, func(id outbox.EntryID) error { _, err := queue.Retry(ctx, id); return err })
	}))
	s.Handle(ctl.CallQueueDrop, call(func(ctx context.Context, q ctl.QueueQuery) (int, error) {
		return each(ctx, queue, q, func(id outbox.EntryID) error { return queue.Drop(ctx, id, "dropped by an operator") })
	}))
}

// mask takes the password out of an address that is to be shown; the store keeps it, for sending.
func mask(d *callhome.Destination) { d.Address = callhome.MaskURL(d.Address) }

// each calls f with the IDs that q names or, with All, with every entry there was at the start.
func each(ctx context.Context, queue *outbox.Queue, q ctl.QueueQuery, f func(outbox.EntryID) error) (n int, err error) {
	if !q.All {
		for _, id := range q.IDs {
			if err := f(id); err != nil {
				return n, err
			}
			n++
		}
		return n, nil
	}
	newest, err := queue.List(ctx, outbox.Filter{Status: q.Status(), Newest: true, Limit: 1})
	if err != nil || len(newest) == 0 {
		return 0, err
	}
	last := newest[0].ID
	for after := outbox.EntryID(0); ; {
		page, err := queue.List(ctx, outbox.Filter{Status: q.Status(), After: after})
		if err != nil || len(page) == 0 {
			return n, err
		}
		for i := range page {
			after = page[i].ID
			if after > last {
				return n, nil
			}
			switch err := f(after); {
			case err == nil:
				n++
			case callhome.KindOf(err) != callhome.KindNotFound: // delivered meanwhile
				return n, err
			}
		}
	}
}

// status is the agent's, with what only this package knows.
func (d *device) status() agent.Status {
	s, cfg := d.agent.Status(), d.config()
	s.Version = version
	s.Road = agent.Road{
		SourceAddress: cfg.Source.Address, SourceInterface: cfg.Source.Interface, VRF: cfg.Source.VRF,
		IPv4First: cfg.Resolver.IPv4First, NoIdentityCheck: cfg.HTTP.HTTP.AnyName,
	}
	if p := cfg.HTTP.Proxy; p.Host != "" {
		s.Road.HTTPProxy = fmt.Sprintf("%s port %d", p.Host, p.Port)
	}
	return s
}

// mailServers are the mail servers in the words of the show commands.
func (d *device) mailServers() []ctl.MailServer {
	d.mu.Lock()
	mail := d.mail
	d.mu.Unlock()
	var out []ctl.MailServer
	for _, m := range mail.Status() {
		out = append(out, ctl.MailServer{Address: m.Host, Priority: m.Priority, Secure: string(m.Security), State: string(m.State), Error: m.LastError})
	}
	return out
}
